"""Eyes that a thing already has: two dark discs in something lighter, level, with a face around them.

A drawing, a doll, an animal, or a picture of somebody gets its living eyes where it has its own. Discs are found by the
contrast of a core to the ring around it, over a few sizes; pairs of them by what a face has: a bridge, cheeks and a forehead
that are lighter than the eyes, a mouth that is darker than the cheeks, lines that mirror whatever the light, as much of it on
either side.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_character.mesh import Array, Ints
from ar_character.outline import FloatImage, sample

RADII = (0.010, 0.014, 0.020, 0.028, 0.040, 0.056, 0.078)  # of discs, in sizes
COARSE = 6.0  # px: larger discs are sought in half the resolution
MOST = 14  # discs of a size
CONTRAST = 22.0  # least, levels
STARK = 100.0  # levels: more is as nothing but drawn eyes have it
SIDE, SIDES = 0.4, 6  # of that, in so many of eight directions
SURE = 1.5  # least score
NEAR, NARROW = 0.15, 0.22  # least distance of eyes, in sizes, or else in widths: a head is a part of the whole
WIDE = 1.6  # least width of what is there, in distances of the eyes
LOWEST = 0.64  # of the height: eyes are above
SOFT = (0.5, 1.0, 2.0, 4.0, 8.0)  # px: how much a picture is softened for patches whose samples are about as far apart
MOUTH = (0.5, 1.3)  # how far under the eyes, in their distance

# Of a patch around a pair, in distances of the eyes: where its parts are, and what they say. Brightness counts in the patch's
# own deviations. The weights are rounded from a logistic regression on faces, drawings, and things without a face.
_X, _Y = np.meshgrid(np.linspace(-1, 1, 17, dtype=np.float32), np.linspace(-0.8, 1.4, 19, dtype=np.float32))
_LEFT, _RIGHT = (np.hypot(_X - x, _Y) < 0.19 for x in (-0.5, 0.5))
_CHEEKS = tuple(np.hypot(_X - x, _Y - 0.55) < 0.2 for x in (-0.5, 0.5))
_BRIDGE = (np.abs(_X) < 0.15) & (np.abs(_Y) < 0.18)
_FOREHEAD = (np.abs(_X) < 0.5) & (np.abs(_Y + 0.6) < 0.15)
_TEMPLES = (np.abs(np.abs(_X) - 0.85) < 0.13) & (np.abs(_Y) < 0.15)
_MOUTH = (np.abs(_X) < 0.25) & (np.abs(_Y - 1.05) < 0.25)
_WEIGHTS = np.array([3.7, -2.7, 1.3, 0.95, 1.15, -0.8, -1.8, 1.4, 4.0, -15.0, -13.0])
_OFFSET = -2.8
_ROUND = np.column_stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)])


@dataclass(frozen=True)
class Eyes:
    """middle (u, v) between the eyes, their distance, and the row of the mouth, px of the raster; score: how sure."""

    u: float
    v: float
    distance: float
    mouth: float
    score: float


def find_eyes(grey: FloatImage, room: FloatImage, size: float, top_share: float = 0.0) -> Eyes | None:
    """The pair of eyes in a picture (h, w) float32 0..255 of the shape, as its raster; None without a likely one.

    top_share: the part of the height that shows the thing's top side.
    """
    rows = np.flatnonzero((room > 0).any(1))
    top, height = float(rows[0]), float(rows[-1] - rows[0])
    discs = np.concatenate([_discs(grey, room, share * size) for share in RADII])
    discs = discs[(discs[:, 1] > top + top_share * height) & (discs[:, 1] < top + LOWEST * height)]
    left, right = _pairs(discs, room, size)
    if not len(left):
        return None
    greys = tuple(cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in SOFT)
    scores = _scores(greys, room, left, right, size)
    best = int(np.argmax(scores))
    if scores[best] < SURE:
        return None
    (u, v), distance = 0.5 * (left[best, :2] + right[best, :2]), float(np.hypot(*(right - left)[best, :2]))
    return Eyes(float(u), float(v), distance, _mouth(greys[1], float(u), float(v), distance), float(scores[best]))


def _discs(grey: FloatImage, room: FloatImage, radius: float) -> Array:
    """(n, 4) u, v, radius, contrast of dark discs of about this radius."""
    if radius > COARSE:
        small = cv2.resize(grey, (grey.shape[1] // 2, grey.shape[0] // 2), interpolation=cv2.INTER_AREA)
        half = cv2.resize(room, small.shape[1::-1], interpolation=cv2.INTER_AREA) / 2
        return _discs(small, np.asarray(half, np.float32), radius / 2) * [2, 2, 2, 1] + [0.5, 0.5, 0, 0]
    around = int(np.ceil(1.9 * radius))
    y, x = np.mgrid[-around : around + 1, -around : around + 1]
    r = np.hypot(x, y)
    core, ring = (r <= radius).astype(np.float32), ((r > 1.25 * radius) & (r <= 1.9 * radius)).astype(np.float32)
    contrast = cv2.filter2D(grey, cv2.CV_32F, ring / ring.sum() - core / core.sum())
    contrast[room < 1.2 * radius] = 0
    peak = (contrast >= cv2.dilate(contrast, np.ones((2 * around // 2 * 2 + 1,) * 2, np.uint8))) & (contrast > CONTRAST)
    v, u = np.nonzero(peak)
    strongest = np.argsort(-contrast[v, u], kind="stable")[:MOST]
    if not len(strongest):
        return np.zeros((0, 4))
    found = np.column_stack([u[strongest], v[strongest], np.full(len(strongest), radius), contrast[v, u][strongest]])
    found = found.astype(float)
    around_it = found[:, None, :2] + 1.6 * radius * _ROUND
    soft = cv2.GaussianBlur(grey, (0, 0), 0.5 * radius)  # strokes do not matter
    lighter = (
        sample(soft, around_it.reshape(-1, 2)).reshape(-1, 8) - sample(soft, found[:, :2])[:, None] > SIDE * CONTRAST
    )
    return np.asarray(found[lighter.sum(1) >= SIDES])  # else it is the edge of something


def _pairs(discs: Array, room: FloatImage, size: float) -> tuple[Array, Array]:
    """Discs (n, 4) on the left and right that can be eyes of a pair: alike in size, level, neither too near nor too far."""
    i, j = np.triu_indices(len(discs), 1)
    swap = discs[i, 0] > discs[j, 0]
    left, right = discs[np.where(swap, j, i)], discs[np.where(swap, i, j)]
    apart = np.hypot(right[:, 0] - left[:, 0], right[:, 1] - left[:, 1])
    radius = 0.5 * (left[:, 2] + right[:, 2])
    likely = (np.maximum(left[:, 2], right[:, 2]) < 1.6 * np.minimum(left[:, 2], right[:, 2])) & (
        np.abs(left[:, 1] - right[:, 1]) < 0.3 * apart
    )
    likely &= (apart > 2.4 * radius) & (apart < 10 * radius) & (apart > 0.05 * size) & (apart < 0.62 * size)
    middle = np.round(0.5 * (left + right)[:, :2]).astype(int)
    likely &= room[middle[:, 1], middle[:, 0]] > 0.3 * apart
    return left[likely], right[likely]


def _scores(greys: tuple[FloatImage, ...], room: FloatImage, left: Array, right: Array, size: float) -> Array:
    """(n,) how much pairs look like the eyes of a face."""
    middle, across = 0.5 * (left + right)[:, :2], (right - left)[:, :2]
    apart = np.hypot(*across.T)
    start, stop = _runs(room > 0, np.round(middle).astype(int))
    wide = (stop - start).astype(float)
    patch = _patches(greys, middle, across, apart)
    deviation = patch.std((1, 2)) + 3
    light = (patch - patch.mean((1, 2))[:, None, None]) / deviation[:, None, None]
    dark = np.maximum(*(light[:, eye].mean(1) for eye in (_LEFT, _RIGHT)))
    eyes = light[:, _LEFT | _RIGHT].mean(1)
    cheeks = [light[:, cheek].mean(1) for cheek in _CHEEKS]
    features = [
        _mirrored(patch - _softened(patch)),
        _mirrored(patch),
        light[:, _BRIDGE].mean(1) - dark,
        np.minimum(cheeks[0] - light[:, _LEFT].mean(1), cheeks[1] - light[:, _RIGHT].mean(1)),
        light[:, _FOREHEAD].mean(1) - eyes,
        light[:, _MOUTH].mean(1) - 0.5 * (cheeks[0] + cheeks[1]),
        light[:, _TEMPLES].mean(1) - eyes,
        deviation / 60,
        np.maximum(apart / size, 0.8 * apart / np.maximum(wide, 1)),  # a head may be a small part of the whole
        np.abs(middle[:, 0] - 0.5 * (start + stop)) / np.maximum(wide, 1),
        0.5 * (left + right)[:, 2] / apart,
    ]
    fits = (wide > WIDE * apart) & ((apart > NEAR * size) | (apart > NARROW * wide))
    stark = np.clip(np.minimum(left[:, 3], right[:, 3]) - STARK, 0, 50) / 50  # pupils in their white, as they are drawn
    return np.where(fits, np.round(np.column_stack(features) @ _WEIGHTS + _OFFSET + 10 * stark, 3), -np.inf)


def _patches(greys: tuple[FloatImage, ...], middle: Array, across: Array, apart: Array) -> FloatImage:
    """(n, 19, 17) the picture around pairs, turned level, as soft as its samples are apart."""
    out = np.empty((len(middle), *_X.shape), np.float32)
    level = np.abs(np.log(np.array(SOFT) / (0.08 * apart[:, None]))).argmin(1)
    (au, av), (mu, mv) = across.T[:, :, None, None].astype(np.float32), middle.T[:, :, None, None].astype(np.float32)
    u, v = mu + au * _X - av * _Y, mv + av * _X + au * _Y
    for k, grey in enumerate(greys):
        own = np.flatnonzero(level == k)
        if len(own):
            flat = (len(own) * _X.shape[0], _X.shape[1])
            seen = cv2.remap(
                grey, u[own].reshape(flat), v[own].reshape(flat), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            out[own] = seen.reshape(-1, *_X.shape)
    return out


def _blur(n: int, sigma: float) -> FloatImage:
    """(n, n) that blurs n samples from the left."""
    k = np.arange(n)
    weight = np.exp(-0.5 * ((k[:, None] - k) / sigma) ** 2)
    return np.asarray(weight / weight.sum(1, keepdims=True), np.float32)


_DOWN, _ACROSS = _blur(_X.shape[0], 3.4), _blur(_X.shape[1], 3.4)


def _softened(patch: FloatImage) -> FloatImage:
    """Patches (n, h, w) without what is finer than a third of the eyes' distance."""
    return np.asarray(_DOWN @ patch @ _ACROSS.T)


