"""Lock-step: which frame may be worked on, and with which messages, so that the same input gives the same output.

Every stage reports every frame, and its report is a manifest: it names the topics (and services asked) on which something
was published while that frame was handled. Messages of one topic come in order, and so do reports; so what a report names
are the next messages of those topics, whatever stamps they carry. A frame is complete when the stages before this one have
reported it and all that their reports name is here. Only then are these messages handed over, in an order that does not
depend on who was faster; what belongs to later frames waits.

A request of another stage (`lag` > 0) takes effect that many frames after the frame in which it was made: no frame of that
number can have been handled before, since the camera sends it out when the older one is reported by all.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Job = Callable[[], None]


@dataclass(frozen=True)
class Source:
    """A stage before this one, the names on which this one hears it, and how many frames later."""

    stage: str
    names: frozenset[str]
    lag: int = 0


class Steps:
    """Collects frames, reports and messages from the executor's thread; the worker asks and takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sources: list[Source] = []
        self._stamps: list[int] = []
        self._reports: dict[tuple[str, int], Sequence[str]] = {}
        self._waiting: defaultdict[str, deque[Job]] = defaultdict(deque)

    def expect(self, stage: str, name: str, lag: int = 0) -> bool:
        """Hear `stage` on `name`, a resolved topic or service; True if it is the first of that stage's."""
        for i, source in enumerate(self._sources):
            if source.stage == stage and source.lag == lag:
                self._sources[i] = Source(stage, source.names | {name}, lag)
                return False
        self._sources.append(Source(stage, frozenset({name}), lag))
        return not any(source.stage == stage for source in self._sources[:-1])

    def frame(self, stamp: int) -> None:
        """The next frame has come."""
        with self._lock:
            self._stamps.append(stamp)

    def report(self, stage: str, stamp: int, published: Sequence[str]) -> None:
        """A stage has handled the frame with this stamp and published on these names."""
        with self._lock:
            self._reports[stage, stamp] = published

    def message(self, name: str, deliver: Job) -> None:
        """Something has come on a topic or service; `deliver` is called when it is its turn."""
        with self._lock:
            self._waiting[name].append(deliver)

    def missing(self, stamp: int) -> str:
        """What the frame with this stamp still waits for, in words; empty if it is complete."""
        with self._lock:
            needed: Counter[str] = Counter()
            for source in self._sources:
                of = self._before(stamp, source.lag)
                if of is None:
                    continue
                published = self._reports.get((source.stage, of))
                if published is None:
                    return f"{source.stage}'s report of a frame"
                needed.update(name for name in published if name in source.names)
            return ", ".join(name for name, n in needed.items() if len(self._waiting[name]) < n)

    def take(self, stamp: int) -> list[Job]:
        """What belongs to the frame with this stamp, to be called in this order; the frame is then done with."""
        with self._lock:
            jobs = []
            for source in self._sources:
                of = self._before(stamp, source.lag)
                if of is not None:
                    names = self._reports.get((source.stage, of), ())
                    waiting = [self._waiting[name] for name in names if name in source.names]
                    jobs += [queue.popleft() for queue in waiting if queue]
            oldest = self._before(stamp, max((source.lag for source in self._sources), default=0))
            if oldest is not None:
                self._stamps = [s for s in self._stamps if s >= oldest]
                self._reports = {key: names for key, names in self._reports.items() if key[1] >= oldest}
            return jobs

    def _before(self, stamp: int, lag: int) -> int | None:
        """Stamp of the frame `lag` frames before this one."""
        index = self._stamps.index(stamp) - lag
        return self._stamps[index] if index >= 0 else None
