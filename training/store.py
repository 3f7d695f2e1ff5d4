"""Photographs with masks, decoded once into one flat memory-mapped file: a sample then costs a page, not a decoder.

A folder in the layout of a saliency set (`images/<name>.webp|jpg|png`, `masks/<name>.png`) becomes `pixels.bin`
(BGR + mask, uint8, row by row, picture after picture) and `index.npy` (`(n, 3)` offset, height, width). Half-size
copies lie beside them, so that a small sample is drawn from a picture of about its size and does not alias.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_tools.eval.masks_files import clip_pairs, read_pair

Pixels = NDArray[np.uint8]

N_VALIDATION = 500
"""The last pictures by file name: never trained on."""


def pairs(folder: Path) -> list[tuple[Path, Path]]:
    """The (image, mask) files of `folder`, in the order of their names."""
    return clip_pairs(folder)


def training_pairs(folder: Path) -> list[tuple[Path, Path]]:
    return pairs(folder)[:-N_VALIDATION]


def validation_pairs(folder: Path) -> list[tuple[Path, Path]]:
    return pairs(folder)[-N_VALIDATION:]


@dataclass(frozen=True)
class Store:
    """All pictures of a set; `store[i]` is `(H, W, 4) uint8` at full size, `store.half(i)` at half size."""

    full: Pixels
    halves: Pixels
    index: NDArray[np.int64]
    index_half: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, i: int) -> Pixels:
        return _view(self.full, self.index[i])

    def half(self, i: int) -> Pixels:
        return _view(self.halves, self.index_half[i])


def _view(flat: Pixels, entry: NDArray[np.int64]) -> Pixels:
    start, h, w = (int(v) for v in entry)
    return flat[start : start + h * w * 4].reshape(h, w, 4)


def _write(path: Path, pictures: list[tuple[Path, Path]]) -> None:
    path.mkdir(parents=True, exist_ok=True)
    index, index_half, at, at_half = [], [], 0, 0
    with (path / "pixels.bin").open("wb") as full, (path / "half.bin").open("wb") as halves:
        for image, mask in pictures:
            picture = read_pair(image, mask)
            h, w = picture.shape[:2]
            half = cv2.resize(picture, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
            full.write(picture.tobytes())
            halves.write(half.tobytes())
            index.append((at, h, w))
            index_half.append((at_half, h // 2, w // 2))
            at, at_half = at + picture.size, at_half + half.size
    np.save(path / "index_half.npy", np.array(index_half, np.int64))
    np.save(path / "index.npy", np.array(index, np.int64))  # last: its presence says that the store is complete


def open_store(folder: Path, cache: Path) -> Store:
    """The training part of the set in `folder`, decoded to `cache` on first use (3.3 GB for DUTS-TR at 320 px)."""
    if not (cache / "index.npy").exists():
        _write(cache, training_pairs(folder))
    return Store(
        np.memmap(cache / "pixels.bin", np.uint8, "r"),
        np.memmap(cache / "half.bin", np.uint8, "r"),
        np.load(cache / "index.npy"),
        np.load(cache / "index_half.npy"),
    )


def store_of(files: list[tuple[Path, Path]]) -> Store:
    """A small store in memory."""
    return packed([read_pair(*pair) for pair in files])


def packed(pictures: list[Pixels]) -> Store:
    """The same of pictures `(H, W, 4) uint8`."""
    halves = [cv2.resize(p, (p.shape[1] // 2, p.shape[0] // 2), interpolation=cv2.INTER_AREA) for p in pictures]

    def flat(parts: list[Pixels]) -> tuple[Pixels, NDArray[np.int64]]:
        starts = np.cumsum([0] + [p.size for p in parts[:-1]])
        index = np.array([(at, *p.shape[:2]) for at, p in zip(starts, parts, strict=True)], np.int64)
        return np.concatenate([p.ravel() for p in parts]), index

    (full, index), (half, index_half) = flat(pictures), flat(halves)
    return Store(full, half, index, index_half)
