"""Between pixels, rays and the plane's own coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Intrinsics, Plane

Array = NDArray[Any]


@dataclass(frozen=True)
class View:
    """The camera of one picture: T_map_camera (4, 4) and the plane things stand on."""

    intrinsics: Intrinsics
    T_map_camera: Array
    plane: Plane


def plane_axes(plane: Plane) -> Array:
    """(3, 4): rows take homogeneous points of map to the plane's own coordinates: two on it, and the height above it."""
    n = np.asarray(plane.normal, np.float64)
    x = cross(np.array([0.0, 1.0, 0.0] if abs(n[1]) < 0.9 else [1.0, 0.0, 0.0]), n)
    x /= math.sqrt(float(x @ x))
    return np.array([[*x, 0.0], [*cross(n, x), 0.0], [*n, -plane.distance]])


def cross(a: Array, b: Array) -> Array:
    """a x b of two (3,): numpy's own takes arrays of any shape, and ten times as long."""
    (ax, ay, az), (bx, by, bz) = a.tolist(), b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def plane_from_ray(view: View, axes: Array) -> Array:
    """(3, 3): a ray (x, y, 1) in the camera's frame to homogeneous plane coordinates; the third is > 0 in front."""
    R, c = view.T_map_camera[:3, :3], view.T_map_camera[:3, 3]
    height = float(axes[2, :3] @ c + axes[2, 3])
    along = axes[2, :3] @ R
    rows = [(axes[i, :3] @ c + axes[i, 3]) * -along + height * (axes[i, :3] @ R) for i in (0, 1)]
    out = np.stack([*rows, -along])
    return np.asarray(out if height >= 0 else -out)


def ray_from_pixel(intrinsics: Intrinsics, near: tuple[float, float]) -> Array:
    """(3, 3): pixel (u, v, 1) to ray (x, y, 1); with a lens that bends, the affine map that is right near a pixel."""
    u, v = near
    rays = intrinsics.rays(np.array([[u, v], [u + 4, v], [u, v + 4]]))[:, :2]
    J = np.column_stack([rays[1] - rays[0], rays[2] - rays[0]]) / 4
    return np.vstack([np.column_stack([J, rays[0] - J @ [u, v]]), [0, 0, 1]])
