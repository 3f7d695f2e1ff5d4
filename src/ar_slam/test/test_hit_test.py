"""What a pixel shows of the plane, and how well that is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ar_core.geometry import Intrinsics, Plane, hit_plane, nearest_rotation, upright_camera
from ar_slam.hit_test import Hit, checked_factor, factor_of_distance, hit_test, plane_uncertainty
from ar_slam.pose import rotation
from ar_slam.results import Result, State

CAMERA = Intrinsics(525.0, 525.0, 319.5, 239.5, 640, 480, (-0.1, 0.02, 0.0, 0.0, 0.0))
T = upright_camera(0.5, 40.0)
C = np.diag([0.002, 0.001, 0.0015, 0.003, 0.002, 0.001]) ** 2
SEEN = Result(1.0, State.TRACKING, "", T, np.eye(4), C, Plane.ground(), False, 2, 5)
PIXEL = (250.0, 300.0)


def spread_points(noise: float, n: int = 200) -> np.ndarray:
    rng = np.random.default_rng(4)
    return np.column_stack([rng.uniform(0.2, 1.2, n), rng.uniform(-0.5, 0.5, n), noise * rng.standard_normal(n)])


FLAT = spread_points(0.0)


def test_a_pixel_becomes_a_pose_on_the_plane():
    hit = hit_test(PIXEL, CAMERA, SEEN, FLAT)
    assert isinstance(hit, Hit)
    place = hit.T_map_place
    np.testing.assert_allclose(CAMERA.project(place[:3, 3], T)[0], PIXEL, atol=1e-6)
    assert abs(place[2, 3]) < 1e-12
    np.testing.assert_allclose(place[:3, 2], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(place[:3, :3] @ place[:3, :3].T, np.eye(3), atol=1e-12)
    assert place[:3, 0] @ (T[:3, 3] - place[:3, 3]) > 0  # looks to the camera
    assert (hit.plane, hit.inside, hit.doubt) == ("ground", True, "")


@pytest.mark.parametrize(
    ("camera", "pixel"),
    [
        (CAMERA, PIXEL),
        (Intrinsics(280, 280, 319.5, 239.5, 640, 480, (-0.03, 0.01, 0.0, 0.0), fisheye=True), (560.0, 440.0)),
    ],
)
def test_the_covariance_is_what_many_such_cameras_and_pixels_show(camera, pixel):
    hit = hit_test(pixel, camera, SEEN, FLAT)
    rng = np.random.default_rng(0)
    places = []
    for _ in range(4000):
        d = rng.multivariate_normal(np.zeros(6), C)
        off = T.copy()
        off[:3, :3], off[:3, 3] = nearest_rotation(rotation(d[3:]) @ T[:3, :3]), T[:3, 3] + d[:3]
        seen = np.array([pixel]) + 0.5 * rng.standard_normal(2)
        places.append(hit_plane(seen, camera, off, Plane.ground())[0])
    true = np.cov(np.array(places).T)
    deviation = np.sqrt(np.linalg.eigvalsh(hit.covariance[:2, :2]))
    np.testing.assert_allclose(deviation, np.sqrt(np.linalg.eigvalsh(true[:2, :2])), rtol=0.1)
    assert abs(hit.covariance[2, 2]) < 1e-12  # on the plane it is


def test_an_uneven_plane_makes_a_place_less_certain_and_more_so_beyond_its_edge():
    near, far = np.array([0.7, 0.0, 0.0]), np.array([2.5, 0.0, 0.0])
    X = spread_points(0.002)
    lift, tilt = plane_uncertainty(X, near)
    assert np.sqrt(lift) == pytest.approx(0.002 / np.sqrt(200), rel=0.2)
    assert np.sqrt(plane_uncertainty(X, far)[0]) > 4 * np.sqrt(lift)
    assert 0 < np.sqrt(tilt) < 0.002
    even, uneven = (hit_test(PIXEL, CAMERA, SEEN, x).covariance for x in (FLAT, spread_points(0.01)))
    assert np.trace(uneven[:3, :3]) > np.trace(even[:3, :3])


@pytest.mark.parametrize(
    ("pixel", "seen", "words"),
    [
        ((320.0, 5.0), replace(SEEN, T_map_camera=upright_camera(0.5, 10.0)), "above the horizon"),
        ((900.0, 100.0), SEEN, "outside of the picture of 640x480"),
        ((float("nan"), 100.0), SEEN, "outside of the picture"),
        (PIXEL, replace(SEEN, state=State.LOST, reason="too dark", T_map_camera=None), "the camera is lost: too dark"),
    ],
)
def test_where_there_is_no_place_it_says_why(pixel, seen, words):
    answer = hit_test(pixel, CAMERA, seen, FLAT)
    assert isinstance(answer, str)
    assert words in answer


def test_what_is_doubtful_about_a_place_is_said():
    assumed = hit_test(PIXEL, CAMERA, replace(SEEN, plane_assumed=True), np.zeros((0, 3)))
    assert (assumed.plane, assumed.inside) == ("assumed", False)
    assert "move the camera sideways" in assumed.doubt
    beyond = hit_test(PIXEL, CAMERA, SEEN, FLAT + np.array([5.0, 0, 0]))
    assert (beyond.plane, beyond.inside) == ("ground", False)
    assert "beyond what was seen" in beyond.doubt
    weak = hit_test(PIXEL, CAMERA, replace(SEEN, state=State.WEAK, reason="few points", covariance=900 * C), FLAT)
    assert "few points" in weak.doubt
    assert "known to" in weak.doubt


def test_a_known_distance_on_the_plane_gives_the_factor():
    ends = np.array([[0.5, -0.1, 0.0], [0.7, 0.1, 0.0]])
    a, b = (tuple(p) for p in CAMERA.project(ends, T))
    true = float(np.linalg.norm(ends[0] - ends[1]))
    assert factor_of_distance(1.7 * true, a, b, CAMERA, SEEN, FLAT) == pytest.approx(1.7, abs=1e-9)
    with pytest.raises(ValueError, match="10 px apart"):
        factor_of_distance(0.1, a, a, CAMERA, SEEN, FLAT)
    with pytest.raises(ValueError, match="outside of the picture"):
        factor_of_distance(0.1, a, (-5.0, 3.0), CAMERA, SEEN, FLAT)
    for factor in (1e9, float("nan"), -1.0):
        with pytest.raises(ValueError, match="cannot be meant"):
            checked_factor(factor)
