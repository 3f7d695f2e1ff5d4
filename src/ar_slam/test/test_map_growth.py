"""A map that has seen a place stays as large as it is, however often that is looked at again."""

from __future__ import annotations

import numpy as np

from ar_slam import keyframes
from ar_slam.slam import Slam


def to_and_fro(s, passes):
    """Numbers of a sequence's pictures: forwards, backwards, forwards, ..."""
    there = list(range(len(s.pictures)))
    return [k for turn in range(passes) for k in (there[::-1] if turn % 2 else there)]


def test_forgetting_dead_points_changes_no_pose(see, monkeypatch):
    s = see("boxes", seconds=3.0)
    runs = []
    for alive in (0.0, 0.97):
        monkeypatch.setattr(keyframes, "ALIVE", alive)
        slam = Slam(s.intrinsics, s.options)
        poses = [slam.process(s.pictures[k], i / 30).T_map_camera for i, k in enumerate(to_and_fro(s, 2))]
        slam.close()
        runs.append((slam, poses))
    (plain, as_they_were), (tidy, poses) = runs
    assert plain.map.numbering == 0
    assert tidy.map.numbering > 0
    assert len(tidy.map.X) < 0.9 * len(plain.map.X)
    for a, b in zip(as_they_were, poses, strict=True):
        assert np.array_equal(a, b)
