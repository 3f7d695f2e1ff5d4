"""How good a mask is, by the field's usual figures."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import iou_matrix

Float = NDArray[np.float64]
Mask = NDArray[np.uint8]

BETA2 = 0.3
TOLERANCE = 0.0075
"""Boundary pixels match within this part of the picture's diagonal."""


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union; two empty masks agree (1)."""
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


def precision_recall(soft: Mask, truth: NDArray[np.bool_]) -> tuple[Float, Float]:
    """`(256,)` each: of `soft > t` for t = 0..255 against `truth`."""
    inside = np.cumsum(np.bincount(soft[truth], minlength=256)[::-1])[::-1].astype(np.float64)
    all_ = np.cumsum(np.bincount(soft.ravel(), minlength=256)[::-1])[::-1].astype(np.float64)
    inside, all_ = np.append(inside[1:], 0), np.append(all_[1:], 0)
    return inside / np.maximum(all_, 1), inside / max(1, np.count_nonzero(truth))


def boundary(mask: NDArray[np.bool_]) -> Mask:
    m = mask.astype(np.uint8)
    return m & ~cv2.erode(m, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)


def boundary_f(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """F1 of boundary pixels within `TOLERANCE` (Perazzi et al., CVPR 2016)."""
    radius = max(1, round(TOLERANCE * float(np.hypot(*mask.shape))))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    a, b = boundary(mask), boundary(truth)
    na, nb = np.count_nonzero(a), np.count_nonzero(b)
    if na == 0 or nb == 0:
        return float(na == nb)
    precision = np.count_nonzero(a & cv2.dilate(b, disk)) / na
    recall = np.count_nonzero(b & cv2.dilate(a, disk)) / nb
    return 2 * precision * recall / max(1e-9, precision + recall)


@dataclass(frozen=True)
class Figures:
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

    def add(self, soft: Mask, truth: NDArray[np.bool_]) -> float:
        overlap = iou(soft > 127, truth)
        error = float(np.mean(np.abs(soft.astype(np.float32) / 255 - truth)))
        self._rows.append((overlap, error, boundary_f(soft > 127, truth)))
        p, r = precision_recall(soft, truth)
        self._precision += p
        self._recall += r
        return overlap

    def figures(self) -> Figures:
        n = len(self._rows)
        p, r = self._precision / n, self._recall / n
        f = (1 + BETA2) * p * r / np.maximum(1e-9, BETA2 * p + r)
        mean = np.mean(self._rows, 0)
        return Figures(n, *(round(float(v), 4) for v in (mean[0], f.max(), mean[1], mean[2])))


def match_boxes(predicted: Float, truth: Float, least_iou: float = 0.5) -> int:
    """How many true boxes (x, y, width, height) are found, each by one predicted box; best-scored first."""
    if len(predicted) == 0 or len(truth) == 0:
        return 0
    overlap = iou_matrix(np.asarray(predicted, np.float64), np.asarray(truth, np.float64))
    hits = 0
    for row in overlap:
        k = int(np.argmax(row))
        if row[k] >= least_iou:
            hits += 1
            overlap[:, k] = -1
    return hits
