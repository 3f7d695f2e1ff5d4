"""Feet that stay where they are put while a walk bends: the walk's clip is made for going straight ahead.

While a foot stands, it belongs where it is in the middle of its stand; while it swings, it goes over to the next such place.
The leg is turned at the hip by the little that is missing; what that leaves, a millimetre or two, the ankle gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .gaze import about, descendants
from .model import Model
from .paths import Path, Place

Array = NDArray[Any]
_SAMPLES = 64
_LOW = 0.02  # of the height: a foot that is no higher over its lowest stands


@dataclass(frozen=True)
class Foot:
    """leg and foot: nodes; stand: at which part of a cycle it is put down and for how much of it; middle (2,): where it then
    is, ahead and to the left of the body, m."""

    leg: int
    foot: int
    stand: tuple[float, float]
    middle: tuple[float, float]


def find_feet(model: Model, stride: float) -> tuple[Foot, ...]:
    """The feet of a model's walk; none when its joints are not called leg_L_1, foot_L and so on."""
    clip = model.clips.get("walk")
    if clip is None or clip.duration <= 0 or stride <= 0:
        return ()
    names = [(model.node(f"leg_{side}_1"), model.node(f"foot_{side}")) for side in "LR"]
    if any(node < 0 for pair in names for node in pair):
        return ()
    phases = np.arange(_SAMPLES) / _SAMPLES
    poses = [model.global_matrices(clip.sample(model.rest, p * clip.duration)) for p in phases]
    found = []
    for leg, foot in names:
        at = np.array([g[foot][:3, 3] for g in poses])
        low = at[:, 1] < at[:, 1].min() + _LOW * np.ptp(model.global_matrices(model.rest)[:, 1, 3])
        speed = (np.roll(at[:, 2], -1) - np.roll(at[:, 2], 1)) * _SAMPLES / 2
        start, length = _longest(
            low & (np.abs(speed + stride) < 0.25 * stride)
        )  # it goes back as fast as the body goes on
        if not 2 <= length < _SAMPLES:
            return ()
        middle = at[int(start + length // 2) % _SAMPLES]
        found.append(Foot(leg, foot, (start / _SAMPLES, length / _SAMPLES), (float(middle[2]), float(middle[0]))))
    return tuple(found)


@dataclass(frozen=True)
class Walk:
    """Where on its path a walk is: metres walked, the clip's phase there (cycles), and metres per cycle on this path."""

    path: Path
    walked: float
    phase: float
    stride: float


def plant(model: Model, nodes: Array, feet: tuple[Foot, ...], walk: Walk, stride: float, weight: float) -> Array:
    """Node matrices (n, 4, 4) with the feet where they belong. stride: what the clip was made for; weight: how much of the
    pose is the walk's, 0-1."""
    out = nodes.copy()
    for foot in feet:
        ahead, left = offset(foot, walk, stride)
        _shift(model, out, foot, weight * np.array([left, 0.0, ahead]))
    return out


def offset(foot: Foot, walk: Walk, stride: float) -> tuple[float, float]:
    """How far (ahead, left) of where the clip has it a foot belongs, in metres and in the body's frame."""
    start, length = foot.stand
    u = (walk.phase - start) % 1.0
    if u < length:
        return _standing(foot, walk, 0.0, length / 2 - u, stride)
    swing = (u - length) / (1 - length)
    s = swing * swing * (3 - 2 * swing)
    before = _standing(foot, walk, length - u, -length / 2, stride)
    after = _standing(foot, walk, 1 - u, length / 2, stride)
    return before[0] * (1 - s) + after[0] * s, before[1] * (1 - s) + after[1] * s


def _standing(foot: Foot, walk: Walk, later: float, to_middle: float, stride: float) -> tuple[float, float]:
    """The offset of a foot that stands, some cycles later on the walk and so many before the middle of its stand."""
    x, y, heading = _place(walk.path, walk.walked + later * walk.stride)
    u, v, then = _place(walk.path, walk.walked + (later + to_middle) * walk.stride)
    ahead, left = foot.middle
    dx = u + ahead * cos(then) - left * sin(then) - x
    dy = v + ahead * sin(then) + left * cos(then) - y
    return dx * cos(heading) + dy * sin(heading) - ahead - to_middle * stride, dy * cos(heading) - dx * sin(
        heading
    ) - left


def _place(path: Path, distance: float) -> Place:
    """The path, straight on beyond its ends."""
    x, y, heading = path.at(distance)
    beyond = min(distance, 0.0) + max(distance - path.length, 0.0)
    return x + beyond * cos(heading), y + beyond * sin(heading), heading


def _shift(model: Model, nodes: Array, foot: Foot, by: Array) -> None:
    """Turn a leg at the hip so that its foot moves by (3,) and keeps its attitude."""
    hip, ankle = nodes[foot.leg, :3, 3].copy(), nodes[foot.foot, :3, 3].copy()
    r = ankle - hip
    to = r + by
    axis = np.cross(r, to)
    sine = float(np.linalg.norm(axis))
    if sine < 1e-12:
        return
    angle = float(np.arctan2(sine, float(r @ to)))
    leg = about(hip, axis / sine, angle)
    moved = descendants(model, foot.leg)
    nodes[moved] = leg @ nodes[moved]
    sole = descendants(model, foot.foot)
    nodes[sole] = about(nodes[foot.foot, :3, 3], axis / sine, -angle) @ nodes[sole]
    nodes[sole, :3, 3] += hip + to - nodes[foot.foot, :3, 3]  # a leg that is turned is a little too short, or too long


def passing_phase(feet: tuple[Foot, ...]) -> float:
    """The phase at which the first foot stands right under the body and the other goes past it: where a walk can begin and end
    with hardly a move."""
    return (feet[0].stand[0] + feet[0].stand[1] / 2) % 1.0 if feet else 0.0


def _longest(low: Array) -> tuple[int, int]:
    """Start and length of the longest run of True in a circle."""
    if low.all() or not low.any():
        return 0, int(low.sum())
    first = int(np.flatnonzero(~low)[0])
    turned = np.roll(low, -first)
    edges = np.diff(np.concatenate([[0], turned.astype(int), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    best = int(np.argmax(ends - starts))
    return (int(starts[best]) + first) % len(low), int(ends[best] - starts[best])
