"""One goal of an action that a stage works on over many frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from rclpy.action.server import ServerGoalHandle
from rclpy.task import Future

Outcome = Literal["succeed", "abort", "canceled"]


class Task:
    """Made by ``Stage.perform`` for every goal; used in the worker thread, until it is ended in one of three ways."""

    def __init__(self, kind: Any, handle: ServerGoalHandle, wake: Callable[[], None]) -> None:
        self.goal: Any = handle.request
        self._kind, self._handle, self._wake = kind, handle, wake
        self._ended: Future = Future()

    @property
    def cancelled(self) -> bool:
        """Whoever asked for it wants it no more: stop, then ``end("canceled")``."""
        return bool(self._handle.is_cancel_requested)

    def tell(self, **fields: Any) -> None:
        """Publish feedback with these fields."""
        if not self._ended.done():
            self._handle.publish_feedback(self._kind.Feedback(**fields))

    def end(self, outcome: Outcome, **fields: Any) -> None:
        """The result; what comes after it is ignored."""
        if not self._ended.done():
            self._ended.set_result((outcome, self._kind.Result(**fields)))
            self._wake()

    async def result(self) -> Any:
        """Awaited by the action's server, in the executor's thread."""
        outcome, result = await self._ended
        wanted = outcome if outcome != "canceled" or self.cancelled else "abort"
        getattr(self._handle, wanted)()
        return result
