"""Where pictures come from. A source is opened once and then read picture by picture; it knows nothing of ROS nodes.

``open_source("embedded" | video file | folder of images | bag | /dev/videoN | N)``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.camera_info import read_camera_info
from ar_core.geometry import Intrinsics

IMAGES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"}
EMBEDDED = Path(__file__).parent / "data" / "embedded"


@dataclass(frozen=True)
class Picture:
    """image: (H, W, 3) uint8 bgr8; seconds: media time since the source's first picture; intrinsics: None if not known."""

    image: NDArray[np.uint8]
    seconds: float
    intrinsics: Intrinsics | None


class Source(Protocol):
    """An endless or ending row of pictures."""

    live: bool  # pictures come when they come; otherwise they are due at their media time
    name: str

    def pictures(self) -> Iterator[Picture]:
        """From the first picture on; called again, a recorded source starts over."""


def open_source(source: str, camera_info: str = "", fps: float = 30.0, topic: str = "") -> Source:
    """The source that a text names; ValueError, in words, if there is none. topic: of a bag, the pictures to take."""
    intrinsics = read_camera_info(Path(camera_info)) if camera_info else None
    if source == "embedded":
        return Video(EMBEDDED / "clip.mp4", intrinsics or read_camera_info(EMBEDDED / "camera.yaml"))
    if re.fullmatch(r"\d+", source) or source.startswith("/dev/video"):
        return Device(source, intrinsics, fps)
    path = Path(source).expanduser()
    if not path.exists():
        raise ValueError(f"source {source}: there is no such file, folder or device")
    if path.is_dir() and any(file.suffix.lower() in IMAGES for file in path.iterdir()):
        return Folder(path, intrinsics, fps)
    if path.is_dir() or path.suffix in (".mcap", ".db3", ".bag", ".zstd"):
        from ar_camera.bag import Bag  # rosbags is only needed here

        return Bag(path, intrinsics, topic)
    return Video(path, intrinsics)


class Video:
    """A video file, through OpenCV's FFmpeg."""

    live = False

    def __init__(self, path: Path, intrinsics: Intrinsics | None = None) -> None:
        self.path, self.intrinsics, self.name = path, intrinsics, path.name
        if next(self.pictures(), None) is None:
            raise ValueError(f"source {path}: not a video that can be decoded, or an empty one")

    def pictures(self) -> Iterator[Picture]:
        """Pictures with the media time that the file gives them."""
        capture = cv2.VideoCapture(str(self.path))
        try:
            fps = capture.get(cv2.CAP_PROP_FPS)
            period = 1 / fps if np.isfinite(fps) and fps > 0 else 1 / 30
            first: float | None = None
            last = -period
            while True:
                ok, image = capture.read()
                if not ok or image is None:
                    return
                at = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                first = at if first is None else first
                seconds = at - first
                if seconds <= last:  # files without proper time stamps
                    seconds = last + period
                last = seconds
                yield Picture(np.asarray(image, np.uint8), seconds, self.intrinsics)
        finally:
            capture.release()


class Folder:
    """The images of a folder by name, at a fixed rate; a camera.yaml among them is used."""

    live = False

    def __init__(self, path: Path, intrinsics: Intrinsics | None, fps: float) -> None:
        self.files = sorted(file for file in path.iterdir() if file.suffix.lower() in IMAGES)
        self.period, self.name = 1 / fps, path.name
        beside = path / "camera.yaml"
        self.intrinsics = intrinsics or (read_camera_info(beside) if beside.exists() else None)
        self.unreadable: list[str] = []

    def pictures(self) -> Iterator[Picture]:
        """Pictures in the order of their names; a file that cannot be decoded leaves a gap and is noted."""
        for i, file in enumerate(self.files):
            image = cv2.imread(str(file), cv2.IMREAD_COLOR)
            if image is None:
                if file.name not in self.unreadable:
                    self.unreadable.append(file.name)
                continue
            yield Picture(np.asarray(image, np.uint8), i * self.period, self.intrinsics)


class Device:
    """A V4L2 camera; ends when the camera goes away, and may be read again once it is back."""

    live = True

    def __init__(self, device: str, intrinsics: Intrinsics | None, fps: float) -> None:
        self.device = f"/dev/video{device}" if device.isdigit() else device
        self.intrinsics, self.fps, self.name = intrinsics, fps, self.device
        self._started: float | None = None

    def pictures(self) -> Iterator[Picture]:
        """Pictures as they come, with the time since the first."""
        capture = cv2.VideoCapture(self.device, cv2.CAP_V4L2)
        try:
            size = (self.intrinsics.width, self.intrinsics.height) if self.intrinsics else (640, 480)
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
            capture.set(cv2.CAP_PROP_FPS, self.fps)
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            while capture.isOpened():
                ok, image = capture.read()
                if not ok or image is None:
                    return
                now = time.monotonic()
                self._started = now if self._started is None else self._started
                yield Picture(np.asarray(image, np.uint8), now - self._started, self.intrinsics)
        finally:
            capture.release()


def limited(picture: Picture, max_width: int) -> Picture:
    """The picture, made smaller (with its calibration) if it is wider than max_width."""
    height, width = picture.image.shape[:2]
    if width <= max_width:
        return picture
    size = (max_width, round(height * max_width / width))
    image = np.asarray(cv2.resize(picture.image, size, interpolation=cv2.INTER_AREA), np.uint8)
    intrinsics = picture.intrinsics.scaled(*size) if picture.intrinsics else None
    return Picture(image, picture.seconds, intrinsics)
