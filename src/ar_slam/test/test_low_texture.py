"""Where there is little to follow: points are looked for again, and tracks that are too few make way for others."""

from __future__ import annotations

import numpy as np

from ar_core.geometry import Intrinsics, Plane, hit_plane, upright_camera
from ar_slam.instant import Instant
from ar_slam.keyframes import CANDIDATE
from ar_slam.slam import Slam, State

CAMERA = Intrinsics(525, 525, 319.5, 239.5, 640, 480)


def test_points_without_a_place_are_found_again_where_a_keyframe_shows_them(see):
    s = see("clean")
    slam = Slam(s.intrinsics, s.options)
    for k in range(50):
        result = slam.process(s.pictures[k], float(s.stamps[k]))
    assert result.state == State.TRACKING
    tracker = slam._tracker
    for k in range(50, 53):  # one of three pictures asks a keyframe
        mapped = tracker.map.mapped(tracker.ids)
        tracker.ids, tracker.uv = tracker.ids[mapped], tracker.uv[mapped]  # as if they had been out of sight
        slam.process(s.pictures[k], float(s.stamps[k]))
        again = tracker.map.status[tracker.ids] == CANDIDATE
        known = {kf.key: kf.image for kf in tracker.map.keyframes}
        if again.sum() >= 5:
            break
    assert again.sum() >= 5
    apart = []
    for i, uv in zip(tracker.ids[again], tracker.uv[again], strict=True):
        image = known[int(tracker.map.first_key[i])]
        seen_first = next(j for j in range(k + 1) if np.array_equal(s.pictures[j], image))
        at = tracker.map.first_uv[i].astype(np.float64)[None]
        place = hit_plane(at, s.intrinsics, s.poses[seen_first], Plane.ground())  # all there is lies on the table
        apart.append(np.hypot(*(s.intrinsics.project(place, s.poses[k])[0] - uv)))
    slam.close()
    assert np.median(apart) < 1.5


def test_tracks_too_few_for_a_map_make_way_for_what_has_come_into_sight():
    rng = np.random.default_rng(5)
    wide = np.full((480, 1100), 128, np.uint8)
    for x, y in zip(np.arange(15, 1085, 7), rng.integers(20, 460, 153), strict=True):
        if rng.random() < 0.75:
            wide[y - 3 : y + 4, x - 3 : x + 4] = 40 if rng.random() < 0.5 else 220
    instant = Instant(CAMERA.K, upright_camera(0.4, 35.0))
    followed = []
    for k in range(80):
        left = min(5 * k, 270)
        assert instant.step(np.ascontiguousarray(wide[:, left : left + 640])) == ""
        followed.append(0 if instant.tracks is None else len(instant.tracks.now))
    assert 60 < followed[0] < 80  # of which 42 percent leave the picture
    assert followed[-1] > 60
