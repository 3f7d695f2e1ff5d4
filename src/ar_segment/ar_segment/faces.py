"""Faces: a network of their own cuts out the head, with its hair, in the middle of a window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box
from ar_segment.segmenter import Segmentation, Segmenter, finished
from ar_segment.windows import around

WINDOW = 1.5
"""The window is the face's box, this much larger: hair is around it. What the network was trained to see."""


class FaceSegmenter(Segmenter):
    """The network of a face card. It needs no prompt: the head in the middle of the window is meant."""

    def box(self, picture: NDArray[np.uint8], box: Box) -> Segmentation:
        """The head whose face is in `box` (picture pixels)."""
        return finished(picture, self.see(picture, around(box, WINDOW)), keep=box.centre)
