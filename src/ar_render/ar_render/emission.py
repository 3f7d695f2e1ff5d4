"""Particles that a character gives off: where they are born depends on how it moves, what becomes of them on their age alone.

A particle is born on a fixed grid of time, k / rate seconds after the character awoke, where its joint then was, with chances
that follow from the character's seed and k. So the same pictures give the same particles, to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Plane

from .behaviour import Stance
from .emitters import Emitter, footsteps, read_emitters
from .feet import Foot
from .layout import MAP_FROM_GLTF, Figure
from .model import Model
from .particles import Particles
from .sprites import SHAPES

Array = NDArray[Any]
MOST = 1500  # particles of one character
_LONGEST_S = 0.25  # what was not seen for longer gave off nothing meanwhile


@dataclass
class Emission:
    """What one character has given off and is still in the air. Use once per picture, in order.

    feet: as many as there are emitters of their footsteps, which come first.
    """

    emitters: Sequence[Emitter]
    feet: Sequence[Foot]
    seed: int
    _time: float = -1.0
    _stood: tuple[int, ...] = ()
    _joints: Array | None = None  # where the emitters' joints were
    _alive: list[Array] = field(default_factory=list)

    @staticmethod
    def of(model: Model, height: float, feet: Sequence[Foot], seed: int) -> Emission:
        """That of a character which has just appeared."""
        return Emission((*footsteps(model, height, feet), *read_emitters(model)), feet, seed)

    def afresh(self) -> Emission:
        """The same with nothing in the air."""
        return Emission(self.emitters, self.feet, self.seed)

    def step(self, t: float, figure: Figure, stance: Stance, plane: Plane) -> Particles:
        """The particles t seconds after the character awoke, which stands as the figure says."""
        if not self.emitters:
            return Particles(np.zeros(0, Particles.LAYOUT))
        scale = figure.scale
        T = figure.T_map_character @ MAP_FROM_GLTF @ np.diag([scale, scale, scale, 1.0])
        joints = np.array([T @ figure.globals[e.joint] for e in self.emitters])
        if not self._alive or not self._time <= t or self._joints is None or len(self._joints) != len(joints):
            self._alive = [np.zeros(0, _BORN) for _ in self.emitters]
            self._joints, self._time, self._stood = joints, t, ()
        put_down = self._put_down(stance)
        records = []
        for i, emitter in enumerate(self.emitters):
            born = self._born(i, emitter, t, joints[i], stance, T)
            if i in put_down:
                k = np.arange(5) + 8 * put_down[i] + (1 << 40)
                born = give_birth(emitter, k, np.full(5, t), np.tile(joints[i], (5, 1, 1)), self.seed * 131 + i)
            alive = np.concatenate([self._alive[i], born])
            alive = alive[t - alive["born"] < alive["life"]][-MOST:]
            self._alive[i] = alive
            if len(alive):
                records.append(_seen(emitter, alive, t, plane, joints[i, :3, 3]))
        self._time, self._joints = t, joints
        return Particles(np.concatenate(records)[-MOST:] if records else np.zeros(0, Particles.LAYOUT))

    def _put_down(self, stance: Stance) -> dict[int, int]:
        """Feet that came down since the last picture, and with which step."""
        if stance.walk is None or stance.walking < 0.6:
            self._stood = ()
            return {}
        stood = tuple(math.floor(stance.walk.phase - foot.stand[0]) for foot in self.feet)
        before, self._stood = self._stood, stood
        return {i: now for i, (old, now) in enumerate(zip(before, stood, strict=False)) if now == old + 1}

    def _born(self, i: int, e: Emitter, t: float, joint: Array, stance: Stance, T: Array) -> Array:
        assert self._joints is not None
        first = max(self._time, t - _LONGEST_S)
        k = np.arange(math.floor(first * e.rate) + 1, math.floor(t * e.rate) + 1)
        at = k / e.rate
        if e.clips:
            name, moment, _ = next((layer for layer in reversed(stance.layers) if layer[2] > 0.5), stance.layers[0])
            then = moment - (t - at)
            if name not in e.clips:
                return np.zeros(0, _BORN)
            wanted = (then >= e.window[0]) & (then < e.window[1])
            k, at = k[wanted], at[wanted]
        shown = float(np.linalg.norm(joint[:3, 1]) / max(float(np.linalg.norm(T[:3, 1])), 1e-12))
        if not len(k) or shown < 0.2:  # a prop that has not appeared gives off nothing
            return np.zeros(0, _BORN)
        share = ((at - self._time) / max(t - self._time, 1e-9)).clip(0, 1)[:, None, None]
        return give_birth(e, k, at, self._joints[i] + (joint - self._joints[i]) * share, self.seed * 131 + i)


_BORN = np.dtype(
    [
        ("born", "f8"),
        ("life", "f8"),
        ("at", "f8", 3),
        ("go", "f8", 3),
        ("joint", "f8", 3),
        ("size", "f8"),
        ("scale", "f8"),
        ("chance", "f8", 6),
    ]
)


def give_birth(e: Emitter, k: Array, at: Array, joints: Array, seed: int) -> Array:
    """Particles number k (n,), born at times at (n,) with their joint at joints (n, 4, 4)."""
    u = chances(seed, k, 15)
    out = np.zeros(len(k), _BORN)
    scale = np.linalg.norm(joints[:, :3, 1], axis=1)
    place = e.at + e.area * (u[:, 0:3] - 0.5)
    out["born"], out["life"] = at, e.life[0] + (e.life[1] - e.life[0]) * u[:, 3]
    out["at"] = np.einsum("nij,nj->ni", joints[:, :3, :3], place) + joints[:, :3, 3]
    speed = float(np.linalg.norm(e.go))
    if speed > 0:
        way = e.go / speed
        side = np.cross(way, np.eye(3)[int(np.argmin(np.abs(way)))])
        side /= np.linalg.norm(side)
        angle, turn = e.spread * np.sqrt(u[:, 4]), 2 * np.pi * u[:, 5]
        aside = np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * np.cross(way, side)
        go = np.cos(angle)[:, None] * way + np.sin(angle)[:, None] * aside
        go *= speed * (0.7 + 0.6 * u[:, 6:7])
        out["go"] = np.einsum("nij,nj->ni", joints[:, :3, :3], go)
    out["size"] = scale * (e.size[0] + (e.size[1] - e.size[0]) * u[:, 7])
    out["joint"], out["scale"], out["chance"] = joints[:, :3, 3], scale, u[:, 8:14]
    return out


def _seen(e: Emitter, p: Array, t: float, plane: Plane, joint: Array) -> Array:
    """Records of Particles.LAYOUT of particles that are alive; none is under the table. joint (3,): where theirs is now."""
    out, age, up = np.zeros(len(p), Particles.LAYOUT), t - p["born"], np.asarray(plane.normal)
    s, u = age / p["life"], p["chance"]
    travel = (1 - np.exp(-e.drag * age)) / e.drag if e.drag > 1e-3 else age
    fall = (age - travel) / e.drag if e.drag > 1e-3 else 0.5 * age**2
    place = p["at"] + p["go"] * travel[:, None] - np.outer(e.gravity * p["scale"] * fall, up)
    if e.follow:
        place += e.follow * (joint - p["joint"])
    if e.swirl:
        a = 2 * np.pi * (u[:, 0] + (0.4 + 0.4 * u[:, 1]) * age)
        sway = e.swirl * p["size"] * np.minimum(3 * s, 1)
        level = np.cross(up, [0.36, 0.48, 0.8])
        place += np.outer(sway * np.cos(a), level) + np.outer(sway * np.sin(a), np.cross(up, level))
    radius = 0.5 * p["size"] * (1 + (e.grow - 1) * s) * np.minimum(1, 0.25 + age / 0.12)
    under = np.maximum(0.25 * radius - (place @ up - plane.distance), 0)
    out["particle"][:, :3], out["particle"][:, 3] = place + np.outer(under, up), radius
    colour = e.colours[np.minimum((u[:, 2] * len(e.colours)).astype(int), len(e.colours) - 1)]
    if len(e.fade):
        steps = np.concatenate([colour[:, None], np.broadcast_to(e.fade, (len(p), *e.fade.shape))], 1)
        x = s * len(e.fade)
        i = np.minimum(x.astype(int), len(e.fade) - 1)
        row = np.arange(len(p))
        colour = steps[row, i] + (steps[row, i + 1] - steps[row, i]) * (x - i)[:, None]
    shown = e.opacity * np.minimum(1, s / 0.1) * np.minimum(1, (1 - s) / 0.4)
    out["tint"][:, :3] = np.round(255 * np.clip(colour, 0, 1))
    out["tint"][:, 3] = np.round(255 * np.clip(shown, 0, 1))
    out["kind"][:, 0], out["kind"][:, 2] = round(255 * e.glow), e.shape
    if e.tumble:
        out["kind"][:, 3] = np.round(256 * (u[:, 3] + e.tumble * age * (u[:, 4] - 0.5) * 2)).astype(np.int64) % 256
        if SHAPES[e.shape] == "confetti":  # paper turns over and over
            out["kind"][:, 1] = np.round(230 * np.abs(np.sin(np.pi * (u[:, 5] + abs(e.tumble) * 1.3 * age))))
    elif SHAPES[e.shape] == "note":
        out["kind"][:, 3] = np.round(12 * np.sin(2 * np.pi * (u[:, 3] + 0.6 * age))).astype(np.int64) % 256
    return out[out["tint"][:, 3] > 1]


def chances(seed: int, k: Array, count: int) -> Array:
    """(n, count) numbers 0..1 that follow from a seed and k (n,) alone (splitmix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z: Array = np.repeat(np.asarray(k, np.int64).astype(np.uint64)[:, None], count, axis=1)
        z += np.uint64(seed % (1 << 62)) * np.uint64(0xD1342543DE82EF95)
        z = (z * np.uint64(64) + np.arange(count, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
            z = np.bitwise_xor(z, np.right_shift(z, np.uint64(shift))) * np.uint64(factor)
    return np.asarray(np.right_shift(z, np.uint64(11)).astype(np.float64) / float(1 << 53))
