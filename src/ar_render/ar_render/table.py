"""The table around an object, rectified, as seen from straight above: what views show of it is copied, what none has shown
yet is made up from the texture around it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .cast_off import SIDE, CastOff, find, relit, residue
from .inpainting import continue_texture, repeats
from .plane_view import View, plane_axes, plane_from_ray, ray_from_pixel

Array = NDArray[Any]
TEXELS = 384
REACH = 2.2  # half a side, in heights of the object
_STAND = 2.1  # how far from the middle there is surely table, in heights
NEVER, DISPUTED, ONCE, TWICE = 0, 1, 2, 3  # seen: twice means from two places, alike; disputed: not alike
_AGREE = 12  # levels by which two views of the same bit of table may differ
_CONTACT = 0.2  # how far around itself the object darkens the table, in heights
_BASELINE = 0.12  # of the distance: views nearer to each other prove nothing
_LASTING_NS = 60 * 10**9  # after that things may have been moved: worth a look from the same place
_TRIES = 3  # lessons in which the object's shadow is looked for


@dataclass
class Table:
    """A square of the plane around (x, y), rectified; an object of ``height`` stands in its middle.

    colours (n, n, 3) uint8 bgr is its look where it is usable (n, n) bool; last (n, n, 3) what was seen there last; known
    (n, n) uint8 how surely; cast_off: the object's shadow, without which colours are kept.
    """

    centre: tuple[float, float]
    height: float
    map_id: int
    colours: Array = field(default_factory=lambda: np.zeros((TEXELS, TEXELS, 3), np.uint8))
    known: Array = field(default_factory=lambda: np.zeros((TEXELS, TEXELS), np.uint8))
    last: Array = field(default_factory=lambda: np.zeros((TEXELS, TEXELS, 3), np.uint8))
    usable: Array = field(default_factory=lambda: np.zeros((TEXELS, TEXELS), bool))
    seen_from: tuple[
        tuple[Array, int], ...
    ] = ()  # the places of the camera that it was learned from, and when (stamps)
    cast_off: CastOff | None = None
    radius: float = 0.5  # of the object, in its heights
    lessons: int = 0
    repeats: list[tuple[int, int]] = field(default_factory=list)  # of its texture

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
        """Does this view show it from elsewhere than those that were learned from lately?"""
        eye = view.T_map_camera[:3, 3]
        far = _BASELINE * float(np.linalg.norm(eye - self._middle(view)))
        return all(np.linalg.norm(eye - place) >= far for place, then in self._lately(stamp))

    def learned(self, picture: Array, mask: Array, view: View, stamp: int = 0) -> Table:
        """The table with what this picture shows of it. mask (H, W) uint8: the object."""
        seen_from = (*self._lately(stamp), (view.T_map_camera[:3, 3].copy(), stamp))
        new = replace(self, known=self.known.copy(), seen_from=seen_from)
        new._learn(picture, mask, view, first=not self.seen_from)
        return new

    def _lately(self, stamp: int) -> tuple[tuple[Array, int], ...]:
        return tuple((place, then) for place, then in self.seen_from if abs(stamp - then) < _LASTING_NS)

    def _learn(self, picture: Array, mask: Array, view: View, *, first: bool) -> None:
        H = self.texel_from_pixel(view, self._pixel(view))
        size = (TEXELS, TEXELS)
        seen = cv2.warpPerspective(picture, H, size, flags=cv2.INTER_LINEAR)
        free = cv2.warpPerspective(cv2.bitwise_not(generous(mask)), H, size, flags=cv2.INTER_LINEAR) > 250
        free &= self._in_front(view)
        if self.cast_off is not None:
            seen = relit(seen, cv2.resize(self.cast_off.gain, size), self.cast_off.most)
        if first:
            self.colours, self.last = seen, seen
            self.known = np.where(free, ONCE, NEVER).astype(np.uint8)
        else:
            self._compare(seen, free)
        if self.cast_off is None and self.lessons < _TRIES:
            self.radius = self._radius(mask, view)
            self.cast_off = find(self.last, self.known >= ONCE, REACH, self.radius)
            if self.cast_off is not None:
                gain = cv2.resize(self.cast_off.gain, size)
                most = self.cast_off.most
                self.colours, self.last = relit(self.colours, gain, most), relit(self.last, gain, most)
        self.lessons += 1
        self._make_up()

    def _settle(self, sure: Array) -> None:
        """Take the rest of the object's darkness away, now that it is known how the texture goes on."""
        if self.cast_off is None or not self.repeats:
            return
        rest = residue(self.cast_off, self.colours, sure, self.repeats, (self.radius + _CONTACT) / REACH)
        more = cv2.resize(rest, (TEXELS, TEXELS))
        most = self.cast_off.most
        self.colours, self.last = relit(self.colours, more, most), relit(self.last, more, most)
        gain = (1 + self.cast_off.gain / 128) * (1 + rest / 128) - 1
        self.cast_off = replace(self.cast_off, gain=np.clip(np.round(gain * 128), 0, 255).astype(np.uint8))

    def shaded(self, view: View) -> Array | None:
        """Pixels (4, 2) around where the object's shadow lies; None where there is none."""
        if self.cast_off is None:
            return None
        x, y, w, h = cv2.boundingRect(cv2.extractChannel(self.cast_off.gain, 1))
        corners = np.array([[x, y], [x + w, y], [x, y + h], [x + w, y + h]]) / SIDE * 2 - 1
        axes = plane_axes(view.plane)
        place = np.array(self.centre) + corners * self.half
        pixels = view.intrinsics.project(
            place @ axes[:2, :3] + view.plane.normal * view.plane.distance, view.T_map_camera
        )
        return pixels if np.isfinite(pixels).all() else None

    def _radius(self, mask: Array, view: View) -> float:
        """Half the object's width, in its heights, as a mask (H, W) uint8 shows it."""
        k, far = view.intrinsics, float(np.linalg.norm(view.T_map_camera[:3, 3] - self._middle(view)))
        tall = float(cv2.boundingRect((mask > 127).astype(np.uint8))[3])
        area = np.count_nonzero(mask > 127)
        return float(np.clip(0.5 * area / max(tall, 1.0) * far / (0.5 * (k.fx + k.fy)) / self.height, 0.1, 0.8))

    def _compare(self, seen: Array, free: Array) -> None:
        """What stands up from the table lies elsewhere in another view: only what two views agree on is surely table."""
        common = free & (self.known >= ONCE)
        if np.count_nonzero(common) > 200:
            offset = np.median(seen[common].astype(np.int16) - self.colours[common], axis=0)
            seen = np.clip(seen - offset, 0, 255).astype(np.uint8)
        around = np.ones((5, 5), np.uint8)
        contrast = cv2.subtract(cv2.dilate(self.last, around), cv2.erode(self.last, around))
        same = (cv2.absdiff(seen, self.last).max(2) < _AGREE + 0.35 * contrast.max(2)) & free
        known = self.known
        agreed = same & (known >= DISPUTED)
        disputed = free & ~same & (known >= DISPUTED)
        new = free & (known < DISPUTED)
        taken = (new | disputed | (agreed & (known < TWICE)))[..., None]
        self.last = np.where(taken, seen, self.last)
        known[new], known[disputed], known[agreed] = ONCE, DISPUTED, TWICE

    def _make_up(self) -> None:
        """Give what was never surely seen around the middle the look of the table around it."""
        x, y = _grid()
        sure = self.known >= ONCE
        disc = np.hypot(x, y) < _STAND
        wanted = ~sure & disc
        if self.last is self.colours:
            self.last = self.colours.copy()
        self.colours = np.where(sure[..., None], self.last, self.colours)
        if wanted.any() and (sure & disc).sum() > 0.1 * disc.sum():
            if not self.repeats:
                _, labels = cv2.connectedComponents(wanted.astype(np.uint8))
                under = np.isin(labels, np.unique(labels[wanted & (np.hypot(x, y) < 0.5)])) & wanted
                self.repeats = repeats(self.colours, sure, under)
                self._settle(sure)
            self.colours = continue_texture(self.colours, sure, wanted, self.repeats)
            self.usable = sure | wanted
        else:
            self.usable = sure

    def _middle(self, view: View) -> Array:
        axes = plane_axes(view.plane)
        return np.asarray(np.array([*self.centre, 0.0]) @ axes[:, :3] + view.plane.normal * view.plane.distance)

    def _pixel(self, view: View) -> tuple[float, float]:
        u, v = view.intrinsics.project(self._middle(view)[None], view.T_map_camera)[0]
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


def _grid() -> tuple[Array, Array]:
    """Where the texels lie, in heights of the object from the middle: two arrays (n, n)."""
    s = ((np.arange(TEXELS) + 0.5) / TEXELS * 2 - 1) * REACH
    x, y = np.meshgrid(s, s)
    return x, y
