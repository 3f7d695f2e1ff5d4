"""From a flat outline to a closed body: a triangulated sheet, blown up from both sides.

The sheet is cut from a triangular lattice along the zero level of the outline's field, with lattice vertices near the
outline pulled onto it (isosurface stuffing: Labelle and Shewchuk 2007). It is manifold by construction, has no slivers,
and needs no Delaunay triangulation. Height over the sheet is the root of the solution of a Poisson equation, which
makes a circle a ball and a strip a tube (as Teddy and Monster Mash do): thick where the shape is wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla
from numpy.typing import NDArray

from ar_character.mesh import Array, Ints, edges, euler_number, face_areas, is_closed, vertex_normals
from ar_character.outline import Outline, trace

SNAP = 0.27  # lattice vertices within this part of an edge from the outline move onto it
ROUNDNESS = 1.3  # 2 would make a disc a ball; cushions look better from the side
RIM = 0.3  # half thickness of the rim, in mesh spacings


@dataclass(frozen=True)
class Sheet:
    """A flat manifold triangulation: points (n, 2) raster px, faces (m, 3), boundary (n,) bool."""

    points: Array
    faces: Ints
    boundary: NDArray[np.bool_]


@dataclass(frozen=True)
class Shell:
    """A closed surface of genus `holes`.

    vertices (v, 3): raster x, raster y (down), z toward the viewer, px; normals (v, 3) in the same axes; faces (f, 3),
    outward seen with y up; sheet_vertex (v,): the sheet's vertex each came from; back (v,) bool: on the far side.
    """

    vertices: Array
    normals: Array
    faces: Ints
    sheet_vertex: Ints
    back: NDArray[np.bool_]


def inflate(alpha: NDArray[np.uint8]) -> tuple[Outline, Sheet, Shell]:
    """Outline, sheet and closed body of the largest piece of alpha (H, W) uint8.

    The body's Euler number is 2 - 2 holes. Slits too fine for the mesh are closed, the finest first; what hangs
    on too thin a bridge is left out at last.
    ValueError where there is no shape, or none that a mesh can carry.
    """
    for close_gaps, keep_thin in ((0.0, True), (1.0, True), (2.0, True), (2.0, False), (5.0, False)):
        outline = trace(alpha, close_gaps=close_gaps, keep_thin=keep_thin)
        sheet = triangulate(outline, outline.spacing)
        shell = close(sheet, puff(sheet), RIM * outline.spacing)
        if is_closed(shell.faces) and euler_number(shell.faces) == 2 - 2 * outline.holes:
            return outline, sheet, shell
    raise ValueError(f"cut-out: no closed mesh with {outline.holes} holes can be made, it is too fine; smooth the mask")


def triangulate(outline: Outline, spacing: float) -> Sheet:
    """Cut a triangular lattice along the zero level of the outline's field."""
    points, triangles = _lattice(outline.field.shape[1], outline.field.shape[0], spacing)
    value = outline.distance(points)
    value[value == 0] = 1e-6
    triangles = triangles[(value[triangles] > 0).any(1)]
    points, value, cut, cut_of = _snap(points, value, triangles, outline)
    sign = np.sign(value).astype(np.int64)
    first_cut = len(points)
    faces = []
    stride = len(points)

    def crossing(a: Ints, b: Ints) -> Ints:
        return first_cut + np.searchsorted(cut_of, np.minimum(a, b) * stride + np.maximum(a, b))

    for turn in range(3):
        a, b, c = np.roll(triangles, turn, axis=1).T
        sa, sb, sc = sign[a], sign[b], sign[c]
        if turn == 0:  # symmetric under rotation: take it once
            k = (np.minimum(np.minimum(sa, sb), sc) >= 0) & (sa + sb + sc > 0)
            faces.append(np.column_stack([a[k], b[k], c[k]]))
        k = (sa > 0) & (sb < 0) & (sc < 0)
        faces.append(np.column_stack([a[k], crossing(a[k], b[k]), crossing(a[k], c[k])]))
        k = (sa > 0) & (sb == 0) & (sc < 0)
        faces.append(np.column_stack([a[k], b[k], crossing(a[k], c[k])]))
        k = (sa > 0) & (sb < 0) & (sc == 0)
        faces.append(np.column_stack([a[k], crossing(a[k], b[k]), c[k]]))
        k = (sa > 0) & (sb > 0) & (sc < 0)
        bc, ca = crossing(b[k], c[k]), crossing(c[k], a[k])
        faces.append(np.column_stack([a[k], b[k], bc]))
        faces.append(np.column_stack([a[k], bc, ca]))
    used, compact = np.unique(np.concatenate(faces), return_inverse=True)
    sheet_points = np.concatenate([points, cut])[used]
    return _separate_pinches(sheet_points, compact.reshape(-1, 3).astype(np.int64))


