"""Puts what was drawn over the camera's picture, in linear light where the two mix, with the camera's grain and blur."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_SQUARE = np.square(np.arange(256, dtype=np.float32))


def put_over(part: Array, layer: Array, blur: float, sigma: float, seed: float) -> None:
    """Put a layer over a part (h, w, 3) uint8 bgr8 of a picture; where it is empty the picture stays as it is.

    layer (h + 1, w + 1, 4) uint8: blue, green, red times alpha, and alpha; it is ``blur`` pixels (0-0.5) further right and
    down than the picture. sigma (0-1) is the noise's, seed (0-1) which noise it is.
    """
    x, y, w, h = cv2.boundingRect(cv2.extractChannel(layer, 3))
    x, y = max(x - 1, 0), max(y - 1, 0)  # the blur reaches there
    w, h = min(w + 1, part.shape[1] - x), min(h + 1, part.shape[0] - y)
    if w <= 0 or h <= 0:
        return
    part, layer = part[y : y + h, x : x + w], softened(layer[y : y + h + 1, x : x + w + 1], blur)
    alpha = cv2.extractChannel(layer, 3)
    noise = _some_noise(_noise(round(4 * 255 * sigma)), seed, (h, w))
    out = cv2.cvtColor(part, cv2.COLOR_BGR2BGRA)
    drawn = cv2.add(layer, noise, dtype=cv2.CV_8U)
    cv2.copyTo(drawn, cv2.threshold(alpha, 254, 255, cv2.THRESH_BINARY)[1], out)
    some = np.flatnonzero(cv2.inRange(alpha, 1, 254).view(bool))
    if len(some):
        pixels = out.view(np.uint32).reshape(-1)
        over = layer.view(np.uint32).reshape(-1)[some].view(np.uint8).reshape(-1, 1, 4)
        below = pixels[some].view(np.uint8).reshape(-1, 1, 4)
        pixels[some] = mixed(below, over, noise.reshape(-1, 4)[some][:, None]).view(np.uint32).reshape(-1)
    cv2.cvtColor(out, cv2.COLOR_BGRA2BGR, dst=part)


def softened(layer: Array, blur: float) -> Array:
    """(h, w, c) of (h + 1, w + 1, c): each pixel with so much of the next, right and below."""
    if blur <= 0:
        return np.ascontiguousarray(layer[:-1, :-1])
    layer = cv2.addWeighted(layer[:, :-1], 1 - blur, layer[:, 1:], blur, 0.0)
    return np.asarray(cv2.addWeighted(layer[:-1], 1 - blur, layer[1:], blur, 0.0))


def mixed(below: Array, over: Array, noise: Array) -> Array:
    """Pixels (n, 1, 4) uint8 under others that are premultiplied, with their noise (n, 1, 4) int16; squares stand for linear
    light."""
    drawn = cv2.add(cv2.cvtColor(over, cv2.COLOR_mRGBA2RGBA), noise, dtype=cv2.CV_8U)
    share = cv2.extractChannel(over, 3) * np.float32(1 / 255)
    light = cv2.blendLinear(cv2.LUT(drawn, _SQUARE), cv2.LUT(below, _SQUARE), share, 1 - share)
    return np.asarray(cv2.convertScaleAbs(cv2.sqrt(light)))


@lru_cache(2)
def _noise(quarters: int) -> Array:
    """A sheet of noise (640, 768, 4) int16, the same in all channels but alpha; its sigma in quarters of a level."""
    rng = np.random.default_rng(0)
    sheet = np.round((rng.random((640, 768)) - 0.5) * np.sqrt(12) * quarters / 4).astype(np.int16)
    return np.dstack([sheet, sheet, sheet, np.zeros_like(sheet)])


def _some_noise(sheet: Array, seed: float, size: tuple[int, int]) -> Array:
    """(h, w, 4) of the sheet, from where the seed says; as often as need be."""
    y, x = (int(seed * p) % 128 for p in (65536, 2097143))
    out = sheet[y : y + size[0], x : x + size[1]]
    if out.shape[:2] != size:
        out = np.pad(out, ((0, size[0] - out.shape[0]), (0, size[1] - out.shape[1]), (0, 0)), mode="wrap")
    return out
