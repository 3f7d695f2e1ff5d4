"""What serialized messages say: decoded by the definitions that the bag itself holds, by ``rosbags``, without ROS."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore

from ar_tools.bags import definitions as installed
from ar_tools.bags.model import BagError, Definition

CHANNELS = {
    "mono": 1,
    "8UC1": 1,
    "16UC1": 1,
    "32FC1": 1,
    "bgra": 4,
    "rgba": 4,
    "8UC4": 4,
    "bgr": 3,
    "rgb": 3,
    "8UC3": 3,
}


class Decoder:
    """Decodes the messages of one bag. BagError, in words, where bytes and definition do not go together."""

    def __init__(self, definitions: Mapping[str, Definition]) -> None:
        self._definitions = dict(definitions)
        self._store = get_typestore(Stores.EMPTY)
        self._known: dict[str, str] = {}  # why a type cannot be decoded, or ""

    def __call__(self, kind: str, data: bytes) -> Any:
        """The message as an object with the fields of its definition."""
        self._learn(kind)
        try:
            return self._store.deserialize_cdr(data, kind)
        except Exception as error:  # whatever the bytes make of the parser
            what = " ".join(str(error).split()) or type(error).__name__
            raise BagError(f"a message does not fit the definition of {kind} in the bag ({what[:120]})") from None

    def canonical(self, kind: str, message: Any) -> bytes:
        """A decoded message serialized again: little endian, padded with zeros. Equal messages give equal bytes."""
        try:
            return bytes(self._store.serialize_cdr(message, kind))
        except Exception as error:
            raise BagError(f"a message of {kind} cannot be serialized again ({error})") from None

    def has_header(self, kind: str) -> bool:
        """Whether the messages begin with a std_msgs/Header."""
        try:
            self._learn(kind)
        except BagError:
            return False
        _, fields = self._store.fielddefs[kind]
        return bool(fields) and fields[0][1][1] == "std_msgs/msg/Header"

    def _learn(self, kind: str) -> None:
        if kind not in self._known:
            self._known[kind] = self._register(kind)
        if self._known[kind]:
            raise BagError(self._known[kind])

    def _register(self, kind: str) -> str:
        definition = self._definitions.get(kind)
        if definition is None or not definition.text:
            definition = installed.definition(kind)
        if not definition.text:
            return f"the bag does not say how {kind} is made"
        try:
            idl = definition.encoding in ("ros2idl", "omgidl")
            types = get_types_from_idl(definition.text) if idl else get_types_from_msg(definition.text, kind)
            self._store.register({name: fields for name, fields in types.items() if name not in self._store.fielddefs})
        except Exception as error:  # a definition may be any text
            return f"the definition of {kind} in the bag cannot be read ({' '.join(str(error).split())[:120]})"
        return "" if kind in self._store.fielddefs else f"the definition in the bag is not of {kind}"


def stamp_of(data: bytes, *, sequence: bool = False) -> int:
    """The header stamp (ns) of a serialized message that begins with a header; of the first of a ``sequence`` of such (/tf),
    0 if that is empty.

    ValueError if the message is too short.
    """
    order = "<" if data[1:2] in (b"\x01", b"\x03") else ">"
    try:
        if sequence and not struct.unpack_from(order + "I", data, 4)[0]:
            return 0
        seconds, nanoseconds = struct.unpack_from(order + "iI", data, 8 if sequence else 4)
    except struct.error:
        raise ValueError(f"a message of {len(data)} bytes has no header") from None
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def picture(message: Any) -> NDArray[Any] | None:
    """The pixels of an Image, a CompressedImage, or a message with a cut-out; (H, W) or (H, W, C), blue
    first; None if there are none."""
    message = getattr(message, "cutout", message)
    if hasattr(message, "format") and hasattr(message, "data"):
        found = cv2.imdecode(np.asarray(message.data, np.uint8), cv2.IMREAD_UNCHANGED)
        return None if found is None else np.asarray(found)
    if not hasattr(message, "encoding") or not message.height or not message.width:
        return None
    encoding = str(message.encoding)
    channels = next((n for prefix, n in CHANNELS.items() if encoding.startswith(prefix)), 0)
    kind = np.dtype(np.float32 if "32F" in encoding else np.uint16 if "16" in encoding else np.uint8)
    row = message.width * channels * kind.itemsize
    data = np.asarray(message.data, np.uint8)
    if not channels or message.step < row or data.size < message.height * message.step:
        return None
    rows = data[: message.height * message.step].reshape(message.height, message.step)[:, :row]
    pixels = rows.copy().view(kind).reshape(message.height, message.width, channels)
    if encoding.startswith("rgb"):
        pixels[:, :, :3] = pixels[:, :, 2::-1]
    return pixels[:, :, 0] if channels == 1 else pixels
