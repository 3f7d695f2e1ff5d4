"""Why nothing can be seen in a picture, in words for whoever holds the camera."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

DARK, BRIGHT = 28, 240
"""Grey values: a picture is dark where nearly all is below the one, overexposed where nearly all is above the other."""

SHARP, LEAST_RANGE = 0.07, 40.0
"""The steepest places of a picture, at a width of 320, change by this part of its range of greys (taken as at least
LEAST_RANGE) per pixel."""


def unseeable(picture: NDArray[np.uint8]) -> str:
    """What keeps objects from being seen in `picture (H, W, 3) bgr8`; empty when nothing does."""
    height, width = picture.shape[:2]
    size = (320, max(8, round(320 * height / width)))
    grey = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    low, high = np.percentile(grey, (1, 99))
    if high < DARK:
        return "the picture is dark: is the lens covered? more light helps"
    if low > BRIGHT:
        return "the picture is overexposed: less light helps"
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.0).astype(np.float32)
    steep = np.hypot(smooth[1:, :-1] - smooth[:-1, :-1], smooth[:-1, 1:] - smooth[:-1, :-1])
    if np.percentile(steep, 99.5) < SHARP * max(LEAST_RANGE, float(high) - float(low)):
        return "nothing in the picture is sharp: a bare surface, or out of focus, or moved too fast"
    return ""
