"""One small network in every format that a card may name, written byte by byte: no exporter is needed.

`mask = sigmoid(conv1x1(picture))`: brighter than a threshold is inside. ONNX and IR take `(1, 3, S, S)`, TensorFlow Lite
takes `(1, S, S, 3)`.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import yaml

SIDE = 64
GAIN, THRESHOLD = 9.0, 0.5
"""Of the mean of the three channels, 0 to 1."""

WEIGHTS = np.full((1, 3, 1, 1), GAIN / 3, np.float32)
BIAS = np.array([-GAIN * THRESHOLD], np.float32)


def write(folder: Path, ending: str) -> Path:
    """The network and its card in `folder`; the card's path. `ending`: onnx, xml or tflite."""
    model = folder / f"bright.{ending}"
    if ending == "xml":
        _write_ir(model)
    else:
        model.write_bytes(_onnx() if ending == "onnx" else _tflite())
    layout = "NHWC" if ending == "tflite" else "NCHW"
    card = {
        "name": f"bright-{ending}",
        "model": model.name,
        "decoding": "mask",
        "input": {"width": SIDE, "height": SIDE, "layout": layout, "color": "rgb", "scale": [255, 255, 255]},
        "output": {"mask": 0},
    }
    path = folder / f"bright-{ending}.yaml"
    path.write_text(yaml.safe_dump(card))
    return path


def _write_ir(path: Path) -> None:
    import openvino as ov
    from openvino import opset13 as ops

    x = ops.parameter([1, 3, SIDE, SIDE], np.float32)
    y = ops.convolution(x, ops.constant(WEIGHTS), [1, 1], [0, 0], [0, 0], [1, 1])
    y = ops.sigmoid(ops.add(y, ops.constant(BIAS.reshape(1, 1, 1, 1))))
    ov.save_model(ov.Model([y], [x]), str(path), compress_to_fp16=False)


# ---- ONNX: protocol buffers. A message is its fields one after the other, each a key (number · 8 + kind) and a value.


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _onnx() -> bytes:
    def port(name: str, channels: int) -> bytes:
        shape = b"".join(_field(1, _field(1, side)) for side in (1, channels, SIDE, SIDE))
        return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, shape)))

    def tensor(name: str, values: np.ndarray) -> bytes:
        return (
            b"".join(_field(1, side) for side in values.shape)
            + _field(2, 1)
            + _field(8, name)
            + _field(9, values.tobytes())
        )

    def node(kind: str, inputs: list[str], output: str) -> bytes:
        return b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(4, kind)

    nodes = (node("Conv", ["x", "w", "b"], "y"), node("Sigmoid", ["y"], "mask"))
    graph = b"".join(_field(1, one) for one in nodes) + _field(2, "bright")
    graph += _field(5, tensor("w", WEIGHTS)) + _field(5, tensor("b", BIAS))
    graph += _field(11, port("x", 3)) + _field(12, port("mask", 1))
    return _field(1, 8) + _field(7, graph) + _field(8, _field(2, 13))


# ---- TensorFlow Lite: flat buffers. A table is a list of fields (None: left out), a number with its kind, bytes for a
# vector of them, a string, or a list of tables. What a field points to comes later in the file.


def _tflite() -> bytes:
    def tensor(name: str, shape: tuple[int, ...], buffer: int) -> list:
        return [np.int32(shape), ("b", 0), ("I", buffer), name]

    tensors = [
        tensor("x", (1, SIDE, SIDE, 3), 0),
        tensor("w", (1, 1, 1, 3), 1),
        tensor("b", (1,), 2),
        tensor("y", (1, SIDE, SIDE, 1), 0),
        tensor("mask", (1, SIDE, SIDE, 1), 0),
    ]
    convolution = [("b", 1), ("i", 1), ("i", 1)]  # padding VALID, strides 1 and 1
    operators = [
        [("I", 0), np.int32([0, 1, 2]), np.int32([3]), ("B", 1), convolution],
        [("I", 1), np.int32([3]), np.int32([4])],
    ]
    codes = [[("b", 3), None, ("i", 1), ("i", 3)], [("b", 14), None, ("i", 1), ("i", 14)]]  # CONV_2D, LOGISTIC
    buffers = [[None], [np.frombuffer(WEIGHTS.tobytes(), np.uint8)], [np.frombuffer(BIAS.tobytes(), np.uint8)]]
    graph = [Tables(tensors), np.int32([0]), np.int32([4]), Tables(operators), "bright"]
    return _flat([("I", 3), Tables(codes), Tables([graph]), "bright", Tables(buffers)])


class Tables(list):
    """A vector of tables."""


def _flat(root: list) -> bytes:
    out = bytearray(8)
    out[4:] = b"TFL3"
    waiting: list[tuple[int, object]] = [(0, root)]
    while waiting:
        at, thing = waiting.pop(0)
        out += bytes(-len(out) % 16)
        if isinstance(thing, list) and not isinstance(thing, Tables):
            target = _put_table(out, thing, waiting)
        else:
            target = _put_vector(out, thing, waiting)
        struct.pack_into("<I", out, at, target - at)
    return bytes(out)


def _put_table(out: bytearray, fields: list, waiting: list[tuple[int, object]]) -> int:
    """First where every field is, then the fields, four bytes each."""
    size = 4 + 2 * len(fields)
    out += struct.pack("<HH", size, 4 + 4 * len(fields))
    out += b"".join(struct.pack("<H", 0 if field is None else 4 + 4 * k) for k, field in enumerate(fields))
    padding = -len(out) % 4
    out += bytes(padding)
    table = len(out)
    out += struct.pack("<i", size + padding)
    for field in fields:
        if isinstance(field, tuple):
            out += struct.pack("<" + field[0], field[1]).ljust(4, b"\0")
        else:
            if field is not None:
                waiting.append((len(out), field))
            out += bytes(4)
    return table


def _put_vector(out: bytearray, thing: object, waiting: list[tuple[int, object]]) -> int:
    if isinstance(thing, np.ndarray):
        out += bytes(12)  # so that what follows the length is aligned to 16
    start = len(out)
    if isinstance(thing, str):
        out += struct.pack("<I", len(thing)) + thing.encode() + b"\0"
    elif isinstance(thing, Tables):
        out += struct.pack("<I", len(thing)) + bytes(4 * len(thing))
        waiting += [(start + 4 + 4 * k, one) for k, one in enumerate(thing)]
    else:
        assert isinstance(thing, np.ndarray)
        out += struct.pack("<I", thing.size) + thing.tobytes()
    return start
