"""Whether the camera stands, whatever moves in front of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_slam.flow import Grey, Pixels
from ar_slam.pose import Mask

CELLS = (16, 12)  # columns, rows


def is_still(still: Mask, uv: Pixels, shape: tuple[int, ...]) -> bool:
    """Whether the tracks that did not move (mask (n,) of uv (n, 2)) are so many and so spread that the camera stands.

    A third is enough: a camera that moves leaves none where it was, and things may move in front of one that stands.
    """
    if still.sum() < max(12, 0.3 * len(uv)):
        return False
    return bool(cv2.contourArea(cv2.convexHull(uv[still])) > 0.12 * shape[0] * shape[1])


class Background:
    """The weak texture behind the corners: in which parts of the picture it is where it was in a reference picture."""

    def __init__(self, reference: Grey) -> None:
        self._small = _small(reference)
        gx, gy = cv2.Sobel(self._small, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(self._small, cv2.CV_32F, 0, 1) / 8
        self._slope = _cells(np.hypot(gx, gy))

    def stands(self, grey: Grey) -> bool:
        """Whether a sixth of the parts that show anything have moved by less than about a pixel.

        The difference of the pictures, less that of their brightness, over their slope is a shift in pixels. After a motion
        of three pixels of the camera, no more than a twentieth of the parts look unmoved.
        """
        difference = _small(grey) - self._small
        mean = cv2.resize(_cells(difference), difference.shape[::-1], interpolation=cv2.INTER_LINEAR)
        shift = _cells(np.abs(difference - mean)) / np.maximum(self._slope, 1e-6)
        telling = self._slope > 1.0
        return bool(telling.sum() >= 20 and (shift[telling] < 0.35).mean() > 0.16)


def _small(grey: Grey) -> NDArray[np.float32]:
    w, h = CELLS[0] * 20, CELLS[1] * 20
    return cv2.GaussianBlur(cv2.resize(grey, (w, h), interpolation=cv2.INTER_AREA), (0, 0), 1.2).astype(np.float32)


def _cells(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means over the cells, (rows, columns)."""
    return np.asarray(cv2.resize(values, CELLS, interpolation=cv2.INTER_AREA), np.float32)
