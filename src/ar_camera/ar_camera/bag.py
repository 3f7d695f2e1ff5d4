"""Pictures out of a bag: rosbag2 (sqlite3, mcap) and ROS 1, read by ``rosbags`` without a ROS installation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.typesys import Stores, get_typestore

from ar_camera.sources import Picture
from ar_core.geometry import Intrinsics

IMAGE, COMPRESSED, INFO = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/CameraInfo"


class Bag:
    """The first image topic of a bag (raw before compressed), with the camera_info beside it."""

    live = False

    def __init__(self, path: Path, intrinsics: Intrinsics | None = None) -> None:
        # A folder with a metadata.yaml is a rosbag2; so is the folder around a .mcap or .db3 file.
        self.path = (
            path.parent if path.suffix in (".mcap", ".db3") and (path.parent / "metadata.yaml").exists() else path
        )
        self.name = path.name
        self.unreadable: list[str] = []
        reader = self._reader()
        try:
            topics = {c.topic: c.msgtype for c in reader.connections if c.msgtype in (IMAGE, COMPRESSED)}
            if not topics:
                raise ValueError(f"source {path}: the bag has no topic of type sensor_msgs/Image or CompressedImage")
            self.topic = min(topics, key=lambda topic: (topics[topic] != IMAGE, topic))
            self.intrinsics = intrinsics or self._calibration(reader)
        finally:
            reader.close()

    def _calibration(self, reader: AnyReader) -> Intrinsics | None:
        """The first calibration of the camera_info beside the pictures."""
        info = self.topic.removesuffix("/compressed").rsplit("/", 1)[0] + "/camera_info"
        wanted = [c for c in reader.connections if c.topic == info and c.msgtype == INFO]
        for connection, _, raw in reader.messages(wanted) if wanted else ():
            return _intrinsics(reader.deserialize(raw, connection.msgtype))
        return None

    def _reader(self) -> AnyReader:
        try:
            reader = AnyReader([self.path], default_typestore=get_typestore(Stores.ROS2_JAZZY))
            reader.open()
        except (AnyReaderError, OSError, ValueError, KeyError) as error:
            text = " ".join(str(error).split())
            raise ValueError(f"source {self.path}: not a bag that can be read ({text})") from None
        except Exception as error:  # rosbags lets parser errors of damaged files through
            raise ValueError(f"source {self.path}: the bag is damaged ({type(error).__name__}: {error})") from None
        return reader

    def pictures(self) -> Iterator[Picture]:
        """Pictures with their stamps relative to the first one's."""
        first: float | None = None
        reader = self._reader()
        try:
            wanted = [c for c in reader.connections if c.topic == self.topic]
            for connection, _, raw in reader.messages(wanted):
                message: Any = reader.deserialize(raw, connection.msgtype)
                image = _image(message)
                if image is None:
                    self.unreadable.append(getattr(message, "encoding", getattr(message, "format", "?")))
                    continue
                stamp = message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
                first = stamp if first is None else first
                yield Picture(image, stamp - first, self.intrinsics)
        finally:
            reader.close()


def _intrinsics(message: Any) -> Intrinsics | None:
    k = message.k if hasattr(message, "k") else message.K
    d = message.d if hasattr(message, "d") else message.D
    if not np.any(k):
        return None
    return Intrinsics(k[0], k[4], k[2], k[5], message.width, message.height, tuple(float(v) for v in d))


def _image(message: Any) -> np.ndarray | None:
    """(H, W, 3) uint8 of a raw or compressed message; None if it cannot be read."""
    from cv_bridge import CvBridge

    bridge = CvBridge()
    try:
        if hasattr(message, "format"):
            return np.asarray(bridge.compressed_imgmsg_to_cv2(message, "bgr8"))
        return np.asarray(bridge.imgmsg_to_cv2(message, "bgr8"))
    except (TypeError, ValueError, cv2.error):
        return None
