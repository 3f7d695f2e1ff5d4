"""Animated, skinned glTF 2.0 binaries (Khronos: glTF 2.0 specification), written and read back.

The scene's `extras` tell a renderer what the standard has no word for:

- `height_m`, `object_height_m`: with and without legs;
- `clips`: per clip `loop`, `duration_s` and `stride_m`, the way along +z that a cycle covers while the clip stays in
  place (0 for clips that do not travel); feet do not slide when the character moves by it;
- `theme`: which one a character wears, and `emitters`: where particles come from and what becomes of them, in metres and
  in the frame of a joint (docs/themes.md); `pastime` in a clip: a theme's own that it likes to do;
- `live`: joints for behaviour at run time: `gaze` (turn to look; -y is to its right), `lids` (turn about x by
  `lid_travel_rad` to shut) and `lower_lids` (by `lower_lid_travel_rad`), `mouth` (scale y to open), `head`, `springs`
  (joints that may lag behind the body).
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ar_character.mesh import Part
from ar_character.motion import Tracks
from ar_character.rig import Rig
from ar_core.glb import container

FLOAT, UINT8, UINT16, UINT32 = 5126, 5121, 5123, 5125
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
MATERIALS: dict[str, dict[str, Any]] = {
    "body": {"metallicFactor": 0.0, "roughnessFactor": 0.72},  # the photographed object, its light included
    "limb": {"metallicFactor": 0.0, "roughnessFactor": 0.62},
    "eye": {"metallicFactor": 0.0, "roughnessFactor": 0.18},
}
NAME = "tsukumo"
DECIMALS = 7  # 0.1 um: what lies below differs from processor to processor, and shows where a value should be 0


@dataclass(frozen=True)
class Animation:
    """A clip ready to be written: moments (n,) s and what the joints do."""

    name: str
    time: NDArray[np.float64]
    tracks: Tracks


class _Buffer:
    """Collects arrays and hands out accessor numbers."""

    def __init__(self) -> None:
        self.blob = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, data: bytes, target: int | None = None) -> int:
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.blob), "byteLength": len(data)}
        if target:
            view["target"] = target
        self.views.append(view)
        self.blob += data + b"\0" * (-len(data) % 4)
        return len(self.views) - 1

    def add(self, values: NDArray[Any], kind: str, component: int, target: int | None = None, **more: Any) -> int:
        """An accessor for values (n,) or (n, k); `bounds=True` adds min and max, `normalized=True` is passed on."""
        array = np.ascontiguousarray(_rounded(values) if component == FLOAT else values, DTYPES[component])
        accessor: dict[str, Any] = {
            "bufferView": self.view(array.tobytes(), target),
            "componentType": component,
            "count": len(array),
            "type": kind,
        }
        if more.get("normalized"):
            accessor["normalized"] = True
        if more.get("bounds"):
            accessor["min"] = [float(v) for v in np.atleast_1d(array.min(0))]
            accessor["max"] = [float(v) for v in np.atleast_1d(array.max(0))]
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def write_glb(
    parts: list[Part],
    rig: Rig,
    animations: list[Animation],
    jpeg: bytes,
    extras: dict[str, Any],
    painted: dict[str, dict[str, Any]] | None = None,
) -> bytes:
    """A complete binary glTF: one skinned mesh with a primitive per material, one texture, all animations.

    painted: materials, by name, of parts that have colours and do not wear the texture.
    """
    buffer = _Buffer()
    painted = painted or {}
    materials = [name for name in (*MATERIALS, *painted) if any(part.material == name for part in parts)]
    primitives = [
        _primitive(buffer, [part for part in parts if part.material == name], rig, number)
        for number, name in enumerate(materials)
    ]
    nodes: list[dict[str, Any]] = [{"name": "character", "mesh": 0, "skin": 0}]
    for i, name in enumerate(rig.names):
        node: dict[str, Any] = {"name": name, "translation": _floats(rig.local(name))}
        children = [k + 1 for k, parent in enumerate(rig.parents) if parent == i]
        if children:
            node["children"] = children
        nodes.append(node)
    inverse_bind = np.tile(np.eye(4), (len(rig.names), 1, 1))
    inverse_bind[:, 3, :3] = -rig.rest  # columns first
    skin = {
        "joints": list(range(1, len(rig.names) + 1)),
        "inverseBindMatrices": buffer.add(inverse_bind.reshape(-1, 16), "MAT4", FLOAT),
        "skeleton": 1,
    }
    clips = [_animation(buffer, animation, rig) for animation in animations]
    image = buffer.view(jpeg)
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": NAME},
        "scene": 0,
        "scenes": [{"name": NAME, "nodes": [0, 1], "extras": extras}],
        "nodes": nodes,
        "meshes": [{"name": "character", "primitives": primitives}],
        "skins": [skin],
        "materials": [
            {"name": name, "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}, **MATERIALS[name]}}
            if name in MATERIALS
            else {"name": name, **painted[name]}
            for name in materials
        ],
        "textures": [{"source": 0, "sampler": 0}],
        "samplers": [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}],
        "images": [{"bufferView": image, "mimeType": "image/jpeg"}],
        "animations": clips,
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.blob)}],
    }
    used = sorted({key for material in painted.values() for key in material.get("extensions", {})})
    if used:
        document["extensionsUsed"] = used
    return container(document, bytes(buffer.blob))


def _primitive(buffer: _Buffer, parts: list[Part], rig: Rig, material: int) -> dict[str, Any]:
    offsets = np.cumsum([0] + [len(p.vertices) for p in parts])
    faces = np.concatenate([p.faces + offset for p, offset in zip(parts, offsets, strict=False)])
    joints, weights = skin_vertices(parts, rig)
    wide = int(offsets[-1]) > 65535
    if parts[0].colours is None:
        worn = ("TEXCOORD_0", lambda: buffer.add(_stack(parts, "uv"), "VEC2", FLOAT, ARRAY_BUFFER))
    else:
        levels = np.round(_stack(parts, "colours") * 65535)
        opaque = np.column_stack([levels, np.full(len(levels), 65535)])
        worn = ("COLOR_0", lambda: buffer.add(opaque, "VEC4", UINT16, ARRAY_BUFFER, normalized=True))
    return {
        "attributes": {
            "POSITION": buffer.add(_stack(parts, "vertices"), "VEC3", FLOAT, ARRAY_BUFFER, bounds=True),
            "NORMAL": buffer.add(_unit(_stack(parts, "normals")), "VEC3", FLOAT, ARRAY_BUFFER),
            worn[0]: worn[1](),
            "JOINTS_0": buffer.add(joints, "VEC4", UINT8, ARRAY_BUFFER),
            "WEIGHTS_0": buffer.add(weights, "VEC4", UINT8, ARRAY_BUFFER, normalized=True),
        },
        "indices": buffer.add(faces.ravel(), "SCALAR", UINT32 if wide else UINT16, ELEMENT_ARRAY_BUFFER),
        "material": material,
        "mode": 4,
    }


def skin_vertices(parts: list[Part], rig: Rig) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Four joints and weights per vertex (n, 4); weights in 1/255, their sum exactly 255; unused slots are 0."""
    all_joints, all_weights = [], []
    for part in parts:
        names = list(part.influences)
        weight = np.column_stack([part.influences[name] for name in names])
        number = np.array([rig.index(name) for name in names])
        if weight.shape[1] < 4:
            pad = 4 - weight.shape[1]
            weight = np.pad(weight, ((0, 0), (0, pad)))
            number = np.pad(number, (0, pad))
        top = np.argsort(-weight, axis=1, kind="stable")[:, :4]
        w = np.take_along_axis(weight, top, 1)
        w8 = np.floor(255 * w / w.sum(1, keepdims=True) + 0.5).astype(int)
        w8[:, 0] += 255 - w8.sum(1)
        all_weights.append(w8.astype(np.uint8))
        all_joints.append(np.where(w8 > 0, number[top], 0).astype(np.uint8))
    return np.concatenate(all_joints), np.concatenate(all_weights)


