"""Where a hand carries a camera: smooth paths through a few views, with a tremor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.interpolate import CubicSpline

from ar_core.geometry import Array, nearest_rotation, pose

Trajectory = Callable[[float], Array]  # seconds -> T_map_camera (4, 4)


def look_at(centre: Array, target: Array, roll_deg: float = 0.0) -> Array:
    """T_map_camera of a camera at centre (3,) that looks at target (3,), level but for roll_deg."""
    z = (target - centre) / np.linalg.norm(target - centre)
    x = np.cross(z, [0.0, 0.0, 1.0])
    x /= np.linalg.norm(x)
    a = np.radians(roll_deg)
    R = np.column_stack([x, np.cross(z, x), z])
    return pose(R @ np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]), centre)


def through(
    views: Sequence[tuple[float, ...]],
    tremor: float = 0.002,
    rest: tuple[float, float] | None = None,
    roll_deg: float = 0.0,
    sway_deg: float = 0.0,
) -> Trajectory:
    """A path through views (seconds, azimuth, elevation in degrees, distance, target x, target y in metres).

    tremor in metres; the roll sways slowly by sway_deg about roll_deg; during rest (from, to) seconds the camera stands
    absolutely still, and goes on from there.
    """
    k = np.array(views, float)
    spline = CubicSpline(k[:, 0], k[:, 1:], bc_type="natural")

    def at(seconds: float) -> Array:
        if rest is not None:
            seconds = min(seconds, rest[0]) + max(0.0, seconds - rest[1])
        s = float(np.clip(seconds, k[0, 0], k[-1, 0]))
        azimuth, elevation, distance, x, y = spline(s)
        a, e = np.radians([azimuth, elevation])
        wobble = tremor * np.array([np.sin(14.5 * s), np.sin(19.5 * s + 1), np.sin(10.7 * s + 2)])
        target = np.array([x, y, 0.0]) + wobble / 2
        out = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
        return look_at(np.array([x, y, 0.0]) + distance * out + wobble, target, roll_deg + sway_deg * np.sin(1.3 * s))

    return at


def held(T_map_camera: Array) -> Trajectory:
    """A tripod."""
    return lambda _: T_map_camera


def turning(T_map_camera: Array, yaw_deg: float, pitch_deg: float, seconds: float) -> Trajectory:
    """A camera that only turns, to and fro, once in so many seconds."""

    def at(s: float) -> Array:
        a, b = np.radians([yaw_deg, pitch_deg]) * (np.sin(2 * np.pi * s / seconds), np.sin(4 * np.pi * s / seconds))
        yaw = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        pitch = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
        return pose(nearest_rotation(T_map_camera[:3, :3] @ yaw @ pitch), T_map_camera[:3, 3])

    return at
