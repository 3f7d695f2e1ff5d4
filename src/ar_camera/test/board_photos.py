"""Photographs of a board by a camera that is exactly known."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from ar_core.geometry import Intrinsics

TRUE = Intrinsics(541.0, 548.0, 327.5, 231.0, 640, 480, (-0.21, 0.07, 0.0012, -0.0008, 0.0))
SQUARE = 160  # pixels of the drawing


@cache
def all_rays(camera: Intrinsics) -> np.ndarray:
    y, x = np.mgrid[0 : camera.height, 0 : camera.width].reshape(2, -1).astype(np.float64)
    return camera.rays(np.column_stack([x, y]))


def photograph(drawing: np.ndarray, R: np.ndarray, t: np.ndarray, camera: Intrinsics = TRUE) -> np.ndarray:
    """What the camera sees of a drawing (H, W) on z = 0, one unit a square, its middle at t (3,) in front of it."""
    ss = 2  # rendered at twice the size
    big = camera.scaled(ss * camera.width, ss * camera.height)
    d = all_rays(big) @ R
    origin = -R.T @ t
    s = -origin[2] / d[:, 2]
    at = (origin + s[:, None] * d)[:, :2] * SQUARE + (np.array(drawing.shape[::-1]) - 1) / 2
    maps = at.astype(np.float32).reshape(big.height, big.width, 2)
    picture = cv2.remap(cv2.GaussianBlur(drawing, (0, 0), 1.0), maps, None, cv2.INTER_LINEAR, borderValue=140)
    return cv2.resize(picture, (camera.width, camera.height), interpolation=cv2.INTER_AREA)
