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
from .shadow import Region, Shadow

Array = NDArray[Any]

# glTF's y up, looking along +z → REP-103's z up, looking along +x.
_CELLS = 32
MAP_FROM_GLTF = np.array([[0.0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])


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
    """A figure's skin matrices, its proxy's points (n, 3) and those of its surface (k, 3) in map."""

    def __init__(self, figure: Figure) -> None:
        self.figure, self.skin = figure, figure.skin
        self.points = figure.body.proxy.posed(self.skin)
        self.margin = figure.body.proxy.margin * figure.scale
        self.surface = figure.body.proxy.surface(self.points)
        self.height = float(np.ptp(self.points[:, 2]))


def touched(
    figures: list[Posed], shadow: Shadow | None, view: View, contents: Contents, size: tuple[int, int]
) -> tuple[Region, Array] | None:
    """The part of the picture that anything can touch, and which cells (n, n) bool of a grid over it the shadow can."""
    k, T = view.intrinsics, inverse(view.T_map_camera)
    outlines = [outline(f.points, f.margin, k, T, size) for f in figures]
    if contents.particles is not None and len(contents.particles.records):
        record = contents.particles.records["particle"].astype(np.float64)
        outlines.append(outline(record[:, :3], float(record[:, 3].max()), k, T, size))
    shade = None
    if shadow is not None:
        axes = plane_axes(view.plane)
        on_plane = np.column_stack([shadow.outline, np.zeros(len(shadow.outline))])
        shade = outline((on_plane - axes[:, 3]) @ axes[:, :3], 2 * shadow.texel, k, T, size)
        outlines.append(shade)
    there = [o for o in outlines if o is not None]
    if not there:
        return None
    low = np.min([uv.min(0) - grow for uv, grow in there], axis=0)
    high = np.max([uv.max(0) + grow for uv, grow in there], axis=0)
    x0, y0 = (int(v) for v in np.clip(np.floor(low), 0, size))
    x1, y1 = (int(v) for v in np.clip(np.ceil(high), 0, size))
    if x1 <= x0 or y1 <= y0:
        return None
    cells = np.zeros((_CELLS, _CELLS), bool)
    if shade is not None:
        uv, grow = shade
        cell = np.array([x1 - x0, y1 - y0]) / _CELLS
        (a, b), (c, d) = (np.clip((v - (x0, y0)) / cell, 0, _CELLS) for v in (uv.min(0) - grow, uv.max(0) + grow))
        cells[int(b) : int(np.ceil(d)), int(a) : int(np.ceil(c))] = True
    return (x0, y0, x1, y1), cells


def outline(points: Array, margin: float, k: Intrinsics, T: Array, size: tuple[int, int]) -> tuple[Array, float] | None:
    """Pixels (m, 2) around points (n, 3) in map, and by how many pixels to grow them, which are margin metres and three
    pixels; the whole picture when some lie behind the camera, None when all do."""
    p = transform(T, points)
    if (p[:, 2] < 1e-3).all():
        return None
    if (p[:, 2] < 1e-3).any():
        return np.array([[0, 0], [size[0], 0], [0, size[1]], size], np.float64), 0.0
    return k.project(p), margin * max(k.fx, k.fy) / float(p[:, 2].min()) + 3
