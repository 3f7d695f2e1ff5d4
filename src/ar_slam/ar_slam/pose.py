"""Where a camera is, given where it sees known points: robust Gauss-Newton, with RANSAC as the way out.

A camera is a pair ``R`` (3, 3), ``t`` (3,) that takes points from ``map`` to ``camera``: the inverse of ``T_map_camera``.
Pictures are undistorted: ``K`` is all there is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array, nearest_rotation

Mask = NDArray[np.bool_]
INLIER_PX = 3.0


@dataclass(frozen=True)
class PoseFit:
    """A camera and what speaks for it.

    errors (n,) reprojection errors in pixels; inliers (n,) bool; information (6, 6) of (translation, rotation) applied on
    the left of ``R, t``, per squared pixel.
    """

    R: Array
    t: Array
    errors: Array
    inliers: Mask
    information: Array

    @property
    def count(self) -> int:
        """How many points agree."""
        return int(self.inliers.sum())

    @property
    def rms(self) -> float:
        """Root mean square of the inliers' reprojection errors, in pixels."""
        e = self.errors[self.inliers]
        return float(np.sqrt(np.mean(e * e))) if len(e) else 0.0


def rotation(w: Array) -> Array:
    """Rotation matrix of the vector w (3,), axis times angle in radians."""
    return np.asarray(cv2.Rodrigues(np.asarray(w, np.float64).reshape(3, 1))[0], np.float64)


def angle_deg(R: Array) -> float:
    """How far R (3, 3) turns, in degrees."""
    return float(np.degrees(np.linalg.norm(cv2.Rodrigues(R)[0])))


def project(K: Array, R: Array, t: Array, X: Array) -> tuple[Array, Array]:
    """Pixels (n, 2) and depths (n,) of points X (n, 3); points behind the camera have a depth <= 0 and pixels without meaning."""
    Xc = X @ R.T + t
    z = Xc[:, 2]
    zi = 1.0 / np.where(np.abs(z) < 1e-9, 1e-9, z)
    return np.stack([K[0, 0] * Xc[:, 0] * zi + K[0, 2], K[1, 1] * Xc[:, 1] * zi + K[1, 2]], 1), z


def rays(K: Array, uv: Array) -> Array:
    """Directions (n, 3) with z = 1 in ``camera`` of pixels uv (n, 2)."""
    return np.column_stack([(uv[:, 0] - K[0, 2]) / K[0, 0], (uv[:, 1] - K[1, 2]) / K[1, 1], np.ones(len(uv))])


def reprojection_errors(K: Array, R: Array, t: Array, X: Array, uv: Array) -> Array:
    """Distances (n,) in pixels between uv (n, 2) and the projections of X (n, 3); 99 for points behind the camera."""
    p, z = project(K, R, t, X)
    return np.where(z > 0, np.hypot(p[:, 0] - uv[:, 0], p[:, 1] - uv[:, 1]), 99.0)


def refine_pose(
    K: Array,
    R: Array,
    t: Array,
    X: Array,
    uv: Array,
    weights: Array | None = None,
    iterations: int = 8,
    scale_px: float = 2.0,
    coarse: int = 3,
    enough: float = 2e-5,
) -> PoseFit:
    """The camera that sees X (n, 3) nearest to uv (n, 2), from a start close to it (Gauss-Newton, Geman-McClure weights).

    Errors beyond scale_px lose weight; beyond three times that in the first `coarse` iterations. After these, a step smaller
    than `enough` (metres and radians) is the last.
    """
    n = len(X)
    XT = np.ascontiguousarray(X.T)
    f2 = np.array([[K[0, 0] ** 2], [K[1, 1] ** 2]])
    target = np.array([(uv[:, 0] - K[0, 2]) / K[0, 0], (uv[:, 1] - K[1, 2]) / K[1, 1]])  # at depth 1, as all below
    J = np.zeros((6, 2, n))  # of (x, y) by a small (translation, rotation) applied on the left of R, t
    flat = J.reshape(6, 2 * n)
    ridge = 1e-6 * np.eye(6)
    for k in range(iterations):
        xy, zi = _seen(R, t, XT)
        _differentiate(xy, zi, J)
        r = xy - target
        s2 = (scale_px * (3.0 if k < coarse else 1.0)) ** 2
        w = 1.0 / (1.0 + (f2 * r * r).sum(0) / s2)
        w *= w
        if weights is not None:
            w *= weights
        weighted = flat * (f2 * w).reshape(-1)
        step = -np.linalg.solve(weighted @ flat.T + ridge, weighted @ r.reshape(-1))
        dR = rotation(step[3:])
        R, t = dR @ R, dR @ t + step[:3]
        if k >= coarse and float(np.abs(step).max()) < enough:
            break
    R = nearest_rotation(R)
    errors = reprojection_errors(K, R, t, X, uv)
    inliers = errors < INLIER_PX
    return PoseFit(R, t, errors, inliers, (flat * (f2 * inliers).reshape(-1)) @ flat.T)


def _seen(R: Array, t: Array, XT: Array) -> tuple[Array, Array]:
    """Where points XT (3, n) are at depth 1 in the camera (2, n), and reciprocals (n,) of their depths: finite behind it, too."""
    Xc = R @ XT + t[:, None]
    z = Xc[2]
    zi = 1.0 / np.maximum(z, 1e-3 * max(1e-6, float(np.abs(z).max(initial=0))))
    return Xc[:2] * zi, zi


