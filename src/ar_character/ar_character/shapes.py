"""Small closed shapes that limbs and faces are made of."""

from __future__ import annotations

import numpy as np

from ar_character.mesh import Array, Ints


def loft(path: Array, radii: Array, side: Array, segments: int) -> tuple[Array, Ints, Array]:
    """A closed tube along a path.

    path (k, 3); radii (k,) or (k, 2): across `side` and across the third axis; side (3,): a direction roughly across
    the whole path. The ends are closed with a vertex each. Returns vertices, faces and each vertex's ring number.
    """
    path = np.asarray(path, float)
    radii = np.broadcast_to(np.asarray(radii, float).reshape(len(path), -1), (len(path), 2))
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    a = side - tangent * (tangent @ side)[:, None]
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b = np.cross(tangent, a)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    cos, sin = radii[:, :1] * np.cos(angle), radii[:, 1:] * np.sin(angle)
    ring = a[:, None] * cos[..., None] + b[:, None] * sin[..., None]
    k, n = len(path), segments
    vertices = np.concatenate([(path[:, None] + ring).reshape(-1, 3), path[:1], path[-1:]])
    number = np.concatenate([np.repeat(np.arange(k), n), [0, k - 1]]).astype(float)
    return vertices, _tube_faces(k, n), number


def ball(radii: Array, segments: int = 14, rings: int = 9) -> tuple[Array, Ints, Array]:
    """An ellipsoid around the origin, poles on y; returns vertices, faces and the unit sphere's points (n, 3)."""
    polar = np.pi * np.arange(1, rings) / rings
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    unit = np.stack(
        [
            np.sin(polar)[:, None] * np.cos(angle),
            np.broadcast_to(-np.cos(polar)[:, None], (rings - 1, segments)),
            -np.sin(polar)[:, None] * np.sin(angle),
        ],
        -1,
    ).reshape(-1, 3)
    unit = np.concatenate([unit, [[0, -1, 0], [0, 1, 0]]])
    return unit * radii, _tube_faces(rings - 1, segments), unit


def cap(radius: float, half_angle: float, segments: int = 16, rings: int = 3) -> tuple[Array, Ints, Array]:
    """A round patch of a sphere around +z; returns vertices, faces and its flat disc coordinates (n, 2) within 1."""
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    r = np.arange(1, rings + 1) / rings
    around = np.stack([np.cos(angle), np.sin(angle)], -1)
    disc = np.concatenate([[[0.0, 0.0]], (r[:, None, None] * around).reshape(-1, 2)])
    polar = np.linalg.norm(disc, axis=1) * half_angle
    direction = disc / np.maximum(np.linalg.norm(disc, axis=1), 1e-12)[:, None]
    vertices = radius * np.column_stack([direction * np.sin(polar)[:, None], np.cos(polar)])
    i = np.arange(segments)
    faces = [np.column_stack([np.zeros(segments, int), 1 + i, 1 + (i + 1) % segments])]
    for k in range(rings - 1):
        a, b = 1 + k * segments + i, 1 + k * segments + (i + 1) % segments
        faces += [np.column_stack([a, a + segments, b + segments]), np.column_stack([a, b + segments, b])]
    return vertices, np.concatenate(faces).astype(np.int64), disc


def dome(
    inner: float, outer: float, half_angle: float, segments: int = 16, rings: int = 5
) -> tuple[Array, Ints, Array]:
    """A closed shell around the pole +z; returns vertices, faces and each vertex's way from pole (0) to edge (1)."""
    shell, faces, disc = cap(1.0, half_angle, segments, rings)
    n = len(shell)
    last = n - segments + np.arange(segments)
    after = np.roll(last, -1)
    edge = np.concatenate([np.column_stack([last, last + n, after + n]), np.column_stack([last, after + n, after])])
    vertices = np.concatenate([shell * outer, shell * inner])
    all_faces = np.concatenate([faces, faces[:, ::-1] + n, edge])
    return vertices, all_faces, np.tile(np.linalg.norm(disc, axis=1), 2)


def _tube_faces(rings: int, segments: int) -> Ints:
    """Faces of `rings` rings of `segments` vertices, then the start's and the end's pole."""
    i = np.arange(segments)
    j = (i + 1) % segments
    start, end = rings * segments, rings * segments + 1
    faces = [np.column_stack([np.full(segments, start), j, i])]
    for k in range(rings - 1):
        a, b = k * segments + i, k * segments + j
        faces += [np.column_stack([a, b, b + segments]), np.column_stack([a, b + segments, a + segments])]
    top = (rings - 1) * segments
    faces.append(np.column_stack([np.full(segments, end), top + i, top + j]))
    return np.concatenate(faces).astype(np.int64)
