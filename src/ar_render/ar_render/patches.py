"""Continues a texture patch by patch from its rim inwards, where most is known and lines run on first (after Criminisi et al.,
Region filling and object removal by exemplar-based inpainting, 2004), out of a few shifts of the picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_R = 6  # half a patch
_STRANGE = 4.0  # how much it counts that a source is odd
_FEW = 12  # pixels of a patch that must be comparable


def assign(
    picture: Array, sure: Array, hole: Array, odd: Array, shifts: Array, scale: int, plain: float
) -> tuple[Array, Array]:
    """From where each pixel of a hole is taken: shifts (n, m, 2) int dx, dy, and where there are any (n, m) bool.

    picture (n, m, c) float32, by which patches are compared; sure and hole (n, m) bool; odd (n, m) float32: how unwelcome a
    source is, in levels; shifts (k, 2) int to choose from, in pixels of a picture ``scale`` times as large, as are those that
    are returned; plain: by how many levels a patch may be wrong.
    """
    n, m = sure.shape
    steps = np.round(shifts / scale).astype(int)
    pad = _R + int(np.abs(steps).max(initial=0))
    values = cv2.copyMakeBorder(picture * sure[..., None], pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    filled = np.pad(sure, pad)
    want = np.pad(hole & ~sure, pad)
    odd = np.pad(odd, pad)
    taken = np.zeros((*filled.shape, 2), np.int32)
    done, there = np.zeros_like(filled), np.zeros_like(filled)
    offsets = steps[:, 1] * filled.shape[1] + steps[:, 0]
    around = (np.arange(-_R, _R + 1)[:, None] * filled.shape[1] + np.arange(-_R, _R + 1)[None]).ravel()
    flat, known, open_, strange = values.reshape(-1, values.shape[2]), filled.ravel(), want.ravel(), odd.ravel()
    moved, made, has = taken.reshape(-1, 2), done.ravel(), there.ravel()
    kernel = (2 * _R + 1, 2 * _R + 1)
    strength = cv2.magnitude(*(cv2.Sobel(values[..., 0], cv2.CV_32F, *d, ksize=3) for d in ((1, 0), (0, 1))))
    line = cv2.blur(np.minimum(strength * cv2.erode(filled.view(np.uint8), np.ones((3, 3))), 60.0), kernel)
    confidence = filled.astype(np.float32)
    for _ in range(int(want.sum()) + 1):
        edge = open_ & (cv2.dilate(known.view(np.uint8).reshape(filled.shape), np.ones((3, 3))).ravel() > 0)
        at = np.flatnonzero(edge)
        if len(at) == 0:
            break
        trust = cv2.blur(confidence, kernel).ravel()
        p = int(at[np.argmax(trust[at] ** 2 * (4.0 + line.ravel()[at]))])
        patch = p + around
        need, have = open_[patch], known[patch]
        source = patch[None] + offsets[:, None]
        usable = known[source]
        both = usable & have
        count = both.sum(1)
        error = np.abs(flat[source] - flat[patch]).mean(2)
        cost = (error * both).sum(1) / np.maximum(count, 1) + _STRANGE * (strange[source] * need).sum(1) / max(
            need.sum(), 1
        )
        cost = cost + 6.0 * (1 - (usable & need).sum(1) / max(need.sum(), 1))
        cost[(count < _FEW) | ~usable[:, _MIDDLE]] = np.inf
        best = int(np.argmin(cost))
        if np.isfinite(cost[best]) and cost[best] < plain:
            here = need & usable[best]
            to, of = patch[here], source[best, here]
            flat[to] = flat[of]
            moved[to] = shifts[best] + moved[of]
            has[to] = has[of] | ~made[of]
        else:
            to = patch[need & _NEAR]
            flat[to] = flat[patch[have]].mean(0)
        known[to], open_[to], made[to] = True, False, True
        confidence.ravel()[to] = 0.7 * trust[p]
    inner = np.s_[pad : pad + n, pad : pad + m]
    return taken[inner], there[inner] & done[inner]


_MIDDLE = (2 * _R + 1) ** 2 // 2
# What a patch without a source fills: more at once than a pixel, or that takes longer than all the others.
_NEAR = (np.maximum(*np.abs(np.indices((2 * _R + 1, 2 * _R + 1)) - _R)) <= 3).ravel()
