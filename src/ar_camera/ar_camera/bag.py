"""Pictures out of a bag: rosbag2 (sqlite3, mcap) and ROS 1, read by ``rosbags`` without a ROS installation.

What a bag of a real robot holds beside pictures is never looked at, so types that nobody knows do no harm. Whatever is
not as it should be is said in ``notices``, one line each; what cannot be read at all is a ValueError of one line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.interfaces import Connection
from rosbags.rosbag1 import Reader as Reader1
from rosbags.rosbag2 import Reader as Reader2
from rosbags.typesys import Stores, get_typestore

from ar_camera.bag_images import DEPTH, Decoder, intrinsics_of, stamp_of
from ar_camera.sources import Picture
from ar_core.geometry import Intrinsics

IMAGE, COMPRESSED, INFO = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/CameraInfo"
LONGEST_GAP_NS = 5 * 10**9  # a longer one is a jump of the clock, or a pause that nobody wants to see
LATE_NS = 10**9  # a picture that is older than the one before by less has only come late


class Bag:
    """One image topic of a bag (the one with the most pictures, if none is named), with the camera_info beside it."""

    live = False

    def __init__(self, path: Path, intrinsics: Intrinsics | None = None, topic: str = "") -> None:
        self.path, self.name = path, path.name
        self.notices: list[str] = []
        self._paths = _storage(path)
        repair = "rosbag reindex mends it" if path.suffix == ".bag" else f"./tsukumo bag repair {path}"
        self._remedy = f"if it was torn: {repair}"
        self._stores = get_typestore(Stores.ROS1_NOETIC), get_typestore(Stores.ROS2_JAZZY)
        self._period_ns = 10**9 // 30
        try:
            self.topic, first = self._choose(topic)
            height, width = first.shape[:2]
            self.intrinsics = intrinsics or self._calibration(width, height)
        except ValueError as error:
            raise ValueError(f"source {path}: {' '.join(str(error).split())}") from None
        except ModuleNotFoundError as error:
            raise ValueError(
                f"source {path}: pictures of bags need {error.name}, which is missing: run ./tsukumo setup or install it"
            ) from None
        except Exception as error:  # rosbags lets the errors of all its parsers through
            raise ValueError(f"source {path}: not a bag that can be read ({_line(error)}); {self._remedy}") from None

    def pictures(self) -> Iterator[Picture]:
        """Pictures with their stamps relative to the first one's; a clock that jumps goes on as if it had not."""
        decode, seen = Decoder(), 0
        before: int | None = None
        at = 0
        messages = self._messages(self.topic)
        while True:
            try:
                message, stamp = next(messages)
            except StopIteration:
                return
            except Exception as error:
                self._notice(
                    f"damaged behind picture {seen}, what follows is left out ({_line(error)}); {self._remedy}"
                )
                return
            if message is None:
                self._notice(f"{self.topic}: messages that are no pictures are left out")
                continue
            try:
                image = decode(message)
            except ValueError as error:
                self._notice(f"{self.topic}: pictures that cannot be decoded are left out ({error})")
                continue
            if before is not None:
                step = self._step(stamp - before)
                if step == 0:
                    continue
                at += step
            before = stamp
            seen += 1
            yield Picture(image, at * 1e-9, self.intrinsics)

    def _step(self, step: int) -> int:
        """Nanoseconds by which media time goes on; 0 for a picture that has come late."""
        if 0 < step <= LONGEST_GAP_NS:
            self._period_ns = step
            return step
        if -LATE_NS < step <= 0:
            self._notice(f"{self.topic}: pictures that are not newer than the one before are left out")
            return 0
        how = f"forward by {step / 1e9:.1f}" if step > 0 else f"back by {-step / 1e9:.1f}"
        self._notice(f"{self.topic}: the clock jumps {how} s; going on without the jump")
        return self._period_ns

    # ---- what is in the bag

    def _choose(self, wanted: str) -> tuple[str, np.ndarray]:
        """The topic and its first picture; ValueError if there is none."""
        counts: Counter[str] = Counter()
        kinds: dict[str, str] = {}
        for reader in self._readers():
            with reader:
                for c in reader.connections:
                    if c.msgtype in (IMAGE, COMPRESSED):
                        counts[c.topic] += c.msgcount
                        kinds[c.topic] = c.msgtype
        if wanted and wanted not in kinds:
            raise ValueError(
                f"the bag has no pictures on {wanted} (it has {', '.join(sorted(kinds)) or 'none at all'})"
            )
        if not kinds:
            raise ValueError("the bag has no topic of type sensor_msgs/Image or CompressedImage")
        topics = [wanted] if wanted else sorted(kinds, key=lambda t: (-counts[t], kinds[t] != IMAGE, t))
        found, problem = [], ""
        for topic in topics:
            try:
                found.append((topic, *self._first(topic)))
            except ValueError as error:
                problem = problem or f"{topic}: {error}"
        if not found:
            raise ValueError(f"none of its pictures can be read ({problem})")
        topic, image, _ = next((f for f in found if f[2] not in DEPTH), found[0])
        others = [f"{other} ({counts[other]})" for other in topics if other != topic]
        if others:
            self._notice(f"taking {topic} ({counts[topic]} pictures), not {', '.join(others)}; topic:=… takes another")
        return topic, image

    def _first(self, topic: str) -> tuple[np.ndarray, str]:
        """The first picture of a topic that can be decoded, and its encoding."""
        problem = "it is empty"
        for tried, (message, _) in enumerate(self._messages(topic)):
            try:
                if message is not None:
                    return Decoder()(message), getattr(message, "encoding", "")
                problem = "its messages are no pictures"
            except ValueError as error:
                problem = str(error)
            if tried == 30:
                break
        raise ValueError(problem)

    def _calibration(self, width: int, height: int) -> Intrinsics | None:
        """The first calibration of the camera_info beside the pictures, for their size; None, said, if there is none."""
        topic = self.topic.removesuffix("/compressed").rsplit("/", 1)[0] + "/camera_info"
        why = f"there is no {topic}"
        try:
            for message, _ in self._messages(topic, (INFO,)):
                if message is None:
                    raise ValueError("is no CameraInfo")
                known = intrinsics_of(message)
                if abs(known.width * height - known.height * width) > max(width, height):
                    raise ValueError(f"is for {known.width}x{known.height} pixels, the pictures have {width}x{height}")
                return known if (known.width, known.height) == (width, height) else known.scaled(width, height)
        except ValueError as error:
            why = f"{topic} {error}"
        self._notice(f"not calibrated ({why}): its focal length is guessed; --camera-info gives a calibration")
        return None

    # ---- reading

    def _readers(self) -> Iterator[Any]:
        for path in self._paths:
            yield Reader1(path) if path.suffix == ".bag" else Reader2(path)

    def _messages(self, topic: str, kinds: tuple[str, ...] = (IMAGE, COMPRESSED)) -> Iterator[tuple[Any, int]]:
        """(message, stamp in ns) of a topic in the order of the recording; None for a message that cannot be parsed."""
        ros1, ros2 = self._stores
        for reader in self._readers():
            with reader:
                connections: list[Connection] = [
                    c for c in reader.connections if c.topic == topic and c.msgtype in kinds
                ]
                if not connections:
                    continue
                for connection, log_time, raw in reader.messages(connections=connections):
                    message, stamp = None, log_time
                    try:
                        parse = ros1.deserialize_ros1 if isinstance(reader, Reader1) else ros2.deserialize_cdr
                        message = parse(raw, connection.msgtype)
                        stamp = stamp_of(message, log_time)
                    except Exception:
                        message = None  # not what the topic's type promises
                    yield message, stamp

    def _notice(self, text: str) -> None:
        if len(self.notices) < 50:  # nobody may be reading them
            self.notices.append(f"source {self.name}: {text}")


def _storage(path: Path) -> list[Path]:
    """What to open: a folder with a metadata.yaml, also for a file in it; else storage files one after the other."""
    if path.is_file():
        whole = path.suffix != ".bag" and (path.parent / "metadata.yaml").exists()
        return [path.parent if whole else path]
    if (path / "metadata.yaml").exists():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in (".mcap", ".db3", ".bag"))
    if not files:
        raise ValueError(
            f"source {path}: not a bag (no metadata.yaml, .mcap, .db3 or .bag in it), nor a folder of images"
        )
    return files


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__} {error}".split())[:160]
