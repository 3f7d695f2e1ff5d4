"""Writes H.264 that phones play, through the system's ``ffmpeg`` program (OpenCV's wheel writes none)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class VideoWriter:
    """A growing video file; use as a context manager. RuntimeError, in words, when ffmpeg is missing or fails.

    The file is fragmented while it grows, so that it can be watched however the writing ends.
    """

    def __init__(self, path: Path, fps: float) -> None:
        if shutil.which("ffmpeg") is None:
            raise RuntimeError("ffmpeg is not installed: apt-get install ffmpeg")
        self.path, self.fps = path, fps
        self.size: tuple[int, int] | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, image: NDArray[np.uint8]) -> None:
        """Add a picture (H, W, 3) uint8; its size must stay that of the first."""
        size = (image.shape[1], image.shape[0])
        if self.process is None:
            self.size = size
            self.process = self._start(size)
        if size != self.size:
            raise RuntimeError(f"{self.path.name}: a picture of {size} in a video of {self.size}")
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(np.ascontiguousarray(image).data)
        except BrokenPipeError:
            raise RuntimeError(self._last_words()) from None

    def _start(self, size: tuple[int, int]) -> subprocess.Popen[bytes]:
        given = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{size[0]}x{size[1]}", "-r", f"{self.fps:g}", "-i", "-"]
        # yuv420p wants even sizes; one thread: the graph needs the cores
        wanted = ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-c:v", "libx264", "-preset", "superfast", "-crf", "19",
                  "-pix_fmt", "yuv420p", "-threads", "1", "-movflags", "+frag_keyframe+empty_moov"]  # fmt: skip
        line = ["ffmpeg", "-y", "-loglevel", "error", *given, *wanted, str(self.path)]
        return subprocess.Popen(line, stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def _last_words(self) -> str:
        assert self.process is not None
        said = self.process.communicate()[1].decode(errors="replace").strip().splitlines()
        return f"ffmpeg could not write {self.path}: {said[-1] if said else 'no reason given'}"

    def close(self) -> None:
        """Finish the file."""
        if self.process is None:
            return
        said = self.process.communicate()[1].decode(errors="replace").strip()
        if self.process.returncode:
            raise RuntimeError(
                f"ffmpeg could not write {self.path}: {said.splitlines()[-1] if said else 'no reason given'}"
            )
        self.process = None

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
