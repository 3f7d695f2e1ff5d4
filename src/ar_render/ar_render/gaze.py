"""Eyes and head that follow a point: joints turned at run time, on top of whatever the clip does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model import Model

Array = NDArray[Any]
_HEAD_SHARE, _HEAD_MOST, _EYE_MOST = 0.45, 0.4, 0.5  # of the way; radians


def look(model: Model, nodes: Array, target: Array, attention: float) -> Array:
    """Node matrices (n, 4, 4) with head and eyes turned to a point (3,) in the character's frame (y up, looks along +z).

    The file's extras ``live`` may name the joints: ``head``, and ``gaze`` for a list of eyes or pupils.
    """
    if attention <= 0:
        return nodes
    out = nodes.copy()
    live = model.extras.get("live")
    live = live if isinstance(live, dict) else {}
    head = model.node(str(live.get("head", "head")))
    if head >= 0:
        turn(model, out, head, target, _HEAD_SHARE * attention, _HEAD_MOST)
    for name in live.get("gaze", ("eye_L", "eye_R")):
        eye = model.node(str(name))
        if eye >= 0:
            turn(model, out, eye, target, attention, _EYE_MOST)
    return out


def turn(model: Model, nodes: Array, joint: int, target: Array, share: float, most: float) -> None:
    """Turn a joint and all that hangs on it, in place: a share of the way to the target, at most so many radians."""
    origin = nodes[joint, :3, 3].copy()
    now = nodes[joint, :3, 2] / max(float(np.linalg.norm(nodes[joint, :3, 2])), 1e-12)
    wanted = target - origin
    distance = float(np.linalg.norm(wanted))
    if distance < 1e-9:
        return
    wanted = wanted / distance
    axis = np.cross(now, wanted)
    sine = float(np.linalg.norm(axis))
    if sine < 1e-9:
        return
    angle = share * np.arctan2(sine, float(now @ wanted))
    angle = most * np.tanh(angle / most)  # slows down towards its end, never snaps
    M = about(origin, axis / sine, float(angle))
    moved = descendants(model, joint)
    nodes[moved] = M @ nodes[moved]


def descendants(model: Model, node: int) -> Array:
    """The node and all below it."""
    below = np.zeros(len(model.names), bool)
    below[node] = True
    for level in model.levels[1:]:
        below[level] |= below[model.parents[level]]
    return np.flatnonzero(below)


def about(centre: Array, axis: Array, angle: float) -> Array:
    """(4, 4): a turn by an angle about a unit axis (3,) through a point (3,)."""
    x, y, z = axis
    K = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    out = np.eye(4)
    out[:3, :3] += np.sin(angle) * K + (1 - np.cos(angle)) * K @ K
    out[:3, 3] = centre - out[:3, :3] @ centre
    return out
