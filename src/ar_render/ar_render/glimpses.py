"""Pictures that are kept for what they show around an object: no more of them than that, and no finer than it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .plane_view import View

Array = NDArray[Any]
_MARGIN = 8  # pixels: a mask is grown, a lens bends


@dataclass(frozen=True)
class Glimpse:
    """A picture (H, W, 3) uint8 with the object where mask (H, W) uint8 is."""

    picture: Array
    mask: Array
    view: View
    stamp: int


def reduced(glimpse: Glimpse, box: Array, scale: float) -> Glimpse:
    """The part of a picture that shows a box with corners (n, 3) of map, made smaller to ``scale`` of its size; nothing of the
    whole picture is kept. All of it where the box reaches behind the camera."""
    k, (h, w) = glimpse.view.intrinsics, glimpse.mask.shape
    uv = k.project(box, glimpse.view.T_map_camera)
    uv = uv if np.isfinite(uv).all() else np.array([[0, 0], [w, h]])
    x0, y0 = np.clip(np.floor(uv.min(0)) - _MARGIN, 0, [w - 1, h - 1]).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(uv.max(0)) + _MARGIN, [x0 + 1, y0 + 1], [w, h]).astype(int).tolist()
    size = (max(1, round((x1 - x0) * min(scale, 1.0))), max(1, round((y1 - y0) * min(scale, 1.0))))
    small = replace(k, cx=k.cx - x0, cy=k.cy - y0, width=x1 - x0, height=y1 - y0).scaled(*size)
    picture, mask = (
        cut.copy() if cut.shape[1::-1] == size else cv2.resize(cut, size, interpolation=cv2.INTER_AREA)
        for cut in (glimpse.picture[y0:y1, x0:x1], glimpse.mask[y0:y1, x0:x1])
    )
    return Glimpse(picture, mask, replace(glimpse.view, intrinsics=small), glimpse.stamp)
