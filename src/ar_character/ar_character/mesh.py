"""Triangle meshes with what a skinned character needs per vertex, and the checks that keep them sound."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # of floating point numbers; shapes are in the docstrings
Ints = NDArray[Any]


@dataclass(frozen=True)
class Part:
    """A piece of a character, bound to joints by name.

    vertices (n, 3) metres, y up, +z front; normals (n, 3) unit; uv (n, 2) in the atlas; faces (m, 3), counter-clockwise
    seen from outside; influences: joint name -> (n,) weight, summing to 1 per vertex; colours (n, 3) linear 0..1: of a part
    that wears these instead of the atlas.
    """

    vertices: Array
    normals: Array
    uv: Array
    faces: Ints
    influences: dict[str, Array] = field(default_factory=dict)
    material: str = "body"
    colours: Array | None = None

    def moved(self, offset: Array) -> Part:
        """The same part elsewhere."""
        return Part(
            self.vertices + offset, self.normals, self.uv, self.faces, self.influences, self.material, self.colours
        )


def bound_to(joint: str, n: int) -> dict[str, Array]:
    """Influences of n vertices that follow one joint rigidly."""
    return {joint: np.ones(n)}


def vertex_normals(vertices: Array, faces: Ints) -> Array:
    """(n, 3) unit normals, area-weighted over the faces around each vertex."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    face_normals = np.cross(b - a, c - a)
    out = np.zeros_like(vertices)
    for axis in range(3):
        weights = np.repeat(face_normals[:, axis], 3)
        out[:, axis] = np.bincount(faces.ravel(), weights, len(vertices))
    length = np.linalg.norm(out, axis=1, keepdims=True)
    return np.where(length > 1e-20, out / np.maximum(length, 1e-20), [0.0, 0.0, 1.0])


def edges(faces: Ints) -> tuple[Ints, Ints]:
    """Unique undirected edges (e, 2) and how many faces use each (e,)."""
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    lo, hi = directed.min(1), directed.max(1)
    stride = int(faces.max()) + 1 if len(faces) else 1
    keys, counts = np.unique(lo * stride + hi, return_counts=True)
    return np.column_stack([keys // stride, keys % stride]), counts


def euler_number(faces: Ints) -> int:
    """V - E + F of the vertices that faces (m, 3) use."""
    return len(np.unique(faces)) - len(edges(faces)[0]) + len(faces)


def is_closed(faces: Ints) -> bool:
    """Every directed edge occurs once and its reverse once: closed, two-manifold along edges, consistently wound."""
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    stride = int(faces.max()) + 1
    forward = directed[:, 0] * stride + directed[:, 1]
    backward = directed[:, 1] * stride + directed[:, 0]
    return len(np.unique(forward)) == len(forward) and bool(np.array_equal(np.sort(forward), np.sort(backward)))


def volume(vertices: Array, faces: Ints) -> float:
    """Signed volume of a closed mesh; positive when faces point outward."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def face_areas(vertices: Array, faces: Ints) -> Array:
    """(m,) areas."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)


def weld(vertices: Array, faces: Ints, tolerance: float = 1e-7) -> Ints:
    """Faces whose vertices at the same place (on a grid of `tolerance`) are one again, e.g. after a texture seam."""
    keys = np.round(vertices / tolerance).astype(np.int64)
    _, inverse = np.unique(keys, axis=0, return_inverse=True)
    return np.asarray(inverse.reshape(-1)[faces])
