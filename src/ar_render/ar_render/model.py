"""A character as its file describes it: meshes with skins, a hierarchy of nodes, clips and pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .animation import Clip, Pose, matrices

Array = NDArray[Any]


@dataclass(frozen=True)
class Material:
    """How a surface looks: linear base colour (4,), index of its picture or -1.

    ``photo`` says that the texture shows the thing as the camera saw it, light included: extras ``photo``, or a textured
    material called ``body``.
    """

    colour: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    image: int = -1
    roughness: float = 1.0
    unlit: bool = False
    photo: bool = False
    double_sided: bool = False


@dataclass(frozen=True)
class Primitive:
    """A triangle mesh with one material; all arrays row per vertex.

    positions, normals (n, 3) float32; uvs (n, 2) float32; colours (n, 4) float32, linear; joints (n, 4) uint16 into
    Model.joints; weights (n, 4) float32 that sum to 1; triangles (m, 3) uint32, counter-clockwise from outside.
    """

    positions: Array
    normals: Array
    uvs: Array
    colours: Array
    joints: Array
    weights: Array
    triangles: Array
    material: Material


@dataclass(frozen=True)
class Model:
    """A character as its file describes it: metres, y up, +z is where it looks.

    parents (n,) is -1 for roots; order lists the nodes so that parents come first; joints (k,) are node indices and
    inverse_bind (k, 4, 4) takes the mesh into each joint's frame. images are (h, w, 4) uint8 RGBA, sRGB.
    """

    names: tuple[str, ...]
    parents: Array
    levels: tuple[Array, ...]
    rest: Pose
    joints: Array
    inverse_bind: Array
    primitives: tuple[Primitive, ...]
    images: tuple[Array, ...]
    clips: dict[str, Clip]
    extras: dict[str, Any] = field(default_factory=dict)

    @property
    def triangles(self) -> int:
        return sum(len(p.triangles) for p in self.primitives)

    def node(self, name: str) -> int:
        """Index of the node with this name, -1 when there is none."""
        return self.names.index(name) if name in self.names else -1

    def global_matrices(self, pose: Pose) -> Array:
        """(n, 4, 4) float64: every node's frame in the character's, in this pose."""
        out = matrices(pose)
        for level in self.levels[1:]:
            out[level] = out[self.parents[level]] @ out[level]
        return out

    def skin(self, global_matrices: Array) -> Array:
        """(k, 4, 4): what the vertices of each joint go through, for the matrices of all nodes (n, 4, 4)."""
        return np.asarray(global_matrices[self.joints] @ self.inverse_bind)
