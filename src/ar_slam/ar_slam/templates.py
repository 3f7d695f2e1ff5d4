"""Keyframes as another camera should see them: warped pictures in which their points are looked for."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array
from ar_slam.flow import Grey, Pixels
from ar_slam.keyframes import DEAD, Map
from ar_slam.pose import project

MARGIN = 16  # pixels around a template's points that still show the same
Ids = NDArray[np.int_]


@dataclass(frozen=True)
class Template:
    """A keyframe's picture as it should look in the view R, t: image, and where it shows points ids (n,): uv (n, 2).

    Not exactly where they are in that view, since it is warped as a whole. Points without a place in space are among them.
    box: rows and columns of the part that the points span, and its grey levels.
    """

    R: Array
    t: Array

    image: Grey
    ids: Ids
    uv: Pixels
    box: tuple[slice, slice]
    median: float
    spread: float


def grey_levels(image: Grey) -> tuple[float, float]:
    """Median and median deviation of a picture: what its brightness and contrast are compared by."""
    few = image[::16, ::12]
    median = float(np.median(few))
    return median, float(np.median(np.abs(few - median))) + 1.0


def make_template(m: Map, K: Array, size: tuple[int, int], index: int, R: Array, t: Array) -> Template | None:
    """Keyframe index warped to the view R, t: by a homography through its points where one fits, else affinely."""
    kf = m.keyframes[index]
    p, z = project(K, R, t, m.X[kf.ids])
    w, h = size
    visible = (z > 0) & (p[:, 0] > -40) & (p[:, 1] > -40) & (p[:, 0] < w + 40) & (p[:, 1] < h + 40)
    visible &= m.mapped(kf.ids)
    if visible.sum() < 12:
        return None
    u, p = kf.uv[visible].astype(np.float64), p[visible]
    H = fit_warp(u, p)
    if H is None:
        return None
    image = np.asarray(cv2.warpPerspective(kf.image, H, (w, h), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    q = np.column_stack([kf.uv, np.ones(len(kf.uv))]) @ H.T
    q = q[:, :2] / q[:, 2:]
    inside = (q[:, 0] > 4) & (q[:, 1] > 4) & (q[:, 0] < w - 5) & (q[:, 1] < h - 5)
    inside &= m.status[kf.ids] != DEAD
    ids, q = kf.ids[inside], q[inside]
    if len(q) == 0:
        return None
    (x0, y0), (x1, y1) = q.min(0).astype(int), q.max(0).astype(int)
    box = slice(max(0, y0 - MARGIN), y1 + MARGIN), slice(max(0, x0 - MARGIN), x1 + MARGIN)
    return Template(R, t, image, ids, q.astype(np.float32), box, *grey_levels(image[box]))


def fit_warp(u: Array, p: Array) -> Array | None:
    """The homography (3, 3) that takes most of u (n, 2) to within 3 px of p (n, 2); else the affine map that does so best."""
    few = slice(None, None, max(1, len(u) // 90))
    u, p = u[few], p[few]
    n, centre = len(u), u.mean(0)
    size = float(np.abs(u - centre).mean()) + 1e-9
    A = np.zeros((2, n, 8))  # (A @ h) == p, but for a factor that is nearly one
    A[0, :, :2] = A[1, :, 3:5] = (u - centre) / size
    A[0, :, 2] = A[1, :, 5] = 1
    A[..., 6:] = -A[0, :, :2] * p.T[..., None]
    normalise = np.array([[1 / size, 0, -centre[0] / size], [0, 1 / size, -centre[1] / size], [0, 0, 1]])
    for unknowns, scale_px in ((8, 3.0), (6, 12.0)):
        h, e2 = _reweighted(A[..., :unknowns], p.T, scale_px)
        H = np.append(h, [0, 0, 1][unknowns - 6 :]).reshape(3, 3) @ normalise
        if unknowns == 6 or (n >= 25 and (e2 < scale_px**2).mean() >= 0.6 and 0.3 < np.linalg.det(H) < 4):
            break
    return H if 0.3 < np.linalg.det(H) < 4 else None


def _reweighted(A: Array, target: Array, scale_px: float) -> tuple[Array, Array]:
    """The x (k,) for which A (2, n, k) @ x is within scale_px of most of target (2, n), and the squared distances (n,).

    What disagrees loses its say, little by little.
    """
    k = A.shape[2]
    flat, ridge = A.reshape(-1, k), 1e-9 * np.eye(k)
    x: Array = np.zeros(k)
    e2: Array = np.zeros(A.shape[1])
    w: Array = np.ones(A.shape[1])
    for tolerance in (8, 4, 2, 1, 1):
        weighted = (A * w[:, None]).reshape(-1, k)
        x = np.asarray(np.linalg.solve(weighted.T @ flat + ridge, weighted.T @ target.reshape(-1)), np.float64)
        r = A @ x - target
        e2 = (r * r).sum(0)
        w = 1.0 / (1.0 + e2 / (tolerance * scale_px) ** 2) ** 2
    return x, e2
