"""The prompt plane: how a box, a tap or an earlier mask is told to the network, as its fourth input channel.

The networks are trained with exactly these drawings (`training/samples.py` imports them).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box

Plane = NDArray[np.uint8]

BOX_VALUE = 96
"""A box is a filled rectangle of this value; a tap's Gaussian and a mask reach 255: the network can tell them apart."""

TAP_SIGMA = 0.05
"""Of the plane's side: about a fingertip."""


def box_plane(height: int, width: int, box: Box) -> Plane:
    """A filled rectangle in a `(height, width) uint8` plane, `box` in its pixels."""
    plane = np.zeros((height, width), np.uint8)
    x0, y0 = round(box.x), round(box.y)
    cv2.rectangle(plane, (x0, y0), (round(box.x + box.width), round(box.y + box.height)), BOX_VALUE, -1)
    return plane


def tap_plane(height: int, width: int, x: float, y: float, spread: float = 1.0) -> Plane:
    """A Gaussian around the pixel `x, y`."""
    columns = np.exp(-(((np.arange(width, dtype=np.float32) - x) / (spread * TAP_SIGMA * width)) ** 2) / 2)
    rows = np.exp(-(((np.arange(height, dtype=np.float32) - y) / (spread * TAP_SIGMA * height)) ** 2) / 2)
    return np.outer(rows, 255 * columns).astype(np.uint8)
