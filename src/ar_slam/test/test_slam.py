"""The whole SLAM on rendered sequences with exact truth."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from ar_core.geometry import Intrinsics, Plane, hit_plane, inverse, upright_camera
from ar_slam import evaluation
from ar_slam.kidnapped import trials
from ar_slam.recordings import Recording
from ar_slam.slam import Options, Slam, State

KNOWN = (State.TRACKING, State.WEAK, State.RELOCALISED)


def errors(run, with_scale=True):
    """Millimetres between estimated and true positions from the first tracked picture on, and the anchors' pixels."""
    pairs = [
        (r.T_map_camera, T)
        for r, T in zip(run.results[run.first :], run.seen.poses[run.first :], strict=True)
        if r.T_map_camera is not None
    ]
    estimated, true = [p[0] for p in pairs], [p[1] for p in pairs]
    position = 1e3 * evaluation.absolute_errors(estimated, true, with_scale)
    anchor = evaluation.anchor_errors(estimated[10:], true[10:], run.seen.intrinsics)
    return position, anchor[np.isfinite(anchor)]


def rms(values):
    return float(np.sqrt(np.mean(values**2)))


@pytest.mark.parametrize(
    ("name", "seconds", "init_s", "complete", "ate_mm", "anchor_px"),
    [
        ("clean", 4.0, 0.9, 1.0, 1.5, 1.0),
        ("boxes", 4.0, 1.5, 0.95, 4.0, 3.0),
        ("fast", 3.0, 1.5, 0.95, 6.0, 3.0),
        ("bare", 4.0, 1.2, 0.95, 4.0, 3.0),
        ("rolled", 3.0, 1.2, 1.0, 2.0, 1.5),
        ("tumbled", 3.0, 1.2, 1.0, 3.0, 2.0),
        ("rolling_shutter", 3.0, 1.2, 0.95, 4.0, 3.0),
        ("fisheye", 3.0, 1.2, 0.95, 4.0, 3.0),
    ],
)
def test_tracks_a_table(track, name, seconds, init_s, complete, ate_mm, anchor_px):
    run = track(name, seconds=seconds)
    assert run.seen.stamps[run.first] <= init_s
    assert np.mean([s == State.TRACKING for s in run.states[run.first :]]) >= complete
    position, anchor = errors(run)
    assert rms(position) <= ate_mm
    assert np.percentile(anchor, 95) <= anchor_px


def test_metres_follow_from_the_height_of_the_camera(track):
    run = track("clean")
    position, _ = errors(run, with_scale=False)
    assert rms(position) < 4.0
    true_plane = [T[2, 3] for T in run.seen.poses[run.first :]]
    height = [r.T_map_camera[2, 3] for r in run.results[run.first :]]
    np.testing.assert_allclose(height, true_plane, rtol=0.02)


def test_the_map_frame_stands_on_the_plane_under_the_first_camera(track):
    run = track("clean")
    first = run.results[run.first]
    assert first.plane.normal.tolist() == [0, 0, 1]
    assert first.plane.distance == 0
    assert not first.plane_assumed
    reference = run.results[0].T_map_camera
    assert np.hypot(*reference[:2, 3]) < 1e-9
    assert first.map_id == run.results[0].map_id + 1


def test_a_covered_lens_is_lost_and_found_again_in_the_same_map(track):
    run = track("covered", seconds=4.5)
    covered = (run.seen.stamps >= 3.0) & (run.seen.stamps < 3.6)
    dark = [r for r, c in zip(run.results, covered, strict=True) if c]
    assert all(r.state == State.LOST and r.T_map_camera is None and "dark" in r.reason for r in dark)
    back = int(np.flatnonzero(covered)[-1]) + 1
    found = run.states.index(State.RELOCALISED)
    assert back < found <= back + 4
    assert all(s == State.TRACKING for s in run.states[found + 1 :])
    assert run.results[found].map_id == run.results[run.first].map_id
    position, anchor = errors(run)
    assert position.max() < 5.0
    assert anchor.max() < 3.0