def _differentiate(xy: Array, zi: Array, J: Array) -> None:
    """Fill J (6, 2, n), zeros or a former derivative, for points xy (2, n) with reciprocal depths zi (n,)."""
    x, y = xy
    J[0, 0] = J[1, 1] = zi
    J[2] = -xy * zi
    J[3, 0] = -x * y
    J[4, 1] = x * y
    J[4, 0] = 1 + x * x
    J[3, 1] = -1 - y * y
    J[5, 0], J[5, 1] = -y, x


def is_plausible(inliers: Mask, uv: Array, size: tuple[int, int], least: int = 15) -> bool:
    """Whether so many points, so spread over a picture of size (width, height), cannot agree by chance."""
    n = int(inliers.sum())
    if n < least or n < 0.4 * len(inliers) or (n < 30 and n < 0.5 * len(inliers)):
        return False
    hull = cv2.convexHull(uv[inliers].astype(np.float32))
    return bool(cv2.contourArea(hull) > 0.008 * size[0] * size[1])


def solve_pose(
    K: Array, R: Array, t: Array, X: Array, uv: Array, size: tuple[int, int], ransac: bool, coarse: int = 3
) -> PoseFit | None:
    """The camera that sees X at uv, or None where too few of the points agree on one. RANSAC helps when the start is bad."""
    if len(X) < 8:
        return None
    fit = refine_pose(K, R, t, X, uv, coarse=coarse, enough=5e-5)
    if is_plausible(fit.inliers, uv, size):
        return fit
    if not ransac or len(X) < 12:
        return None
    start = ransac_pose(K, X, uv, threshold_px=4.0)
    if start is None:
        return None
    fit = refine_pose(K, start[0], start[1], X, uv, scale_px=1.5)
    return fit if is_plausible(fit.inliers, uv, size) else None


def ransac_pose(
    K: Array, X: Array, uv: Array, threshold_px: float, iterations: int = 120, least: int = 8
) -> tuple[Array, Array, NDArray[np.int_]] | None:
    """R, t and the indices of the points that agree, without a start (SQPnP in RANSAC, fixed seed)."""
    try:
        ok, rv, tv, index = cv2.solvePnPRansac(
            X, uv, K, None, iterationsCount=iterations, reprojectionError=threshold_px, flags=cv2.SOLVEPNP_SQPNP
        )
    except cv2.error:  # degenerate samples
        return None
    if not ok or index is None or len(index) < least:
        return None
    R, t = rotation(np.asarray(rv, np.float64)), np.asarray(tv, np.float64).ravel()
    return (R, t, np.asarray(index, int).ravel()) if np.isfinite(R).all() and np.isfinite(t).all() else None


def fit_rotation(K: Array, uv0: Array, uv1: Array) -> tuple[Array, Array]:
    """The rotation (3, 3) from camera 0 to camera 1 that alone explains uv0 -> uv1 best, and the residuals (n,) in pixels.

    Kabsch on unit rays, three rounds of reweighting.
    """
    a, b = rays(K, uv0), rays(K, uv1)
    a /= np.linalg.norm(a, axis=1)[:, None]
    b /= np.linalg.norm(b, axis=1)[:, None]
    w = np.ones(len(a))
    R, e = np.eye(3), np.zeros(len(a))
    for _ in range(4):
        R = nearest_rotation((b * w[:, None]).T @ a)
        p, z = project(K, R, np.zeros(3), rays(K, uv0))
        e = np.where(z > 0, np.hypot(p[:, 0] - uv1[:, 0], p[:, 1] - uv1[:, 1]), 99.0)
        w = 1.0 / (1.0 + (e / max(1.0, 1.5 * float(np.median(e)))) ** 2) ** 2
    return R, e


def rotation_residuals(K: Array, views: Array, uv: Array) -> Array:
    """Median angles (v,) in degrees, by which no rotation of the camera explains the way from views (v, n, 2) to uv (n, 2).

    As `fit_rotation`, for many views at once and more coarsely.
    """
    f, c = np.array([K[0, 0], K[1, 1]]), K[:2, 2]
    a, b = np.ones((*views.shape[:2], 3)), np.ones((len(uv), 3))
    a[..., :2], b[:, :2] = (views - c) / f, (uv - c) / f
    a /= np.linalg.norm(a, axis=2, keepdims=True)
    b /= np.linalg.norm(b, axis=1, keepdims=True)
    w = np.ones(views.shape[:2])
    for _ in range(3):
        u, _, vt = np.linalg.svd(np.einsum("vn,ni,vnj->vij", w, b, a, optimize=True))
        u[:, :, 2] *= np.sign(np.linalg.det(u @ vt))[:, None]
        e = np.linalg.norm(np.matmul(a, np.swapaxes(u @ vt, 1, 2)) - b, axis=2)
        median = np.median(e, axis=1)
        w = 1.0 / (1.0 + (e / np.maximum(1.5 * median[:, None], 1.0 / f[0])) ** 2) ** 2
    return np.asarray(np.degrees(median))


def pose_covariance(fit: PoseFit, noise_px: float = 0.5) -> Array:
    """Covariance (6, 6) of T_map_camera, ROS order (x, y, z, rotation about the map's axes), metres and radians.

    From JᵀJ of the inliers and the larger of noise_px and their own spread.
    """
    C = np.linalg.inv(fit.information + 1e-6 * np.eye(6)) * max(noise_px, fit.rms) ** 2
    A = np.zeros((6, 6))
    A[:3, :3] = A[3:, 3:] = fit.R.T
    C = A @ C @ A.T
    return np.asarray((C + C.T) / 2)
