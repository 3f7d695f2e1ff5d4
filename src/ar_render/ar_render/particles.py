"""Sprites in the air, and those of the awakening: their places are a function of time and a seed; nothing is integrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .sprites import SHAPES

if TYPE_CHECKING:
    from .plane_view import View

Array = NDArray[Any]
_LIFE_S = 3.4
_LEGS_S = 1.25  # when the awaken clip pulls the legs out of the table


@dataclass(frozen=True)
class Particles:
    """records (n,) of LAYOUT: place in map and radius, m; colour and opacity; kind: how much it glows, how much it is squeezed,
    its shape (`sprites.SHAPES`) and its turn, of 256 to a circle."""

    LAYOUT: ClassVar[np.dtype[Any]] = np.dtype([("particle", "<f4", 4), ("tint", "u1", 4), ("kind", "u1", 4)])
    records: Array

    @staticmethod
    def merged(clouds: Sequence[Particles], view: View) -> Particles | None:
        """All in one, the farthest first; None when there are none."""
        clouds = [c for c in clouds if len(c.records)]
        if not clouds:
            return None
        records = np.concatenate([c.records for c in clouds])
        depth = records["particle"][:, :3] @ view.T_map_camera[:3, 2]
        return Particles(records[np.argsort(-depth, kind="stable")])


def awakening(t: float, T_map_home: Array, height: float, seed: int, dust: int = 140, sparks: int = 110) -> Particles:
    """A ring of dust that the character kicks up as it pulls free, and sparks that spiral up around it, t seconds after."""
    if not 0 <= t < _LIFE_S:
        return Particles(np.zeros(0, Particles.LAYOUT))
    rng = np.random.default_rng([seed, 1])
    out = np.concatenate([_dust(rng, t, height, dust), _sparks(rng, t, height, sparks)])
    p = out["particle"]
    p[:, :3] = p[:, :3] @ T_map_home[:3, :3].T.astype(np.float32) + T_map_home[:3, 3].astype(np.float32)
    return Particles(out[out["tint"][:, 3] > 1])


def _dust(rng: Any, t: float, h: float, n: int) -> Array:
    out = np.zeros(n, Particles.LAYOUT)
    angle, speed = rng.uniform(0, 2 * np.pi, n), rng.uniform(0.25, 1.0, n)
    birth, life = _LEGS_S + rng.uniform(0, 0.35, n), rng.uniform(0.7, 1.5, n)
    size, rise, tone = rng.uniform(0.035, 0.09, n), rng.uniform(0.02, 0.22, n), rng.uniform(-14, 14, n)
    s = np.clip((t - birth) / life, 0, 1)
    alive = (s > 0) & (s < 1)
    far = 1 - np.exp(-3.2 * s)  # thrown out, then braked by the air
    radius = h * (0.16 + 0.42 * speed * far)
    out["particle"][:, 0], out["particle"][:, 1] = radius * np.cos(angle), radius * np.sin(angle)
    out["particle"][:, 2] = h * (0.02 + rise * far * speed)
    out["particle"][:, 3] = h * size * (0.5 + 1.3 * far)
    grey = np.array([205, 196, 182]) + tone[:, None]
    out["tint"][:, :3] = np.clip(grey, 0, 255)
    out["tint"][:, 3] = np.where(alive, 120 * (1 - s) ** 1.5 * np.minimum(1, s * 12), 0)
    return out


def _sparks(rng: Any, t: float, h: float, n: int) -> Array:
    out = np.zeros(n, Particles.LAYOUT)
    angle, turns = rng.uniform(0, 2 * np.pi, n), rng.uniform(0.3, 1.1, n)
    birth, life = rng.uniform(0.0, 1.7, n), rng.uniform(0.8, 1.5, n)
    reach, top, size = rng.uniform(0.25, 0.6, n), rng.uniform(0.5, 1.35, n), rng.uniform(0.008, 0.022, n)
    twinkle, hue = rng.uniform(0, 2 * np.pi, n), rng.random(n)
    s = np.clip((t - birth) / life, 0, 1)
    alive = (s > 0) & (s < 1)
    ease = 1 - (1 - s) ** 2
    a = angle + 2 * np.pi * turns * s
    radius = h * reach * (0.6 + 0.4 * np.sin(np.pi * s))
    out["particle"][:, 0], out["particle"][:, 1] = radius * np.cos(a), radius * np.sin(a)
    out["particle"][:, 2] = h * (0.05 + top * ease)
    flicker = 0.75 + 0.25 * np.sin(twinkle + 25 * t)
    out["particle"][:, 3] = h * size * (0.6 + 0.8 * np.sin(np.pi * s))
    warm, cool = np.array([255, 205, 110]), np.array([255, 246, 214])
    out["tint"][:, :3] = warm + (cool - warm) * hue[:, None]
    out["tint"][:, 3] = np.where(alive, 235 * flicker * np.sin(np.pi * s), 0)
    out["kind"][:, 0], out["kind"][:, 2] = 255, SHAPES.index("spark")
    return out
