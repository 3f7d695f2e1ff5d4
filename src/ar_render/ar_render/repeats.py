"""How a table's texture repeats, and what that tells of places that are hidden or in shadow.

Patterns, weave and grain run on along lines. The line along which a picture looks most like itself, and the steps on it, are
found by correlation; then each place is told by the same texture a few steps away, there where it is seen in full light.
What the light is, a membrane says for each step (Farbman et al., Coordinates for instant image cloning, 2009).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .inpainting import fill_smoothly, palette_distance

Array = NDArray[Any]
Shift = tuple[float, float]  # dx, dy in pixels of the halved picture

_DARKEST = 14.0  # levels added before the logarithm: the foot of the sRGB curve
_TEXTURE = 6.0  # pixels of the halved picture: what is finer is texture, what is coarser light
_MOST = 0.4  # log: larger differences count as this
_STEPS = 8  # at most, each back and forth
_GOOD = 0.72  # of the best step's correlation: worth taking
_STRANGE = 20.0  # levels: a colour so far from all usual ones is another thing's
_FITS = 0.6  # cost: what fits worse is not taken
_ENVELOPE = (24.0, 24.0, 24.0, 16.0, 16.0, 10.0)  # pixels of the halved picture
_NEAR = 27  # pixels of the halved picture around what is wanted
_SHADE = 0.5  # log: how dark other things' shadows are


@dataclass(frozen=True)
class Ground:
    """A table's picture at half its size, (h, w) or (h, w, 3) float32: log colours, where they are sure (0 or 1), where they
    are also in full light, and the texture alone; plain (0-1): of a usual colour; usable (0-1): surely table."""

    log: Array
    sure: Array
    dim: Array
    lit: Array
    level: Array
    texture: Array
    plain: Array
    usable: Array
    near: Array


def ground(colours: Array, sure: Array, dim: Array, flat: Array | None, wanted: Array) -> Ground | None:
    """What there is to go by in colours (n, n, 3) uint8 that are sure (n, n) bool, and dim (n, n) bool where a shadow may lie
    that does not belong there; flat (n, n) bool: surely no other thing, if that is known; wanted (n, n) bool: to be told.
    """
    log = _halved(logarithm(fill_smoothly(colours.astype(np.float32), sure.astype(np.float32))))
    known = cv2.morphologyEx((_halved(sure) > 0.99).astype(np.float32), cv2.MORPH_OPEN, np.ones((3, 3)))
    dark = (_halved(dim) > 0).astype(np.float32)
    lit = known * (1 - dark)
    want = (_halved(wanted) > 0).astype(np.float32)
    rim = cv2.dilate(want, np.ones((19, 19))) * known
    if rim.sum() < 20 or want.sum() < 1:
        return None
    grey = cv2.transform(_mean(log, known, 3.0), _THIRDS)
    rim = rim * (grey >= np.percentile(grey[rim > 0], 50))
    strange = palette_distance(np.exp(_mean(log, known, 3.0)) - _DARKEST, rim)
    plain = cv2.erode(np.maximum(np.exp(-np.square(strange / _STRANGE)), 0.01) * known, np.ones((3, 3)))
    usable = plain if flat is None else np.maximum(plain, (_halved(flat) > 0.9) * known)
    level = _mean(log, known * (plain + 0.001), _TEXTURE)
    texture = np.clip((log - level) * known[..., None], -_MOST, _MOST)
    near = cv2.dilate(np.maximum(want, dark), np.ones((2 * _NEAR + 1, 2 * _NEAR + 1)))
    return Ground(log, known, dark, lit, level, texture, plain.astype(np.float32), usable.astype(np.float32), near)


def logarithm(colours: Array) -> Array:
    """Encoded colours as logarithms, in which more light is a sum."""
    return np.asarray(np.log(colours.astype(np.float32) + _DARKEST))


def colour(log: Array) -> Array:
    """uint8, the inverse of ``logarithm``."""
    return np.clip(np.round(np.exp(log) - _DARKEST), 0, 255).astype(np.uint8)


def steps(g: Ground) -> list[Shift]:
    """By which shifts the texture is repeated, the best first."""
    weight = g.sure * (0.3 + 0.7 * g.usable)
    found = [_refined(g, shift) for shift in _along_the_line(_correlation(g.texture, weight, g.near))]
    return [(s * x, s * y) for error, (x, y) in sorted(found) if np.isfinite(error) for s in (1, -1)]


def _told(g: Ground, shift: Shift, usual_here: Array, full_light: Array) -> tuple[Array, Array]:
    """What a shift tells of every place: log light to add to the copy (h, w, 3), and how badly it fits (h, w), 9 where it
    says nothing."""
    there = cv2.erode((moved(g.sure, shift) > 0.99).astype(np.float32), np.ones((3, 3)))
    relit = moved(g.dim, shift)
    plain = moved(g.plain, shift) * there
    usable = np.where(relit > 0, plain, moved(g.usable, shift)) * there
    wrong = np.minimum(cv2.transform(np.abs(moved(g.texture, shift) - g.texture), _THIRDS), _MOST)
    both = usable * g.usable * g.sure * (0.3 + 0.7 * g.lit)
    error = _extended(wrong[..., None], both, 4.0)[..., 0]
    light = full_light - moved(full_light, shift)
    both = (1 - relit) * usable * g.usable * g.lit * (0.15 + 0.85 * plain * g.plain)
    rest = _extended(g.log - moved(g.log, shift) - light, both, 5.0)  # other things' shadows
    light += np.clip(rest, -_SHADE, _SHADE) * (1 - g.dim[..., None])
    odd = np.maximum(usual_here - plain, 0)
    cost = cv2.GaussianBlur(np.minimum(error + 0.5 * odd + 0.05 * relit, 1), (0, 0), 3.0)
    return light, np.where((there > 0) & (usable > 0.4) & (odd < 0.4), cost, 9.0)


def _usual(g: Ground, shift: Shift) -> Array:
    """(h, w): how usual, 0-1, the colours are that lie in line with each place: a band or a seam is no other thing."""
    reach = round(0.47 * len(g.sure))
    x, y = np.array(shift) / np.hypot(*shift) * reach
    one = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    cv2.line(one, (round(reach - x), round(reach - y)), (round(reach + x), round(reach + y)), 1.0)
    line = cv2.GaussianBlur(one, (0, 0), 1.5)
    weight = g.usable * g.lit
    plain, known = (cv2.filter2D(v, -1, line, borderType=cv2.BORDER_CONSTANT) for v in (weight * g.plain, weight))
    here = np.clip(1.5 * plain / np.maximum(known, 1e-3) - 0.2, 0, 1)
    return np.asarray(np.maximum(here, g.dim))


def continued(colours: Array, known: Array, wanted: Array, g: Ground, shifts: list[Shift]) -> Array:
    """colours (n, n, 3) uint8, known (n, n) bool, with what is wanted (n, n) bool as it looks in full light: taken from where the
    texture is the same; where it is so nowhere, what is known there gets the light of its surroundings."""
    size = known.shape[::-1]
    full = logarithm(fill_smoothly(colours.astype(np.float32), known.astype(np.float32)))
    soft = cv2.GaussianBlur(g.dim, (0, 0), 3.0)[..., None]
    light = _extended(g.log, g.lit * g.usable, 3.0)
    lamp = _full_light(g)
    light = (light + soft * (lamp - light)).astype(np.float32)
    own = np.where(known[..., None], full + cv2.resize(light - g.level, size), cv2.resize(light, size))
    source = full + (own - full) * np.where(known, cv2.resize(g.dim, size), 0)[..., None]
    here = _usual(g, shifts[0]) if shifts else g.dim
    answers = [_told(g, shift, here, lamp) for shift in shifts]
    best = np.argmin([cost for _, cost in answers], axis=0) if answers else np.zeros(g.sure.shape, int)
    total, share = np.zeros_like(full), np.zeros(known.shape, np.float32)
    for i, (shift, (light, cost)) in enumerate(zip(shifts, answers, strict=True)):
        mine = ((best == i) & (cost < _FITS)).astype(np.float32)
        if mine.any():
            mine = cv2.GaussianBlur(cv2.resize(mine, size, interpolation=cv2.INTER_NEAREST), (0, 0), 1.5)
            copy = moved(source, (2 * shift[0], 2 * shift[1])) + cv2.resize(light, size)
            total, share = total + copy * mine[..., None], share + mine
    part = np.minimum(share, 1)[..., None]
    made = colour(total / np.maximum(share, 1e-6)[..., None] * part + own * (1 - part))
    return np.asarray(np.where(wanted[..., None], made, colours))


def _full_light(g: Ground) -> Array:
    """(h, w, 3): log level of what lies in full light, everywhere: the upper envelope of what is seen, as shadow only darkens."""
    weight = g.lit * g.usable * (0.02 + 0.98 * g.plain)
    seen = _mean(g.log, weight, 1.5)
    out = _extended(seen, weight, _ENVELOPE[0])
    for sigma in _ENVELOPE:
        below = np.maximum(cv2.transform(out - seen, _THIRDS), 0)
        out = _extended(seen, weight * np.exp(-np.square(below / 0.03)), sigma)
    return out


def moved(image: Array, shift: Shift) -> Array:
    """image(x + dx, y + dy), 0 outside."""
    M = np.array([[1.0, 0, -shift[0]], [0, 1, -shift[1]]])
    return np.asarray(cv2.warpAffine(image, M, image.shape[1::-1], flags=cv2.INTER_LINEAR))


_THIRDS = np.full((1, 3), 1 / 3, np.float32)


def _halved(image: Array) -> Array:
    half = (image.shape[1] // 2, image.shape[0] // 2)
    return np.asarray(cv2.resize(image.astype(np.float32), half, interpolation=cv2.INTER_AREA))


def _mean(values: Array, weights: Array, sigma: float) -> Array:
    """Of (h, w, 3) in a Gaussian window, with weights (h, w)."""
    total = cv2.GaussianBlur(values * weights[..., None], (0, 0), sigma)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weights, (0, 0), sigma), 1e-4)[..., None], np.float32)


def _extended(values: Array, weights: Array, sigma: float) -> Array:
    """The mean of (h, w, c) in a Gaussian window, continued smoothly to where weights (h, w) are 0."""
    near = cv2.GaussianBlur(weights, (0, 0), sigma)
    mean = cv2.GaussianBlur(values * weights[..., None], (0, 0), sigma).reshape(values.shape)
    known = np.minimum(4 * near, 1) * (near > 0.02)
    return fill_smoothly((mean / np.maximum(near, 1e-4)[..., None]).astype(np.float32), known)


def _correlation(texture: Array, weight: Array, near: Array) -> Array:
    """(2n, 2n) float32: how alike, -1 to 1, a texture (h, w, 3) is to itself at each shift, at half its size; the zero shift in
    the middle, 0 where too little can be compared."""
    n = texture.shape[0] // 2
    t, w, a = (cv2.resize(v, (n, n), interpolation=cv2.INTER_AREA) for v in (texture, weight**2, near))
    a = (a > 0) * w
    t = np.clip(t, -0.15, 0.15) * w[..., None]
    square = np.square(t).sum(2)

    def spectrum(image: Array) -> Array:
        return np.fft.rfft2(image, (2 * n, 2 * n))

    def correlated(a: Array, b: Array) -> Array:
        return np.fft.fftshift(np.fft.irfft2(np.conj(a) * b, (2 * n, 2 * n)))

    around, known = spectrum(a), spectrum(w)
    energy = correlated(around, spectrum(w * square)) + correlated(spectrum(a * square), known)
    product = sum(correlated(spectrum(a * t[..., c]), spectrum(w * t[..., c])) for c in range(3))
    enough = correlated(around, known) > 0.15 * a.sum()
    return np.where(enough, 2 * product / np.maximum(energy, 1e-6), 0).astype(np.float32)


def _along_the_line(alike: Array) -> list[Shift]:
    """The steps on the line along which a correlation (2n, 2n) is greatest, one way only."""
    n = alike.shape[0] // 2
    radius = np.arange(3, n, dtype=np.float32)

    def along(angle: float, aside: float, r: Array) -> tuple[Array, Array]:
        c, s = math.cos(angle), math.sin(angle)
        return np.asarray(r * c - aside * s, np.float32), np.asarray(r * s + aside * c, np.float32)

    def mean(angle: float) -> float:
        x, y = along(angle, 0.0, radius[: len(radius) // 2])
        return float(cv2.remap(alike, x[None] + n, y[None] + n, cv2.INTER_LINEAR).mean())

    angle = max(np.radians(np.arange(180.0)), key=mean)
    tube = [along(angle, aside, radius) for aside in np.arange(-1.5, 1.6, 0.5)]
    values = np.stack([cv2.remap(alike, x[None] + n, y[None] + n, cv2.INTER_LINEAR)[0] for x, y in tube])
    place, value = values.argmax(0), values.max(0)
    peaks = [i for i in range(2, len(value) - 2) if value[i] == value[i - 2 : i + 3].max() > 0.1]
    best = max((value[i] for i in peaks), default=0.0)
    peaks = sorted((i for i in peaks if value[i] > _GOOD * best), key=lambda i: -value[i])[:_STEPS]
    return [(2 * float(tube[place[i]][0][i]), 2 * float(tube[place[i]][1][i])) for i in peaks]


def _refined(g: Ground, shift: Shift) -> tuple[float, Shift]:
    """How badly a shift fits around the hole, and the shift, better to a quarter of a pixel."""
    where = g.sure * (g.usable > 0.3) * (g.near > 0)
    best = (math.inf, shift)
    for width in (0.5, 0.25):
        x, y = best[1]
        for dy in np.arange(-2, 3) * width:
            for dx in np.arange(-2, 3) * width:
                tried = (x + float(dx), y + float(dy))
                both = (moved(where, tried) > 0.99) & (where > 0)
                if np.count_nonzero(both) < 200:
                    continue
                wrong = np.minimum(np.abs(moved(g.texture, tried)[both] - g.texture[both]).mean(1), 0.3)
                best = min(best, (float(wrong.mean()), tried))
    return best
