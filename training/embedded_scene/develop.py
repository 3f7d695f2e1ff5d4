"""From rendered frames to what the camera would have stored: steadier light, vignette, sharpening, grain. Pure numpy.

Path tracing leaves blotches that change from frame to frame. Since depth and poses are exact, neighbouring frames can
be carried over and their low frequencies averaged (``steady``); texture and edges stay those of the frame itself.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Intrinsics

Image = NDArray[np.uint8]
Vec = NDArray[np.float64]


def carry(
    picture: NDArray[np.float32], depth: Vec, T_map_camera: Vec, to_depth: Vec, to_T_map_camera: Vec, camera: Intrinsics
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A picture ``(H, W, 3)`` as seen from another pose, and where that is known ``(H, W)``. Depths in metres."""
    height, width = to_depth.shape
    move = np.linalg.inv(T_map_camera) @ to_T_map_camera
    turn = (camera.K @ move[:3, :3] @ np.linalg.inv(camera.K)).astype(np.float32)
    shift = (camera.K @ move[:3, 3]).astype(np.float32)
    u, v = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    there = to_depth.astype(np.float32)
    x, y, z = (there * (row[0] * u + (row[1] * v + row[2])) + t for row, t in zip(turn, shift, strict=True))
    z = np.maximum(z, 1e-6)
    x, y = x / z, y / z
    seen = cv2.remap(depth.astype(np.float32), x, y, cv2.INTER_NEAREST, borderValue=0)
    known = np.abs(seen - z) < 0.01 * z
    carried = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(carried, np.float32), known


def steady(
    picture: NDArray[np.float32],
    neighbours: list[tuple[NDArray[np.float32], NDArray[np.bool_]]],
    sigma: float = 1.2,
    limit: float = 14.0,
) -> NDArray[np.float32]:
    """Pull the low frequencies (below about ``sigma`` pixels) towards the mean of carried-over neighbours.

    Differences above ``limit`` grey levels are no noise (a highlight moves) and do not count.
    """
    total, weight = np.zeros_like(picture), np.ones(picture.shape[:2], np.float32)
    for carried, known in neighbours:
        difference = carried - picture
        usable = (known & (np.abs(cv2.GaussianBlur(difference, (0, 0), sigma)).max(-1) < limit)).astype(np.float32)
        total += difference * usable[..., None]
        weight += usable
    mean = total / weight[..., None]
    return np.asarray(picture + cv2.GaussianBlur(mean, (0, 0), sigma), np.float32)


def develop(picture: NDArray[np.float32], frame: int | None, seed: int = 0) -> Image:
    """Exposure, vignette, a little sharpening and, where ``frame`` is given, its own grain. BGR in 0..255."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    radius2 = ((x - width / 2) ** 2 + (y - height / 2) ** 2) / (width**2 + height**2) * 4
    image = 255 * (1 - (1 - np.clip(picture / 255, 0, 1)) ** 1.16)
    image = image * (1 - 0.20 * radius2 * radius2 - 0.05 * radius2)[..., None]
    image = image + 0.35 * (image - cv2.GaussianBlur(image, (0, 0), 1.0))
    if frame is not None:
        rng = np.random.default_rng((seed, frame))
        luma = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), 0.55) * 1.6
        chroma = cv2.GaussianBlur(rng.standard_normal((height, width, 3)).astype(np.float32), (0, 0), 1.0) * 1.6
        strength = 2.6 - 1.5 * np.clip(image.mean(-1) / 255, 0, 1)
        image = image + strength[..., None] * (luma[..., None] + 0.6 * chroma)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
