"""A small picture of an awakened object for its card on the page."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 160


def portrait(cutout: NDArray[np.uint8]) -> bytes:
    """PNG of at most ``SIDE`` pixels a side of a cut-out (H, W, 4) uint8 bgra, straight alpha; margins trimmed.

    Raises ValueError if nothing is in the cut-out.
    """
    rows, columns = (np.flatnonzero((cutout[..., 3] > 32).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        raise ValueError("cut-out: all of it is transparent")
    trimmed = cutout[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    trimmed[..., :3] *= trimmed[..., 3:] / 255  # resize with premultiplied alpha: no background shines in at the edge
    scale = min(1.0, SIDE / max(trimmed.shape[:2]))
    size = [max(1, round(n * scale)) for n in trimmed.shape[1::-1]]
    small = cv2.resize(trimmed, size, interpolation=cv2.INTER_AREA)
    small[..., :3] = small[..., :3] * 255 / np.maximum(small[..., 3:], 1)
    return cv2.imencode(".png", np.clip(np.rint(small), 0, 255).astype(np.uint8))[1].tobytes()


def thumbnail(picture: bytes | NDArray[np.uint8]) -> bytes:
    """JPEG, ``SIDE`` pixels wide, of a picture (encoded, or (H, W, 3) uint8 bgr8); empty if it cannot be decoded."""
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR) if isinstance(picture, bytes) else picture
    if image is None:
        return b""
    size = (SIDE, max(1, round(SIDE * image.shape[0] / image.shape[1])))
    return cv2.imencode(".jpg", cv2.resize(image, size, interpolation=cv2.INTER_AREA))[1].tobytes()
