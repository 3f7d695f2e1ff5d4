"""Arms with mitten hands, legs with socks and shoes, built along the rig."""

from __future__ import annotations

import numpy as np

from ar_character.anchors import SIDES
from ar_character.mesh import Array, Ints, Part, bound_to, vertex_normals
from ar_character.rig import Rig
from ar_character.shapes import ball, loft
from ar_character.skeleton import Layout
from ar_character.texture import Atlas

FRONTAL = np.array([0.0, 0.0, 1.0])


def build_limbs(layout: Layout, rig: Rig, atlas: Atlas) -> list[Part]:
    """All limbs that the object lacks in rest pose, bound to their joints."""
    parts: list[Part] = []
    for side, sign in SIDES:
        if not layout.own_arms:
            parts += _arm(layout, rig, atlas, side)
            parts += _hand(layout, rig, atlas, side, sign)
        if not layout.own_legs:
            parts += _leg(layout, rig, atlas, side)
            parts += _shoe(layout, rig, atlas, side, sign)
    return parts


def _arm(layout: Layout, rig: Rig, atlas: Atlas, side: str) -> list[Part]:
    joints = [f"arm_{side}_1", f"arm_{side}_2", f"hand_{side}"]
    a, b, c = (rig.at(j) for j in joints)
    r = layout.arm_radius
    inward = a + (a - b) / np.linalg.norm(a - b) * 0.9 * r
    t = np.array([0.0, 0.05, 0.16, 0.3, 0.42, 0.5, 0.58, 0.7, 0.85, 1.0])
    path = _bent(inward, b, c, t)
    radii = r * np.array([0.3, 1.0, 1.16, 1.0, 0.9, 0.9, 0.92, 0.86, 0.78, 0.76])
    vertices, faces, ring = loft(path, radii, FRONTAL, 8)
    along = np.interp(ring, np.arange(len(t)), t)
    lower = _smooth((along - 0.36) / 0.28)
    shade = 0.55 * np.clip(1 - along / 0.25, 0, 1)
    return [_part(atlas, "limb", vertices, faces, {joints[0]: 1 - lower, joints[1]: lower}, shade)]


def _hand(layout: Layout, rig: Rig, atlas: Atlas, side: str, sign: float) -> list[Part]:
    elbow, wrist = rig.at(f"arm_{side}_2"), rig.at(f"hand_{side}")
    r, joint = layout.arm_radius, f"hand_{side}"
    d = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    across = np.cross(FRONTAL, d)  # in the frontal plane, so that the broad side of the hand is seen
    across /= np.linalg.norm(across)
    along = r * np.array([-0.62, -0.60, -0.30, 0.02, 0.12, 0.55, 1.25, 2.05, 2.75, 3.2, 3.38])
    wide = r * np.array([0.9, 1.25, 1.42, 1.30, 0.98, 1.22, 1.66, 1.74, 1.42, 0.84, 0.25])
    thick = r * np.array([0.9, 1.25, 1.42, 1.30, 0.98, 1.02, 1.18, 1.16, 0.98, 0.6, 0.18])
    curl = 0.05 * r * np.maximum(along / r, 0) ** 2
    path = wrist + d * along[:, None] + FRONTAL * curl[:, None]
    vertices, faces, ring = loft(path, np.column_stack([wide, thick]), across, 10)
    mitten = _part(atlas, "glove", vertices, faces, bound_to(joint, len(vertices)), 0.5 * (np.abs(ring - 3.7) < 0.5))
    inside = across if across[0] * sign < 0 else -across  # the thumb is on the body's side while the arm hangs
    base = wrist + d * 0.7 * r + (0.85 * inside + 0.35 * FRONTAL) * r
    tip = base + (0.42 * d + 0.80 * inside + 0.48 * FRONTAL) * 1.95 * r
    middle = 0.5 * (base + tip) + 0.16 * r * inside
    path = _bent(base, middle, tip, np.array([0.0, 0.2, 0.5, 0.75, 0.92, 1.0]))
    vertices, faces, _ = loft(path, r * np.array([0.5, 0.66, 0.66, 0.6, 0.42, 0.14]), np.cross(d, FRONTAL), 7)
    return [mitten, _part(atlas, "glove", vertices, faces, bound_to(joint, len(vertices)), np.zeros(len(vertices)))]


