"""What stands on the table behind the object: each thing a card, upright through its foot, with what views have shown of it.

A thing is where views of the table differed. Its card is put where pictures from different places agree best on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .glimpses import Glimpse
from .inpainting import fill_smoothly
from .plane_view import View, cross

Array = NDArray[Any]
_SIDE = 160  # texels
TALL = 1.5  # of a card, in heights of the object
_DEPTHS = (-0.25, -0.15, -0.05, 0.05, 0.15, 0.25, 0.4)  # heights: where the foot is looked for
_TURNS = (-0.6, -0.3, 0.0, 0.3, 0.6)  # rad: how the card may be turned from facing the camera
_AGREE = 14  # levels
_MOST = 40.0  # levels: larger differences count as this
_GAP = 31  # texels: narrower gaps between what views agree on belong to the thing
Shown = tuple[View, Array]  # and its picture (H, W, 4), see ``standing``


@dataclass(frozen=True)
class Card:
    """corners (4, 3): in map, of the top left, top right, bottom right and bottom left of its picture (n, n, 4) uint8: bgr, and
    255 where the thing is."""

    corners: Array
    picture: Array

    def seen(self, view: View) -> Array | None:
        """(4, 2) float32: the pixels of its corners; None where it is not seen from its front."""
        uv = view.intrinsics.project(self.corners, view.T_map_camera).astype(np.float32)
        return uv if np.isfinite(uv).all() and cv2.contourArea(uv, oriented=True) > 20 else None

    def behind(self, place: Array, view: View) -> bool:
        """Is it farther from the camera than a place (3,)?"""
        eye = view.T_map_camera[:3, 3]
        return bool(np.linalg.norm(self.corners[2:].mean(0) - eye) > np.linalg.norm(place - eye))


def to_card(uv: Array) -> Array:
    """(3, 3): from pixels to those of a card whose corners are seen at (4, 2)."""
    return np.asarray(cv2.getPerspectiveTransform(uv, _CORNERS))


_CORNERS = np.array([[0, 0], [_SIDE - 1, 0], [_SIDE - 1, _SIDE - 1], [0, _SIDE - 1]], np.float32)


def largest(colours: Array) -> Array:
    """(h, w): of the three channels of (h, w, 3); numpy takes ten times as long."""
    b, g, r = cv2.split(colours)
    return np.asarray(cv2.max(b, cv2.max(g, r)))


def standing(glimpse: Glimpse, floor: Array) -> Array:
    """(H, W, 4) uint8: a picture, and 255 where it may show things; floor (H, W) uint8: 255 where it surely shows the table."""
    free = np.where((glimpse.mask < 20) & (floor < 128), np.uint8(255), np.uint8(0))
    return np.asarray(cv2.merge([*cv2.split(glimpse.picture), free]))


def made(points: Array, height: float, views: Sequence[Shown]) -> Card | None:
    """The card of the thing that hides these points (m, 3) of the table from some views; None where views do not agree on one.

    height: of the object, metres.
    """
    up = np.asarray(views[0][0].plane.normal)
    eye = np.mean([view.T_map_camera[:3, 3] for view, _ in views], axis=0)
    away = points.mean(0) - eye
    away = away - up * float(up @ away)
    away = away / max(float(np.linalg.norm(away)), 1e-9)
    depth, middle = (points - eye) @ away, points.mean(0)
    near = float(np.percentile(depth, 3))
    aside = cross(away, up)
    across = (points - middle)[depth < near + 0.4 * height] @ aside
    if len(across) < 20:
        return None
    low, high = np.percentile(across, [3, 97])
    half = 0.5 * (high - low) + 0.2 * height
    foot = middle + aside * 0.5 * (low + high) + away * (near - float((middle - eye) @ away))
    top = up * TALL * height

    def upright(more: float, turn: float) -> Array:
        along, at = np.cos(turn) * aside + np.sin(turn) * away, foot + away * more * height
        return np.array([at - half * along + top, at + half * along + top, at + half * along, at - half * along])

    def wrong(place: tuple[float, float]) -> float:
        return _disagreement(upright(*place), views)

    more = min(_DEPTHS, key=lambda m: wrong((m, 0.0)))  # first where it stands, then how it is turned
    best = min(((more, turn) for turn in _TURNS), key=wrong)
    return painted(upright(*best), views) if wrong(best) < _MOST else None


def _on_card(corners: Array, views: Sequence[Shown], every: int = 1) -> list[tuple[Array, Array]]:
    """What each view shows on a card: colours (n, n, 3) uint8 and where they can be the thing's (n, n) bool."""
    out, size = [], (_SIDE // every, _SIDE // every)
    for view, picture in views:
        uv = Card(corners, _CORNERS).seen(view)
        if uv is not None:
            seen = cv2.warpPerspective(picture, np.diag([1 / every, 1 / every, 1]) @ to_card(uv), size)
            out.append((cv2.cvtColor(seen, cv2.COLOR_BGRA2BGR), cv2.extractChannel(seen, 3) > 200))
    return out


def _disagreement(corners: Array, views: Sequence[Shown]) -> float:
    """Levels by which views differ on a card, on average where two of them may show the thing."""
    shown = _on_card(corners, views, 3)
    total, count = 0.0, 0
    for i, (a, here) in enumerate(shown):
        for b, there in shown[i + 1 : i + 4]:
            both = here & there
            if np.count_nonzero(both) > 100:
                wrong = largest(cv2.absdiff(a, b))[both]
                total, count = total + float(np.minimum(wrong, _MOST).sum()), count + len(wrong)
    return total / count if count else _MOST


def painted(corners: Array, views: Sequence[Shown]) -> Card:
    """The card at these corners (4, 3), with what views agree on."""
    shown = _on_card(corners, views)
    colours, cover = shown[-1][0].copy(), np.zeros((_SIDE, _SIDE), np.uint8)
    for i, (mine, here) in reversed(list(enumerate(shown))):  # the newest is the most like what the next will show
        around = np.ones((5, 5), np.uint8)
        contrast = largest(cv2.subtract(cv2.dilate(mine, around), cv2.erode(mine, around)))
        limit = _AGREE + 0.4 * contrast
        votes, against = np.zeros(here.shape, np.uint8), np.zeros(here.shape, np.uint8)
        for j, (other, there) in enumerate(shown):
            if i != j:
                same = largest(cv2.absdiff(mine, other)) < limit
                votes += same & there
                against += ~same & there
        agreed = (here & (votes > 0) & (votes >= 2 * against)).astype(np.uint8)
        whole = cv2.morphologyEx(agreed, cv2.MORPH_CLOSE, np.ones((9, 9)))
        whole = cv2.morphologyEx(whole, cv2.MORPH_OPEN, np.ones((7, 7)))
        new = (np.asarray(whole) > 0) & (cover == 0) & here
        colours[new], cover[new] = mine[new], 255
    room = cv2.copyMakeBorder(cover, _GAP, _GAP, _GAP, _GAP, cv2.BORDER_CONSTANT)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_GAP, _GAP))
    whole = cv2.morphologyEx(room, cv2.MORPH_CLOSE, disc)[_GAP:-_GAP, _GAP:-_GAP]
    for mine, here in reversed(shown):  # what is round or shines looks different from each side, and is no hole
        new = (whole > 0) & (cover == 0) & here
        colours[new], cover[new] = mine[new], 255
    new = (whole > 0) & (cover == 0)
    colours[new] = fill_smoothly(colours.astype(np.float32), (cover > 0).astype(np.float32))[new]
    cover[new] = 255
    edge = cv2.copyMakeBorder(cover[2:-2, 2:-2], 2, 2, 2, 2, cv2.BORDER_CONSTANT)  # nothing of the card's rim is shown
    soft = cv2.min(edge, cv2.blur(edge, (5, 5)))
    return Card(corners, np.dstack([colours, soft]))
