"""Meshes of props: `.glb` as Blender exports it, with the colours of materials and vertices, and `.obj` (`v x y z r g b`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ar_character.gltf import read_accessor, read_glb
from ar_character.mesh import Array, Ints, vertex_normals

LARGEST = 4_000_000  # bytes of a mesh's file
MOST = 8000  # triangles of a prop: a character has about as many
_DAMAGE = (KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True)
class Surface:
    """How a prop's material looks: rough 1, glossy 0; unlit: it shines by itself."""

    roughness: float = 0.6
    unlit: bool = False
    double_sided: bool = False


@dataclass(frozen=True)
class Piece:
    """vertices, normals (n, 3), y up; colours (n, 3) linear 0..1; faces (m, 3), counter-clockwise from outside."""

    vertices: Array
    normals: Array
    colours: Array
    faces: Ints
    surface: Surface


@dataclass(frozen=True, eq=False)
class PropMesh:
    """The pieces of a prop, one per surface."""

    pieces: tuple[Piece, ...]

    @property
    def vertices(self) -> Array:
        """(n, 3) of all pieces."""
        return np.concatenate([piece.vertices for piece in self.pieces])

    @property
    def longest(self) -> float:
        """Its longest side."""
        return float(np.ptp(self.vertices, axis=0).max())


def read_mesh(path: Path) -> PropMesh:
    """A prop's mesh; ValueError, in words, for what cannot be used."""
    readers = {".glb": _from_glb, ".obj": _from_obj}
    if path.suffix.lower() not in readers:
        raise ValueError(f"{path.name}: a mesh is a .glb or an .obj")
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{path.name}: {path.stat().st_size} bytes; at most {LARGEST} make sense for a prop")
        if not path.is_file():
            raise ValueError(f"{path.name}: is no file")
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path.name}: cannot be read ({error.strerror or error})") from error
    try:
        pieces = readers[path.suffix.lower()](data)
    except (*_DAMAGE, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path.name}: damaged ({type(error).__name__}: {error})") from error
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
    mesh = PropMesh(tuple(_sound(piece, path.name) for piece in pieces if len(piece.faces)))
    triangles = sum(len(piece.faces) for piece in mesh.pieces)
    if not triangles or mesh.longest < 1e-9:
        raise ValueError(f"{path.name}: has no triangles")
    if triangles > MOST:
        raise ValueError(f"{path.name}: {triangles} triangles; a prop may have {MOST}")
    return mesh


