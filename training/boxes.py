"""One training sample of the detector: a picture and a box around every object in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training import synth
from training.store import Pixels, store_of, validation_pairs
from training.synth import Rng, Stock


@dataclass(frozen=True)
class Sample:
    """`picture (height, width, 3) uint8`; `boxes (n, 4) float32` x, y, width, height; `unsure (height, width) bool`:
    where objects may be that nobody labelled."""

    picture: Pixels
    boxes: NDArray[np.float32]
    unsure: NDArray[np.bool_]


LEAST_SIDE = 8
"""Pixels: smaller ones are not asked for."""


def box_list(masks: list[Pixels]) -> NDArray[np.float32]:
    """Boxes of the masks of which enough is visible, `(n, 4)`."""
    out = []
    for mask in masks:
        x, y, w, h = cv2.boundingRect((mask > 127).astype(np.uint8))
        if min(w, h) >= LEAST_SIDE and np.count_nonzero(mask > 127) > 0.15 * w * h:
            out.append((x, y, w, h))
    return np.array(out, np.float32).reshape(-1, 4)


def parts(mask: Pixels) -> list[Pixels]:
    """A photograph's mask as objects: its connected parts, where they are of a size; specks are dropped."""
    n, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 127).astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if n <= 2 or areas.max() < 100:
        return [mask]
    large = [k + 1 for k in range(n - 1) if areas[k] > 0.1 * areas.max()]
    if len(large) > 4:
        return [mask]
    return [np.where(labels == k, mask, 0).astype(np.uint8) for k in large]


def photograph(stock: Stock, rng: Rng, width: int, height: int) -> Sample:
    """A photograph, or a part of a larger surrounding: its object counts, the rest is probably not one."""
    store = stock.store
    picture = store[int(rng.integers(len(store)))]
    h, w = picture.shape[:2]
    zoom = float(np.exp(rng.normal(0.0, 0.2)))
    sx, sy = width / w * zoom, height / h * zoom
    squash = float(np.exp(rng.normal(0, 0.1)))
    sx, sy = sx * squash * (1 if rng.random() < 0.5 else -1), sy / squash
    cx, cy = width * (0.5 + rng.normal(0, 0.05)), height * (0.5 + rng.normal(0, 0.05))
    matrix = np.float32([[sx, 0, cx - sx * w / 2], [0, sy, cy - sy * h / 2]])
    border = (*(float(v) for v in rng.uniform(0, 255, 3)), 0.0)
    view = cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=border)
    unsure = np.zeros((height, width), bool)
    return Sample(view[..., :3], box_list(parts(view[..., 3])), unsure)


def resized(scene: synth.Scene, width: int, height: int) -> synth.Scene:
    def to_size(picture: Pixels) -> Pixels:
        return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))

    return synth.Scene(to_size(scene.bgr), [to_size(mask) for mask in scene.masks])


def several(stock: Stock, rng: Rng, width: int, height: int) -> Sample:
    """A table with things on it, or photographs side by side."""
    side_by_side = rng.random() < 0.15
    scene = synth.mosaic(stock.store, rng, max(width, height)) if side_by_side else stock.scene(rng)
    scene = resized(scene, width, height)
    bgr, masks = scene.bgr, scene.masks
    if rng.random() < 0.5:
        bgr, masks = bgr[:, ::-1], [m[:, ::-1] for m in masks]
    if rng.random() < 0.4:  # from further away: smaller things on a larger surface
        small = float(rng.uniform(0.5, 0.95))
        offset = rng.uniform(0, 1 - small, 2) * (width, height)
        matrix = np.float32([[small, 0, offset[0]], [0, small, offset[1]]])
        bgr = cv2.warpAffine(np.ascontiguousarray(bgr), matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
        inside = [cv2.warpAffine(np.ascontiguousarray(m), matrix, (width, height)) for m in masks]
        mirrored = [
            cv2.warpAffine(np.ascontiguousarray(m), matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
            for m in masks
        ]
        unsure = np.zeros((height, width), bool)
        for once, again in zip(inside, mirrored, strict=True):
            unsure |= (again > 60) & (once < 60)
        return Sample(bgr, box_list(inside), unsure)
    return Sample(
        np.ascontiguousarray(bgr), box_list([np.ascontiguousarray(m) for m in masks]), np.zeros((height, width), bool)
    )


def nothing(stock: Stock, rng: Rng, width: int, height: int) -> Sample:
    bgr = cv2.resize(stock.background(rng, max(width, height)), (width, height), interpolation=cv2.INTER_AREA)
    return Sample(bgr, np.zeros((0, 4), np.float32), np.zeros((height, width), bool))


def sample(stock: Stock, rng: Rng, width: int, height: int) -> Sample:
    roll = rng.random()
    if roll < 0.15:
        return photograph(stock, rng, width, height)
    return several(stock, rng, width, height) if roll < 0.94 else nothing(stock, rng, width, height)


HELD_OUT_CUTOUTS = 5
"""Every fifth cut-out is never trained on by the detector."""


def seen_cutouts(cutouts: list[Pixels]) -> list[Pixels]:
    return [c for k, c in enumerate(cutouts) if k % HELD_OUT_CUTOUTS]


def held_out_scenes(data: Path, cutouts: list[Pixels], width: int, height: int, n: int = 200) -> list[Sample]:
    """Tables of unseen cut-outs and unseen photographs' objects on unseen backgrounds, always the same ones."""
    rng = np.random.default_rng(42)
    store = store_of(validation_pairs(data / "duts_tr"))
    stock = synth.Stock(store, cutouts[::HELD_OUT_CUTOUTS], rng, 320, n_backgrounds=100)
    out = []
    for k in range(n):
        if k % 4 == 3:
            out.append(photograph(stock, rng, width, height))
            continue
        scene = resized(synth.tabletop(stock, rng, 320, 1 + k % 5), width, height)
        out.append(Sample(scene.bgr, box_list(scene.masks), np.zeros((height, width), bool)))
    return out
