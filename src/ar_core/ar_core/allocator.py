"""Memory that is free in this process, given back to the kernel.

A graph's allocators keep what a picture took, for the next one (see the launch file). What seldom work takes, tens of MB each
time, they would keep as well, and more of it whenever it comes to lie between other things. With a C library other than glibc
nothing is returned, and nothing else happens.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

EVERY_S = 10.0
P = ParamSpec("P")
T = TypeVar("T")
_due = 0.0  # CLOCK_MONOTONIC
_turn = threading.Lock()


def give_back() -> None:
    """Return what is free (malloc_trim(3); 2-4 ms)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def give_back_now_and_then() -> None:
    """The same, if that was not done for ``EVERY_S``: for all nodes of a process to call."""
    global _due
    with _turn:
        now = time.monotonic()
        if now < _due:
            return
        _due = now + EVERY_S
    give_back()


def thrifty(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do seldom and large work, then `give_back`."""
    try:
        return work(*args, **kwargs)
    finally:
        give_back()
