"""Drawings on paper, cut out and followed: the same questions as to a network, answered by `ar_core.doodles`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box, box_of
from ar_core.doodles import Doodle, find_doodles
from ar_segment.segmenter import Look, Segmentation, Segmenter
from ar_segment.windows import around, look, whole

Picture = NDArray[np.uint8]

SIDE = 192
"""A look's mask has this many pixels across."""

PAPER = 1.6
"""So much of the surroundings is looked at with a window: the paper is known by what is around the figure."""

SURE = 0.95
SAME = 0.2
"""IoU of an earlier mask, or half of that of a box, and the figure that it means."""


class DrawingSegmenter(Segmenter):
    """Needs no network and no card. Where no drawing is seen, the answer is empty and its objectness 0."""

    def __init__(self) -> None:
        """There is nothing to load."""

    def salient(self, picture: Picture) -> Segmentation:
        """The largest drawing."""
        return _answer(picture, next(iter(find_doodles(picture)), None))

    def box(self, picture: Picture, box: Box) -> Segmentation:
        """The drawing in `box` (picture pixels)."""
        found = max(find_doodles(picture), key=lambda d: d.box.iou(box), default=None)
        return _answer(picture, found if found and found.box.iou(box) > 2 * SAME else None)

    def tap(self, picture: Picture, x: float, y: float) -> Segmentation:
        """The drawing around the pixel `x, y`."""
        row, column = (int(np.clip(v, 0, n - 1)) for v, n in zip((y, x), picture.shape[:2], strict=True))
        return _answer(picture, next((d for d in find_doodles(picture) if d.mask[row, column]), None))

    def see(
        self,
        picture: Picture,
        window: Box,
        box: Box | None = None,
        tap: tuple[float, float] | None = None,
        mask: Picture | None = None,
    ) -> Look:
        """One look at `window`, as the networks' is; a drawing is meant by an earlier `mask` of the window, or the largest."""
        wide = around(window, PAPER)
        scale = min(1.0, 2 * SIDE / max(wide.width, wide.height))
        width, height = max(8, round(wide.width * scale)), max(8, round(wide.height * scale))
        part = Box(
            (window.x - wide.x) * scale, (window.y - wide.y) * scale, window.width * scale, window.height * scale
        )
        best, overlap = np.zeros((SIDE, SIDE), np.uint8), 0.0
        for doodle in find_doodles(look(picture, wide, width, height)):
            there = look(doodle.mask, part, SIDE, SIDE)
            fit = 1.0 if mask is None else _iou(there, look(mask, whole(mask), SIDE, SIDE))
            if fit > overlap:
                best, overlap = there, fit
        probability = best.astype(np.float32) / np.float32(255)
        sure = SURE if overlap > SAME else 0.0
        return Look(window, probability, sure, look(picture, window, SIDE, SIDE))


def _answer(picture: Picture, doodle: Doodle | None) -> Segmentation:
    if doodle is None:
        return Segmentation(np.zeros(picture.shape[:2], np.uint8), 0.0, Box(0, 0, 0, 0))
    return Segmentation(doodle.mask, SURE, box_of(doodle.mask), 0.1)


def _iou(a: Picture, b: Picture) -> float:
    union = np.count_nonzero((a > 127) | (b > 127))
    return np.count_nonzero((a > 127) & (b > 127)) / union if union else 0.0
