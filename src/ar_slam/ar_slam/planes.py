"""The plane things stand on, found among the map's points: seeded RANSAC with an idea of where up is.

Open3D's segment_plane is not used here: it gives different planes in identically seeded runs, and the pose rests on this one.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ar_core.geometry import Array
from ar_slam.pose import Mask


@dataclass(frozen=True)
class PlaneFit:
    """The plane normal @ x == distance with the normal towards the camera.

    measured: points lie on it; else it is only as low as the lowest ones, and as level as can be told.
    """

    normal: Array
    distance: float
    measured: bool


def upright_up(pitch_down_deg: float) -> Array:
    """Where up is (3,) in a level camera that looks down by pitch_down_deg."""
    a = np.radians(pitch_down_deg)
    return np.array([0.0, -np.cos(a), -np.sin(a)])


def in_the_middle(uv: Array, depth: Array, size: tuple[int, int]) -> Mask:
    """Which points, seen at uv (n, 2) at a depth (n,), are about as far away as what is in the middle of the picture.

    What the camera is pointed at stands on the plane that is looked for; the floor behind the table is another one.
    """
    off = np.abs(uv / np.array(size) - 0.5).max(1)
    middle = (
        off < 0.25
        if (off < 0.25).sum() >= 12
        else off <= np.partition(off, min(11, len(off) - 1))[min(11, len(off) - 1)]
    )
    reference = float(np.median(depth[middle]))
    return np.asarray((depth > 0.6 * reference) & (depth < 1.5 * reference))


def fit_ground(X: Array, near: Mask, centre: Array, up: Array, tolerance: float, seed: int = 0) -> PlaneFit:
    """The plane on which the near (n,) ones of the points X (n, 3) stand, seen from a camera at centre (3,).

    tolerance: how far a point of the plane may be off, in the unit of X; up (3,): about where up is. A plane is worth the
    points on it, less those near ones that would be under it. Where nothing convinces, the best level direction is taken
    and the plane laid under the lowest near points.
    """
    n = len(X)
    weights = np.where(near, 1.0, 0.25)
    normals, distances = _hypotheses(X, centre, up, tolerance, seed)
    level_normal = up
    if len(normals):
        height = X @ normals.T - distances
        level = normals @ up
        on = (np.abs(height) < tolerance).astype(np.float64)
        under = (height[near] < -2.5 * tolerance).mean(0)
        prior = np.clip(level, 0, 1) ** 2
        best = int(np.argmax(on.sum(0) * prior * (level > np.cos(np.radians(40)))))
        if level[best] > np.cos(np.radians(40)) and on[:, best].sum() >= max(15, 0.12 * n):
            level_normal = _polished(X, np.ones(n), normals[best], float(distances[best]), tolerance)[0]
        score = (on * weights[:, None]).sum(0) * (0.25 + 0.75 * prior) * np.clip(1 - 3 * under, 0, 1)
        best = int(np.argmax(score))
        normal, distance, inliers = _polished(X, weights, normals[best], float(distances[best]), tolerance)
        if (inliers & near).sum() >= max(12, 0.2 * near.sum()) and score[best] > 0:
            return PlaneFit(normal, distance, True)
    heights = np.sort(X[near] @ level_normal) if near.any() else np.sort(X @ level_normal)
    return PlaneFit(level_normal, float(heights[min(len(heights) - 1, max(2, len(heights) // 20))]), False)


def _hypotheses(X: Array, centre: Array, up: Array, tolerance: float, seed: int) -> tuple[Array, Array]:
    """Planes through three points each, with the camera clearly on the free side: normals (k, 3), distances (k,)."""
    if len(X) < 12:
        return np.zeros((0, 3)), np.zeros(0)
    rng = np.random.default_rng(seed)
    triples = np.stack([rng.choice(len(X), 3, replace=False) for _ in range(500)])
    a, b, c = X[triples[:, 0]], X[triples[:, 1]], X[triples[:, 2]]
    normals = np.cross(b - a, c - a)
    length = np.linalg.norm(normals, axis=1)
    solid = length > 1e-12
    normals = normals[solid] / length[solid, None]
    distances = (normals * a[solid]).sum(1)
    flip = np.where(normals @ centre < distances, -1.0, 1.0)
    normals, distances = normals * flip[:, None], distances * flip
    high = normals @ centre - distances > 4 * tolerance
    return normals[high], distances[high]


def _polished(X: Array, weights: Array, normal: Array, distance: float, tolerance: float) -> tuple[Array, float, Mask]:
    """Least squares through the inliers, three times."""
    inliers = np.abs(X @ normal - distance) < tolerance
    for _ in range(3):
        if inliers.sum() < 4:
            break
        normal, distance = least_squares_plane(X[inliers], weights[inliers], normal)
        inliers = np.abs(X @ normal - distance) < tolerance
    return normal, distance, inliers


def least_squares_plane(X: Array, w: Array, like: Array) -> tuple[Array, float]:
    """The plane with the least weighted squared distances; its normal on the side of `like`."""
    centre = (X * w[:, None]).sum(0) / w.sum()
    normal = np.linalg.svd((X - centre) * np.sqrt(w)[:, None], full_matrices=False)[2][-1]
    normal = normal if normal @ like > 0 else -normal
    return normal, float(normal @ centre)


def ground_from_plane(normal: Array, distance: float, centre: Array, forward: Array) -> Array:
    """(4, 4) that takes points to a frame with the plane as z = 0, its origin under centre (3,), x along forward (3,)."""
    x = forward - normal * (forward @ normal)
    if np.linalg.norm(x) < 1e-3:  # the camera looks straight down: its top edge is forward
        x = np.array([0.0, -1.0, 0.0]) - normal * -normal[1]
    x = x / np.linalg.norm(x)
    R = np.stack([x, np.cross(normal, x), normal])
    foot = centre - normal * (normal @ centre - distance)
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = R, -R @ foot
    return T


def flatten_correction(X: Array, tolerance: float) -> Array | None:
    """A small rigid motion (4, 4) that lays the points X (n, 3) near z = 0 onto it; None where too few or too narrow.

    Rotates about the points' centre, so that what stands among them moves least.
    """
    near = X[np.abs(X[:, 2]) < tolerance]
    if len(near) < 20:
        return None
    weights = np.ones(len(near))
    normal, distance = np.array([0.0, 0.0, 1.0]), 0.0
    for _ in range(4):
        normal, distance = least_squares_plane(near, weights, normal)
        r = near @ normal - distance
        weights = 1.0 / (1.0 + (r / (0.4 * tolerance)) ** 2) ** 2
    spread = np.sqrt(np.linalg.eigvalsh(np.cov(near[:, :2].T))[0])
    if spread < 5 * tolerance:
        return None
    axis = np.cross(normal, [0.0, 0.0, 1.0])
    R = np.asarray(cv2.Rodrigues(axis / max(1e-12, np.linalg.norm(axis)) * np.arcsin(np.linalg.norm(axis)))[0])
    centre = near.mean(0)
    centre = centre - normal * (normal @ centre - distance)
    T = np.eye(4)
    T[:3, :3] = R
    T[:3, 3] = [centre[0], centre[1], 0.0] - R @ centre
    return T


def outline(X: Array) -> Array:
    """Convex outline (k, 3) on z = 0 of points X (n, 3); empty for fewer than three."""
    if len(X) < 3:
        return np.zeros((0, 3))
    hull = cv2.convexHull(X[:, :2].astype(np.float32)).reshape(-1, 2)
    return np.column_stack([hull, np.zeros(len(hull))]).astype(np.float64)
