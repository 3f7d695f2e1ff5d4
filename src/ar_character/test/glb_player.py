"""A small glTF player for the tests: poses of a .glb at a moment of a clip, by the specification and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ar_character.gltf import read_accessor, read_glb

Array = NDArray[Any]


class Player:
    """Skinned vertices and joint matrices of a .glb."""

    def __init__(self, glb: bytes) -> None:
        self.document, self.blob = read_glb(glb)
        self.nodes = self.document["nodes"]
        self.names = [node["name"] for node in self.nodes]
        self.parents = {child: i for i, node in enumerate(self.nodes) for child in node.get("children", [])}
        self.clips = {clip["name"]: clip for clip in self.document["animations"]}
        self.extras = self.document["scenes"][0]["extras"]
        skin = self.document["skins"][0]
        self.joints = skin["joints"]
        self.inverse_bind = self.values(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)

    def values(self, accessor: int) -> Array:
        return read_accessor(self.document, self.blob, accessor)

    def duration(self, clip: str) -> float:
        return float(self.values(self.clips[clip]["samplers"][0]["input"]).max())

    def world(self, clip: str | None = None, moment: float = 0.0) -> Array:
        """(n, 4, 4) matrices of all nodes."""
        t = np.array([node.get("translation", [0, 0, 0]) for node in self.nodes], float)
        q = np.tile([0.0, 0, 0, 1], (len(self.nodes), 1))
        s = np.ones((len(self.nodes), 3))
        for channel in self.clips[clip]["channels"] if clip else []:
            sampler = self.clips[clip]["samplers"][channel["sampler"]]  # type: ignore[index]
            value = sampled(self.values(sampler["input"])[:, 0], self.values(sampler["output"]), moment)
            path = channel["target"]["path"]
            {"translation": t, "rotation": q, "scale": s}[path][channel["target"]["node"]] = value
        out: dict[int, Array] = {}

        def matrix(i: int) -> Array:
            if i not in out:
                local = np.eye(4)
                local[:3, :3] = rotation(q[i] / np.linalg.norm(q[i])) * s[i]
                local[:3, 3] = t[i]
                out[i] = matrix(self.parents[i]) @ local if i in self.parents else local
            return out[i]

        return np.array([matrix(i) for i in range(len(self.nodes))])

    def joint(self, name: str, clip: str | None = None, moment: float = 0.0) -> Array:
        return np.asarray(self.world(clip, moment)[self.names.index(name)])

    def vertices(self, clip: str | None = None, moment: float = 0.0) -> Array:
        """(n, 3) skinned vertices of all primitives."""
        matrices = self.world(clip, moment)[self.joints] @ self.inverse_bind
        out = []
        for primitive in self.document["meshes"][0]["primitives"]:
            a = primitive["attributes"]
            p, j, w = (self.values(a[k]) for k in ("POSITION", "JOINTS_0", "WEIGHTS_0"))
            blended = np.einsum("vk,vkij->vij", w, matrices[j.astype(int)])
            out.append(np.einsum("vij,vj->vi", blended[:, :3, :3], p) + blended[:, :3, 3])
        return np.concatenate(out)


def sampled(times: Array, values: Array, moment: float) -> Array:
    k = int(np.clip(np.searchsorted(times, moment) - 1, 0, len(times) - 2))
    f = float(np.clip((moment - times[k]) / (times[k + 1] - times[k]), 0, 1))
    a, b = values[k].astype(float), values[k + 1].astype(float)
    if values.shape[1] == 4:
        b = -b if a @ b < 0 else b
        angle = np.arccos(min(1.0, float(a @ b)))
        if angle > 1e-6:
            return np.asarray((np.sin((1 - f) * angle) * a + np.sin(f * angle) * b) / np.sin(angle))
    return np.asarray((1 - f) * a + f * b)


def rotation(q: Array) -> Array:
    x, y, z, w = q
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
