"""Pictures as the SLAM wants them: of the calibration's size, without the lens's distortion, with something to see."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from ar_core.geometry import Intrinsics
from ar_slam.flow import Grey


class Rectifier:
    """Checks pictures of a camera and takes the lens distortion out."""

    def __init__(self, intrinsics: Intrinsics) -> None:
        self.size = (intrinsics.width, intrinsics.height)
        self._maps: tuple[Any, Any] | None = None
        if intrinsics.bends:  # for each pixel of a pinhole camera, where the lens has put it
            y, x = np.mgrid[: intrinsics.height, : intrinsics.width].reshape(2, -1)
            u, v = intrinsics.project(intrinsics.pinhole.rays(np.column_stack([x, y]))).astype(np.float32).T
            shape = self.size[::-1]
            self._maps = cv2.convertMaps(u.reshape(shape), v.reshape(shape), cv2.CV_16SC2)

    def __call__(self, grey: Grey) -> Grey:
        """The picture (H, W) uint8 as a pinhole camera would have taken it; ValueError for what is no picture of the camera."""
        if not isinstance(grey, np.ndarray) or grey.dtype != np.uint8 or grey.ndim != 2:
            shape = getattr(grey, "shape", None)
            raise ValueError(
                f"slam: the picture is {getattr(grey, 'dtype', type(grey))} {shape}; (H, W) uint8 grey is needed"
            )
        if grey.shape != (self.size[1], self.size[0]):
            raise ValueError(
                f"slam: the picture is {grey.shape[1]}x{grey.shape[0]}, its calibration {self.size[0]}x{self.size[1]}"
            )
        if self._maps is not None:
            return np.asarray(cv2.remap(grey, *self._maps, cv2.INTER_LINEAR), np.uint8)
        return np.ascontiguousarray(grey)


def picture_fault(grey: Grey) -> str:
    """What makes a picture (H, W) useless, in words, or an empty string."""
    level, spread = (float(v[0, 0]) for v in cv2.meanStdDev(np.ascontiguousarray(grey[::8, ::8])))
    if level < 24 and spread < 8:
        return "too dark: is the lens covered?"
    if spread < 3:
        return "the picture is blank"
    return ""
