"""Continues a picture into a hole: smoothly, or with the texture that surrounds it.

The texture is copied from elsewhere in the picture by a few shifts, those at which it looks most like the surroundings
(after He and Sun, Statistics of patch offsets, 2012): the period of a pattern is such a shift. What fits the rim of the hole
decides which shift serves which part, and a membrane makes brightness meet (Farbman et al., Coordinates for instant image
cloning, 2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .patches import assign

Array = NDArray[Any]
_SHIFTS = 24
_COARSE = 4  # the self-similarity is measured on a picture so much smaller
_ASIDE = 3  # pixels of the halved picture
_OFF = 0.8  # how much less odd differences of light count
_NEARLY = 1.15  # as good
_MUCH = 40.0  # levels: differences beyond count as this
_PLAIN = 40.0  # levels: where no shift fits better, a smooth filling is the smaller evil
_LIGHT = 0.12  # how much differences in light count beside those in texture
_NEAR = 14  # pixels of the small picture that count as around the hole
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


@dataclass(frozen=True)
class _Ground:
    """A picture with a hole at half its size: all (h, w) or (h, w, 3) float32. level: its light and shadow, detail: its texture
    without them, strange: see there; plain and lit: how ordinary and how bright it is, 0-1."""

    sure: Array
    hole: Array
    rim: Array
    level: Array
    detail: Array
    strange: Array
    plain: Array
    lit: Array


def _ground(full: Array, k: Array, wanted: Array) -> _Ground | None:
    half = tuple(s // 2 for s in k.shape[::-1])
    picture = cv2.resize(fill_smoothly(full, k), half, interpolation=cv2.INTER_AREA)
    sure = (cv2.resize(k, half, interpolation=cv2.INTER_AREA) > 0.99).astype(np.float32)
    hole = (cv2.resize(wanted.astype(np.float32), half, interpolation=cv2.INTER_AREA) > 0).astype(np.float32)
    rim = cv2.dilate(hole, np.ones((2 * _RIM + 1, 2 * _RIM + 1))) * sure
    if rim.sum() < 20 or hole.sum() < 1:
        return None
    # Light and shadow lie over the texture: it is compared without them.
    strange = _strangeness(picture, rim)
    plain = sure * np.exp(-np.square(strange / 12.0))
    low = cv2.GaussianBlur(np.dstack([picture * plain[..., None], plain]).astype(np.float32), (0, 0), 6.0)
    level = low[..., :3] / np.maximum(low[..., 3:], 1e-3)
    return _Ground(sure, hole, rim, level, (picture - level) * sure[..., None], strange, plain, _lit(level, sure))


def repeats(colours: Array, known: Array, hole: Array) -> list[tuple[int, int]]:
    """By which shifts (dx, dy), in pixels of the halved picture, the texture around a hole (n, n) bool is repeated: those that
    ``continue_texture`` may take. colours (n, n, 3) uint8, known (n, n) bool."""
    g = _ground(colours.astype(np.float32), known.astype(np.float32), hole)
    if g is None:
        return []
    shifts = [_refined(g.detail, g.sure, g.rim, d) for d in _in_line(self_similar_shifts(g.detail, g.sure, g.hole))]
    return _fitting(shifts, g.detail, g.sure, cv2.dilate(g.hole, np.ones((6 * _RIM + 1, 6 * _RIM + 1))) * g.plain)


def continue_texture(
    colours: Array, known: Array, wanted: Array, shifts: Sequence[tuple[int, int]] | None = None
) -> Array:
    """colours (n, n, 3) uint8 with what is wanted (n, n) made up from what is known (n, n), both bool; n even. shifts: how the
    texture is repeated, where that is known (see ``repeats``)."""
    shifts = repeats(colours, known, wanted) if shifts is None else shifts
    full, k = colours.astype(np.float32), known.astype(np.float32)
    g = _ground(full, k, wanted) if shifts else None
    smooth = fill_smoothly(full, k)
    if g is None:
        return np.clip(np.where(known[..., None], full, smooth), 0, 255).astype(np.uint8)
    sure, hole, level = g.sure, g.hole, g.level
    moved, there = _assigned(g, shifts)
    size = known.shape[::-1]
    # Texture is copied as it is; light, which lies over it, so that pieces meet softly and meet what surrounds them.
    light = _copied(level, moved)
    fits = there & (sure > 0) & (_copied(sure, moved) > 0)
    filled = there & (hole > 0)
    light = np.where((filled | fits)[..., None], light, level).astype(np.float32)
    light = cv2.GaussianBlur(light, (0, 0), 5.0)
    difference = level - light
    light = light + fill_smoothly(difference, fits * (_OFF * alike(difference, fits.astype(np.float32)) + 1 - _OFF))
    moved = cv2.resize(moved, size, interpolation=cv2.INTER_NEAREST) * 2
    there = cv2.resize(there.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    copied = _copied(full - cv2.resize(level, size), moved) + cv2.resize(light, size)
    share = cv2.GaussianBlur(there.astype(np.float32), (0, 0), 1.5)[..., None]
    made = smooth + (copied - smooth) * share
    return np.clip(np.where(known[..., None], full, np.where(wanted[..., None], made, smooth)), 0, 255).astype(np.uint8)


def _copied(values: Array, moved: Array) -> Array:
    """values (n, n, ...) float32 from where ``moved`` (n, n, 2) says."""
    y, x = np.mgrid[0 : moved.shape[0], 0 : moved.shape[1]].astype(np.float32)
    return np.asarray(cv2.remap(values, x + moved[..., 0], y + moved[..., 1], cv2.INTER_NEAREST))


def _assigned(g: _Ground, shifts: Sequence[tuple[int, int]]) -> tuple[Array, Array]:
    """From where each pixel is taken: shifts (n, n, 2), and where there are any (n, n) bool; on a rim outside of the hole,
    too, so that light can be compared there."""
    half = tuple(s // 2 for s in g.sure.shape[::-1])
    compared = cv2.resize(np.dstack([g.detail, _LIGHT * g.level]), half, interpolation=cv2.INTER_AREA)
    k = cv2.resize(g.sure, half, interpolation=cv2.INTER_AREA) > 0.99
    want = cv2.resize(g.hole, half, interpolation=cv2.INTER_AREA) > 0
    odd = cv2.resize(g.strange, half, interpolation=cv2.INTER_AREA)
    moved, there = assign(compared, k, want, odd, np.array(shifts), 2, _PLAIN)
    _, nearest = cv2.distanceTransformWithLabels(
        (~there).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    places = np.flatnonzero(there)
    if len(places):
        rim = ~there & (cv2.dilate(there.astype(np.uint8), np.ones((9, 9))) > 0) & k
        order = np.zeros(int(nearest.max()) + 1, np.int64)
        order[nearest.ravel()[places]] = places
        moved[rim] = moved.reshape(-1, 2)[order[nearest[rim]]]
        there = there | rim
    size = g.sure.shape[::-1]
    grown = [cv2.resize(moved[..., i].astype(np.float32), size, interpolation=cv2.INTER_NEAREST) for i in (0, 1)]
    return np.dstack(grown), cv2.resize(there.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0


def _lit(level: Array, sure: Array) -> Array:
    """(h, w): 1 where the picture (h, w, 3), without its texture, is as bright as usual, little where it is in shadow: the
    hole's own shadow goes when what stood there goes."""
    grey = cv2.transform(level, _MEAN)
    usual = float(np.median(grey[sure > 0]))
    return np.clip((grey / max(usual, 1.0) - 0.75) / 0.15, 0.03, 1.0).astype(np.float32)


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
    back = [np.roll(m[::-1, ::-1], (1, 1), (0, 1)) for m in (error, pairs)]  # what repeats does so back and forth
    score = (error + back[0]) / np.maximum(pairs + back[1], 1)
    dy, dx = np.mgrid[-n : shape[0] - n, -small.shape[1] : shape[1] - small.shape[1]]
    short = 0.5 * np.sqrt(np.count_nonzero(want > 0.5))  # what is larger than a step must not be broken by it
    score[(np.hypot(dx, dy) < max(3.0, short)) | (covered < 0.1) | (pairs < 0.3 * near.sum())] = np.inf
    lowest = cv2.erode(np.where(np.isfinite(score), score, 1e12).astype(np.float32), np.ones((5, 5)))
    peaks = np.argwhere(np.isfinite(score) & (score <= lowest * (1 + 1e-6)))
    peaks = peaks[np.argsort([score[y, x] for y, x in peaks], kind="stable")][:_SHIFTS]
    step = _COARSE // 2
    return [(int(dx[y, x]) * step, int(dy[y, x]) * step) for y, x in peaks]


