"""The first map from a few views of the same points: two-view hypotheses, each judged by bundle adjustment over all views.

An essential matrix serves scenes with depth, a homography flat ones; both are tried, since their quality decides everything
that follows (Mur-Artal et al., "ORB-SLAM", 2015, choose between them; here the bundle-adjusted cost chooses).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ar_core.geometry import Array, nearest_rotation
from ar_slam.bundle import bundle_adjust
from ar_slam.pose import Mask, angle_deg, project, refine_pose


@dataclass(frozen=True)
class Start:
    """A map in the frame of the first camera, in arbitrary scale.

    R (v, 3, 3), t (v, 3) the cameras of the views; X (n, 3) the points, good (n,) those to be trusted; parallax_deg and
    rms_px are medians and root mean squares over the good points.
    """

    R: Array
    t: Array
    X: Array
    good: Mask
    parallax_deg: float
    rms_px: float
    cost: float

    @property
    def baseline(self) -> Array:
        """Centre (3,) of the last camera."""
        return np.asarray(-self.R[-1].T @ self.t[-1])


@dataclass(frozen=True)
class Strictness:
    """What a first map has to fulfil; a poor start is worse than a late one."""

    rms_px: float = 0.6
    parallax_deg: float = 3.0
    inlier_ratio: float = 0.55
    points: int = 45
    ambiguity: float = 1.06


def initialise(K: Array, views: list[Array], strictness: Strictness, up: Array) -> Start | str:
    """A map of the points seen at views[0], ..., views[-1], each (n, 2) pixels; or, in words, why there is none yet.

    up (3,): where up is expected to be in the first camera; settles which of two mirrored planes is meant.
    """
    u0, u1 = views[0], views[-1]
    few = np.arange(len(u0))[:: max(1, len(u0) // 110)]
    ranked: list[tuple[Start, Array, Array]] = []
    for R, t in _hypotheses(K, u0, u1):
        start = _judge(K, R, t, [v[few] for v in views], iterations=5, least=20)
        if start is not None:
            ranked.append((start, start.R[-1], start.t[-1]))
    if not ranked:
        return "no consistent motion: move the camera sideways"
    ranked.sort(key=lambda s: s[0].cost)
    best = ranked[0]
    for other in ranked[1:]:
        if not _differ(best[0], other[0]):
            continue
        if other[0].cost > strictness.ambiguity * best[0].cost:
            break
        tilt_best, tilt_other = _tilt_deg(best[0], up), _tilt_deg(other[0], up)
        if abs(tilt_best - tilt_other) < 12:
            return "two planes fit equally: move the camera further sideways"
        best = best if tilt_best < tilt_other else other
        break
    start = _judge(K, best[1], best[2], views, iterations=10, least=strictness.points)
    if start is None:
        return "too few points agree on one motion"
    ratio = start.good.mean()
    if start.good.sum() < strictness.points or ratio < strictness.inlier_ratio:
        return f"only {100 * ratio:.0f} % of the points agree on one motion"
    if start.parallax_deg < strictness.parallax_deg:
        return f"parallax {start.parallax_deg:.1f} deg is too small: move the camera sideways"
    if start.rms_px > strictness.rms_px:
        return f"the points fit a first map to {start.rms_px:.2f} px only"
    return start


def _hypotheses(K: Array, u0: Array, u1: Array) -> list[tuple[Array, Array]]:
    """Motions (R, t with length 1) between the first and the last view."""
    out: list[tuple[Array, Array]] = []
    E, mask = cv2.findEssentialMat(u0, u1, K, cv2.USAC_MAGSAC, 0.999, 1.0)
    if E is not None and E.shape == (3, 3):
        _, R, t, _ = cv2.recoverPose(E, u0, u1, K, mask=mask.copy())
        out.append((nearest_rotation(np.asarray(R, np.float64)), np.asarray(t, np.float64).ravel()))
    H, mask = cv2.findHomography(u0, u1, cv2.USAC_MAGSAC, 2.0, maxIters=500, confidence=0.999)
    if H is not None and mask.mean() > 0.3:
        seen = np.column_stack([u0, np.ones(len(u0))])[mask.ravel() > 0] @ np.linalg.inv(K).T
        for R, t, n in zip(*cv2.decomposeHomographyMat(H, K)[1:], strict=True):
            length = float(np.linalg.norm(t))
            if length > 0.01 and np.mean(seen @ n.ravel() > 0) > 0.95:
                # the decomposition's rotations are not orthonormal enough to build on
                out.append((nearest_rotation(np.asarray(R, np.float64)), np.asarray(t, np.float64).ravel() / length))
    return out


def _judge(K: Array, R: Array, t: Array, views: list[Array], iterations: int, least: int) -> Start | None:
    """Triangulate with one motion, place the views in between, adjust everything, and count."""
    n, v = len(views[0]), len(views)
    length = float(np.linalg.norm(t))
    if length < 1e-9:
        return None
    t = t / length
    Xh = cv2.triangulatePoints(K @ np.eye(3, 4), K @ np.column_stack([R, t]), views[0].T.copy(), views[-1].T.copy())
    X = (Xh[:3] / np.where(np.abs(Xh[3]) < 1e-9, 1e-9, Xh[3])).T
    p, z = project(K, R, t, X)
    usable = np.flatnonzero((X[:, 2] > 0.05) & (z > 0.05) & (X[:, 2] < 100) & (np.hypot(*(p - views[-1]).T) < 3))
    if len(usable) < least:
        return None
    Rs, ts = [np.eye(3)], [np.zeros(3)]
    for view in views[1:-1]:
        fit = refine_pose(K, Rs[-1], ts[-1], X[usable], view[usable], iterations=12)
        Rs.append(fit.R)
        ts.append(fit.t)
    Rs.append(R)
    ts.append(t)
    m = len(usable)
    adjusted = bundle_adjust(
        K,
        np.array(Rs),
        np.array(ts),
        X[usable],
        np.repeat(np.arange(v), m),
        np.tile(np.arange(m), v),
        np.concatenate([view[usable] for view in views]),
        np.arange(v) == 0,
        iterations=iterations,
    )
    errors = np.sqrt((adjusted.errors.reshape(v, m) ** 2).mean(0))
    a, b = adjusted.X, adjusted.X + adjusted.R[-1].T @ adjusted.t[-1]
    parallax = np.degrees(
        np.arccos(np.clip((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1), -1, 1))
    )
    ok = (errors < 1.8) & (adjusted.X[:, 2] > 0) & (parallax > 0.7)
    if ok.sum() < least:
        return None
    good = np.zeros(n, bool)
    good[usable[ok]] = True
    X[usable] = adjusted.X
    return Start(
        adjusted.R,
        adjusted.t,
        X,
        good,
        float(np.median(parallax[ok])),
        float(np.sqrt(np.mean(errors[ok] ** 2))),
        float((np.minimum(errors, 3) ** 2).sum() + 9 * (n - m)) / n,
    )


def _differ(a: Start, b: Start) -> bool:
    """Whether two starts say something different about the motion."""
    ca, cb = a.baseline, b.baseline
    cosine = float(ca @ cb) / max(1e-12, float(np.linalg.norm(ca) * np.linalg.norm(cb)))
    return angle_deg(a.R[-1] @ b.R[-1].T) > 2.5 or np.degrees(np.arccos(np.clip(cosine, -1, 1))) > 12


def _tilt_deg(start: Start, up: Array) -> float:
    """Angle between the points' best plane's normal, towards the camera, and up."""
    X = start.X[start.good]
    centre = np.median(X, 0)
    normal = np.linalg.svd(X - centre, full_matrices=False)[2][-1]
    normal = -normal if normal @ centre > 0 else normal
    return float(np.degrees(np.arccos(np.clip(normal @ up, -1, 1))))