def test_another_scene_is_never_tracked(see, track):
    own, foreign = see("boxes"), see("clean", seed=23, seconds=4.0)
    slam = Slam(own.intrinsics, own.options)
    for k in range(75):
        before = slam.process(own.pictures[k], float(own.stamps[k]))
    assert before.state == State.TRACKING
    wrong = [slam.process(p, 2.5 + k / 30).state for k, p in enumerate(foreign.pictures[40:100])]
    again = [slam.process(own.pictures[k], 4.5 + k / 30) for k in range(75, 90)]
    slam.close()
    assert set(wrong) == {State.LOST}
    assert any(r.state == State.RELOCALISED for r in again)
    assert again[-1].state == State.TRACKING
    assert again[-1].map_id == before.map_id


def test_a_camera_carried_to_another_table_is_lost_there_and_found_when_it_is_back():
    from sequences import kidnapped

    sequence = kidnapped(seed=11, seconds=2.0)
    pictures = [cv2.cvtColor(p, cv2.COLOR_BGR2GRAY) for _, p, _ in islice(sequence, sequence.foreign.stop + 15)]
    slam = Slam(sequence.own.intrinsics, Options(deterministic=True))
    states = [slam.process(p, k / 30).state for k, p in enumerate(pictures)]
    slam.close()
    assert states[sequence.foreign.start - 1] == State.TRACKING
    assert set(states[sequence.foreign]) == {State.LOST}
    assert states[-1] == State.TRACKING


def test_views_that_were_not_mapped_are_recognised(see):
    """The last part of a loop is shown to the map of the first, picture by picture."""
    s = see("loop", seconds=8.0)
    recording = Recording(Path("loop"), lambda: iter(zip(s.stamps.tolist(), s.pictures, strict=True)), s.intrinsics)
    found = trials(recording, s.intrinsics, s.options, list(s.poses))
    assert found.tried >= 30
    assert found.found >= 0.9 * found.tried
    assert found.wrong == 0


def test_a_place_that_stays_unknown_gets_a_map_of_its_own_but_a_covered_lens_does_not(see):
    own, foreign = see("boxes"), see("clean", seed=23, seconds=4.0)
    slam = Slam(own.intrinsics, replace(own.options, new_map_after=1.0))
    for k in range(60):
        before = slam.process(own.pictures[k], float(own.stamps[k]))
    dark = [slam.process(np.full_like(own.pictures[0], 10), 2.0 + k / 3) for k in range(12)]
    assert {r.state for r in dark} == {State.LOST}
    new = [slam.process(p, 6.0 + k / 30) for k, p in enumerate(foreign.pictures[:100])]
    slam.close()
    assert {r.map_id for r in dark} == {before.map_id}
    waiting = [r for r in new if r.stamp < 6.6]
    assert {r.state for r in waiting} == {State.LOST}
    assert new[-1].state == State.TRACKING
    assert new[-1].map_id == before.map_id + 2


def test_a_tripod_is_static_and_its_pose_holds(track):
    run = track("tripod", seconds=2.0)
    settled = [r for r in run.results if r.stamp > 0.6]
    assert all(r.state == State.STATIC for r in settled)  # although a hand moves through the picture
    assert all(np.array_equal(r.T_map_camera, run.results[0].T_map_camera) for r in run.results)
    assert all(r.plane_assumed for r in run.results)


def test_a_resting_camera_does_not_jitter_and_goes_on_without_a_jump(track):
    run = track("rest", seconds=4.6)
    s = run.seen
    points = hit_plane(
        np.array([[320.0, 240], [220, 330], [420, 330]]), s.intrinsics, run.results[85].T_map_camera, Plane.ground()
    )
    resting = [r.T_map_camera for r in run.results if 2.7 < r.stamp < 3.95]
    assert evaluation.jitter_px(resting, s.intrinsics, points) < 0.05
    resume = int(np.flatnonzero(s.stamps >= 4.0)[0])
    scale = s.poses[85][2, 3] / run.results[85].T_map_camera[2, 3]
    assert scale == pytest.approx(1, abs=0.02)
    for k in range(resume - 1, resume + 6):
        step = s.intrinsics.project(points, run.results[k + 1].T_map_camera) - s.intrinsics.project(
            points, run.results[k].T_map_camera
        )
        true = hit_plane(
            s.intrinsics.project(points, run.results[85].T_map_camera), s.intrinsics, s.poses[85], Plane.ground()
        )
        true_step = s.intrinsics.project(true, s.poses[k + 1]) - s.intrinsics.project(true, s.poses[k])
        assert np.abs(step - true_step).max() < 0.5


