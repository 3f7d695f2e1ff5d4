import numpy as np
import pytest

from ar_core.geometry import (
    Intrinsics,
    Plane,
    hit_plane,
    interpolate,
    inverse,
    nearest_rotation,
    pose,
    quaternion_from_rotation,
    rotation_from_quaternion,
    upright_camera,
)


def random_pose(rng: np.random.Generator) -> np.ndarray:
    return pose(nearest_rotation(rng.normal(size=(3, 3))), rng.normal(size=3))


def test_quaternion_round_trip_for_every_branch() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        R = random_pose(rng)[:3, :3]
        assert np.allclose(rotation_from_quaternion(quaternion_from_rotation(R)), R, atol=1e-12)
    for half_turn in (np.diag([1, -1, -1]), np.diag([-1, 1, -1]), np.diag([-1, -1, 1])):
        assert np.allclose(rotation_from_quaternion(quaternion_from_rotation(half_turn.astype(float))), half_turn)


def test_inverse_and_interpolation_ends() -> None:
    rng = np.random.default_rng(1)
    A, B = random_pose(rng), random_pose(rng)
    assert np.allclose(inverse(A) @ A, np.eye(4), atol=1e-12)
    assert np.allclose(interpolate(A, B, 0.0), A, atol=1e-9)
    assert np.allclose(interpolate(A, B, 1.0), B, atol=1e-9)


@pytest.mark.parametrize("distortion", [(), (-0.28, 0.07, 1e-3, -5e-4, 0.0)])
def test_a_pixel_hit_on_the_table_projects_back_to_itself(distortion: tuple[float, ...]) -> None:
    camera = Intrinsics(560, 565, 319.5, 239.5, 640, 480, distortion)
    T = upright_camera(0.4, 35)
    pixels = np.random.default_rng(2).uniform((20, 60), (620, 460), (100, 2))
    points = hit_plane(pixels, camera, T, Plane.ground())
    assert np.abs(points[:, 2]).max() < 1e-12
    assert np.abs(camera.project(points, T) - pixels).max() < 2e-3


def test_rays_above_the_horizon_hit_nothing_and_points_behind_project_to_nan() -> None:
    camera = Intrinsics.from_field_of_view(640, 480)
    T = upright_camera(0.4, 0)
    hits = hit_plane(np.array([[320.0, 10.0], [320.0, 470.0]]), camera, T, Plane.ground())
    assert np.isnan(hits[0]).all()
    assert hits[1, 0] > 0
    assert np.isnan(camera.project(np.array([[-1.0, 0.0, 0.0]]), T)).all()


def test_an_upright_camera_has_its_y_axis_down() -> None:
    T = upright_camera(0.3, 0)
    assert np.allclose(T[:3, 1], [0, 0, -1])
    assert np.allclose(np.linalg.det(T[:3, :3]), 1)


def test_scaling_keeps_what_a_pixel_sees() -> None:
    camera = Intrinsics(500, 500, 319.5, 239.5, 640, 480)
    half = camera.scaled(320, 240)
    corner = np.array([[-0.5, -0.5]])
    assert np.allclose(camera.rays(corner), half.rays(corner))


@pytest.mark.parametrize(
    ("bad", "word"),
    [({"fx": float("nan")}, "NaN"), ({"fy": 0.0}, "not positive"), ({"width": 0}, "not positive")],
)
def test_absurd_intrinsics_are_refused_in_words(bad: dict[str, float], word: str) -> None:
    good = {"fx": 500.0, "fy": 500.0, "cx": 320.0, "cy": 240.0, "width": 640, "height": 480}
    with pytest.raises(ValueError, match=word):
        Intrinsics(**{**good, **bad})  # type: ignore[arg-type]
