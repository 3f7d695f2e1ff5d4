"""Work that takes longer than a frame, off the tracking thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Background:
    """One job at a time in a thread of its own.

    due: the frame at which the result of a job that was submitted at a frame is handed over, and waited for if need be, so
    that the same pictures give the same trajectory bit for bit; None: as soon as it is there.
    """

    def __init__(self, due: Callable[[int], int] | None = None) -> None:
        self._due = due
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="mapping")
        self._job: tuple[str, Future[Any], int | None, Any] | None = None

    @property
    def busy(self) -> bool:
        """Whether a job is under way or its result has not been taken."""
        return self._job is not None

    def submit(self, kind: str, frame: int, context: Any, work: Callable[..., Any], *args: Any) -> None:
        """Start work(*args); kind and context come back with the result. Only when not busy."""
        if self._job is not None:
            raise RuntimeError("background: a job is under way")
        due = None if self._due is None else self._due(frame)
        self._job = (kind, self._pool.submit(work, *args), due, context)

    def take(self, frame: int) -> tuple[str, Any, Any] | None:
        """(kind, context, result) of the job if its time has come; raises what the job raised."""
        if self._job is None:
            return None
        kind, future, due, context = self._job
        if not future.done() if due is None else frame < due:
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
