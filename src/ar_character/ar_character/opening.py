"""The opening or lid of a vessel seen from above: an ellipse at the top of a shape, whose near rim is seen inside it.

The far half of a rim is the shape's own outline; where that ends, walls go down on both sides; the near half is an edge
in the picture. A dome has neither walls nor such an edge. Everything is in px of the outline's raster, v down.
"""

from __future__ import annotations

import cv2
import numpy as np

from ar_character.mesh import Array
from ar_character.outline import FloatImage, sample
from ar_character.torso import Torso

FLATTEST = 0.08  # height of an ellipse, in its width, at least
OFF = 0.075  # how far the outline may be from it, in its half width
DISTINCT = 2.0  # least contrast of the near rim, in the middle, in that of the arcs beside it
# Least contrast in four fifths of the near rim, levels; and then at most: height of an ellipse, in its width; how far walls may
# lean, width per height; how much wider it may get below, as over a saucer.
STRICTNESS = ((2.5, 0.47, 0.42, 0.10), (8.0, 0.65, 0.70, 0.36))
_ARC = np.linspace(0.12 * np.pi, 0.88 * np.pi, 41)


def top_side(torso: Torso, grey: FloatImage) -> float:
    """The part of the height that an opening or lid takes, with its near rim; 0 where none is seen.

    torso: rows of the shape without handles; grey (h, w) 0..255.
    """
    rows = torso.rows.astype(float)
    top, height = rows[0], rows[-1] - rows[0]
    soft = cv2.GaussianBlur(grey, (0, 0), 1.2)
    best = (0.0, 0.0)
    for tall in np.arange(4.0, 0.25 * height, 1.5):  # half the ellipse's height
        left, right = torso.at(top + tall)
        half, middle = 0.5 * (right - left), 0.5 * (left + right)
        below = torso.at(top + 2.2 * tall)
        lean = max(abs(below[0] - left), abs(below[1] - right)) / (1.2 * tall)
        wider = (below[1] - below[0]) / max(right - left, 1.0) - 1
        edges = [e for e, high, steep, wide in STRICTNESS if tall < high * half and lean < steep and wider < wide]
        if tall < FLATTEST * half or not edges or not _is_far_half(torso, top, tall, middle, half):
            continue
        contrast = _near_rim(soft, middle, top + tall, half, tall)
        if contrast > max(best[0], min(edges)):
            best = (contrast, 2 * tall / height)
    return float(best[1])


def _is_far_half(torso: Torso, top: float, tall: float, middle: float, half: float) -> bool:
    """Whether the outline over a row is the far half of an ellipse."""
    v = np.linspace(top + 0.1 * tall, top + tall, 10)
    wanted = half * np.sqrt(1 - ((top + tall - v) / tall) ** 2)
    ends = np.array([torso.at(float(row)) for row in v])
    return bool(np.abs(ends - np.column_stack([middle - wanted, middle + wanted])).mean() < OFF * half)


def _near_rim(soft: FloatImage, middle: float, row: float, half: float, tall: float) -> float:
    """Contrast across the near half of an ellipse, where it is an edge that stands out from what is beside it; else 0."""
    shares = (0.85, 1.0, 1.15, 0.4, 0.55, 0.7, 1.45, 1.75)
    least, usual = np.array([_contrast(soft, middle, row, 0.96 * half, tall * share) for share in shares]).T
    here = int(np.argmax(least[:3]))
    distinct = usual[here] > DISTINCT * np.median(usual[3:])
    return float(least[here]) if distinct else 0.0


def _contrast(soft: FloatImage, middle: float, row: float, half: float, tall: float) -> tuple[float, float]:
    """How much lighter (or darker) it is just inside of a near half than just outside: in four fifths of it, and usually."""
    arc = np.column_stack([middle + half * np.cos(_ARC), row + tall * np.sin(_ARC)])
    normal: Array = np.column_stack([np.cos(_ARC) / half, np.sin(_ARC) / tall])
    normal *= 2.0 / np.linalg.norm(normal, axis=1, keepdims=True)
    across = sample(soft, arc + normal) - sample(soft, arc - normal)
    across = across * np.sign(np.median(across))
    return float(np.percentile(across, 20)), float(np.median(across))
