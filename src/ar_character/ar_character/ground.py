"""The ground is solid: how far something would sink into it at a moment, so that it can be held that much higher.

A few points of each part say it: those that stick out farthest to the sides and down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ar_character.gestures import Posed
from ar_character.mesh import Array, Ints, Part
from ar_character.motion import Higher, Tracks
from ar_character.rig import Rig

_TURN = np.linspace(0, 2 * np.pi, 16, endpoint=False)
_DOWN = np.radians([0, 20, 45, 70])  # of directions in which points are sought


@dataclass(frozen=True)
class Skinned:
    """Points (m, 3) at rest; per joint that moves some of them: their numbers (k,) and weights (k,); of (m,): see `_kind`."""

    points: Array
    joints: dict[str, tuple[Ints, Array]]
    of: Ints

    def sunk(self, tracks: Tracks, rig: Rig, count: int) -> Higher:
        """How far the body (with legs of its own) and hands are under the ground at each moment."""
        posed = Posed(tracks, rig, count)
        height = np.zeros((len(self.points), count))
        for joint, (own, weight) in self.joints.items():
            rows = posed.world(joint)[:, 1]
            arms = np.column_stack([self.points[own] - rig.at(joint), np.ones(len(own))]) * weight[:, None]
            height[own] += arms @ rows.T
        low = np.array([height[self.of == kind].min(0, initial=0.0) for kind in range(3)])
        return Higher(-low[0], -low[1:])


def outermost(parts: list[Part]) -> Skinned:
    """The points of parts that touch the ground first."""
    away = [
        np.column_stack([np.cos(d) * np.cos(_TURN), np.full(16, -np.sin(d)), np.cos(d) * np.sin(_TURN)]) for d in _DOWN
    ]
    directions = np.concatenate(away).T
    points: list[Array] = []
    of: list[int] = []
    joints: dict[str, list[tuple[int, float]]] = {}
    for part in parts:
        for i in np.unique((part.vertices @ directions).argmax(0)):
            weights = {joint: float(weight[i]) for joint, weight in part.influences.items() if weight[i] > 0}
            for joint, weight in weights.items():
                joints.setdefault(joint, []).append((len(points), weight))
            points.append(part.vertices[i])
            of.append(_kind(max(weights, key=lambda joint: weights[joint])))
    numbered = {joint: (np.array([k for k, _ in own]), np.array([w for _, w in own])) for joint, own in joints.items()}
    return Skinned(np.array(points), numbered, np.array(of))


def _kind(joint: str) -> int:
    """1, 2 left and right arm, 0 all else."""
    return 1 + "LR".index(joint.split("_")[1]) if joint.startswith(("arm_", "hand_")) else 0
