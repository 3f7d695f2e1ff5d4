"""Packs rendered frames into the shipped clip and its truth: ``python -m training.embedded_scene.pack --help``.

Runs at any time: it takes the frames from 0 on that are there. The README.md beside the data describes the format.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import yaml
from numpy.typing import NDArray

os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"
import cv2

from ar_core.geometry import Intrinsics

from .camera_path import CameraPath, hand_held
from .develop import carry, develop, steady

WIDTH, HEIGHT, FPS, FOCAL_PX = 640, 480, 30, 580.0
CAMERA = Intrinsics(FOCAL_PX, FOCAL_PX, (WIDTH - 1) / 2, (HEIGHT - 1) / 2, WIDTH, HEIGHT)
#: Rays per pixel side in the truth pass; the middle one goes through the pixel's centre.
TRUTH_SCALE = 3
OBJECTS = 5
DEPTH_EVERY = 30
#: Inverse depth is stored in these units (1/m).
INVERSE_DEPTH_STEP = 1 / 4096


class Renders:
    """The folder of rendered frames; every frame of the rest is the same render."""

    def __init__(self, folder: Path, path: CameraPath) -> None:
        self.folder, self.path = folder, path
        self._recent: dict[int, tuple[NDArray[np.float32], NDArray[np.float64]]] = {}

    def source(self, frame: int) -> int:
        """The rendered frame that stands for ``frame``."""
        return self.path.source_frame(frame, FPS)

    def pose(self, frame: int) -> NDArray[np.float64]:
        """``T_map_camera``."""
        return self.path.pose(frame / FPS)

    def rendered(self, frame: int) -> bool:
        """Whether the picture of a frame is there."""
        return (self.folder / "rgb" / f"{self.source(frame):04d}.png").exists()

    def complete(self, frame: int) -> bool:
        """Whether a frame's truth is there, and its picture or those before and after it."""
        known = (self.folder / "truth" / f"{self.source(frame):04d}.exr").exists()
        return known and (self.rendered(frame) or (frame > 0 and self.rendered(frame - 1) and self.rendered(frame + 1)))

    def truth(self, frame: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Labels ``(3 H, 3 W)`` and depth ``(H, W)`` in metres through the pixels' centres."""
        small = self.folder / "truth" / f"{self.source(frame):04d}.npz"
        if not small.exists():
            exr = read(small.with_suffix(".exr"))
            middle = TRUTH_SCALE // 2
            depth = exr[middle::TRUTH_SCALE, middle::TRUTH_SCALE, 1]
            np.savez(small, labels=_lossless(np.rint(exr[..., 2]).astype(np.uint8)), depth=depth)
        with np.load(small) as truth:
            labels = cv2.imdecode(truth["labels"], cv2.IMREAD_UNCHANGED)
            if labels is None:
                raise ValueError(f"{small}: cannot be read")
            return np.asarray(labels[..., 0], np.uint8).copy(), truth["depth"].astype(float)

    def picture(self, frame: int) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The render ``(H, W, 3)``, BGR in 0..255, and its depth; the mean of all passes (``rgb``, ``rgb1``, ...)."""
        source = self.source(frame)
        if source not in self._recent:
            files = sorted(self.folder.glob(f"rgb*/{source:04d}.png"))
            mean = np.mean([read(file).astype(np.float32) for file in files], axis=0)
            self._recent[source] = (np.asarray(mean, np.float32), self.truth(frame)[1])
            for old in [k for k in self._recent if abs(k - source) > 40]:
                del self._recent[old]
        return self._recent[source]

    def steadied(self, frame: int, count: int) -> NDArray[np.float32]:
        """A frame whose light is averaged with the two frames on either side; those of the rest stay as they are."""
        if not self.rendered(frame):
            return self._between(frame)
        picture, depth = self.picture(frame)
        if self.source(frame) != frame or self.source(frame + 1) == frame:
            return picture
        neighbours = [
            carry(*self.picture(other), self.pose(other), depth, self.pose(frame), CAMERA)
            for other in (frame - 2, frame - 1, frame + 1, frame + 2)
            if 0 <= other < count and self.rendered(other)
        ]
        return steady(picture, neighbours)

    def _between(self, frame: int) -> NDArray[np.float32]:
        """A frame that was not rendered, from the two around it by exact depth: a preview."""
        depth = self.truth(frame)[1]
        sides = [
            carry(*self.picture(other), self.pose(other), depth, self.pose(frame), CAMERA)
            for other in (frame - 1, frame + 1)
        ]
        weights = [known.astype(np.float32)[..., None] + 1e-3 for _, known in sides]
        total = sum(weight * picture for weight, (picture, _) in zip(weights, sides, strict=True))
        return np.asarray(total / sum(weights), np.float32)


def read(path: Path) -> NDArray[Any]:
    """A picture as it is stored."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(f"{path}: cannot be read as a picture")
    return np.asarray(image)


def write_clip(renders: Renders, count: int, path: Path, crf: int) -> None:
    """H.264, 4:2:0, a key frame each second."""
    encoder = [
        "ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{WIDTH}x{HEIGHT}",
        "-r", str(FPS), "-i", "-", "-c:v", "libx264", "-preset", "slow", "-tune", "film", "-crf", str(crf),
        "-pix_fmt", "yuv420p", "-g", str(FPS), "-movflags", "+faststart", str(path),
    ]  # fmt: skip
    with subprocess.Popen(encoder, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for frame in range(count):
            process.stdin.write(develop(renders.steadied(frame, count), frame).tobytes())
        process.stdin.close()
        if process.wait() != 0:
            raise RuntimeError(f"ffmpeg could not write {path}")


def write_poses(renders: Renders, count: int, path: Path) -> None:
    """TUM format."""
    lines = ["# t tx ty tz qx qy qz qw (T_map_camera, camera_optical_frame, map z up, table at z = 0, metres)"]
    for frame in range(count):
        pose = renders.pose(frame)
        values = [frame / FPS, *pose[:3, 3], *quaternion(pose[:3, :3])]
        lines.append(" ".join(f"{value:.9f}" for value in values))
    path.write_text("\n".join(lines) + "\n")


def quaternion(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """(x, y, z, w) of a rotation matrix, w >= 0: the eigenvector of Bar-Itzhack's symmetric matrix."""
    r = rotation
    k = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0], r[2, 1] - r[1, 2]],
            [r[0, 1] + r[1, 0], r[1, 1] - r[0, 0] - r[2, 2], r[1, 2] + r[2, 1], r[0, 2] - r[2, 0]],
            [r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], r[2, 2] - r[0, 0] - r[1, 1], r[1, 0] - r[0, 1]],
            [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], r[0, 0] + r[1, 1] + r[2, 2]],
        ]
    )
    q = np.linalg.eigh(k)[1][:, -1]
    return np.asarray(q if q[3] >= 0 else -q)


