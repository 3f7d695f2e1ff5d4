"""The soft shadow that figures cast on the table: a small map of the plane that says which share of its light they take.

A figure's surface is taken as a cloud of points. Each is thrown on the plane from several places on the lamp, and straight
down, where it darkens what it nearly touches. The map is so small that OpenCV is quicker at it than a software rasteriser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Intrinsics

from .light import Light
from .plane_view import View, plane_axes, plane_from_ray

Array = NDArray[Any]
Region = tuple[int, int, int, int]  # x0 y0 x1 y1, half open
_MOST = 96  # texels along the longer side
_DENSE = 0.55  # points of one side of a surface per texel: with fewer the map is made coarser
_CLOSENESS = 0.10  # of the height
_SOFT = 1.15  # texels: the blur that joins what lamps throw
_DARKEST = 0.7
_STEP = 32  # pixels


@dataclass(frozen=True)
class Shadow:
    """taken (n, m, 3) uint8 bgr: which share of an encoded colour is taken, on a part of the plane that begins at low (2,),
    ``texel`` metres each; outline (4, 2): corners of the box around what is not
    0, in plane coordinates."""

    low: Array
    texel: float
    taken: Array
    outline: Array


def cast(clouds: list[Array], heights: list[float], view: View, light: Light) -> Shadow | None:
    """The shadow of surfaces, each a cloud (k, 3) in map, of figures with these heights in metres."""
    if not clouds:
        return None
    axes = plane_axes(view.plane)
    points = np.concatenate(clouds) @ axes[:, :3].T + axes[:, 3]
    slopes = np.vstack([light.slopes(axes[:, :3]), np.zeros(2)])  # the last: straight down
    height = np.maximum(points[:, 2], 0)
    thrown = [points[:, i] - slopes[:, i, None] * height for i in (0, 1)]
    closeness = _CLOSENESS * max(heights)
    low = np.array([t.min() for t in thrown]) - closeness
    size = np.array([t.max() for t in thrown]) + closeness - low
    texel = max(float(size.max()) / _MOST, float(np.sqrt(_DENSE * np.prod(size) / len(points))))
    rows, columns = int(size[1] / texel) + 1, int(size[0] / texel) + 1
    at = [((t - start) * (1 / texel)).astype(np.int32) for t, start in zip(thrown, low, strict=True)]
    place = at[1] * columns + at[0]
    lamps = len(slopes) - 1
    covered = np.zeros((lamps, rows * columns), np.uint8)
    covered[np.arange(lamps)[:, None], place[:-1]] = 255
    covered = _closed(covered.reshape(lamps * rows, columns)).reshape(lamps, rows * columns)
    lamp = cv2.reduce(covered, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F).reshape(rows, columns)
    lamp = cv2.GaussianBlur(lamp, (0, 0), _SOFT)
    close = _closed(_nearest(height, place[-1], rows * columns, closeness).reshape(rows, columns))
    close = cv2.GaussianBlur(close, (0, 0), 0.30 * closeness / texel).astype(np.float32)
    shares = [light.lamp_share[i] * lamp + light.sky_share[i] * close for i in (2, 1, 0)]
    taken = cv2.LUT(cv2.convertScaleAbs(cv2.merge(shares)), _ENCODED)
    x, y, w, h = cv2.boundingRect(cv2.extractChannel(taken, 1))
    outline = np.array([[x, y], [x + w, y], [x, y + h], [x + w, y + h]])
    return Shadow(low, texel, taken, low + outline * texel)


def darken(part: Array, shadow: Shadow, view: View, region: Region, cells: Array) -> None:
    """Take the light from a part (h, w, 3) uint8 bgr8 of a picture that lies at ``region`` of it, as far as the shadow can
    reach: into these cells (n, n) bool of a grid over the region."""
    down, across = np.flatnonzero(cells.any(1)), np.flatnonzero(cells.any(0))
    if len(down) == 0:
        return
    (h, w), n = part.shape[:2], len(cells)
    y0, y1 = (int(v) * h // n for v in (down[0], down[-1] + 1))
    x0, x1 = (int(v) * w // n for v in (across[0], across[-1] + 1))
    if x1 <= x0 or y1 <= y0:
        return
    cut = part[y0:y1, x0:x1]
    dark = _seen(shadow, view, (region[0] + x0, region[1] + y0, x1 - x0, y1 - y0))
    # (c + 0.055) (1 - dark) - 0.055 of an encoded colour c: less light through the power of the sRGB curve.
    less = cv2.addWeighted(cv2.multiply(cut, dark, scale=1 / 255), 1.0, dark, 0.055, 0.0)
    cut[:] = cv2.max(cv2.subtract(cut, less), cv2.convertScaleAbs(cut, alpha=1 - _DARKEST))


def _seen(shadow: Shadow, view: View, box: tuple[int, int, int, int]) -> Array:
    """(h, w, 3): what is taken in this box (x, y, w, h) of the picture; looked up for every second pixel."""
    x, y, w, h = box
    left, top = x // 2 * 2 - 2, y // 2 * 2 - 2  # the same places whatever the box is
    size = ((x + w - left) // 2 + 2, (y + h - top) // 2 + 2)
    u, v = (np.arange(n) * 2 + start + 0.5 for n, start in zip(size, (left, top), strict=True))
    ray_x, ray_y = _rays(view.intrinsics, u, v)
    H = plane_from_ray(view, plane_axes(view.plane))
    H = np.array([[1, 0, -shadow.low[0]], [0, 1, -shadow.low[1]], [0, 0, shadow.texel]]) @ H
    a, b, c = (row[0] * ray_x + row[1] * ray_y + row[2] for row in H.astype(np.float32))
    c = np.where(c > 1e-6 * shadow.texel, c, np.float32(np.nan))
    at_x, at_y = (np.nan_to_num(t / c - 0.5, nan=-9.0).astype(np.float32) for t in (a, b))
    seen = cv2.remap(shadow.taken, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    whole = cv2.resize(seen, (2 * size[0], 2 * size[1]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole[y - top : y - top + h, x - left : x - left + w])


def _rays(k: Intrinsics, u: Array, v: Array) -> tuple[Array, Array]:
    """x and y, (m, n) each or what broadcasts to it, of the rays (x, y, 1) through the pixels u (n,), v (m,)."""
    if not k.bends:
        return ((u - k.cx) / k.fx).astype(np.float32)[None], ((v - k.cy) / k.fy).astype(np.float32)[:, None]
    few = [
        np.arange(t[0] // _STEP, t[-1] // _STEP + 2) * _STEP for t in (u, v)
    ]  # where the lens bends, exact at a few places
    rays = np.nan_to_num(k.rays(np.stack(np.meshgrid(*few), -1).reshape(-1, 2)), nan=1e3)
    rays = rays.reshape(len(few[1]), len(few[0]), 3)
    hats = [np.stack([np.interp(t, f, e) for e in np.eye(len(f))], 1) for t, f in zip((u, v), few, strict=True)]
    bent = [(hats[1] @ rays[..., i] @ hats[0].T).astype(np.float32) for i in (0, 1)]
    return bent[0], bent[1]


def _closed(covered: Array) -> Array:
    """(n, m): without the gaps between points."""
    return np.asarray(cv2.morphologyEx(covered, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)))


def _nearest(height: Array, place: Array, count: int, closeness: float) -> Array:
    """(count,) uint8: how close the lowest point over each place is, 255 where it touches."""
    low = np.flatnonzero(height < 4 * closeness)
    low = low[np.argsort(-height[low], kind="stable")]
    out = np.zeros(count, np.uint8)
    out[place[low]] = np.round(
        255 * np.exp(-height[low] / closeness)
    )  # of several the last is kept, which is the lowest
    return out


_ENCODED = np.round(255 * (1 - (1 - np.arange(256) / 255) ** (1 / 2.4))).astype(np.uint8)
