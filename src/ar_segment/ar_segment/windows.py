"""Windows: the part of a picture that the network looks at, squashed to its size, and the way back."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box

Picture = NDArray[np.uint8]


def whole(picture: Picture) -> Box:
    return Box(0.0, 0.0, float(picture.shape[1]), float(picture.shape[0]))


def around(box: Box, factor: float, least: float = 24.0, square: float = 0.5) -> Box:
    """A window of whole pixels around `box`, grown by `factor`, its shorter side at least `square` of the longer."""
    grown = box.grown(factor)
    longer = max(grown.width, grown.height, least)
    w, h = max(grown.width, square * longer), max(grown.height, square * longer)
    cx, cy = box.centre
    x0, y0 = round(cx - w / 2), round(cy - h / 2)
    return Box(float(x0), float(y0), float(round(w)), float(round(h)))


def look(picture: Picture, window: Box, width: int, height: int) -> Picture:
    """`picture (H, W[, C]) uint8` inside `window` (whole pixels), squashed to `height x width`; edges are continued."""
    x0, y0, w, h = (round(v) for v in window)
    rows, columns = picture.shape[:2]
    left, top = max(0, -x0), max(0, -y0)
    right, bottom = max(0, x0 + w - columns), max(0, y0 + h - rows)
    part = picture[max(0, y0) : y0 + h, max(0, x0) : x0 + w]
    if part.size == 0:
        return np.zeros((height, width, *picture.shape[2:]), np.uint8)
    if left or top or right or bottom:
        part = np.asarray(cv2.copyMakeBorder(part, top, bottom, left, right, cv2.BORDER_REPLICATE), np.uint8)
    interpolation = cv2.INTER_AREA if w * h > width * height else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (width, height), interpolation=interpolation))


def put_back(mask: Picture, window: Box, height: int, width: int) -> Picture:
    """A window's mask `(window.height, window.width) uint8` in an otherwise empty `(height, width)` one."""
    out = np.zeros((height, width), np.uint8)
    x0, y0 = round(window.x), round(window.y)
    h, w = mask.shape
    left, top = max(0, -x0), max(0, -y0)
    right, bottom = min(w, width - x0), min(h, height - y0)
    if right > left and bottom > top:
        out[y0 + top : y0 + bottom, x0 + left : x0 + right] = mask[top:bottom, left:right]
    return out
