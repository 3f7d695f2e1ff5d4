"""How a table's texture repeats, and what that tells of places that are hidden or in shadow.

Patterns, weave and grain run on along lines. Each place is told by the same texture a few steps away (see ``periods``), there
where it is seen in full light. Which steps hold in a row of the texture is judged along the whole row, as what is hidden
cannot be compared itself. What the light is, a membrane says for each step (Farbman et al., Coordinates for instant image
cloning, 2009).
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
_FINE = 2.0  # pixels of the halved picture: what is finer tells repetitions, whatever shadows lie there
MOST = 0.1  # log: larger differences count as this
_STRANGE = 20.0  # levels: a colour so far from all usual ones is another thing's
_FITS = 0.85  # cost: what fits worse is not taken
_NEAR_BEST = 0.08  # cost: of what fits nearly as well as the best a part is taken, so that no single mistake shows
_FAR = 0.3  # cost of a step as long as the picture: no plane is known exactly
_OWN = 3.0  # texels: what is finer was seen well even in a shadow
_ENVELOPE = (24.0, 24.0, 24.0, 16.0, 16.0, 10.0)  # pixels of the halved picture
_NEAR = 27  # pixels of the halved picture around what is wanted
_ALONG, _ACROSS = 30.0, 2.0  # pixels of the halved picture: a row of the texture
_SHADE = 0.5  # log: how dark other things' shadows are


@dataclass(frozen=True)
class Ground:
    """A table's picture at half its size, (h, w) or (h, w, 3) float32: log colours, where they are sure (0 or 1), where they
    are also in full light, and the texture alone; plain (0-1): of a usual colour; usable (0-1): surely table. full (2h, 2w, 3):
    log colours of the picture itself."""

    full: Array
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
    share = _halved(sure)
    smooth = _halved(colours * sure[..., None]) / np.maximum(share, 1e-3)[..., None]
    smooth = np.asarray(cv2.resize(fill_smoothly(smooth, share), sure.shape[::-1]))
    full = logarithm(np.where(sure[..., None], colours, smooth))
    log = _halved(full)
    known = cv2.morphologyEx((share > 0.99).astype(np.float32), cv2.MORPH_OPEN, np.ones((3, 3)))
    dark = (_halved(dim) > 0).astype(np.float32)
    lit = known * (1 - dark)
    want = (_halved(wanted) > 0).astype(np.float32)
    rim = cv2.dilate(want, np.ones((19, 19))) * known
    if rim.sum() < 20 or want.sum() < 1:
        return None
    grey = cv2.transform(_mean(log, known, 3.0), THIRDS)
    rim = rim * (grey >= np.percentile(grey[rim > 0], 50))
    strange = palette_distance(np.exp(_mean(log, known, 3.0)) - _DARKEST, rim)
    plain = cv2.erode(np.maximum(np.exp(-np.square(strange / _STRANGE)), 0.01) * known, np.ones((3, 3)))
    usable = plain if flat is None else np.maximum(plain, (_halved(flat) > 0.9) * known)
    level = _mean(log, known * (plain + 0.001), _TEXTURE)
    fine = _mean(log, known * (plain + 0.001), _FINE)
    texture = np.clip((log - fine) * known[..., None], -MOST, MOST)
    near = cv2.dilate(np.maximum(want, dark), np.ones((2 * _NEAR + 1, 2 * _NEAR + 1)))
    return Ground(
        full, log, known, dark, lit, level, texture, plain.astype(np.float32), usable.astype(np.float32), near
    )


def logarithm(colours: Array) -> Array:
    """Encoded colours as logarithms, in which more light is a sum."""
    return np.asarray(np.log(colours.astype(np.float32) + _DARKEST))


def colour(log: Array) -> Array:
    """uint8, the inverse of ``logarithm``."""
    return np.clip(np.round(np.exp(log) - _DARKEST), 0, 255).astype(np.uint8)


def _told(g: Ground, shift: Shift, usual_here: Array, shade: Array) -> tuple[Array, Array]:
    """What a shift tells of every place: log light to add to the copy (h, w, 3) besides what full light differs by, and how
    badly it fits (h, w), 9 where it says nothing; shade (h, w, 3): log colours less those in full light."""
    sure, relit, plain, usable = cv2.split(moved(cv2.merge([g.sure, g.dim, g.plain, g.usable]), shift))
    there = cv2.erode((sure > 0.99).astype(np.float32), np.ones((3, 3)))
    plain = plain * there
    usable = np.where(relit > 0, plain, usable * there)
    wrong = np.minimum(cv2.transform(cv2.absdiff(moved(g.texture, shift), g.texture), THIRDS), MOST)
    both = usable * g.usable * g.sure * (0.3 + 0.7 * g.lit)
    error = _on_the_line(wrong, both, shift)
    both = (1 - relit) * usable * g.usable * g.lit * (0.15 + 0.85 * plain * g.plain)
    rest = _extended_at_half(shade - moved(shade, shift), both, 5.0)  # other things' shadows
    odd = np.maximum(usual_here - plain, 0)
    cost = cv2.GaussianBlur(np.minimum(10 * error + 0.5 * odd + 0.05 * relit, 1), (0, 0), 5.0)
    light = np.clip(rest, -_SHADE, _SHADE) * (1 - g.dim[..., None])
    cost = cost + _FAR * math.hypot(*shift) / len(g.sure)
    return light, np.where((there > 0) & (usable > 0.4) & (odd < 0.6), cost, 9.0)


def _on_the_line(values: Array, weights: Array, shift: Shift) -> Array:
    """The mean of (h, w) with weights (h, w) along the direction of a shift, found at half the size: what holds for a row of
    the texture on both sides of a gap holds within."""
    h, w = values.shape
    both = cv2.resize(cv2.merge([values * weights, weights]), (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    size = both.shape[1::-1]
    middle = ((size[0] - 1) / 2, (size[1] - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, math.degrees(math.atan2(shift[1], shift[0])), 1.0)
    row = cv2.GaussianBlur(cv2.warpAffine(both, turn, size), (0, 0), sigmaX=_ALONG / 2, sigmaY=_ACROSS / 2)
    row = row + 0.02 * cv2.GaussianBlur(row, (0, 0), sigmaX=1.0, sigmaY=4 * _ACROSS)  # else the next row
    row = cv2.warpAffine(row, turn, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    total, known = cv2.split(cv2.resize(row, (w, h)))
    return np.asarray(np.where(known > 1e-5, total / np.maximum(known, 1e-5), MOST))


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
    light = _extended(g.log, g.lit * g.usable, 3.0)
    lamp = _full_light(g)
    light = (light + cv2.GaussianBlur(g.dim, (0, 0), 3.0)[..., None] * (lamp - light)).astype(np.float32)
    own = np.where(known[..., None], g.full + cv2.resize(light - g.level, size), cv2.resize(light, size))
    lamp_on_all = cv2.resize(lamp, size)
    source = g.full + (own - g.full) * np.where(known, cv2.resize(g.dim, size), 0)[..., None] - lamp_on_all
    usual = _usual(g, shifts[0]) if shifts else g.dim
    answers = [_told(g, shift, usual, g.log - lamp) for shift in shifts]
    least = np.min([cost for _, cost in answers], axis=0) if answers else 0.0
    asked = cv2.dilate(_halved(wanted), np.ones((3, 3))) > 0
    total, share = np.zeros_like(g.full), np.zeros(known.shape, np.float32)
    for shift, (light, cost) in zip(shifts, answers, strict=True):
        mine = np.where((cost < _FITS) & asked, np.exp((least - cost) / _NEAR_BEST), 0).astype(np.float32)
        mine[mine < 0.05] = 0
        x, y, w, h = cv2.boundingRect((mine > 0).astype(np.uint8))
        if w > 0:
            x, y, w, h = max(x - 4, 0), max(y - 4, 0), w + 8, h + 8  # a part, with room for its soft edge
            light, mine = light[y : y + h, x : x + w], mine[y : y + h, x : x + w]
            there, part = np.s_[2 * y : 2 * (y + h), 2 * x : 2 * (x + w)], (2 * mine.shape[1], 2 * mine.shape[0])
            soft = cv2.GaussianBlur(cv2.resize(mine, part, interpolation=cv2.INTER_NEAREST), (0, 0), 1.5)
            copy = moved(source, (2 * (shift[0] + x), 2 * (shift[1] + y)), part) + cv2.resize(light, part)
            total[there] += copy * soft[..., None]
            share[there] += soft
    told = lamp_on_all + total / np.maximum(share, 1e-6)[..., None]
    gain = np.minimum(share, 1)[..., None] * (told - own)
    gain = np.where(
        known[..., None], _mean(gain, known.astype(np.float32), _OWN), gain
    )  # what was seen keeps its lines
    return np.asarray(np.where(wanted[..., None], colour(own + gain), colours))


def _full_light(g: Ground) -> Array:
    """(h, w, 3): log level of what lies in full light, everywhere: the upper envelope of what is seen, as shadow only darkens;
    found at half the size."""
    h, w = g.sure.shape
    weight = g.lit * g.usable * (0.02 + 0.98 * g.plain)
    known = cv2.resize(weight, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    seen = cv2.resize(_mean(g.log, weight, 1.5), (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    out = _extended(seen, known, _ENVELOPE[0] / 2)
    for sigma in _ENVELOPE:
        below = np.maximum(cv2.transform(out - seen, THIRDS), 0)
        out = _extended(seen, known * np.exp(-np.square(below / 0.03)), sigma / 2)
    return np.asarray(cv2.resize(out, (w, h)))


def moved(image: Array, shift: Shift, size: tuple[int, int] | None = None) -> Array:
    """image(x + dx, y + dy), 0 outside; so much of it (w, h)."""
    M = np.array([[1.0, 0, -shift[0]], [0, 1, -shift[1]]])
    return np.asarray(cv2.warpAffine(image, M, size or image.shape[1::-1], flags=cv2.INTER_LINEAR))


THIRDS = np.full((1, 3), 1 / 3, np.float32)


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


def _extended_at_half(values: Array, weights: Array, sigma: float) -> Array:
    """As ``_extended``, for what is smooth: found at half the size."""
    h, w = weights.shape
    small = (w // 2, h // 2)
    total = cv2.resize(values * weights[..., None], small, interpolation=cv2.INTER_AREA)
    known = cv2.resize(weights, small, interpolation=cv2.INTER_AREA)
    out = _extended(total / np.maximum(known, 1e-4)[..., None], known, sigma / 2)
    return np.asarray(cv2.resize(out, (w, h)))
