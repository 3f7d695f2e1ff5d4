"""The shadow that an object throws on its table, found so that it can leave with the object.

The object is taken for an upright cylinder. Its shadow under a soft lamp is tried for many places of the lamp; the one whose
edges are found in the picture's light, whatever the table's own pattern, is it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .light import linear

Array = NDArray[Any]
SIDE = 96  # texels of the small table that is searched
_AZIMUTHS, _SLOPES, _SIZES = 36, (0.5, 0.75, 1.05, 1.4, 1.9, 2.6), (0.1, 0.3)
_DEPTHS = np.arange(0.1, 0.96, 0.04)
_PLAUSIBLE = 0.12  # how dark a shadow must be
_SOFT = 1.5  # texels
_OTHER = 0.7  # log: what differs more is another thing
_NIGHT = 0.003  # linear light that counts as none
_BRIGHT = 85  # percentile of the table's colours
_CLEAR = 0.06  # of the edges it would have: so much must be explained
# Places on the lamp: away from the object, and to the side.
_LAMP = np.array(
    [[0.0, 0], [0.9, 0], [-0.9, 0], [0, 0.9], [0, -0.9], [0.6, 0.6], [0.6, -0.6], [-0.6, 0.6], [-0.6, -0.6]]
)


@dataclass(frozen=True)
class CastOff:
    """azimuth: where it points in the table's plane, rad; share: how much of the table's light it takes where it is darkest;
    gain (SIDE, SIDE, 3) uint8: what encoded colours must gain at each place of the table for it to be gone, 128 for as much
    again; model: the gain as the cylinder's shadow has it; most (3,) uint8: the brightest that the table is around it."""

    azimuth: float
    share: float
    gain: Array
    model: Array
    most: Array


def relit(colours: Array, gain: Array, most: Array) -> Array:
    """Encoded colours (h, w, 3) uint8 with the light back that a shadow took; gain (h, w, 3) uint8 and most as CastOff has
    them: what was taken for shadow but is none must not glow."""
    # (c + 0.055) times a gain of light's 2.4th root, less 0.055: more light through the power of the sRGB curve.
    more = cv2.addWeighted(cv2.multiply(colours, gain, scale=1 / 128), 1.0, gain, 14 / 128, 0.0)
    return np.maximum(colours, np.minimum(cv2.add(colours, more), most))


