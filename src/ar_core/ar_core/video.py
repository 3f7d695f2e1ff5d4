"""Writes H.264 that phones play, through the system's ``ffmpeg`` program (OpenCV's wheel writes none)."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PART = ".part"  # what the finished file is called while it is being put in order


class VideoWriter:
    """A growing video file; use as a context manager. RuntimeError, in words, when ffmpeg is missing or fails.

    The file is fragmented while it grows, one second each: it can be watched however the writing ends. ``close`` puts
    its index in front, as phones and browsers like it best.
    """

    def __init__(self, path: Path, fps: float) -> None:
        if shutil.which("ffmpeg") is None:
            raise RuntimeError("ffmpeg is not installed: apt-get install ffmpeg")
        self.path, self.fps = path, fps
        self.size: tuple[int, int] | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.problem = ""

    def write(self, image: NDArray[np.uint8]) -> None:
        """Add a picture (H, W, 3) uint8 bgr8; its size must stay that of the first."""
        size = (image.shape[1], image.shape[0])
        self.size = self.size or size
        if size != self.size:
            raise RuntimeError(f"{self.path.name}: a picture of {size} in a video of {self.size}")
        raw = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{size[0]}x{size[1]}", "-r", f"{self.fps:g}"]
        self._write(np.ascontiguousarray(image).data, raw)

    def write_jpeg(self, jpeg: bytes) -> None:
        """Add an encoded picture, which ffmpeg decodes; a file takes either kind, and sizes are the caller's to watch."""
        self._write(jpeg, ["-f", "mjpeg", "-framerate", f"{self.fps:g}"])

    def _write(self, data: bytes | memoryview, given: list[str]) -> None:
        if self.problem:
            raise RuntimeError(self.problem)
        if self.process is None:
            self.process = self._start(given)
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            self._ended()
            raise RuntimeError(self.problem or f"{self.path.name}: ffmpeg has ended") from None

    def _start(self, given: list[str]) -> subprocess.Popen[bytes]:
        # yuv420p wants even sizes: a last odd line is left out; one thread: the graph needs the cores
        wanted = ["-vf", "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0,format=yuv420p", "-c:v", "libx264", "-preset", "superfast",
                  "-crf", "19", "-colorspace", "smpte170m", "-color_range", "tv", "-g", f"{max(1, round(self.fps))}",
                  "-threads", "1", "-movflags", "+frag_keyframe+empty_moov", "-flush_packets", "1"]  # fmt: skip
        line = ["ffmpeg", "-y", "-loglevel", "error", *given, "-i", "-", *wanted, str(self.path)]
        return subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )

    def close(self) -> None:
        """Finish the file."""
        if self.process is None:
            return
        if not self.problem and self._ended():
            self._index_in_front()
        self.process = None
        if self.problem:
            raise RuntimeError(self.problem)

    def _ended(self) -> bool:
        """Let ffmpeg come to its end; whether all is well, else ``problem`` says what is not."""
        assert self.process is not None
        said = self.process.communicate()[1].decode(errors="replace").strip().splitlines()
        code = self.process.returncode
        if code:
            why = f"it was ended by signal {-code}" if code < 0 else said[-1] if said else f"exit code {code}"
            why = "the disk is full" if any(os.strerror(errno.ENOSPC) in line for line in said) else why
            self.problem = f"{self.path.name} could not be written: {why}"
        return code == 0

    def _index_in_front(self) -> None:
        """A copy with one index at its beginning takes the file's place; without room for it the file stays as it is."""
        part = self.path.with_name(f".{self.path.name}{PART}")
        line = ["ffmpeg", "-y", "-loglevel", "error", "-i", str(self.path), "-c", "copy", "-movflags", "+faststart"]
        if subprocess.run([*line, "-f", "mp4", str(part)], capture_output=True, start_new_session=True).returncode == 0:
            os.replace(part, self.path)
        else:
            part.unlink(missing_ok=True)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
