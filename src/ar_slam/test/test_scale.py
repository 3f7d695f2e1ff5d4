"""Metres: set by somebody, or read off a printed marker; and a map that stays as it is."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from ar_core.geometry import Plane, hit_plane, inverse
from ar_slam import evaluation
from ar_slam.hit_test import factor_of_distance
from ar_slam.map_io import read_map, write_map
from ar_slam.markers import Finder
from ar_slam.results import CAMERA_HEIGHT, KNOWN_SIZE, MARKER
from ar_slam.slam import Options, Slam, State


def feed(slam, seen, begin, end):
    return [slam.process(seen.pictures[k], float(seen.stamps[k])) for k in range(begin, end)]


def rms_mm(results, poses):
    known = [(r.T_map_camera, T) for r, T in zip(results, poses, strict=True) if r.T_map_camera is not None]
    errors = evaluation.absolute_errors([e for e, _ in known], [t for _, t in known], with_scale=False)
    return float(1e3 * np.sqrt(np.mean(errors**2)))


def test_a_known_distance_on_the_table_makes_the_map_metric(see, tmp_path):
    s = see("clean")
    slam = Slam(s.intrinsics, Options(camera_height=0.2, deterministic=True))  # it is 0.44
    before = feed(slam, s, 0, 60)[-1]
    assert before.state == State.TRACKING
    ends = np.array([[220.0, 300.0], [420.0, 280.0]])
    truth = hit_plane(ends, s.intrinsics, s.poses[59], Plane.ground())
    metres = float(np.linalg.norm(truth[0] - truth[1]))
    a, b = (tuple(p) for p in ends)
    put = hit_plane(ends[:1], s.intrinsics, before.T_map_camera, Plane.ground())
    factor = factor_of_distance(metres, a, b, s.intrinsics, before, slam.points_on_plane())
    slam.rescale(factor, KNOWN_SIZE)
    after = feed(slam, s, 60, 110)
    assert {r.state for r in after} == {State.TRACKING}
    assert {r.map_id for r in after} == {before.map_id + 1}
    assert {r.scale_source for r in after} == {KNOWN_SIZE}
    assert rms_mm(after, s.poses[60:110]) < 4.0
    # What was put down is still there in the picture, once it is carried along with the map.
    apart = s.intrinsics.project(factor * put, after[0].T_map_camera) - s.intrinsics.project(truth[:1], s.poses[60])
    assert np.hypot(*apart[0]) < 1.0
    odometry = [inverse(r.T_map_odom) @ r.T_map_camera for r in (before, *after)]
    steps = np.linalg.norm(np.diff([T[:3, 3] for T in odometry], axis=0), axis=1)
    assert steps.max() < 2.5 * np.linalg.norm(np.diff(s.poses[59:110, :3, 3], axis=0), axis=1).max()
    write_map(tmp_path / "map.npz", slam.save())
    slam.close()
    again = Slam(s.intrinsics, Options(deterministic=True))
    again.load(read_map(tmp_path / "map.npz"))
    found = [r for r in feed(again, s, 100, 110) if r.T_map_camera is not None]
    assert {r.scale_source for r in found} == {KNOWN_SIZE}
    assert found[-1].T_map_camera[2, 3] == pytest.approx(s.poses[109][2, 3], rel=0.03)
    again.close()


def test_the_scale_can_be_set_before_there_is_a_map(see):
    s = see("clean")
    slam = Slam(s.intrinsics, Options(camera_height=0.1, deterministic=True))
    first = feed(slam, s, 0, 4)[-1]
    true = float(s.poses[0][2, 3])
    slam.rescale(true / float(first.T_map_camera[2, 3]), CAMERA_HEIGHT)
    results = feed(slam, s, 4, 60)
    assert results[0].map_id == first.map_id + 1
    assert results[0].T_map_camera[2, 3] == pytest.approx(true, rel=0.02)
    assert results[-1].state == State.TRACKING
    assert results[-1].T_map_camera[2, 3] == pytest.approx(s.poses[59][2, 3], rel=0.03)
    slam.close()


def test_a_rescaled_map_is_followed_as_exactly_as_before(see):
    """Twice the same pictures, once with the map made seven times as large in between: the same trajectory, seven times."""
    s = see("boxes")
    runs = []
    for factor in (1.0, 7.0):
        slam = Slam(s.intrinsics, s.options)
        feed(slam, s, 0, 70)
        slam.rescale(factor, KNOWN_SIZE)
        results = feed(slam, s, 70, 110)
        assert {r.state for r in results} == {State.TRACKING}
        runs.append(np.array([r.T_map_camera[:3, 3] / factor for r in results]))
        slam.close()
    assert np.linalg.norm(runs[0] - runs[1], axis=1).max() < 0.001


def test_in_localisation_the_map_stays_as_it_is(see):
    s = see("boxes")
    slam = Slam(s.intrinsics, s.options)
    with pytest.raises(ValueError, match="there is no map"):
        slam.localise_only(True)
    feed(slam, s, 0, 80)
    slam.localise_only(True)
    X, status, keys = slam.map.X.copy(), slam.map.status.copy(), [kf.key for kf in slam.map.keyframes]
    results = feed(slam, s, 80, 105)
    assert {r.state for r in results} <= {State.TRACKING, State.WEAK}
    np.testing.assert_array_equal(slam.map.X, X)
    np.testing.assert_array_equal(slam.map.status, status)
    assert [kf.key for kf in slam.map.keyframes] == keys
    dark = np.full_like(s.pictures[0], 10)
    lost = [slam.process(dark, 4.0 + k) for k in range(12)]  # longer than it takes to begin a new map
    elsewhere = [slam.process(np.ascontiguousarray(s.pictures[80][::-1]), 17.0 + k) for k in range(10)]
    assert {r.state for r in (*lost, *elsewhere)} == {State.LOST}
    assert slam.map_id == results[-1].map_id
    slam.localise_only(False)
    slam.lose()
    feed_again = [slam.process(s.pictures[k], 30 + float(s.stamps[k])) for k in range(80, 118)]
    assert feed_again[-1].state == State.TRACKING
    assert len(slam.map.keyframes) > len(keys)
    slam.close()


def marked(see_name: str, seed: int, side: float):
    """A sequence with a printed marker of so many metres on the table, as grey pictures with the truth."""
    from sequences import make
    from sequences.scene import quad

    aruco = cv2.aruco
    words = aruco.getPredefinedDictionary(aruco.DICT_4X4_50)
    draw = getattr(aruco, "generateImageMarker", None) or aruco.drawMarker  # OpenCV 4.6 calls it so
    page = np.full((512, 512), 255, np.uint8)
    page[64:448, 64:448] = draw(words, 7, 384)
    sequence = make(see_name, seed)
    paper = side * 512 / 384
    sheet = quad((-paper / 2, paper / 2, 0.0), (paper, 0, 0), (0, -paper, 0), cv2.cvtColor(page, cv2.COLOR_GRAY2BGR))
    scene = replace(sequence.scene, ground=(*sequence.scene.ground, sheet))
    return replace(sequence, scene=scene, seconds=4.0)


@pytest.mark.skipif(not hasattr(cv2, "aruco"), reason="this OpenCV comes without its aruco module")
def test_a_printed_marker_gives_the_metres(see):
    sequence = marked("clean", 11, 0.08)
    slam = Slam(sequence.intrinsics, Options(camera_height=0.25, marker_size=0.08, deterministic=True))
    results, poses = [], []
    for stamp, picture, T in sequence:
        results.append(slam.process(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), stamp))
        poses.append(T)
    slam.close()
    sources = [r.scale_source for r in results]
    measured = sources.index(MARKER)
    assert set(sources[:measured]) == {CAMERA_HEIGHT}
    assert set(sources[measured:]) == {MARKER}  # once and for all
    assert results[measured].map_id == results[measured - 1].map_id + 1
    assert {r.state for r in results[measured:]} == {State.TRACKING}
    assert rms_mm(results[measured:], poses[measured:]) < 4.0


@pytest.mark.skipif(not hasattr(cv2, "aruco"), reason="this OpenCV comes without its aruco module")
def test_an_unknown_dictionary_is_refused_in_words():
    with pytest.raises(ValueError, match="DICT_4X4_50 is one"):
        Finder("DICT_9X9")
