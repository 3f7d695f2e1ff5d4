"""Placement of known solids that are projected with a known camera: what comes back must be what was put there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ar_character.placement import ASSUMED_DISTANCE, assumed_height, place
from ar_core.geometry import Intrinsics, Plane, inverse, pose, transform, upright_camera

CAMERA = Intrinsics(600, 610, 322.0, 236.0, 640, 480)
GROUND = Plane.ground()


def camera(pitch: float, roll: float = 0.0, distance: float = 0.6) -> np.ndarray:
    """A camera that looks at the point (distance cos(pitch), 0, 0) of the table."""
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    turn = pose(np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]), np.zeros(3))
    return upright_camera(distance * np.sin(np.radians(pitch)), pitch) @ turn


def cylinder(at: tuple[float, float], radius: float, height: float, top: float | None = None) -> np.ndarray:
    a = np.linspace(0, 2 * np.pi, 240)
    top = radius if top is None else top
    return np.concatenate(
        [
            np.column_stack([at[0] + r * np.cos(a), at[1] + r * np.sin(a), 0 * a + z])
            for r, z in ((radius, 0), (top, height))
        ]
    )


def box(at: tuple[float, float], side: float, height: float, yaw: float) -> np.ndarray:
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    corners = np.array([[x, y] for x in (-side / 2, side / 2) for y in (-side / 2, side / 2)]) @ [[c, s], [-s, c]]
    return np.concatenate([np.column_stack([corners + at, np.full(4, z)]) for z in (0, height)])


def ball(at: tuple[float, float], radius: float) -> np.ndarray:
    n = np.random.default_rng(0).normal(size=(4000, 3))
    return n / np.linalg.norm(n, axis=1, keepdims=True) * radius + [*at, radius]


def cut(points: np.ndarray, T: np.ndarray, intrinsics: Intrinsics = CAMERA) -> tuple[np.ndarray, tuple[float, float]]:
    """Anti-aliased alpha of a convex solid, and its corner in the picture."""
    hull = cv2.convexHull(intrinsics.project(points, T).astype(np.float32)).reshape(-1, 2)
    fine = np.zeros((4 * intrinsics.height, 4 * intrinsics.width), np.uint8)
    cv2.fillPoly(fine, [np.round(((hull + 0.5) * 4 - 0.5) * 16).astype(np.int32)], 255, shift=4)
    mask = cv2.resize(fine, (intrinsics.width, intrinsics.height), interpolation=cv2.INTER_AREA)
    x, y, w, h = cv2.boundingRect((mask > 0).astype(np.uint8))
    return mask[y : y + h, x : x + w], (float(x), float(y))


def height_in_view(points: np.ndarray, T: np.ndarray, foot: np.ndarray) -> float:
    """How high a vertical line on foot (3,) is that ends where the solid ends in the picture, by bisection."""
    origin, up = CAMERA.project(np.stack([foot, foot + np.array([0, 0, 1e-3])]), T)
    up = (up - origin) / np.linalg.norm(up - origin)
    end = ((CAMERA.project(points, T) - origin) @ up).max()
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = 0.5 * (low + high)
        reached = (CAMERA.project((foot + np.array([0, 0, middle]))[None], T)[0] - origin) @ up
        low, high = (middle, high) if reached < end else (low, middle)
    return low


@pytest.mark.parametrize("pitch", [15, 30, 50])
@pytest.mark.parametrize("roll", [0, 20])
def test_cylinder(pitch: float, roll: float) -> None:
    T = camera(pitch, roll)
    at = (0.6 * np.cos(np.radians(pitch)), 0.04)
    solid = cylinder(at, 0.04, 0.10)
    found = place(*cut(solid, T), CAMERA, T, GROUND)
    assert np.hypot(*(found.T_map_character[:2, 3] - at)) < 0.003
    assert found.T_map_character[2, 3] == pytest.approx(0, abs=1e-9)
    assert found.object_height == pytest.approx(height_in_view(solid, T, np.array([*at, 0.0])), rel=0.02)
    assert 0.10 < found.object_height < 0.10 + 0.05 * np.tan(np.radians(pitch)) + 0.005
    assert found.foot_radius == pytest.approx(0.04, rel=0.04)
    assert found.note == ""
    assert np.linalg.norm(found.footprint - CAMERA.project(np.array([[*at, 0.0]]), T)[0]) < 3
    R = found.T_map_character[:3, :3]
    assert np.allclose(R @ R.T, np.eye(3))
    assert np.linalg.det(R) == pytest.approx(1)
    assert np.allclose(R[:, 2], [0, 0, 1])
    toward = T[:2, 3] - np.array(at)
    assert R[:2, 0] @ toward / np.linalg.norm(toward) > 0.999


@pytest.mark.parametrize(
    ("solid", "metres", "relative"),
    [
        (box((0.52, 0.0), 0.08, 0.08, 0), 0.003, 0.03),
        (box((0.52, 0.0), 0.05, 0.20, 0), 0.003, 0.02),
        (box((0.52, 0.03), 0.08, 0.08, 30), 0.012, 0.08),
        (cylinder((0.52, -0.05), 0.06, 0.03), 0.004, 0.04),
        (cylinder((0.52, 0.0), 0.03, 0.10, top=0.045), 0.003, 0.02),
        (cylinder((0.52, 0.0), 0.04, 0.10, top=0.001), 0.003, 0.02),
        (ball((0.52, 0.0), 0.04), 0.004, 0.03),
    ],
    ids=["cube", "tower", "turned cube", "plate", "cup", "cone", "ball"],
)
def test_other_solids(solid: np.ndarray, metres: float, relative: float) -> None:
    T = camera(30)
    found = place(*cut(solid, T), CAMERA, T, GROUND)
    base = solid[solid[:, 2] < solid[:, 2].min() + 1e-3]
    centre = 0.5 * (base.min(0) + base.max(0))[:2] if len(base) > 2 else solid[:, :2].mean(0)
    assert np.hypot(*(found.T_map_character[:2, 3] - centre)) < metres
    assert found.object_height == pytest.approx(height_in_view(solid, T, np.array([*centre, 0.0])), rel=relative)


def test_how_much_of_the_top_side_is_seen() -> None:
    """Of a can, from the near to the far edge of its lid; nothing of a cone's or a ball's; the more, the steeper."""
    shares = []
    for pitch in (15, 30, 45):
        T = camera(pitch)
        solid = cylinder((0.6 * np.cos(np.radians(pitch)), 0.0), 0.04, 0.10)
        seen = CAMERA.project(solid, T)[:, 1]
        lid = CAMERA.project(solid[240:], T)[:, 1]
        shares.append(place(*cut(solid, T), CAMERA, T, GROUND).top_share)
        assert shares[-1] == pytest.approx(np.ptp(lid) / np.ptp(seen), rel=0.25)
    assert shares[0] < shares[1] < shares[2]
    T = camera(30)
    assert place(*cut(cylinder((0.52, 0.0), 0.04, 0.10, top=0.001), T), CAMERA, T, GROUND).top_share < 0.1
    assert place(*cut(ball((0.52, 0.0), 0.04), T), CAMERA, T, GROUND).top_share < 0.1


def test_a_cones_height_is_its_own() -> None:
    """Nothing of its top is far from its middle: the height in view is the height."""
    T = camera(40)
    found = place(*cut(cylinder((0.46, 0.0), 0.03, 0.12, top=0.0005), T), CAMERA, T, GROUND)
    assert found.object_height == pytest.approx(0.12, rel=0.02)


def test_any_plane_and_a_lens_with_distortion() -> None:
    """The same picture in a map that is turned, moved and has its plane elsewhere gives the same object there."""
    lens = Intrinsics(600, 600, 320, 240, 640, 480, distortion=(-0.12, 0.03, 0.001, -0.001))
    T = camera(35)
    at = (0.6 * np.cos(np.radians(35)), -0.05)
    alpha, corner = cut(cylinder(at, 0.035, 0.12), T, lens)
    rotation = cv2.Rodrigues(np.array([0.4, -0.8, 0.3]))[0]
    T_other_map = pose(rotation, np.array([1.0, -2.0, 0.5]))
    normal = rotation[:, 2]
    plane = Plane(normal, float(normal @ T_other_map[:3, 3]))
    found = place(alpha, corner, lens, T_other_map @ T, plane)
    back = transform(inverse(T_other_map), found.T_map_character[:3, 3][None])[0]
    assert np.linalg.norm(back - [*at, 0]) < 0.004
    here = place(alpha, corner, lens, T, GROUND)
    assert found.object_height == pytest.approx(here.object_height, rel=1e-3)
    assert np.allclose(found.T_map_character[:3, 2], normal)


def test_crumbs_elsewhere_in_the_cutout_do_not_move_it() -> None:
    T = camera(30)
    alpha, corner = cut(cylinder((0.52, 0.0), 0.04, 0.10), T)
    dirty = np.pad(alpha, 30)
    dirty[-3:, -3:] = 255
    clean = place(alpha, corner, CAMERA, T, GROUND)
    found = place(dirty, (corner[0] - 30, corner[1] - 30), CAMERA, T, GROUND)
    assert np.allclose(found.T_map_character, clean.T_map_character, atol=2e-3)


def test_absurd_heights_are_clamped_and_say_so() -> None:
    T = camera(30)
    alpha, corner = cut(cylinder((0.52, 0.0), 0.002, 0.15), T)
    found = place(alpha, corner, CAMERA, T, GROUND)
    assert "cannot be: taken as" in found.note
    assert found.object_height < 0.10


def test_bad_input_is_a_clear_error() -> None:
    T = camera(30)
    alpha, corner = cut(cylinder((0.52, 0.0), 0.04, 0.10), T)
    with pytest.raises(ValueError, match="cut-out is empty"):
        place(np.zeros((20, 20), np.uint8), (0, 0), CAMERA, T, GROUND)
    with pytest.raises(ValueError, match="above the plane's horizon"):
        place(alpha, corner, CAMERA, upright_camera(0.3, -40), GROUND)
    with pytest.raises(ValueError, match="normal turned around"):
        place(alpha, corner, CAMERA, T, Plane(np.array([0.0, 0.0, -1.0]), 0.0))
    with pytest.raises(ValueError, match="cut-out is empty"):
        assumed_height(np.zeros((4, 4), np.uint8), CAMERA)


def test_assumed_height_is_the_masks_height_at_the_assumed_distance() -> None:
    alpha = np.zeros((200, 100), np.uint8)
    alpha[20:142, 10:90] = 255
    assert assumed_height(alpha, CAMERA) == pytest.approx(122 / 610 * ASSUMED_DISTANCE)
