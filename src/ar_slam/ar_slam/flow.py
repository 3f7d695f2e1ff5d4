"""Corners, and where they went: Shi-Tomasi points spread over the picture, and pyramidal Lucas-Kanade."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_slam.pose import Mask

Grey = NDArray[np.uint8]
Pixels = NDArray[np.float32]


def follow(
    a: Grey, b: Grey, points: Pixels, guess: Pixels, levels: int = 3, window: int = 15, iterations: int = 12
) -> tuple[Pixels, Mask, NDArray[np.float32]]:
    """Follow points (n, 2) of picture a into b, starting at guess (n, 2).

    Returns positions (n, 2), a mask of those found inside the picture, and the mean absolute grey difference (n,).
    """
    if len(points) == 0:
        return np.zeros((0, 2), np.float32), np.zeros(0, bool), np.zeros(0, np.float32)
    p, status, error = cv2.calcOpticalFlowPyrLK(
        a,
        b,
        np.ascontiguousarray(points, np.float32).reshape(-1, 1, 2),
        np.array(guess, np.float32).reshape(-1, 1, 2),
        winSize=(window, window),
        maxLevel=levels,
        criteria=(cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, iterations, 0.02),
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        minEigThreshold=1e-4,
    )
    p = np.asarray(p, np.float32).reshape(-1, 2)
    h, w = b.shape
    inside = (p[:, 0] > 3) & (p[:, 1] > 3) & (p[:, 0] < w - 4) & (p[:, 1] < h - 4)
    return p, (status.ravel() > 0) & inside, np.asarray(error, np.float32).ravel()


def returns(a: Grey, b: Grey, points: Pixels, found: Pixels, tolerance_px: float = 0.7) -> Mask:
    """Which of the points (n, 2) of picture a, found in b, lead back to where they came from."""
    back, ok, _ = follow(b, a, found, points, levels=0, iterations=8)
    d = back - points
    return np.asarray(ok & ((d * d).sum(1) < tolerance_px**2))


def remeasure(
    reference: Grey, first: Pixels, picture: Grey, now: Pixels, asked: Mask | None = None
) -> tuple[Pixels, Mask]:
    """Positions (n, 2) of the points first (n, 2) of a reference picture, near now (n, 2), by the reference itself.

    Takes out the drift of following from frame to frame: the reference is warped to the picture by the homography that fits
    the points best. Where a point is not asked for (n,), not on that plane or not found within 1.5 px, it stays as it was. The
    mask (n,) says which were found.
    """
    there, at = np.zeros(len(now), bool), now.copy()
    H, mask = cv2.findHomography(first, now, cv2.RANSAC, 3.0, maxIters=200)
    if H is None:
        return at, there
    h, w = picture.shape
    on = np.flatnonzero((mask.ravel() > 0) & (asked if asked is not None else True))
    warped = np.asarray(cv2.warpPerspective(reference, H, (w, h), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    q = np.column_stack([first[on], np.ones(len(on))]) @ H.T
    found, ok, error = follow(warped, picture, (q[:, :2] / q[:, 2:]).astype(np.float32), now[on], 1, iterations=20)
    ok &= (error < 20) & (np.hypot(*(found - now[on]).T) < 1.5)
    there[on[ok]], at[on[ok]] = True, found[ok]
    return at, there


def corners(
    grey: Grey, count: int, occupied: Pixels | None = None, least: float = 8e-4, relative: float = 0.01, cell: int = 40
) -> Pixels:
    """Up to count new corners (m, 2), the strongest of each cell first, none within 9 px of the occupied ones (n, 2).

    least: smallest eigenvalue of the structure tensor that counts; relative: the same, as a fraction of a strong corner of
    this picture. Edges (eigenvalues more than 12 to 1) are left out: a point on them slides.
    """
    if count <= 0:
        return np.zeros((0, 2), np.float32)
    h, w = grey.shape
    strength = _strength(grey)
    strong = float(np.partition(strength[::4, ::4].ravel(), -60)[-60])
    peak = (strength > max(least, relative * strong)) & (strength == cv2.dilate(strength, np.ones((9, 9), np.uint8)))
    peak[:10] = peak[-10:] = False
    peak[:, :10] = peak[:, -10:] = False
    nx, ny = w // cell + 1, h // cell + 1
    taken = np.zeros(nx * ny, np.int64)
    if occupied is not None and len(occupied):
        near = np.ones((h, w), np.uint8)
        for x, y in occupied.astype(int):
            cv2.circle(near, (int(x), int(y)), 9, 0, -1)
        peak &= near > 0
        ij = np.clip((occupied / cell).astype(int), 0, [nx - 1, ny - 1])
        np.add.at(taken, ij[:, 1] * nx + ij[:, 0], 1)
    y, x = np.divmod(np.flatnonzero(peak), w)
    order = np.argsort(-strength[y, x], kind="stable")[: 6 * count]
    x, y = x[order], y[order]
    keep = _is_corner(grey, x, y)
    x, y = x[keep], y[keep]
    if len(x) == 0:
        return np.zeros((0, 2), np.float32)
    place = (y // cell) * nx + x // cell
    by_cell = np.argsort(place, kind="stable")
    sorted_place = place[by_cell]
    starts = np.flatnonzero(np.r_[True, np.diff(sorted_place) > 0])
    lengths = np.diff(np.r_[starts, len(sorted_place)])
    rank = np.empty(len(place), np.int64)
    rank[by_cell] = np.arange(len(place)) - np.repeat(starts, lengths)
    rank += taken[place]
    per_cell = 2 * max(3, int(np.ceil(1.6 * count / (nx * ny))))
    chosen = np.argsort(rank, kind="stable")
    chosen = chosen[rank[chosen] < per_cell][:count]
    return np.column_stack([x[chosen], y[chosen]]).astype(np.float32)


def _strength(grey: Grey, rows: int = 96, around: int = 6) -> NDArray[np.float32]:
    """Smallest eigenvalues (H, W) of the structure tensor. In bands: small buffers are reused, large ones come as new pages
    from the system each time, which takes longer than the computation.
    """
    h = len(grey)
    out = np.empty(grey.shape, np.float32)
    for y in range(0, h, rows):
        top = max(0, y - around)
        band = cv2.cornerMinEigenVal(grey[top : min(h, y + rows + around)], 7, ksize=3)
        out[y : y + rows] = band[y - top : y - top + rows]
    return out


def _is_corner(grey: Grey, x: NDArray[np.intp], y: NDArray[np.intp], ratio: float = 0.08) -> Mask:
    """Whether both eigenvalues of the gradients around (x, y) are of one order: a corner and not an edge."""
    if len(x) == 0:
        return np.zeros(0, bool)
    k = np.arange(-4, 5)
    patch = grey[(y[:, None, None] + k[None, :, None]), (x[:, None, None] + k[None, None, :])].astype(np.float32)
    gx = patch[:, 1:-1, 2:] - patch[:, 1:-1, :-2]
    gy = patch[:, 2:, 1:-1] - patch[:, :-2, 1:-1]
    a, b, c = (gx * gx).sum((1, 2)), (gx * gy).sum((1, 2)), (gy * gy).sum((1, 2))
    root = np.sqrt(((a - c) / 2) ** 2 + b * b)
    mean = (a + c) / 2
    return np.asarray(mean - root > ratio * (mean + root))
