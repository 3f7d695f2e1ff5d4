"""Reads characters: binary glTF 2.0 with skins, a node hierarchy, clips and base colours (Khronos glTF 2.0, §3-5).

What the renderer cannot draw (normal maps, cameras, lights) is left out without a word; what would change the shape or
motion (compressed meshes, sparse data, outside files) is refused. Every defect of a file is a ValueError.
"""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.glb import chunks

from .animation import Clip, Pose, Track, topological
from .model import Material, Model, Primitive

Array = NDArray[Any]
_COMPONENTS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_PATHS = {"translation": 3, "rotation": 4, "scale": 3}
_UNDERSTOOD = {"KHR_materials_unlit", "KHR_texture_transform", "KHR_mesh_quantization"}


def read_glb(data: bytes, what: str = "character") -> Model:
    """The model in a .glb file's bytes; ValueError says what is wrong with it."""
    try:
        document, blob = chunks(data)
        return _Reader(document, blob).model()
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error
    except (KeyError, IndexError, TypeError, AttributeError, struct.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{what}: the .glb is corrupt ({type(error).__name__}: {error}); export it again") from error


class _Reader:
    """One pass over a document."""

    def __init__(self, document: dict[str, Any], blob: bytes) -> None:
        needs = set(document.get("extensionsRequired", [])) - _UNDERSTOOD
        if needs:
            raise ValueError(
                f"needs the extension {', '.join(sorted(needs))}, which is not supported; export without it"
            )
        self.document, self.blob = document, blob

    def model(self) -> Model:
        nodes = self.document.get("nodes", [])
        parents = np.full(len(nodes), -1)
        for i, node in enumerate(nodes):
            for child in node.get("children", []):
                if not 0 <= child < len(nodes) or parents[child] >= 0 or child == i:
                    raise ValueError(f"the .glb is corrupt: node {child} has no proper place in the hierarchy")
                parents[child] = i
        rest = _rest(nodes)
        images = tuple(self._image(i) for i in range(len(self.document.get("images", []))))
        joints: list[int] = []
        inverse_bind: list[Array] = []
        primitives: list[Primitive] = []
        for i, node in enumerate(nodes):
            if "mesh" not in node:
                continue
            first = len(joints)
            if "skin" in node:
                skin = self.document["skins"][node["skin"]]
                joints += skin["joints"]
                inverse_bind += list(self._inverse_bind(skin))
            else:  # rigid: the node itself is its only joint
                joints.append(i)
                inverse_bind.append(np.eye(4))
            for j, primitive in enumerate(self.document["meshes"][node["mesh"]]["primitives"]):
                where = f"mesh {node['mesh']}, primitive {j}"
                primitives.append(self._primitive(primitive, first, len(joints) - first, "skin" in node, where))
        if not primitives:
            raise ValueError("the .glb has no mesh to draw")
        if joints and not all(0 <= j < len(nodes) for j in joints):
            raise ValueError("the .glb is corrupt: a skin names a joint that does not exist")
        for primitive in primitives:
            if primitive.material.image >= len(images):
                raise ValueError(
                    f"the .glb is corrupt: a material names picture {primitive.material.image} of {len(images)}"
                )
        names = tuple(str(n.get("name", f"node{i}")) for i, n in enumerate(nodes))
        clips = [self._clip(a, i, len(nodes)) for i, a in enumerate(self.document.get("animations", []))]
        return Model(
            names,
            parents,
            topological(parents),
            rest,
            np.array(joints),
            np.array(inverse_bind),
            tuple(primitives),
            images,
            {clip.name: clip for clip in clips},
            self._extras(),
        )

    def _extras(self) -> dict[str, Any]:
        """All extras that describe the character, from wherever an exporter puts them; the outermost wins."""
        document = self.document
        places = [*document.get("nodes", []), *document.get("scenes", []), document.get("asset", {}), document]
        out: dict[str, Any] = {}
        for place in places:
            extras = place.get("extras")
            if isinstance(extras, dict):
                out.update(extras)
        return out

    def _view(self, index: int) -> tuple[int, int, int]:
        view = self.document["bufferViews"][index]
        if "uri" in self.document["buffers"][view["buffer"]] or view["buffer"] != 0:
            raise ValueError("the .glb keeps data in another file; export it as one .glb")
        start, length = view.get("byteOffset", 0), view["byteLength"]
        if start < 0 or length < 0 or start + length > len(self.blob):
            raise ValueError(f"the .glb is corrupt: data block {index} runs past the end")
        return start, length, view.get("byteStride", 0)

    def _accessor(self, index: int, kind: str) -> Array:
        """The (count, width) array; integers that are normalised come as float32."""
        if not isinstance(index, int) or index < 0:
            raise ValueError(f"the .glb is corrupt: no data array {index!r}")
        accessor = self.document["accessors"][index]
        if "sparse" in accessor:
            raise ValueError("sparse data arrays are not supported; export without them")
        if accessor["type"] != kind:
            raise ValueError(f"the .glb is corrupt: data array {index} is {accessor['type']}, should be {kind}")
        dtype, width, count = np.dtype(_COMPONENTS[accessor["componentType"]]), _WIDTHS[kind], accessor["count"]
        start, length, stride = self._view(accessor["bufferView"])
        offset, row = accessor.get("byteOffset", 0), dtype.itemsize * width
        stride = stride or row
        if count < 1 or offset < 0 or stride < row or offset + (count - 1) * stride + row > length:
            raise ValueError(f"the .glb is corrupt: data array {index} runs past its block")
        out = np.ndarray((count, width), dtype, self.blob, start + offset, (stride, dtype.itemsize))
        if accessor.get("normalized") and dtype.kind in "iu":
            return np.maximum(out.astype(np.float32) / np.iinfo(dtype).max, -1.0)
        if dtype.kind == "f" and not np.isfinite(out).all():
            raise ValueError(f"the .glb is corrupt: data array {index} has NaN or infinite values")
        return np.ascontiguousarray(out)

    def _inverse_bind(self, skin: dict[str, Any]) -> Array:
        count = len(skin["joints"])
        if "inverseBindMatrices" not in skin:
            return np.tile(np.eye(4), (count, 1, 1))
        out = self._accessor(skin["inverseBindMatrices"], "MAT4")
        if len(out) < count:
            raise ValueError(f"the .glb is corrupt: {len(out)} inverse bind matrices for {count} joints")
        return out[:count].reshape(-1, 4, 4).transpose(0, 2, 1).astype(np.float64)

    def _primitive(self, p: dict[str, Any], first: int, count: int, skinned: bool, where: str) -> Primitive:
        if p.get("mode", 4) != 4:
            raise ValueError(f"{where}: only triangles are supported, not mode {p['mode']}")
        attributes = p["attributes"]
        positions = self._accessor(attributes["POSITION"], "VEC3").astype(np.float32)
        n = len(positions)
        if "indices" in p:
            indices = self._accessor(p["indices"], "SCALAR").ravel().astype(np.uint32)
        else:
            indices = np.arange(n, dtype=np.uint32)
        triangles = indices[: len(indices) // 3 * 3].reshape(-1, 3)
        if len(triangles) == 0 or int(triangles.max()) >= n:
            raise ValueError(f"the .glb is corrupt: {where} names vertices that do not exist")

        def attribute(name: str, kind: str) -> Array | None:
            if name not in attributes:
                return None
            out = self._accessor(attributes[name], kind)
            if len(out) != n:
                raise ValueError(f"the .glb is corrupt: {where} has {n} positions and {len(out)} {name}")
            return out

        normals, uvs = attribute("NORMAL", "VEC3"), attribute("TEXCOORD_0", "VEC2")
        joints = np.full((n, 4), first, np.uint16)
        weights = np.tile(np.array([1, 0, 0, 0], np.float32), (n, 1))
        if skinned:
            own, w = attribute("JOINTS_0", "VEC4"), attribute("WEIGHTS_0", "VEC4")
            if own is None or w is None:
                raise ValueError(f"the .glb is corrupt: {where} has a skin but no joints and weights")
            total = w.sum(1, keepdims=True)
            weights = (w / np.where(total > 0, total, 1)).astype(np.float32)
            joints = np.where(weights > 0, own, 0).astype(np.int64)
            if int(joints.max()) >= count:
                raise ValueError(f"the .glb is corrupt: {where} names joint {int(joints.max())} of {count}")
            joints = (joints + first).astype(np.uint16)
        return Primitive(
            positions,
            _normals(positions, triangles) if normals is None else normals.astype(np.float32),
            np.zeros((n, 2), np.float32) if uvs is None else uvs.astype(np.float32),
            self._colours(attributes, n),
            joints,
            weights,
            triangles,
            self._material(p.get("material")),
        )

    def _colours(self, attributes: dict[str, Any], n: int) -> Array:
        out = np.ones((n, 4), np.float32)
        if "COLOR_0" in attributes:
            kind = self.document["accessors"][attributes["COLOR_0"]]["type"]
            colours = self._accessor(attributes["COLOR_0"], kind)
            out[:, : colours.shape[1]] = colours[:n]
        return out

    def _material(self, index: int | None) -> Material:
        if index is None:
            return Material()
        material = self.document["materials"][index]
        pbr = material.get("pbrMetallicRoughness", {})
        r, g, b, a = (float(x) for x in pbr.get("baseColorFactor", (1, 1, 1, 1)))
        image = -1
        if "baseColorTexture" in pbr:
            image = int(self.document["textures"][pbr["baseColorTexture"]["index"]].get("source", -1))
        return Material(
            (r, g, b, a),
            image,
            float(pbr.get("roughnessFactor", 1.0)),
            "KHR_materials_unlit" in material.get("extensions", {}),
            bool((material.get("extras") or {}).get("photo", material.get("name") == "body" and image >= 0)),
            bool(material.get("doubleSided", False)),
        )

    def _image(self, index: int) -> Array:
        image = self.document["images"][index]
        if "bufferView" not in image:
            raise ValueError("the .glb keeps a picture in another file; export it as one .glb")
        start, length, _ = self._view(image["bufferView"])
        raw = np.frombuffer(self.blob, np.uint8, length, start)
        decoded = cv2.imdecode(raw, cv2.IMREAD_UNCHANGED) if length else None
        if decoded is None or decoded.dtype != np.uint8:
            raise ValueError(f"picture {index} in the .glb does not decode (8-bit PNG or JPEG wanted)")
        code = {2: cv2.COLOR_GRAY2RGBA, 3: cv2.COLOR_BGR2RGBA}.get(decoded.ndim if decoded.ndim == 2 else 3)
        if decoded.ndim == 3 and decoded.shape[2] == 4:
            code = cv2.COLOR_BGRA2RGBA
        return np.ascontiguousarray(cv2.cvtColor(decoded, int(code or 0)))

    def _clip(self, animation: dict[str, Any], index: int, nodes: int) -> Clip:
        name = str(animation.get("name", f"clip{index}"))
        groups: dict[tuple[int, str, bool], list[tuple[int, Array]]] = {}
        for channel in animation["channels"]:
            target, sampler = channel["target"], animation["samplers"][channel["sampler"]]
            if "node" not in target or target["path"] not in _PATHS:
                continue  # morph weights and extensions
            if not 0 <= target["node"] < nodes:
                raise ValueError(f"the .glb is corrupt: clip {name} moves node {target['node']} of {nodes}")
            way = sampler.get("interpolation", "LINEAR")
            values = self._accessor(sampler["output"], "VEC4" if target["path"] == "rotation" else "VEC3")
            if way == "CUBICSPLINE":  # in-tangent, value, out-tangent: the values alone, exporters sample densely
                values = values[1::3]
            groups.setdefault((sampler["input"], target["path"], way == "STEP"), []).append((target["node"], values))
        tracks = []
        for (times_index, path, step), members in groups.items():
            times = self._accessor(times_index, "SCALAR").ravel().astype(np.float64)
            if (np.diff(times) <= 0).any() or any(len(v) != len(times) for _, v in members):
                raise ValueError(f"the .glb is corrupt: the key times of clip {name} do not fit their values")
            stacked = np.stack([v for _, v in members], 1).astype(np.float64)
            if path == "rotation":
                stacked /= np.maximum(np.linalg.norm(stacked, axis=2, keepdims=True), 1e-12)
            tracks.append(Track(path, np.array([n for n, _ in members]), times, stacked, step))
        return Clip(name, max((float(t.times[-1]) for t in tracks), default=0.0), tuple(tracks))


def _rest(nodes: list[dict[str, Any]]) -> Pose:
    translation, rotation, scale = np.zeros((len(nodes), 3)), np.zeros((len(nodes), 4)), np.ones((len(nodes), 3))
    rotation[:, 3] = 1
    for i, node in enumerate(nodes):
        if "matrix" in node:
            m = np.array(node["matrix"], np.float64).reshape(4, 4).T
            translation[i], scale[i] = m[:3, 3], np.linalg.norm(m[:3, :3], axis=0)
            rotation[i] = _quaternion(m[:3, :3] / np.maximum(scale[i], 1e-12))
        translation[i] = node.get("translation", translation[i])
        rotation[i] = node.get("rotation", rotation[i])
        scale[i] = node.get("scale", scale[i])
    norms = np.linalg.norm(rotation, axis=1, keepdims=True)
    if (
        not (np.isfinite(translation).all() and np.isfinite(scale).all() and np.isfinite(norms).all())
        or (norms < 1e-6).any()
    ):
        raise ValueError("the .glb is corrupt: a node's placement is not a number or not a rotation")
    return Pose(translation, rotation / norms, scale)


def _quaternion(R: Array) -> Array:
    from ar_core.geometry import nearest_rotation, quaternion_from_rotation

    return quaternion_from_rotation(nearest_rotation(R))


def _normals(positions: Array, triangles: Array) -> Array:
    """Area-weighted vertex normals (n, 3)."""
    a, b, c = (positions[triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    out = np.zeros_like(positions)
    for i in range(3):
        np.add.at(out, triangles[:, i], face)
    return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-20), np.float32)
