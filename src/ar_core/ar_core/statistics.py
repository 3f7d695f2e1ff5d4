"""What a stage counts: skipped frames and bad messages by reason, latencies over the last seconds, its own footprint."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field

import numpy as np

PAGE = os.sysconf("SC_PAGE_SIZE")
KINDS, LONGEST = 64, 300  # of reasons that are told apart, and characters of one: they may quote what somebody sent


@dataclass
class Statistics:
    """Counts and latencies of one stage; safe to use from several threads."""

    skipped: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    handled: int = 0
    latencies_ms: deque[float] = field(default_factory=lambda: deque(maxlen=300))
    finished: deque[float] = field(default_factory=lambda: deque(maxlen=300))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def publish(self, received: float, finished: float) -> None:
        """One frame done; CLOCK_MONOTONIC seconds."""
        with self._lock:
            self.handled += 1
            self.latencies_ms.append((finished - received) * 1e3)
            self.finished.append(finished)

    def skip(self, reason: str) -> None:
        """One frame not done."""
        with self._lock:
            self.skipped[_kind(self.skipped, reason)] += 1

    def reject(self, what: str) -> bool:
        """One bad message; True if it is the first of its kind (say it once, count the rest)."""
        with self._lock:
            kind = _kind(self.rejected, what)
            self.rejected[kind] += 1
            return self.rejected[kind] == 1

    def rate_hz(self, now: float, window: float = 5.0) -> float:
        """Frames done per second over the last seconds."""
        with self._lock:
            recent = [t for t in self.finished if t > now - window]
        return len(recent) / window if recent else 0.0

    def latency_ms(self) -> tuple[float, float]:
        """Median and 99th percentile of received -> finished, milliseconds (0, 0 before the first frame)."""
        with self._lock:
            if not self.latencies_ms:
                return 0.0, 0.0
            p50, p99 = np.percentile(np.array(self.latencies_ms), [50, 99])
        return float(p50), float(p99)


def generic(text: str) -> str:
    """The text without its numbers, to count messages of one kind together."""
    return re.sub(r"[-+]?\d+(\.\d+)?", "#", text)


def _kind(known: Counter[str], text: str) -> str:
    kind = generic(text)[:LONGEST]
    return kind if kind in known or len(known) < KINDS else "others"


class Footprint:
    """Resident memory of this process, looked up ten times a second at the most: a look lets another thread take the GIL."""

    def __init__(self) -> None:
        self._mb, self._due = 0.0, 0.0

    def __call__(self) -> float:
        """MB (10^6 bytes)."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + 0.1
            with open("/proc/self/statm") as file:
                self._mb = int(file.read().split()[1]) * PAGE / 1e6
        return self._mb


resident_mb = Footprint()
