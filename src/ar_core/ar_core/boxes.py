"""Axis-aligned boxes in pixels: x to the right, y down, the left and top edge, width and height."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray


class Box(NamedTuple):
    """`x, y` of the left top corner, `width`, `height`; fractions and boxes beyond the picture are allowed."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def area(self) -> float:
        return max(0.0, self.width) * max(0.0, self.height)

    def grown(self, factor: float) -> Box:
        """The same centre, sides times `factor`."""
        cx, cy = self.centre
        w, h = self.width * factor, self.height * factor
        return Box(cx - w / 2, cy - h / 2, w, h)

    def moved(self, dx: float, dy: float) -> Box:
        return Box(self.x + dx, self.y + dy, self.width, self.height)

    def clipped(self, width: float, height: float) -> Box:
        """The part inside a `width` x `height` picture; sides of 0 where there is none."""
        x0, y0 = min(max(self.x, 0.0), width), min(max(self.y, 0.0), height)
        x1, y1 = min(max(self.x + self.width, x0), width), min(max(self.y + self.height, y0), height)
        return Box(x0, y0, x1 - x0, y1 - y0)

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        w = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        h = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        inter = max(0.0, w) * max(0.0, h)
        union = self.area + other.area - inter
        return inter / union if union > 0 else 0.0


def box_of(mask: NDArray[np.uint8], threshold: int = 127) -> Box:
    """The smallest box around the pixels over `threshold` of a `(H, W) uint8` mask; all 0 when there are none."""
    return Box(*(float(v) for v in cv2.boundingRect((mask > threshold).astype(np.uint8))))


def iou_matrix(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(n, 4)` and `(m, 4)` boxes (x, y, width, height) → `(n, m)` intersection over union."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    inter = np.prod(np.clip(high - low, 0.0, None), axis=2)
    union = np.prod(a[:, None, 2:], axis=2) + np.prod(b[None, :, 2:], axis=2) - inter
    return np.asarray(inter / np.maximum(union, 1e-9), np.float64)


def prominence(box: Box, width: int, height: int) -> float:
    """0 to 1: large but not everything, near the middle, whole in the `width` x `height` picture."""
    part = np.sqrt(box.area / (width * height))
    size = float(np.interp(part, [0.03, 0.12, 0.3, 0.75, 0.95], [0.05, 0.5, 1.0, 0.9, 0.2]))
    cx, cy = box.centre
    off = np.hypot((cx - width / 2) / (width / 2), (cy - height / 2) / (height / 2))
    edge = 0.01 * max(width, height)
    cut = sum((box.x < edge, box.y < edge, box.x + box.width > width - edge, box.y + box.height > height - edge))
    return size * float(np.exp(-0.6 * off**2)) * (1.0, 0.5, 0.25, 0.1, 0.1)[cut]


def part_inside(box: Box, other: Box) -> float:
    """The part of `box`'s area that lies in `other`, 0 to 1."""
    w = min(box.x + box.width, other.x + other.width) - max(box.x, other.x)
    h = min(box.y + box.height, other.y + other.height) - max(box.y, other.y)
    return max(0.0, w) * max(0.0, h) / box.area if box.area > 0 else 0.0