def _sound(piece: Piece, name: str) -> Piece:
    """The same piece without triangles that have no area; ValueError for what is no number or points nowhere."""
    if piece.faces.min() < 0 or piece.faces.max() >= len(piece.vertices):
        raise ValueError(f"{name}: a triangle names a vertex that does not exist")
    if not (
        np.isfinite(piece.vertices).all() and np.isfinite(piece.colours).all() and np.isfinite(piece.normals).all()
    ):
        raise ValueError(f"{name}: has values that are no numbers")
    a, b, c = (piece.vertices[piece.faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    size = max(float(np.ptp(piece.vertices, axis=0).max()), 1e-30)
    faces = piece.faces[area > 1e-8 * size**2]
    length = np.linalg.norm(piece.normals, axis=1, keepdims=True)
    normals = np.where(length > 1e-6, piece.normals / np.maximum(length, 1e-6), [0.0, 1.0, 0.0])
    return Piece(piece.vertices, normals, np.clip(piece.colours, 0, 1), faces, piece.surface)


def _from_obj(data: bytes) -> list[Piece]:
    vertices: list[list[float]] = []
    faces: list[list[int]] = []
    for number, line in enumerate(data.decode().splitlines(), 1):
        words = line.split()
        try:
            if words[:1] == ["v"]:
                values = [float(w) for w in words[1:]]
                vertices.append((values[:3] + values[3:6] + [0.8] * 3)[:6])
                if len(values) not in (3, 4, 6):
                    raise ValueError
            elif words[:1] == ["f"]:
                corner = [int(w.split("/")[0]) for w in words[1:]]
                corner = [c - 1 if c > 0 else len(vertices) + c for c in corner]
                faces += [[corner[0], corner[k], corner[k + 1]] for k in range(1, len(corner) - 1)]
        except (ValueError, IndexError) as error:
            raise ValueError(f"line {number} '{line[:40]}' is no vertex or face") from error
    if not faces:
        return []
    table, triangles = np.array(vertices, float).reshape(-1, 6), np.array(faces, np.int64)
    if triangles.min() < 0 or triangles.max() >= len(table):
        raise ValueError("a triangle names a vertex that does not exist")
    points = table[:, :3]
    return [Piece(points, vertex_normals(points, triangles), linear(table[:, 3:]), triangles, Surface())]


def _from_glb(data: bytes) -> list[Piece]:
    document, blob = read_glb(data)
    joined: dict[Surface, list[Piece]] = {}
    scene = document.get("scenes", [{}])[document.get("scene", 0)]
    seen: set[int] = set()
    triangles = 0
    for node in scene.get("nodes", []):
        for piece in _pieces(document, blob, node, np.eye(4), seen):
            triangles += len(piece.faces)
            if triangles > 4 * MOST:  # flat ones, which do not count, among them
                raise ValueError(f"{triangles} and more triangles; a prop may have {MOST}")
            joined.setdefault(piece.surface, []).append(piece)
    return [_join(group) for group in joined.values()]


def _pieces(document: dict[str, Any], blob: bytes, number: int, parent: Array, seen: set[int]) -> Iterator[Piece]:
    """Those of a node and of all below it; a node that is met again would be read again and again."""
    if number in seen:
        raise ValueError(f"node {number} has more than one parent")
    seen.add(number)
    node = document["nodes"][number]
    matrix = parent @ _local(node)
    if "mesh" in node:
        turn = np.linalg.inv(matrix[:3, :3]).T
        for primitive in document["meshes"][node["mesh"]]["primitives"]:
            if primitive.get("mode", 4) != 4 or primitive.get("extensions"):
                raise ValueError("only plain triangles can be read; export without compression")
            read = {key: read_accessor(document, blob, at) for key, at in primitive["attributes"].items()}
            points = read["POSITION"].astype(float) @ matrix[:3, :3].T + matrix[:3, 3]
            index = (
                read_accessor(document, blob, primitive["indices"])
                if "indices" in primitive
                else np.arange(len(points))
            )
            faces = np.asarray(index, np.int64).ravel()[: index.size // 3 * 3].reshape(-1, 3)
            if len(faces) and faces.max() >= len(points):
                raise ValueError("a triangle names a vertex that does not exist")
            normals = read["NORMAL"].astype(float) @ turn.T if "NORMAL" in read else vertex_normals(points, faces)
            surface, colour = _material(document, primitive.get("material"))
            painted = read["COLOR_0"][:, :3].astype(float) if "COLOR_0" in read else np.ones((len(points), 3))
            yield Piece(points, normals, painted * colour, faces, surface)
    for child in node.get("children", []):
        yield from _pieces(document, blob, child, matrix, seen)


def _material(document: dict[str, Any], number: int | None) -> tuple[Surface, Array]:
    material = document["materials"][number] if number is not None else {}
    pbr = material.get("pbrMetallicRoughness", {})
    emits = np.array(material.get("emissiveFactor", (0, 0, 0)), float)
    colour = np.array(pbr.get("baseColorFactor", (1, 1, 1, 1))[:3], float)
    unlit = "KHR_materials_unlit" in material.get("extensions", {}) or float(emits.max()) > 0.1
    roughness = round(float(np.clip(pbr.get("roughnessFactor", 1.0), 0.05, 1)), 2)
    return Surface(roughness, unlit, bool(material.get("doubleSided", False))), np.maximum(colour, emits)


def _local(node: dict[str, Any]) -> Array:
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T
    x, y, z, w = node.get("rotation", (0, 0, 0, 1))
    out = np.eye(4)
    out[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    out[:3, :3] *= node.get("scale", (1, 1, 1))
    out[:3, 3] = node.get("translation", (0, 0, 0))
    return out


def _join(pieces: list[Piece]) -> Piece:
    starts = np.cumsum([0] + [len(p.vertices) for p in pieces[:-1]])
    faces = np.concatenate([p.faces + start for p, start in zip(pieces, starts, strict=True)])
    vertices, normals, colours = (
        np.concatenate([getattr(p, name) for p in pieces]) for name in ("vertices", "normals", "colours")
    )
    return Piece(vertices, normals, colours, faces, pieces[0].surface)


def linear(srgb: Array) -> Array:
    """sRGB 0..1 to linear light (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0) + 0.055) / 1.055) ** 2.4)
