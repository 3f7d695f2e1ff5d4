"""Procedural surfaces, (h, w, 3) uint8 bgr: grain on several scales, and things printed on it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def noise(
    rng: np.random.Generator, h: int, w: int, coarsest: int = 4, octaves: int = 7, stretch: int = 1
) -> NDArray[np.float32]:
    """Noise (h, w) of mean 0 and deviation 1 with the spectrum of natural surfaces; stretch > 1 gives it a grain along x."""
    out = np.zeros((h, w), np.float32)
    for k in range(octaves):
        n = coarsest * 2**k
        if n > min(h, w):
            break
        grid = rng.standard_normal((n, max(2, n * w // h // stretch))).astype(np.float32)
        out += cv2.resize(grid, (w, h), interpolation=cv2.INTER_CUBIC) * 0.62**k
    out -= out.mean()
    return out / max(1e-6, float(out.std()))


def surface(rng: np.random.Generator, h: int, w: int, contrast: float = 14.0, stretch: int = 1) -> Image:
    """A bare surface of one random colour."""
    colour = rng.uniform(70, 190, 3)
    grain = noise(rng, h, w, stretch=stretch)[..., None] * contrast
    tint = noise(rng, h, w, octaves=3)[..., None] * rng.uniform(-4, 4, 3)
    return np.clip(colour + grain + tint, 0, 255).astype(np.uint8)


def printed(rng: np.random.Generator, h: int, w: int) -> Image:
    """A printed sheet: paper, blocks of colour, discs, lines and letters."""
    page = np.clip(rng.uniform(200, 245) + noise(rng, h, w, octaves=6)[..., None] * 3 + np.zeros(3), 0, 255).astype(
        np.uint8
    )
    page = np.ascontiguousarray(page)
    for _ in range(int(rng.integers(4, 8))):
        colour = tuple(int(c) for c in rng.integers(20, 230, 3))
        x, y = int(rng.integers(0, w)), int(rng.integers(0, h))
        size = int(rng.integers(min(h, w) // 12, min(h, w) // 4))
        kind = rng.integers(0, 3)
        if kind == 0:
            cv2.rectangle(page, (x, y), (x + size, y + int(size * rng.uniform(0.4, 1.5))), colour, -1, cv2.LINE_AA)
        elif kind == 1:
            cv2.circle(page, (x, y), size // 2, colour, -1, cv2.LINE_AA)
        else:
            cv2.line(
                page, (x, y), (x + size, y + int(rng.integers(-size, size))), colour, max(2, size // 9), cv2.LINE_AA
            )
    letters = "ABCDEFGHKLMNPRSTUVXYZ0123456789"
    for row in range(int(rng.integers(3, 7))):
        text = "".join(rng.choice(list(letters), int(rng.integers(4, 12))))
        scale = float(rng.uniform(0.5, 1.6)) * min(h, w) / 300
        at = (int(rng.integers(0, w // 3)), int((row + 1) * h / 7))
        colour = tuple(int(c) for c in rng.integers(0, 120, 3))
        cv2.putText(page, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, colour, max(1, round(1.6 * scale)), cv2.LINE_AA)
    return page


def table_top(rng: np.random.Generator, size: int, sheets: int, contrast: float) -> Image:
    """A wooden table, size x size, with printed sheets lying on it at random."""
    top = surface(rng, size, size, contrast, stretch=6)
    for i in range(sheets):
        h, w = int(size * rng.uniform(0.10, 0.17)), int(size * rng.uniform(0.10, 0.17))
        sheet = printed(rng, h, w)
        x, y = (size / 2, size / 2) if i == 0 else rng.uniform(0.2 * size, 0.8 * size, 2)
        M = cv2.getRotationMatrix2D((w / 2, h / 2), float(rng.uniform(-180, 180)), 1.0)
        M[:, 2] += [x - w / 2, y - h / 2]
        mask = cv2.warpAffine(np.full((h, w), 255, np.uint8), M, (size, size))
        top = np.where(mask[..., None] > 127, cv2.warpAffine(sheet, M, (size, size)), top)
    return np.ascontiguousarray(top)
