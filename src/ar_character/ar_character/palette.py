"""Colours of limbs, shoes and eyes that go with an object: picked from it, or set against it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_character.mesh import Array

Colour = tuple[float, float, float]  # sRGB, 0..1

CORAL: Colour = (0.91, 0.35, 0.27)
TEAL: Colour = (0.10, 0.55, 0.58)
WARM_WHITE: Colour = (0.97, 0.95, 0.90)
INK: Colour = (0.10, 0.08, 0.09)


@dataclass(frozen=True)
class Palette:
    """What the parts that an object did not have are painted with."""

    limb: Colour
    glove: Colour
    shoe: Colour
    sole: Colour
    brow: Colour
    iris: Colour


def choose(rgb: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Palette:
    """Palette for an object: pixels rgb (H, W, 3) where mask (H, W)."""
    shown = rgb[mask]
    pixels = shown[:: max(1, len(shown) // 4000)].astype(np.float64) / 255
    if not len(pixels):
        pixels = np.full((1, 3), 0.5)
    main, accent = _main_and_accent(pixels)
    hue, saturation, value = to_hsv(main)
    dark = value < 0.33
    if saturation < 0.15:  # grey objects: limbs of a warm or cool grey that is seen against them
        limb = (0.80, 0.77, 0.74) if dark else (0.27, 0.26, 0.30)
    else:
        limb = from_hsv(hue, min(0.75, saturation * 0.9), 0.62 if dark else float(np.clip(value * 0.48, 0.24, 0.42)))
    shoe_hue, shoe_saturation, shoe_value = to_hsv(accent)
    shoe = from_hsv(shoe_hue, float(np.clip(shoe_saturation, 0.55, 0.85)), float(np.clip(shoe_value, 0.62, 0.9)))
    brow = from_hsv(hue, min(0.6, saturation), 0.16 if value > 0.35 else 0.72)
    return Palette(limb, WARM_WHITE, shoe, (0.96, 0.94, 0.90), brow, _iris(hue, saturation))


def _iris(hue: float, saturation: float) -> Colour:
    """Eyes that are seen against the body: blue-green on warm colours, amber on green, brown on blue, blue on grey."""
    if saturation < 0.15:
        return (0.22, 0.42, 0.68)
    hues = np.array([0.0, 0.09, 0.16, 0.33, 0.58, 0.80, 1.0])
    colours = np.array(
        [
            [0.20, 0.55, 0.50],
            [0.16, 0.50, 0.55],
            [0.25, 0.42, 0.66],
            [0.60, 0.38, 0.12],
            [0.50, 0.30, 0.14],
            [0.30, 0.52, 0.24],
            [0.20, 0.55, 0.50],
        ]
    )
    r, g, b = (float(np.interp(hue, hues, colours[:, k])) for k in range(3))
    return r, g, b


def _main_and_accent(pixels: Array) -> tuple[Colour, Colour]:
    """The colour most of the object has, and one that stands out in it (or suits it, where none does)."""
    bins = np.minimum((pixels * 6).astype(int), 5) @ [36, 6, 1]
    counts = np.bincount(bins, minlength=216).astype(float)
    means = np.stack([np.bincount(bins, pixels[:, k], 216) for k in range(3)], 1) / np.maximum(counts, 1)[:, None]
    hsv = np.array([to_hsv(tuple(m)) for m in means])
    # Shadows and white shine say little about what colour a thing is.
    tells = counts * (0.25 + hsv[:, 1]) * (0.3 + np.minimum(hsv[:, 2], 0.8))
    main = means[int(np.argmax(tells))]
    distance = np.linalg.norm(means - main, axis=1)
    seen = counts > 0.012 * len(pixels)
    stands_out = np.where(seen & (hsv[:, 2] > 0.35), np.sqrt(counts) * hsv[:, 1] ** 1.5 * distance, 0)
    best = int(np.argmax(stands_out))
    if stands_out[best] > 0 and hsv[best, 1] > 0.4 and distance[best] > 0.3:
        return tuple(main), tuple(means[best])
    hue, saturation, _ = to_hsv(tuple(main))
    red = saturation > 0.25 and abs((hue - 0.03 + 0.5) % 1 - 0.5) < 0.13
    return tuple(main), TEAL if red else CORAL


def to_hsv(colour: Colour) -> tuple[float, float, float]:
    """Hue, saturation, value, all 0..1."""
    h, s, v = cv2.cvtColor(np.array([[colour]], np.float32), cv2.COLOR_RGB2HSV)[0, 0]
    return float(h) / 360, float(s), float(v)


def from_hsv(h: float, s: float, v: float) -> Colour:
    """The inverse of `to_hsv`."""
    r, g, b = cv2.cvtColor(np.array([[[h * 360, s, v]]], np.float32), cv2.COLOR_HSV2RGB)[0, 0]
    return float(r), float(g), float(b)
