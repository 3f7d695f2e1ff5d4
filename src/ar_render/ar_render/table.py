"""The table around an object, rectified, as seen from straight above: what views show of it is copied, what none has shown
yet is made up from the texture around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .cards import TALL, Card, largest, made, standing
from .cast_off import CastOff, find, relit
from .glimpses import Glimpse, reduced
from .periods import steps
from .plane_view import View, plane_axes, plane_from_ray, ray_from_pixel
from .repeats import continued, ground, logarithm

Array = NDArray[Any]
TEXELS = 384
REACH = 2.2  # half a side, in heights of the object
_STAND = 2.1  # how far from the middle there is surely table, in heights
NEVER, DISPUTED, ONCE, TWICE = 0, 1, 2, 3  # seen: twice means from two places, alike; disputed: not alike
DIM, LIT = 160, 255  # usable: what the object may have darkened, and what not
_AGREE = 12  # levels by which two views of the same bit of table may differ
_CONTACT = 0.2  # how far around itself the object darkens the table, in heights
_BASELINE = 0.12  # of the distance: views nearer to each other prove nothing
_LASTING_NS = 60 * 10**9  # after that things may have been moved: worth a look from the same place
_THING = 300  # texels
_GLIMPSES = 8
_TURN_NS = 300_000_000  # what was learned shows within this time
_TRIES = 3  # lessons in which the object's shadow is looked for


@dataclass
class Table:
    """A square of the plane around (x, y), rectified; an object of ``height`` stands in its middle.

    colours (n, n, 3) uint8 bgr is its look without the object and its shadow, where it is usable (n, n) uint8: LIT, DIM or 0;
    last (n, n, 3) what was seen there last, shadow and all; known (n, n) uint8 how surely; cast_off: the object's shadow.
    """

    centre: tuple[float, float]
    height: float
    map_id: int
    colours: Array = field(default_factory=lambda: np.zeros((TEXELS, TEXELS, 3), np.uint8))
    known: Array = field(default_factory=lambda: np.zeros((TEXELS, TEXELS), np.uint8))
    last: Array = field(default_factory=lambda: np.zeros((TEXELS, TEXELS, 3), np.uint8))
    usable: Array = field(default_factory=lambda: np.zeros((TEXELS, TEXELS), np.uint8))
    seen_from: tuple[tuple[Array, int], ...] = ()  # the camera's places that it was learned from, and when (stamps)
    cast_off: CastOff | None = None
    radius: float = 0.5  # of the object, in its heights
    views: int = 0  # pictures that it was learned from
    lessons: int = 0
    glimpses: tuple[Glimpse, ...] = ()  # the newest pictures that it was learned from
    waiting: list[Glimpse] = field(default_factory=list)  # the next lesson is about these
    turning: tuple[Array, Array, int] | None = None  # the look it had and the look it gets, and since when (stamp)
    cards: tuple[Card, ...] = ()  # what stands behind the object, the farthest first

    @property
    def lamp(self) -> tuple[float, float] | None:
        """What the object's shadow tells: its angle in the plane's axes, and how much of the light it takes."""
        return None if self.cast_off is None else (self.cast_off.azimuth, self.cast_off.share)

    @property
    def half(self) -> float:
        return REACH * self.height

    def texel_from_plane(self) -> Array:
        """(3, 3): plane coordinates to texels."""
        s = TEXELS / (2 * self.half)
        x, y = self.centre
        return np.array([[s, 0, s * (self.half - x) - 0.5], [0, s, s * (self.half - y) - 0.5], [0, 0, 1]])

    def texel_from_pixel(self, view: View, near: tuple[float, float]) -> Array:
        """(3, 3): pixels near ``near`` to homogeneous texels; the third is > 0 for what lies on the plane in front."""
        H = plane_from_ray(view, plane_axes(view.plane)) @ ray_from_pixel(view.intrinsics, near)
        return np.asarray(self.texel_from_plane() @ H)

    def can_learn(self, view: View, stamp: int = 0) -> bool:
        """Does this view show it from elsewhere than those that were learned from lately, or wait to be?"""
        return self._is_new(view, stamp) and all(
            self._apart(view, glimpse.view.T_map_camera[:3, 3]) for glimpse in self.waiting
        )

    def of_use(self, glimpse: Glimpse) -> Glimpse:
        """What a picture shows of it and of what stands on it, as finely as that is kept."""
        view = glimpse.view
        axes, s = plane_axes(view.plane), self.half
        floor = np.array([[i, j] for i in (-s, s) for j in (-s, s)]) + self.centre
        floor = floor @ axes[:2, :3] + view.plane.normal * view.plane.distance
        far = float(np.linalg.norm(view.T_map_camera[:3, 3] - self.middle(view)))
        scale = TEXELS / (2 * s) * far / view.intrinsics.fx
        return reduced(glimpse, np.concatenate([floor, floor + view.plane.normal * TALL * self.height]), scale)

    def learned(self, glimpses: Sequence[Glimpse]) -> Table:
        """The table with what these pictures show of it, the newest last."""
        newest = glimpses[-1]
        new = replace(self, known=self.known.copy(), seen_from=self._lately(newest.stamp), turning=None)
        for glimpse in glimpses if new.seen_from else (newest, *glimpses[:-1]):
            if not new._is_new(glimpse.view, glimpse.stamp):
                continue
            place = glimpse.view.T_map_camera[:3, 3].copy()
            new._look(glimpse, first=not new.seen_from)
            new.glimpses = (*new.glimpses, glimpse)[-_GLIMPSES:]
            new.seen_from = (*new.seen_from, (place, glimpse.stamp))
        new._conclude(newest.mask, newest.view)
        return new

    def follow(self, older: Table, stamp: int) -> None:
        """From this stamp on, let it come to look as it does, from what an older one looks like: nothing jumps."""
        if older.seen_from:
            self.turning = (older.colours, self.colours, stamp)

    def turn(self, stamp: int) -> None:
        """Look as is due at this stamp."""
        if self.turning is not None:
            before, after, since = self.turning
            share = (stamp - since) / _TURN_NS if since <= stamp < since + _TURN_NS else 1.0
            self.colours = after if share == 1.0 else cv2.addWeighted(after, share, before, 1.0 - share, 0.0)
            self.turning = None if share == 1.0 else self.turning

    def _is_new(self, view: View, stamp: int) -> bool:
        return all(self._apart(view, place) for place, _ in self._lately(stamp))

    def _apart(self, view: View, place: Array) -> bool:
        """Is a view's place far enough from another (3,) for the two to show what stands up?"""
        eye = view.T_map_camera[:3, 3]
        return bool(np.linalg.norm(eye - place) >= _BASELINE * np.linalg.norm(eye - self.middle(view)))

    def _lately(self, stamp: int) -> tuple[tuple[Array, int], ...]:
        return tuple((place, then) for place, then in self.seen_from if abs(stamp - then) < _LASTING_NS)

    def _look(self, glimpse: Glimpse, *, first: bool) -> None:
        H = self.texel_from_pixel(glimpse.view, self._pixel(glimpse.view))
        size = (TEXELS, TEXELS)
        seen = cv2.warpPerspective(glimpse.picture, H, size, flags=cv2.INTER_LINEAR)
        free = cv2.warpPerspective(cv2.bitwise_not(generous(glimpse.mask)), H, size, flags=cv2.INTER_LINEAR) > 250
        free &= self._in_front(glimpse.view)
        if first:
            self.last = seen
            self.known = np.where(free, ONCE, NEVER).astype(np.uint8)
        else:
            self._compare(seen, free)
        self.views += 1

    def _conclude(self, mask: Array, view: View) -> None:
        self.lessons += 1
        if self.cast_off is None and self.lessons <= _TRIES:
            self.radius = self._radius(mask, view)
            self.cast_off = find(self.last, self.known >= ONCE, REACH, self.radius)
        self._make_up()
        self.cards = self._stood_up(self._things(), view)

    def shaded(self, view: View) -> Array | None:
        """Pixels (4, 2) around where the object's shadow lies; None where there is none."""
        if self.cast_off is None:
            return None
        x, y, w, h = cv2.boundingRect(cv2.extractChannel(self.cast_off.gain, 1))
        corners = np.array([[x, y], [x + w, y], [x, y + h], [x + w, y + h]]) / self.cast_off.gain.shape[0] * 2 - 1
        axes = plane_axes(view.plane)
        place = np.array(self.centre) + corners * self.half
        pixels = view.intrinsics.project(
            place @ axes[:2, :3] + view.plane.normal * view.plane.distance, view.T_map_camera
        )
        return pixels if np.isfinite(pixels).all() else None

    def _radius(self, mask: Array, view: View) -> float:
        """Half the object's width, in its heights, as a mask (H, W) uint8 shows it."""
        k, far = view.intrinsics, float(np.linalg.norm(view.T_map_camera[:3, 3] - self.middle(view)))
        tall = float(cv2.boundingRect((mask > 127).astype(np.uint8))[3])
        area = np.count_nonzero(mask > 127)
        return float(np.clip(0.5 * area / max(tall, 1.0) * far / (0.5 * (k.fx + k.fy)) / self.height, 0.1, 0.8))

    def _compare(self, seen: Array, free: Array) -> None:
        """What stands up from the table lies elsewhere in another view: only what two views agree on is surely table."""
        common = np.flatnonzero(free & (self.known >= ONCE))
        if len(common) > 200:
            common = common[:: 1 + len(common) // 10000]
            offset = np.median(seen.reshape(-1, 3)[common].astype(np.int16) - self.last.reshape(-1, 3)[common], axis=0)
            seen = cv2.subtract(seen, np.array([*offset, 0.0]))
        around = np.ones((5, 5), np.uint8)
        contrast = cv2.subtract(cv2.dilate(self.last, around), cv2.erode(self.last, around))
        same = (largest(cv2.absdiff(seen, self.last)) < _AGREE + 0.35 * largest(contrast)) & free
        known = self.known
        agreed = same & (known >= DISPUTED)
        disputed = free & ~same & (known >= DISPUTED)
        new = free & (known < DISPUTED)
        taken = new | disputed | (agreed & (known < TWICE))
        self.last = cv2.copyTo(seen, taken.astype(np.uint8), self.last.copy())
        known[new], known[disputed], known[agreed] = ONCE, DISPUTED, TWICE

    def _make_up(self) -> None:
        """Give what was never surely seen around the middle the look of the table around it, in full light."""
        from_middle = _from_middle()
        things = self._things()
        sure = (self.known >= ONCE) & ~things
        disc = from_middle < _STAND
        wanted = ~sure & disc
        dim = from_middle < self.radius + _CONTACT
        flat = (self.known == TWICE) & ~things if self.views > 1 else None
        self.colours = self.last
        if self.cast_off is not None:
            model = cv2.resize(self.cast_off.model, (TEXELS, TEXELS))
            self.colours = relit(self.last, model, self.cast_off.most)
            dim |= cv2.dilate(largest(model), np.ones((25, 25))) > 8
        g = ground(self.colours, sure, dim, flat, wanted) if (sure & disc).sum() > 0.1 * disc.sum() else None
        if g is None:
            self.usable = np.where(sure, np.where(dim, DIM, LIT), 0).astype(np.uint8)
            return
        self.colours = continued(self.colours, sure, (wanted | dim) & disc, g, steps(g))
        self._relight(sure & dim)
        self.usable = np.where(sure | wanted, np.where(dim, DIM, LIT), 0).astype(np.uint8)

    def _relight(self, where: Array) -> None:
        """What the picture must gain (n, n) bool where the object's shadow lies, to look as the table does."""
        if self.cast_off is None:
            return
        size = (TEXELS // 2, TEXELS // 2)
        lost = (logarithm(self.colours) - logarithm(self.last)) * where[..., None]
        seen = cv2.GaussianBlur(cv2.resize(where.astype(np.float32), size, interpolation=cv2.INTER_AREA), (0, 0), 2.0)
        lost = cv2.GaussianBlur(cv2.resize(lost, size, interpolation=cv2.INTER_AREA), (0, 0), 2.0)
        lost = lost / np.maximum(seen, 0.3)[..., None]
        gain = np.clip(np.round(np.expm1(lost) * 128), 0, 255).astype(np.uint8)
        self.cast_off = replace(self.cast_off, gain=gain)

    def _stood_up(self, things: Array, view: View) -> tuple[Card, ...]:
        """The cards of what stands behind the object or beside it, the farthest first."""
        if len(self.glimpses) < 2:
            return ()
        axes, to_plane = plane_axes(view.plane), np.linalg.inv(self.texel_from_plane())
        floor = np.where((self.known == TWICE) & ~things, np.uint8(255), np.uint8(0))
        shown = [(glimpse.view, standing(glimpse, self._laid(floor, glimpse))) for glimpse in self.glimpses]
        eye, middle = view.T_map_camera[:3, 3], self.middle(view)
        cards = []
        count, labels, parts, _ = cv2.connectedComponentsWithStats(things.astype(np.uint8))
        for i in range(1, count):
            y, x = np.nonzero(labels == i)
            places = (to_plane @ np.stack([x, y, np.ones(len(x))]))[:2].T
            points = places @ axes[:2, :3] + view.plane.normal * view.plane.distance
            if parts[i, cv2.CC_STAT_AREA] > _THING and np.linalg.norm(points.mean(0) - eye) > np.linalg.norm(
                middle - eye
            ):
                card = made(points, self.height, shown)
                cards += [card] if card is not None else []
        return tuple(sorted(cards, key=lambda c: -float(np.linalg.norm(c.corners.mean(0) - eye))))

    def _laid(self, texels: Array, glimpse: Glimpse) -> Array:
        """Texels (n, n) uint8 as a picture shows them."""
        H = self.texel_from_pixel(glimpse.view, self._pixel(glimpse.view))
        size = glimpse.mask.shape[::-1]
        return np.asarray(cv2.warpPerspective(texels, H, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP))

    def _things(self) -> Array:
        """(n, n) bool: what stands up from the table, as far as views differed there."""
        differ = cv2.morphologyEx((self.known == DISPUTED).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3)))
        differ = cv2.morphologyEx(differ, cv2.MORPH_CLOSE, np.ones((9, 9)))
        out = np.zeros_like(differ)
        for outline in cv2.findContours(differ, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
            hull, area = cv2.convexHull(outline), cv2.contourArea(outline)
            if area > _THING:
                cv2.fillPoly(out, [hull if area > 0.5 * cv2.contourArea(hull) else outline], 1)
        return np.asarray(cv2.dilate(out, np.ones((5, 5))) > 0)

    def middle(self, view: View) -> Array:
        """(3,) in map."""
        axes = plane_axes(view.plane)
        return np.asarray(np.array([*self.centre, 0.0]) @ axes[:, :3] + view.plane.normal * view.plane.distance)

    def _pixel(self, view: View) -> tuple[float, float]:
        u, v = view.intrinsics.project(self.middle(view)[None], view.T_map_camera)[0]
        return (float(u), float(v)) if np.isfinite(u) else (view.intrinsics.cx, view.intrinsics.cy)

    def _in_front(self, view: View) -> Array:
        """(n, n) bool: texels that lie before the camera."""
        axes = plane_axes(view.plane)
        forward, eye = view.T_map_camera[:3, 2], view.T_map_camera[:3, 3]
        s = (np.arange(TEXELS) + 0.5) / TEXELS * 2 - 1
        x, y = self.centre[0] + self.half * s, self.centre[1] + self.half * s
        depth = (x[None, :] * (axes[0, :3] @ forward)) + (y[:, None] * (axes[1, :3] @ forward))
        return np.asarray(depth + view.plane.distance * (view.plane.normal @ forward) - eye @ forward > 0.01)


def generous(mask: Array) -> Array:
    """The mask (H, W) uint8 grown so that nothing of the object, nor of its contact shadow, is taken for table."""
    box = cv2.boundingRect((mask > 40).astype(np.uint8))
    r = 3 + round(0.05 * max(box[2], box[3]))
    return np.asarray(cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1))))


@cache
def _from_middle() -> Array:
    """(n, n): how far texels lie from the middle, in heights of the object."""
    s = ((np.arange(TEXELS) + 0.5) / TEXELS * 2 - 1) * REACH
    return np.hypot(s[None, :], s[:, None])
