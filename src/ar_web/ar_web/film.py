"""The pictures that pages see, into a film: H.264 at the pace of their stamps, written in a thread of its own."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Full, Queue

from ar_core.video import VideoWriter
from ar_web.jpeg import jpeg_size
from ar_web.state import Picture

FPS = 30
LONGEST_GAP = FPS  # pictures; a longer silence of the camera is shortened to this
WAITING = 2 * FPS  # pictures at most that wait for the encoder; beyond that they are left out
NEWS = FPS // 2  # pictures between two calls of `changed`


@dataclass(frozen=True)
class Limits:
    """When a film ends by itself: its length in seconds, its size and what the disk must keep free, both in bytes."""

    seconds: float = 600.0
    size: int = 1_000_000_000
    spare: int = 100_000_000


class Film:
    """Records from construction until ``end``, a limit or a full disk; the file is whole whenever it ends.

    A picture is held until the next one's stamp is due, so that the film runs at the pace of the stamps.
    ``changed`` is called, from the film's thread, when there is something new to say.
    """

    def __init__(self, path: Path, limits: Limits, changed: Callable[[], None]) -> None:
        self.path, self._limits, self._changed = path, limits, changed
        self.running, self.finished = True, False
        self.word = ""  # why it ended by itself
        self.pictures = 0  # of the file, at FPS
        self._writer = VideoWriter(path, FPS)
        self._origin = 0  # stamp of the first picture, moved by what gaps were shortened
        self._last: Picture | None = None
        self._size: tuple[int, int] | None = None
        self._queue: Queue[Picture | None] = Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="film")
        self._thread.start()

    @property
    def seconds(self) -> float:
        """Length so far."""
        return self.pictures / FPS

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def add(self, picture: Picture) -> None:
        """A picture was shown; never waits."""
        if self.running:
            with contextlib.suppress(Full):  # the encoder is behind: the picture before stands a little longer
                self._queue.put_nowait(picture)

    def end(self) -> None:
        """No more pictures; the thread writes what waits and finishes the file."""
        self.running = False
        with contextlib.suppress(Full):  # else the thread sees it after the next picture
            self._queue.put_nowait(None)

    def join(self) -> None:
        """Until the file is whole."""
        self._thread.join()

    def _run(self) -> None:
        try:
            with self._writer:
                while not self._over() and (picture := self._queue.get()) is not None:
                    self._take(picture)
                self.running = False
                self._changed()  # putting a long film in order takes a moment
        except (RuntimeError, OSError) as error:
            why = str(error).rpartition("could not be written: ")[2]
            self.word = f"The recording ended: {why}."
        self.running, self.finished = False, True
        self._changed()

    def _over(self) -> bool:
        return bool(self.word) or (not self.running and self._queue.empty())

    def _take(self, picture: Picture) -> None:
        try:
            size = jpeg_size(picture.jpeg)
        except ValueError:
            return  # damaged: the picture before stands a little longer
        self._size = self._size or size
        if size != self._size:
            self.word = f"The recording ended: the picture is of another size now, {size[0]}x{size[1]}."
            return
        due = self._due(picture.stamp)
        for _ in range(due - self.pictures):
            assert self._last is not None
            self._write(self._last)
        if due >= self.pictures:  # else the camera is faster than the film
            self._write(picture)
        self._last = picture

    def _due(self, stamp: int) -> int:
        """Number of the film's picture that a stamp belongs to; a clock that jumps goes on with the next."""
        if self._last is None:
            self._origin = stamp
        due = round((stamp - self._origin) * FPS / 1e9)
        longest = self.pictures + LONGEST_GAP
        due, wanted = (self.pictures if due < self.pictures - LONGEST_GAP else min(due, longest)), due
        self._origin += round((wanted - due) * 1e9 / FPS)
        return due

    def _write(self, picture: Picture) -> None:
        self._writer.write_jpeg(picture.jpeg)
        self.pictures += 1
        if self.pictures % NEWS == 0:
            self._changed()
            self.word = self.word or self._limit_reached()

    def _limit_reached(self) -> str:
        free = shutil.disk_usage(self.path.parent).free
        if free < self._limits.spare:
            return f"The recording ended: the disk is nearly full ({free / 1e6:.0f} MB are left)."
        if self.seconds >= self._limits.seconds:
            return f"The recording ended: it may be {_words(self._limits.seconds)} long."
        if self.size >= self._limits.size:
            return f"The recording ended: it may have {self._limits.size / 1e6:.0f} MB."
        return ""


def _words(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
