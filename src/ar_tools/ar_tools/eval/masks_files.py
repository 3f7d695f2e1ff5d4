"""Pictures and their true masks: two folders in which the files are named alike."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Pair = tuple[Path, Path]


def pairs(images: Path, masks: Path) -> list[Pair]:
    """The (image, mask) files of two folders, in the order of their names; ValueError where one has no partner."""
    pictures, truths = _by_name(images), _by_name(masks)
    _complete(pictures, truths, masks, "mask")
    _complete(truths, pictures, images, "picture")
    return [(pictures[name], truths[name]) for name in sorted(pictures)]


def clip_pairs(folder: Path) -> list[Pair]:
    """The same of a folder that holds `images/` and `masks/`: a clip, or a set of photographs."""
    return pairs(folder / "images", folder / "masks")


def read_pair(image: Path, mask: Path) -> Pixels:
    """`(H, W, 4) uint8`: blue, green, red, mask; ValueError for a file that is no picture."""
    bgr = _read(image, cv2.IMREAD_COLOR)
    grey = _read(mask, cv2.IMREAD_GRAYSCALE)
    if grey.shape != bgr.shape[:2]:
        grey = np.asarray(cv2.resize(grey, (bgr.shape[1], bgr.shape[0]), interpolation=cv2.INTER_LINEAR), np.uint8)
    return np.dstack([bgr, grey])


def _read(file: Path, flag: int) -> Pixels:
    data = np.fromfile(file, np.uint8)
    picture = cv2.imdecode(data, flag) if len(data) else None
    if picture is None:
        raise ValueError(f"{file}: cannot be read as a picture")
    return np.asarray(picture, np.uint8)


def _by_name(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder")
    files = {file.stem: file for file in sorted(folder.iterdir()) if not file.name.startswith(".")}
    if not files:
        raise ValueError(f"{folder}: holds no pictures")
    return files


def _complete(wanted: dict[str, Path], there: dict[str, Path], folder: Path, kind: str) -> None:
    missing = wanted.keys() - there.keys()
    if missing:
        raise ValueError(f"{folder}: has no {kind} named {min(missing)} ({len(missing)} missing)")
