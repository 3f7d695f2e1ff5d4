"""The pictures that particles wear, drawn here once: per shape how much it covers, and how light it is."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SHAPES = ("dust", "glow", "spark", "flame", "note", "star", "confetti", "hoop", "heart", "crescent")
CELL, COLUMNS = 40, 4  # as large as most are drawn: mipmaps would cost llvmpipe more than all else about a particle
_FINE = 512  # px at which a shape is drawn before it is made small
_REACH = 0.86  # of half a cell: what is around a shape keeps it apart from its neighbours


@cache
def atlas() -> Array:
    """(160, 160, 2) uint8: coverage and light of all SHAPES, cell by cell; light 128 leaves a colour as it is, less darkens
    it, more whitens it."""
    out = np.zeros((CELL * COLUMNS, CELL * COLUMNS, 2), np.uint8)
    out[..., 1] = 128
    for i, name in enumerate(SHAPES):
        y, x = CELL * (i // COLUMNS), CELL * (i % COLUMNS)
        out[y : y + CELL, x : x + CELL] = np.round(255 * _SOFT[name]() if name in _SOFT else 255 * _solid(name))
    return out


def _disc() -> tuple[Array, Array, Array]:
    """x, y (up) and radius (CELL, CELL) of a cell, 1 at the rim of a shape."""
    n = (np.arange(CELL) + 0.5 - CELL / 2) / (CELL / 2 * _REACH)
    x, y = np.meshgrid(n, -n)
    return x, y, np.hypot(x, y)


def _dust() -> Array:
    """A puff, lit from above."""
    x, y, r = _disc()
    soft = np.clip(1 - r**2, 0, 1) ** 2
    return np.dstack([soft, np.clip(0.5 + 0.10 * y - 0.06 * x, 0, 1)])


def _glow() -> Array:
    _, _, r = _disc()
    soft = np.clip(1 - r, 0, 1) ** 1.6
    return np.dstack([soft, 0.5 + 0.28 * soft])


def _spark() -> Array:
    """A bright core with four rays."""
    x, y, r = _disc()
    core = np.clip(1 - r / 0.42, 0, 1) ** 1.2
    rays = np.clip(1 - r, 0, 1) * np.exp(-np.minimum(np.abs(x), np.abs(y)) / 0.055)
    halo = 0.30 * np.clip(1 - r, 0, 1) ** 2
    cover = np.clip(core + 0.85 * rays + halo, 0, 1)
    return np.dstack([cover, 0.5 + 0.5 * np.clip(core + 0.5 * rays, 0, 1)])


def _flame() -> Array:
    """A drop of fire, hot below."""
    x, y, _ = _disc()
    wide = 0.62 * np.sqrt(np.clip((y + 1) / 0.75, 0, 1)) * np.clip(1 - y, 0, 2) ** 0.9 / 1.35
    inside = np.clip(1 - np.abs(x) / np.maximum(wide, 0.03), 0, 1)
    cover = np.clip(2.0 * inside, 0, 1) ** 1.3 * np.clip((1 - np.abs(y)) * 5, 0, 1)
    return np.dstack([cover, 0.5 + 0.45 * np.clip(inside * (0.75 - 0.75 * y), 0, 1)])


_SOFT = {"dust": _dust, "glow": _glow, "spark": _spark, "flame": _flame}


def _solid(name: str) -> Array:
    """A shape with a hard edge, rounded as if it were cut from something thick: light on its upper left."""
    mask = _drawn(name)
    small = cv2.resize(mask, (CELL, CELL), interpolation=cv2.INTER_AREA).astype(np.float64) / 255
    height: Array = cv2.GaussianBlur(mask, (0, 0), _FINE / 28).astype(np.float64) / 255 * (mask > 0)
    height = cv2.resize(height, (CELL, CELL), interpolation=cv2.INTER_AREA)
    dy, dx = np.gradient(height)
    light = np.clip(0.5 + 2.2 * (dx + dy), 0.12, 0.9)
    return np.dstack([small, light])


def _drawn(name: str) -> Array:
    """(_FINE, _FINE) uint8 mask of a shape."""
    n, canvas = _FINE, np.zeros((_FINE, _FINE), np.uint8)
    half = n / 2 * _REACH

    def points(table: Any) -> Array:
        xy = np.array(table, float)
        return np.round(np.column_stack([n / 2 + half * xy[:, 0], n / 2 - half * xy[:, 1]])).astype(np.int32)

    def fill(table: Any, value: int = 255) -> None:
        cv2.fillPoly(canvas, [points(table)], value)

    t = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    if name == "note":
        c, s = np.cos(0.42), np.sin(0.42)
        x, y = 0.40 * np.cos(t), 0.28 * np.sin(t)
        fill(np.column_stack([-0.28 + c * x - s * y, -0.62 + s * x + c * y]))
        fill([(-0.02, -0.60), (0.13, -0.52), (0.13, 0.95), (-0.02, 0.95)])
        u = np.linspace(0, 1, 30)[:, None]
        upper = (1 - u) ** 2 * [0.05, 0.97] + 2 * u * (1 - u) * [0.22, 0.45] + u**2 * [0.68, 0.02]
        lower = (1 - u) ** 2 * [0.68, 0.02] + 2 * u * (1 - u) * [0.36, 0.38] + u**2 * [0.08, 0.42]
        fill(np.concatenate([upper, lower]))
    elif name == "star":
        a = np.pi / 2 + np.arange(10) * np.pi / 5
        r = np.where(np.arange(10) % 2, 0.44, 0.98)
        fill(np.column_stack([r * np.cos(a), r * np.sin(a)]))
    elif name == "confetti":
        fill([(-0.85, -0.5), (0.85, -0.5), (0.85, 0.5), (-0.85, 0.5)])
    elif name == "hoop":
        fill(np.column_stack([np.cos(t), np.sin(t)]))
        fill(0.72 * np.column_stack([np.cos(t), np.sin(t)]), 0)
    elif name == "heart":
        x = 16 * np.sin(t) ** 3
        y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
        fill(np.column_stack([x, y + 2]) / 17.5)
    else:
        fill(np.column_stack([np.cos(t), np.sin(t)]))
        fill(np.column_stack([0.36 + 0.80 * np.cos(t), 0.10 + 0.80 * np.sin(t)]), 0)
    rounded = cv2.GaussianBlur(canvas, (0, 0), n / 48)
    return np.where(rounded > 127, 255, 0).astype(np.uint8)
