"""Mask → cut-out: the object alone, RGBA, its edge free of the background's colour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box, box_of
from ar_segment.segmenter import main_part

Picture = NDArray[np.uint8]

MARGIN = 0.06
"""Of the object's longer side, at least 4 pixels: transparent room around it."""


@dataclass(frozen=True)
class Cutout:
    """`rgba (h, w, 4) uint8`, straight alpha; `x, y` where its left top corner lies in the picture."""

    rgba: Picture
    x: int
    y: int

    @property
    def box(self) -> Box:
        return Box(float(self.x), float(self.y), float(self.rgba.shape[1]), float(self.rgba.shape[0]))


def cut_out(picture: Picture, mask: Picture) -> Cutout:
    """`picture (H, W, 3) bgr8`, soft `mask (H, W) uint8` → the object with a margin. Holes stay open.

    Raises ValueError where the sizes differ or the mask is empty.
    """
    if picture.shape[:2] != mask.shape:
        raise ValueError(f"picture is {picture.shape[1]}x{picture.shape[0]}, mask {mask.shape[1]}x{mask.shape[0]}")
    alpha = cleaned(mask)
    box = box_of(alpha)
    if box.area == 0:
        raise ValueError("the mask is empty: there is nothing to cut out")
    margin = max(4, round(MARGIN * max(box.width, box.height)))
    x0, y0 = max(0, int(box.x) - margin), max(0, int(box.y) - margin)
    x1 = min(mask.shape[1], int(box.x + box.width) + margin)
    y1 = min(mask.shape[0], int(box.y + box.height) + margin)
    part, a = picture[y0:y1, x0:x1], alpha[y0:y1, x0:x1]
    colour = decontaminated(part, a)
    rgba = np.dstack([colour[..., ::-1], a])
    return Cutout(np.ascontiguousarray(rgba), x0, y0)


def cleaned(mask: Picture) -> Picture:
    """Keeps the object's main part and what belongs to it, closes pinholes, keeps real holes (a mug's handle), sharpens
    the edge to a few soft pixels. `(H, W) uint8` in and out."""
    inside = mask > 127
    if not inside.any():
        return np.zeros_like(mask)
    main = main_part(inside)
    area = np.count_nonzero(main)
    n, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    large = np.array([k > 0 and stats[k, cv2.CC_STAT_AREA] >= 0.1 * area for k in range(n)])
    kept = large[labels] | main
    least_hole = max(9, round(0.002 * area))
    n, labels, stats, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8), connectivity=4)
    pinhole = np.array([k > 0 and stats[k, cv2.CC_STAT_AREA] < least_hole for k in range(n)])
    kept |= pinhole[labels]
    near = cv2.dilate(kept.astype(np.uint8), np.ones((5, 5), np.uint8))
    core = cv2.erode(kept.astype(np.uint8), np.ones((5, 5), np.uint8))
    steep = np.clip((mask.astype(np.float32) - 127.5) * 1.8 + 127.5, 0, 255)
    steep = np.maximum(steep, np.where(kept, 128, 0))
    return np.where(near > 0, np.where(core > 0, 255, steep), 0).astype(np.uint8)


def decontaminated(picture: Picture, alpha: Picture) -> Picture:
    """The object's own colour at and beyond its soft edge, taken from inside it: no halo of the old background.

    Pull-push: colours weighted by a steep alpha are averaged at growing scales until every pixel has one.
    """
    # The outermost visible pixels hold the background's colour too.
    inside = cv2.erode(alpha, np.ones((3, 3), np.uint8))
    weight = (inside >= 250).astype(np.float32)
    if not weight.any():
        weight = alpha.astype(np.float32) / np.float32(255)
    colour = picture.astype(np.float32) * weight[..., None]
    layers = [np.dstack([colour, weight]).astype(np.float32)]
    while min(layers[-1].shape[:2]) > 1 and len(layers) < 8:
        h, w = layers[-1].shape[:2]
        half = cv2.resize(layers[-1], ((w + 1) // 2, (h + 1) // 2), interpolation=cv2.INTER_AREA)
        layers.append(np.asarray(half, np.float32))
    top = layers[-1]
    out = np.asarray(top[..., :3] / np.maximum(top[..., 3:], 1e-6), np.float32)
    for layer in reversed(layers[:-1]):
        out = np.asarray(cv2.resize(out, layer.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
        known = np.clip(layer[..., 3:] * 4, 0, 1)
        seen = layer[..., :3] / np.maximum(layer[..., 3:], 1e-6)
        out = np.asarray(out * (1 - known) + seen * known, np.float32)
    keep = weight[..., None]
    return np.clip(out * (1 - keep) + picture * keep, 0, 255).astype(np.uint8)
