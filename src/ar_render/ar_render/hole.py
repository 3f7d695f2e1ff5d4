"""The object itself gets up: where it stood, the picture shows the table.

The table around the object is kept rectified, as seen from straight above: what views show of it is copied, what none has
shown yet is made up from the texture around it. Every picture takes from there what its mask covers, through the homography
of the plane, so bright that it meets the picture at the seam.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .inpainting import alike, continue_texture, fill_smoothly
from .light import linear
from .plane_view import View, plane_axes, plane_from_ray, ray_from_pixel

Array = NDArray[Any]
_TEXELS = 384
_REACH = 2.2  # half a side, in heights of the object
_STAND = 2.1  # how far from the middle there is surely table, in heights
_SECTORS = 24
NEVER, DISPUTED, ONCE, TWICE = 0, 1, 2, 3  # seen: twice means from two places, alike; disputed: not alike
_AGREE = 12  # levels by which two views of the same bit of table may differ
_BASELINE = 0.12  # of the distance: views nearer to each other prove nothing


@dataclass
class Table:
    """A square of the plane around (x, y), rectified; an object of ``height`` stands in its middle.

    colours (n, n, 3) uint8 bgr is its look where it is usable (n, n) bool; last (n, n, 3) what was seen there last; known
    (n, n) uint8 how surely; ghost (n, n) uint8 where the shadow lay that the object took along.
    """

    centre: tuple[float, float]
    height: float
    map_id: int
    colours: Array = field(default_factory=lambda: np.zeros((_TEXELS, _TEXELS, 3), np.uint8))
    known: Array = field(default_factory=lambda: np.zeros((_TEXELS, _TEXELS), np.uint8))
    last: Array = field(default_factory=lambda: np.zeros((_TEXELS, _TEXELS, 3), np.uint8))
    usable: Array = field(default_factory=lambda: np.zeros((_TEXELS, _TEXELS), bool))
    ghost: Array = field(default_factory=lambda: np.zeros((_TEXELS, _TEXELS), np.uint8))
    seen_from: Array | None = None
    lamp: tuple[float, float] | None = None  # what the shadow told
    usual: Array = field(default_factory=lambda: np.ones(3))

    @property
    def half(self) -> float:
        return _REACH * self.height

    def texel_from_plane(self) -> Array:
        """(3, 3): plane coordinates to texels."""
        s = _TEXELS / (2 * self.half)
        x, y = self.centre
        return np.array([[s, 0, s * (self.half - x) - 0.5], [0, s, s * (self.half - y) - 0.5], [0, 0, 1]])

    def texel_from_pixel(self, view: View, near: tuple[float, float]) -> Array:
        """(3, 3): pixels near ``near`` to homogeneous texels; the third is > 0 for what lies on the plane in front."""
        H = plane_from_ray(view, plane_axes(view.plane)) @ ray_from_pixel(view.intrinsics, near)
        return np.asarray(self.texel_from_plane() @ H)

    def shadow(self) -> tuple[float, float] | None:
        """Where the object's own shadow lies: angle in the plane's axes, and how much darker it is (0-1); None if unclear.

        The ring around the object is looked at in sectors: a shadow is darker than the rest, of the same hue, and ends.
        """
        x, y = _grid()
        radius, angle = np.hypot(x, y), np.arctan2(y, x)
        sector = np.floor((angle + np.pi) / (2 * np.pi) * _SECTORS).astype(int) % _SECTORS

        def seen_in(ring: Array) -> Array:
            """The median colour (sectors, 3) of a ring by sectors, NaN where little of it is seen."""
            out = np.full((_SECTORS, 3), np.nan)
            for i in range(_SECTORS):
                seen = ring & (sector == i) & (self.known >= ONCE)
                if seen.sum() > 0.4 * (ring & (sector == i)).sum():
                    out[i] = np.median(self.colours[seen], axis=0)
            return out

        colours = seen_in((radius > 0.45) & (radius < 1.05))
        there = np.isfinite(colours[:, 0])
        if there.sum() < _SECTORS // 2:
            return None
        light = linear(colours)
        self.usual = np.median(light[there], axis=0)
        level = np.where(there & _same_hue(light, self.usual), light.sum(1) / self.usual.sum(), np.nan)
        if np.isfinite(level).sum() < _SECTORS // 2:
            return None
        darkest = int(np.nanargmin(level))
        dark = 1 - float(level[darkest])
        aside = (np.arange(_SECTORS) - darkest + _SECTORS // 2) % _SECTORS - _SECTORS // 2
        elsewhere = np.abs(level[np.abs(aside) > _SECTORS / 5] - 1)
        if not 0.10 < dark < 0.85 or float(np.nanmax(elsewhere)) > 0.5 * dark:
            return None
        beyond = linear(seen_in((radius > 1.6) & (radius < 2.0))[darkest]).sum() / self.usual.sum()
        if beyond < 1 - 0.5 * dark:  # no shadow goes on for ever: a stripe, or the table's edge
            return None
        return (darkest + 0.5) / _SECTORS * 2 * np.pi - np.pi, dark

    def _find_ghost(self, azimuth: float) -> None:
        """The shadow at this angle, from the object's foot outwards, is no table: it goes when the object gets up."""
        x, y = _grid()
        radius, angle = np.hypot(x, y), np.arctan2(y, x)
        smooth = linear(cv2.GaussianBlur(self.colours, (0, 0), 3.0))
        dark = (smooth.sum(2) < 0.90 * self.usual.sum()) & _same_hue(smooth, self.usual)
        aside = np.abs((angle - azimuth + np.pi) % (2 * np.pi) - np.pi)
        dark &= (radius < 1.5) & (aside < 1.1) & (self.known >= ONCE)
        hole = cv2.dilate((self.known == 0).astype(np.uint8), np.ones((9, 9)))
        _, labels = cv2.connectedComponents((dark | ((hole > 0) & (radius < 1.0))).astype(np.uint8))
        touching = np.unique(labels[(hole > 0) & (radius < 0.6) & (labels > 0)])
        lying = (dark & np.isin(labels, touching)).astype(np.uint8)
        if 30 < lying.sum() < 0.25 * lying.size:
            lying = cv2.dilate(lying, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (25, 25)))
            self.known[lying > 0] = NEVER
            self.ghost = cv2.GaussianBlur(lying * 255, (0, 0), 3.0)

    def can_learn(self, view: View) -> bool:
        """Does this view show it from elsewhere than the last that was learned from?"""
        eye = view.T_map_camera[:3, 3]
        if self.seen_from is None:
            return True
        return bool(np.linalg.norm(eye - self.seen_from) >= _BASELINE * np.linalg.norm(eye - self._middle(view)))

    def learned(self, picture: Array, mask: Array, view: View) -> Table:
        """The table with what this picture shows of it. mask (H, W) uint8: the object."""
        new = replace(self, known=self.known.copy())
        new._learn(picture, mask, view)
        return new

    def _learn(self, picture: Array, mask: Array, view: View) -> None:
        first = self.seen_from is None
        self.seen_from = view.T_map_camera[:3, 3].copy()
        H = self.texel_from_pixel(view, self._pixel(view))
        size = (_TEXELS, _TEXELS)
        seen = cv2.warpPerspective(picture, H, size, flags=cv2.INTER_LINEAR)
        free = cv2.warpPerspective(cv2.bitwise_not(generous(mask)), H, size, flags=cv2.INTER_LINEAR) > 250
        free &= self._in_front(view) & (self.ghost < 8)
        if first:
            self.colours, self.last = seen, seen
            self.known = np.where(free, ONCE, NEVER).astype(np.uint8)
            self.lamp = self.shadow()
            if self.lamp is not None:
                self._find_ghost(self.lamp[0])
        else:
            self._compare(seen, free)
        self._make_up()

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
            self.colours = continue_texture(self.colours, sure, wanted)
            self.usable = sure | wanted
        else:
            self.usable = sure

    def ghost_corners(self, view: View) -> Array:
        """Pixels (4, 2) of the corners of the box around the ghost."""
        x, y, w, h = cv2.boundingRect(self.ghost)
        axes = plane_axes(view.plane)
        texels = np.array([[x, y, 1], [x + w, y, 1], [x, y + h, 1], [x + w, y + h, 1]], np.float64)
        place = texels @ np.linalg.inv(self.texel_from_plane()).T
        points = place[:, :2] @ axes[:2, :3] + view.plane.normal * view.plane.distance
        pixels = view.intrinsics.project(points, view.T_map_camera)
        return np.where(np.isfinite(pixels), pixels, self._pixel(view))

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
        s = (np.arange(_TEXELS) + 0.5) / _TEXELS * 2 - 1
        x, y = self.centre[0] + self.half * s, self.centre[1] + self.half * s
        depth = (x[None, :] * (axes[0, :3] @ forward)) + (y[:, None] * (axes[1, :3] @ forward))
        return np.asarray(depth + view.plane.distance * (view.plane.normal @ forward) - eye @ forward > 0.01)


