"""Seeded smooth noise in numpy: the raw material of every texture here. All fields are ``(H, W) float32``."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


def smooth(shape: tuple[int, int], cell: tuple[float, float], rng: np.random.Generator) -> Field:
    """Zero-mean, unit-variance noise of one scale; ``cell`` is the grain's (height, width) in pixels."""
    height, width = shape
    grid = rng.standard_normal((int(height / cell[0]) + 4, int(width / cell[1]) + 4)).astype(np.float32)
    scaled = cv2.resize(grid, None, fx=max(cell[1], 1.0), fy=max(cell[0], 1.0), interpolation=cv2.INTER_CUBIC)
    if scaled.shape[0] < height or scaled.shape[1] < width:
        scaled = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    field = scaled[:height, :width]
    return np.asarray((field - field.mean()) / (field.std() + 1e-6), np.float32)


def fractal(
    shape: tuple[int, int], cell: tuple[float, float], rng: np.random.Generator, octaves: int = 4, gain: float = 0.5
) -> Field:
    """Sum of ``octaves`` noises, each half as coarse and ``gain`` times as strong as the last; unit variance."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        scale = 0.5**octave
        total += gain**octave * smooth(shape, (max(cell[0] * scale, 1.0), max(cell[1] * scale, 1.0)), rng)
    return np.asarray(total / total.std(), np.float32)


def ramp(field: Field, low: float, high: float) -> Field:
    """Smoothstep from 0 at ``low`` to 1 at ``high``."""
    x = np.clip((field - low) / (high - low), 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x), np.float32)


def mix(
    a: NDArray[np.float32] | tuple[float, ...], b: NDArray[np.float32] | tuple[float, ...], weight: Field
) -> NDArray[np.float32]:
    """Blend two colours or ``(H, W, 3)`` pictures by ``weight`` (0 gives ``a``)."""
    w = weight[..., None]
    return np.asarray(np.asarray(a, np.float32) * (1 - w) + np.asarray(b, np.float32) * w, np.float32)
