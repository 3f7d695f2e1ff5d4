"""Exactly known pictures: lit, textured things on textured surfaces, drawn at eight times the size and averaged."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box, box_of

Picture = NDArray[np.uint8]
FINE = 4


@dataclass(frozen=True)
class Thing:
    """A disk, a ring (with a hole) or a rounded square at `x, y` (pixels) of radius `r`, of one colour, shaded."""

    kind: str
    x: float
    y: float
    r: float
    bgr: tuple[int, int, int]


def surface(height: int, width: int, seed: int = 0, bgr: tuple[int, int, int] = (96, 128, 160)) -> NDArray[np.float32]:
    """A wooden table: streaks at several scales."""
    rng = np.random.default_rng(seed)
    out = np.full((height, width, 3), bgr, np.float32)
    for n, strength in ((6, 9.0), (24, 6.0), (90, 4.0)):
        grain = rng.normal(0, strength, (n, max(2, n // 6))).astype(np.float32)
        out += cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    return out * np.linspace(0.8, 1.1, height, dtype=np.float32)[:, None, None]


def coverage(thing: Thing, height: int, width: int) -> NDArray[np.float32]:
    """`(H, W) float32` in [0, 1]: how much of each pixel the thing covers."""
    y, x = np.mgrid[: height * FINE, : width * FINE].astype(np.float32)
    u, v = (x + 0.5) / FINE - 0.5 - thing.x, (y + 0.5) / FINE - 0.5 - thing.y
    d = np.hypot(u, v)
    if thing.kind == "disk":
        inside = d < thing.r
    elif thing.kind == "ring":
        inside = (d < thing.r) & (d > 0.55 * thing.r)
    else:
        inside = np.maximum(np.abs(u), np.abs(v)) + 0.15 * d < thing.r
    return np.asarray(cv2.resize(inside.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA))


def scene(things: list[Thing], height: int = 360, width: int = 480, seed: int = 0) -> tuple[Picture, list[Picture]]:
    """The picture `(H, W, 3) uint8` and one exact soft mask `(H, W) uint8` per thing (none hides another)."""
    picture = surface(height, width, seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    masks = []
    for thing in things:
        a = coverage(thing, height, width)
        shadow = cv2.GaussianBlur(
            np.roll(a, (round(0.12 * thing.r), round(0.1 * thing.r)), (0, 1)), (0, 0), 0.12 * thing.r
        )
        picture *= 1 - 0.45 * shadow[..., None]
        light = 0.75 + 0.45 * np.clip((thing.x - x + thing.y - y) / (2 * thing.r), -1, 1)
        stripes = 1 + 0.12 * np.sin((x - thing.x + 0.5 * (y - thing.y)) * 9 / thing.r)
        colour = np.array(thing.bgr, np.float32) * (light * stripes)[..., None]
        picture = picture * (1 - a[..., None]) + colour * a[..., None]
        masks.append((a * 255).round().astype(np.uint8))
    noise = np.random.default_rng(seed + 1).normal(0, 2, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8), masks


def iou(a: Picture, b: Picture) -> float:
    a_in, b_in = a > 127, b > 127
    return float(np.count_nonzero(a_in & b_in) / max(1, np.count_nonzero(a_in | b_in)))


__all__ = ["Box", "Picture", "Thing", "box_of", "iou", "scene", "surface"]
