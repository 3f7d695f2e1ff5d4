"""The shape of a cut-out: from its alpha to a smooth signed distance field whose zero level is the outline.

A field has no self-crossing contours, knows inside from outside everywhere, and tells how much room there is at any
point; the mesh is cut along its zero level, and limbs are rooted where it is large enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_character.mesh import Array

FloatImage = NDArray[Any]  # float32
Mask = NDArray[np.bool_]

RESOLUTION = 256  # longest side of the working raster, px
FIELD_STEPS = 1024  # per px
MARGIN = 14  # free border around the shape, px
MIN_SIDE, MIN_AREA = 6, 40  # a cut-out smaller than this has no shape, px


@dataclass(frozen=True)
class Outline:
    """A shape on the working raster.

    field: (h, w) float32, distance to the outline in raster px, positive inside, smooth.
    spacing: edge length of the mesh that resolves every feature of the field, px.
    holes: how many holes the shape has.
    to_cutout: (2, 3) float64, takes raster pixels to pixels of the cut-out.
    """

    field: FloatImage
    spacing: float
    holes: int
    to_cutout: Array

    def distance(self, points: Array) -> Array:
        """The field at raster points (n, 2), bilinear; far outside beyond the border."""
        return sample(self.field, points)

    def polygons(self) -> list[Array]:
        """The outline as closed polygons (n, 2) in raster px, the outer one first, then the holes."""
        mask = (self.field > 0).astype(np.uint8)
        contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        order = sorted(range(len(contours)), key=lambda i: hierarchy.reshape(-1, 4)[i][3] >= 0)
        return [contours[i].reshape(-1, 2).astype(np.float64) for i in order]


def trace(
    alpha: NDArray[np.uint8], sheet_triangles: int = 1650, close_gaps: float = 0.0, keep_thin: bool = True
) -> Outline:
    """The outline of the largest piece of a cut-out.

    alpha: (H, W) uint8. The piece is scaled so that its longest side is `RESOLUTION`; parts thinner than the mesh can
    carry are thickened (or, without `keep_thin`, cut off), holes too small for it are closed; slits narrower than
    `close_gaps` mesh spacings too.
    Raises ValueError where there is no shape to speak of.
    """
    x0, y0, w, h = _largest_piece(alpha)
    scale = RESOLUTION / max(w, h)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    crop = alpha[y0 : y0 + h, x0 : x0 + w].astype(np.float32) / 255
    soft = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    soft = cv2.copyMakeBorder(soft, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=0.0)
    mask = _keep_largest(soft > 0.5)
    spacing = float(np.clip(np.sqrt(mask.sum() / (0.433 * sheet_triangles)), 2.2, 8.0))
    if close_gaps > 0:
        mask = _close(mask, close_gaps * spacing / 2)
    hole = (0.9 + 0.5 * close_gaps) * spacing
    mask = _close_small_holes(mask, hole)
    mask = _thicken(mask, 0.65 * spacing) if keep_thin else _keep_largest(_opened(mask, spacing))
    mask = _close_small_holes(mask, hole)
    field = signed_distance(mask, smooth=1.4)
    solid = _keep_largest(field > 0)  # the smoothing may have let go of a crumb
    if not solid.any():
        raise ValueError("cut-out: the shape is too thin to give it a body; cut out something with more area")
    field = np.where((field > 0) & ~solid, -0.01, field).astype(np.float32)
    sx, sy = w / size[0], h / size[1]
    to_cutout = np.array([[sx, 0, x0 + (0.5 - MARGIN) * sx - 0.5], [0, sy, y0 + (0.5 - MARGIN) * sy - 0.5]])
    return Outline(field, spacing, count_holes(solid), to_cutout)


def sample(field: FloatImage, points: Array) -> Array:
    """(n,) float64: a field (h, w) at points (n, 2), bilinear; its least value outside."""
    p = np.asarray(points, np.float32).reshape(-1, 1, 2)
    far = float(field.min())
    at_u, at_v = np.ascontiguousarray(p[..., 0]), np.ascontiguousarray(p[..., 1])
    out = cv2.remap(field, at_u, at_v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(far,))
    return _in_steps(out.reshape(-1).astype(np.float64))


def signed_distance(mask: Mask, smooth: float = 0.0) -> FloatImage:
    """(h, w) float32: distance to the border of mask (h, w) in px, positive inside; blurred with sigma `smooth`."""
    m = mask.astype(np.uint8)
    inside = cv2.distanceTransform(m, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform(1 - m, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    field = np.where(mask, inside - 0.5, 0.5 - outside).astype(np.float32)
    if smooth > 0:
        field = np.asarray(cv2.GaussianBlur(field, (0, 0), smooth), np.float32)
    return _in_steps(field).astype(np.float32)


def _in_steps(distance: NDArray[Any]) -> NDArray[Any]:
    """Without the last bits, in which one processor differs from the next."""
    return np.round(distance * FIELD_STEPS) / FIELD_STEPS


def count_holes(mask: Mask) -> int:
    """How many pieces of background a mask (h, w) encloses (4-connected background, 8-connected shape)."""
    background = cv2.copyMakeBorder((~mask).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    return int(cv2.connectedComponents(background, connectivity=4)[0]) - 2


def _largest_piece(alpha: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Box (x, y, w, h) of the largest connected piece of alpha (H, W)."""
    mask = (np.asarray(alpha) > 127).astype(np.uint8)
    n, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if n < 2:
        raise ValueError("cut-out: empty, no pixel has alpha above 127; nothing was segmented")
    x, y, w, h, area = (int(v) for v in stats[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))])
    if area < MIN_AREA or max(w, h) < MIN_SIDE:
        raise ValueError(
            f"cut-out: the object covers {area} px ({w}x{h}); at least {MIN_AREA} px are needed, come closer to it"
        )
    return x, y, w, h


def _keep_largest(mask: Mask) -> Mask:
    n, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if n < 2:
        return mask
    return np.asarray(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))


def _close_small_holes(mask: Mask, radius: float) -> Mask:
    """Fill holes that no disc of this radius fits into."""
    background = (~mask).astype(np.uint8)
    room = cv2.distanceTransform(background, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    n, labels = cv2.connectedComponents(background, connectivity=4)
    small = np.array([float(room[labels == k].max(initial=0)) < radius for k in range(n)])
    small[labels[0, 0]] = False
    return np.asarray(mask | (small[labels] & ~mask))


def _close(mask: Mask, radius: float) -> Mask:
    """Morphological closing with a disc."""
    grown = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= radius
    return np.asarray(cv2.distanceTransform(grown.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) > radius)


def _opened(mask: Mask, radius: float) -> Mask:
    """Morphological opening with a disc."""
    core = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) > radius
    return np.asarray(cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= radius)


def _thicken(mask: Mask, radius: float) -> Mask:
    """Give parts thinner than 2 radius that thickness, where they are long enough to matter; holes stay open."""
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    lost = (mask & ~_opened(mask, radius)).astype(np.uint8)
    n, labels, stats, _ = cv2.connectedComponentsWithStats(lost, connectivity=8)
    thin = np.zeros(n, bool)
    thin[1:] = np.maximum(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT]) > 2.5 * radius
    if not thin.any():
        return mask
    ridge = thin[labels] & (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)) - 0.3)
    near = cv2.distanceTransform((~ridge).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= radius
    return np.asarray(mask | near)
