"""Work that takes longer than a frame, off the tracking thread, taking effect at a frame that can be told in advance."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Background:
    """One job at a time in a thread of its own.

    With deterministic=True a job's result is handed over exactly `delay` frames after it was submitted, and waited for if
    need be, so that the same pictures give the same trajectory bit for bit; else as soon as it is there.
    """

    def __init__(self, deterministic: bool, delay: int = 4) -> None:
        self.deterministic, self.delay = deterministic, delay
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="mapping")
        self._job: tuple[str, Future[Any], int, Any] | None = None

    @property
    def busy(self) -> bool:
        """Whether a job is under way or its result has not been taken."""
        return self._job is not None

    def submit(self, kind: str, frame: int, context: Any, work: Callable[..., Any], *args: Any) -> None:
        """Start work(*args); kind and context come back with the result. Only when not busy."""
        if self._job is not None:
            raise RuntimeError("background: a job is under way")
        self._job = (kind, self._pool.submit(work, *args), frame, context)

    def take(self, frame: int) -> tuple[str, Any, Any] | None:
        """(kind, context, result) of the job if its time has come; raises what the job raised."""
        if self._job is None:
            return None
        kind, future, since, context = self._job
        if (frame - since < self.delay) if self.deterministic else not future.done():
            return None
        self._job = None
        return kind, context, future.result()

    def drop(self) -> None:
        """Forget the job under way; it runs out unheard."""
        self._job = None

    def close(self) -> None:
        """End the thread."""
        self._job = None
        self._pool.shutdown(wait=False, cancel_futures=True)
