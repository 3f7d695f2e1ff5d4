"""Meshes from profiles, sections and distance fields, as Blender objects. Metres, z up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import bmesh
import bpy
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def from_arrays(
    name: str, vertices: Points, faces: Sequence[Sequence[int]], uv: Points | None = None, smooth: bool = True
) -> bpy.types.Object:
    """A mesh object in the scene; ``uv`` is ``(sum of face sizes, 2)``, one per face corner."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([tuple(map(float, v)) for v in vertices], [], [tuple(map(int, f)) for f in faces])
    if uv is not None:
        mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", np.asarray(uv, np.float32).ravel())
    mesh.polygons.foreach_set("use_smooth", np.full(len(mesh.polygons), smooth))
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def lathe(
    name: str,
    profile: Points,
    segments: int = 128,
    radius_at: Callable[[Points, Points], Points] | None = None,
) -> bpy.types.Object:
    """Turn a profile ``(n, 2)`` of (radius, z) about z. UV: u around, v from 1 at the first profile point to 0.

    ``radius_at(angle, index)`` scales the radius by angle (radians) and profile index: flutes, lobes.
    """
    n = len(profile)
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(profile, axis=0).T))])
    v = 1 - length / length[-1]
    grid_a, grid_i = np.meshgrid(angle[:-1], np.arange(n, dtype=float))
    radius = profile[:, :1] * (radius_at(grid_a, grid_i) if radius_at else 1.0)
    z = np.broadcast_to(profile[:, 1:], grid_a.shape)
    vertices = np.stack([radius * np.cos(grid_a), radius * np.sin(grid_a), z], -1).reshape(-1, 3)
    faces, uv = [], []
    for i in range(n - 1):
        for j in range(segments):
            k = (j + 1) % segments
            faces.append((i * segments + j, (i + 1) * segments + j, (i + 1) * segments + k, i * segments + k))
            uv += [(j, i), (j, i + 1), (j + 1, i + 1), (j + 1, i)]
    corners = np.array(uv)
    return from_arrays(name, vertices, faces, np.stack([corners[:, 0] / segments, v[corners[:, 1]]], -1))


