"""The light of the scene, as far as pictures tell it: how bright and of what colour, from where, with how much grain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .plane_view import View, cross

Array = NDArray[Any]
_MIDDLE_GREY = 0.20  # what a scene reflects on average, linear
_SETTLE_S = 0.6
_GRAIN_EVERY = 15  # pictures


def _grey(value: float) -> Array:
    return np.full(3, value)


@dataclass(frozen=True)
class Light:
    """One lamp, the sky and what the table throws back: linear RGB (3,), where 1 shows a white sheet as white.

    direction (3,) unit, towards the lamp, in map; size: the lamp's radius over its distance; grain: sigma of the camera's
    noise (0-1); blur: 0 is sharp to the pixel, 0.5 as soft as a box of two pixels.
    """

    direction: Array = field(default_factory=lambda: np.array([-0.35, 0.45, 0.82]))
    sun: Array = field(default_factory=lambda: _grey(0.55))
    sky: Array = field(default_factory=lambda: _grey(0.5))
    ground: Array = field(default_factory=lambda: _grey(0.25))
    reference: Array = field(default_factory=lambda: _grey(0.75))
    level: Array = field(default_factory=lambda: _grey(1.0))
    size: float = 0.22
    grain: float = 0.0
    blur: float = 0.4
    seed: float = 0.0

    @property
    def lamp_share(self) -> Array:
        """How much of the light on the table comes from the lamp, per colour (3,)."""
        lamp = self.sun * max(float(self.direction[2]), 0.0)
        return np.asarray(lamp / (lamp + self.sky))

    @property
    def sky_share(self) -> Array:
        return np.asarray(1.0 - self.lamp_share)

    def slopes(self, axes: Array, count: int = 7) -> Array:
        """Places on the lamp, seen from the plane: shifts (count, 2) of the shadow per height, in the plane's axes (3, 3)."""
        d = axes @ (self.direction / np.linalg.norm(self.direction))
        side = cross(d, np.array([0, 0, 1.0]))
        side /= max(float(np.linalg.norm(side)), 1e-9)
        up = cross(side, d)
        radius = self.size * np.sqrt((np.arange(count) + 0.5) / count)
        angle = 2.39996 * np.arange(count)
        v = d + radius[:, None] * (np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * up)
        return np.asarray(v[:, :2] / np.maximum(v[:, 2:], 0.35))


@dataclass
class LightMeter:
    """Follows the light from picture to picture.

    direction: towards the lamp, in map, once known; lamp: its share of the light on the table.
    """

    direction: Array | None = None
    lamp: float = 0.45
    _level: Array | None = None
    _around: Array | None = None
    _stamp: int = 0
    _grain: float = 0.0
    _pictures: int = 0

    def measure(
        self, picture: Array, stamp: int, mask: Array | None, spot: Array | None, height: float, view: View
    ) -> Light:
        """The light for a picture (H, W, 3) uint8 bgr8; spot (3,): where in map it is wanted, around which ``height`` matters."""
        level, around = _exposure(picture), _surroundings(picture, mask, spot, height, view)
        if self._level is None or self._around is None:
            self._level, self._around = level, around
        s = float(np.clip((stamp - self._stamp) / 1e9 / _SETTLE_S, 0.0, 1.0))
        self._level = self._level + (level - self._level) * s
        self._around = self._around + (around - self._around) * s
        if self.direction is None:
            self.direction = _from_beside_the_camera(view)
        if self._pictures % _GRAIN_EVERY == 0:
            self._grain = grain(picture)
        self._pictures, self._stamp = self._pictures + 1, stamp
        rise = max(float(self.direction @ view.plane.normal), 0.2)
        sun, sky = self._level * self.lamp / rise, self._level * (1 - self.lamp)
        # What a wall that faces the camera gets: the light a photograph of it already shows.
        reference = 0.5 * (sky + self._around) + 0.45 * sun
        seed = (stamp * 2654435761 % (1 << 32)) / (1 << 32)
        return Light(self.direction, sun, sky, self._around, reference, self._level, grain=self._grain, seed=seed)

    def found_shadow(self, azimuth: float, share: float, axes: Array) -> None:
        """A real shadow lies at this angle of the plane's axes (3, 4): the lamp is opposite, and that is its share."""
        flat = -(np.cos(azimuth) * axes[0, :3] + np.sin(azimuth) * axes[1, :3])
        self.direction = 0.62 * flat + 0.78 * axes[2, :3]
        self.direction = self.direction / np.linalg.norm(self.direction)
        self.lamp = float(np.clip(share, 0.25, 0.65))


