"""Is this mask an object to awaken? If not: why, in words for whoever tapped."""

from __future__ import annotations

import numpy as np

from ar_segment.segmenter import Segmentation

LEAST_OBJECTNESS = 0.5
LEAST_AREA = 0.0015
"""Of the picture: below that, a character would be a few blurred pixels."""

MOST_AREA = 0.8
MOST_DOUBT = 1.0


def why_not(found: Segmentation) -> str:
    """The reason against awakening what was found; empty when there is none."""
    height, width = found.mask.shape
    inside = found.mask > 127
    area = np.count_nonzero(inside) / inside.size
    if area == 0:
        return "nothing stands out here"
    if area < LEAST_AREA:
        return f"what is here is too small ({round(area * inside.size)} pixels): come closer"
    if area > MOST_AREA:
        return "this fills the whole picture: step back"
    if found.objectness < LEAST_OBJECTNESS:
        return "no object is seen here, only background"
    if found.doubt > MOST_DOUBT:
        return "it is not clear where the object ends"
    box, edge = found.box, 2
    cut = [box.x <= edge, box.y <= edge, box.x + box.width >= width - edge, box.y + box.height >= height - edge]
    if sum(cut) >= 3:
        return "the object is cut off on three sides of the picture: step back"
    return ""


def score(found: Segmentation) -> float:
    """0 to 1: how sure the network is of this object."""
    return float(found.objectness * max(0.0, 1 - found.doubt / 2))
