"""Rigid transforms, the camera and planes.

Frames follow REP-103 and REP-105: ``map`` has z up; ``camera`` means the optical frame, x right, y down, z forward.
``T_map_camera`` is the (4, 4) float64 matrix that takes points from ``camera`` to ``map``: its last column is where the
camera is. Pixels are OpenCV's: the centre of the top left pixel is (0, 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.lens import (
    EQUIDISTANT,
    PLUMB_BOB,
    RATIONAL,
    checked,
    distort,
    distort_equidistant,
    straighten,
    straighten_equidistant,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Intrinsics:
    """A camera: a pinhole, and how its lens bends what that would see (`ar_core.lens`).

    fx, fy, cx, cy in pixels; distortion is ``(k1, k2, p1, p2, k3, ...)`` or empty, of a ``fisheye`` ``(k1, k2, k3, k4)``;
    ``guessed`` says that nobody calibrated.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int
    distortion: tuple[float, ...] = ()
    guessed: bool = False
    fisheye: bool = False

    def __post_init__(self) -> None:
        if not (self.width > 0 and self.height > 0):
            raise ValueError(f"intrinsics: image size {self.width}x{self.height} is not positive")
        values = (self.fx, self.fy, self.cx, self.cy, *self.distortion)
        if not np.isfinite(values).all():
            raise ValueError("intrinsics: NaN or infinite values in the calibration")
        if not (self.fx > 0 and self.fy > 0):
            raise ValueError(f"intrinsics: focal length ({self.fx:g}, {self.fy:g}) is not positive")

    @staticmethod
    def from_field_of_view(width: int, height: int, diagonal_deg: float = 68.0) -> Intrinsics:
        """Guess a camera: square pixels, centred, the diagonal field of view of a usual phone or webcam."""
        f = 0.5 * float(np.hypot(width, height)) / float(np.tan(np.radians(diagonal_deg) / 2))
        return Intrinsics(f, f, (width - 1) / 2, (height - 1) / 2, width, height, guessed=True)

    @staticmethod
    def of_model(model: str, k: Sequence[float], d: Sequence[float], width: int, height: int) -> Intrinsics:
        """The camera of a calibration: the model's name, K (9,) row by row and D as sensor_msgs/CameraInfo has them.

        ValueError, in words, for a model that is not known.
        """
        if abs(k[1]) > 1e-6:
            raise ValueError(f"skew {k[1]:g} is not supported; calibrate with square pixel axes")
        fisheye, coefficients = checked(model, tuple(float(v) for v in d))
        fx, cx, fy, cy = (float(k[i]) for i in (0, 2, 4, 5))
        return Intrinsics(fx, fy, cx, cy, int(width), int(height), coefficients, fisheye=fisheye)

    @property
    def model(self) -> str:
        """The lens's model, by the name that sensor_msgs/CameraInfo has for it."""
        if self.fisheye:
            return EQUIDISTANT
        return PLUMB_BOB if len(self.distortion) <= 5 else RATIONAL

    @property
    def bends(self) -> bool:
        """Whether the lens bends rays at all."""
        return self.fisheye or any(self.distortion)

    @property
    def pinhole(self) -> Intrinsics:
        """The same camera with a lens that does not bend."""
        return replace(self, distortion=(), fisheye=False)

    @property
    def K(self) -> Array:
        """The (3, 3) camera matrix."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]], np.float64)

    def scaled(self, width: int, height: int) -> Intrinsics:
        """The same camera after its picture was resized to width x height."""
        sx, sy = width / self.width, height / self.height
        return replace(
            self,
            fx=self.fx * sx,
            fy=self.fy * sy,
            cx=(self.cx + 0.5) * sx - 0.5,
            cy=(self.cy + 0.5) * sy - 0.5,
            width=width,
            height=height,
        )

    def project(self, points: Array, T_map_camera: Array | None = None) -> Array:
        """Pixels (n, 2) of points (n, 3) in ``map`` (in ``camera`` without a pose); NaN for points behind the camera."""
        p = np.asarray(points, np.float64).reshape(-1, 3)
        if T_map_camera is not None:
            p = transform(inverse(T_map_camera), p)
        z = np.where(p[:, 2] > 1e-9, p[:, 2], np.nan)
        x, y = p[:, 0] / z, p[:, 1] / z
        if self.bends:
            x, y = (distort_equidistant if self.fisheye else distort)(x, y, self.distortion)
        return np.stack([self.fx * x + self.cx, self.fy * y + self.cy], 1)

    def rays(self, pixels: Array) -> Array:
        """Directions (n, 3) in ``camera``, with z = 1, of pixels (n, 2); the lens distortion is taken out.

        NaN where a fisheye sees what is beside it or behind: there is no such direction.
        """
        uv = np.asarray(pixels, np.float64).reshape(-1, 2)
        x, y = (uv[:, 0] - self.cx) / self.fx, (uv[:, 1] - self.cy) / self.fy
        if self.bends:
            x, y = (straighten_equidistant if self.fisheye else straighten)(x, y, self.distortion)
        return np.column_stack([x, y, np.ones(len(uv))])


@dataclass(frozen=True)
class Plane:
    """The points x with ``normal @ x == distance``; normal (3,) is a unit vector in ``map`` and points to the free side."""

    normal: Array
    distance: float

    @staticmethod
    def ground() -> Plane:
        """z = 0 with z up."""
        return Plane(np.array([0.0, 0.0, 1.0]), 0.0)

    def hit(self, origin: Array, directions: Array) -> Array:
        """Points (n, 3) where rays (origin (3,), directions (n, 3)) meet the plane; NaN where they do not, going forward."""
        d = np.asarray(directions, np.float64).reshape(-1, 3)
        along = d @ self.normal
        with np.errstate(divide="ignore", invalid="ignore"):
            s = (self.distance - float(np.dot(self.normal, origin))) / along
        s = np.where((np.abs(along) > 1e-9) & (s > 0), s, np.nan)
        return np.asarray(origin + s[:, None] * d)


def hit_plane(pixels: Array, intrinsics: Intrinsics, T_map_camera: Array, plane: Plane) -> Array:
    """Where pixels (n, 2) touch the plane: points (n, 3) in ``map``; NaN where the ray does not meet it."""
    directions = intrinsics.rays(pixels) @ T_map_camera[:3, :3].T
    return plane.hit(T_map_camera[:3, 3], directions)


def transform(T: Array, points: Array) -> Array:
    """Points (n, 3) taken through T (4, 4)."""
    return np.asarray(points @ T[:3, :3].T + T[:3, 3])


def inverse(T: Array) -> Array:
    """The inverse of a rigid transform (4, 4)."""
    out = np.eye(4)
    out[:3, :3] = T[:3, :3].T
    out[:3, 3] = -T[:3, :3].T @ T[:3, 3]
    return out


def pose(R: Array, t: Array) -> Array:
    """(4, 4) from a rotation (3, 3) and a translation (3,)."""
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = R, np.asarray(t).ravel()
    return out


def nearest_rotation(R: Array) -> Array:
    """The rotation nearest to R (3, 3) in the Frobenius norm (SVD)."""
    u, _, vt = np.linalg.svd(R)
    return np.asarray(u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt)


def quaternion_from_rotation(R: Array) -> Array:
    """Unit quaternion (x, y, z, w) with w >= 0 of a rotation (3, 3) (Shepperd 1978)."""
    trace = float(np.trace(R))
    diagonal = np.array([R[0, 0], R[1, 1], R[2, 2], trace])
    i = int(np.argmax(diagonal))
    q = np.empty(4)
    if i == 3:
        q[:] = [R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1], 1 + trace]
    else:
        j, k = (i + 1) % 3, (i + 2) % 3
        q[i] = 1 + R[i, i] - R[j, j] - R[k, k]
        q[j] = R[j, i] + R[i, j]
        q[k] = R[k, i] + R[i, k]
        q[3] = R[k, j] - R[j, k]
    q /= np.linalg.norm(q)
    return q if q[3] >= 0 else -q


def rotation_from_quaternion(q: Array) -> Array:
    """Rotation (3, 3) of a quaternion (x, y, z, w) of any length; ValueError for zero or NaN."""
    n = float(np.linalg.norm(q))
    if not np.isfinite(n) or n < 1e-9:
        raise ValueError(f"quaternion {tuple(np.asarray(q).tolist())} is not a rotation")
    x, y, z, w = np.asarray(q) / n
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def interpolate(T0: Array, T1: Array, s: float) -> Array:
    """The pose a fraction s of the way from T0 to T1 (constant twist of rotation, straight line); s may leave [0, 1]."""
    rotvec = cv2.Rodrigues(T0[:3, :3].T @ T1[:3, :3])[0]
    return pose(T0[:3, :3] @ cv2.Rodrigues(rotvec * s)[0], (1 - s) * T0[:3, 3] + s * T1[:3, 3])


def upright_camera(camera_height: float, pitch_down_deg: float) -> Array:
    """T_map_camera of a level camera above the map's origin that looks along +x of ``map``, pitched down."""
    a = np.radians(pitch_down_deg)
    forward = np.array([np.cos(a), 0.0, -np.sin(a)])
    right = np.array([0.0, -1.0, 0.0])
    return pose(np.column_stack([right, np.cross(forward, right), forward]), np.array([0.0, 0.0, camera_height]))
