"""Continues a picture into a hole: smoothly, or with the texture that surrounds it.

The texture is copied from elsewhere in the picture by a few shifts, those at which it looks most like the surroundings
(after He and Sun, Statistics of patch offsets, 2012): the period of a pattern is such a shift. What fits the rim of the hole
decides which shift serves which part, and a membrane makes brightness meet (Farbman et al., Coordinates for instant image
cloning, 2009).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_SHIFTS, _KEPT = 10, 4
_COARSE = 4  # the self-similarity is measured on a picture so much smaller
_WORTH = 1.3  # of the texture's strength that a copy of it may be wrong by
_LIGHT = 0.12  # how much differences in light count beside those in texture
_NEAR = 8  # pixels of the small picture that count as around the hole
_MEAN = np.full((1, 3), 1 / 3, np.float32)
_RIM = 9  # pixels of the halved picture around the hole that must fit


def fill_smoothly(values: Array, weights: Array) -> Array:
    """values (h, w, c) float32 where weights (h, w) are 1, a smooth continuation where they are 0 (pull-push; Gortler 1996)."""
    w: Array = cv2.merge([np.asarray(weights, np.float32)] * values.shape[2]).reshape(values.shape)
    levels: list[tuple[Array, Array]] = [(values * w, w)]  # alike in shape: numpy is slow at widening one of them
    while min(w.shape[:2]) > 2:
        w = cv2.pyrDown(w).reshape(-1, (w.shape[1] + 1) // 2, w.shape[2])
        levels.append((cv2.pyrDown(levels[-1][0]).reshape(w.shape), w))
    v, w = levels.pop()
    mean = v.sum((0, 1)) / max(float(w[..., 0].sum()), 1e-6)
    out = np.where(w > 1e-4, v / np.maximum(w, 1e-6), mean.astype(np.float32))
    while levels:
        v, w = levels.pop()
        out = cv2.pyrUp(out, dstsize=w.shape[1::-1]).reshape(w.shape)
        share = np.minimum(4 * w, 1)
        out = out + share * (v / np.maximum(w, 1e-6) - out)
    return np.asarray(out)


def alike(difference: Array, where: Array) -> Array:
    """(h, w): near 1 where a difference (h, w, 3) is what it is in most places of ``where`` (h, w), near 0 where it is odd."""
    samples = difference[where > 0.5]
    samples = samples[:: 1 + len(samples) // 1000]
    if len(samples) < 50:
        return np.ones(where.shape, np.float32)
    middle = np.median(samples, axis=0)
    spread = 6.0 + 1.5 * np.median(np.abs(samples - middle), axis=0)
    far = _largest(np.abs(difference - middle) / spread)
    return np.asarray(np.exp(-0.5 * far * far), np.float32)


def _magnitude(difference: Array) -> Array:
    """(h, w): mean over the channels of (h, w, 3) float32; OpenCV is ten times as quick at this as numpy."""
    return np.asarray(cv2.transform(np.abs(difference), _MEAN))


def _largest(values: Array) -> Array:
    """(h, w): maximum over the channels of (h, w, 3)."""
    a, b, c = cv2.split(values)
    return np.asarray(cv2.max(cv2.max(a, b), c))


def continue_texture(colours: Array, known: Array, wanted: Array) -> Array:
    """colours (n, n, 3) uint8 with what is wanted (n, n) made up from what is known (n, n), both bool; n even."""
    full = colours.astype(np.float32)
    k = known.astype(np.float32)
    smooth = fill_smoothly(full, k)
    half = tuple(s // 2 for s in known.shape[::-1])
    picture = cv2.resize(smooth, half, interpolation=cv2.INTER_AREA)
    sure = (cv2.resize(k, half, interpolation=cv2.INTER_AREA) > 0.99).astype(np.float32)
    hole = (cv2.resize(wanted.astype(np.float32), half, interpolation=cv2.INTER_AREA) > 0).astype(np.float32)
    rim = cv2.dilate(hole, np.ones((2 * _RIM + 1, 2 * _RIM + 1))) * sure
    if rim.sum() < 20 or hole.sum() < 1:
        return np.clip(np.where(known[..., None], full, smooth), 0, 255).astype(np.uint8)
    # Light and shadow lie over the texture: it is compared without them.
    low = cv2.GaussianBlur(np.dstack([picture * sure[..., None], sure]), (0, 0), 6.0)
    level = low[..., :3] / np.maximum(low[..., 3:], 1e-3)
    detail = (picture - level) * sure[..., None]
    lit = _lit(level, sure)
    smooth = fill_smoothly(full, k * cv2.resize(lit, known.shape[::-1]))
    shifts = [_refined(detail, sure, rim, d) for d in self_similar_shifts(detail, sure, hole)]
    strange = _strangeness(picture, rim)
    candidates = []
    for dx, dy in shifts:
        also = _shifted(sure, dx, dy)
        fits, difference = rim * also, picture - _shifted(picture, dx, dy)
        if fits.sum() < 0.1 * rim.sum():
            continue
        error = _magnitude(detail - _shifted(detail, dx, dy)) + _LIGHT * _magnitude(difference)
        cost = _spread(np.minimum(error, 80.0), fits) + 1.5 * _shifted(strange, dx, dy)
        candidates.append(
            (float((error * fits).sum() / fits.sum()), (dx, dy), np.where(also > 0.5, cost, 1e3), fits, difference)
        )
    candidates = sorted(candidates, key=lambda c: c[0])[:_KEPT]
    # Where no shift fits better than the texture is strong, a smooth filling is the smaller evil.
    plain = _WORTH * _magnitude(detail) + _LIGHT * _magnitude(picture - fill_smoothly(picture, sure - rim))
    costs = [c[2] for c in candidates] + [_spread(plain, rim)]
    label = np.argmin([cv2.blur(c, (9, 9)) for c in costs], axis=0)
    total = np.full(known.shape, 1e-3, np.float32)
    made = smooth * np.float32(1e-3)
    mine = cv2.GaussianBlur((label == len(candidates)).astype(np.float32), (0, 0), 1.2)
    share = cv2.resize(mine, known.shape[::-1], interpolation=cv2.INTER_LINEAR)
    made, total = made + smooth * share[..., None], total + share
    size = known.shape[::-1]
    for i, (_, (dx, dy), cost, fits, difference) in enumerate(candidates):
        mine = cv2.GaussianBlur(((label == i) & (cost < 1e3)).astype(np.float32), (0, 0), 1.2)
        share = cv2.resize(mine, size, interpolation=cv2.INTER_LINEAR) * _shifted(k, 2 * dx, 2 * dy)
        added = fill_smoothly(difference, fits * lit * alike(difference, fits * lit))
        added = cv2.resize(added, size, interpolation=cv2.INTER_LINEAR)
        made += (_shifted(full, 2 * dx, 2 * dy) + added) * share[..., None]
        total += share
    made /= total[..., None]
    return np.clip(np.where(known[..., None], full, np.where(wanted[..., None], made, smooth)), 0, 255).astype(np.uint8)


def _lit(level: Array, sure: Array) -> Array:
    """(h, w): 1 where the picture (h, w, 3), without its texture, is as bright as usual, little where it is in shadow: the
    hole's own shadow goes when what stood there goes."""
    grey = cv2.transform(level, _MEAN)
    usual = float(np.median(grey[sure > 0]))
    return np.clip((grey / max(usual, 1.0) - 0.75) / 0.15, 0.03, 1.0).astype(np.float32)


