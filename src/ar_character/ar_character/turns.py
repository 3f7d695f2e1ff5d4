"""Rotations as matrices (n, 3, 3) and as quaternions (n, 4) x, y, z, w."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ar_character.mesh import Array


def about_x(angle: Array) -> Array:
    """Rotations (n, 3, 3) about x by angle (n,)."""
    c, s, o, z = np.cos(angle), np.sin(angle), np.ones_like(angle), np.zeros_like(angle)
    return np.stack([o, z, z, z, c, -s, z, s, c], -1).reshape(-1, 3, 3)


def about_y(angle: Array) -> Array:
    """Rotations (n, 3, 3) about y."""
    c, s, o, z = np.cos(angle), np.sin(angle), np.ones_like(angle), np.zeros_like(angle)
    return np.stack([c, z, s, z, o, z, -s, z, c], -1).reshape(-1, 3, 3)


def about_z(angle: Array) -> Array:
    """Rotations (n, 3, 3) about z."""
    c, s, o, z = np.cos(angle), np.sin(angle), np.ones_like(angle), np.zeros_like(angle)
    return np.stack([c, -s, z, s, c, z, z, z, o], -1).reshape(-1, 3, 3)


def euler(angles: Array) -> Array:
    """Rotations (n, 3, 3) of angles (n, 3): lean about x, then roll about z, then turn about y."""
    return about_y(angles[:, 1]) @ about_z(angles[:, 2]) @ about_x(angles[:, 0])


def quaternions(R: Array, starts: Sequence[int] = (0,)) -> Array:
    """(..., n, 4) x, y, z, w of rotations (..., n, 3, 3), each on the near side of the one before it, from each start on."""
    xx, yy, zz = R[..., 0, 0], R[..., 1, 1], R[..., 2, 2]
    squares = 1 + np.stack([xx - yy - zz, yy - xx - zz, zz - xx - yy, xx + yy + zz], -1)  # 4 x^2, 4 y^2, 4 z^2, 4 w^2
    xy, xz, yz = (R[..., i, j] + R[..., j, i] for i, j in ((0, 1), (0, 2), (1, 2)))
    wx, wy, wz = (R[..., i, j] - R[..., j, i] for i, j in ((2, 1), (0, 2), (1, 0)))
    # One component is surely not small; the others follow from their products with it (Shepperd 1978).
    products = np.stack(
        [
            np.stack([squares[..., 0], xy, xz, wx], -1),
            np.stack([xy, squares[..., 1], yz, wy], -1),
            np.stack([xz, yz, squares[..., 2], wz], -1),
            np.stack([wx, wy, wz, squares[..., 3]], -1),
        ],
        -2,
    )
    largest = squares.argmax(-1)[..., None, None]
    q = np.take_along_axis(products, largest, -2)[..., 0, :]
    q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    turns = np.where((q[..., 1:, :] * q[..., :-1, :]).sum(-1) < 0, -1.0, 1.0)
    for start, stop in pairwise((*starts, q.shape[-2])):
        first = np.where(q[..., start : start + 1, 3] < 0, -1.0, 1.0)
        q[..., start:stop, :] *= np.cumprod(np.concatenate([first, turns[..., start : stop - 1]], -1), -1)[..., None]
    return np.asarray(q)


def rotations(q: Array) -> Array:
    """(n, 3, 3) of unit quaternions (n, 4) x, y, z, w."""
    x, y, z, w = q.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.asarray(np.moveaxis(np.array(rows), -1, 0))


def aligned(direction: Array, front: Array) -> Array:
    """Rotations (n, 3, 3) with y along direction (n, 3) and z as near to front (n, 3) as can be."""
    y = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    z = front - y * np.einsum("ni,ni->n", y, np.broadcast_to(front, y.shape))[:, None]
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    return np.stack([np.cross(y, z), y, z], -1)
