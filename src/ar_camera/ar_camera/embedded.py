"""The embedded scene: a path-traced clip of a table top that ships with the package, and its exact truth.

``training/embedded_scene`` makes it; ``data/embedded/README.md`` says what is in the files. Poses are
``T_map_camera`` of the camera_optical_frame, map z up, the table top at z = 0, metres; pixels are OpenCV's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from ar_core.camera_info import read_camera_info
from ar_core.geometry import Array, Intrinsics

DATA = Path(__file__).parent / "data" / "embedded"
#: Inverse depth is stored in these units (1/m).
INVERSE_DEPTH_STEP = 1 / 4096

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class SceneObject:
    """A thing on the table: label, middle of its base (3,), bounds (2, 3) low and high; map frame, metres."""

    name: str
    label: int
    base: Array
    height: float
    bounds: Array


@dataclass(frozen=True)
class Pictures:
    """Compressed pictures one after another in an array; ``end[i]`` is where picture ``i`` ends."""

    data: Image
    end: NDArray[np.int64]

    def decode(self, i: int) -> NDArray[Any]:
        """Picture ``i`` as it was stored."""
        start = int(self.end[i - 1]) if i else 0
        image = cv2.imdecode(self.data[start : int(self.end[i])], cv2.IMREAD_UNCHANGED)
        if image is None:
            raise ValueError(f"embedded scene: picture {i} cannot be decoded (this OpenCV lacks WebP or PNG)")
        return np.asarray(image)


@dataclass(frozen=True)
class EmbeddedScene:
    """The clip and what is known of it. ``stamps`` (n,) seconds; ``T_map_camera`` (n, 4, 4)."""

    clip: Path
    intrinsics: Intrinsics
    stamps: Array
    T_map_camera: Array
    objects: dict[str, SceneObject]
    surfaces: dict[str, int]
    prominent: str
    depth_frames: tuple[int, ...]
    plates: dict[int, Path]
    _masks: Pictures
    _entries: NDArray[np.int64]
    _depth: Pictures

    @property
    def names(self) -> tuple[str, ...]:
        """The objects, in the order of their labels."""
        return tuple(self.objects)

    def mask(self, frame: int, name: str) -> Image:
        """Where an object is seen: (H, W) uint8, 255 x the share of the pixel that it covers, in steps of 1/9.

        Exact at mid-exposure through a pinhole: motion blur and depth of field are not in it, occlusion is.
        """
        if name not in self.objects:
            raise ValueError(f"embedded scene: no object '{name}'; there are {', '.join(self.names)}")
        labels = self._masks.decode(int(self._entries[self._frame(frame)]))
        labels = labels if labels.ndim == 2 else labels[..., 0]
        covered = np.where(labels == self.objects[name].label, np.uint8(255), np.uint8(0))
        size = (self.intrinsics.width, self.intrinsics.height)
        return np.asarray(cv2.resize(covered, size, interpolation=cv2.INTER_AREA), np.uint8)

    def depth(self, frame: int) -> NDArray[np.float32]:
        """Depth along the optical axis, (H, W) float32 metres, to 0.1 mm at arm's length; for ``depth_frames``."""
        inverse = self._depth.decode(2 * self._depth_index(frame))
        return np.asarray(1.0 / (inverse * INVERSE_DEPTH_STEP), np.float32)

    def surface(self, frame: int, name: str) -> Image:
        """Where an object or surface is seen at the pixels' centres, (H, W) 0 or 255; for ``depth_frames``."""
        label = self.objects[name].label if name in self.objects else self.surfaces[name]
        return np.where(self._depth.decode(2 * self._depth_index(frame) + 1) == label, np.uint8(255), np.uint8(0))

    def clean_plate(self, frame: int) -> Image:
        """(H, W, 3) uint8 bgr8: the frame without the prominent object and without grain; for ``plates``."""
        if frame not in self.plates:
            raise ValueError(f"embedded scene: no clean plate of frame {frame}; there are {sorted(self.plates)}")
        return np.asarray(cv2.imread(str(self.plates[frame])), np.uint8)

    def _frame(self, frame: int) -> int:
        if not 0 <= frame < len(self.stamps):
            raise ValueError(f"embedded scene: no frame {frame}; there are {len(self.stamps)}")
        return frame

    def _depth_index(self, frame: int) -> int:
        if frame not in self.depth_frames:
            raise ValueError(f"embedded scene: no depth of frame {frame}; there are {list(self.depth_frames)}")
        return self.depth_frames.index(frame)


def load(folder: Path = DATA) -> EmbeddedScene:
    """The scene in ``folder`` (default: the shipped one). ValueError if it is not there or not whole."""
    try:
        poses = np.loadtxt(folder / "poses.txt")
        things = yaml.safe_load((folder / "objects.yaml").read_text())
        masks, depth = np.load(folder / "masks.npz"), np.load(folder / "depth.npz")
    except OSError as error:
        raise ValueError(f"embedded scene {folder}: {error.strerror or error} ({error.filename or ''})") from None
    objects = {
        name: SceneObject(name, entry["label"], np.array(entry["base"]), entry["height"], np.array(entry["bounds"]))
        for name, entry in things["things"].items()
        if "base" in entry
    }
    return EmbeddedScene(
        clip=folder / "clip.mp4",
        intrinsics=read_camera_info(folder / "camera.yaml"),
        stamps=poses[:, 0],
        T_map_camera=_matrices(poses[:, 1:]),
        objects=objects,
        surfaces={name: entry["label"] for name, entry in things["things"].items() if "base" not in entry},
        prominent=things["prominent"],
        depth_frames=tuple(int(frame) for frame in depth["frame"]),
        plates={int(file.stem.split("_")[1]): file for file in sorted(folder.glob("plate_*.webp"))},
        _masks=Pictures(masks["data"], masks["end"]),
        _entries=masks["entry"],
        _depth=Pictures(depth["data"], depth["end"]),
    )


def _matrices(poses: Array) -> Array:
    """(n, 4, 4) of (n, 7) ``tx ty tz qx qy qz qw``."""
    q = poses[:, 3:] / np.linalg.norm(poses[:, 3:], axis=1, keepdims=True)
    x, y, z, w = q.T
    T = np.tile(np.eye(4), (len(poses), 1, 1))
    T[:, :3, 3] = poses[:, :3]
    T[:, 0, :3] = np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)], 1)
    T[:, 1, :3] = np.stack([2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)], 1)
    T[:, 2, :3] = np.stack([2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)], 1)
    return T
