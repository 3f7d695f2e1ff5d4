"""What a body looks like without a picture of it: its proxy in colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model import Model, Primitive
from .proxy import Proxy

Array = NDArray[Any]


def colours(model: Model, proxy: Proxy) -> Array:
    """(n, 3) float32, sRGB 0-1: the colour of every point of the proxy, each of which is a vertex of the model."""
    found: dict[bytes, Array] = {}
    for primitive in model.primitives:
        shown = vertex_colours(model, primitive)
        keys = primitive.positions.astype(np.float64)
        found.update((key.tobytes(), colour) for key, colour in zip(keys, shown, strict=True))
    return np.array([found[point.tobytes()] for point in np.ascontiguousarray(proxy.points[:, :3])], np.float32)


def vertex_colours(model: Model, p: Primitive) -> Array:
    """(n, 3), sRGB 0-1: of the vertices of a primitive."""
    factor = np.asarray(p.material.colour[:3]) * p.colours[:, :3]
    shown = np.clip(factor, 0, 1) ** (1 / 2.2)  # linear to sRGB, nearly
    if p.material.image >= 0:
        image = model.images[p.material.image]
        h, w = image.shape[:2]
        x, y = ((np.nan_to_num(p.uvs) % 1.0) * (w, h)).astype(int).T
        shown = shown * image[np.minimum(y, h - 1), np.minimum(x, w - 1), :3] / 255.0
    return np.asarray(shown)
