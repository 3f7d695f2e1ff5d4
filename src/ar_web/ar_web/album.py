"""What visitors keep: snapshots, in memory only, and films, in a folder that is made when the first one is begun.

Used from any thread. Names come from here alone; what the network names is looked up among them, never made a path.
"""

from __future__ import annotations

import os
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ar_core.video import PART
from ar_web.film import Film, Limits
from ar_web.newest import Newest
from ar_web.portraits import thumbnail
from ar_web.state import Answer, Picture, to_json

MAX_SNAPSHOTS = 24  # the oldest goes first
MAX_FILMS = 50  # older ones stay in the folder without being offered
_FILM = re.compile(r"tsukumo-\d{8}-\d{6}-\d{3}\.mp4")


@dataclass(frozen=True)
class Kept:
    """One thing that can be downloaded: ``size`` in bytes, ``seconds`` of a film (None: not known, or a snapshot)."""

    name: str
    kind: str
    size: int
    seconds: float | None = None


class Album:
    """``news`` is the album as JSON text for the pages, renewed with every change and by ``tell``."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.folder, self.limits = folder, limits or Limits()
        self.news: Newest[str] = Newest()
        self._lock = threading.RLock()
        self._snapshots: dict[str, bytes] = {}
        self._film: Film | None = None
        self._word = ""
        self._named = 0  # milliseconds
        self._looked: dict[tuple[str, int], tuple[float | None, bytes]] = {}  # a film's length and thumbnail

    @property
    def filming(self) -> bool:
        """Whether pictures are wanted for a film."""
        film = self._film
        return film is not None and film.running

    def show(self, picture: Picture) -> None:
        """A picture was shown to the pages; never waits."""
        film = self._film
        if film is not None:
            film.add(picture)

    # ---- what visitors wish

    def snapshot(self, picture: Picture | None) -> Answer:
        """Keep a picture."""
        if picture is None:
            return Answer(False, "There is no picture to keep yet.")
        with self._lock:
            name = self._new_name("jpg")
            self._snapshots[name] = picture.jpeg
            while len(self._snapshots) > MAX_SNAPSHOTS:
                del self._snapshots[next(iter(self._snapshots))]
        self.tell()
        return Answer(True, "", name)

    def film(self, on: bool) -> Answer:
        """Begin a film, or end the one that is being recorded; several visitors may do either."""
        with self._lock:
            if on and self._film is None:
                try:
                    self._film = self._new_film()
                except (OSError, RuntimeError) as error:
                    self._word = f"Recording is not possible: {getattr(error, 'strerror', None) or error}."
                    self.tell()
                    return Answer(False, self._word)
                self._word = ""
            elif on and not self.filming:
                return Answer(False, "One moment: the recording before is still being finished.")
            elif not on and self._film is not None:
                self._film.end()
        self.tell()
        return Answer(True, "")

    def discard(self, name: str) -> Answer:
        """Delete a snapshot or a film."""
        with self._lock:
            if self._snapshots.pop(name, None) is None:
                film = self._films().get(name)
                if film is None:
                    return Answer(False, "That is gone already.")
                try:
                    film.unlink(missing_ok=True)
                except OSError as error:
                    return Answer(False, f"{name} cannot be deleted: {error.strerror}.")
        self.tell()
        return Answer(True, "")

    # ---- what can be downloaded

    def snapshot_named(self, name: str) -> bytes | None:
        """JPEG of the snapshot with exactly that name."""
        return self._snapshots.get(name)

    def film_named(self, name: str) -> Path | None:
        """File of the finished film with exactly that name."""
        return self._films().get(name)

    def thumbnail(self, name: str) -> bytes | None:
        """A small JPEG of what has that name; None if there is none."""
        jpeg = self._snapshots.get(name)
        if jpeg is not None:
            return thumbnail(jpeg)
        film = self._films().get(name)
        return (self._look(film)[1] or None) if film else None

    def tell(self) -> None:
        """Renew ``news``."""
        with self._lock:
            film, running = self._film, None
            if film is not None and film.finished:
                self._word = self._put_away(film)
                self._film = film = None
            if film is not None:
                running = {"seconds": film.seconds, "size": film.size, "finishing": not film.running}
            kept = [Kept(name, "snapshot", len(jpeg)) for name, jpeg in self._snapshots.items()]
            kept += [found for path in self._films().values() if (found := self._kept(path)) is not None]
            kept.sort(key=lambda item: item.name, reverse=True)  # the newest first
            body = {"folder": _shown(self.folder), "film": running, "word": self._word, "kept": list(map(vars, kept))}
            self.news.set(to_json("album", body))

    def close(self) -> None:
        """End the film, if there is one, and wait until its file is whole."""
        film = self._film
        if film is not None:
            film.end()
            film.join()

    # ---- files

    def _put_away(self, film: Film) -> str:
        """Leave the file of a film that has ended if anything can be seen in it; what there is to say."""
        if film.pictures and self._look(film.path)[1]:
            return f"{film.word} What was recorded until then is kept." if film.word else ""
        film.path.unlink(missing_ok=True)
        return f"{film.word} Nothing of it could be kept." if film.word else "Nothing was recorded: no picture came."

    def _new_film(self) -> Film:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for torn in self.folder.glob(f".tsukumo-*{PART}"):  # of a process that was killed
                torn.unlink()
            path = self.folder / self._new_name("mp4")
            path.touch(exist_ok=False)
        except OSError as error:
            raise OSError(f"the folder {_shown(self.folder)} cannot be written ({error.strerror})") from None
        try:
            return Film(path, self.limits, self.tell)
        except RuntimeError:
            path.unlink()
            raise

    def _new_name(self, suffix: str) -> str:
        """Named by the moment; every name is later than those before."""
        self._named = max(time.time_ns() // 1_000_000, self._named + 1)
        moment = time.strftime("%Y%m%d-%H%M%S", time.localtime(self._named // 1000))
        return f"tsukumo-{moment}-{self._named % 1000:03d}.{suffix}"

    def _films(self) -> dict[str, Path]:
        """The finished films that lie in the folder."""
        film = self._film
        current = film.path.name if film is not None else ""
        try:
            with os.scandir(self.folder) as entries:
                names = [e.name for e in entries if _FILM.fullmatch(e.name) and e.is_file(follow_symlinks=False)]
        except OSError:
            return {}
        names = sorted(name for name in names if name != current)[-MAX_FILMS:]
        return {name: self.folder / name for name in names}

    def _kept(self, path: Path) -> Kept | None:
        try:
            return Kept(path.name, "film", path.stat().st_size, self._look(path)[0])
        except OSError:
            return None  # somebody has just deleted it

    def _look(self, path: Path) -> tuple[float | None, bytes]:
        """Length in seconds and a thumbnail of a film; looked at once, a file may be a stranger's."""
        key = (path.name, path.stat().st_size)
        if key not in self._looked:
            capture = cv2.VideoCapture(str(path))
            fps, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
            ok, image = capture.read()
            capture.release()
            self._looked[key] = (
                count / fps if fps > 0 and count > 0 else None,
                thumbnail(np.asarray(image, np.uint8)) if ok else b"",
            )
        return self._looked[key]


def _shown(folder: Path) -> str:
    """As people write it."""
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)
