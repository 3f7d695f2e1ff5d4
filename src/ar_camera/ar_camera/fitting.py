"""The camera that explains what was seen of a board, by OpenCV's calibration, and how good it is in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ar_core.geometry import Array, Intrinsics
from ar_core.lens import COUNTS, EQUIDISTANT, PLUMB_BOB, RATIONAL

K3_GAIN = 0.97  # a third radial coefficient has to lower the error by so much
WORST = 3.0  # pixels at a width of 640: nothing that deserves the name of a calibration is off by more
MEANINGS = ((0.4, "very good"), (0.8, "good"), (1.5, "usable"))  # up to so many pixels at a width of 640


@dataclass(frozen=True)
class Calibration:
    """A camera; how well it explains the corners: rms in pixels, of all and of each view (v,).

    focal_px: deviation of fx, NaN where OpenCV does not tell.
    """

    intrinsics: Intrinsics
    rms_px: float
    view_rms_px: Array
    focal_px: float

    @property
    def meaning(self) -> str:
        """How good it is, in words."""
        off = self.rms_px / _unit(self.intrinsics.width)
        return next((words for limit, words in MEANINGS if off < limit), "poor")


def fit(places: list[Array], corners: list[Array], size: tuple[int, int], model: str) -> Calibration:
    """The camera of a lens's model, from corners on the board (n, 3), in squares, and in the picture (n, 2), one pair a view.

    ValueError, in words, where no such camera explains them.
    """
    try:
        if model == EQUIDISTANT:
            done = _equidistant(places, corners, size)
        elif model == RATIONAL:
            done = _pinhole(places, corners, size, cv2.CALIB_RATIONAL_MODEL)
        elif model == PLUMB_BOB:  # a third radial coefficient is trusted only where it explains clearly more
            two, three = (_pinhole(places, corners, size, flags) for flags in (cv2.CALIB_FIX_K3, 0))
            done = three if three.rms_px < K3_GAIN * two.rms_px else two
        else:
            raise ValueError(f"model '{model}': there are {PLUMB_BOB}, {RATIONAL} and {EQUIDISTANT}")
    except cv2.error as error:
        raise ValueError(
            f"no camera explains the views ({' '.join(str(error).split())[:100]}): {_advice(model)}"
        ) from None
    if not done.rms_px <= WORST * _unit(size[0]):
        raise ValueError(f"no camera explains the views better than {done.rms_px:.1f} px: {_advice(model)}")
    return done


def _advice(model: str) -> str:
    other = "" if model == EQUIDISTANT else " If the lens is a very wide one, choose the fisheye model."
    return f"is the board flat, and as printed?{other}"


def _unit(width: int) -> float:
    """A pixel of a picture that is 640 wide."""
    return max(1.0, width / 640)


def _pinhole(places: list[Array], corners: list[Array], size: tuple[int, int], flags: int) -> Calibration:
    there = [p.astype(np.float32).reshape(-1, 1, 3) for p in places]
    seen = [c.astype(np.float32).reshape(-1, 1, 2) for c in corners]
    count = COUNTS[RATIONAL if flags & cv2.CALIB_RATIONAL_MODEL else PLUMB_BOB]
    rms, K, bent, _, _, deviations, _, each = cv2.calibrateCameraExtended(
        there, seen, size, np.eye(3), np.zeros(count), flags=flags
    )
    d = np.ravel(bent)[:count]
    camera = Intrinsics(K[0, 0], K[1, 1], K[0, 2], K[1, 2], *size, tuple(float(v) for v in d))
    return Calibration(camera, float(rms), np.ravel(each).astype(np.float64), float(np.ravel(deviations)[0]))


def _equidistant(places: list[Array], corners: list[Array], size: tuple[int, int]) -> Calibration:
    fisheye: Any = getattr(cv2, "fisheye", None)
    if fisheye is None:
        raise ValueError(f"the fisheye model needs OpenCV's fisheye module; this is {cv2.__version__} without it")
    there, seen = [p.reshape(1, -1, 3) for p in places], [c.reshape(1, -1, 2) for c in corners]
    names: Any = fisheye if hasattr(fisheye, "CALIB_FIX_SKEW") else cv2  # OpenCV 4, OpenCV 5
    flags = names.CALIB_RECOMPUTE_EXTRINSIC | names.CALIB_FIX_SKEW
    enough = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 1e-9)
    _, K, bent, turns, ways = fisheye.calibrate(there, seen, size, np.eye(3), np.zeros(4), flags=flags, criteria=enough)
    d = tuple(float(v) for v in np.ravel(bent))
    camera = Intrinsics(K[0, 0], K[1, 1], K[0, 2], K[1, 2], *size, d, fisheye=True)
    errors = [
        camera.project(p @ cv2.Rodrigues(np.ravel(r))[0].T + np.ravel(t)) - c
        for p, c, r, t in zip(places, corners, turns, ways, strict=True)
    ]
    squares = np.array([(e**2).sum(1).mean() for e in errors])
    weights = np.array([len(e) for e in errors])
    return Calibration(camera, float(np.sqrt(np.average(squares, weights=weights))), np.sqrt(squares), float("nan"))
