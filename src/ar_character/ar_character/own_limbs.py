"""Limbs that a thing has of its own: prongs it stands on, and prongs at its sides. They become legs and arms as they are.

Everything is in px of the outline's raster, v down; `room` is the outline's field.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_character.mesh import Array
from ar_character.outline import FloatImage
from ar_character.torso import torso_mask

Mask = NDArray[np.bool_]

LEG_LEAST, LEG_MOST = 0.14, 0.50  # length, in heights of the shape
LEVEL = 0.09  # of the height: how much one leg may be shorter than another


@dataclass(frozen=True)
class OwnLimb:
    """side: 0 left, 1 right (the character's); mask (h, w): its pixels; line (4, 2): root, middle, ankle or wrist, tip."""

    side: int
    mask: Mask
    line: Array

    @property
    def length(self) -> float:
        """px along its line."""
        return float(np.linalg.norm(np.diff(self.line, axis=0), axis=1).sum())

    @property
    def width(self) -> float:
        """px, on average."""
        return float(np.count_nonzero(self.mask)) / max(self.length, 1.0)


def find_legs(room: FloatImage) -> tuple[OwnLimb, ...]:
    """What a shape stands on, if that is two to six prongs: cut as high as they are apart. Neighbours step in turn."""
    solid = room > 0
    rows = np.flatnonzero(solid.any(1))
    top, bottom = int(rows[0]), int(rows[-1])
    height = bottom - top
    found: list[Mask] = []
    for cut in range(int(bottom - LEG_LEAST * height), int(bottom - LEG_MOST * height), -3):
        legs = _prongs(solid, cut, bottom, height)
        if len(legs) < 2 and found:
            break
        if 2 <= len(legs) <= 6 and len(legs) >= len(found) - 1:
            found = legs
    found.sort(key=lambda leg: -float(np.nonzero(leg)[1].mean()))
    return tuple(OwnLimb(i % 2, leg, _down(leg)) for i, leg in enumerate(found))


def _prongs(solid: Mask, cut: int, bottom: int, height: int) -> list[Mask]:
    """The pieces of a shape below a row that reach the ground, if all of them look like legs; else none."""
    n, labels, stats, _ = cv2.connectedComponentsWithStats(solid[cut : bottom + 1].astype(np.uint8), connectivity=8)
    legs = []
    for k in range(1, n):
        _, y, wide, high, area = (int(s) for s in stats[k])
        if y > 0 or cut + high < bottom - LEVEL * height:
            continue
        piece = labels == k
        width = area / high
        foot = float(piece[3 * high // 4 : high].sum()) / max(high - 3 * high // 4, 1)
        if width > 0.9 * high or wide > 2.2 * high or foot < 0.5 * width or width < 0.02 * height:
            return []
        mask = np.zeros(solid.shape, bool)
        mask[cut : bottom + 1] = piece
        legs.append(mask)
    return legs


def _down(leg: Mask) -> Array:
    """Root, knee, ankle and sole of a leg."""
    v, u = np.nonzero(leg)
    top, bottom = int(v.min()), int(v.max())
    long = bottom - top
    out = []
    for a, b, at in ((0.0, 0.2, 0.0), (0.4, 0.6, 0.5), (0.65, 0.9, 0.8), (0.85, 1.0, 1.0)):
        here = (v >= top + a * long) & (v <= top + b * long)
        out.append((float(u[here].mean()), top + at * long))
    return np.array(out)


def find_arms(room: FloatImage, legs: tuple[OwnLimb, ...], highest: float, size: float) -> tuple[OwnLimb, ...]:
    """One prong at either side, rooted below row `highest`, alike in length and height; none if there are no two."""
    solid = room > 0
    torso = torso_mask(room, 0.42)
    rows, columns = np.flatnonzero(solid.any(1)), np.nonzero(torso)[1]
    height, middle = float(rows[-1] - rows[0]), float(columns.mean())
    rest = solid & ~cv2.dilate(torso.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    for leg in legs:
        rest &= ~leg.mask
    n, labels, stats, _ = cv2.connectedComponentsWithStats(rest.astype(np.uint8), connectivity=8)
    ring = cv2.dilate(torso.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    best: dict[int, tuple[float, OwnLimb]] = {}
    for k in range(1, n):
        if stats[k, cv2.CC_STAT_AREA] < 0.006 * size**2:
            continue
        mask = labels == k
        found = _arm(mask, ring, middle)
        if found is None:
            continue
        arm, length = found
        if not (highest < arm.line[0, 1] < rows[0] + 0.75 * height) or length < 0.22 * size:
            continue
        if arm.side not in best or length > best[arm.side][0]:
            best[arm.side] = (length, arm)
    if len(best) < 2:
        return ()
    (one, left), (other, right) = best[0], best[1]
    if max(one, other) > 2 * min(one, other) or abs(left.line[0, 1] - right.line[0, 1]) > 0.22 * height:
        return ()
    return (left, right)


def _arm(mask: Mask, ring: Mask, middle: float) -> tuple[OwnLimb, float] | None:
    """A prong as an arm and its length; None for a handle (it comes back to the body), a bump, or what points up or down."""
    touching = mask & ring
    if cv2.connectedComponents(touching.astype(np.uint8), connectivity=8)[0] != 2:
        return None
    v, u = np.nonzero(touching)
    root = np.array([u.mean(), v.mean()])
    v, u = np.nonzero(mask)
    away = np.hypot(u - root[0], v - root[1])
    length = float(away.max())
    tip = np.array([u[away.argmax()], v[away.argmax()]], float)
    sideways = (tip[0] - root[0]) * (1 if root[0] > middle else -1)
    if length < 1.3 * len(u) / length or sideways < 0.3 * length:
        return None

    def around(share: float) -> Array:
        near = np.abs(away - share * length) < 0.08 * length + 1
        return np.array([u[near].mean(), v[near].mean()])

    inward = 0.12 * length * np.array([np.sign(middle - root[0]), 0.0])
    return OwnLimb(int(root[0] < middle), mask, np.array([root + inward, around(0.45), around(0.75), tip])), length
