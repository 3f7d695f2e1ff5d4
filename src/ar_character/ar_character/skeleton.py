"""Where a body's spine runs, where its limbs are rooted, where its face goes: decided from its shape.

The torso is what is left of the shape after opening it with a disc: handles, stalks, tails and arms go, so limbs never
start in them. Eyes sit on the upper third of the torso where there is room; legs under the base, arms at the torso's
sides below the face.

Character frame: metres, y up, z toward the viewer, the origin on the ground between the feet. The character's left is
+x, the right of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ar_character.anchors import EYE_DISTANCE, EYE_MOST, SIDES, mouth_width, place_eyes, place_legs, place_shoulders
from ar_character.head import find_head
from ar_character.inflate import Shell
from ar_character.mesh import Array
from ar_character.opening import top_side
from ar_character.outline import FloatImage, Outline
from ar_character.own_face import find_eyes
from ar_character.own_limbs import OwnLimb, find_arms, find_legs
from ar_character.torso import find_neck, opened

LIKELY, CERTAIN = 2.5, 4.0  # score of eyes that are eyes whatever the shape says of an opening, and of a head


@dataclass(frozen=True)
class Frame:
    """Takes raster px to the character frame: x = (u - u0) scale, y = (v0 - v) scale + lift."""

    scale: float  # metres per px
    u0: float
    v0: float
    lift: float  # metres from the ground to the object's lowest point

    def point(self, u: float, v: float, z: float = 0.0) -> Array:
        """(3,) of raster position (u, v) at depth z px."""
        return np.array([(u - self.u0) * self.scale, (self.v0 - v) * self.scale + self.lift, z * self.scale])

    def points(self, raster: Array) -> Array:
        """(n, 3) of (n, 3) raster x, y (down), z."""
        origin = [-self.u0 * self.scale, self.v0 * self.scale + self.lift, 0]
        return np.asarray(raster * [1, -1, 1] * self.scale + origin)

    def raster(self, points: Array) -> Array:
        """(n, 2) raster positions of points (n, 2 or 3)."""
        return np.column_stack([points[:, 0] / self.scale + self.u0, self.v0 - (points[:, 1] - self.lift) / self.scale])


@dataclass(frozen=True)
class Layout:
    """The plan of a character, in the character frame, metres.

    size: what limbs are measured by; object_height, lift; spine (4, 3): hips, spine1, spine2, head; eyes (2, 3) L, R,
    their centres, and eye_radius; mouth (3,) and its width, 0 where there is no room; shoulders, leg_roots (2, 3) L, R,
    inside the body; ankles (2, 3); flexibility 0..1: how far a body of this shape bends before it looks broken; arm_room:
    height of the shoulders over the ground, in lengths that arms hang down; base: half the width of what it stands on.
    leg: what steps are measured by; own_legs, own_arms: limbs that the object has, in raster px; elbows, wrists (2, 3) of own
    arms.
    """

    frame: Frame
    size: float
    object_height: float
    spine: Array
    eyes: Array
    eye_radius: float
    mouth: Array
    mouth_width: float
    shoulders: Array
    arm_length: float
    arm_radius: float
    leg_roots: Array
    ankles: Array
    leg_radius: float
    flexibility: float
    arm_room: float
    base: float
    leg: float
    own_legs: tuple[OwnLimb, ...]
    own_arms: tuple[OwnLimb, ...]
    elbows: Array
    wrists: Array

    @property
    def lift(self) -> float:
        """How high the legs carry the object."""
        return self.frame.lift


class Surface:
    """Depth of a body's front at raster positions."""

    def __init__(self, shell: Shell) -> None:
        front = shell.vertices[~shell.back]
        self._tree = cKDTree(front[:, :2])
        self._z = front[:, 2]

    def depth(self, raster: Array) -> Array:
        """(n,) px toward the viewer at raster points (n, 2), from the nearest vertices."""
        distance, index = self._tree.query(np.asarray(raster, float).reshape(-1, 2), k=4)
        weight = 1 / np.maximum(distance, 0.05) ** 2
        return np.asarray((self._z[index] * weight).sum(1) / weight.sum(1))


