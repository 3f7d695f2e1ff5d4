"""A head: a round part above the rest of a shape, behind a neck.

A part is a place with more room than all around it; its neck is the widest pass from there to a place with still more
room (as in a map of mountains: peak and saddle). Everything is in px of the outline's raster, v down.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ar_character.outline import FloatImage

LEAST = 0.35  # radius of a head, in that of the body
ASIDE = 0.47  # the same of one that is not over the body's middle, unless it is a figure's
MIDDLE = 0.6  # so far from the body's middle, in its radius, is over it
NECK, WIDE = 0.82, 0.9  # width of a neck, in that of the head; where a figure's or a large one is over the middle
LARGE = 0.5  # radius of a large head, in that of the body
LONGEST = 2.6  # area of a head, in that of the disc in it
TWIN = 1.35  # parts at either side that differ less are ears, hands or leaves
STEPS = 18  # of width in which necks are told apart


@dataclass(frozen=True)
class Lobe:
    """Middle (u, v) and radius of a part, half the width of its neck, its area; px."""

    u: float
    v: float
    radius: float
    neck: float
    area: float

    def beyond(self, u: float, v: float) -> bool:
        """Whether a point is not on it."""
        return float(np.hypot(u - self.u, v - self.v)) > 1.3 * self.radius


def find_head(room: FloatImage, figure: bool) -> Lobe | None:
    """The part that is a head; None where a shape has none. figure: it stands on two legs or has arms."""
    rows = np.flatnonzero((room > 0).any(1))
    top, height = float(rows[0]), float(rows[-1] - rows[0])
    found = lobes(room, LEAST)
    if not found:  # as thin as a line
        return None
    body, *others = found

    def is_head(p: Lobe) -> bool:
        high = p.v < body.v - 0.3 * body.radius and p.v < top + 0.5 * height
        upright = abs(p.u - body.u) < MIDDLE * body.radius
        large = upright or figure or p.radius > ASIDE * body.radius
        compact = p.area < LONGEST * np.pi * p.radius**2
        alone = not any(_twins(p, q, body, height) for q in others if q is not p)
        surely = upright and (figure or p.radius > LARGE * body.radius)
        neck = p.neck < (WIDE if surely else NECK) * p.radius
        return high and large and compact and alone and neck

    return max(filter(is_head, others), key=lambda p: p.radius * (1.2 - (p.v - top) / height), default=None)


def _twins(p: Lobe, q: Lobe, body: Lobe, height: float) -> bool:
    """Whether two parts are a pair, one at either side of the body."""
    alike = max(p.radius, q.radius) < TWIN * min(p.radius, q.radius)
    return alike and (p.u - body.u) * (q.u - body.u) < 0 and abs(p.v - q.v) < 0.2 * height


def lobes(room: FloatImage, least: float) -> list[Lobe]:
    """The parts of a shape whose radius is at least this part of the largest one's; that one comes first."""
    small = np.ascontiguousarray(room[::2, ::2])
    widest = float(small.max())
    peak = (small >= cv2.dilate(small, np.ones((5, 5), np.uint8))) & (small >= least * widest)
    v, u = np.nonzero(peak)
    order = np.argsort(-small[v, u], kind="stable")
    v, u = v[order], u[order]
    neck = np.zeros(len(u))
    area = np.full(len(u), np.inf)
    for level in widest * np.linspace(0.02, 0.98, STEPS):
        inside = (small > level).astype(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
        of = np.where(small[v, u] > level, labels[v, u], -1 - np.arange(len(u)))
        first = np.unique(of, return_index=True)[1]
        alone = np.isin(np.arange(len(u)), first)
        neck[~alone] = level
        newly = alone & (of > 0) & np.isinf(area)
        area[newly] = stats[of[newly], cv2.CC_STAT_AREA]
        area[~alone] = np.inf
    found = []
    for i in np.flatnonzero(neck < small[v, u] - 0.5):
        grown = 4 * (np.sqrt(area[i] / np.pi) + neck[i] / 2) ** 2 * np.pi  # what the level took off around it
        found.append(Lobe(2.0 * u[i], 2.0 * v[i], float(small[v[i], u[i]]), float(neck[i]), float(grown)))
    return found