def _leg(layout: Layout, rig: Rig, atlas: Atlas, side: str) -> list[Part]:
    joints = [f"leg_{side}_1", f"leg_{side}_2", f"foot_{side}"]
    a, b, c = (rig.at(j) for j in joints)
    r = layout.leg_radius
    top = a + (a - b) / np.linalg.norm(a - b) * 0.6 * r
    t = np.array([0.0, 0.04, 0.15, 0.32, 0.44, 0.5, 0.56, 0.68, 0.84, 1.0])
    path = _bent(top, b, c, t)
    radii = r * np.array([0.3, 1.0, 1.18, 1.06, 0.96, 0.95, 0.96, 0.92, 0.82, 0.8])
    vertices, faces, ring = loft(path, radii, FRONTAL, 8)
    along = np.interp(ring, np.arange(len(t)), t)
    lower = _smooth((along - 0.36) / 0.28)
    hidden = np.linalg.norm(a - c)
    out_at = 1 - (layout.lift - c[1]) / hidden  # where the leg comes out of the body
    shade = 0.6 * np.clip(1 - (along - out_at) / 0.22, 0, 1)
    leg = _part(atlas, "limb", vertices, faces, {joints[0]: 1 - lower, joints[1]: lower}, shade)

    down = (c - b) / np.linalg.norm(c - b)
    along = r * np.array([-1.15, -1.1, -0.85, -0.55, -0.4, 0.1, 0.5])
    radii = r * np.array([0.85, 1.12, 1.24, 1.14, 1.0, 1.0, 0.9])
    vertices, faces, ring = loft(c + down * along[:, None], radii, FRONTAL, 9)
    sock = _part(atlas, "glove", vertices, faces, bound_to(joints[1], len(vertices)), 0.45 * (ring > 3.5))
    return [leg, sock]


def _shoe(layout: Layout, rig: Rig, atlas: Atlas, side: str, sign: float) -> list[Part]:
    """A round shoe: upper and sole; the sole's underside lies on y = 0."""
    ankle, s, joint = rig.at(f"foot_{side}"), layout.size, f"foot_{side}"
    long, wide, forward, sole_high = 0.138 * s, 0.086 * s, 0.055 * s, 0.032 * s
    _, faces, unit = ball(np.ones(3), 12, 8)
    x, y, z = unit.T
    toe = 1 + 0.16 * z
    top = (0.105 - 0.030 * z - 0.012 * z**2) * s - 0.6 * sole_high
    high = 0.6 * sole_high + np.where(y > 0, top * np.abs(y) ** 0.85, 0.5 * sole_high * y)
    upper = np.column_stack([wide * x * toe, high, forward + long * z])
    _, sole_faces, unit = ball(np.ones(3), 14, 5)
    x, y, z = unit.T
    toe = 1 + 0.16 * z
    level = sole_high * (0.5 + 0.5 * np.sign(y) * np.minimum(1, np.abs(y) * 1.35) ** 0.5)
    ease = 0.93 + 0.15 * np.sqrt(np.clip(1 - y**2, 0, 1)) ** 0.5
    sole = np.column_stack([wide * x * toe * ease, level, forward + long * z * ease])
    sole[:, 1] -= sole[:, 1].min()
    turn = 0.22 * sign
    R = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    ground = np.array([ankle[0], 0.0, ankle[2]])
    upper, sole = upper @ R.T + ground, sole @ R.T + ground
    return [
        _part(
            atlas, "shoe", upper, faces, bound_to(joint, len(upper)), 0.45 * np.clip(1 - upper[:, 1] / (0.08 * s), 0, 1)
        ),
        _part(atlas, "sole", sole, sole_faces, bound_to(joint, len(sole)), 0.5 * (sole[:, 1] < 0.3 * sole_high)),
    ]


def _part(atlas: Atlas, swatch: str, vertices: Array, faces: Ints, influences: dict[str, Array], shade: Array) -> Part:
    normals = vertex_normals(vertices, faces)
    under = 0.25 * np.clip(-normals[:, 1], 0, 1)  # a little occlusion from below, as clay has
    return Part(vertices, normals, atlas.swatch_uv(swatch, shade + under), faces, influences, "limb")


def _bent(a: Array, b: Array, c: Array, t: Array) -> Array:
    """Points (n, 3) at t (n,) of a smooth curve that leaves a, passes b at 0.5 and reaches c."""
    control = 2 * b - 0.5 * (a + c)
    u = t[:, None]
    return (1 - u) ** 2 * a + 2 * u * (1 - u) * control + u**2 * c


def _smooth(x: Array) -> Array:
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x))
