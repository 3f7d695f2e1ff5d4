"""What a picture is drawn of, and which part of the picture and of the table it touches; nothing here draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Intrinsics, inverse, transform

from .light import Light
from .model import Model
from .particles import Particles
from .plane_view import View, plane_axes
from .proxy import Proxy

Array = NDArray[Any]
Region = tuple[int, int, int, int]  # x0 y0 x1 y1, half open

# glTF's y up, looking along +z → REP-103's z up, looking along +x.
MAP_FROM_GLTF = np.array([[0.0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
SHADOW_SIZE = 96  # texels
_CLOSENESS = 0.10  # of the height


@dataclass(frozen=True)
class Body:
    """A model on the graphics card, with its proxy."""

    model: Model
    proxy: Proxy
    vertex_array: int
    parts: tuple[tuple[int, int, int, tuple[float, ...], tuple[float, ...], bool], ...]
    buffers: tuple[int, ...]
    textures: tuple[int, ...]


@dataclass(frozen=True)
class Figure:
    """A body where and how it stands: T_map_character (4, 4) (z up, +x is where it looks) and its nodes' matrices
    (n, 4, 4) as Model.global_matrices gives them; gain (3,): the light now over the light it was photographed in."""

    body: Body
    T_map_character: Array
    globals: Array
    scale: float = 1.0
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def skin(self) -> Array:
        """(k, 4, 4): from the mesh to map."""
        T = self.T_map_character @ MAP_FROM_GLTF
        T = T @ np.diag([self.scale, self.scale, self.scale, 1.0])
        return np.asarray(T @ self.body.model.skin(self.globals))

    def to_model(self, point: Array) -> Array:
        """A point (3,) of map in the character's own frame (y up, metres of its file)."""
        p = MAP_FROM_GLTF[:3, :3].T @ self.T_map_character[:3, :3].T @ (point - self.T_map_character[:3, 3])
        return np.asarray(p / self.scale)


@dataclass(frozen=True)
class Contents:
    """What is put into a picture."""

    figures: Sequence[Figure] = ()
    particles: Particles | None = None
    light: Light = field(default_factory=Light)


class Posed:
    """A figure's skin matrices and its proxy's points (n, 3) in map."""

    def __init__(self, figure: Figure) -> None:
        self.figure, self.skin = figure, figure.skin
        self.points = figure.body.proxy.posed(self.skin)
        self.margin = figure.body.proxy.margin * figure.scale
        self.height = float(np.ptp(self.points[:, 2]))


@dataclass(frozen=True)
class Shadow:
    """area: centre and half size on the plane; thrown (m, 2): where on it points are thrown; points (n, 3) on the plane with
    their height; slopes (k, 2) of the light; closeness: height in metres over which a thing stops darkening what is below."""

    area: tuple[float, float, float, float]
    thrown: Array
    points: Array
    triangles: Array
    slopes: Array
    closeness: float


def plan_shadow(figures: list[Posed], view: View, light: Light) -> Shadow | None:
    if not figures:
        return None
    axes = plane_axes(view.plane)
    points = [f.points @ axes[:, :3].T + axes[:, 3] for f in figures]
    offsets = np.cumsum([0] + [len(p) for p in points[:-1]])
    triangles = [f.figure.body.proxy.triangles + o for f, o in zip(figures, offsets, strict=True)]
    on_plane = np.concatenate(points)
    slopes = light.slopes(axes[:, :3])
    height = np.maximum(on_plane[:, 2:], 0)
    thrown = (on_plane[:, :2] - np.vstack([slopes, np.zeros(2)])[:, None] * height).reshape(-1, 2)
    low, high = thrown.min(0), thrown.max(0)
    closeness = _CLOSENESS * max(f.height for f in figures)
    half = (high - low) / 2 * (1 + 4 / SHADOW_SIZE) + closeness
    return Shadow(
        (*((low + high) / 2), *half),
        thrown,
        on_plane.astype(np.float32),
        np.concatenate(triangles).astype(np.uint32),
        slopes.astype(np.float32),
        closeness,
    )


