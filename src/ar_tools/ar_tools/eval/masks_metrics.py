"""How good a mask is, by the field's usual figures."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
Inside = NDArray[np.bool_]
Float = NDArray[np.float64]

BETA2 = 0.3
TOLERANCE = 0.0075
"""Boundary pixels match within this part of the picture's diagonal."""


def iou(a: Inside, b: Inside) -> float:
    """Intersection over union of two `(H, W) bool`; two empty masks agree (1)."""
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


def precision_recall(soft: Mask, truth: Inside) -> tuple[Float, Float]:
    """`(256,)` each: of `soft > t` for t = 0..255 against `truth`."""
    right, all_ = _over(soft[truth]), _over(soft)
    return right / np.maximum(all_, 1.0), right / max(1, int(np.count_nonzero(truth)))


def _over(soft: Mask) -> Float:
    """`(256,)`: how many of the values are larger than 0..255."""
    counts = np.bincount(soft.ravel(), minlength=256).astype(np.float64)
    return np.asarray(counts.sum() - np.cumsum(counts), np.float64)


def boundary_f(mask: Inside, truth: Inside) -> float:
    """F1 of boundary pixels within `TOLERANCE` (Perazzi et al., CVPR 2016)."""
    radius = max(1, round(TOLERANCE * float(np.hypot(*mask.shape))))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    a, b = _boundary(mask), _boundary(truth)
    na, nb = np.count_nonzero(a), np.count_nonzero(b)
    if na == 0 or nb == 0:
        return float(na == nb)
    precision = np.count_nonzero(cv2.bitwise_and(a, cv2.dilate(b, disk))) / na
    recall = np.count_nonzero(cv2.bitwise_and(b, cv2.dilate(a, disk))) / nb
    return 2 * precision * recall / max(1e-9, precision + recall)


def _boundary(mask: Inside) -> Mask:
    m = mask.astype(np.uint8)
    inner = cv2.erode(m, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.subtract(m, inner), np.uint8)


def most_interior(inside: Inside) -> tuple[float, float]:
    """x, y of the pixel of `inside (H, W)` that is farthest from its edge; the picture's border is an edge."""
    padded = cv2.copyMakeBorder(inside.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    _, _, _, (x, y) = cv2.minMaxLoc(cv2.distanceTransform(padded, cv2.DIST_L2, 5))
    return float(x - 1), float(y - 1)


@dataclass(frozen=True)
class Figures:
    """Over `n` pictures: mean IoU at one half, the largest F of the mean precision and recall (β² = 0.3), mean absolute
    error, mean boundary F."""

    n: int
    mIoU: float  # noqa: N815  (the field's spelling)
    maxF: float  # noqa: N815
    MAE: float
    boundaryF: float  # noqa: N815


class Scores:
    """Collects predictions `(H, W) uint8` against truths `(H, W) bool`."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, float, float]] = []
        self._precision, self._recall = np.zeros(256), np.zeros(256)

    def add(self, soft: Mask, truth: Inside) -> float:
        """One picture more; its IoU."""
        overlap = iou(soft > 127, truth)
        error = float(np.mean(np.abs(soft.astype(np.float32) / 255 - truth)))
        self._rows.append((overlap, error, boundary_f(soft > 127, truth)))
        precision, recall = precision_recall(soft, truth)
        self._precision += precision
        self._recall += recall
        return overlap

    def figures(self) -> Figures:
        """Of what has been added; ValueError where that is nothing."""
        n = len(self._rows)
        if n == 0:
            raise ValueError("no picture has been compared")
        p, r = self._precision / n, self._recall / n
        f = (1 + BETA2) * p * r / np.maximum(1e-9, BETA2 * p + r)
        overlap, error, edges = (float(v) for v in np.mean(self._rows, 0))
        return Figures(n, *(round(v, 4) for v in (overlap, float(f.max()), error, edges)))