def _animation(buffer: _Buffer, animation: Animation, rig: Rig) -> dict[str, Any]:
    moments = buffer.add(animation.time, "SCALAR", FLOAT, bounds=True)
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []
    for (joint, path), values in animation.tracks.items():
        output = buffer.add(values, "VEC4" if path == "rotation" else "VEC3", FLOAT)
        channels.append({"sampler": len(samplers), "target": {"node": rig.index(joint) + 1, "path": path}})
        samplers.append({"input": moments, "output": output, "interpolation": "LINEAR"})
    return {"name": animation.name, "samplers": samplers, "channels": channels}


def _stack(parts: list[Part], name: str) -> NDArray[np.float64]:
    return np.concatenate([getattr(part, name) for part in parts])


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _rounded(values: NDArray[Any]) -> NDArray[Any]:
    return np.round(np.asarray(values, np.float64), DECIMALS) + 0.0  # no -0.0


def _floats(values: NDArray[np.float64]) -> list[float]:
    return [float(np.float32(v)) for v in _rounded(values)]


def read_glb(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON document and the binary chunk of a .glb; ValueError where it is not one or cut short."""
    if len(data) < 20 or data[:4] != b"glTF":
        raise ValueError("glb: does not begin like a binary glTF file")
    _, version, total = struct.unpack_from("<4sII", data)
    if version != 2 or total > len(data):
        raise ValueError(f"glb: version {version}, {total} bytes announced, {len(data)} there: cut short, or not 2.0")
    chunks, at = {}, 12
    while at + 8 <= total:
        length, kind = struct.unpack_from("<I4s", data, at)
        if at + 8 + length > total:
            raise ValueError("glb: a chunk is longer than the file")
        chunks[kind] = data[at + 8 : at + 8 + length]
        at += 8 + length
    if b"JSON" not in chunks:
        raise ValueError("glb: has no JSON chunk")
    return json.loads(chunks[b"JSON"]), chunks.get(b"BIN\0", b"")


def read_accessor(document: dict[str, Any], blob: bytes, number: int) -> NDArray[Any]:
    """Values (n, k) of an accessor, normalised integers as floats; ValueError where it leaves its buffer."""
    accessor = document["accessors"][number]
    view = document["bufferViews"][accessor["bufferView"]]
    dtype, width = np.dtype(DTYPES[accessor["componentType"]]), WIDTHS[accessor["type"]]
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    stride = view.get("byteStride", dtype.itemsize * width)
    if stride < dtype.itemsize * width:  # a few bytes would be rows without end
        raise ValueError(f"glb: accessor {number} has rows that overlap")
    if start + stride * (accessor["count"] - 1) + dtype.itemsize * width > len(blob):
        raise ValueError(f"glb: accessor {number} reaches beyond the binary chunk")
    values = np.ndarray((accessor["count"], width), dtype, blob, start, (stride, dtype.itemsize))
    return values / np.iinfo(dtype).max if accessor.get("normalized") else values.copy()