def write_masks(renders: Renders, count: int, path: Path) -> None:
    """Objects' labels at three times the resolution, lossless WebP, one for each distinct frame."""
    encoded: dict[int, NDArray[np.uint8]] = {}
    for frame in range(count):
        source = renders.source(frame)
        if source not in encoded:
            labels = renders.truth(frame)[0]
            labels[labels > OBJECTS] = 0
            encoded[source] = _lossless(labels)
    order = {source: k for k, source in enumerate(encoded)}
    _write_pictures(path, list(encoded.values()), entry=[order[renders.source(frame)] for frame in range(count)])


def write_depth(renders: Renders, count: int, path: Path) -> None:
    """Inverse depth (16-bit PNG) and all labels (PNG) of every thirtieth frame, alternating."""
    frames = list(range(0, count, DEPTH_EVERY))
    pictures = []
    for frame in frames:
        labels, depth = renders.truth(frame)
        inverse = np.rint(1 / (depth * INVERSE_DEPTH_STEP)).astype(np.uint16)
        middle = TRUTH_SCALE // 2
        pictures.append(_encode(".png", inverse, cv2.IMWRITE_PNG_COMPRESSION, 9))
        pictures.append(
            _encode(".png", labels[middle::TRUTH_SCALE, middle::TRUTH_SCALE], cv2.IMWRITE_PNG_COMPRESSION, 9)
        )
    _write_pictures(path, pictures, frame=frames)


def write_plates(folder: Path, out: Path, count: int) -> None:
    """The clean plates that are rendered, developed without grain, as WebP."""
    for old in out.glob("plate_*.webp"):
        old.unlink()
    for file in sorted((folder / "plates").glob("[0-9]*.png")):
        if int(file.stem) < count:
            image = develop(read(file).astype(np.float32), None)
            (out / f"plate_{file.stem}.webp").write_bytes(
                _encode(".webp", image, cv2.IMWRITE_WEBP_QUALITY, 93).tobytes()
            )


def _lossless(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey lossless WebP from Pillow, a tenth smaller than from OpenCV."""
    data = io.BytesIO()
    PIL.Image.fromarray(labels).convert("RGB").save(data, "WEBP", lossless=True, quality=100, method=4)
    return np.frombuffer(data.getvalue(), np.uint8)


def _encode(extension: str, image: NDArray[Any], key: int, value: int) -> NDArray[np.uint8]:
    done, data = cv2.imencode(extension, image, [key, value])
    if not done:
        raise RuntimeError(f"OpenCV cannot write {extension}")
    return np.asarray(data, np.uint8).ravel()


def _write_pictures(path: Path, pictures: list[NDArray[np.uint8]], **arrays: list[int]) -> None:
    ends = np.cumsum([len(data) for data in pictures])
    extra: Any = {key: np.array(value) for key, value in arrays.items()}
    np.savez(path, data=np.concatenate(pictures), end=ends, **extra)


def write_camera(path: Path) -> None:
    """The standard camera_info YAML."""
    k = CAMERA.K
    matrices = {
        "camera_matrix": k,
        "distortion_coefficients": np.zeros((1, 5)),
        "rectification_matrix": np.eye(3),
        "projection_matrix": np.column_stack([k, np.zeros(3)]),
    }
    data: dict[str, object] = {"image_width": WIDTH, "image_height": HEIGHT, "camera_name": "embedded"}
    data["distortion_model"] = "plumb_bob"
    for name, m in matrices.items():
        data[name] = {"rows": m.shape[0], "cols": m.shape[1], "data": [float(value) for value in m.ravel()]}
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("renders", type=Path, help="the --out folder of the renderer")
    parser.add_argument("out", type=Path, help="where clip.mp4 and the truth go")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--crf", type=int, default=21)
    options = parser.parse_args()
    renders = Renders(options.renders, hand_held(options.seed))
    count = 0
    while count < round(renders.path.period * FPS) and renders.complete(count):
        count += 1
    options.out.mkdir(parents=True, exist_ok=True)
    write_camera(options.out / "camera.yaml")
    write_poses(renders, count, options.out / "poses.txt")
    write_masks(renders, count, options.out / "masks.npz")
    write_depth(renders, count, options.out / "depth.npz")
    write_plates(options.renders, options.out, count)
    (options.out / "objects.yaml").write_text((options.renders / "objects.yaml").read_text())
    write_clip(renders, count, options.out / "clip.mp4", options.crf)
    for file in sorted(options.out.iterdir()):
        print(f"{file.stat().st_size / 1e6:7.3f} MB  {file.name}")
    print(f"{count} frames")


if __name__ == "__main__":
    main()
