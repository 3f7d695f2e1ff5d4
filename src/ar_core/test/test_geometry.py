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


FISHEYE = Intrinsics(
    285, 287, 318, 243, 640, 480, (-0.02, 0.006, -0.003, 0.0004), fisheye=True
)  # corners at 83 degrees


@pytest.mark.parametrize("distortion", [(), (-0.28, 0.07, 1e-3, -5e-4, 0.0)])
def test_a_pixel_hit_on_the_table_projects_back_to_itself(distortion: tuple[float, ...]) -> None:
    camera = Intrinsics(560, 565, 319.5, 239.5, 640, 480, distortion)
    T = upright_camera(0.4, 35)
    pixels = np.random.default_rng(2).uniform((20, 60), (620, 460), (100, 2))
    points = hit_plane(pixels, camera, T, Plane.ground())
    assert np.abs(points[:, 2]).max() < 1e-12
    assert np.abs(camera.project(points, T) - pixels).max() < 2e-3


def test_every_pixel_of_a_fisheye_has_its_ray() -> None:
    y, x = np.mgrid[0:480:7, 0:640:7].reshape(2, -1)
    pixels = np.column_stack([x, y]).astype(float)
    rays = FISHEYE.rays(pixels)
    assert np.abs(FISHEYE.project(3.0 * rays) - pixels).max() < 1e-6
    assert np.degrees(np.arctan(np.hypot(*rays[:, :2].T))).max() > 80
    straight = FISHEYE.rays(np.array([[318.0, 243.0]]))
    assert straight.tolist() == [[0.0, 0.0, 1.0]]


def test_a_fisheye_is_the_one_of_opencv() -> None:
    cv2 = pytest.importorskip("cv2")
    if not hasattr(cv2, "fisheye"):
        pytest.skip("this OpenCV comes without its fisheye module")
    points = np.random.default_rng(3).uniform((-2, -2, 0.3), (2, 2, 1.5), (300, 3))
    expected = cv2.fisheye.projectPoints(
        points[None], np.zeros(3), np.zeros(3), FISHEYE.K, np.array(FISHEYE.distortion)
    )[0][0]
    assert np.abs(FISHEYE.project(points) - expected).max() < 1e-6


def test_a_fisheye_sees_beside_itself_where_no_plane_in_front_is() -> None:
    wide = Intrinsics(180, 180, 319.5, 239.5, 640, 480, fisheye=True)  # corners at 127 degrees
    rays = wide.rays(np.array([[319.5, 239.5], [400.0, 239.5], [2.0, 2.0]]))
    assert np.isfinite(rays[:2]).all()
    assert np.isnan(rays[2, :2]).all()
    assert rays[1, 0] == pytest.approx(np.tan(80.5 / 180))


@pytest.mark.parametrize(
    ("model", "d", "words"),
    [
        ("double_sphere", (0.1, 0.2), "'double_sphere' is not supported"),
        ("equidistant", (0.1, 0.0, 0.0, 0.0, 0.3), "5 coefficients; 4 are known"),
        ("rational_polynomial", (0.1,) * 12, "12 coefficients; 8 are known"),
    ],
)
def test_a_lens_that_is_not_known_is_refused_in_words(model: str, d: tuple[float, ...], words: str) -> None:
    k = (500, 0, 320, 0, 500, 240, 0, 0, 1)
    with pytest.raises(ValueError, match=words):
        Intrinsics.of_model(model, k, d, 640, 480)
    assert Intrinsics.of_model("plumb_bob", k, (0.1,) * 8, 640, 480).model == "rational_polynomial"
    assert Intrinsics.of_model("equidistant", k, (0.1, 0, 0, 0, 0), 640, 480).distortion == (0.1, 0, 0, 0)


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
    assert np.allclose(FISHEYE.rays(corner), FISHEYE.scaled(320, 240).rays(corner))


@pytest.mark.parametrize(
    ("bad", "word"),
    [({"fx": float("nan")}, "NaN"), ({"fy": 0.0}, "not positive"), ({"width": 0}, "not positive")],
)
def test_absurd_intrinsics_are_refused_in_words(bad: dict[str, float], word: str) -> None:
    good = {"fx": 500.0, "fy": 500.0, "cx": 320.0, "cy": 240.0, "width": 640, "height": 480}
    with pytest.raises(ValueError, match=word):
        Intrinsics(**{**good, **bad})  # type: ignore[arg-type]
