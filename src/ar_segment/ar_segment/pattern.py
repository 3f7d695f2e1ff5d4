"""Patterns: one of many equal checks, tiles or bricks is no object."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box

Picture = NDArray[np.uint8]

WIDTH = 200
"""The picture is compared with itself at this width."""

AROUND = 1.5
"""What is compared is the box with half as much around it."""

ALIKE = 0.8
TIMES = 8
"""Less of the same may be a set of cups."""


def repeated(picture: Picture, box: Box) -> bool:
    """Does what is in `box` (and close around it) occur at TIMES or more other places of `picture (H, W, 3) bgr8`?"""
    height, width = picture.shape[:2]
    scale = WIDTH / width
    small = cv2.resize(picture, (WIDTH, max(8, round(height * scale))), interpolation=cv2.INTER_AREA)
    x, y, w, h = (round(v * scale) for v in box.grown(AROUND).clipped(width, height))
    part = small[y : y + h, x : x + w]
    if min(part.shape[:2]) < 4 or part.std() < 4 or w > 0.6 * WIDTH:
        return False
    likeness = cv2.matchTemplate(small, part, cv2.TM_CCOEFF_NORMED)
    likeness[max(0, y - h // 2) : y + h // 2 + 1, max(0, x - w // 2) : x + w // 2 + 1] = 0
    for _ in range(TIMES):
        _, most, _, (column, row) = cv2.minMaxLoc(likeness)
        if most < ALIKE:
            return False
        likeness[max(0, row - h // 2) : row + h // 2 + 1, max(0, column - w // 2) : column + w // 2 + 1] = 0
    return True
