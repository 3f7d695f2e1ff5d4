"""Before there is a map: an assumed plane to stand on, and the way to a first map of what is really there.

The first map is made beside the tracking and may come many pictures after those it was made of. So the pictures in between
are kept; the map is taken over only after it was followed through all of them up to the newest, and still holds there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ar_core.geometry import Array, upright_camera
from ar_slam import mapping
from ar_slam.flow import Grey, Pixels
from ar_slam.initialisation import Strictness
from ar_slam.instant import Instant
from ar_slam.keyframes import MAPPED, Map, local_window
from ar_slam.pose import project
from ar_slam.results import Options
from ar_slam.tracking import Tracked, Tracker

TRY_DEG = 3.2  # parallax, by the assumed plane, from which a first map is tried
SPAN_DEG = 8.0  # and what it need not exceed: views farther apart look too different to be matched exactly
STEP = 1.15  # so much more parallax after a refusal
VIEWS = 7
KEPT = 48  # pictures that are kept for a map that is under way, at most
CAUGHT_UP = 24  # pictures of these that it is followed through, at most
HOLDS = 0.5  # share of the points in sight, that must still be found
SHARP_PX = 0.8
MOVED_DEG = 2.0


@dataclass(frozen=True)
class Attempt:
    """What `mapping.begin_map` makes a first map of: views as pixels (n, 2) and pictures, up (3,) in the first of them."""

    views: list[tuple[Pixels, Grey]]
    strictness: Strictness
    up: Array
    camera_height: float


class Beginning:
    """Poses over the assumed plane; attempts at a first map, and what becomes of them."""

    def __init__(self, K: Array, size: tuple[int, int], options: Options) -> None:
        self.K, self.size, self.options = K, size, options
        self.instant = Instant(K, upright_camera(options.camera_height, options.pitch_down_deg))
        self.still = False
        self.why = "move the camera sideways"
        self._unit = max(1.0, size[0] / 640)  # what is said in pixels is meant for pictures 640 wide
        self._still_since: float | None = None
        self._least_deg = TRY_DEG
        self._tried_deg = 0.0
        self._since: list[Grey] = []  # the pictures after those of the last attempt

    def step(self, grey: Grey, stamp: float) -> str:
        """Take in the next picture; returns what is wrong with it, in words, or an empty string."""
        fault = self.instant.step(grey)
        if fault:
            return fault
        if len(self._since) >= KEPT:
            self._since = self._since[::2]
        self._since.append(grey)
        if self.instant.still_frames == 0:
            self._still_since = None
        elif self._still_since is None:
            self._still_since = stamp
        self.still = self._still_since is not None and stamp - self._still_since >= self.options.static_after
        return ""

    def attempt(self) -> Attempt | None:
        """An attempt at a first map, as soon as the pictures promise one."""
        instant, tracks, unit = self.instant, self.instant.tracks, self._unit
        if self.still or tracks is None or len(tracks.views) < 5 or instant.motion_px < 12 * unit:
            return None
        if instant.parallax_px < 1.5 * unit:
            if instant.motion_px > 40 * unit:
                self.why = "the camera only turns: move it sideways"
            return None
        parallax = tracks.parallax_deg(tracks.views)
        wide = np.flatnonzero(parallax >= SPAN_DEG)
        start = int(wide[-1]) if len(wide) else int(np.argmax(parallax))
        if parallax[start] < self._least_deg:
            return None
        # Evenly spread by parallax: how many pictures there are, and when, is the machine's doing.
        wanted = np.linspace(parallax[start], 0, VIEWS)
        chosen = {start + int(np.argmin(np.abs(parallax[start:] - p))) for p in wanted[1:-1]}
        index = sorted({start, *chosen, len(tracks.views) - 1})
        if len(index) < 4:
            return None
        self._tried_deg = float(parallax[start])
        self._since.clear()
        first = tracks.views[start]
        views = [(tracks.views[i].uv, tracks.views[i].picture) for i in index]
        wanted_of_it = replace(self.options.strictness, rms_px=self.options.strictness.rms_px * unit)
        return Attempt(views, wanted_of_it, first.R[:, 2], float(first.centre[2]))

    def answer(self, first: mapping.FirstMap | str) -> tuple[Tracker, Tracked] | None:
        """What came of the last attempt: the tracker in its map and what it sees in the newest picture; None: try again."""
        held = first if isinstance(first, str) else self._catch_up(first)
        if isinstance(held, str):
            self.why = held
            self._least_deg = min(SPAN_DEG, STEP * self._tried_deg)
            return None
        return held

    def _catch_up(self, first: mapping.FirstMap) -> tuple[Tracker, Tracked] | str:
        """Follow a first map from its newest picture to the newest of all; in words, why it does not hold there."""
        m = first.map
        before = m.count
        kf = m.keyframes[-1]
        tracker = Tracker(m, self.K, self.size)
        tracker.place(kf.image, kf.R, kf.t, kf.ids, kf.uv)
        found: Tracked | None = None
        steps = np.unique(np.linspace(0, len(self._since) - 1, min(CAUGHT_UP, len(self._since))).astype(int))
        for i in steps:
            if i == steps[-1]:
                tracker.unconfirmed = max(2, tracker.unconfirmed)  # a keyframe is to confirm the last one
            found = tracker.step(self._since[i])
            if found is None:
                return "a first map was lost again: move the camera slowly sideways"
            if i != steps[-1]:  # the newest one's turn comes with the picture that is being processed
                mapping.grow(tracker, found, self._since[i], self.options)
        if found is None:
            return self.why
        if not self._is_confirmed(first.map, tracker, found, before):
            return "a first map does not hold: move the camera slowly sideways"
        return tracker, found

    def _is_confirmed(self, m: Map, tracker: Tracker, found: Tracked, count: int) -> bool:
        """Whether most of the count points of a first map are where the newest picture shows them.

        Points that were seen from two near places are not known well enough to be seen from farther away; so where the
        camera has moved on, the picture is made a keyframe, and has to fit the map after everything was adjusted.
        """
        fit, options = found.fit, self.options
        p, z = project(self.K, fit.R, fit.t, m.X[:count])
        w, h = self.size
        inside = (p[:, 0] > 12) & (p[:, 1] > 12) & (p[:, 0] < w - 13) & (p[:, 1] < h - 13)
        in_sight = np.flatnonzero((z > 0) & inside & (m.status[:count] == MAPPED))
        seen = np.isin(in_sight, found.ids[fit.inliers])
        rms = fit.rms
        if mapping.between(m, m.keyframes[-1], found)[0] > MOVED_DEG:
            mapping.add_keyframe(m, tracker, found, self._since[-1], options.points, options.keyframes)
        window = local_window(m) if len(m.keyframes) > 2 else None
        if window is not None:
            adjusted = mapping.adjust(self.K, window, options.camera_height)
            mapping.apply(m, tracker, window, adjusted, options.camera_height)
            errors = adjusted.errors[window.camera == int(np.argmax(window.keys))]
            rms = float(np.sqrt(np.mean(np.minimum(errors, 3.0) ** 2)))
        share = float(seen.mean()) if len(seen) else 0.0
        return not tracker.unconfirmed and fit.count >= 30 and share >= HOLDS and rms <= SHARP_PX * self._unit