def _spread(error: Array, where: Array) -> Array:
    """Errors (h, w) on the rim, ``where`` (h, w) is 1, carried into the hole; neighbours speak together."""
    low = cv2.blur(np.dstack([error * where, where]).astype(np.float32), (15, 15))
    return fill_smoothly((low[..., 0] / np.maximum(low[..., 1], 1e-3))[..., None], where)[..., 0]


def self_similar_shifts(picture: Array, sure: Array, hole: Array) -> list[tuple[int, int]]:
    """Shifts (dx, dy) by which a picture (n, n, 3) looks most like it does around its hole, and which show something sure in
    a part of the hole; sure and hole (n, n) float32, 0 or 1. The best first."""
    size = (picture.shape[1] // _COARSE * 2, picture.shape[0] // _COARSE * 2)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    k = (cv2.resize(sure, size, interpolation=cv2.INTER_AREA) > 0.9).astype(np.float64)
    want = cv2.resize(hole, size, interpolation=cv2.INTER_AREA)
    n = small.shape[0]
    shape = (2 * n, 2 * small.shape[1])

    def spectrum(image: Array) -> Array:
        return np.fft.rfft2(image, shape)

    def correlated(a: Array, b: Array) -> Array:
        """Σ a(x)·b(x + d) for all d, the zero shift in the middle."""
        return np.fft.fftshift(np.fft.irfft2(np.conj(a) * b, shape))

    near = cv2.dilate(want, np.ones((2 * _NEAR + 1, 2 * _NEAR + 1))) * k
    around, known, square = spectrum(near), spectrum(k), (small**2).sum(2)
    error = correlated(around, spectrum(k * square)) + correlated(spectrum(near * square), known)
    for c in range(3):
        error -= 2 * correlated(spectrum(near * small[..., c]), spectrum(k * small[..., c]))
    pairs = correlated(around, known)
    covered = correlated(spectrum(want), known) / max(float(want.sum()), 1.0)
    score = error / np.maximum(pairs, 1) * (1.6 - np.clip(covered, 0, 1))
    dy, dx = np.mgrid[-n : shape[0] - n, -small.shape[1] : shape[1] - small.shape[1]]
    score[(np.hypot(dx, dy) < 3) | (covered < 0.35) | (pairs < 0.4 * near.sum())] = np.inf
    lowest = cv2.erode(np.where(np.isfinite(score), score, 1e12).astype(np.float32), np.ones((5, 5)))
    peaks = np.argwhere(np.isfinite(score) & (score <= lowest * (1 + 1e-6)))
    peaks = peaks[np.argsort([score[y, x] for y, x in peaks], kind="stable")][:_SHIFTS]
    step = _COARSE // 2
    return [(int(dx[y, x]) * step, int(dy[y, x]) * step) for y, x in peaks]


def _refined(picture: Array, sure: Array, rim: Array, shift: tuple[int, int]) -> tuple[int, int]:
    """The shift, a pixel or two better, judged on the rim."""
    y, x = np.nonzero(rim > 0)
    some = slice(None, None, max(1, len(y) // 500))
    (y, x), (h, w) = (y[some], x[some]), sure.shape
    best, found = np.inf, shift
    for ey in range(-2, 3):
        for ex in range(-2, 3):
            u, v = x + shift[0] + ex, y + shift[1] + ey
            inside = (u >= 0) & (u < w) & (v >= 0) & (v < h)
            inside[inside] &= sure[v[inside], u[inside]] > 0
            if inside.sum() < 20:
                continue
            error = np.abs(picture[y[inside], x[inside]] - picture[v[inside], u[inside]]).mean()
            if error < best:
                best, found = float(error), (shift[0] + ex, shift[1] + ey)
    return found


def _strangeness(picture: Array, rim: Array) -> Array:
    """(h, w): how far each colour is from all that are common on the rim, next to the picture's middle, in levels: other things
    that stand about."""
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    y, x = np.nonzero(rim > 0)
    near = np.argsort(np.hypot(x - rim.shape[1] / 2, y - rim.shape[0] / 2), kind="stable")[: max(32, len(x) // 2)]
    palette = picture[y[near], x[near]][:: max(1, len(near) // 32)]
    like = (np.abs(palette[:, None] - palette[None]).max(2) < 25).sum(1)
    palette = palette[like >= min(4, int(like.max()))]
    far = np.full(small.shape[:2], np.inf, np.float32)
    for colour in palette:
        far = np.minimum(far, _largest(np.abs(small - colour)))
    far = cv2.blur(np.clip(far - 10, 0, 80).astype(np.float32), (3, 3))
    return np.asarray(cv2.resize(far, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR))


def _shifted(image: Array, dx: int, dy: int) -> Array:
    """image(x + dx, y + dy), 0 outside."""
    M = np.array([[1.0, 0, -dx], [0, 1, -dy]])
    return np.asarray(cv2.warpAffine(image, M, image.shape[1::-1], flags=cv2.INTER_NEAREST))
