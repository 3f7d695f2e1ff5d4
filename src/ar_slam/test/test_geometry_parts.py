"""Poses, planes and bundle adjustment on exactly known points."""

from __future__ import annotations

import numpy as np
import pytest

from ar_core.geometry import inverse, transform, upright_camera
from ar_slam.bundle import bundle_adjust
from ar_slam.initialisation import Start, Strictness, initialise
from ar_slam.planes import fit_ground, flatten_correction, ground_from_plane, outline, upright_up
from ar_slam.pose import fit_rotation, pose_covariance, project, ransac_pose, refine_pose, rotation, solve_pose

K = np.array([[500.0, 0, 319.5], [0, 500, 239.5], [0, 0, 1]])
SIZE = (640, 480)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def scene(rng, n=120):
    """Points before a camera that is turned a little and stands to the side, and where it sees them."""
    X = np.column_stack([rng.uniform(-1, 1, n), rng.uniform(-0.8, 0.8, n), rng.uniform(1.5, 4, n)])
    R, t = rotation(np.array([0.1, -0.2, 0.05])), np.array([0.1, -0.05, 0.2])
    return X, R, t, project(K, R, t, X)[0]


def test_refines_a_pose_to_the_truth_in_spite_of_outliers(rng):
    X, R, t, uv = scene(rng)
    uv[:30] += rng.uniform(20, 80, (30, 2))
    fit = refine_pose(K, rotation(np.array([0.02, 0.01, 0])) @ R, t + 0.02, X, uv, iterations=20)
    assert np.abs(fit.R - R).max() < 1e-6
    assert np.abs(fit.t - t).max() < 1e-6
    assert fit.inliers.tolist() == [False] * 30 + [True] * 90
    assert fit.rms < 1e-4


def test_finds_a_pose_without_a_start(rng):
    X, R, _, uv = scene(rng)
    uv[:50] = rng.uniform(0, 480, (50, 2))
    found = ransac_pose(K, X, uv, threshold_px=2.0, iterations=300)
    assert found is not None
    assert np.abs(found[0] - R).max() < 1e-3
    assert set(found[2]) >= set(range(50, 120))


def test_no_pose_from_points_that_do_not_agree(rng):
    X, R, t, _ = scene(rng)
    assert solve_pose(K, R, t, X, rng.uniform(0, 480, (120, 2)), SIZE, ransac=True) is None
    assert solve_pose(K, R, t, X[:5], rng.uniform(0, 480, (5, 2)), SIZE, ransac=True) is None


def test_covariance_tells_how_far_estimates_scatter(rng):
    X, R, t, uv = scene(rng)
    estimates = []
    for _ in range(300):
        fit = refine_pose(K, R, t, X, uv + rng.normal(0, 0.5, uv.shape), scale_px=50)
        estimates.append(-fit.R.T @ fit.t)
    predicted = np.sqrt(np.diag(pose_covariance(refine_pose(K, R, t, X, uv, scale_px=50), noise_px=0.5))[:3])
    np.testing.assert_allclose(np.std(estimates, 0), predicted, rtol=0.15)


def test_a_rotation_explains_a_camera_that_turns(rng):
    X, R, _, _ = scene(rng)
    u0, u1 = project(K, np.eye(3), np.zeros(3), X)[0], project(K, R, np.zeros(3), X)[0]
    estimate, residual = fit_rotation(K, u0, u1)
    assert np.abs(estimate - R).max() < 1e-9
    assert residual.max() < 1e-6


def test_bundle_adjustment_removes_what_was_added(rng):
    X, _, _, _ = scene(rng)
    R = np.array([rotation(np.array([0, 0.06 * k, 0])) for k in range(5)])
    t = np.array([[0.15 * k, 0.02 * k, 0] for k in range(5)])
    uv = np.concatenate([project(K, R[k], t[k], X)[0] for k in range(5)])
    camera, point = np.repeat(np.arange(5), len(X)), np.tile(np.arange(len(X)), 5)
    fixed = np.arange(5) < 2
    noisy_t = t + np.where(fixed[:, None], 0, rng.normal(0, 0.01, t.shape))
    noisy_X = X + rng.normal(0, 0.02, X.shape)
    uv[7] += 40  # one wrong observation
    adjusted = bundle_adjust(K, R, noisy_t, noisy_X, camera, point, uv, fixed, iterations=30)
    assert np.abs(adjusted.t - t).max() < 1e-3
    assert np.median(np.linalg.norm(adjusted.X - X, axis=1)) < 1e-3
    assert adjusted.errors[7] > 30
    assert np.array_equal(adjusted.t[:2], t[:2])


def table(rng, tilt_deg=0.0):
    """Points of a table, of a box on it and of the floor behind, in the frame of an upright camera; which are the table's."""
    T = upright_camera(0.5, 40.0)
    flat = np.column_stack([rng.uniform(0.3, 1.0, 80), rng.uniform(-0.4, 0.4, 80), rng.normal(0, 0.0008, 80)])
    box = np.column_stack([rng.uniform(0.55, 0.65, 50), rng.uniform(-0.1, 0.1, 50), rng.uniform(0.0, 0.15, 50)])
    floor = np.column_stack([rng.uniform(2.0, 3.0, 60), rng.uniform(-1, 1, 60), np.full(60, -0.7)])
    X = transform(inverse(T), np.vstack([flat, box, floor]))
    near = np.r_[np.ones(130, bool), np.zeros(60, bool)]
    return X, near, T


