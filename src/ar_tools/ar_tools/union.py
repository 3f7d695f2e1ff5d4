"""Closed shells made one: what overlaps is united (manifold3d), what hovers over the rest is given a root."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from ar_character.mesh import Array, Ints, is_closed

SHORT = 0.003  # mm: edges that are shorter go, so that corners stay apart in the 32-bit numbers of an STL
CRUMB = 0.05  # mm³: less is no piece
ROUGH, TRIES = 0.01, 6  # mm; that how often
STEP, NEAR, DEEP = 0.4, 6.0, 0.8  # mm: of a root; as far as one grows; as deep as it reaches


def united(shells: list[tuple[Array, Ints]]) -> tuple[Array, Ints, int]:
    """One surface of shells, each vertices (n, 3) mm and faces (m, 3), closed: vertices, faces and how many pieces it is.

    Pieces that do not touch, nor hover within `NEAR` of the largest, stay apart. ValueError where the library for it is
    missing, or cannot unite them.
    """
    try:
        from manifold3d import Manifold, Mesh64, OpType
    except ImportError as error:
        raise ValueError(f"manifold3d is missing ({error}): pip install manifold3d") from None

    def body(points: Array, faces: Ints) -> Any:
        return Manifold(Mesh64(np.ascontiguousarray(points, np.float64), np.ascontiguousarray(faces, np.uint64)))

    for seed in range(TRIES):
        pieces = _pieces(Manifold.batch_boolean([body(_roughened(p, seed), f) for p, f in shells], OpType.Add))
        if not pieces:
            raise ValueError("manifold3d takes none of the shells for a solid")
        main = cKDTree(_arrays(pieces[0].refine_to_length(1.0))[0])
        rooted = [part for piece in pieces for part in _rooted(piece, main)]
        pieces = _pieces(Manifold.batch_boolean(rooted, OpType.Add).simplify(SHORT))
        vertices, faces = _arrays(Manifold.compose(pieces))
        vertices = vertices.astype(np.float32).astype(np.float64)
        if is_closed(faces) and len(np.unique(vertices, axis=0)) == len(vertices):
            return vertices, faces, len(pieces)
    raise ValueError("corners of the united surface fall together in 32-bit numbers")


def _roughened(points: Array, seed: int) -> Array:
    """Points (n, 3) moved a little: no face lies in the plane of another, as the lids' edges do. Soles stay flat."""
    shift = np.random.default_rng([seed, len(points)]).uniform(-ROUGH, ROUGH, points.shape)
    shift[:, 2] *= points[:, 2] > 2 * ROUGH
    return np.asarray(points + shift)


def _rooted(piece: Any, main: cKDTree) -> list[Any]:
    """A piece, and as often further on as it takes to get into the main one, if that is near."""
    points = _arrays(piece)[0]
    distance, nearest = main.query(points)
    k = int(distance.argmin())
    if distance[k] > NEAR or distance[k] < 1e-6:  # far away, or the main one itself
        return [piece]
    way = (main.data[nearest[k]] - points[k]) * (1 + DEEP / float(distance[k]))
    steps = int(np.ceil(np.linalg.norm(way) / STEP)) + 1
    return [piece.translate(tuple(way * share)) for share in np.linspace(0, 1, steps)]


def _pieces(whole: Any) -> list[Any]:
    """What does not touch, the largest first, without crumbs."""
    pieces = sorted(whole.decompose(), key=lambda piece: -piece.volume())
    return pieces[:1] + [piece for piece in pieces[1:] if piece.volume() > CRUMB]


def _arrays(whole: Any) -> tuple[Array, Ints]:
    mesh = whole.to_mesh64()
    return np.array(mesh.vert_properties[:, :3], np.float64), np.array(mesh.tri_verts, np.int64)