def fill(
    picture: Array, mask: Array, view: View | None, table: Table | None
) -> tuple[Array, tuple[int, int, int, int]] | None:
    """What the picture (H, W, 3) uint8 looks like without the thing in its mask (H, W) uint8 (255 covers).

    Returns the changed part (h, w, 3) uint8 and where it lies, (x0, y0, x1, y1); None when the mask is empty. Without a
    table, or where it does not reach, the surroundings are drawn in smoothly.
    """
    box = cv2.boundingRect(cv2.threshold(mask, 40, 255, cv2.THRESH_BINARY)[1])
    if box[2] < 2 or box[3] < 2:
        return None
    known = view is not None and table is not None and table.seen_from is not None
    grow = max(3, round(0.05 * max(box[2], box[3])))
    low, high = np.array(box[:2]), np.array(box[:2]) + box[2:]
    if known and table is not None and view is not None and table.ghost.any():
        corners = table.ghost_corners(view)
        low, high = np.minimum(low, corners.min(0)), np.maximum(high, corners.max(0))
    x0, y0 = (int(v) // 4 * 4 for v in np.maximum(low - 4 * grow - 6, 0))  # multiples of 4: quickly made smaller
    x1, y1 = (min(-(-int(v) // 4) * 4, m) for v, m in zip(high + 4 * grow + 6, mask.shape[::-1], strict=True))
    cut = picture[y0:y1, x0:x1]
    alpha = _grown(mask[y0:y1, x0:x1], grow)
    h, w = alpha.shape
    small = (max(w // 4, 2), max(h // 4, 2))
    there, look = np.zeros(small[::-1], np.uint8), np.zeros((h, w, 3), np.uint8)
    if known and table is not None and view is not None:
        H = table.texel_from_pixel(view, ((x0 + x1) / 2, (y0 + y1) / 2)) @ [[1.0, 0, x0], [0, 1, y0], [0, 0, 1]]

        def seen(texels: Array, size: tuple[int, int] = (w, h)) -> Array:
            sx, sy = w / size[0], h / size[1]
            G = H @ [[sx, 0, sx / 2 - 0.5], [0, sy, sy / 2 - 0.5], [0, 0, 1]]
            out = cv2.warpPerspective(texels, G, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
            front = _in_front(G, *size)
            return np.asarray(out if front is None else cv2.copyTo(out, front))

        look, there = seen(table.colours), seen(table.usable.view(np.uint8) * np.uint8(255), small)
        if table.ghost.any():
            alpha = np.maximum(alpha, seen(table.ghost))
    look = _seamless(cut, look, there, alpha)
    share = alpha * np.float32(1 / 255)
    return cv2.blendLinear(look, cut, share, 1 - share), (x0, y0, x1, y1)


def _grown(cover: Array, by: int) -> Array:
    """A mask (h, w) uint8 grown by so many pixels, with a soft edge; at half the size, which no soft edge shows."""
    h, w = cover.shape
    half = cv2.resize(cover, ((w + 1) // 2, (h + 1) // 2), interpolation=cv2.INTER_AREA)
    half = cv2.dilate(half, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (by // 2 * 2 + 1, by // 2 * 2 + 1)))
    return np.asarray(cv2.resize(cv2.GaussianBlur(half, (0, 0), 0.225 * by), (w, h), interpolation=cv2.INTER_LINEAR))


def _in_front(H: Array, w: int, h: int) -> Array | None:
    """255 (h, w) where pixels see the plane in front of the camera; None when all do."""
    corners = H[2] @ np.array([[0, w, 0, w], [0, 0, h, h], [1, 1, 1, 1]])
    if (corners > 1e-9).all():
        return None
    depth = H[2, 0] * np.arange(w)[None, :] + H[2, 1] * np.arange(h)[:, None] + H[2, 2]
    return np.asarray(np.where(depth > 1e-9, 255, 0), np.uint8)


def _seamless(cut: Array, look: Array, there: Array, alpha: Array) -> Array:
    """The table's look (h, w, 3) uint8 so bright that it meets the picture all round; smooth where there is no table.

    What is added is smooth: it is found on a picture of a quarter of the size, which ``there`` (h/4, w/4) uint8 has (255:
    table). alpha (h, w): 0 where the picture stays.
    """
    h, w = alpha.shape
    size = there.shape[::-1]
    free = cv2.resize(cv2.threshold(alpha, 2, 255, cv2.THRESH_BINARY_INV)[1], size, interpolation=cv2.INTER_AREA)
    free = cv2.threshold(free, 150, 255, cv2.THRESH_TOZERO)[1] * np.float32(1 / 255)
    small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    table = cv2.resize(look, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    has = (there > 230).astype(np.float32)
    whole = bool((has[free < 1] > 0).all())
    difference = small - table
    if not whole:  # beyond the table the surroundings are drawn in
        smooth = fill_smoothly(small, free)
        difference = np.where(has[..., None] > 0, difference, small - smooth)
    added = fill_smoothly(difference, free * alike(difference, free * has))
    if whole:
        return np.asarray(cv2.add(look, cv2.resize(added, (w, h)), dtype=cv2.CV_8U))
    share = cv2.resize(has, (w, h))
    base = cv2.blendLinear(look, cv2.resize(np.clip(smooth, 0, 255).astype(np.uint8), (w, h)), share, 1 - share)
    return np.asarray(cv2.add(base, cv2.resize(added, (w, h)), dtype=cv2.CV_8U))


def generous(mask: Array) -> Array:
    """The mask (H, W) uint8 grown so that nothing of the object, nor of its contact shadow, is taken for table."""
    box = cv2.boundingRect((mask > 40).astype(np.uint8))
    r = 3 + round(0.05 * max(box[2], box[3]))
    return np.asarray(cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1))))


def _grid() -> tuple[Array, Array]:
    """Where the texels lie, in heights of the object from the middle: two arrays (n, n)."""
    s = ((np.arange(_TEXELS) + 0.5) / _TEXELS * 2 - 1) * _REACH
    x, y = np.meshgrid(s, s)
    return x, y


def _same_hue(light: Array, usual: Array) -> Array:
    """Where linear colours (..., 3) have the hue of ``usual``, however dark."""
    total = np.maximum(light.sum(-1, keepdims=True), 1e-6)
    return np.asarray(np.abs(light / total - usual / usual.sum()).max(-1) < 0.05)
