"""A value of which only the newest counts, handed from any thread to any number of coroutines."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """Holds the newest value and its version; never a queue, so that a slow reader skips instead of falling behind.

    ``set`` may be called from any thread; ``newer_than`` is awaited in any event loop.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = 0
        self._value: T | None = None
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    @property
    def version(self) -> int:
        """How many values there were so far; 0: none."""
        return self._version

    @property
    def value(self) -> T | None:
        """The newest value; None before the first."""
        return self._value

    def set(self, value: T) -> None:
        """Replace the value and wake everybody who waits for it."""
        with self._lock:
            self._value = value
            self._version += 1
            waiting, self._waiting = self._waiting, []
        for loop, future in waiting:
            with contextlib.suppress(RuntimeError):  # that loop has been closed: nobody waits there any more
                loop.call_soon_threadsafe(_wake, future)

    async def newer_than(self, version: int) -> tuple[int, T]:
        """Wait for a value that is newer than ``version``; returns (its version, the newest value)."""
        while True:
            with self._lock:
                if self._version > version:
                    assert self._value is not None
                    return self._version, self._value
                loop = asyncio.get_running_loop()
                future: asyncio.Future[None] = loop.create_future()
                self._waiting.append((loop, future))
            try:
                await future
            finally:
                with self._lock:
                    self._waiting = [w for w in self._waiting if w[1] is not future]


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
