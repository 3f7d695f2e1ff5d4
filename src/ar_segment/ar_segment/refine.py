"""Edges: the network's mask is coarse; the picture knows where the object ends."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

RADIUS = 4
"""Pixels of the coarse mask over which mask and picture are compared."""

EPSILON = 1e-3
GAIN = 1.7
"""How much steeper the soft edge becomes: the filter widens it."""


def refined(
    probability: NDArray[np.float32], view: NDArray[np.uint8], coarse_view: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Guided upsampling in colour (He & Sun, Fast Guided Filter, 2015).

    `probability (h, w)` in [0, 1], `view (H, W, 3) uint8` of the same window → mask `(H, W) uint8`;
    `coarse_view (any, any, 3)`: the view made smaller, where there is one already. The mask is taken as a
    locally linear function of the colour, `a · I + b`, fitted at the coarse scale and applied at the fine one.
    """
    h, w = probability.shape
    height, width = view.shape[:2]
    size = (2 * RADIUS + 1, 2 * RADIUS + 1)

    def mean(values: NDArray[Any]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(values, size), np.float32)

    colour = np.asarray(
        cv2.resize(view if coarse_view is None else coarse_view, (w, h), interpolation=cv2.INTER_AREA), np.float32
    ) / np.float32(255)
    p = probability[..., None]
    mean_i, mean_p = mean(colour), mean(probability)[..., None]
    covariance = mean(colour * p) - mean_i * mean_p
    a = _solved(mean, colour, mean_i, covariance)
    b = mean_p[..., 0] - (a * mean_i).sum(2)
    coarse = mean(np.dstack([a, b]))
    fine = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    q = np.einsum("hwc,hwc->hw", fine[..., :3], view.astype(np.float32) / np.float32(255)) + fine[..., 3]
    return np.clip((q - 0.5) * (GAIN * 255) + 127.5, 0, 255).astype(np.uint8)


def _solved(
    mean: Any, colour: NDArray[np.float32], mean_i: NDArray[np.float32], right: NDArray[np.float32]
) -> NDArray[np.float32]:
    """`(h, w, 3)`: the colours' covariance (+ EPSILON) inverted by cofactors, times `right`."""
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    products = mean(np.dstack([colour[..., i] * colour[..., j] for i, j in pairs[:3]]))
    others = mean(np.dstack([colour[..., i] * colour[..., j] for i, j in pairs[3:]]))
    moments = np.concatenate([products, others], 2)
    xx, xy, xz, yy, yz, zz = (
        moments[..., k] - mean_i[..., i] * mean_i[..., j] + (EPSILON if i == j else 0.0)
        for k, (i, j) in enumerate(pairs)
    )
    c00, c01, c02 = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    c11, c12, c22 = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    determinant = xx * c00 + xy * c01 + xz * c02
    u, v, w = right[..., 0], right[..., 1], right[..., 2]
    out = np.stack([c00 * u + c01 * v + c02 * w, c01 * u + c11 * v + c12 * w, c02 * u + c12 * v + c22 * w], 2)
    return np.asarray(out / determinant[..., None], np.float32)
