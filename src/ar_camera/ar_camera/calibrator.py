"""Calibration with a ChArUco board: views that differ are collected, then a camera is found that explains them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from ar_camera.board import Board, Image
from ar_camera.fitting import Calibration, fit
from ar_core.geometry import Array
from ar_core.lens import PLUMB_BOB

__all__ = ["Board", "Calibrator"]

LEAST_CORNERS = 10  # of a board in one picture
DIFFERENT = 0.18  # how much a view has to differ from all others: sum over place, size and tilt
STEADY = 0.006  # of the picture's width: what moves faster is blurred or bent by a rolling shutter
BLURRED = 4.5  # pixels at a width of 640, over which an edge of the board goes from white to black
LEAST_VIEWS, ENOUGH_VIEWS, MOST_VIEWS = 8, 20, 60
PARTS = (5, 4)  # of the picture, across and down, that should have shown corners
COVERED = 0.8  # of them
TILTED = 0.1  # of the board's depth that a tilt changes from its middle to its edge, to either side
NEAR, FAR = 0.55, 0.4  # of the picture's size that a board takes which is near, or far


@dataclass(frozen=True)
class View:
    """A board in a picture: corners on it (n, 3), and in the picture (n, 2); look (5,): see ``Sight``."""

    places: Array
    corners: Array
    look: Array


@dataclass(frozen=True)
class Sight:
    """What one picture shows of the board.

    corners: how many. outline (4, 2): its corners in pixels, going round. look (5,): where in the picture it is (x, y: 0..1),
    how large (0..1), and its tilt: how much farther away its right side is than its left, its lower than its upper, relative
    to its distance. steady: since the picture before; sharp; kept: it became a view.
    """

    corners: int = 0
    outline: Array | None = None
    look: Array | None = None
    steady: bool = False
    sharp: bool = False
    kept: bool = False


@dataclass
class Calibrator:
    """Collects views of a board in pictures of one size (width, height), for a lens of that model."""

    board: Board
    size: tuple[int, int]
    model: str = PLUMB_BOB
    views: list[View] = field(default_factory=list)
    pictures: int = 0
    seen: int = 0
    _last: tuple[Array, Array] | None = None

    def add(self, grey: Image) -> bool:
        """Look at the next picture (H, W); whether it became a view."""
        return self.see(grey).kept

    def see(self, grey: Image, wanted: Callable[[Array], bool] = lambda _: False) -> Sight:
        """Look at the next picture (H, W), and keep the view if it is unlike all others, or its look (5,) is wanted."""
        self.pictures += 1
        places, corners = self.board.find(grey)
        last, self._last = self._last, (places, corners)
        if len(places) < LEAST_CORNERS:
            return Sight(len(places))
        self.seen += 1
        outline, look = _look(places, corners, self.size, self.board)
        if outline is None or look is None:
            return Sight(len(places))
        steady, sharp = _steady(last, places, corners, self.size[0]), _sharp(grey, corners)
        new = wanted(look) or all(np.abs(look - v.look).sum() >= DIFFERENT for v in self.views)
        kept = steady and sharp and new and len(self.views) < MOST_VIEWS
        if kept:
            self.views.append(View(places, corners, look))
        return Sight(len(places), outline, look, steady, sharp, kept)

    def missing(self) -> list[str]:
        """What is still to be shown, in words."""
        if self.seen == 0:
            return [f"the board was not seen in {self.pictures} pictures: all of it, flat, sharp and evenly lit?"]
        out = []
        if len(self.views) < ENOUGH_VIEWS:
            out.append(f"{len(self.views)} different views, {ENOUGH_VIEWS} are wanted: move the board or the camera on")
        if self.covered().mean() < COVERED:
            share = 100 * self.covered().mean()
            out.append(f"corners in {share:.0f} % of the picture: bring the board to its edges and corners")
        looks = self.looks()
        for tilt, words in ((looks[:, 3], "left and right"), (looks[:, 4], "forth and back")):
            if len(tilt) == 0 or np.ptp(tilt) < 2 * TILTED:
                out.append(f"too little tilt: tilt the board {words}")
        return out

    def looks(self) -> Array:
        """(v, 5): of all views."""
        return np.array([view.look for view in self.views]).reshape(-1, 5)

    def covered(self) -> np.ndarray:
        """(rows, columns) bool: which of the picture's `PARTS` have shown corners."""
        out = np.zeros(PARTS[::-1], bool)
        for view in self.views:
            x, y = np.clip((view.corners / self.size * PARTS).astype(int), 0, np.array(PARTS) - 1).T
            out[y, x] = True
        return out

    def solve(self) -> Calibration:
        """The camera; ValueError, in words, where the views do not tell."""
        if len(self.views) < LEAST_VIEWS:
            raise ValueError("; ".join(self.missing()))
        views = self.views
        for _ in range(2):  # a second time without what was seen badly
            done = fit([v.places for v in views], [v.corners for v in views], self.size, self.model)
            bad = done.view_rms_px > 3 * np.median(done.view_rms_px)
            if not bad.any() or (~bad).sum() < LEAST_VIEWS:
                break
            views = [view for view, out in zip(views, bad, strict=True) if not out]
        return done


def _look(
    places: Array, corners: Array, size: tuple[int, int], board: Board
) -> tuple[Array, Array] | tuple[None, None]:
    """The board's outline (4, 2) in the picture, and its look (5,); see ``Sight``."""
    half = np.array([board.columns, board.rows]) / 2
    H, _ = cv2.findHomography((places[:, :2] - half) / half, corners)
    if H is None or abs(H[2, 2]) < 1e-9:
        return None, None
    ends = np.array([[-1.0, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]]) @ (H / H[2, 2]).T
    if ends[:, 2].min() < 1e-3:
        return None, None
    outline = ends[:, :2] / ends[:, 2:]
    area = cv2.contourArea(outline.astype(np.float32))
    if area < 1:
        return None, None
    middle = H[:2, 2] / H[2, 2]
    beside = (outline - middle) / (np.sqrt(area) / 2)
    tilt = np.linalg.lstsq(beside, ends[:, 2] - 1, rcond=None)[0]  # depth goes up with w, along the picture's axes
    return outline, np.array([*(middle / size), np.sqrt(area / (size[0] * size[1])), *tilt])


def _steady(last: tuple[Array, Array] | None, places: Array, corners: Array, width: int) -> bool:
    """Whether the board has hardly moved since the last picture; one by itself counts as steady."""
    if last is None or len(last[0]) < LEAST_CORNERS:
        return True
    same = (np.abs(places[:, None] - last[0][None]) < 1e-6).all(2)
    i, j = np.nonzero(same)
    if len(i) < LEAST_CORNERS // 2:
        return False
    return float(np.median(np.hypot(*(corners[i] - last[1][j]).T))) < STEADY * width


def _sharp(grey: Image, corners: Array) -> bool:
    """Whether the board's edges are, in both directions."""
    (x0, y0), (x1, y1) = np.maximum(corners.min(0), 0).astype(int), np.ceil(corners.max(0)).astype(int) + 1
    part = grey[y0:y1, x0:x1]
    if min(part.shape) < 8:
        return False
    low, high = np.percentile(part[::2, ::2], (5, 95))
    slopes = [np.percentile(np.abs(cv2.Sobel(part, cv2.CV_16S, *d)), 99) / 8 for d in ((1, 0), (0, 1))]
    return float(high - low) < BLURRED * max(1.0, grey.shape[1] / 640) * float(min(slopes))