def test_finds_the_plane_that_things_stand_on(rng):
    X, near, T = table(rng)
    plane = fit_ground(X, near, np.zeros(3), upright_up(30.0), 0.006)
    assert plane.measured
    assert np.degrees(np.arccos(plane.normal @ (T[:3, :3].T @ [0, 0, 1]))) < 0.3
    assert -plane.distance == pytest.approx(0.5, abs=0.002)


def test_a_bare_table_is_laid_under_what_stands_on_it(rng):
    X, near, T = table(rng)
    seen = np.r_[np.zeros(80, bool), np.ones(110, bool)]  # nothing of the table, but the box and the floor
    plane = fit_ground(X[seen], near[seen], np.zeros(3), upright_up(30.0), 0.006)
    assert not plane.measured
    assert np.degrees(np.arccos(plane.normal @ (T[:3, :3].T @ [0, 0, 1]))) < 2  # level like the floor
    assert -plane.distance == pytest.approx(0.5, abs=0.03)


def test_the_map_frame_of_a_plane():
    normal, centre = upright_up(35.0), np.zeros(3)
    T = ground_from_plane(normal, -0.6, centre, np.array([0.0, 0, 1]))
    np.testing.assert_allclose(transform(T, centre[None])[0], [0, 0, 0.6], atol=1e-12)
    np.testing.assert_allclose(T[:3, :3] @ normal, [0, 0, 1], atol=1e-12)
    ahead = T[:3, :3] @ np.array([0.0, 0, 1])
    assert ahead[0] > 0.5
    assert ahead[1] == pytest.approx(0, abs=1e-12)


def test_lays_a_tilted_plane_flat(rng):
    flat = np.column_stack([rng.uniform(-0.3, 0.5, (150, 2)), rng.normal(0, 2e-4, 150)])
    high = np.column_stack([rng.uniform(-0.3, 0.5, (40, 2)), rng.uniform(0.02, 0.2, 40)])
    tilt = rotation(np.radians([0.5, -0.3, 0]))
    T = flatten_correction(np.vstack([flat, high]) @ tilt.T + [0, 0, 0.002], 0.012)
    assert T is not None
    np.testing.assert_allclose(transform(T, flat @ tilt.T + [0, 0, 0.002])[:, 2], flat[:, 2], atol=2e-4)


def test_outline_of_too_few_points_is_empty():
    assert outline(np.zeros((2, 3))).shape == (0, 3)
    assert outline(np.array([[0, 0, 0.001], [1, 0, 0], [0, 1, 0], [0.2, 0.2, 0.0]])).shape == (3, 3)


def views(X, count, step, turn=0.0):
    """Pixels of X from `count` cameras, each `step` (3,) metres and `turn` radians on from the one before."""
    out = []
    for k in range(count):
        R = rotation(np.array([0, turn * k, 0]))
        out.append(project(K, R, -R @ (np.array(step) * k), X)[0])
    return out


def test_a_first_map_of_a_scene_with_depth(rng):
    X, _, _, _ = scene(rng)
    seen = [v + rng.normal(0, 0.2, v.shape) for v in views(X, 7, [0.06, 0, 0], -0.01)]
    start = initialise(K, seen, Strictness(), upright_up(35))
    assert isinstance(start, Start)
    scale = 0.36 / np.linalg.norm(start.baseline)
    assert np.degrees(np.arccos(start.baseline[0] / np.linalg.norm(start.baseline))) < 1
    error = np.linalg.norm(scale * start.X[start.good] - X[start.good], axis=1) / X[start.good, 2]
    assert np.median(error) < 0.01


def test_a_first_map_of_a_plane(rng):
    T = inverse(upright_camera(0.5, 45.0))
    flat = np.column_stack([rng.uniform(0.2, 0.9, 150), rng.uniform(-0.35, 0.35, 150), np.zeros(150)])
    X = transform(T, flat)
    seen = [v + rng.normal(0, 0.2, v.shape) for v in views(X, 7, [0.03, 0.005, 0])]
    start = initialise(K, seen, Strictness(), upright_up(35))
    assert isinstance(start, Start)
    normal = np.linalg.svd(start.X[start.good] - start.X[start.good].mean(0))[2][-1]
    assert np.degrees(np.arccos(abs(normal @ (T[:3, :3] @ [0, 0, 1])))) < 1.5


def test_no_first_map_without_a_sideways_motion(rng):
    X, _, _, _ = scene(rng)
    turned = [v + rng.normal(0, 0.2, v.shape) for v in views(X, 7, [0, 0, 0], 0.02)]
    assert "parallax" in initialise(K, turned, Strictness(), upright_up(35)) or "motion" in initialise(
        K, turned, Strictness(), upright_up(35)
    )
