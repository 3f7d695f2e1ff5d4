"""One bag from its first message to its index: the loop around whoever takes the messages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ar_tools.bags.model import INFINITE_NS
from ar_tools.bags.writer import FLUSH_S, BagWriter

POLL_S = 0.05  # the middleware stamps and keeps what arrives in between
DISCOVERY_S = 0.25


@dataclass(frozen=True)
class Limits:
    """When to end and when to begin another file: bytes and seconds, 0 for never."""

    size: int = 0
    duration: float = 0.0
    split_size: int = 0
    split_duration: float = 0.0


class Taker(Protocol):
    """Takes messages and writes them into the bag."""

    def discover(self) -> None:
        """Look what there is to be taken."""

    def take(self, until: int = INFINITE_NS) -> None:
        """Write what has arrived until then (ns since the epoch); OSError when the disk is full."""

    @property
    def silent(self) -> list[str]:
        """Topics that nobody publishes."""


class Recording:
    """``run`` records; the rest may be read from other threads meanwhile and afterwards."""

    def __init__(self, taker: Taker, writer: BagWriter, limits: Limits) -> None:
        self._taker, self.writer, self._limits = taker, writer, limits
        self._started = time.monotonic()
        self._ended: float | None = None
        self.messages = self.size = 0  # so far; bytes
        self.problem = ""  # what went wrong, in words
        self.limit_reached = False
        self.silent: list[str] = []

    @property
    def seconds(self) -> float:
        """For how long it has been recorded."""
        return (self._ended or time.monotonic()) - self._started

    def run(self, ending: threading.Event, say: Callable[[str], None] = lambda _: None) -> None:
        """Record until `ending` is set, a limit is reached or the disk is full; then the bag is closed, whole and readable."""
        output = self.writer.folder
        try:
            self._loop(ending, say)
        except OSError as error:
            self.problem = f"{output}: {error.strerror or error}: the recording ends here"
        finally:
            self.silent = self._taker.silent
            try:
                self.writer.close()
            except OSError as error:
                self.problem = self.problem or f"{output}: {error.strerror or error}: the disk may not have all of it"
            if self.problem:
                self.problem += f"; the bag is readable, {self.writer.lost} messages found no room"
            self.messages = self.writer.messages
            self.size = sum(file.stat().st_size for file in output.iterdir())
            self._ended = time.monotonic()

    def _loop(self, ending: threading.Event, say: Callable[[str], None]) -> None:
        writer, limits = self.writer, self._limits
        started = split_at = flushed = discovered = time.monotonic()
        self._taker.discover()
        while not ending.wait(POLL_S):
            self._taker.take()
            now = time.monotonic()
            if now >= flushed + FLUSH_S:
                writer.flush()
                flushed = now
                say(f"flushed {writer.messages} messages")
            if now >= discovered + DISCOVERY_S:
                self._taker.discover()
                discovered = now
            self.messages, self.size = writer.messages, writer.size
            if _reached(limits.size, self.size) or _reached(limits.duration, now - started):
                self.limit_reached = True
                say("the limit is reached")
                break
            if _reached(limits.split_size, writer.file_size) or _reached(limits.split_duration, now - split_at):
                writer.split()
                split_at = now
        self._taker.take(time.time_ns())  # all topics end together, however long it takes to write them


def _reached(limit: float, value: float) -> bool:
    return 0 < limit <= value
