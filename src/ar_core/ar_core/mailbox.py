"""Hands frames and jobs to a worker: frames that it cannot follow are left out; jobs keep their order and go first."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
Job = Callable[[], None]
RESTED_S = 0.25  # a worker that has not waited for so long is too slow for what comes


@dataclass(frozen=True)
class Hold(Generic[T]):
    """For a stage that joins: which frames have what belongs to them, and until when (CLOCK_MONOTONIC) one waits for it."""

    complete: Callable[[T], bool]
    until: Callable[[T], float]
    keep: int = 3


class Mailbox(Generic[T]):
    """One slot for frames (every frame in ``lockstep``) and a queue of jobs.

    A live stage wants the newest picture: an older one that still waits is replaced and given to ``dropped``. Dropping the
    newest instead would add a frame of delay for ever. With a ``hold`` a few frames wait for their parts: the worker does
    something useful with a complete one meanwhile. With the oldest of these, while it has had to wait for frames of late:
    so it works off what piles up behind a slow one. With the newest, when it is too slow for that.
    """

    def __init__(
        self, *, lockstep: bool = False, hold: Hold[T] | None = None, dropped: Callable[[T], None] = lambda _: None
    ) -> None:
        self._lockstep, self._hold, self._dropped = lockstep, hold, dropped
        self._frames: deque[T] = deque()
        self._jobs: deque[Job] = deque()
        self._ready = threading.Condition()
        self._closed = False
        self._idle = time.monotonic()  # when the worker last had nothing to do

    def put(self, frame: T) -> None:
        """Leave a frame; those that no longer have room are dropped."""
        with self._ready:
            self._frames.append(frame)
            room = self._hold.keep if self._hold else 1
            late = [self._frames.popleft() for _ in range(0 if self._lockstep else len(self._frames) - room)]
            self._ready.notify()
        for one in late:
            self._dropped(one)

    def put_job(self, job: Job) -> bool:
        """Queue something to be done between two frames; False if the worker has gone."""
        with self._ready:
            if self._closed:
                return False
            self._jobs.append(job)
            self._ready.notify()
        return True

    def nudge(self) -> None:
        """Something that a frame waits for may have come."""
        with self._ready:
            self._ready.notify()

    def get(self) -> T | Job | None:
        """The next job or frame; waits for one. None once closed."""
        late: list[T] = []
        with self._ready:
            while True:
                if self._jobs:  # first, even once closed: somebody awaits an answer
                    return self._jobs.popleft()
                if self._closed:
                    return None
                index, patience = self._choice()
                if index is not None:
                    late = [self._frames.popleft() for _ in range(index)]
                    chosen = self._frames.popleft()
                    break
                self._ready.wait(None if patience is None else min(patience, 1.0))
                self._idle = time.monotonic()
        for one in late:
            self._dropped(one)
        return chosen

    def _choice(self) -> tuple[int | None, float | None]:
        """Which frame is next, or how long to wait for a change."""
        if not self._frames or self._hold is None:
            return (0, None) if self._frames else (None, None)
        now, n = time.monotonic(), len(self._frames)
        rested = now - self._idle < RESTED_S
        candidates = range(1) if self._lockstep else range(n) if rested else range(n - 1, -1, -1)
        for i in candidates:
            if self._hold.complete(self._frames[i]):
                return i, None
        for i in candidates:
            if self._hold.until(self._frames[i]) <= now:
                return i, None
        return None, min(self._hold.until(self._frames[i]) for i in candidates) - now

    def close(self) -> list[T]:
        """Wake the worker for good; returns the frames nobody took."""
        with self._ready:
            self._closed = True
            left = list(self._frames)
            self._frames.clear()
            self._ready.notify_all()
        return left
