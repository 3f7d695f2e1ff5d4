"""By which steps a table's texture repeats itself.

The line along which a picture looks most like itself, and the steps on it, are found by correlation of what is finest, which
shadows do not change; what a step does, its multiples do, and together they tell how long it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .repeats import MOST, THIRDS, Ground, Shift

Array = NDArray[Any]
Misfit = Callable[[Shift], float]
_GOOD = 0.72  # of the best step's correlation: worth taking
_STEPS = 8  # at most, each back and forth
_PEAKS = 3  # at most, off the line
_TOGETHER = 5  # multiples that tell how long a step is
_SAMPLES = 1500  # places at which a step is tried
_WORST = 1.6  # of the best step's misfit: not worth taking


def steps(g: Ground) -> list[Shift]:
    """By which shifts the texture is repeated, the best first."""
    weight = g.sure * (0.3 + 0.7 * g.usable)
    alike = _correlation(g.texture, weight, g.near)
    misfit = _judge(g)
    tried = [_refined(misfit, shift, (1.0, 0.5, 0.25)) for shift in (*_along_the_line(alike), *_peaks(alike))]
    tried = sorted((error, shift) for error, shift in tried if math.isfinite(error))
    if not tried:
        return []
    fit = tried[0][0]
    # What is repeated by a step is so by twice the step; a row of larger figures may be so by no less. Many steps together tell
    # how long one is.
    base = min((shift for error, shift in tried if error < 1.3 * fit), key=lambda s: math.hypot(*s))
    most = max(1, int(0.7 * len(g.sure) / math.hypot(*base)))

    def together(shift: Shift) -> float:
        each = [misfit((k * shift[0], k * shift[1])) for k in range(1, min(most, _TOGETHER) + 1)]
        each = [error for error in each if math.isfinite(error)]
        return sum(each) / len(each) if each else math.inf

    _, (dx, dy) = _refined(together, base, (0.5, 0.25, 0.125, 0.0625))
    found = [(misfit((k * dx, k * dy)), (k * dx, k * dy)) for k in range(1, most + 1)]
    for error, (x, y) in tried:
        if all(math.hypot(there[0] - x, there[1] - y) > 3 for _, there in found):
            found.append((error, (x, y)))
    found = sorted((error, shift) for error, shift in found if error < _WORST * fit)[:_STEPS]
    return [(s * x, s * y) for _, (x, y) in found for s in (1, -1)]


def _correlation(texture: Array, weight: Array, near: Array) -> Array:
    """(2n, 2n) float32: how alike, -1 to 1, a texture (h, w, 3) is to itself at each shift, at half its size; the zero shift in
    the middle, 0 where too little can be compared."""
    n = texture.shape[0] // 2
    t, w, a = (cv2.resize(v, (n, n), interpolation=cv2.INTER_AREA) for v in (texture, weight**2, near))
    a = (a > 0) * w
    t = t * w[..., None]
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


def _peaks(alike: Array) -> list[Shift]:
    """The steps at which a correlation (2n, 2n) is greatest, whatever their direction; one way only."""
    n = alike.shape[0] // 2
    top = np.where(alike >= cv2.dilate(alike, np.ones((5, 5))), alike, 0)[n:]
    y, x = np.nonzero(top > max(0.1, _GOOD * float(top[3:].max())))
    best = sorted((-top[j, i], 2.0 * (i - n), 2.0 * j) for j, i in zip(y, x, strict=True) if math.hypot(i - n, j) > 3)
    return [(dx, dy) for _, dx, dy in best[:_PEAKS]]


def _refined(misfit: Misfit, shift: Shift, widths: Sequence[float]) -> tuple[float, Shift]:
    """The least misfit near a shift, and where it is, as finely as the last of the widths."""
    best = (math.inf, shift)
    for width in widths:
        x, y = best[1]
        for dx, dy in ((i * width, j * width) for i in (-1, 0, 1) for j in (-1, 0, 1)):
            best = min(best, (misfit((x + dx, y + dy)), (x + dx, y + dy)))
    return best


def _judge(g: Ground) -> Misfit:
    """Tells by how much, log, the texture differs from itself a shift away; infinite where too few places can tell."""
    where = g.sure * (g.usable > 0.3)
    rows, columns = np.nonzero(where * g.near > 0)
    every = 1 + len(rows) // _SAMPLES
    x, y = columns[None, ::every].astype(np.float32), rows[None, ::every].astype(np.float32)
    here = cv2.remap(g.texture, x, y, cv2.INTER_NEAREST)

    def misfit(shift: Shift) -> float:
        at = x + np.float32(shift[0]), y + np.float32(shift[1])
        both = cv2.remap(where, *at, cv2.INTER_LINEAR)[0] > 0.99
        if np.count_nonzero(both) < 0.05 * len(both) + 20:
            return math.inf
        wrong = cv2.absdiff(cv2.remap(g.texture, *at, cv2.INTER_LINEAR), here)
        return float(np.minimum(cv2.transform(wrong, THIRDS)[0], MOST)[both].mean())

    return misfit
