"""What must survive the process: which object was awakened, and by what it is known again. Part of the shell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rclpy.serialization import deserialize_message, serialize_message

from ar_core.boxes import Box
from ar_interfaces.msg import SegmentedObject
from ar_segment.looks import Looks


@dataclass(frozen=True)
class Remembered:
    """The object as it was published, and its looks."""

    message: SegmentedObject
    looks: Looks


@dataclass(frozen=True)
class Memory:
    """One small file in `folder`; written whole and then renamed: a killed process leaves no half file."""

    folder: Path

    def write(self, message: SegmentedObject, looks: Looks) -> None:
        """Remember this object instead of the last one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / "object.part"
        with part.open("wb") as file:
            blob = np.frombuffer(serialize_message(message), np.uint8)
            np.savez(
                file, message=blob, inside=looks.inside, outside=looks.outside, area=looks.area, box=np.array(looks.box)
            )
        part.replace(self.folder / "object.npz")

    def read(self) -> Remembered | None:
        """What was remembered; None if nothing (readable) was."""
        path = self.folder / "object.npz"
        try:
            with np.load(path) as data:
                message = deserialize_message(data["message"].tobytes(), SegmentedObject)
                inside, outside = data["inside"].astype(np.float32), data["outside"].astype(np.float32)
                looks = Looks(inside, outside, float(data["area"]), Box(*data["box"].tolist()))
        except (OSError, ValueError, KeyError, EOFError, RuntimeError):
            return None
        return Remembered(message, looks)
