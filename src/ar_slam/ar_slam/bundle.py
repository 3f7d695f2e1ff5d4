"""Bundle adjustment: cameras and points moved together until the reprojection errors are least.

Levenberg-Marquardt with the points eliminated (Schur complement), in numpy: a window of 12 keyframes and 3000 observations
takes some 15 ms on one core. See Triggs et al., "Bundle Adjustment: A Modern Synthesis", 2000.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array, nearest_rotation
from ar_slam.pose import Mask, rotation

Index = NDArray[np.int_]
USUAL = 3.0  # times the median error is what most are within
LEAST_PX = 0.1  # narrower than this errors are not told apart from each other


@dataclass(frozen=True)
class Adjusted:
    """Cameras R (c, 3, 3), t (c, 3), points X (m, 3), and the reprojection error (k,) of every observation, in pixels."""

    R: Array
    t: Array
    X: Array
    errors: Array


def bundle_adjust(
    K: Array,
    R: Array,
    t: Array,
    X: Array,
    camera: Index,
    point: Index,
    uv: Array,
    fixed: Mask,
    flat: Mask | None = None,
    flat_weight: float = 0.0,
    iterations: int = 5,
    scale_px: float = 1.5,
) -> Adjusted:
    """Adjust cameras R (c, 3, 3), t (c, 3) and points X (m, 3).

    camera (k,) and point (k,) say who sees what, uv (k, 2) where; fixed (c,) cameras do not move. flat (m,) points are drawn
    towards z = 0 with flat_weight in squared pixels per squared metre, as long as they are near it. Errors are weighed down
    by Geman-McClure with scale_px, or less where most are smaller. Two fixed cameras hold frame and scale; where none is
    fixed, the distance of the first camera to the one farthest from it holds the scale, and along what nothing determines the
    solution stays at its start.
    """
    m, free = len(X), np.flatnonzero(~fixed)
    n_free = len(free)
    slot = np.full(len(R), -1)
    slot[free] = np.arange(n_free)
    moving = slot[camera] >= 0
    cam_m, pt_m = slot[camera[moving]], point[moving]
    four_s2 = 4 * scale_px**2
    least_s2 = 4 * min(LEAST_PX, scale_px) ** 2
    flat_index = np.flatnonzero(flat) if flat is not None and flat_weight > 0 else np.zeros(0, int)

    spread = None if fixed.any() else _Distance(R, t)

    def residuals(R: Array, t: Array, X: Array) -> tuple[float, Array, Array, Array, Array]:
        Xc = np.matmul(R[camera], X[point][:, :, None])[:, :, 0] + t[camera]
        zi = 1.0 / np.where(Xc[:, 2] < 1e-4, 1e-4, Xc[:, 2])
        xy = Xc[:, :2] * zi[:, None]
        r = xy * (K[0, 0], K[1, 1]) + (K[0, 2], K[1, 2]) - uv
        e2 = (r * r).sum(1)
        cost = float((e2 / (1 + e2 / four_s2)).sum())
        z2 = flat_weight * X[flat_index, 2] ** 2
        return cost + float((z2 / (1 + z2 / four_s2)).sum()), r, e2, xy, zi

    lam = 1e-4
    cost, r, e2, xy, zi = residuals(R, t, X)
    for _ in range(iterations):
        narrower = min(four_s2, max(least_s2, 4 * USUAL**2 * float(np.median(e2))))
        settled, four_s2 = narrower > 0.8 * four_s2, narrower
        cost = residuals(R, t, X)[0]
        w = 1.0 / (1.0 + e2 / four_s2) ** 2
        x, y = xy[:, 0], xy[:, 1]
        fx, fy = K[0, 0], K[1, 1]
        Jc = np.zeros((len(x), 2, 6))
        Jc[:, 0, 0], Jc[:, 0, 2], Jc[:, 0, 3], Jc[:, 0, 4], Jc[:, 0, 5] = (
            fx * zi,
            -fx * x * zi,
            -fx * x * y,
            fx * (1 + x * x),
            -fx * y,
        )
        Jc[:, 1, 1], Jc[:, 1, 2], Jc[:, 1, 3], Jc[:, 1, 4], Jc[:, 1, 5] = (
            fy * zi,
            -fy * y * zi,
            -fy * (1 + y * y),
            fy * x * y,
            fy * x,
        )
        Jp = np.matmul(Jc[:, :, :3], R[camera])
        Jpw = np.swapaxes(Jp * w[:, None, None], 1, 2)
        Jcm = Jc[moving]
        Jcw = np.swapaxes(Jcm * w[moving][:, None, None], 1, 2)
        V = _sum_by(point, np.matmul(Jpw, Jp).reshape(-1, 9), m).reshape(m, 3, 3)
        gp = _sum_by(point, np.matmul(Jpw, r[:, :, None])[:, :, 0], m)
        U = _sum_by(cam_m, np.matmul(Jcw, Jcm).reshape(-1, 36), n_free).reshape(n_free, 6, 6)
        gc = _sum_by(cam_m, np.matmul(Jcw, r[moving][:, :, None])[:, :, 0], n_free)
        z = X[flat_index, 2]
        zw = flat_weight / (1 + flat_weight * z * z / four_s2) ** 2
        V[flat_index, 2, 2] += zw
        gp[flat_index, 2] += zw * z
        E = np.zeros((n_free, 6, m, 3))
        E[cam_m, :, pt_m, :] = np.matmul(Jcw, Jp[moving])
        E2 = E.reshape(n_free * 6, m * 3)
        improved = False
        for _ in range(4):
            Vd = V.copy()
            diagonal = np.arange(3)
            Vd[:, diagonal, diagonal] *= 1 + lam
            Vd[:, diagonal, diagonal] += 1e-9
            Vi = np.linalg.inv(Vd)
            EV = np.matmul(E.transpose(0, 2, 1, 3), Vi[None]).transpose(0, 2, 1, 3).reshape(n_free * 6, m * 3)
            S = -EV @ E2.T
            for a in range(n_free):
                block = slice(6 * a, 6 * a + 6)
                S[block, block] += U[a] + np.diag(np.diag(U[a])) * lam
            S[np.diag_indices(len(S))] += 1e-9
            g = gc.ravel().copy()
            if spread is not None:
                spread.add(S, g, R, t)
            dc = np.linalg.solve(S, EV @ gp.ravel() - g)
            dp = -np.matmul(Vi, (gp + (E2.T @ dc).reshape(m, 3))[:, :, None])[:, :, 0]
            step = dc.reshape(n_free, 6)
            R_new, t_new, X_new = R.copy(), t.copy(), X + dp
            for a, c in enumerate(free):
                dR = rotation(step[a, 3:])
                R_new[c], t_new[c] = nearest_rotation(dR @ R[c]), dR @ t[c] + step[a, :3]
            new = residuals(R_new, t_new, X_new)
            if new[0] < cost:
                improved = True
                lam = max(lam / 5, 1e-9)
                break
            lam *= 10
        if not improved:
            break
        gain = (cost - new[0]) / max(cost, 1e-12)
        R, t, X = R_new, t_new, X_new
        cost, r, e2, xy, zi = new
        if gain < 1e-3 and settled:
            break
    depth = np.matmul(R[camera], X[point][:, :, None])[:, 2, 0] + t[camera][:, 2]
    return Adjusted(R, t, X, np.where(depth > 0, np.sqrt(e2), 99.0))


def _sum_by(index: Index, values: Array, n: int) -> Array:
    """Sums (n, d) of the rows of values (k, d) that share an index (k,)."""
    return np.stack([np.bincount(index, values[:, a], n) for a in range(values.shape[1])], 1)


class _Distance:
    """Keeps camera 0 and the one farthest from it as far apart as they are: a stiff residual on that distance."""

    WEIGHT = 1e4  # in units of what the observations say about the two cameras' positions

    def __init__(self, R: Array, t: Array) -> None:
        centres = -np.matmul(np.swapaxes(R, 1, 2), t[:, :, None])[:, :, 0]
        apart = np.linalg.norm(centres - centres[0], axis=1)
        self.other = int(np.argmax(apart))
        self.length = float(apart[self.other])

    def add(self, S: Array, g: Array, R: Array, t: Array) -> None:
        """Add the residual to the reduced normal equations, all cameras free: S (6c, 6c), g (6c,)."""
        k = self.other
        if k == 0:
            return
        apart = R[0].T @ t[0] - R[k].T @ t[k]
        length = float(np.linalg.norm(apart))
        J = np.zeros(len(g))
        J[:3], J[6 * k : 6 * k + 3] = R[0] @ apart / length, -R[k] @ apart / length
        weight = self.WEIGHT * float(np.trace(S[:3, :3]) + np.trace(S[6 * k : 6 * k + 3, 6 * k : 6 * k + 3]))
        S += weight * np.outer(J, J)
        g += weight * (length - self.length) * J
