"""Whether stamps grow as they should, and what to do when they do not."""

from __future__ import annotations

from enum import Enum

JUMP_AFTER = 15


class Order(Enum):
    """How a stamp fits to those before it."""

    NEWER = "newer"
    OLDER = "older"  # or the same: leave the frame out
    JUMPED = "jumped"  # the clock keeps running at an earlier time: follow it


class TimeLine:
    """Remembers the newest stamp; a single older one is an error, a row of them a clock that was set back."""

    def __init__(self) -> None:
        self._last = -1
        self._older = 0

    def place(self, stamp: int) -> Order:
        """Order of the next stamp (nanoseconds)."""
        if stamp > self._last:
            self._older = 0
            self._last = stamp
            return Order.NEWER
        self._older += 1
        if self._older < JUMP_AFTER:
            return Order.OLDER
        self._older = 0
        self._last = stamp
        return Order.JUMPED
