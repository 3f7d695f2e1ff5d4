"""Rounded shapes for props, with a colour per vertex; y is up. What is made of them goes into a `.glb`."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ar_character import shapes
from ar_character.mesh import Array, Ints, vertex_normals
from ar_character.theme_mesh import linear

DECIMALS = 5


@dataclass(frozen=True)
class Solid:
    """vertices, normals (n, 3); colours (n, 3) sRGB 0..1; faces (m, 3); rough: 0 glossy to 1; shines by itself?"""

    vertices: Array
    normals: Array
    colours: Array
    faces: Ints
    rough: float = 0.5
    shines: bool = False

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Solid:
        """The same elsewhere."""
        return Solid(
            self.vertices + np.array([x, y, z]), self.normals, self.colours, self.faces, self.rough, self.shines
        )

    def scaled(self, x: float, y: float, z: float) -> Solid:
        """The same, longer or shorter along the axes; an odd number of negative factors mirrors it."""
        by = np.array([x, y, z])
        normals = self.normals / by
        normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
        faces = self.faces[:, ::-1] if x * y * z < 0 else self.faces
        return Solid(self.vertices * by, normals, self.colours, faces, self.rough, self.shines)

    def turned(self, axis: str, degrees: float) -> Solid:
        """The same, turned about an axis."""
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        R = {"x": [[1, 0, 0], [0, c, -s], [0, s, c]], "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
             "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]]}[axis]  # fmt: skip
        turn = np.array(R).T
        return Solid(self.vertices @ turn, self.normals @ turn, self.colours, self.faces, self.rough, self.shines)

    def shaded(self, strength: float = 0.25) -> Solid:
        """Darker below, as soft light from above leaves it."""
        low, high = self.vertices[:, 1].min(), self.vertices[:, 1].max()
        share = (self.vertices[:, 1] - low) / max(high - low, 1e-9)
        dark = (1 - strength * (1 - share))[:, None]
        return Solid(self.vertices, self.normals, self.colours * dark, self.faces, self.rough, self.shines)


def rgb(text: str) -> Array:
    """(3,) sRGB of #rrggbb."""
    return np.array([int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def solid(vertices: Array, faces: Ints, colour: str | Array, rough: float = 0.5, shines: bool = False) -> Solid:
    """A smooth solid; colour: one, or one per vertex."""
    paint = rgb(colour) if isinstance(colour, str) else colour
    colours = np.broadcast_to(paint, (len(vertices), 3)).copy()
    return Solid(vertices, vertex_normals(vertices, faces), colours, faces, rough, shines)


def flat(s: Solid) -> Solid:
    """The same with edges: every face has vertices of its own."""
    vertices = s.vertices[s.faces].reshape(-1, 3)
    faces = np.arange(len(vertices)).reshape(-1, 3)
    colours = s.colours[s.faces].mean(1).repeat(3, 0)
    return Solid(vertices, vertex_normals(vertices, faces), colours, faces, s.rough, s.shines)


def lathe(profile: Sequence[tuple[float, float]], colour: str | Sequence[str], segments: int = 20, rough: float = 0.5,
          shines: bool = False) -> Solid:  # fmt: skip
    """A turned piece: profile (radius, y) from bottom to top; a colour, or one per point of the profile."""
    path = np.array([[0.0, y, 0.0] for _, y in profile])
    path[:, 1] += np.arange(len(path)) * 1e-7  # a step without height is still a step upward
    radii = np.maximum([r for r, _ in profile], 1e-4)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    ring = np.stack([np.cos(angle), np.zeros(segments), -np.sin(angle)], -1)
    vertices = (path[:, None] + radii[:, None, None] * ring).reshape(-1, 3)
    vertices = np.concatenate([vertices, path[:1], path[-1:]])
    faces = shapes._tube_faces(len(path), segments)
    colours: str | Array = colour if isinstance(colour, str) else np.array(
        [rgb(c) for c in colour for _ in range(segments)] + [rgb(colour[0]), rgb(colour[-1])]
    )  # fmt: skip
    return solid(vertices, faces, colours, rough, shines)


def ball(radii: tuple[float, float, float], colour: str, rough: float = 0.5, segments: int = 14, rings: int = 9,
         shines: bool = False) -> Solid:  # fmt: skip
    """An ellipsoid."""
    vertices, faces, _ = shapes.ball(np.array(radii), segments, rings)
    return solid(vertices, faces, colour, rough, shines)


def tube(path: Sequence[Sequence[float] | Array], radii: float | Sequence[float], colour: str | Sequence[str], segments: int = 8,
         rough: float = 0.5, shines: bool = False) -> Solid:  # fmt: skip
    """A round bar along a path with rounded ends; a radius and a colour, or one per point."""
    line = np.array(path, float)
    r = np.broadcast_to(np.asarray(radii, float), len(line)).copy()
    d0, d1 = (v / np.linalg.norm(v) for v in (line[0] - line[1], line[-1] - line[-2]))
    line = np.concatenate(
        [
            [line[0] + d0 * 0.6 * r[0], line[0] + d0 * 0.35 * r[0]],
            line,
            [line[-1] + d1 * 0.35 * r[-1], line[-1] + d1 * 0.6 * r[-1]],
        ]
    )
    r = np.concatenate([[0.4 * r[0], 0.85 * r[0]], r, [0.85 * r[-1], 0.4 * r[-1]]])
    along = line[-1] - line[0]
    side = np.eye(3)[int(np.argmin(np.abs(along)))]
    vertices, faces, ring = shapes.loft(line, r, side, segments)
    if isinstance(colour, str):
        return solid(vertices, faces, colour, rough, shines)
    table = np.array([rgb(colour[0])] * 2 + [rgb(c) for c in colour] + [rgb(colour[-1])] * 2)
    return solid(vertices, faces, table[ring.astype(int)], rough, shines)


def torus(radius: float, thick: float, colours: Sequence[str], segments: int = 36, around: int = 8, rough: float = 0.4,
          shines: bool = False) -> Solid:  # fmt: skip
    """A ring about y, its colours in turn."""
    a, b = (np.linspace(0, 2 * np.pi, n, endpoint=False) for n in (segments, around))
    A, B = np.meshgrid(a, b, indexing="ij")
    out = radius + thick * np.cos(B)
    vertices = np.stack([out * np.cos(A), thick * np.sin(B), -out * np.sin(A)], -1).reshape(-1, 3)
    i, j = (g.ravel() for g in np.meshgrid(np.arange(segments), np.arange(around), indexing="ij"))
    p, q = i * around + j, (i + 1) % segments * around + j
    p2, q2 = i * around + (j + 1) % around, (i + 1) % segments * around + (j + 1) % around
    faces = np.concatenate([np.column_stack([p, q, q2]), np.column_stack([p, q2, p2])])
    table = np.array([rgb(c) for c in colours])
    paint = table[(np.arange(segments) * len(colours) // segments).repeat(around)]
    return solid(vertices, faces, paint, rough, shines)


def slab(outline: Array, thick: float, bevel: float, front: str | Array, edge: str, rough: float = 0.4,
         shines: bool = False) -> Solid:  # fmt: skip
    """A plate in the xy plane with rounded edges, z from -thick/2 to thick/2; outline (n, 2) counter-clockwise, all of it
    seen from its middle; front: colour of the faces, one or a (n, 3) table from middle to edge.
    """
    n = len(outline)
    centre = outline.mean(0)
    step = np.roll(outline, -1, 0) - np.roll(outline, 1, 0)
    normal = np.column_stack([step[:, 1], -step[:, 0]]) / np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-9)
    turns = np.radians([0, 30, 60, 90])
    half = 0.5 * thick
    rings, paint = [], []
    edge_colour = rgb(edge)
    table = np.array([rgb(front)] * 2) if isinstance(front, str) else front
    inner = [0.0, 0.35, 0.7]  # faces are made of rings too, so that colours can run over them

    def face(sign: float) -> list[tuple[Array, float, Array]]:
        out = []
        rim = outline - normal * bevel
        for share in inner[1:]:
            colour = (
                table[0] + (table[-1] - table[0]) * share if len(table) == 2 else table[round(share * (len(table) - 1))]
            )
            out.append((centre + (rim - centre) * share, sign * half, colour))
        out.append((rim, sign * half, table[-1]))
        return out

    back, top = face(-1), face(1)
    for flat_ring, z, colour in back:
        rings.append(np.column_stack([flat_ring, np.full(n, z)]))
        paint.append(np.tile(colour, (n, 1)))
    for sign, sequence in ((-1, turns[::-1]), (1, turns)):
        for a in sequence:
            ring = outline - normal * bevel * (1 - np.cos(a))
            rings.append(np.column_stack([ring, np.full(n, sign * (half - bevel * (1 - np.sin(a))))]))
            paint.append(np.tile(edge_colour, (n, 1)))
    for flat_ring, z, colour in top[::-1]:
        rings.append(np.column_stack([flat_ring, np.full(n, z)]))
        paint.append(np.tile(colour, (n, 1)))
    vertices = np.concatenate([*rings, [[*centre, -half]], [[*centre, half]]])
    colours = np.concatenate([*paint, table[:1], table[:1]])
    return solid(vertices, shapes._tube_faces(len(rings), n), colours, rough, shines)


def write(path: Path, solids: Sequence[Solid]) -> None:
    """A `.glb` of solids: a primitive per kind of surface."""
    groups: dict[tuple[float, bool], list[Solid]] = {}
    for s in solids:
        groups.setdefault((s.rough, s.shines), []).append(s)
    blob, views, accessors, primitives, materials = bytearray(), [], [], [], []

    def add(values: Array, component: int, kind: str, **more: Any) -> int:
        data = values.tobytes()
        views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": len(data)})
        accessors.append(
            {"bufferView": len(views) - 1, "componentType": component, "count": len(values), "type": kind, **more}
        )
        blob.extend(data + b"\0" * (-len(data) % 4))
        return len(accessors) - 1

    for (rough, shines), group in groups.items():
        starts = np.cumsum([0] + [len(s.vertices) for s in group[:-1]])
        faces = np.concatenate([s.faces + k for s, k in zip(group, starts, strict=True)])
        points = np.round(np.concatenate([s.vertices for s in group]), DECIMALS).astype("<f4") + np.float32(0)
        normals = np.concatenate([s.normals for s in group])
        colours = linear(np.clip(np.concatenate([s.colours for s in group]), 0, 1))
        bounds = {"min": [float(v) for v in points.min(0)], "max": [float(v) for v in points.max(0)]}
        levels = np.column_stack([np.round(colours * 65535), np.full(len(colours), 65535)]).astype("<u2")
        extension: dict[str, Any] = {"extensions": {"KHR_materials_unlit": {}}} if shines else {}
        materials.append({"pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": rough}, **extension})
        primitives.append(
            {
                "attributes": {
                    "POSITION": add(points, 5126, "VEC3", **bounds),
                    "NORMAL": add(np.round(normals, 4).astype("<f4"), 5126, "VEC3"),
                    "COLOR_0": add(levels, 5123, "VEC4", normalized=True),
                },
                "indices": add(faces.astype("<u2").ravel(), 5123, "SCALAR"),
                "material": len(materials) - 1,
            }
        )
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "tsukumo workshop"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": path.stem, "mesh": 0}],
        "meshes": [{"primitives": primitives}],
        "materials": materials,
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(blob)}],
    }
    if any(s.shines for s in solids):
        document["extensionsUsed"] = ["KHR_materials_unlit"]
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    header = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(blob))
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(blob), b"BIN\0") + bytes(blob)
    path.write_bytes(header + chunks)