def puff(sheet: Sheet) -> Array:
    """Height (n,) over the sheet's points, px, 0 on the boundary: the root of the Poisson equation's solution."""
    stiffness, mass = laplacian(sheet.points, sheet.faces)
    free = np.flatnonzero(~sheet.boundary)
    height = np.zeros(len(sheet.points))
    if len(free):
        height[free] = sla.spsolve(stiffness[free][:, free].tocsc(), mass[free], permc_spec="MMD_AT_PLUS_A")
    return ROUNDNESS * np.sqrt(np.maximum(height, 0))


def laplacian(points: Array, faces: Ints) -> tuple[sp.csr_matrix, Array]:
    """Cotangent stiffness (n, n), positive semi-definite, and lumped mass (n,) of a flat mesh."""
    n = len(points)
    rows, cols, weights = [], [], []
    for k in range(3):
        i, j, o = faces[:, (k + 1) % 3], faces[:, (k + 2) % 3], faces[:, k]
        u, v = points[i] - points[o], points[j] - points[o]
        cot = np.einsum("ij,ij->i", u, v) / np.maximum(np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]), 1e-9)
        rows += [i, j]
        cols += [j, i]
        weights += [0.5 * cot, 0.5 * cot]
    off = sp.coo_matrix((np.concatenate(weights), (np.concatenate(rows), np.concatenate(cols))), (n, n)).tocsr()
    stiffness = sp.diags(np.asarray(off.sum(1)).ravel()) - off
    area = face_areas(np.column_stack([points, np.zeros(n)]), faces)
    return stiffness.tocsr(), np.bincount(faces.ravel(), np.repeat(area / 3, 3), n)


def close(sheet: Sheet, height: Array, rim: float) -> Shell:
    """Front and back sheet, joined by a strip of half thickness `rim` along the boundary: the rim is a surface too."""
    n = len(sheet.points)
    z = np.sqrt(height**2 + rim**2)
    front = np.column_stack([sheet.points, z])
    back = np.column_stack([sheet.points, -z])
    directed = np.concatenate([sheet.faces[:, [0, 1]], sheet.faces[:, [1, 2]], sheet.faces[:, [2, 0]]])
    forward = directed[:, 0] * n + directed[:, 1]
    backward = directed[:, 1] * n + directed[:, 0]
    a, b = directed[~np.isin(forward, backward)].T
    strip = np.concatenate([np.column_stack([b, a, a + n]), np.column_stack([b, a + n, b + n])])
    faces = np.concatenate([sheet.faces, sheet.faces[:, ::-1] + n, strip])
    vertices = np.concatenate([front, back])
    normals = vertex_normals(vertices * [1, -1, 1], faces) * [1, -1, 1]
    which = np.tile(np.arange(n), 2)
    return Shell(vertices, normals, faces, which, np.repeat([False, True], n))