def test_a_camera_that_only_turns_is_not_tracked_and_is_told_to_move(track):
    run = track("turning", seconds=3.0)
    assert not set(run.states) & set(KNOWN)
    assert any("only turns" in r.reason for r in run.results)
    turned = [r.T_map_camera for r in run.results]
    assert max(np.linalg.norm(T[:3, 3] - turned[0][:3, 3]) for T in turned) < 0.05


def test_what_is_put_down_at_once_sticks_until_the_map_is_there(track):
    run = track("clean")
    s = run.seen
    tilt = np.degrees(np.arcsin(-s.poses[0][2, 2]))
    pixel = np.array([[320.0, 290.0]])
    anchor = hit_plane(pixel, s.intrinsics, run.results[0].T_map_camera, Plane.ground())
    true = hit_plane(pixel, s.intrinsics, s.poses[0], Plane.ground())
    assert abs(tilt - 35) < 15  # the assumed pitch is another one than the true
    for r, T in zip(run.results[: run.first], s.poses, strict=False):
        apart = s.intrinsics.project(anchor, r.T_map_camera) - s.intrinsics.project(true, T)
        assert np.hypot(*apart[0]) < 10.0


def test_the_same_pictures_give_the_same_poses_bit_for_bit(see):
    s = see("boxes")

    def poses():
        slam = Slam(s.intrinsics, s.options)
        results = [slam.process(s.pictures[k], float(s.stamps[k])) for k in range(70)]
        slam.close()
        return [None if r.T_map_camera is None else r.T_map_camera.tobytes() for r in results]

    assert poses() == poses()


def test_odometry_never_jumps(track):
    run = track("covered", seconds=4.5)
    odometry = [inverse(r.T_map_odom) @ r.T_map_camera for r in run.results if r.T_map_camera is not None]
    steps = np.linalg.norm(np.diff([T[:3, 3] for T in odometry], axis=0), axis=1)
    true = np.linalg.norm(np.diff(run.seen.poses[:, :3, 3], axis=0), axis=1)
    assert steps.max() < 2.5 * true.max()


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (np.full((480, 640), 9, np.uint8), "too dark"),
        (np.full((480, 640), 128, np.uint8), "blank"),
        (np.linspace(60, 200, 640).astype(np.uint8)[None].repeat(480, 0), "too little texture"),
    ],
)
def test_says_what_is_wrong_with_a_picture(picture, reason):
    slam = Slam(Intrinsics(525, 525, 319.5, 239.5, 640, 480), Options(deterministic=True))
    for k in range(3):
        result = slam.process(picture, k / 30)
        assert result.state == State.LOST
        assert result.T_map_camera is None
        assert reason in result.reason
    slam.close()


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((480, 640, 3), np.uint8), "grey is needed"),
        (np.zeros((480, 640), np.float32), "float32"),
        (np.zeros((240, 320), np.uint8), "320x240, its calibration 640x480"),
    ],
)
def test_refuses_what_is_no_picture_of_its_camera(picture, message):
    slam = Slam(Intrinsics(525, 525, 319.5, 239.5, 640, 480))
    with pytest.raises(ValueError, match=message):
        slam.process(picture, 0.0)
    slam.close()


def test_the_first_pose_is_an_upright_camera_over_the_assumed_plane(track):
    run = track("clean")
    first = run.results[0]
    assert first.state == State.INITIALISING
    assert first.plane_assumed
    np.testing.assert_allclose(first.T_map_camera, upright_camera(run.seen.options.camera_height, 35.0), atol=1e-12)


def test_lens_distortion_is_taken_out(see):
    s = see("clean")
    bent = Intrinsics(525, 525, 319.5, 239.5, 640, 480, distortion=(-0.25, 0.08, 0.001, -0.0005, 0.0))
    y, x = np.mgrid[0:480, 0:640].reshape(2, -1).astype(np.float64)
    rays = bent.rays(np.column_stack([x, y]))
    source = (rays[:, :2] * 525 + (319.5, 239.5)).astype(np.float32).reshape(480, 640, 2)
    slam = Slam(bent, s.options)
    results = [
        slam.process(cv2.remap(p, source, None, cv2.INTER_LINEAR), float(t))
        for p, t in zip(s.pictures[:60], s.stamps[:60], strict=True)
    ]
    slam.close()
    first = [r.state for r in results].index(State.TRACKING)
    estimated = [r.T_map_camera for r in results[first:]]
    assert rms(1e3 * evaluation.absolute_errors(estimated, list(s.poses[first:60]), True)) < 2.0
