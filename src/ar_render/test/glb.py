"""Small .glb files made by hand, so that the tests know every number in them."""

from __future__ import annotations

import json
import struct
from typing import Any

import cv2
import numpy as np

FLOAT, UINT8, UINT16 = 5126, 5121, 5123
KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
TYPES = {FLOAT: "<f4", UINT8: "<u1", UINT16: "<u2"}


class Glb:
    """Collects a document and its data."""

    def __init__(self) -> None:
        self.blob = b""
        self.document: dict[str, Any] = {
            "asset": {"version": "2.0"}, "buffers": [{"byteLength": 0}], "bufferViews": [], "accessors": [], "nodes": [],
            "meshes": [], "skins": [], "materials": [], "animations": [],
        }  # fmt: skip

    def view(self, data: bytes) -> int:
        self.document["bufferViews"].append({"buffer": 0, "byteOffset": len(self.blob), "byteLength": len(data)})
        self.blob += data + b"\0" * (-len(data) % 4)
        return len(self.document["bufferViews"]) - 1

    def add(self, values: Any, component: int = FLOAT) -> int:
        array = np.ascontiguousarray(values, TYPES[component])
        array = array.reshape(len(array), -1)
        self.document["accessors"].append(
            {
                "bufferView": self.view(array.tobytes()),
                "componentType": component,
                "count": len(array),
                "type": KINDS[array.shape[1]],
            }
        )
        return len(self.document["accessors"]) - 1

    def picture(self, rgb: np.ndarray) -> int:
        """A texture of (h, w, 3) uint8; its index."""
        data = cv2.imencode(".png", rgb[..., ::-1])[1].tobytes()
        self.document.setdefault("images", []).append({"bufferView": self.view(data), "mimeType": "image/png"})
        self.document.setdefault("textures", []).append({"source": len(self.document["images"]) - 1})
        return len(self.document["textures"]) - 1

    def bytes(self) -> bytes:
        self.document["buffers"][0]["byteLength"] = len(self.blob)
        document = {k: v for k, v in self.document.items() if v != []}
        text = json.dumps(document).encode()
        text += b" " * (-len(text) % 4)
        length = 12 + 8 + len(text) + 8 + len(self.blob)
        head = struct.pack("<4sII", b"glTF", 2, length) + struct.pack("<I4s", len(text), b"JSON") + text
        return head + struct.pack("<I4s", len(self.blob), b"BIN\0") + self.blob


BOX = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (0, 1) for z in (-0.5, 0.5)], float)
BOX_TRIANGLES = np.array(
    [
        [0, 1, 3],
        [0, 3, 2],
        [4, 6, 7],
        [4, 7, 5],
        [0, 4, 5],
        [0, 5, 1],
        [2, 3, 7],
        [2, 7, 6],
        [0, 2, 6],
        [0, 6, 4],
        [1, 5, 7],
        [1, 7, 3],
    ]
)


def box_glb(size: tuple[float, float, float] = (0.1, 0.1, 0.1), colour: tuple[float, ...] = (1, 1, 1, 1)) -> bytes:
    """A rigid box that stands on the origin, unlit, of one linear colour."""
    glb = Glb()
    primitive = {
        "attributes": {"POSITION": glb.add(BOX * size)},
        "indices": glb.add(BOX_TRIANGLES.ravel(), UINT16),
        "material": 0,
    }
    glb.document["meshes"].append({"primitives": [primitive]})
    glb.document["materials"].append(
        {"pbrMetallicRoughness": {"baseColorFactor": colour}, "extensions": {"KHR_materials_unlit": {}}}
    )
    glb.document["nodes"].append({"name": "box", "mesh": 0})
    return glb.bytes()


def card_glb(rgb: np.ndarray, size: float = 0.1) -> bytes:
    """An upright square card that looks along +z, with an unlit picture."""
    glb = Glb()
    corners = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0.5, 1, 0], [-0.5, 1, 0]]) * size
    primitive = {
        "attributes": {"POSITION": glb.add(corners), "TEXCOORD_0": glb.add([[0, 1], [1, 1], [1, 0], [0, 0]])},
        "indices": glb.add([0, 1, 2, 0, 2, 3], UINT16),
        "material": 0,
    }
    glb.document["meshes"].append({"primitives": [primitive]})
    pbr = {"baseColorTexture": {"index": glb.picture(rgb)}}
    glb.document["materials"].append({"pbrMetallicRoughness": pbr, "extensions": {"KHR_materials_unlit": {}}})
    glb.document["nodes"].append({"name": "card", "mesh": 0})
    return glb.bytes()