def _lattice(width: int, height: int, spacing: float) -> tuple[Array, Ints]:
    """Vertices (n, 2) and triangles (m, 3), wound so that they are counter-clockwise once y points up."""
    rows, cols = int(height / (spacing * 0.8660254)) + 2, int(width / spacing) + 2
    j, i = np.mgrid[0:rows, 0:cols]
    points = np.stack([(i + 0.5 * (j % 2)) * spacing, j * spacing * 0.8660254], -1).reshape(-1, 2)
    j, i = np.mgrid[0 : rows - 1, 0 : cols - 1]
    at = (j * cols + i).ravel()
    below, right, both = at + cols, at + 1, at + cols + 1
    even = (j.ravel() % 2 == 0)[:, None]
    upper = np.where(even, np.column_stack([at, below, right]), np.column_stack([at, both, right]))
    lower = np.where(even, np.column_stack([right, below, both]), np.column_stack([at, below, both]))
    return points, np.concatenate([upper, lower]).astype(np.int64)


def _snap(points: Array, value: Array, triangles: Ints, outline: Outline) -> tuple[Array, Array, Array, Ints]:
    """Pull lattice vertices near the outline onto it; returns points, values, cut points (c, 2) and their edge keys."""
    pairs, _ = edges(triangles)
    stride = len(points)
    pairs = pairs[value[pairs[:, 0]] * value[pairs[:, 1]] < 0]
    a, b = pairs.T
    t = value[a] / (value[a] - value[b])
    for _ in range(2):  # the field is not linear along an edge: refine the crossing
        at = points[a] + t[:, None] * (points[b] - points[a])
        slope = (value[b] - value[a]) / np.linalg.norm(points[b] - points[a], axis=1)
        step = -outline.distance(at) / np.where(np.abs(slope) > 0.2, slope, np.copysign(0.2, slope))
        t = np.clip(t + step / np.linalg.norm(points[b] - points[a], axis=1), 0.02, 0.98)
    cut = points[a] + t[:, None] * (points[b] - points[a])
    ends = np.concatenate([a, b])
    part = np.concatenate([t, 1 - t])
    where = np.concatenate([cut, cut])
    order = np.argsort(-part, kind="stable")  # so that the nearest crossing is written last
    order = order[part[order] < SNAP]
    points, value = points.copy(), value.copy()
    points[ends[order]] = where[order]
    value[ends[order]] = 0.0
    alive = (value[a] != 0) & (value[b] != 0)
    keys = np.minimum(a, b)[alive] * stride + np.maximum(a, b)[alive]
    by_key = np.argsort(keys)
    return points, value, cut[alive][by_key], keys[by_key]


def _separate_pinches(points: Array, faces: Ints) -> Sheet:
    """Where two fans of faces meet in one vertex only, give each its own copy; mark the boundary."""
    pairs, counts = edges(faces)
    rim = pairs[counts == 1]
    degree = np.bincount(rim.ravel(), minlength=len(points))
    original, faces = faces, faces.copy()
    copies: list[Array] = []
    for v in np.flatnonzero(degree > 2):
        around = [int(f) for f in np.flatnonzero((faces == v).any(1))]
        first = True
        while around:
            fan, grown = {around[0]}, True
            while grown:
                ring = {int(w) for f in fan for w in faces[f]} - {int(v)}
                more = {f for f in around if f not in fan and ring & ({int(w) for w in faces[f]} - {int(v)})}
                fan |= more
                grown = bool(more)
            around = [f for f in around if f not in fan]
            if not first:
                rows = np.array(sorted(fan))
                faces[rows] = np.where(faces[rows] == v, len(points) + len(copies), faces[rows])
                aside = points[original[rows]].mean((0, 1)) - points[v]
                copies.append(points[v] + 0.05 * aside)  # so that they do not touch either
            first = False
    if copies:
        points = np.concatenate([points, copies])
    pairs, counts = edges(faces)
    boundary = np.zeros(len(points), bool)
    boundary[pairs[counts == 1].ravel()] = True
    return Sheet(points, faces, boundary)