def _mirrored(patch: FloatImage) -> Array:
    """(n,) correlation of patches (n, h, w) with their mirror image."""
    a = patch - patch.mean((1, 2), keepdims=True)
    return np.asarray((a * a[:, :, ::-1]).sum((1, 2)) / np.maximum((a * a).sum((1, 2)), 1e-6), float)


def _runs(solid: NDArray[np.bool_], at: Ints) -> tuple[Ints, Ints]:
    """(n,) first and last columns of the runs of True around pixels (n, 2) u, v."""
    width = solid.shape[1]
    column = np.arange(width)
    rows = solid[at[:, 1]]
    start = np.where(~rows & (column <= at[:, :1]), column, -1).max(1) + 1
    stop = np.where(~rows & (column >= at[:, :1]), column, width).min(1) - 1
    return start, stop


def _mouth(grey: FloatImage, u: float, v: float, distance: float) -> float:
    """The row under the eyes where the picture changes most from row to row: lips, the line of a smile, a snout."""
    near, far = (round(v + share * distance) for share in MOUTH)
    left, right = (round(u + side * 0.28 * distance) for side in (-1, 1))
    part = grey[near : far + 2, max(left, 0) : right + 1]
    if min(part.shape) < 3:
        return v + distance
    edges = np.abs(np.diff(part, axis=0)).mean(1)[:, None]
    edges = cv2.GaussianBlur(edges.astype(np.float32), (0, 0), max(0.07 * distance, 0.5)).ravel()
    return float(near + int(np.argmax(edges)))
