"""What the tests of bags share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from ar_tools.bags.definitions import definition
from ar_tools.bags.model import Qos, Topic
from ar_tools.bags.writer import BagWriter

sys.path.append(str(Path(__file__).parents[3] / "tests"))

START = 1_700_000_000_000_000_000
FRAME = 33_000_000
LATCHED = Qos(durability="transient_local")
TOPICS = {
    "/camera/image_raw": ("sensor_msgs/msg/Image", Qos()),
    "/slam/pose": ("geometry_msgs/msg/PoseStamped", Qos()),
    "/segment/mask": ("sensor_msgs/msg/Image", Qos(reliability="best_effort")),
    "/character/model": ("std_msgs/msg/String", LATCHED),
    "/segment/report": ("ar_interfaces/msg/StageReport", Qos()),
}


class Messages:
    """Makes serialized messages of installed types, without ROS."""

    def __init__(self) -> None:
        self.store = get_typestore(Stores.EMPTY)

    def make(self, kind: str, /, **fields: Any) -> bytes:
        """A message; fields by name, nested ones as dictionaries, the others zero."""
        return bytes(self.store.serialize_cdr(self._object(kind, fields), kind))

    def _object(self, kind: str, fields: dict[str, Any]) -> Any:
        if kind not in self.store.fielddefs:
            types = get_types_from_msg(definition(kind).text, kind)
            self.store.register({name: t for name, t in types.items() if name not in self.store.fielddefs})
        values = {}
        for name, (node, detail) in self.store.fielddefs[kind][1]:
            value = fields.get(name)
            if node.name == "NAME":
                value = self._object(detail, value or {})
            elif value is None:
                element = detail[0][1] if node.name in ("ARRAY", "SEQUENCE") else None
                if element is None:
                    value = {"string": "", "bool": False}.get(detail[0], 0)
                elif isinstance(element, tuple) and element[0] not in ("string", "bool"):
                    value = np.zeros(detail[1] if node.name == "ARRAY" else 0, element[0])
                else:
                    value = []
            values[name] = value
        return self.store.types[kind](**values)


def header(stamp: int) -> dict[str, Any]:
    """A header's fields."""
    return {"stamp": {"sec": stamp // 10**9, "nanosec": stamp % 10**9}}


@pytest.fixture(scope="session")
def messages() -> Messages:
    return Messages()


@pytest.fixture
def make_bag(tmp_path: Path, messages: Messages) -> Callable[..., Path]:
    """Writes a bag of a few frames of the graph; ``change(topic, frame, fields)`` may alter or (None) leave out a message."""

    def write(
        name: str,
        frames: int = 12,
        storage: str = "mcap",
        change: Callable[[str, int, dict[str, Any]], dict[str, Any] | None] = lambda _, __, fields: fields,
        delay: int = 5_000_000,
        split_at: int = -1,
    ) -> Path:
        rng = np.random.default_rng(3)
        with BagWriter(tmp_path / name, storage) as writer:
            for topic, (kind, qos) in TOPICS.items():
                known = definition(kind)
                writer.add_topic(Topic(topic, kind, (qos,), known.type_hash), known)
            for frame in range(frames):
                stamp = START + frame * FRAME
                mask = np.zeros((48, 64), np.uint8)
                mask[10:30, 20:40] = 255
                picture = rng.integers(0, 256, 48 * 64 * 3, np.uint8)
                image = {"header": header(stamp), "height": 48, "width": 64}
                wanted: dict[str, dict[str, Any]] = {
                    "/camera/image_raw": {**image, "encoding": "bgr8", "step": 192, "data": picture},
                    "/slam/pose": {
                        "header": header(stamp),
                        "pose": {"position": {"x": 0.1 * frame}, "orientation": {"w": 1.0}},
                    },
                    "/segment/mask": {**image, "encoding": "mono8", "step": 64, "data": mask.ravel()},
                    "/segment/report": {
                        "header": header(stamp),
                        "stage": "segment",
                        "published": ["/segment/mask"],
                        "cpu_ms": float(delay),
                    },
                }
                if frame == 0:
                    wanted["/character/model"] = {"data": "a mug"}
                for topic, fields in wanted.items():
                    changed = change(topic, frame, fields)
                    if changed is not None:
                        data = messages.make(TOPICS[topic][0], **changed)
                        writer.write(topic, stamp + delay, stamp + delay - 1000, data)
                if frame % 4 == 3:
                    writer.flush()
                if frame == split_at:
                    writer.split()
        return tmp_path / name

    return write
