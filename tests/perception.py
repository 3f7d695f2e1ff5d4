"""How different two pictures look, by two measures that are known well, where they differ most.

Structure: SSIM of the luma (Wang, Bovik, Sheikh and Simoncelli 2004), with its own constants and 11 x 11 Gaussian windows.
Colour: CIEDE2000 (Sharma, Wu and Dalal 2005) between pictures that are softened by a pixel, as an eye does at arm's length.
Of either the worst mean over a square of ``SIDE`` pixels counts, not that over the picture: a missing eye is small.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
SIDE = 12
SOFT = 1.0


@dataclass(frozen=True)
class Difference:
    """structure: 1 is the same, 0 has nothing in common; colour: CIEDE2000, 1 is just noticed, 10 at a glance."""

    structure: float
    colour: float


def difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> Difference:
    """Between two pictures (H, W, 3) bgr8."""
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError(f"pictures of {a.shape} {a.dtype} and {b.shape} {b.dtype} cannot be compared")
    luma = [cv2.cvtColor(p, cv2.COLOR_BGR2GRAY).astype(np.float32) for p in (a, b)]
    soft = [cv2.GaussianBlur(p.astype(np.float32) / 255, (0, 0), SOFT) for p in (a, b)]
    lab = [cv2.cvtColor(p, cv2.COLOR_BGR2Lab) for p in soft]
    structure = cv2.blur(ssim(*luma), (SIDE, SIDE), borderType=cv2.BORDER_REFLECT)
    colour = cv2.blur(ciede2000(*lab), (SIDE, SIDE), borderType=cv2.BORDER_REFLECT)
    return Difference(float(structure.min()), float(colour.max()))


def ssim(x: Floats, y: Floats) -> Floats:
    """(H, W) of two pictures (H, W), 0-255."""

    def mean(p: Floats) -> Floats:
        return np.asarray(cv2.GaussianBlur(p, (11, 11), 1.5), np.float32)

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mx, my = mean(x), mean(y)
    xx, yy, xy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    return np.asarray((2 * mx * my + c1) * (2 * xy + c2) / ((mx * mx + my * my + c1) * (xx + yy + c2)), np.float32)


def ciede2000(one: Floats, two: Floats) -> Floats:
    """(...) of CIELAB colours (..., 3); the names are the paper's."""
    (l1, a1, b1), (l2, a2, b2) = (np.moveaxis(np.asarray(p, np.float64), -1, 0) for p in (one, two))
    mean_c = 0.5 * (np.hypot(a1, b1) + np.hypot(a2, b2))
    g = 0.5 * (1 - np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)))
    c1, c2 = np.hypot((1 + g) * a1, b1), np.hypot((1 + g) * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, (1 + g) * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    grey = c1 * c2 == 0
    turn = np.where(grey, 0, (h2 - h1 + 180) % 360 - 180)
    turn = np.where(~grey & (h2 - h1 == 180), 180, turn)
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    light, c = 0.5 * (l1 + l2), 0.5 * (c1 + c2)
    h = np.where(
        grey, h1 + h2, 0.5 * (h1 + h2) + np.where(np.abs(h1 - h2) > 180, np.where(h1 + h2 < 360, 180, -180), 0)
    )
    t = (
        1
        - 0.17 * np.cos(np.radians(h - 30))
        + 0.24 * np.cos(np.radians(2 * h))
        + 0.32 * np.cos(np.radians(3 * h + 6))
        - 0.20 * np.cos(np.radians(4 * h - 63))
    )
    sl = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    sc, sh = 1 + 0.045 * c, 1 + 0.015 * c * t
    around_blue = 30 * np.exp(-(((h - 275) / 25) ** 2))
    rt = -np.sin(np.radians(2 * around_blue)) * 2 * np.sqrt(c**7 / (c**7 + 25.0**7))
    dl, dc, dh = dl / sl, dc / sc, dh / sh
    return np.asarray(np.sqrt(np.maximum(dl**2 + dc**2 + dh**2 + rt * dc * dh, 0)), np.float32)
