"""Poses before there is a map: the picture's corners are taken to lie on an assumed plane under an upright camera.

What is put down on that plane sticks to the picture at once. The same corners, followed through the frames, are what the
first real map is made of; and as long as they stay where they are the camera stands on a tripod.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ar_core.geometry import Array, Plane, inverse
from ar_slam.flow import Grey, Pixels, corners, follow, returns
from ar_slam.pose import Mask, fit_rotation, rays, refine_pose
from ar_slam.stillness import Background, is_still

CORNERS = 260
HISTORY = 60
REFRESH_AGE = 240
FEWEST = 45  # tracks of which a first map is made


@dataclass(frozen=True)
class View:
    """A picture, where the tracks are in it, uv (n, 2), and its camera R, t over the assumed plane."""

    picture: Grey
    uv: Pixels
    R: Array
    t: Array

    @property
    def centre(self) -> Array:
        """Where the camera was (3,)."""
        return np.asarray(-self.R.T @ self.t)


@dataclass
class Tracks:
    """Corners that are followed, where they were in the views up to now, and their places X (n, 3) on the plane.

    The first view is the reference in which they were found; of the others some are forgotten when there are many.
    """

    views: list[View]
    X: Array
    age: int = 0

    @property
    def first(self) -> Pixels:
        """Where they were found (n, 2)."""
        return self.views[0].uv

    @property
    def now(self) -> Pixels:
        """Where they are (n, 2)."""
        return self.views[-1].uv

    def keep(self, mask: Mask) -> None:
        """Forget the tracks that are not in the mask (n,)."""
        self.X = self.X[mask]
        self.views = [View(v.picture, v.uv[mask], v.R, v.t) for v in self.views]

    def add(self, view: View) -> None:
        """The next picture."""
        self.age += 1
        if len(self.views) > HISTORY:
            self.views = self.views[::2]
        self.views.append(view)


class Instant:
    """Follows corners from frame to frame and answers where an upright camera over an assumed plane would be."""

    def __init__(self, K: Array, T_map_camera: Array) -> None:
        self.K = K
        T = inverse(T_map_camera)
        self.R, self.t = T[:3, :3], T[:3, 3]
        self.tracks: Tracks | None = None
        self.still_frames = 0
        self.motion_px = 0.0
        self.parallax_px = 0.0

    def rescale(self, factor: float) -> None:
        """Every length is factor times what it was."""
        self.t = factor * self.t
        if self.tracks is not None:
            self.tracks.X = factor * self.tracks.X
            self.tracks.views = [View(v.picture, v.uv, v.R, factor * v.t) for v in self.tracks.views]

    def step(self, grey: Grey) -> str:
        """Take in the next picture; returns what is wrong with it, in words, or an empty string. R and t are the pose then."""
        tracks = self.tracks
        if tracks is None:
            return self._restart(grey)
        now = self._follow(grey, tracks)
        n = len(now)
        if n < 25:
            if self._found_again(grey, tracks):
                return ""
            return self._restart(grey)
        self._pose(grey, tracks, now)
        tracks.add(View(grey, now, self.R, self.t))
        too_few = n < FEWEST and tracks.age > 12
        few = n < 0.45 * CORNERS and (n < 0.55 * self._started_with or too_few)
        if tracks.age > REFRESH_AGE or (few and (self.still_frames > 0 or n < 60)):
            return self._restart(grey)
        return ""

    def _restart(self, grey: Grey) -> str:
        uv = corners(grey, CORNERS, least=2e-4, relative=0.002)
        if len(uv) < 25:
            self.tracks = None
            return "too little texture"
        self._started_with = len(uv)
        self._background = Background(grey)
        self.tracks = Tracks([View(grey, uv, self.R, self.t)], self._lift(uv))
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

    def _follow(self, grey: Grey, tracks: Tracks) -> Pixels:
        """Frame to frame, then against the reference picture (small motion: takes the drift out) or backwards (large)."""
        reference, previous = tracks.views[0].picture, tracks.views[-1].picture
        now, ok, error = follow(previous, grey, tracks.now, tracks.now)
        ok &= error < 22
        if float(np.median(np.hypot(*(tracks.now - tracks.first).T))) < 25:
            exact, seen, error = follow(reference, grey, tracks.first, now, levels=1)
            agrees = seen & (error < 22) & (np.hypot(*(exact - now).T) < 2.0)
            now, ok = np.where(agrees[:, None], exact, now).astype(np.float32), ok & agrees
        else:
            ok &= returns(previous, grey, tracks.now, now, 0.8)
        tracks.keep(ok)
        return now[ok]

    def _pose(self, grey: Grey, tracks: Tracks, now: Pixels) -> None:
        moved = np.hypot(*(now - tracks.first).T)
        self.motion_px = float(np.median(moved))
        limit = 0.5 * max(1.0, grey.shape[1] / 640)
        still = is_still(moved < limit, now, grey.shape)
        if still or (self.motion_px > 6 * limit and self._background.stands(grey)):
            self.R, self.t = tracks.views[0].R, tracks.views[0].t
            self.still_frames += 1
            self.parallax_px = 0.0
            return
        self.still_frames = 0
        self.parallax_px = float(
            np.median(fit_rotation(self.K, tracks.first.astype(np.float64), now.astype(np.float64))[1])
        )
        fit = refine_pose(self.K, self.R, self.t, tracks.X, now.astype(np.float64), iterations=6, scale_px=4.0)
        centre = -fit.R.T @ fit.t
        if np.isfinite(fit.t).all() and centre[2] > 0.02 and fit.R[2] @ self.R[2] > 0.8:
            self.R, self.t = fit.R, fit.t

    def _found_again(self, grey: Grey, tracks: Tracks) -> bool:
        """After a covered lens: whether the reference picture is there again, unmoved."""
        reference = tracks.views[0]
        uv = corners(reference.picture, CORNERS, least=2e-4, relative=0.002)
        now, ok, error = follow(reference.picture, grey, uv, uv, levels=2)
        ok &= error < 22
        if not is_still(ok & (np.hypot(*(now - uv).T) < 0.5 * max(1.0, grey.shape[1] / 640)), uv, grey.shape):
            return False
        self.R, self.t = reference.R, reference.t
        self._restart(grey)
        return True