def sweep(
    name: str, path: Points, radii: Points, segments: int = 32, up: Sequence[float] = (0, 1, 0)
) -> bpy.types.Object:
    """An elliptical section ``radii (n, 2)`` carried along ``path (n, 3)``; ``up``: where the first radius points."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    first = np.asarray(up, float) - tangent * (tangent @ np.asarray(up, float))[:, None]
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(tangent, first)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    ring = (
        path[:, None]
        + radii[:, None, :1] * np.cos(angle)[None, :, None] * first[:, None]
        + radii[:, None, 1:] * np.sin(angle)[None, :, None] * second[:, None]
    )
    faces: list[tuple[int, ...]] = []
    for i in range(len(path) - 1):
        for j in range(segments):
            k = (j + 1) % segments
            faces.append((i * segments + j, i * segments + k, (i + 1) * segments + k, (i + 1) * segments + j))
    faces.append(tuple(range(segments))[::-1])
    faces.append(tuple((len(path) - 1) * segments + j for j in range(segments)))
    uv = np.zeros((sum(len(f) for f in faces), 2))
    return from_arrays(name, ring.reshape(-1, 3), faces, uv)


def box(
    name: str,
    size: Sequence[float],
    bevel: float = 0.001,
    segments: int = 3,
    uv_per_m: float = 1.0,
    base: Sequence[float] = (0, 0, 0),
) -> bpy.types.Object:
    """A bevelled cuboid, centred in x and y on ``base``, standing on ``base`` z. UV: box projection, ``uv_per_m``."""
    sx, sy, sz = size
    x, y, z = base
    corners = np.array([(i, j, k) for k in (0, 1) for j in (-0.5, 0.5) for i in (-0.5, 0.5)]) * (sx, sy, sz) + (x, y, z)
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (1, 3, 7, 5), (3, 2, 6, 7), (2, 0, 4, 6)]
    thing = from_arrays(name, corners, quads)
    if bevel > 0:
        round_edges(thing, bevel, segments)
    project_uv(thing, uv_per_m)
    return thing


def round_edges(thing: bpy.types.Object, width: float, segments: int = 3) -> None:
    """Bevel all edges and keep flat faces flat (weighted normals), applied to the mesh."""
    work = bmesh.new()
    work.from_mesh(thing.data)
    bmesh.ops.bevel(work, geom=work.edges[:], offset=width, segments=segments, profile=0.5, affect="EDGES")
    work.to_mesh(thing.data)
    work.free()
    thing.data.polygons.foreach_set("use_smooth", np.full(len(thing.data.polygons), True))
    thing.modifiers.new("normals", "WEIGHTED_NORMAL").keep_sharp = False


def project_uv(thing: bpy.types.Object, per_m: float) -> None:
    """Box-projected UV in metres times ``per_m``: each face takes the plane it faces most."""
    mesh = thing.data
    layer = mesh.uv_layers.get("UVMap") or mesh.uv_layers.new(name="UVMap")
    for polygon in mesh.polygons:
        axis = int(np.argmax(np.abs(polygon.normal)))
        a, b = ((1, 2), (0, 2), (0, 1))[axis]
        for loop in polygon.loop_indices:
            co = mesh.vertices[mesh.loops[loop].vertex_index].co
            layer.data[loop].uv = (co[a] * per_m, co[b] * per_m)


def planar_uv(thing: bpy.types.Object, origin: Sequence[float], size: Sequence[float]) -> None:
    """UV from x and y: 0..1 over the rectangle at ``origin`` of ``size``."""
    mesh = thing.data
    layer = mesh.uv_layers.get("UVMap") or mesh.uv_layers.new(name="UVMap")
    for loop in mesh.loops:
        co = mesh.vertices[loop.vertex_index].co
        layer.data[loop.index].uv = ((co[0] - origin[0]) / size[0], (co[1] - origin[1]) / size[1])


def sheet(
    name: str, size: Sequence[float], height: Callable[[Points, Points], Points], thickness: float, cells: int = 80
) -> bpy.types.Object:
    """A thin sheet centred on the origin whose top is ``height(x, y)``; UV 0..1 over the whole."""
    nx, ny = cells, max(4, int(cells * size[1] / size[0]))
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, nx + 1) * size[0], np.linspace(-0.5, 0.5, ny + 1) * size[1])
    top = height(x, y)
    layers = [np.stack([x, y, top], -1).reshape(-1, 3), np.stack([x, y, top - thickness], -1).reshape(-1, 3)]
    count = (nx + 1) * (ny + 1)
    faces: list[tuple[int, ...]] = []
    for j in range(ny):
        for i in range(nx):
            a = j * (nx + 1) + i
            faces.append((a, a + 1, a + nx + 2, a + nx + 1))
            faces.append((count + a + nx + 1, count + a + nx + 2, count + a + 1, count + a))
    rim = [*range(nx + 1), *((nx + 1) * (j + 1) + nx for j in range(ny))]
    rim += [*(ny * (nx + 1) + nx - 1 - i for i in range(nx)), *((nx + 1) * (ny - 1 - j) for j in range(ny - 1))]
    for a, b in zip(rim, rim[1:] + rim[:1], strict=True):
        faces.append((a, count + a, count + b, b))
    thing = from_arrays(name, np.concatenate(layers), faces)
    planar_uv(thing, (-0.5 * size[0], -0.5 * size[1]), size)
    return thing


def from_distance(
    name: str, distance: Callable[[Points], Points], low: Sequence[float], high: Sequence[float], voxel: float
) -> bpy.types.Object:
    """The zero surface of a distance field over ``(..., 3)`` points, by marching cubes."""
    from skimage.measure import marching_cubes

    axes = [np.arange(a, b, voxel) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    vertices, faces, _, _ = marching_cubes(distance(grid), 0.0, spacing=(voxel,) * 3)
    return from_arrays(name, vertices + np.asarray(low), faces)


def paint(thing: bpy.types.Object, colour: Callable[[Points], Points]) -> None:
    """Give each vertex a colour ``(n, 3)`` linear RGB from its position ``(n, 3)`` (attribute ``paint``)."""
    mesh = thing.data
    positions = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", positions)
    rgb = colour(positions.reshape(-1, 3).astype(float))
    layer = mesh.color_attributes.new("paint", "FLOAT_COLOR", "POINT")
    layer.data.foreach_set("color", np.concatenate([rgb, np.ones((len(rgb), 1))], 1).astype(np.float32).ravel())


def join(things: Sequence[bpy.types.Object], name: str) -> bpy.types.Object:
    """Parent the parts to an empty, so that a thing moves as one."""
    root = bpy.data.objects.new(name, None)
    bpy.context.scene.collection.objects.link(root)
    for thing in things:
        thing.parent = root
    return root