def plan(
    outline: Outline, shell: Shell, object_height: float, top_share: float = 0.0, grey: FloatImage | None = None
) -> Layout:
    """The layout of a character whose object is object_height metres high; the upper part of it may be its top side.

    grey (h, w) float32 0..255: the object on the outline's raster; eyes that it shows are where the living ones go.
    """
    room = outline.field
    top, bottom = float(shell.vertices[:, 1].min()), float(shell.vertices[:, 1].max())
    height = bottom - top
    size = float((room > 0).sum()) ** 0.35 * height**0.3  # between the side of the equal square and the height
    arm_r, leg_r = min(0.056 * size, 0.62 * float(room.max())), min(0.070 * size, 0.7 * float(room.max()))
    torso, upright = opened(room, 0.48), opened(room, 0.30)

    own_legs = find_legs(room)
    own_arms = find_arms(room, own_legs, top + 0.18 * height, size)
    figure = len(own_legs) == 2 or bool(own_arms)
    head_part = find_head(room, figure)
    seen = find_eyes(grey, room, size, top_share) if grey is not None else None
    if seen is not None and head_part is not None and head_part.beyond(seen.u, seen.v) and seen.score < CERTAIN:
        seen = None
    if grey is not None and top_share == 0 and (seen is None or seen.score < LIKELY):
        top_share = top_side(torso, grey)
        seen = seen if seen is not None and seen.v > top + top_share * height else None
    neck = find_neck(upright, 0.92 if figure else 0.84)
    if head_part is None:
        eye_u, eye_v, eye_r = place_eyes(upright, room, size, neck, top_share)
    else:
        eye_u, eye_v, neck = head_part.u, head_part.v, head_part.v + head_part.radius
        eye_r = float(np.clip(0.46 * head_part.radius, 0, EYE_MOST * size))
    half, mouth_v = EYE_DISTANCE * eye_r, eye_v + 1.95 * eye_r
    if seen is not None:
        eye_u, eye_v, mouth_v = seen.u, seen.v, seen.mouth
        eye_r = float(
            np.clip(0.5 * seen.distance / EYE_DISTANCE, (0.07 if head_part is None else 0.045) * size, 0.15 * size)
        )
        half = max(EYE_DISTANCE * eye_r, 0.5 * seen.distance)
        neck = neck if neck is not None and neck > eye_v else None
    below_face = eye_v + (2.1 if seen is None else 1.3) * eye_r  # cheeks are no place for arms where we put the face
    below_face = below_face if neck is None else max(below_face, neck + 0.05 * height)
    sides = torso if torso.spans(eye_u, below_face) else upright
    if not sides.spans(eye_u, below_face):
        sides = opened(room, 0.0)
    shoulders = place_shoulders(sides, room, below_face, arm_r)
    legs, base = place_legs(room, bottom, size, leg_r)

    scale = object_height / height
    lift = float(np.clip(0.34 * size, 0.22 * height, 0.36 * height))
    leg, spare = lift, 0.8 * lift
    if own_legs:
        legs, own_ankles = _own_legs(own_legs, room)
        stout = float(np.mean([limb.width / limb.length for limb in own_legs]))  # pillars take small steps
        leg = float(np.clip((own_ankles - legs)[:, 1].mean(), 0.12 * height, 0.3 * height))
        leg *= float(np.clip(1.15 - stout, 0.3, 1.0))
        lift, spare = 0.0, -0.35 * leg
    frame = Frame(scale, float(legs[:, 0].mean()), bottom, lift * scale)
    surface = Surface(shell)
    z_eye = surface.depth(np.array([[eye_u - half, eye_v], [eye_u + half, eye_v]])).min() - 0.34 * eye_r
    z_shoulder = 0.35 * surface.depth(shoulders)
    arm_length = 0.44 * size
    head = (eye_u, min(eye_v + 1.6 * eye_r, bottom - 0.3 * height))
    roots = np.array([frame.point(u, v) for u, v in legs])
    ankles = _ankles(roots, size * scale)
    if own_legs:
        ankles = np.array([frame.point(u, v) for u, v in own_ankles])
    elbows = wrists = np.zeros((2, 3))
    if own_arms:
        shoulders, bent, ends = (np.array([arm.line[k] for arm in own_arms]) for k in range(3))
        z_shoulder = np.zeros(2)
        elbows, wrists = (np.array([frame.point(u, v) for u, v in points]) for points in (bent, ends))
    return Layout(
        frame=frame,
        size=size * scale,
        object_height=object_height,
        spine=_spine(frame, float(np.clip(legs[:, 0].mean(), *torso.at(bottom))), bottom, *head),
        eyes=np.array([frame.point(eye_u + s * half, eye_v, float(z_eye)) for _, s in SIDES]),
        eye_radius=eye_r * scale,
        mouth=frame.point(eye_u, mouth_v),
        mouth_width=mouth_width(room, eye_u, mouth_v, eye_r) * scale,
        shoulders=np.array([frame.point(u, v, float(z)) for (u, v), z in zip(shoulders, z_shoulder, strict=True)]),
        arm_length=arm_length * scale,
        arm_radius=arm_r * scale,
        leg_roots=roots,
        ankles=ankles,
        leg_radius=leg_r * scale,
        flexibility=float(np.clip(1.15 * height / np.ptp(shell.vertices[:, 0]), 0.35, 1.0)),
        arm_room=float((bottom - shoulders[:, 1].max() + spare) / (0.66 * arm_length + 3.8 * arm_r)),
        base=base * scale,
        leg=leg * scale,
        own_legs=own_legs,
        own_arms=own_arms,
        elbows=elbows,
        wrists=wrists,
    )


def _own_legs(own: tuple[OwnLimb, ...], room: FloatImage) -> tuple[Array, Array]:
    """Roots and ankles (2, 2) L, R, px: in the middle of the legs of a side."""
    roots, ankles = [], []
    for side in (0, 1):
        lines = np.array([limb.line for limb in own if limb.side == side])
        u, v = lines[:, 0].mean(0)
        if room[round(float(v)), round(float(u))] < 1:
            u, v = lines[0, 0]
        roots.append((u, v))
        ankles.append(lines[:, 2].mean(0))
    return np.array(roots), np.array(ankles)


def _spine(frame: Frame, base_u: float, base_v: float, head_u: float, head_v: float) -> Array:
    """(4, 3) hips, spine1, spine2, head, straight from the middle of the base to the neck."""
    along = np.array([0.0, 0.10, 0.52, 1.0])
    return np.array([frame.point(base_u + t * (head_u - base_u), base_v + t * (head_v - base_v)) for t in along])


def _ankles(roots: Array, size: float) -> Array:
    """(2, 3) below the roots, but so far apart that shoes do not stand in each other."""
    ankles = np.column_stack([roots[:, 0], np.full(2, 0.088 * size), np.zeros(2)])
    ankles[:, 0] += max(0.0, 0.105 * size - ankles[0, 0]) * np.array([1.0, -1.0])
    return ankles
