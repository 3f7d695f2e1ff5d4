"""Recorded sequences: TUM folders, and videos with a ``camera.yaml`` (and the truth, where it is known) beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from ar_core.camera_info import read_camera_info
from ar_core.geometry import Array, Intrinsics
from ar_slam.evaluation import read_tum
from ar_slam.flow import Grey

VIDEOS = (".mp4", ".mkv", ".mov", ".avi", ".webm")
TRUTH = ("groundtruth.txt", "poses.txt")


@dataclass(frozen=True)
class Recording:
    """What is to be tracked; iterate, as often as you like, for stamps in seconds and pictures (H, W) uint8.

    intrinsics None: nobody calibrated; truth: stamps (n,) and poses.
    """

    path: Path
    read: Callable[[], Iterator[tuple[float, Grey]]]
    intrinsics: Intrinsics | None = None
    truth: tuple[Array, list[Array]] | None = None

    def __iter__(self) -> Iterator[tuple[float, Grey]]:
        return self.read()


def open_recording(path: Path) -> Recording:
    """A folder (``rgb.txt``, or one video) or a video; ValueError, in words, for what is neither."""
    if not path.exists():
        raise ValueError(f"{path}: there is no such file or folder")
    folder = path if path.is_dir() else path.parent
    if path.is_dir() and not (path / "rgb.txt").exists():
        videos = sorted(p for p in path.iterdir() if p.suffix.lower() in VIDEOS)
        if len(videos) != 1:
            raise ValueError(f"{path}: neither an rgb.txt nor exactly one video in it")
        path = videos[0]
    camera = folder / "camera.yaml"
    truth = next((folder / name for name in TRUTH if (folder / name).exists()), None)
    return Recording(
        path,
        lambda: _pictures_of_folder(path) if path.is_dir() else _pictures_of_video(path),
        read_camera_info(camera) if camera.exists() else None,
        None if truth is None else read_tum(truth),
    )


def _pictures_of_folder(folder: Path) -> Iterator[tuple[float, Grey]]:
    for line in (folder / "rgb.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            stamp, name = line.split()[:2]
            picture = cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE)
            if picture is None:
                raise ValueError(f"{folder / name}: listed in rgb.txt, but not a picture that can be read")
            yield float(stamp), picture  # type: ignore[misc]


def _pictures_of_video(path: Path) -> Iterator[tuple[float, Grey]]:
    video = cv2.VideoCapture(str(path))
    rate = video.get(cv2.CAP_PROP_FPS) or 30.0
    index = 0
    while True:
        ok, picture = video.read()
        if not ok:
            break
        yield index / rate, cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)  # type: ignore[misc]
        index += 1
    if index == 0:
        raise ValueError(f"{path}: no picture can be read from this video")
