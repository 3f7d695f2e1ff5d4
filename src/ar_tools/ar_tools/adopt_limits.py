"""What an artist's .glb may hold: files from anywhere are looked at before anything of them is unpacked."""

from __future__ import annotations

import struct
from typing import Any

MOST_BYTES, MOST_NODES, MOST_JOINTS = 64 << 20, 4096, 256
MOST_VERTICES, MOST_CORNERS, MOST_KEYS = 300_000, 1_500_000, 4_000_000
MOST_PICTURES, MOST_SIDE = 16, 4096
_COMPRESSED = {
    "KHR_draco_mesh_compression": "Draco",
    "EXT_meshopt_compression": "meshopt",
    "KHR_texture_basisu": "Basis Universal pictures",
    "EXT_texture_webp": "WebP pictures",
}


def check(document: dict[str, Any], blob: bytes) -> None:
    """ValueError, in one line, for what cannot be a character of ours, or would be too large for a picture on a table."""
    try:
        _check(document, blob)
    except (KeyError, IndexError, TypeError, AttributeError, struct.error) as error:
        raise ValueError(f"the .glb is corrupt ({type(error).__name__}: {error}); export it again") from error


def _check(document: dict[str, Any], blob: bytes) -> None:
    if len(blob) > MOST_BYTES:
        raise ValueError(f"{len(blob) >> 20} MB are too much, at most {MOST_BYTES >> 20}")
    used = {*document.get("extensionsRequired", []), *document.get("extensionsUsed", [])}
    required = set(document.get("extensionsRequired", []))
    for extension, name in _COMPRESSED.items():
        if extension in (required if extension.endswith(("basisu", "webp")) else used):
            raise ValueError(f"it is compressed with {name} ({extension}); export it without")
    nodes, meshes, skins = (document.get(key, []) for key in ("nodes", "meshes", "skins"))
    if len(nodes) > MOST_NODES:
        raise ValueError(f"{len(nodes)} nodes, at most {MOST_NODES}")
    if not any("mesh" in node for node in nodes):
        raise ValueError("there is no mesh in it")
    clips = document.get("animations", [])
    if not clips:
        raise ValueError("it has no clips: nothing would move; export its animations too")
    paths = {channel["target"]["path"] for clip in clips for channel in clip["channels"]}
    if paths <= {"weights"}:
        raise ValueError("its clips move morph targets only; a character needs a skin with joints that move")
    if not any("skin" in node for node in nodes):
        raise ValueError("it has no skin: bind the mesh to an armature and export that")
    joints = sum(len(skins[node["skin"]]["joints"]) for node in nodes if "skin" in node)
    if joints > MOST_JOINTS:
        raise ValueError(f"{joints} joints, at most {MOST_JOINTS}")
    accessors = document.get("accessors", [])
    drawn = [p for node in nodes if "mesh" in node for p in meshes[node["mesh"]]["primitives"]]
    _most(sum(accessors[p["attributes"]["POSITION"]]["count"] for p in drawn), MOST_VERTICES, "vertices")
    _most(sum(accessors[p["indices"]]["count"] for p in drawn if "indices" in p), MOST_CORNERS, "corners of triangles")
    keys = [accessors[sampler["output"]]["count"] for clip in clips for sampler in clip["samplers"]]
    _most(sum(keys), MOST_KEYS, "key frames")
    _pictures(document, blob)


def _most(count: int, most: int, what: str) -> None:
    if count > most:
        raise ValueError(f"{count} {what}, at most {most}; make it simpler (decimate)")


def _pictures(document: dict[str, Any], blob: bytes) -> None:
    images = document.get("images", [])
    if len(images) > MOST_PICTURES:
        raise ValueError(f"{len(images)} pictures, at most {MOST_PICTURES}")
    for i, image in enumerate(images):
        if "bufferView" not in image:
            raise ValueError("it keeps a picture in another file; export it as one .glb")
        view = document["bufferViews"][image["bufferView"]]
        start = int(view.get("byteOffset", 0))
        size = picture_size(blob[start : start + int(view["byteLength"])])
        if size is None:
            raise ValueError(f"its picture {i} is neither PNG nor JPEG")
        if max(size) > MOST_SIDE:
            raise ValueError(
                f"its picture {i} has {size[0]}x{size[1]} pixels, at most {MOST_SIDE} a side; make it smaller"
            )


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that a PNG or JPEG declares; None when it is neither."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        width, height = struct.unpack_from(">II", data, 16)
        return width, height
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big") if marker != 0xFF else 1
    return None
