"""Faces: a network of their own cuts out the head, with its hair, in the middle of a window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box
from ar_segment.segmenter import CLOSE, Look, Segmentation, Segmenter, finished
from ar_segment.windows import around

Picture = NDArray[np.uint8]

WINDOW = 1.5
"""The window is the face's box, this much larger: hair is around it. What the network was trained to see."""


class FaceSegmenter(Segmenter):
    """The network of a face card. It needs no prompt: the head in the middle of the window is meant."""

    def box(self, picture: Picture, box: Box) -> Segmentation:
        """The head whose face is in `box` (picture pixels); looked at again from further away where its hair goes on."""
        seen = self.see(picture, around(box, WINDOW))
        if _goes_on(seen, picture):
            seen = self.see(picture, around(seen.box(box.centre), CLOSE))
        return replace(finished(picture, seen, keep=box.centre), doubt=_undecided(seen))


def _goes_on(seen: Look, picture: Picture) -> bool:
    """Does the mask run over an edge of the window, and the picture as well?"""
    height, width = picture.shape[:2]
    x, y, w, h = seen.window
    inside = seen.probability > 0.5
    edges = (
        (inside[0], y > 0),
        (inside[-1], y + h < height),
        (inside[:, 0], x > 0),
        (inside[:, -1], x + w < width),
    )
    return any(more and edge.mean() > 0.08 for edge, more in edges)


def _undecided(seen: Look) -> float:
    """The undecided part of the mask; that long hair leaves the window is no doubt."""
    p = seen.probability
    n = np.count_nonzero(p > 0.5)
    return np.count_nonzero((p > 0.1) & (p < 0.9)) / n if n > 0.01 * p.size else float("inf")
