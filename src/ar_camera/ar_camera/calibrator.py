"""Calibration with a ChArUco board: views that differ are collected, then OpenCV finds the camera that explains them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array, Intrinsics

Image = NDArray[np.uint8]
COLUMNS, ROWS = 7, 5  # squares
DICTIONARY = "DICT_4X4_50"
LEAST_CORNERS = 10  # of a board in one picture
DIFFERENT = 0.18  # how much a view has to differ from all others: sum over place, size and tilt
STEADY = 0.006  # of the picture's width: what moves faster is blurred or bent by a rolling shutter
LEAST_VIEWS, ENOUGH_VIEWS, MOST_VIEWS = 8, 20, 60
CELLS = (5, 4)  # parts of the picture that should have shown corners
COVERED = 0.75  # of them
TILTED = 0.2  # range of the board's edges' relative convergence, in both directions
K3_GAIN = 0.97  # a third radial coefficient has to lower the error by so much


class Board:
    """A board of columns x rows squares, every other with a marker; lengths in squares."""

    def __init__(self, columns: int = COLUMNS, rows: int = ROWS) -> None:
        aruco: Any = getattr(cv2, "aruco", None)
        if aruco is None or not hasattr(aruco, "CharucoDetector"):
            raise ValueError(f"calibration needs OpenCV 4.7 or newer with its aruco module; this is {cv2.__version__}")
        words = aruco.getPredefinedDictionary(getattr(aruco, DICTIONARY))
        self.columns, self.rows = columns, rows
        if min(columns, rows) < 3 or columns * rows // 2 > len(words.bytesList):
            raise ValueError(
                f"a board of {columns}x{rows} squares: 3x3 at least, and {len(words.bytesList)} markers at most"
            )
        self._board = aruco.CharucoBoard((columns, rows), 1.0, 0.75, words)
        self._detector = aruco.CharucoDetector(self._board)

    def draw(self, square_px: int) -> Image:
        """The board (H, W) uint8 with a white margin of half a square."""
        size = ((self.columns + 1) * square_px, (self.rows + 1) * square_px)
        return np.asarray(self._board.generateImage(size, None, square_px // 2, 1), np.uint8)

    def find(self, grey: Image) -> tuple[Array, Array]:
        """Corners of a picture (H, W): on the board (n, 3), in squares, and in the picture (n, 2), pixels; n may be zero."""
        corners, ids, _, _ = self._detector.detectBoard(grey)
        if ids is None or len(ids) == 0:
            return np.zeros((0, 3)), np.zeros((0, 2))
        places = np.asarray(self._board.getChessboardCorners(), np.float64)[np.ravel(ids)]
        return places, np.asarray(corners, np.float64).reshape(-1, 2)


@dataclass(frozen=True)
class View:
    """A board in a picture: corners on it (n, 3), and in the picture (n, 2); look: place, size and tilt as five numbers."""

    places: Array
    corners: Array
    look: Array


@dataclass
class Calibrator:
    """Collects views of a board in pictures of one size (width, height)."""

    board: Board
    size: tuple[int, int]
    views: list[View] = field(default_factory=list)
    pictures: int = 0
    seen: int = 0
    _last: tuple[Array, Array] | None = None

    def add(self, grey: Image) -> bool:
        """Look at the next picture (H, W); whether it became a view."""
        self.pictures += 1
        places, corners = self.board.find(grey)
        last, self._last = self._last, (places, corners)
        if len(places) < LEAST_CORNERS:
            return False
        self.seen += 1
        look = _look(places, corners, self.size, self.board)
        if look is None or len(self.views) >= MOST_VIEWS or not _steady(last, places, corners, self.size[0]):
            return False
        if any(np.abs(look - view.look).sum() < DIFFERENT for view in self.views):
            return False
        self.views.append(View(places, corners, look))
        return True

    def missing(self) -> list[str]:
        """What is still to be shown, in words."""
        if self.seen == 0:
            return [f"the board was not seen in {self.pictures} pictures: all of it, flat, sharp and evenly lit?"]
        out = []
        if len(self.views) < ENOUGH_VIEWS:
            out.append(f"{len(self.views)} different views, {ENOUGH_VIEWS} are wanted: move the board or the camera on")
        if self._covered() < COVERED:
            out.append(
                f"corners in {100 * self._covered():.0f} % of the picture: bring the board to its edges and corners"
            )
        looks = np.array([view.look for view in self.views]).reshape(-1, 5)
        for tilt, words in ((looks[:, 3], "left and right"), (looks[:, 4], "forth and back")):
            if len(tilt) == 0 or np.ptp(tilt) < TILTED:
                out.append(f"too little tilt: tilt the board {words}")
        return out

    def _covered(self) -> float:
        corners = np.concatenate([np.zeros((0, 2)), *(view.corners for view in self.views)])
        cells = np.clip((corners / self.size * CELLS).astype(int), 0, np.array(CELLS) - 1)
        return len(np.unique(cells, axis=0)) / (CELLS[0] * CELLS[1])

    def solve(self) -> Calibration:
        """The camera; ValueError, in words, where the views do not tell."""
        if len(self.views) < LEAST_VIEWS:
            raise ValueError("; ".join(self.missing()))
        views = self.views
        for _ in range(2):  # a second time without what was seen badly
            done = min((_fit(views, self.size, fixed) for fixed in (True, False)), key=lambda c: c.rms_px / c.trust)
            bad = done.view_rms_px > 3 * np.median(done.view_rms_px)
            if not bad.any() or (~bad).sum() < LEAST_VIEWS:
                break
            views = [view for view, out in zip(views, bad, strict=True) if not out]
        if not np.isfinite(done.rms_px) or done.rms_px > 3 * max(1.0, self.size[0] / 640):
            raise ValueError(
                f"no camera explains the views better than {done.rms_px:.1f} px: is the board flat, and as printed?"
            )
        return done


@dataclass(frozen=True)
class Calibration:
    """A camera; how well it explains the corners: rms in pixels, of all and of each view (v,); focal_px: deviation of fx."""

    intrinsics: Intrinsics
    rms_px: float
    view_rms_px: Array
    focal_px: float
    trust: float


def _fit(views: list[View], size: tuple[int, int], two_radial: bool) -> Calibration:
    """With two radial coefficients, or three; the third is trusted only where it explains clearly more."""
    places = [view.places.astype(np.float32).reshape(-1, 1, 3) for view in views]
    corners = [view.corners.astype(np.float32).reshape(-1, 1, 2) for view in views]
    flags = cv2.CALIB_FIX_K3 if two_radial else 0
    rms, K, bent, _, _, deviations, _, each = cv2.calibrateCameraExtended(
        places, corners, size, np.eye(3), np.zeros(5), flags=flags
    )
    d = tuple(float(v) for v in np.ravel(bent)[:5])
    intrinsics = Intrinsics(float(K[0, 0]), float(K[1, 1]), float(K[0, 2]), float(K[1, 2]), *size, d)
    trust = 1.0 if two_radial else K3_GAIN
    return Calibration(intrinsics, float(rms), np.ravel(each).astype(np.float64), float(np.ravel(deviations)[0]), trust)


def _look(places: Array, corners: Array, size: tuple[int, int], board: Board) -> Array | None:
    """Where the board is in the picture (x, y: 0..1), how large (0..1), and how its edges converge (x, y)."""
    half = np.array([board.columns, board.rows]) / 2
    H, _ = cv2.findHomography((places[:, :2] - half) / half, corners)
    if H is None or abs(H[2, 2]) < 1e-9:
        return None
    H = H / H[2, 2]
    outline = cv2.perspectiveTransform(np.array([[[-1.0, -1], [1, -1], [1, 1], [-1, 1]]]), H)[0]
    area = cv2.contourArea(outline.astype(np.float32)) / (size[0] * size[1])
    x, y = H[:2, 2] / size
    return np.array([x, y, np.sqrt(area), H[2, 0], H[2, 1]])


def _steady(last: tuple[Array, Array] | None, places: Array, corners: Array, width: int) -> bool:
    """Whether the board has hardly moved since the last picture; one by itself counts as steady."""
    if last is None or len(last[0]) < LEAST_CORNERS:
        return True
    same = (np.abs(places[:, None] - last[0][None]) < 1e-6).all(2)
    i, j = np.nonzero(same)
    if len(i) < LEAST_CORNERS // 2:
        return False
    return float(np.median(np.hypot(*(corners[i] - last[1][j]).T))) < STEADY * width