def _in_line(shifts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those along one line, back and forth, the line along which there are the most and the best: bands run on, and rows are
    not mixed."""

    def along(shift: tuple[int, int]) -> list[int]:
        u, v = shift
        return [i for i, (dx, dy) in enumerate(shifts) if abs(u * dy - v * dx) <= _ASIDE * np.hypot(u, v)]

    if not shifts:
        return []
    line = max((along(shift) for shift in shifts), key=lambda line: sum(1 / (i + 3) for i in line))
    return list(dict.fromkeys((s * shifts[i][0], s * shifts[i][1]) for i in line for s in (1, -1)))


def _fitting(shifts: list[tuple[int, int]], detail: Array, sure: Array, where: Array) -> list[tuple[int, int]]:
    """Those by which the texture around the hole, weighted ``where`` (n, n), is repeated about as well as by the best."""
    errors = []
    for shift in shifts:
        fits = where * _shifted(sure, *shift)
        wrong = np.minimum(_magnitude(detail - _shifted(detail, *shift)), _MUCH)
        errors.append(float((wrong * fits).sum()) / float(fits.sum()) if fits.sum() > 0.2 * where.sum() else np.inf)
    best = min(errors, default=np.inf)
    good = [shift for shift, error in zip(shifts, errors, strict=True) if error <= _NEARLY * best < np.inf]
    return list(dict.fromkeys((s * dx, s * dy) for dx, dy in good for s in (1, -1)))


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
