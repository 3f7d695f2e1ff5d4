"""Where a node's CPU time goes: a thread that looks, every few milliseconds, what the others do. Off unless asked for.

``TSUKUMO_PROFILE=FOLDER`` makes `running.run` leave ``FOLDER/<node>.folded`` at the end of every node: lines of
``thread;outermost;…;innermost MICROSECONDS``, which flame graph programs read (``tsukumo bench graph --profile`` draws
them). A stack counts by the CPU time that its thread has used since the last look, not by how often it was seen: who waits
costs nothing. Threads without Python (the middleware's, those of libraries) count under their names.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

EVERY_S = 0.005
# How long a running thread may keep the one who looks waiting. With Python's 5 ms it would be looked at mostly where it lets
# go by itself, at files and locks.
SWITCH_S = 0.0001


class Profiler:
    """Looks until it is told to stop."""

    def __init__(self) -> None:
        self._stacks: Counter[str] = Counter()  # nanoseconds
        self._used: dict[int, int] = {tid: thread_cpu_ns(tid) for tid in _threads()}
        self._ending = threading.Event()
        self._switch_s = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_S)
        self._thread = threading.Thread(target=self._look, name="profiler", daemon=True)
        self._thread.start()

    def stop(self, file: Path) -> None:
        """Stop, and write the folded stacks."""
        self._ending.set()
        self._thread.join()
        sys.setswitchinterval(self._switch_s)
        lines = [f"{stack} {ns // 1000}\n" for stack, ns in sorted(self._stacks.items()) if ns >= 1000]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(lines))

    def _look(self) -> None:
        while not self._ending.wait(EVERY_S):
            frames = sys._current_frames()
            python = {thread.native_id: thread for thread in threading.enumerate() if thread.native_id is not None}
            for tid, thread in python.items():
                frame = frames.get(thread.ident or 0)
                if frame is not None and thread is not self._thread:
                    self._count(tid, f"{thread.name};{_folded(frame)}")
            del frames
        for tid in _threads():  # what is left has run no Python
            if tid != self._thread.native_id:
                self._count(tid, f"native;{_name(tid)}")

    def _count(self, tid: int, stack: str) -> None:
        now = thread_cpu_ns(tid)
        self._stacks[stack] += max(0, now - self._used.get(tid, 0))
        self._used[tid] = now


def _folded(frame: FrameType | None) -> str:
    names = []
    while frame is not None:
        code = frame.f_code
        names.append(f"{Path(code.co_filename).stem}.{code.co_qualname}".replace(";", ","))
        frame = frame.f_back
    return ";".join(name for name in reversed(names) if not name.startswith("threading.Thread."))


def _threads() -> list[int]:
    return [int(name) for name in os.listdir("/proc/self/task")]


def _name(tid: int) -> str:
    try:
        return Path(f"/proc/self/task/{tid}/comm").read_text().strip().replace(";", ",")
    except OSError:
        return "ended"


def thread_cpu_ns(tid: int) -> int:
    """CPU time of a thread of this process: Linux numbers their clocks so (clock_gettime(2), CPUCLOCK_SCHED per thread)."""
    try:
        return time.clock_gettime_ns((~tid << 3) | 6)
    except OSError:
        return 0
