"""Poses before there is a map: the picture's corners are taken to lie on an assumed plane under an upright camera.

What is put down on that plane sticks to the picture at once. The same corners, followed through the frames, are what the
first real map is made of; and as long as they stay where they are the camera stands on a tripod.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array, Plane, inverse
from ar_slam.flow import Grey, Pixels, corners, follow, returns
from ar_slam.pose import Mask, fit_rotation, rays, refine_pose
from ar_slam.stillness import Background, is_still

CORNERS = 260
HISTORY = 60
REFRESH_AGE = 240


@dataclass
class Tracks:
    """Corners of a reference picture and where they are now. ids (n,) int, first and now (n, 2) pixels, X (n, 3) on the plane."""

    reference: Grey
    R0: Array
    t0: Array
    ids: NDArray[np.int_]
    first: Pixels
    now: Pixels
    X: Array
    history: list[tuple[Pixels, Grey]] = field(default_factory=list)  # where they were since, in which picture
    age: int = 0

    def keep(self, mask: Mask) -> None:
        """Forget the tracks that are not in the mask (n,)."""
        self.ids, self.first, self.now, self.X = self.ids[mask], self.first[mask], self.now[mask], self.X[mask]
        self.history = [(uv[mask], picture) for uv, picture in self.history]


class Instant:
    """Follows corners from frame to frame and answers where an upright camera over an assumed plane would be."""

    def __init__(self, K: Array, T_map_camera: Array) -> None:
        self.K = K
        T = inverse(T_map_camera)
        self.R, self.t = T[:3, :3], T[:3, 3]
        self.tracks: Tracks | None = None
        self.previous: Grey | None = None
        self.still_frames = 0
        self.motion_px = 0.0
        self.parallax_px = 0.0
        self._next_id = 0

    def step(self, grey: Grey) -> str:
        """Take in the next picture; returns what is wrong with it, in words, or an empty string. R and t are the pose then."""
        tracks = self.tracks
        if tracks is None or self.previous is None:
            return self._restart(grey)
        self._follow(grey, tracks)
        if len(tracks.ids) < 25:
            if self._found_again(grey, tracks):
                return ""
            return self._restart(grey)
        tracks.age += 1
        tracks.history.append((tracks.now.copy(), grey))
        if len(tracks.history) > HISTORY:
            tracks.history = tracks.history[::2]
        self._pose(grey, tracks)
        few = len(tracks.ids) < 0.45 * CORNERS and len(tracks.ids) < 0.55 * (self._started_with)
        old = tracks.age > REFRESH_AGE
        if old or (few and (self.still_frames > 0 or len(tracks.ids) < 60)):
            return self._restart(grey)
        return ""

    def restart(self) -> None:
        """Begin with the next picture anew, from the pose that was reached."""
        self.tracks = None

    def views(self, count: int = 6) -> list[tuple[Pixels, Grey]]:
        """Where the tracks were (n, 2), and the picture: the reference, and up to count since, evenly spread."""
        assert self.tracks is not None
        h = self.tracks.history
        index = np.unique(np.linspace(0, len(h) - 1, count).astype(int))
        return [(self.tracks.first, self.tracks.reference), *(h[i] for i in index)]

    def _restart(self, grey: Grey) -> str:
        self.previous = grey
        uv = corners(grey, CORNERS, least=2e-4, relative=0.002)
        if len(uv) < 25:
            self.tracks = None
            return "too little texture"
        n = len(uv)
        self._started_with = n
        self._background = Background(grey)
        ids = np.arange(self._next_id, self._next_id + n)
        self._next_id += n
        self.tracks = Tracks(grey, self.R, self.t, ids, uv.copy(), uv.copy(), self._lift(uv))
        return ""

    def _lift(self, uv: Pixels) -> Array:
        """Points (n, 3) on z = 0 under the pixels; what looks at the horizon stands eight camera heights away."""
        centre = -self.R.T @ self.t
        directions = rays(self.K, uv.astype(np.float64)) @ self.R
        hit = Plane.ground().hit(centre, directions)
        reach = 8 * abs(float(centre[2])) / np.linalg.norm(directions, axis=1)
        far = ~(np.linalg.norm(hit - centre, axis=1) < 8 * abs(float(centre[2])))
        hit[far] = centre + directions[far] * reach[far, None]
        return hit

    def _follow(self, grey: Grey, tracks: Tracks) -> None:
        """Frame to frame, then against the reference picture (small motion: takes the drift out) or backwards (large)."""
        assert self.previous is not None
        now, ok, error = follow(self.previous, grey, tracks.now, tracks.now)
        ok &= error < 22
        if float(np.median(np.hypot(*(tracks.now - tracks.first).T))) < 25:
            exact, seen, error = follow(tracks.reference, grey, tracks.first, now, levels=1)
            agrees = seen & (error < 22) & (np.hypot(*(exact - now).T) < 2.0)
            now, ok = np.where(agrees[:, None], exact, now).astype(np.float32), ok & agrees
        else:
            ok &= returns(self.previous, grey, tracks.now, now, 0.8)
        tracks.now = now
        tracks.keep(ok)
        self.previous = grey

    def _pose(self, grey: Grey, tracks: Tracks) -> None:
        moved = np.hypot(*(tracks.now - tracks.first).T)
        self.motion_px = float(np.median(moved))
        limit = 0.5 * max(1.0, grey.shape[1] / 640)
        still = is_still(moved < limit, tracks.now, grey.shape)
        if still or (self.motion_px > 6 * limit and self._background.stands(grey)):
            self.R, self.t = tracks.R0, tracks.t0
            self.still_frames += 1
            self.parallax_px = 0.0
            return
        self.still_frames = 0
        self.parallax_px = float(
            np.median(fit_rotation(self.K, tracks.first.astype(np.float64), tracks.now.astype(np.float64))[1])
        )
        fit = refine_pose(self.K, self.R, self.t, tracks.X, tracks.now.astype(np.float64), iterations=6, scale_px=4.0)
        centre = -fit.R.T @ fit.t
        if np.isfinite(fit.t).all() and centre[2] > 0.02 and fit.R[2] @ self.R[2] > 0.8:
            self.R, self.t = fit.R, fit.t

    def _found_again(self, grey: Grey, tracks: Tracks) -> bool:
        """After a covered lens: whether the reference picture is there again, unmoved."""
        uv = corners(tracks.reference, CORNERS, least=2e-4, relative=0.002)
        now, ok, error = follow(tracks.reference, grey, uv, uv, levels=2)
        ok &= error < 22
        if not is_still(ok & (np.hypot(*(now - uv).T) < 0.5 * max(1.0, grey.shape[1] / 640)), uv, grey.shape):
            return False
        self.R, self.t = tracks.R0, tracks.t0
        self._restart(grey)
        return True
