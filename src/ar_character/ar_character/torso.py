"""What is torso and what is not: a shape opened with a disc, row by row, and where its head ends."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_character.mesh import Array
from ar_character.outline import FloatImage


@dataclass(frozen=True)
class Torso:
    """Per raster row: the ends of the widest run, and of everything that hangs together, px."""

    rows: NDArray[np.int64]
    left: Array
    right: Array
    outer_left: Array
    outer_right: Array

    def at(self, v: float) -> tuple[float, float]:
        """Ends of the widest run at a row."""
        return float(np.interp(v, self.rows, self.left)), float(np.interp(v, self.rows, self.right))

    def outer(self, v: float) -> tuple[float, float]:
        """Outermost ends at a row: an arm that starts there does not hang into a hole."""
        return float(np.interp(v, self.rows, self.outer_left)), float(np.interp(v, self.rows, self.outer_right))

    def spans(self, u: float, v: float) -> bool:
        """Whether a row reaches to both sides of u."""
        left, right = self.outer(v)
        return left < u < right and self.rows[0] <= v <= self.rows[-1]


def opened(room: FloatImage, part: float) -> Torso:
    """Open the shape with a part of its inner radius and keep what hangs together around its middle."""
    body = torso_mask(room, part)
    rows = np.flatnonzero(body.any(1))
    rows = np.unique(np.append(rows[::2], rows[-1]))
    left, right = _widest_runs(body[rows])
    outer_right = body.shape[1] - 1 - body[rows, ::-1].argmax(1)
    return Torso(rows, left, right, body[rows].argmax(1).astype(float), outer_right.astype(float))


def torso_mask(room: FloatImage, part: float) -> NDArray[np.bool_]:
    """(h, w) the shape opened with a part of its inner radius: the piece around its middle."""
    radius = part * float(room.max())
    core = room > radius
    v, u = np.nonzero(room > 0)
    yy, xx = np.mgrid[0 : room.shape[0], 0 : room.shape[1]]
    central = room - 0.15 * np.hypot(xx - u.mean(), yy - v.mean())
    middle = np.unravel_index(int(np.argmax(np.where(core, central, -np.inf))), room.shape)
    _, labels = cv2.connectedComponents(core.astype(np.uint8), connectivity=8)
    core = labels == labels[middle]
    near = cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= radius
    return np.asarray(near & (room > 0))


def _widest_runs(rows: NDArray[np.bool_]) -> tuple[Array, Array]:
    """First and last column (n,) of the longest run of True in each of rows (n, w)."""
    n = len(rows)
    step = np.diff(np.pad(rows, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, start = np.nonzero(step > 0)
    stop = np.nonzero(step < 0)[1] - 1
    longest = np.lexsort((start, start - stop, row))[np.searchsorted(row, np.arange(n))]
    return start[longest].astype(float), stop[longest].astype(float)


def find_neck(torso: Torso, least: float = 0.84) -> float | None:
    """The row where a head ends: the first waist under something large, above something larger; None without one.

    least: how narrow a waist is, in widths of what is above it.
    """
    width = cv2.GaussianBlur((torso.right - torso.left)[:, None], (0, 0), 1.5).ravel()
    above = np.maximum.accumulate(width)
    below = np.maximum.accumulate(width[::-1])[::-1]
    waist = (width < least * above) & (below > 1.12 * width) & (above > 0.30 * width.max())
    if not waist.any():
        return None
    first = int(np.argmax(waist))
    over = np.flatnonzero(~waist[first:] | (width[first:] > 1.02 * np.minimum.accumulate(width[first:])))
    return float(torso.rows[first + (int(over[0]) if len(over) else 0)])
