"""How good a trajectory is: against truth after alignment, as an anchor in the picture, and in the TUM format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ar_core.geometry import (
    Array,
    Intrinsics,
    Plane,
    hit_plane,
    pose,
    quaternion_from_rotation,
    rotation_from_quaternion,
)


@dataclass(frozen=True)
class Alignment:
    """x -> scale * R @ x + t."""

    scale: float
    R: Array
    t: Array

    def __call__(self, points: Array) -> Array:
        """Points (n, 3), aligned."""
        return np.asarray(self.scale * points @ self.R.T + self.t)


def align(a: Array, b: Array, with_scale: bool) -> Alignment:
    """The similarity (with_scale) or rigid motion that brings points a (n, 3) nearest to b (n, 3) (Umeyama 1991)."""
    if len(a) < 3 or len(a) != len(b):
        raise ValueError(f"align: {len(a)} and {len(b)} points; at least three pairs are needed")
    ma, mb = a.mean(0), b.mean(0)
    u, s, vt = np.linalg.svd((b - mb).T @ (a - ma) / len(a))
    d = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    R = u @ d @ vt
    variance = float(((a - ma) ** 2).sum() / len(a))
    scale = float(np.trace(np.diag(s) @ d) / variance) if with_scale and variance > 0 else 1.0
    return Alignment(scale, R, mb - scale * R @ ma)


def centres(poses: list[Array]) -> Array:
    """Camera positions (n, 3) of poses (4, 4)."""
    return np.array([T[:3, 3] for T in poses]).reshape(-1, 3)


def absolute_errors(estimated: list[Array], true: list[Array], with_scale: bool) -> Array:
    """Distances (n,) in metres between aligned and true camera positions; their RMS is the ATE (Sturm et al. 2012)."""
    a, b = centres(estimated), centres(true)
    return np.asarray(np.linalg.norm(align(a, b, with_scale)(a) - b, axis=1))


def rotation_errors_deg(estimated: list[Array], true: list[Array]) -> Array:
    """Angles (n,) in degrees between estimated and true orientations, after the one rotation that fits best."""
    relative = [T[:3, :3] @ E[:3, :3].T for E, T in zip(estimated, true, strict=True)]
    u, _, vt = np.linalg.svd(np.sum(relative, axis=0))
    R = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    traces = np.array([np.trace(R.T @ Q) for Q in relative])
    return np.asarray(np.degrees(np.arccos(np.clip((traces - 1) / 2, -1, 1))))


def anchor_errors(
    estimated: list[Array],
    true: list[Array],
    intrinsics: Intrinsics,
    plane: Plane | None = None,
    pixels: Array | None = None,
) -> Array:
    """Pixels (n,) by which something put on the plane in the first picture swims in the n pictures: no alignment.

    The pixels (m, 2), by default nine in the middle, are hit-tested with the first estimated pose on z = 0, and with the
    first true pose on the true plane; both are projected with their later poses; mean distance of those that are visible,
    NaN where none is.
    """
    w, h = intrinsics.width, intrinsics.height
    if pixels is None:
        pixels = np.array([[x * w, y * h] for x in (0.35, 0.5, 0.65) for y in (0.45, 0.55, 0.65)])
    anchors = hit_plane(pixels, intrinsics, estimated[0], Plane.ground())
    truth = hit_plane(pixels, intrinsics, true[0], plane or Plane.ground())
    out = np.full(len(true), np.nan)
    for i, (E, T) in enumerate(zip(estimated, true, strict=True)):
        p, q = intrinsics.project(anchors, E), intrinsics.project(truth, T)
        visible = (q[:, 0] > 0) & (q[:, 1] > 0) & (q[:, 0] < w) & (q[:, 1] < h)
        if visible.any():
            out[i] = float(np.hypot(*(p - q)[visible].T).mean())
    return out


def jitter_px(poses: list[Array], intrinsics: Intrinsics, points: Array) -> float:
    """RMS in pixels by which points (n, 3) wander about their mean in the pictures of a camera that stands still."""
    p = np.array([intrinsics.project(points, T) for T in poses])
    return float(np.sqrt(p.var(0).sum(1).mean()))


def read_tum(path: Path) -> tuple[Array, list[Array]]:
    """Stamps (n,) and poses (4, 4) of a TUM trajectory: lines `t tx ty tz qx qy qz qw`, # comments."""
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        values = line.split()
        if len(values) != 8:
            raise ValueError(f"{path}:{number}: {len(values)} values; a TUM pose has eight: t tx ty tz qx qy qz qw")
        rows.append([float(v) for v in values])
    a = np.array(rows).reshape(-1, 8)
    return a[:, 0], [pose(rotation_from_quaternion(r[4:]), r[1:4]) for r in a]


def tum_line(stamp: float, T: Array) -> str:
    """One line of a TUM trajectory."""
    values = (*T[:3, 3], *quaternion_from_rotation(T[:3, :3]))
    return f"{stamp:.6f} " + " ".join(f"{v:.9f}" for v in values)


def nearest_poses(
    stamps: Array, truth_stamps: Array, truth: list[Array], tolerance: float = 0.02
) -> list[Array | None]:
    """For each of stamps (n,) the true pose nearest in time, None where none is within tolerance seconds."""
    out: list[Array | None] = []
    for s in stamps:
        i = int(np.argmin(np.abs(truth_stamps - s)))
        out.append(truth[i] if abs(truth_stamps[i] - s) <= tolerance else None)
    return out
