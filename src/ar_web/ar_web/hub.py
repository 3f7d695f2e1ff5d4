"""What the graph gives to the pages and takes from them: the only thing the server and the ROS shell both know."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from ar_core.folders import recordings_folder
from ar_web.album import Album
from ar_web.newest import Newest
from ar_web.state import Answer, Picture


@dataclass(frozen=True)
class Model:
    """A character's .glb, and the name it goes by."""

    name: str
    glb: bytes


class Actions(Protocol):
    """What pages may ask of the graph. Pixels are those of the picture with ``stamp`` (ns; 0: the newest)."""

    async def poke(self, stamp: int, x: float, y: float) -> Answer:
        """Make the character at the pixel jump; not ok if there is none."""

    async def awaken_at(self, stamp: int, x: float, y: float) -> Answer:
        """Awaken the object at the pixel."""

    async def awaken(self, stamp: int, detection: str) -> Answer:
        """Awaken a detection, or with "" the most prominent object."""

    async def act(self, id: str, clip: str) -> Answer:
        """Let a character play a clip."""

    async def ask(self, action: str, id: str, stamp: int, x: float, y: float) -> Answer:
        """Hold, lead, feed or call a character: ``id``, or (empty) the one at the pixel."""

    async def remove(self, id: str) -> Answer:
        """Let a character become a thing again."""

    async def reset(self) -> Answer:
        """Forget the map."""

    async def bag(self, on: bool) -> Answer:
        """Begin or end to record the graph's topics."""

    async def calibrate(self, action: str, model: str, square_mm: float) -> Answer:
        """Begin, finish or cancel a calibration of the camera."""


class Hub:
    """Newest picture, state, detections and calibration (these as JSON text), files in memory, what is kept, who watches."""

    def __init__(self, album: Album | None = None) -> None:
        self.album = album or Album(recordings_folder())
        self.pictures: Newest[Picture] = Newest()
        self.state: Newest[str] = Newest()
        self.objects: Newest[str] = Newest()
        self.calibration: Newest[str] = Newest()
        self.models: dict[str, Model] = {}  # by the character's id
        self.portraits: dict[str, bytes] = {}  # PNG, by the same id
        self._lock = threading.Lock()
        self._watchers = 0

    @property
    def watchers(self) -> int:
        """How many look at the picture right now, a film among them; 0: nobody needs to send or encode any."""
        return self._watchers + self.album.filming

    def show(self, picture: Picture) -> None:
        """A new picture: for the pages, and for the film if there is one."""
        self.pictures.set(picture)
        self.album.show(picture)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Counts as a watcher inside the ``with``."""
        with self._lock:
            self._watchers += 1
        try:
            yield
        finally:
            with self._lock:
                self._watchers -= 1


async def tap(actions: Actions, stamp: int, x: float, y: float) -> Answer:
    """A tap on a pixel: the character there jumps; where there is none, the object there awakens."""
    poked = await actions.poke(stamp, x, y)
    if poked.ok:
        return poked
    return await actions.awaken_at(stamp, x, y)
