"""A character as something to print: one closed surface in millimetres, standing on z = 0, as STL or (with colours) OBJ.

Shells overlap where a limb goes into the body: they are united (`union`). What lies on the surface like paint (pupils, brows,
a mouth) is given a thickness first, so that it is closed too. Shells that cannot be united are written as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ar_character.mesh import Array, Ints, is_closed, vertex_normals, volume
from ar_render.looks import vertex_colours
from ar_render.model import Model
from ar_render.proxy import skin_vertices

from .union import united

SUFFIXES = (".stl", ".obj")
THICKNESS = 0.8  # mm: two lines of a usual nozzle
_FROM_GLTF = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # y up, looking along +z → z up, looking along -y
_GRID = 1e-4  # mm: vertices that are nearer to each other are one


@dataclass(frozen=True)
class Solid:
    """vertices (n, 3) mm; faces (m, 3), every edge of which is shared by two; colours (n, 3) sRGB 0-1; pieces: how many surfaces
    that do not touch; shells: how many they were united from; left_out: parts that cannot be closed; overlap: why they could not
    be united and overlap each other, empty if they are."""

    vertices: Array
    faces: Ints
    colours: Array
    pieces: int
    shells: int
    left_out: int
    overlap: str = ""

    @property
    def told(self) -> str:
        """What it is, in words."""
        if self.overlap:
            return f"{self.shells} closed shells that overlap, not united: {self.overlap}"
        return "one closed surface" if self.pieces == 1 else f"{self.pieces} closed surfaces that do not touch"

    @property
    def size(self) -> tuple[float, float, float]:
        """Width, depth and height, mm."""
        x, y, z = np.ptp(self.vertices, axis=0)
        return float(x), float(y), float(z)


def solid(model: Model) -> Solid:
    """The model at rest; ValueError when none of it encloses anything."""
    skin = model.skin(model.global_matrices(model.rest))
    posed = [skin_vertices(p.positions, p.joints, p.weights, skin) for p in model.primitives]
    offsets = np.cumsum([0] + [len(p) for p in posed[:-1]])
    faces = np.concatenate([p.triangles.astype(np.int64) + o for p, o in zip(model.primitives, offsets, strict=True)])
    vertices = 1000 * np.concatenate(posed) @ _FROM_GLTF.T
    colours = np.concatenate([vertex_colours(model, p) for p in model.primitives])
    _, first, label = np.unique(
        np.round(vertices / _GRID).astype(np.int64), axis=0, return_index=True, return_inverse=True
    )
    vertices, colours, faces = vertices[first], colours[first], label.ravel()[faces]
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(1)]
    parts, left_out = [], 0
    for part in _pieces(faces, len(vertices)):
        points, shade, own = _only(vertices, colours, part)
        if not is_closed(own):
            points, shade, own = _thickened(points, shade, own)
        if is_closed(own) and abs(volume(points, own)) > 0:
            parts.append((points, shade, own if volume(points, own) > 0 else own[:, ::-1]))
        else:
            left_out += 1
    if not parts:
        raise ValueError("the character has no closed surface to print")
    ground = np.array([0, 0, min(float(points[:, 2].min()) for points, _, _ in parts)])
    parts = [(points - ground, shade, own) for points, shade, own in parts]
    before, shades = (
        np.concatenate([points for points, _, _ in parts]),
        np.concatenate([shade for _, shade, _ in parts]),
    )
    try:
        vertices, faces, pieces = united([(points, own) for points, _, own in parts])
    except ValueError as error:  # slicers take the union of what overlaps, too
        offsets = np.cumsum([0] + [len(points) for points, _, _ in parts[:-1]])
        faces = np.concatenate([own + o for (_, _, own), o in zip(parts, offsets, strict=True)])
        return Solid(before, faces, shades, len(parts), len(parts), left_out, str(error))
    return Solid(vertices, faces, shades[cKDTree(before).query(vertices)[1]], pieces, len(parts), left_out)


def write(path: Path, printed: Solid) -> None:
    """A binary STL or an OBJ, by the file's suffix."""
    path.write_bytes(stl(printed) if path.suffix.lower() == ".stl" else obj(printed).encode())


def stl(printed: Solid) -> bytes:
    """Binary STL; its numbers are millimetres, as slicers take them."""
    corners = printed.vertices[printed.faces].astype(np.float32)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    records = np.zeros(len(corners), [("n", "<f4", 3), ("p", "<f4", (3, 3)), ("attribute", "<u2")])
    records["n"], records["p"] = normals, corners
    return b"Tsukumo character, millimetres, z up".ljust(80) + np.uint32(len(records)).tobytes() + records.tobytes()


def obj(printed: Solid) -> str:
    """Wavefront OBJ with a colour for every vertex, as MeshLab and Blender read it."""
    lines = ["# Tsukumo character, millimetres, z up"]
    rows = np.column_stack([printed.vertices, printed.colours])
    lines += ["v {:.9g} {:.9g} {:.9g} {:.3f} {:.3f} {:.3f}".format(*row) for row in rows]  # all that 32 bits hold
    lines += [f"f {a} {b} {c}" for a, b, c in printed.faces + 1]
    return "\n".join(lines) + "\n"


def _pieces(faces: Ints, n: int) -> list[Ints]:
    """The faces of each piece that hangs together, in the order in which they come."""
    links = coo_matrix((np.ones(3 * len(faces)), (faces.ravel(), np.roll(faces, 1, axis=1).ravel())), shape=(n, n))
    _, label = connected_components(links, directed=False)
    of = label[faces[:, 0]]
    return [faces[of == piece] for piece in dict.fromkeys(of.tolist())]


def _only(vertices: Array, colours: Array, faces: Ints) -> tuple[Array, Array, Ints]:
    used, own = np.unique(faces, return_inverse=True)
    return vertices[used], colours[used], own.reshape(-1, 3)


def _thickened(points: Array, colours: Array, faces: Ints) -> tuple[Array, Array, Ints]:
    """An open surface and its copy a little further in, with a wall between their edges."""
    across = vertex_normals(points, faces).mean(0)  # one way for all: what is bent does not run into itself
    inside = points - THICKNESS * across / max(float(np.linalg.norm(across)), 1e-9)
    directed = {(int(a), int(b)) for face in faces for a, b in zip(face, np.roll(face, -1), strict=True)}
    n = len(points)
    wall = [row for a, b in sorted(directed) if (b, a) not in directed for row in ((b, a, a + n), (b, a + n, b + n))]
    closed = np.concatenate([faces, faces[:, ::-1] + n, np.array(wall, int).reshape(-1, 3)])
    return np.concatenate([points, inside]), np.concatenate([colours, colours]), closed
