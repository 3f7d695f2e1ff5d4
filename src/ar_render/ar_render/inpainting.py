"""Continues a picture smoothly into a hole, and tells what is odd in it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


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


def _largest(values: Array) -> Array:
    """(h, w): maximum over the channels of (h, w, 3)."""
    a, b, c = cv2.split(values)
    return np.asarray(cv2.max(cv2.max(a, b), c))


def palette_distance(picture: Array, rim: Array) -> Array:
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