def doll_glb(height: float = 0.12) -> bytes:
    """A skinned column of rings on three joints (root, spine1, head), striped, with idle, walk, awaken and hop."""
    glb = Glb()
    rings, around = 13, 16
    v, a = np.meshgrid(np.linspace(0, 1, rings), np.linspace(0, 2 * np.pi, around, endpoint=False), indexing="ij")
    radius = 0.22 * height * np.sqrt(np.clip(1 - (2 * v - 1) ** 6, 0.02, 1))
    points = np.stack([radius * np.sin(a), v * height, radius * np.cos(a)], -1).reshape(-1, 3)
    normals = np.stack([np.sin(a), 0 * a, np.cos(a)], -1).reshape(-1, 3)
    i, k = (g.ravel() for g in np.meshgrid(np.arange(rings - 1), np.arange(around), indexing="ij"))
    p, q = i * around + k, i * around + (k + 1) % around
    triangles = np.concatenate([np.stack([p, q, q + around], 1), np.stack([p, q + around, p + around], 1)])
    share = np.clip(2 * v.ravel(), 0, 2)
    joints = np.zeros((len(points), 4), int)
    joints[:, 0], joints[:, 1] = np.where(share < 1, 0, 1), np.where(share < 1, 1, 2)
    weights = np.zeros((len(points), 4))
    weights[:, 1] = share % 1
    weights[share >= 2, 1] = 1
    weights[:, 0] = 1 - weights[:, 1]
    stripes = np.repeat(np.array([[[200, 60, 40]], [[240, 220, 180]]], np.uint8), 4, 1).repeat(2, 0)
    primitive = {
        "attributes": {
            "POSITION": glb.add(points), "NORMAL": glb.add(normals),
            "TEXCOORD_0": glb.add(np.stack([a.ravel() / 6.3, v.ravel() * 4], 1)),
            "JOINTS_0": glb.add(joints, UINT8), "WEIGHTS_0": glb.add(weights),
        },
        "indices": glb.add(triangles.ravel(), UINT16), "material": 0,
    }  # fmt: skip
    glb.document["meshes"].append({"primitives": [primitive]})
    glb.document["materials"].append({"pbrMetallicRoughness": {"baseColorTexture": {"index": glb.picture(stripes)}}})
    half = height / 2
    glb.document["nodes"] += [
        {"name": "doll", "mesh": 0, "skin": 0},
        {"name": "root", "children": [2]},
        {"name": "spine1", "translation": [0, half, 0], "children": [3]},
        {"name": "head", "translation": [0, half, 0]},
    ]
    inverse = np.tile(np.eye(4), (3, 1, 1))
    inverse[:, 3, 1] = [0, -half, -height]
    glb.document["skins"].append({"joints": [1, 2, 3], "inverseBindMatrices": glb.add(inverse.reshape(3, 16))})
    for name, seconds, angle in (("idle", 2.0, 0.1), ("walk", 0.8, 0.3), ("awaken", 1.5, 0.4), ("hop", 0.7, 0.2)):
        s = np.sin(np.radians([0, 90, 180, 270, 360])) * angle / 2
        turns = np.stack([0 * s, 0 * s, np.sin(s), np.cos(s)], 1)
        sampler = {"input": glb.add(np.linspace(0, seconds, 5)), "output": glb.add(turns)}
        channel = {"sampler": 0, "target": {"node": 2, "path": "rotation"}}
        glb.document["animations"].append({"name": name, "samplers": [sampler], "channels": [channel]})
    glb.document["scenes"] = [
        {"nodes": [0, 1], "extras": {"height_m": height, "clips": {"walk": {"stride_m": 0.4 * height}}}}
    ]
    return glb.bytes()
