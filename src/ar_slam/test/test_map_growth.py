"""A map that has seen a place stays as large as it is, however often that is looked at again."""

from __future__ import annotations

import numpy as np

from ar_slam import keyframes
from ar_slam.keyframes import DEAD, Features, Map
from ar_slam.slam import Slam, State


def to_and_fro(s, passes):
    """Numbers of a sequence's pictures: forwards, backwards, forwards, ..."""
    there = list(range(len(s.pictures)))
    return [k for turn in range(passes) for k in (there[::-1] if turn % 2 else there)]


def test_views_that_were_seen_make_no_keyframes_and_no_points(see):
    s = see("boxes", seconds=3.0)
    slam = Slam(s.intrinsics, s.options)
    sizes = []
    for i, k in enumerate(to_and_fro(s, 4)):
        result = slam.process(s.pictures[k], i / 30)
        if (i + 1) % len(s.pictures) == 0:
            assert result.state == State.TRACKING
            sizes.append((len(slam.map.keyframes), len(slam.map.X)))
    slam.close()
    assert sizes[-1][0] <= sizes[0][0] + 2
    assert sizes[-1][0] == sizes[1][0]
    assert sizes[-1][1] <= 1.05 * sizes[1][1]


def test_a_long_way_round_leaves_few_keyframes_when_it_is_gone_again(see):
    """The third time two at the most: compared with the newest and the most crowded keyframe alone there were eleven."""
    s = see("loop", seconds=8.0)
    slam = Slam(s.intrinsics, s.options)
    counts = []
    for i, k in enumerate(to_and_fro(s, 3)):
        slam.process(s.pictures[k], i / 30)
        if (i + 1) % len(s.pictures) == 0:
            counts.append(len(slam.map.keyframes))
    slam.close()
    assert counts[2] <= counts[1] + 2


def test_forgetting_dead_points_moves_no_pose(see, monkeypatch):
    s = see("boxes", seconds=3.0)
    runs = []
    for alive in (0.0, 0.9):
        monkeypatch.setattr(keyframes, "ALIVE", alive)
        slam = Slam(s.intrinsics, s.options)
        poses = []
        for k in range(len(s.pictures)):
            poses.append(slam.process(s.pictures[k], float(s.stamps[k])).T_map_camera)
            if k == 45:
                seen_badly = np.flatnonzero(slam.map.status == keyframes.MAPPED)[::4]
                slam.map.status[seen_badly] = DEAD
        slam.close()
        runs.append((slam.map, poses))
    (plain, as_they_were), (tidy, poses) = runs
    assert plain.numbering == 0
    assert tidy.numbering > 0
    assert len(tidy.X) < 0.95 * len(plain.X)
    for a, b in zip(as_they_were, poses, strict=True):
        assert np.abs(a - b).max() < 1e-3


def test_points_keep_what_is_known_of_them_under_their_new_numbers():
    m = Map()
    m.add_points(np.arange(20, dtype=np.float32).reshape(10, 2), 0, np.arange(30.0).reshape(10, 3))
    kf = m.add_keyframe(np.zeros((8, 8), np.uint8), np.eye(3), np.zeros(3), np.arange(2, 10), np.ones((8, 2)))
    kf.uv[:, 0] = np.arange(2, 10)
    kf.features = Features(np.arange(3, dtype=np.uint8)[:, None].repeat(32, 1), np.array([3, 4, 5]))
    m.status[[0, 4, 9]] = DEAD
    number = m.forget_dead()
    assert number.tolist() == [-1, 0, 1, 2, -1, 3, 4, 5, 6, -1]
    assert m.X[:, 0].tolist() == [3, 6, 9, 15, 18, 21, 24]
    assert kf.ids.tolist() == [1, 2, 3, 4, 5, 6]
    assert kf.uv[:, 0].tolist() == [2, 3, 5, 6, 7, 8]
    assert kf.features.ids.tolist() == [2, 3]
    assert kf.features.descriptors[:, 0].tolist() == [0, 2]
    assert m.forget_dead() is None