def touched(
    figures: list[Posed], shadow: Shadow | None, view: View, contents: Contents, size: tuple[int, int]
) -> tuple[Region, Array] | None:
    """The part of the picture that anything can touch, and which of its cells, (n, n) bool."""
    k, T = view.intrinsics, inverse(view.T_map_camera)
    outlines = [outline(f.points, f.margin, k, T, size) for f in figures]
    if shadow is not None:
        axes = plane_axes(view.plane)
        hull = cv2.convexHull(shadow.thrown.astype(np.float32)).reshape(-1, 2)
        on_plane = np.column_stack([hull, np.zeros(len(hull))])
        blurred = shadow.closeness + 6 / SHADOW_SIZE * max(shadow.area[2:])
        outlines.append(outline((on_plane - axes[:, 3]) @ axes[:, :3], blurred, k, T, size))
    if contents.particles is not None and len(contents.particles.records):
        record = contents.particles.records["particle"].astype(np.float64)
        outlines.append(outline(record[:, :3], float(record[:, 3].max()), k, T, size))
    there = [o for o in outlines if o is not None]
    if not there:
        return None
    low = np.min([uv.min(0) - grow for uv, grow in there], axis=0)
    high = np.max([uv.max(0) + grow for uv, grow in there], axis=0)
    x0, y0 = (int(v) for v in np.clip(np.floor(low), 0, size))
    x1, y1 = (int(v) for v in np.clip(np.ceil(high), 0, size))
    if x1 <= x0 or y1 <= y0:
        return None
    n = 12 if any(k.distortion) else 32
    cells, cell = np.zeros((n, n), np.uint8), np.array([x1 - x0, y1 - y0]) / n
    for uv, grow in there:
        one = np.zeros_like(cells)
        corners = np.floor((uv - (x0, y0)) / cell).clip(-1e4, 1e4).astype(np.int32)
        cv2.fillConvexPoly(one, cv2.convexHull(corners), 1)
        wide, tall = (2 * int(np.ceil(min(grow / c, n))) + 1 for c in cell)
        cells = np.maximum(cells, cv2.dilate(one, np.ones((tall, wide), np.uint8)))
    return (x0, y0, x1, y1), cells > 0


def outline(points: Array, margin: float, k: Intrinsics, T: Array, size: tuple[int, int]) -> tuple[Array, float] | None:
    """Pixels (m, 2) around points (n, 3) in map, and by how many pixels to grow them, which are margin metres and three
    pixels; the whole picture when some lie behind the camera, None when all do."""
    p = transform(T, points)
    if (p[:, 2] < 1e-3).all():
        return None
    if (p[:, 2] < 1e-3).any():
        return np.array([[0, 0], [size[0], 0], [0, size[1]], size], np.float64), 0.0
    return k.project(p), margin * max(k.fx, k.fy) / float(p[:, 2].min()) + 3


def ray_cells(k: Intrinsics, region: Region, cells: Array) -> Array:
    """Triangles (m, 4) float32 over those cells (n, n) bool of the region, with the ray at each corner."""
    n = len(cells)
    x0, y0, x1, y1 = region
    s = np.linspace(0, 1, n + 1)
    px, py = np.meshgrid(s, s)
    pixels = np.column_stack([x0 + px.ravel() * (x1 - x0) - 0.5, y0 + py.ravel() * (y1 - y0) - 0.5])
    vertex = np.column_stack([px.ravel(), py.ravel(), k.rays(pixels)[:, :2]]).astype(np.float32)
    if any(k.distortion):
        row, start = np.nonzero(cells)
        end = start + 1
    else:  # where rays do not bend a run of cells is one
        edges = np.diff(np.pad(cells, ((0, 0), (1, 1))).astype(np.int8), axis=1)
        (row, start), (_, end) = np.nonzero(edges == 1), np.nonzero(edges == -1)
    a, b = row * (n + 1) + start, row * (n + 1) + end
    return vertex[np.column_stack([a, b, a + n + 1, b, b + n + 1, a + n + 1]).ravel()]