def _decoded(c: Array) -> Array:
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


_BYTES = _decoded(np.arange(256) / 255)


def linear(colour: Array) -> Array:
    """sRGB 0-255 to linear 0-1 (IEC 61966-2-1)."""
    colour = np.asarray(colour)
    return np.asarray(_BYTES[colour] if colour.dtype == np.uint8 else _decoded(colour.astype(np.float64) / 255))


def grain(picture: Array) -> float:
    """Sigma (0-1) of the noise in the middle of a picture, robust against its texture (after Immerkaer 1996)."""
    h, w = picture.shape[:2]
    grey = cv2.cvtColor(np.ascontiguousarray(picture[h // 4 : h * 3 // 4, w // 4 : w * 3 // 4]), cv2.COLOR_BGR2GRAY)
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = np.abs(cv2.filter2D(grey, cv2.CV_32F, kernel))
    # The calmest quarter of 16-pixel tiles holds noise and little else.
    tiles = cv2.resize(
        response, (max(grey.shape[1] // 16, 1), max(grey.shape[0] // 16, 1)), interpolation=cv2.INTER_AREA
    )
    return float(min(np.percentile(tiles, 25) * np.sqrt(np.pi / 2) / 6 / 255, 0.03))


def _exposure(picture: Array) -> Array:
    """Linear RGB (3,) of the light, from the average of the picture; its colour only half believed."""
    mean = linear(picture[4::16, 4::16]).mean((0, 1))[::-1]
    grey = float(mean @ [0.2126, 0.7152, 0.0722])
    colour = np.sqrt(np.clip(mean / max(grey, 1e-4), 0.5, 2.0))
    return np.asarray(np.clip((grey / _MIDDLE_GREY) ** 0.5, 0.45, 1.25) * colour)


def _surroundings(picture: Array, mask: Array | None, spot: Array | None, height: float, view: View) -> Array:
    """Linear RGB (3,) of the table around a spot: what it throws back on what stands there."""
    h, w = picture.shape[:2]
    x0, y0, x1, y1 = 0, h // 2, w, h
    if spot is not None:
        u, v = view.intrinsics.project(spot[None], view.T_map_camera)[0]
        reach = height * view.intrinsics.fx / max(float(np.linalg.norm(spot - view.T_map_camera[:3, 3])), 1e-6)
        if np.isfinite(u):
            box = np.array([u - 1.2 * reach, v - 0.3 * reach, u + 1.2 * reach, v + 0.8 * reach])
            box = np.clip(box, 0, [w, h, w, h]).astype(int)
            if box[2] - box[0] > 8 and box[3] - box[1] > 8:
                x0, y0, x1, y1 = (int(b) for b in box)
    part = linear(cv2.resize(picture[y0:y1, x0:x1], (48, 24), interpolation=cv2.INTER_NEAREST)).reshape(-1, 3)
    if mask is not None:
        free = cv2.resize(mask[y0:y1, x0:x1], (48, 24), interpolation=cv2.INTER_NEAREST).ravel() < 20
        part = part[free] if free.sum() > 80 else part
    return np.asarray(np.median(part, axis=0)[::-1])


def _from_beside_the_camera(view: View) -> Array:
    """Where light comes from as long as nothing tells: from above, a little from the left and from the viewer's side."""
    right, up = view.T_map_camera[:3, 0], np.asarray(view.plane.normal)
    right = right - up * float(up @ right)
    right = right / max(float(np.linalg.norm(right)), 1e-9)
    back = cross(right, up)
    d = 0.80 * up - 0.50 * right + 0.12 * (back if back @ view.T_map_camera[:3, 2] < 0 else -back)
    return np.asarray(d / np.linalg.norm(d))
