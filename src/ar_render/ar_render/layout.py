"""What a picture is drawn of, and which part of the picture and of the table it touches; nothing here draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

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
    """area: centre and half size on the plane; points (n, 3) on the plane with their height; slopes (k, 2) of the light;
    closeness: height in metres over which a thing stops darkening what is below it."""

    area: tuple[float, float, float, float]
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
    ends = [on_plane[:, :2] - height * slope for slope in (*slopes, np.zeros(2))]
    low, high = np.min([e.min(0) for e in ends], axis=0), np.max([e.max(0) for e in ends], axis=0)
    closeness = _CLOSENESS * max(f.height for f in figures)
    half = (high - low) / 2 * (1 + 4 / SHADOW_SIZE) + closeness
    return Shadow(
        (*((low + high) / 2), *half),
        on_plane.astype(np.float32),
        np.concatenate(triangles).astype(np.uint32),
        slopes.astype(np.float32),
        closeness,
    )


def touched_region(
    figures: list[Posed], shadow: Shadow | None, view: View, contents: Contents, size: tuple[int, int]
) -> Region | None:
    """The part of the picture that anything can touch."""
    k, T = view.intrinsics, inverse(view.T_map_camera)
    boxes = [bounds(f.points, f.margin, k, T, size) for f in figures]
    if shadow is not None:
        cx, cy, hx, hy = shadow.area
        axes = plane_axes(view.plane)
        s = np.linspace(-1, 1, 5)
        grid = np.stack(np.meshgrid(cx + hx * s, cy + hy * s, [0.0], indexing="ij"), -1).reshape(-1, 3)
        boxes.append(bounds((grid - axes[:, 3]) @ axes[:, :3], 0.0, k, T, size))
    if contents.particles is not None and len(contents.particles.records):
        record = contents.particles.records["particle"].astype(np.float64)
        boxes.append(bounds(record[:, :3], float(record[:, 3].max()), k, T, size))
    found = np.array([b for b in boxes if b is not None])
    if len(found) == 0:
        return None
    low, high = found[:, :2].min(0), found[:, 2:].max(0)
    x0, y0 = max(0, int(low[0])), max(0, int(low[1]))
    x1, y1 = min(size[0], int(high[0])), min(size[1], int(high[1]))
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def bounds(points: Array, margin: float, k: Intrinsics, T: Array, size: tuple[int, int]) -> Region | None:
    """The box of points (n, 3) in map, grown by margin metres and two pixels; all of the picture when some lie behind."""
    p = transform(T, points)
    if (p[:, 2] < 1e-3).all():
        return None
    if (p[:, 2] < 1e-3).any():
        return (0, 0, *size)
    uv = k.project(p)
    grow = margin * max(k.fx, k.fy) / float(p[:, 2].min()) + 3
    low, high = np.floor(uv.min(0) - grow), np.ceil(uv.max(0) + grow)
    low, high = np.clip(low, -1e6, 1e6), np.clip(high, -1e6, 1e6)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def ray_cells(k: Intrinsics, region: Region) -> Array:
    """Triangles (n, 4) float32 over the region with the ray at each corner; many where the lens bends, else two."""
    n = 12 if any(k.distortion) else 1
    x0, y0, x1, y1 = region
    s = np.linspace(0, 1, n + 1)
    px, py = np.meshgrid(s, s)
    pixels = np.column_stack([x0 + px.ravel() * (x1 - x0) - 0.5, y0 + py.ravel() * (y1 - y0) - 0.5])
    vertex = np.column_stack([px.ravel(), py.ravel(), k.rays(pixels)[:, :2]]).astype(np.float32)
    a = (np.arange(n)[:, None] * (n + 1) + np.arange(n)).ravel()
    return vertex[np.column_stack([a, a + 1, a + n + 1, a + 1, a + n + 2, a + n + 1]).ravel()]
