"""Eyes that live (ball, iris, shine, lid as joints of their own), brows and a mouth, set onto the body's front."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ar_character.anchors import SIDES
from ar_character.mesh import Array, Part, bound_to, vertex_normals
from ar_character.rig import Rig
from ar_character.shapes import ball, cap, dome, loft
from ar_character.skeleton import Layout, Surface
from ar_character.texture import Atlas

UPPER_SPAN, LOWER_SPAN = np.radians(82), np.radians(64)  # from a lid's pole to its edge
UPPER_OPEN, LOWER_OPEN = np.radians(131), np.radians(-116)  # how high its pole stands over the line of sight
MEETING = np.radians(-26)  # where the edges meet when the eye is shut
LID_TRAVEL = float(
    UPPER_OPEN - UPPER_SPAN - MEETING + np.radians(7)
)  # rotation of joint lid_* about x from open to shut
LOWER_TRAVEL = float(LOWER_OPEN + LOWER_SPAN - MEETING)  # of joint lower_lid_*; negative: upward


def build_face(layout: Layout, rig: Rig, atlas: Atlas, surface: Surface) -> list[Part]:
    """Eyes, brows and mouth in rest pose: lids open, looking ahead."""
    parts: list[Part] = []
    for side, sign in SIDES:
        parts += _eye(layout.eye_radius, rig, atlas, side, sign)
        parts.append(_brow(layout.eye_radius, rig, atlas, side, sign))
    if layout.mouth_width > 0:
        parts.append(_mouth(layout, rig, atlas, surface))
    return parts


def _eye(r: float, rig: Rig, atlas: Atlas, side: str, sign: float) -> list[Part]:
    at = rig.at(f"eye_{side}")

    vertices, faces, unit = ball(np.full(3, r), 14, 8)
    shade = 0.55 * np.clip((unit[:, 1] - 0.1) / 0.9, 0, 1) + 0.6 * np.clip(0.25 - unit[:, 2], 0, 1)
    white = Part(vertices + at, unit, atlas.swatch_uv("eye", shade), faces, bound_to(f"eye_{side}", len(unit)), "eye")

    vertices, faces, disc = cap(1.012 * r, np.radians(42), 18, 2)
    u, v, ru, rv = atlas.iris
    uv = np.column_stack([u + disc[:, 0] * ru, v - disc[:, 1] * rv])
    iris = Part(vertices + at, vertices / (1.012 * r), uv, faces, bound_to(f"pupil_{side}", len(disc)), "eye")

    shines = []
    for x, y, angle in ((0.30, 0.34, 11.5), (-0.24, -0.26, 5.0)):  # a window above, its echo below: alike on both eyes
        vertices, faces, disc = cap(1.03 * r, np.radians(angle), 10, 1)
        vertices = vertices @ _toward(np.array([-x, y, 1.0])).T
        normals = vertices / (1.03 * r)
        uv = atlas.swatch_uv("shine", np.zeros(len(disc)))
        shines.append(Part(vertices + at, normals, uv, faces, bound_to(f"eye_{side}", len(disc)), "eye"))

    upper = _lid(1.02 * r, atlas, UPPER_SPAN, UPPER_OPEN, 0.10 * sign)
    lower = _lid(r, atlas, LOWER_SPAN, LOWER_OPEN, -0.12 * sign)
    return [
        white,
        iris,
        *shines,
        replace(upper.moved(at), influences=bound_to(f"lid_{side}", len(upper.vertices))),
        replace(lower.moved(at), influences=bound_to(f"lower_lid_{side}", len(lower.vertices))),
    ]


def _lid(r: float, atlas: Atlas, span: float, height: float, slant: float) -> Part:
    """A shell over an eye of radius r, its pole this high over the line of sight, with a dark edge like lashes."""
    vertices, faces, edge = dome(1.03 * r, 1.09 * r, span, 16, 4)
    vertices = vertices @ _toward(np.array([slant, np.sin(height), np.cos(height)])).T
    uv = atlas.swatch_uv("lid", 0.15 * edge + 0.85 * np.clip((edge - 0.86) / 0.12, 0, 1))
    return Part(vertices, vertex_normals(vertices, faces), uv, faces, material="limb")


def _brow(r: float, rig: Rig, atlas: Atlas, side: str, sign: float) -> Part:
    at = rig.at(f"brow_{side}")
    t = np.linspace(-1, 1, 7)
    path = at + r * np.column_stack([0.62 * t, 0.17 * (1 - t**2) + 0.05 * t * sign, -0.14 * t**2])
    radii = r * np.column_stack([np.interp(np.abs(t), [0, 0.7, 1], [0.125, 0.11, 0.04])] * 2)
    vertices, faces, _ = loft(path, radii, np.array([0.0, 1.0, 0.0]), 6)
    uv = atlas.swatch_uv("brow", np.zeros(len(vertices)))
    return Part(vertices, vertex_normals(vertices, faces), uv, faces, bound_to(f"brow_{side}", len(vertices)), "limb")


def _mouth(layout: Layout, rig: Rig, atlas: Atlas, surface: Surface) -> Part:
    """A smile that lies on the body, a crescent; scaling joint mouth in y opens it to a laugh."""
    half, centre, rows = 0.5 * layout.mouth_width, rig.at("mouth"), 4
    u, v = np.repeat(np.linspace(-1, 1, 13), rows), np.tile(np.linspace(1, -1, rows), 13)
    thick = 0.035 + 0.17 * np.sqrt(np.clip(1 - u**2, 0, 1))
    flat = centre[:2] + half * np.column_stack([u, 0.42 * (u**2 - 0.55) + thick * (v - 0.25)])
    z = surface.depth(layout.frame.raster(flat)) * layout.frame.scale + 0.05 * layout.mouth_width
    k = (np.arange(12)[:, None] * rows + np.arange(rows - 1)).reshape(-1)
    faces = np.concatenate(
        [np.column_stack([k, k + 1, k + rows + 1]), np.column_stack([k, k + rows + 1, k + rows])]
    ).astype(np.int64)
    vertices = np.column_stack([flat, z])
    cu, cv, ru, rv = atlas.mouth
    uv = np.column_stack([cu + u * ru, cv - v * rv])
    return Part(vertices, vertex_normals(vertices, faces), uv, faces, bound_to("mouth", len(vertices)), "limb")


def _toward(direction: Array) -> Array:
    """A rotation (3, 3) that takes +z to a direction (3,), without needless twist."""
    z = direction / np.linalg.norm(direction)
    x = np.cross([0.0, 1.0, 0.0] if abs(z[1]) < 0.95 else [0.0, 0.0, -np.sign(z[1])], z)
    x /= np.linalg.norm(x)
    return np.column_stack([x, np.cross(z, x), z])
