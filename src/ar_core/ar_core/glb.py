"""The container of binary glTF: a header, a JSON document, a binary blob (Khronos glTF 2.0, §4)."""

from __future__ import annotations

import json
import struct
from typing import Any


def chunks(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The document and the blob in a .glb file's bytes; ValueError says what is wrong with it."""
    if len(data) < 20:
        raise ValueError(f"not a .glb: only {len(data)} bytes")
    magic, version, length = struct.unpack_from("<4sII", data)
    if magic != b"glTF":
        raise ValueError(f"not a .glb: starts with {data[:4]!r}, not b'glTF'")
    if version != 2:
        raise ValueError(f"glTF version {version} is not supported; export it as glTF 2.0")
    if length > len(data):
        raise ValueError(f"truncated .glb: {len(data)} of {length} bytes")
    size, kind = struct.unpack_from("<I4s", data, 12)
    if kind != b"JSON" or 20 + size > length:
        raise ValueError("the .glb is corrupt: its JSON chunk is not where it should be")
    try:
        document = json.loads(data[20 : 20 + size])
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the .glb is corrupt: its JSON does not parse ({error})") from error
    if not isinstance(document, dict):
        raise ValueError("the .glb is corrupt: its JSON is not an object")
    blob, at = b"", 20 + size
    if at + 8 <= length:
        size, kind = struct.unpack_from("<I4s", data, at)
        if kind == b"BIN\0":
            if at + 8 + size > length:
                raise ValueError("the .glb is corrupt: its binary chunk runs past the end")
            blob = data[at + 8 : at + 8 + size]
    return document, blob


def container(document: dict[str, Any], blob: bytes) -> bytes:
    """The bytes of a .glb file with this document and blob."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    blob += b"\0" * (-len(blob) % 4)
    parts = struct.pack("<I4s", len(text), b"JSON") + text
    if blob:
        parts += struct.pack("<I4s", len(blob), b"BIN\0") + blob
    return struct.pack("<4sII", b"glTF", 2, 12 + len(parts)) + parts
