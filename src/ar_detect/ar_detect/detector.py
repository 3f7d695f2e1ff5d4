"""One picture in, boxes of the objects in it out, ranked by how worthwhile it is to awaken them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box, iou_matrix
from ar_core.boxes import prominence as box_prominence
from ar_core.model_card import ModelError, read_card
from ar_core.networks import Network, fitted

Picture = NDArray[np.uint8]

GROUP_SCORE = 0.7
"""A box that holds others, apart from each other and at least so sure in comparison, is dropped for them."""

MOST_INSIDE = 0.85
"""A box of which more lies in a better one is a part of that object."""


@dataclass(frozen=True)
class Detection:
    """`box` in pixels of the picture, `score` 0-1: that it is an object; `kind`: object or face."""

    box: Box
    score: float
    kind: str = "object"


class Detector:
    """The network of a model card, asked for the objects, or whatever `kind` it finds, of one picture."""

    def __init__(
        self,
        card: Path,
        threads: int = 1,
        cache: Path | None = None,
        least_score: float = 0.3,
        most: int = 32,
        kind: str = "object",
    ) -> None:
        self.network = Network(read_card(card), threads, cache)
        if self.network.card.decoding != "boxes_ltrb":
            raise ModelError(
                f"model card {card}: decoding '{self.network.card.decoding}' is not a detector's (boxes_ltrb)"
            )
        self.least_score, self.most, self.kind = least_score, most, kind

    def __call__(self, picture: Picture) -> list[Detection]:
        """`picture (H, W, 3) bgr8` → what is found, the most prominent first."""
        h, w = picture.shape[:2]
        card = self.network.card
        grid = self.network(fitted(picture, card))["boxes"]
        found = decoded(grid, card.width / grid.shape[2], self.least_score)[: self.most]
        scale = np.array([w / card.width, h / card.height] * 2)
        detections = [Detection(Box(*row[:4] * scale).clipped(w, h), float(row[4]), self.kind) for row in found]
        return ranked([d for d in detections if d.box.area > 0], w, h)


def decoded(
    grid: NDArray[np.float32], stride: float, least_score: float, least_iou: float = 0.5
) -> NDArray[np.float64]:
    """Boxes of a grid of predictions; of those that overlap, or lie in one another, the best (greedy suppression).

    `grid (5 or 6, rows, columns)`: objectness[, quality], then the distances left, top, right, bottom from the cell's
    centre in input pixels; `stride`: a cell's size in input pixels.
    Returns `(n, 5)` x, y, width, height, score, best first.
    """
    *scores, left, top, right, bottom = np.asarray(grid, np.float64)
    score = scores[0] if len(scores) == 1 else np.sqrt(scores[0] * scores[1])
    rows, columns = np.nonzero(score >= least_score)
    if len(rows) == 0:
        return np.zeros((0, 5))
    at = (rows, columns)
    x, y = (columns + 0.5) * stride, (rows + 0.5) * stride
    found = np.column_stack([x - left[at], y - top[at], left[at] + right[at], top[at] + bottom[at], score[at]])
    found = found[np.argsort(-found[:, 4], kind="stable")][:200]
    overlap, part = iou_matrix(found[:, :4], found[:, :4]), _inside(found[:, :4])
    keep: list[int] = []
    for k in range(len(found)):
        if all(overlap[k, j] < least_iou for j in keep):
            keep.append(k)
    keep = [k for k in keep if not _is_group(k, keep, found[:, 4], overlap, part)]
    single: list[int] = []
    for k in keep:
        if all(part[k, j] < MOST_INSIDE for j in single):
            single.append(k)
    return np.asarray(found[single])


def _is_group(
    k: int, boxes: list[int], score: NDArray[np.float64], overlap: NDArray[np.float64], part: NDArray[np.float64]
) -> bool:
    """Does box `k` hold two or more others that lie apart and are nearly as sure? Then it is a table, not a thing."""
    held = [j for j in boxes if j != k and part[j, k] > MOST_INSIDE and score[j] > GROUP_SCORE * score[k]]
    return any(overlap[i, j] < 0.02 for i in held for j in held if i < j)


def _inside(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(n, n)`: the part of box i's area that lies in box j."""
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    sides = np.minimum(high[:, None], high[None]) - np.maximum(low[:, None], low[None])
    return np.asarray(np.prod(np.clip(sides, 0, None), 2) / np.maximum(np.prod(boxes[:, 2:], 1), 1e-9)[:, None])


def prominence(detection: Detection, width: int, height: int) -> float:
    """How awakenable: sure to be an object, and prominent in the picture; 0 to 1."""
    return detection.score * box_prominence(detection.box, width, height)


def ranked(detections: list[Detection], width: int, height: int) -> list[Detection]:
    """Most prominent first; of equals the one further left, then further up."""
    return sorted(detections, key=lambda d: (-round(prominence(d, width, height), 6), d.box.x, d.box.y))
