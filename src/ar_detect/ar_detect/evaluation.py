"""How good boxes are against the truth: recall, false boxes, ids that change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ar_core.boxes import Box, iou_matrix

LEAST_IOU = 0.5
"""A box that overlaps as much with the true one has found it."""

MOST_LABELS = 32
"""A mask of more values is soft: one object, where it is over 127."""


def labelled_boxes(mask: NDArray[np.uint8]) -> dict[int, Box]:
    """The objects of a mask by label, and the box around each.

    `mask (H, W)`: labels 1, 2, ..., or black and white (255), or soft edges; `(H, W, 3 or 4)`: a colour per object.
    A label without a solid patch of 3 x 3 pixels is the seam between two others.
    """
    if mask.ndim == 3:
        bgr = mask[..., :3].astype(np.uint32)
        values = bgr[..., 0] + 256 * bgr[..., 1] + 65536 * bgr[..., 2]
        if mask.shape[2] == 4:
            values = values * (mask[..., 3] > 127)
    else:
        values = mask.astype(np.uint32)
    labels = np.unique(values[values > 0])
    if len(labels) > MOST_LABELS:
        grey = mask if mask.ndim == 2 else mask[..., :3].max(2)
        return _boxes({255: (grey > 127).astype(np.uint8)})
    return _boxes({int(label): (values == label).astype(np.uint8) for label in labels})


def _boxes(masks: dict[int, NDArray[np.uint8]]) -> dict[int, Box]:
    solid = {k: m for k, m in masks.items() if cv2.erode(m, np.ones((3, 3), np.uint8), borderValue=1).any()}
    return {label: Box(*(float(v) for v in cv2.boundingRect(mask))) for label, mask in solid.items()}


@dataclass
class Tally:
    """Counts frame by frame: `add` what is there and what was said to be there."""

    frames: int = 0
    true: int = 0
    found: int = 0
    false: int = 0
    objects: set[int] = field(default_factory=set)
    switches: int = 0
    _ids: dict[int, str] = field(default_factory=dict)

    def add(self, truth: dict[int, Box], said: Sequence[tuple[str, Box]]) -> dict[int, str]:
        """One frame: true boxes by label, and `(id, box)` as detected → the id that each found label has in it."""
        self.frames += 1
        self.true += len(truth)
        self.objects |= truth.keys()
        labels = list(truth)
        matched: dict[int, str] = {}
        if truth and said:
            overlap = iou_matrix(np.array([truth[k] for k in labels]), np.array([box for _, box in said]))
            # Most boxes first, then the best fit: a pair under the limit is worth nothing.
            worth = np.where(overlap >= LEAST_IOU, 1 + overlap, 0.0)
            rows, columns = linear_sum_assignment(worth, maximize=True)
            matched = {labels[r]: said[c][0] for r, c in zip(rows, columns, strict=True) if worth[r, c] > 0}
        self.found += len(matched)
        self.false += len(said) - len(matched)
        self.switches += sum(self._ids.get(label, id_) != id_ for label, id_ in matched.items())
        self._ids.update(matched)
        return matched

    @property
    def recall(self) -> float | None:
        """Part of the true boxes that were found; None where there are none."""
        return self.found / self.true if self.true else None

    @property
    def false_per_frame(self) -> float:
        return self.false / max(1, self.frames)

    @property
    def id_switches(self) -> float | None:
        """How often an object's id changed, per object; None where there is no object."""
        return self.switches / len(self.objects) if self.objects else None


SMALL = (32, 24)
LEAST_ALIKE = 0.75


def alike(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> bool:
    """Do two pictures `(H, W, 3)` follow each other in a clip? Same size, and alike when they are made very small."""
    if a.shape != b.shape:
        return False
    small = [cv2.resize(p, SMALL, interpolation=cv2.INTER_AREA).astype(np.float64).ravel() for p in (a, b)]
    x, y = (s - s.mean() for s in small)
    spread = np.sqrt((x @ x) * (y @ y))
    return bool(x @ y >= LEAST_ALIKE * spread) if spread > 0 else bool(np.abs(small[0] - small[1]).max() < 8)