def find(colours: Array, sure: Array, reach: float, radius: float) -> CastOff | None:
    """The shadow of the object in the middle of a table (n, n, 3) uint8, looked for where that is sure (n, n) bool; None when
    there is none. reach: half a side of the table, radius: half the object's width, both in its heights."""
    light = cv2.resize(linear(colours).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    k = (cv2.resize(sure.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA) > 0.99).astype(np.float32)
    low = cv2.GaussianBlur(light * k[..., None], (0, 0), 1.0)
    dark = np.log(low / np.maximum(cv2.GaussianBlur(k, (0, 0), 1.0), 1e-3)[..., None] + _NIGHT)
    edges = [_edges(image) for image in (np.ascontiguousarray(dark.mean(2)), *cv2.split(dark))]
    inner = cv2.erode(k, np.ones((5, 5)))
    strong = max(3 * float(np.median(np.abs(edges[0][:, inner > 0]))), 0.02) if inner.any() else 0.02
    seen = np.clip(edges[0], -strong, strong)
    tried = []
    for azimuth in np.arange(_AZIMUTHS) * (2 * np.pi / _AZIMUTHS):
        for slope in _SLOPES:
            for size in _SIZES:
                where = thrown(azimuth, slope, size, reach, 0.85 * radius)
                e = _edges(np.log(1 - 0.5 * where)) * inner
                tried.append((float((e * seen).sum() / np.sqrt((e * e).sum() + 1.0)), azimuth, slope, size))
    promising = [max(t for t in tried if t[1] == azimuth) for azimuth in sorted({t[1] for t in tried})]
    fits = []
    for _, azimuth, slope, size in sorted(promising, reverse=True)[:8]:
        refined = []
        for a in azimuth + np.radians([-4, 0, 4]):
            for s in slope * np.array([0.88, 1.0, 1.12]):
                for r in radius * np.array([0.75, 0.85, 0.95]):
                    much, gain, depth = _explained(edges[0], thrown(a, s, size, reach, r), inner, a)
                    refined.append((much * gain, gain, depth, a, s, size, r))
        fits.append(max(refined))
    for _, gain, depth, azimuth, slope, size, r in sorted(fits, reverse=True):
        where = thrown(azimuth, slope, size, reach, r)
        less = _darker_inside(dark, where, k)
        if depth < _PLAUSIBLE or gain < _CLEAR or len(less) < 6:
            continue
        if np.percentile(less.mean(1), 75) < 0.5 * np.log(1 - depth):  # all of it must be dark
            share = 1 - np.exp(np.percentile(less, 25, axis=0))
            more = (1 - cv2.GaussianBlur(where, (0, 0), _SOFT)[..., None] * np.clip(share, 0, 0.92)) ** (-1 / 2.4) - 1
            gain_of_all = np.round(np.clip(more * 128, 0, 255)).astype(np.uint8)
            return CastOff(
                float(azimuth),
                float(share.mean()),
                gain_of_all,
                gain_of_all,
                np.percentile(colours[sure], _BRIGHT, axis=0).astype(np.uint8),
            )
    return None


def _darker_inside(dark: Array, where: Array, k: Array) -> Array:
    """(n, 3): how much darker, log, what is seen inside of a shadow is than what lies around it."""
    core = (where > 0.75) & (k > 0)
    around = cv2.dilate((where > 0.04).astype(np.uint8), np.ones((9, 9))) > 0
    ring = (around & (where < 0.04) & (k > 0)).astype(np.float32)
    near = cv2.GaussianBlur(ring, (0, 0), 4.0)
    less = dark - cv2.GaussianBlur(dark * ring[..., None], (0, 0), 4.0) / np.maximum(near, 1e-3)[..., None]
    return np.asarray(less[core & (near > 0.01)])


def thrown(azimuth: float, slope: float, size: float, reach: float, radius: float) -> Array:
    """(SIDE, SIDE) float32: how much of a lamp the cylinder hides from each place. size: the lamp's radius over its distance."""
    away = np.array([np.cos(azimuth), np.sin(azimuth)])
    side = np.array([-away[1], away[0]])
    turn = np.arange(12) * (np.pi / 6)
    foot = radius * np.stack([np.cos(turn), np.sin(turn)], 1)
    total = np.zeros((SIDE, SIDE), np.float32)
    for a, b in _LAMP * size:
        shift = slope * ((1 + a * np.hypot(1, slope)) * away + b * side)
        hull = cv2.convexHull(np.concatenate([foot, foot + shift]).astype(np.float32)).reshape(-1, 2)
        one = np.zeros((SIDE, SIDE), np.uint8)
        places = (hull / (2 * reach) + 0.5) * SIDE - 0.5
        cv2.fillConvexPoly(one, np.round(places * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
        total += one
    return np.asarray(cv2.GaussianBlur(total / np.float32(255 * len(_LAMP)), (0, 0), 1.0))


def _edges(image: Array) -> Array:
    """(2, n, n): differences to the neighbours, across and down."""
    return np.stack([cv2.Sobel(image, cv2.CV_32F, 1, 0, ksize=1), cv2.Sobel(image, cv2.CV_32F, 0, 1, ksize=1)])


def _explained(edges: Array, where: Array, inner: Array, azimuth: float) -> tuple[float, float, float]:
    """How much smaller edges (2, n, n) get when the shadow is taken out, all together and as a share of them; and its depth.

    What one side of the shadow explains counts no more than what the other does: another thing's edge is on one side only.
    """
    y, x = np.nonzero(inner * (np.abs(_edges(where)).sum(0) > 0.004))
    middle = (SIDE - 1) / 2
    left = (y - middle) * np.cos(azimuth) > (x - middle) * np.sin(azimuth)
    if min(np.count_nonzero(left), np.count_nonzero(~left)) < 30:
        return 0.0, 0.0, 0.0
    mine = edges[:, y, x]
    without, best = float(np.abs(mine).sum()), (0.0, 0.0, 0.0)
    for depth in _DEPTHS[::2]:
        own = _edges(np.log(1 - np.float32(depth) * where))[:, y, x]
        less = (np.abs(mine) - np.abs(mine - own)).sum(0)
        less = 2 * min(float(less[left].sum()), float(less[~left].sum()))
        best = max(best, (less, less / without, float(depth)))
    return best
