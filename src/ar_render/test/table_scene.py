"""A table of known texture, seen by a pinhole, with an upright block on it: exact truth for the hole and the light."""

from __future__ import annotations

import cv2
import numpy as np

from ar_core.geometry import Intrinsics, Plane, inverse, pose
from ar_render.plane_view import View

CAMERA = Intrinsics.from_field_of_view(320, 240)
SIDE, N = 1.2, 1200  # metres and texels of the table's picture


def texture(seed: int = 0) -> np.ndarray:
    """(N, N, 3): cloth with a check of 4 cm, a light that falls off to one side, and noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:N, 0:N] + 0.5
    check = 12 * np.sign(np.sin(2 * np.pi * x / 40)) + 12 * np.sign(np.sin(2 * np.pi * y / 40))
    noise = cv2.GaussianBlur(rng.normal(0, 30, (N, N)).astype(np.float32), (0, 0), 3)
    grey = (150 + check + noise) * (1.1 - 0.25 * x / N)
    return np.clip(grey[..., None] * np.array([0.8, 0.95, 1.0]), 0, 255).astype(np.uint8)


def looking(azimuth: float, elevation: float = 0.6, distance: float = 0.55) -> View:
    """From around the origin of the table, at it; angles in radians."""
    eye = distance * np.array(
        [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)]
    )
    z = (np.array([0, 0, 0.04]) - eye) / np.linalg.norm(np.array([0, 0, 0.04]) - eye)
    x = np.cross(z, [0, 0, 1.0])
    x /= np.linalg.norm(x)
    return View(CAMERA, pose(np.column_stack([x, np.cross(z, x), z]), eye), Plane.ground())


def table(view: View, cloth: np.ndarray) -> np.ndarray:
    """What the camera sees of the bare table."""
    k, T = view.intrinsics, inverse(view.T_map_camera)
    H = k.K @ np.column_stack([T[:3, 0], T[:3, 1], T[:3, 3]])  # (x, y) of the table to pixels
    texel = np.array([[SIDE / N, 0, -SIDE / 2], [0, SIDE / N, -SIDE / 2], [0, 0, 1]])
    return np.asarray(
        cv2.warpPerspective(cloth, H @ texel, (k.width, k.height), flags=cv2.INTER_LINEAR, borderValue=(90, 90, 90))
    )


def block(view: View, size: tuple[float, float, float] = (0.06, 0.06, 0.1)) -> np.ndarray:
    """The mask (H, W) uint8 of a block on the origin."""
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0, 1)]) * size
    hull = cv2.convexHull(view.intrinsics.project(corners, view.T_map_camera).astype(np.float32))
    out = np.zeros((view.intrinsics.height, view.intrinsics.width), np.uint8)
    cv2.fillConvexPoly(out, np.round(hull * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    return out


def photograph(view: View, cloth: np.ndarray, brightness: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Picture with the block, picture without, mask."""
    bare, mask = np.clip(table(view, cloth) * brightness, 0, 255).astype(np.uint8), block(view)
    share = mask[..., None] / 255
    return np.round(bare * (1 - share) + np.array([40, 60, 200]) * share).astype(np.uint8), bare, mask
