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
from ar_slam.instant import Instant, Tracks
from ar_slam.keyframes import MAPPED, Map, local_window
from ar_slam.pose import project, rotation_residuals
from ar_slam.results import Options
from ar_slam.tracking import Tracked, Tracker

TRY_DEG = 4.0  # parallax from which a first map is tried; less when there was no attempt for a while
SPAN_DEG = 8.0  # and what it need not exceed: views farther apart look too different to be matched exactly
STEP = 1.15  # so much more parallax after a refusal
VIEWS = 7
USUAL = 150  # tracks with which an attempt takes as long as is thought at first
SAMPLES = 16  # pictures among which these are chosen
PARALLAX_PER_RESIDUAL = 4.5  # most of the parallax looks like a rotation; measured on tables with things on them
KEPT = 48  # pictures that are kept for a map that is under way, at most
CAUGHT_UP = 24  # pictures of these that it is followed through, at most
HOLDS = 0.5  # share of the points in sight, that must still be found
SHARP_PX = 0.8  # by which the newest picture may be off the adjusted map (rms)
MOVED_DEG = 0.4  # parallax from which the newest picture tells something about the map


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
        self._tried_deg, self._tried_at = 0.0, 0.0
        self._idle_since: float | None = None  # since the camera began to move, or the last attempt was answered
        self._patience = 0.5  # seconds: as long as an attempt takes
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

    def attempt(self, stamp: float) -> Attempt | None:
        """An attempt at a first map, as soon as the pictures promise one."""
        instant, tracks, unit = self.instant, self.instant.tracks, self._unit
        if self.still or self._idle_since is None:
            self._idle_since = stamp
        if self.still or tracks is None or len(tracks.views) < 5 or instant.motion_px < 12 * unit:
            return None
        if instant.parallax_px < 1.5 * unit:
            if instant.motion_px > 40 * unit:
                self.why = "pure rotation: the camera only turns, move it sideways"
            return None
        index = _spread(0, len(tracks.views) - 1, SAMPLES)
        parallax = self._parallax_deg(tracks, index)
        wide = np.flatnonzero(parallax >= SPAN_DEG)
        k = int(wide[-1]) if len(wide) else int(np.argmax(parallax))
        # Where attempts cost little, less parallax is worth one: what is measured here is only about that of the map.
        patience = self._patience * min(1.0, len(tracks.X) / USUAL)  # few tracks are quickly tried, and soon gone
        if parallax[k] < self._least_deg / max(1.0, (stamp - self._idle_since) / patience):
            return None
        self._tried_deg = float(parallax[k])
        start = index[k]
        # Evenly spread by parallax: how many pictures there are, and when, is the machine's doing.
        index = _spread(start, len(tracks.views) - 1, SAMPLES)
        parallax = self._parallax_deg(tracks, index)
        wanted = np.linspace(parallax[0], 0, VIEWS)[1:-1]
        chosen = {start, *(index[int(np.argmin(np.abs(parallax - p)))] for p in wanted), index[-1]}
        if len(chosen) < 4:
            return None
        self._since.clear()
        self._idle_since, self._tried_at = None, stamp
        first = tracks.views[start]
        views = [(tracks.views[i].uv, tracks.views[i].picture) for i in sorted(chosen)]
        wanted_of_it = replace(self.options.strictness, rms_px=self.options.strictness.rms_px * unit)
        return Attempt(views, wanted_of_it, first.R[:, 2], float(first.centre[2]))

    def _parallax_deg(self, tracks: Tracks, index: list[int]) -> Array:
        """About the parallax between some of the views and the newest one."""
        views = np.array([tracks.views[i].uv for i in index], np.float64)
        return PARALLAX_PER_RESIDUAL * rotation_residuals(self.K, views, tracks.now.astype(np.float64))

    def answer(self, first: mapping.FirstMap | str, stamp: float) -> tuple[Tracker, Tracked] | None:
        """What came of the last attempt: the tracker in its map and what it sees in the newest picture; None: try again."""
        self._patience = float(np.clip(stamp - self._tried_at, 0.15, 1.5))
        held = first if isinstance(first, str) else self._catch_up(first)
        if isinstance(held, str):
            self.why = held
            self._least_deg = float(np.clip(STEP * self._tried_deg, TRY_DEG, SPAN_DEG))
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
        steps = _spread(0, len(self._since) - 1, CAUGHT_UP)
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
        if mapping.between(m, m.keyframes[-1:], found)[0][0] > MOVED_DEG:
            mapping.add_keyframe(m, tracker, found, self._since[-1], options.points, options.keyframes)
        window = local_window(m) if len(m.keyframes) > 2 else None
        if window is not None:
            adjusted = mapping.adjust(self.K, window, options.camera_height)
            mapping.apply(m, tracker, window, adjusted, options.camera_height)
            errors = adjusted.errors[window.camera == int(np.argmax(window.keys))]
            rms = float(np.sqrt(np.mean(np.minimum(errors, 3.0) ** 2)))
        share = float(seen.mean()) if len(seen) else 0.0
        return not tracker.unconfirmed and fit.count >= 30 and share >= HOLDS and rms <= SHARP_PX * self._unit


def _spread(first: int, last: int, count: int) -> list[int]:
    """At most count whole numbers from first to last, evenly spread."""
    return [int(i) for i in np.unique(np.linspace(first, last, count).astype(int))]
