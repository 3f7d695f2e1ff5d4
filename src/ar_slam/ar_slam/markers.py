"""Metres from a printed marker: its corners in several keyframes, triangulated, against the known length of its side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from ar_core.geometry import Array
from ar_slam.flow import Grey
from ar_slam.keyframes import Keyframe
from ar_slam.pose import rays, reprojection_errors

VIEWS = 3  # keyframes that have to show a marker
PARALLAX_DEG = 5.0  # between the outermost of them
FITS_PX = 1.5  # by which a corner may be off in each
EVEN = 0.03  # by which the sides may differ


@dataclass(frozen=True)
class Sighting:
    """A marker in a keyframe: corners (4, 2) in pixels, in the order in which they are printed."""

    key: int
    marker: int
    corners: Array


class Finder:
    """Finds the ArUco markers of a dictionary, such as DICT_4X4_50; ValueError where OpenCV has no such thing."""

    def __init__(self, dictionary: str) -> None:
        aruco: Any = getattr(cv2, "aruco", None)
        if aruco is None:
            raise ValueError(f"markers: OpenCV {cv2.__version__} as installed here has no aruco module")
        number = getattr(aruco, dictionary, None) if dictionary.startswith("DICT_") else None
        if number is None:
            raise ValueError(f"markers: there is no dictionary {dictionary!r}; DICT_4X4_50 is one")
        words = aruco.getPredefinedDictionary(number)
        if hasattr(aruco, "ArucoDetector"):
            parameters = aruco.DetectorParameters()
            parameters.cornerRefinementMethod = aruco.CORNER_REFINE_SUBPIX
            self._detect: Callable[[Grey], Any] = aruco.ArucoDetector(words, parameters).detectMarkers
        else:  # before OpenCV 4.7
            parameters = aruco.DetectorParameters_create()
            parameters.cornerRefinementMethod = aruco.CORNER_REFINE_SUBPIX
            self._detect = lambda grey: aruco.detectMarkers(grey, words, parameters=parameters)

    def __call__(self, key: int, grey: Grey) -> list[Sighting]:
        """The markers in a keyframe's picture."""
        corners, ids, _ = self._detect(grey)
        if ids is None:
            return []
        found = zip(np.ravel(ids), corners, strict=True)
        return [Sighting(key, int(i), np.asarray(c, np.float64).reshape(4, 2)) for i, c in found]


@dataclass
class MarkerScale:
    """Markers of so many metres along their sides, as a map's keyframes show them."""

    find: Finder
    size: float
    sightings: list[Sighting] = field(default_factory=list)

    def factor(self, seen: list[Sighting], keyframes: list[Keyframe], K: Array) -> float | None:
        """With what else was seen now: by what the map is to be scaled; None while that is not known well.

        Median over the markers that enough keyframes, from far enough apart, show where a square would be.
        """
        if not seen:
            return None
        self.sightings += seen
        by_key = {kf.key: kf for kf in keyframes}
        factors = []
        for marker in sorted({s.marker for s in self.sightings}):
            of_it = [s for s in self.sightings if s.marker == marker and s.key in by_key]
            side = _side([by_key[s.key] for s in of_it], np.array([s.corners for s in of_it]), K)
            if side is not None:
                factors.append(self.size / side)
        return float(np.median(factors)) if factors else None


def _side(views: list[Keyframe], corners: Array, K: Array) -> float | None:
    """Length, in the map's unit, of the sides of a square whose corners (v, 4, 2) are seen in so many views."""
    if len(views) < VIEWS:
        return None
    d = np.array([rays(K, uv) @ kf.R for kf, uv in zip(views, corners, strict=True)])  # (v, 4, 3)
    d /= np.linalg.norm(d, axis=2, keepdims=True)
    middle = d.mean(1) / np.linalg.norm(d.mean(1), axis=1, keepdims=True)
    if np.degrees(np.arccos(np.clip((middle @ middle.T).min(), -1, 1))) < PARALLAX_DEG:
        return None
    across = np.eye(3) - d[..., :, None] * d[..., None, :]  # (v, 4, 3, 3): what is off a ray
    centres = np.array([kf.centre for kf in views])[:, None, :, None]
    X = np.linalg.solve(across.sum(0), (across @ centres).sum(0))[..., 0]
    off = np.array([reprojection_errors(K, kf.R, kf.t, X, uv) for kf, uv in zip(views, corners, strict=True)])
    sides = np.array([np.linalg.norm(b - a) for a, b in pairwise([*X, X[0]])])
    if np.median(off) > FITS_PX or np.ptp(sides) > EVEN * sides.mean():
        return None
    return float(sides.mean())
