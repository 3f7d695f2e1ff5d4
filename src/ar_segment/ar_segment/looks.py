"""By what an object is known again: its colours against those around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box
from ar_segment.segmenter import Segmentation
from ar_segment.windows import around, look

Picture = NDArray[np.uint8]
Float = NDArray[np.float32]

SIDE = 64
"""Colours are counted in the object's window at this size."""

SURROUNDINGS = 1.6


@dataclass(frozen=True)
class Looks:
    """`inside`, `outside (512,) float32`: how often each of 8 x 8 x 8 colours occurs in the object and around it (each
    sums to 1); `area` in pixels; `box`: where it was last."""

    inside: Float
    outside: Float
    area: float
    box: Box

    @staticmethod
    def of(picture: Picture, seen: Segmentation) -> Looks:
        """The looks of what was segmented in `picture (H, W, 3) bgr8`."""
        window = around(seen.box, SURROUNDINGS)
        index = colour_index(look(picture, window, SIDE, SIDE))
        mask = look(seen.mask, window, SIDE, SIDE)
        return Looks(_counted(index[mask > 200]), _counted(index[mask < 50]), float(seen.area), seen.box)

    def followed(self, fresh: Looks, rate: float = 0.09) -> Looks:
        """Slowly becoming what is seen now: light changes, the object turns."""

        def mixed(old: Float, new: Float) -> Float:
            return np.asarray(old + rate * (new - old), np.float32)

        return Looks(mixed(self.inside, fresh.inside), mixed(self.outside, fresh.outside), fresh.area, fresh.box)

    def evidence(self, view: Picture) -> Float:
        """`(h, w) float32` in [-1, 1] for `view (h, w, 3)`: does each pixel's colour speak for the object or against it."""
        ratio = (self.inside - self.outside) / (self.inside + self.outside + 2e-3)
        return np.asarray(ratio[colour_index(view)], np.float32)

    def likeness(self, other: Looks) -> float:
        """0 to 1: how much of the one's colours the other has; 0 where the sizes differ too much."""
        if not 0.15 < other.area / max(1.0, self.area) < 6:
            return 0.0
        return float(np.minimum(self.inside, other.inside).sum())


def colour_index(view: Picture) -> NDArray[np.intp]:
    """`(h, w)`: which of 8 x 8 x 8 colours each pixel of `view (h, w, 3)` has."""
    coarse = (view >> 5).astype(np.intp)
    return np.asarray(coarse[..., 0] * 64 + coarse[..., 1] * 8 + coarse[..., 2])


def _counted(index: NDArray[np.intp]) -> Float:
    """Counted colours, spread over their neighbours: a little more light is the same colour."""
    counts = np.bincount(index.ravel(), minlength=512).astype(np.float64).reshape(8, 8, 8)
    for axis in range(3):
        padded = np.pad(counts, [(1, 1) if k == axis else (0, 0) for k in range(3)], "edge")
        counts = 0.7 * counts + 0.15 * (padded.take(range(8), axis) + padded.take(range(2, 10), axis))
    return np.asarray(counts.ravel() / max(1.0, float(counts.sum())), np.float32)
