"""Bags as other programs write them, with pictures that say which one they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import CompressionFormat, StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_typestore

from ar_camera.sources import open_source
from ar_core.geometry import Intrinsics

CAMERA = Intrinsics(50, 52, 15.5, 11.5, 32, 24, (0.1, -0.05, 0.001, 0.002, 0.0))
ROS1, ROS2 = get_typestore(Stores.ROS1_NOETIC), get_typestore(Stores.ROS2_JAZZY)
NS = 10**9
IMAGE, COMPRESSED, INFO = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/CameraInfo"
FORMS = ("mcap", "sqlite3", "ros1")


def picture(i: int) -> np.ndarray:
    """A smooth picture (so that Bayer and YUV keep it) that says which one it is."""
    image = np.zeros((24, 32, 3), np.uint8)
    image[..., 0] = np.linspace(30, 200, 32)
    image[..., 1] = np.linspace(60, 180, 24)[:, None]
    image[..., 2] = 20 + 8 * i
    return image


def header(store: Any, ns: int) -> Any:
    stamp = store.types["builtin_interfaces/msg/Time"](ns // NS, ns % NS)
    arguments = (stamp, "camera") if store is ROS2 else (0, stamp, "camera")
    return store.types["std_msgs/msg/Header"](*arguments)


def image(store: Any, ns: int, data: np.ndarray, encoding: str) -> Any:
    step = data.nbytes // data.shape[0]
    flat = np.ascontiguousarray(data).view(np.uint8).ravel()
    return store.types[IMAGE](header(store, ns), data.shape[0], data.shape[1], encoding, 0, step, flat)


def compressed(store: Any, ns: int, data: np.ndarray, form: str) -> Any:
    return store.types[COMPRESSED](header(store, ns), form, cv2.imencode(f".{form}", data)[1].ravel())


def info(store: Any, ns: int, camera: Intrinsics = CAMERA, model: str = "plumb_bob") -> Any:
    roi = store.types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    d = np.array(camera.distortion)
    return store.types[INFO](header(store, ns), camera.height, camera.width, model, d, camera.K.ravel(),
                             np.eye(3).ravel(), np.zeros(12), 0, 0, roi)  # fmt: skip


def write(path: Path, form: str, messages: list[tuple[str, str, int, Any]], **compression: Any) -> Path:
    """A bag of (topic, type, log time, message of the form's store; or raw bytes), written by ``rosbags``."""
    store = ROS1 if form == "ros1" else ROS2
    if form == "ros1":
        path = path.with_suffix(".bag")
        writer: Any = Writer1(path)
    else:
        writer = Writer2(
            path, version=9, storage_plugin=StoragePlugin.MCAP if form == "mcap" else StoragePlugin.SQLITE3
        )
        if compression:
            writer.set_compression(compression["mode"], CompressionFormat.ZSTD)
    with writer:
        connections: dict[str, Any] = {}
        for topic, kind, ns, message in messages:
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=store)
            serialize = store.serialize_ros1 if form == "ros1" else store.serialize_cdr
            raw = message if isinstance(message, bytes) else serialize(message, kind)
            writer.write(connections[topic], ns, raw)
    return path


def stream(form: str, n: int = 6, step: int = 50_000_000, start: int = 7 * NS) -> list[tuple[str, str, int, Any]]:
    """A camera's pictures with their calibration."""
    store, out = ROS1 if form == "ros1" else ROS2, []
    for i in range(n):
        ns = start + i * step
        out.append(("/cam/camera_info", INFO, ns, info(store, ns)))
        out.append(("/cam/image_raw", IMAGE, ns, image(store, ns, picture(i), "bgr8")))
    return out


def shown(path: Path, **options: Any) -> tuple[Any, list[Any]]:
    source = open_source(str(path), **options)
    return source, list(source.pictures())
