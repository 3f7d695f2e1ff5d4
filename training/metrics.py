"""How good boxes are; what is known about masks comes from `ar_tools.eval.masks_metrics`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import iou_matrix
from ar_tools.eval.masks_metrics import boundary_f, iou

__all__ = ["boundary_f", "iou", "match_boxes"]

Float = NDArray[np.float64]


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
