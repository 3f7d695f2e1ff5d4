"""Clips: key frames sampled and blended into a pose of all nodes (Khronos glTF 2.0, §3.11 and appendix C)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Pose:
    """Where every node stands in its parent: translation (n, 3) m, rotation (n, 4) x y z w, scale (n, 3)."""

    translation: Array
    rotation: Array
    scale: Array

    def copy(self) -> Pose:
        return Pose(self.translation.copy(), self.rotation.copy(), self.scale.copy())


@dataclass(frozen=True)
class Track:
    """Key frames of one property of several nodes at common times: times (m,) s, values (m, k, 3 or 4)."""

    path: str
    nodes: Array
    times: Array
    values: Array
    step: bool = False

    def at(self, time: float) -> Array:
        """Values (k, 3 or 4) at a time in seconds; held before the first and after the last key."""
        i = int(np.searchsorted(self.times, time, side="right")) - 1
        if i < 0:
            return np.asarray(self.values[0])
        if i >= len(self.times) - 1 or self.step:
            return np.asarray(self.values[min(i, len(self.times) - 1)])
        s = (time - self.times[i]) / (self.times[i + 1] - self.times[i])
        a, b = self.values[i], self.values[i + 1]
        return slerp(a, b, float(s)) if self.path == "rotation" else np.asarray(a + (b - a) * s)


@dataclass(frozen=True)
class Clip:
    """A named motion of ``duration`` seconds."""

    name: str
    duration: float
    tracks: tuple[Track, ...]

    def sample(self, rest: Pose, time: float, loop: bool = False) -> Pose:
        """The pose at a time; nodes without keys stay at rest. ``loop`` wraps the time, else the ends are held."""
        if loop and self.duration > 0:
            time = time % self.duration
        out = rest.copy()
        for track in self.tracks:
            getattr(out, track.path)[track.nodes] = track.at(time)
        return out


def slerp(a: Array, b: Array, s: float) -> Array:
    """Unit quaternions (k, 4), a fraction s of the shorter way from a to b."""
    dot = np.sum(a * b, axis=-1, keepdims=True)
    b = np.where(dot < 0, -b, b)
    angle = np.arccos(np.clip(np.abs(dot), 0, 1))
    near = angle < 1e-6
    sine = np.sin(np.where(near, 1, angle))
    wa = np.where(near, 1 - s, np.sin((1 - s) * angle) / sine)
    wb = np.where(near, s, np.sin(s * angle) / sine)
    out = wa * a + wb * b
    return np.asarray(out / np.linalg.norm(out, axis=-1, keepdims=True))


def blend(a: Pose, b: Pose, s: float) -> Pose:
    """A fraction s of the way from pose a to pose b."""
    if s <= 0:
        return a
    if s >= 1:
        return b
    return Pose(
        a.translation + (b.translation - a.translation) * s,
        slerp(a.rotation, b.rotation, s),
        a.scale + (b.scale - a.scale) * s,
    )


def matrices(pose: Pose) -> Array:
    """Local matrices (n, 4, 4): translation · rotation · scale."""
    x, y, z, w = pose.rotation.T
    out = np.zeros((len(x), 4, 4))
    out[:, 0, 0], out[:, 0, 1], out[:, 0, 2] = 1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)
    out[:, 1, 0], out[:, 1, 1], out[:, 1, 2] = 2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)
    out[:, 2, 0], out[:, 2, 1], out[:, 2, 2] = 2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)
    out[:, :3, :3] *= pose.scale[:, None, :]
    out[:, :3, 3] = pose.translation
    out[:, 3, 3] = 1
    return out


def multiply(a: Array, b: Array) -> Array:
    """Quaternion product a · b of (..., 4) x y z w: b's turn first, then a's."""
    ax, ay, az, aw = np.moveaxis(np.asarray(a), -1, 0)
    bx, by, bz, bw = np.moveaxis(np.asarray(b), -1, 0)
    return np.stack(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ],
        -1,
    )


def topological(parents: Array) -> tuple[Array, ...]:
    """Node indices by depth, roots first; ValueError for a hierarchy that bites its tail."""
    depth = np.where(parents < 0, 0, -1)
    levels = [np.flatnonzero(depth == 0)]
    while (depth < 0).any():
        level = np.flatnonzero((depth < 0) & (depth[parents] == len(levels) - 1))
        if len(level) == 0:
            raise ValueError("the .glb is corrupt: its nodes form a circle")
        depth[level] = len(levels)
        levels.append(level)
    return tuple(levels)
