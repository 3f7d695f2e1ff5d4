"""What a machine can say about a character's file: is the body closed, do limbs grow out of it, do feet stand and not slide."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ar_character.mesh import euler_number, face_areas, is_closed, weld
from ar_render.animation import Clip
from ar_render.feet import find_feet
from ar_render.model import Model
from ar_render.proxy import skin_vertices

Array = NDArray[Any]

GROUND = 0.01
"""How far soles may be from the ground, in heights of the object: 1 mm at 10 cm."""
SLIDE = 0.02
"""How far a foot may slide per step, in the same measure."""
FLAT = 1e-9
"""A triangle of less area, in squared heights, has none."""
ROOTS = tuple(f"{limb}_{side}_1" for limb in ("arm", "leg") for side in "LR")


def check(model: Model) -> list[str]:
    """What is wrong with a character, one line each; its extras must tell object_height_m."""
    unit = float(model.extras["object_height_m"])
    return [
        *_body(model, unit),
        *(f"{name} is rooted outside of the body" for name in ROOTS if not _inside(model, name)),
        *_ground(model, unit),
        *_slide(model, unit),
    ]


def vertices(model: Model, clip: str = "", time: float = 0.0) -> list[Array]:
    """Per primitive (n, 3): metres, y up, in the rest pose or at a moment of a clip."""
    pose = model.clips[clip].sample(model.rest, time) if clip else model.rest
    skin = model.skin(model.global_matrices(pose))
    return [skin_vertices(p.positions, p.joints, p.weights, skin) for p in model.primitives]


def holes(model: Model) -> int:
    """How many holes go through the body."""
    body = model.primitives[0]
    return (2 - euler_number(weld(body.positions.astype(np.float64), body.triangles.astype(np.int64)))) // 2


def _body(model: Model, unit: float) -> list[str]:
    """Complaints about the surfaces: the first primitive is the body."""
    wrong = []
    for i, p in enumerate(model.primitives):
        what = ("body", "limbs", "eyes")[min(i, 2)]
        points = p.positions.astype(np.float64)
        faces = p.triangles.astype(np.int64)
        small = int((face_areas(points, faces) < FLAT * unit**2).sum())
        if small:
            wrong.append(f"{what}: {small} triangles without area")
        a, b, c = (points[faces[:, k]] for k in range(3))
        outward = p.normals[faces].sum(1)
        flipped = int((np.einsum("ij,ij->i", np.cross(b - a, c - a), outward) < 0).sum())
        if flipped:
            wrong.append(f"{what}: {flipped} triangles flipped")
    body = model.primitives[0]
    welded = weld(body.positions.astype(np.float64), body.triangles.astype(np.int64))
    if not is_closed(welded):
        wrong.append("body: not closed")
    elif euler_number(welded) > 2 or euler_number(welded) % 2:
        wrong.append(f"body: Euler number {euler_number(welded)}")
    return wrong


def _inside(model: Model, joint: str) -> bool:
    """Does the body wind around a joint (van Oosterom and Strackee 1983)?"""
    node = model.node(joint)
    if node < 0:
        return True
    at = model.global_matrices(model.rest)[node][:3, 3]
    body = model.primitives[0]
    a, b, c = (body.positions[body.triangles[:, k]].astype(np.float64) - at for k in range(3))
    la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
    volume = np.einsum("ij,ij->i", a, np.cross(b, c))
    sides = la * lb * lc + (a * b).sum(1) * lc + (b * c).sum(1) * la + (c * a).sum(1) * lb
    return bool(abs(2 * np.arctan2(volume, sides).sum() / (4 * np.pi)) > 0.5)


def _ground(model: Model, unit: float) -> list[str]:
    """Complaints about what is under the ground, or over it where it should stand."""
    wrong = []
    lowest = min(float(v[:, 1].min()) for v in vertices(model))
    if abs(lowest) > GROUND * unit:
        wrong.append(f"at rest its soles are {1000 * lowest:+.2f} mm from the ground")
    for name, clip in model.clips.items():
        low = [min(float(v[:, 1].min()) for v in vertices(model, name, t)) for t in _moments(clip, 12)]
        if min(low) < -GROUND * unit:
            wrong.append(f"{name}: {-1000 * min(low):.2f} mm under the ground")
        if name == "idle" and max(low) > GROUND * unit:
            wrong.append(f"{name}: {1000 * max(low):.2f} mm over the ground")
    return wrong


def _slide(model: Model, unit: float) -> list[str]:
    """Complaints about feet that do not stay where they are put while the body goes on."""
    walk = model.clips.get("walk")
    told = model.extras.get("clips", {}).get("walk", {}).get("stride_m", 0.0)
    if walk is None or not told:
        return []
    feet = find_feet(model, told)
    if not feet:
        return ["walk: no foot stands still"]
    worst = 0.0
    for foot in feet:
        start, length = foot.stand
        phases = start + np.linspace(0.0, length, 33)
        at = [
            model.global_matrices(walk.sample(model.rest, p % 1.0 * walk.duration))[foot.foot][:3, 3] + [0, 0, p * told]
            for p in phases
        ]
        worst = max(worst, float(np.ptp(np.array(at)[:, [0, 2]], axis=0).max()))
    return [f"walk: feet slide {1000 * worst:.2f} mm a step"] if worst > SLIDE * unit else []


def _moments(clip: Clip, count: int) -> Array:
    return np.linspace(0.0, clip.duration, count)
