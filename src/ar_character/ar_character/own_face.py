"""Eyes that a thing already has: two dark discs in something lighter, alike, level, with a face that mirrors around them.

A drawing, a doll, a mask or a picture of somebody gets its living eyes where it has its own. Nothing is learned here: discs
are found by the contrast of a core to the ring around it, over a few sizes; pairs of them are judged by symmetry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_character.mesh import Array
from ar_character.outline import FloatImage, sample

RADII = (0.014, 0.020, 0.028, 0.040, 0.056, 0.078)  # of discs, in sizes
MOST = 14  # discs of a size
CONTRAST, ALIKE, MIRRORED = 22.0, 0.45, 0.42  # least: levels, correlation of the eyes, of what is around them
SURE = 2.4  # least score
LOWEST = 0.64  # of the height: eyes are above
SOFT = (0.5, 1.0, 2.0, 4.0, 8.0)  # px: how much a picture is softened for patches whose samples are about as far apart
MOUTH = (0.5, 1.3)  # how far under the eyes, in their distance


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
    solid = room > 0
    rows = np.flatnonzero(solid.any(1))
    top, height = float(rows[0]), float(rows[-1] - rows[0])
    greys = tuple(cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in SOFT)
    discs = np.concatenate([_discs(grey, room, share * size) for share in RADII])
    discs = discs[(discs[:, 1] > top + top_share * height) & (discs[:, 1] < top + LOWEST * height)]
    best: Eyes | None = None
    for i, j in zip(*np.triu_indices(len(discs), 1), strict=True):
        found = _pair(greys, solid, room, discs[i], discs[j], size)
        if found is not None and (best is None or found.score > best.score):
            best = found
    if best is None or best.score < SURE:
        return None
    return replace(best, mouth=_mouth(greys[1], best))


def _discs(grey: FloatImage, room: FloatImage, radius: float) -> Array:
    """(n, 4) u, v, radius, contrast of dark discs of about this radius."""
    around = int(np.ceil(1.9 * radius))
    y, x = np.mgrid[-around : around + 1, -around : around + 1]
    r = np.hypot(x, y)
    core, ring = (r <= radius).astype(np.float32), ((r > 1.25 * radius) & (r <= 1.9 * radius)).astype(np.float32)
    contrast = cv2.filter2D(grey, cv2.CV_32F, ring / ring.sum() - core / core.sum())
    contrast[room < 1.2 * radius] = 0
    peak = (contrast >= cv2.dilate(contrast, np.ones((2 * around // 2 * 2 + 1,) * 2, np.uint8))) & (contrast > CONTRAST)
    v, u = np.nonzero(peak)
    strongest = np.argsort(-contrast[v, u], kind="stable")[:MOST]
    v, u = v[strongest], u[strongest]
    return np.column_stack([u, v, np.full(len(u), radius), contrast[v, u]]).astype(float)


def _pair(
    greys: tuple[FloatImage, ...], solid: NDArray[np.bool_], room: FloatImage, a: Array, b: Array, size: float
) -> Eyes | None:
    """Two discs as eyes, if they can be."""
    apart = float(abs(a[0] - b[0]))
    radius = 0.5 * float(a[2] + b[2])
    if max(a[2], b[2]) > 1.5 * min(a[2], b[2]) or abs(a[1] - b[1]) > 0.22 * apart:
        return None
    if not (2.6 * radius < apart < 10 * radius and 0.15 * size < apart < 0.62 * size):
        return None
    u, v = 0.5 * float(a[0] + b[0]), 0.5 * float(a[1] + b[1])
    if float(sample(room, np.array([[u, v]]))[0]) < 0.4 * apart:
        return None
    run = _run(solid[round(v)], round(u))
    aside = abs(u - 0.5 * (run[0] + run[1])) / max(run[1] - run[0], 1)
    if aside > 0.22:
        return None
    left, right = sorted((a, b), key=lambda disc: float(disc[0]))
    alike = _correlation(
        _patch(greys, left, 2.2 * radius, 2.2 * radius), _patch(greys, right, 2.2 * radius, 2.2 * radius)[:, ::-1]
    )
    if alike < ALIKE:
        return None
    face = _patch(greys, np.array([u, v]), 0.95 * apart, 0.7 * apart)
    mirrored = _correlation(face, face[:, ::-1])
    if mirrored < MIRRORED:
        return None
    contrast = min(a[3], b[3])
    score = alike + mirrored + 0.010 * min(contrast, 80) + 1.2 * min(apart / size, 0.45) - 2.0 * aside
    return Eyes(u, v, apart, v + apart, float(score))


def _mouth(grey: FloatImage, eyes: Eyes) -> float:
    """The row under the eyes where the picture changes most from row to row: lips, the line of a smile, a snout."""
    near, far = (round(eyes.v + share * eyes.distance) for share in MOUTH)
    left, right = (round(eyes.u + side * 0.28 * eyes.distance) for side in (-1, 1))
    part = grey[near : far + 2, max(left, 0) : right + 1]
    if min(part.shape) < 3:
        return eyes.v + eyes.distance
    edges = np.abs(np.diff(part, axis=0)).mean(1)[:, None]
    edges = cv2.GaussianBlur(edges.astype(np.float32), (0, 0), max(0.07 * eyes.distance, 0.5)).ravel()
    return float(near + int(np.argmax(edges)))


def _patch(greys: tuple[FloatImage, ...], centre: Array, half_width: float, half_height: float) -> FloatImage:
    """17 x 17 samples of a box around a point, of the picture that is as soft as they are apart: strokes do not matter."""
    grey = greys[int(np.argmin(np.abs(np.log(np.array(SOFT) / (0.1 * max(half_width, half_height))))))]
    n = np.linspace(-1, 1, 17, dtype=np.float32)
    u, v = np.meshgrid(
        np.float32(centre[0]) + n * np.float32(half_width), np.float32(centre[1]) + n * np.float32(half_height)
    )
    return np.asarray(cv2.remap(grey, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _correlation(a: FloatImage, b: FloatImage) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-6))


def _run(row: NDArray[np.bool_], u: int) -> tuple[int, int]:
    """Ends of the run of True around a column."""
    outside = np.flatnonzero(~row)
    return int(max(outside[outside <= u], default=-1)) + 1, int(min(outside[outside >= u], default=len(row))) - 1
