"""A coarse stand-in for a character's mesh, posed on the CPU: it casts the shadow, bounds the picture and is picked.

Vertex clustering (Rossignac and Borrel 1993) in the rest pose; each cluster keeps one real vertex, with its skin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model import Model

Array = NDArray[Any]
_MOST = 3500  # points of a surface


@dataclass(frozen=True)
class Proxy:
    """points (n, 4) homogeneous, joints (n, 4), weights (n, 4), triangles (m, 3); margin: how far it may fall short, m;
    radius: how far the model reaches from its upright axis, m; corners (k, 3) and shares (k, 3): of which points, and how much
    of each, the points of its surface are made that cast the shadow."""

    points: Array
    joints: Array
    weights: Array
    triangles: Array
    margin: float
    radius: float
    corners: Array
    shares: Array

    def posed(self, skin: Array) -> Array:
        """Points (n, 3) in the character's frame for skin matrices (k, 4, 4)."""
        rows = np.einsum("nj,njab->nab", self.weights, skin[self.joints, :3])
        return np.einsum("nab,nb->na", rows, self.points)

    def surface(self, points: Array) -> Array:
        """The points (k, 3) of the surface for the posed points (n, 3)."""
        return np.concatenate([points, np.einsum("kc,kci->ki", self.shares, points[self.corners])])


def build_proxy(model: Model, cells: int = 13) -> Proxy:
    """The proxy of a model; ``cells`` along its longest side."""
    rest = model.skin(model.global_matrices(model.rest))
    parts = [skin_vertices(p.positions, p.joints, p.weights, rest) for p in model.primitives]
    points = np.concatenate(parts)
    size = float(np.ptp(points, axis=0).max()) / cells
    size = size if size > 0 else 1.0
    # Clusters do not reach across joints, so that an arm does not melt into the body it hangs beside.
    owner = np.concatenate([p.joints[np.arange(len(p.joints)), p.weights.argmax(1)] for p in model.primitives])
    cell = np.column_stack([np.floor((points - points.min(0)) / size).astype(np.int64), owner])
    _, first, label = np.unique(cell, axis=0, return_index=True, return_inverse=True)
    label = label.ravel()
    offsets = np.cumsum([0] + [len(p) for p in parts[:-1]])
    triangles = np.concatenate(
        [p.triangles.astype(np.int64) + o for p, o in zip(model.primitives, offsets, strict=True)]
    )
    triangles = label[triangles]
    flat = (
        (triangles[:, 0] == triangles[:, 1])
        | (triangles[:, 1] == triangles[:, 2])
        | (triangles[:, 2] == triangles[:, 0])
    )
    triangles = triangles[~flat]
    _, keep = np.unique(np.sort(triangles, axis=1), axis=0, return_index=True)
    triangles = triangles[np.sort(keep)]
    positions = np.concatenate([p.positions for p in model.primitives])[first].astype(np.float64)
    return Proxy(
        np.column_stack([positions, np.ones(len(positions))]),
        np.concatenate([p.joints for p in model.primitives])[first],
        np.concatenate([p.weights for p in model.primitives])[first].astype(np.float64),
        triangles,
        size,
        float(np.hypot(points[:, 0], points[:, 2]).max()),
        *_spread(points[first], triangles, size / 4),
    )


def _spread(points: Array, triangles: Array, spacing: float) -> tuple[Array, Array]:
    """Corners and shares of points that lie evenly over triangles, about so far apart."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    area = np.cumsum([0.0, *(0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1))])
    count = int(min(_MOST, area[-1] / spacing**2))
    index = np.arange(count)
    of = np.searchsorted(area, (index + 0.5) * (area[-1] / max(count, 1))) - 1
    s, t = (
        np.modf(0.7548776662 * index)[0],
        np.modf(0.5698402910 * index)[0],
    )  # Roberts' R2 sequence: even in two dimensions
    s, t = np.where(s + t > 1, 1 - s, s), np.where(s + t > 1, 1 - t, t)
    return triangles[of], np.column_stack([1 - s - t, s, t])


def skin_vertices(positions: Array, joints: Array, weights: Array, skin: Array) -> Array:
    """Linear blend skinning: positions (n, 3), joints and weights (n, 4), skin (k, 4, 4) → (n, 3)."""
    rows = np.einsum("nj,njab->nab", weights.astype(np.float64), skin[joints, :3])
    return np.asarray(np.einsum("nab,nb->na", rows[:, :, :3], positions.astype(np.float64)) + rows[:, :, 3])


def intersect(points: Array, triangles: Array, origin: Array, direction: Array) -> float:
    """Distance along the ray (in lengths of direction) to the nearest triangle, inf when it misses (Möller-Trumbore 1997)."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    e1, e2 = b - a, c - a
    p = np.cross(direction, e2)
    det = np.sum(e1 * p, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        inv = np.where(np.abs(det) > 1e-18, 1 / det, np.nan)
        s = origin - a
        u = np.sum(s * p, 1) * inv
        q = np.cross(s, e1)
        v = (q @ direction) * inv
        t = np.sum(e2 * q, 1) * inv
        hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)
    return float(t[hit].min()) if hit.any() else float("inf")
