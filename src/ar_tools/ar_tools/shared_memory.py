"""Fast DDS's shared-memory segments in /dev/shm: a killed process leaves its own behind (16 MB with our profile)."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

SHM = Path("/dev/shm")
NAME = re.compile(r"(?:sem\.)?(fast(?:rtps|dds)_[0-9a-z]+?)(?:_el|_sl|_mutex)?$")


def segments() -> set[str]:
    """Names of the segments and ports that are there, without their lock files."""
    try:
        return {match[1] for name in os.listdir(SHM) if (match := NAME.match(name))}
    except OSError:
        return set()


def remove_dead(names: set[str]) -> list[str]:
    """Remove those of the segments whose owner is gone (nobody holds the lock file); returns their names."""
    removed = []
    for name in sorted(names):
        lock = SHM / f"{name}_el"
        if lock.exists() and _is_held(lock):
            continue
        for file in (name, f"{name}_el", f"{name}_sl", f"sem.{name}_mutex"):
            (SHM / file).unlink(missing_ok=True)
        removed.append(name)
    return removed


def _is_held(lock: Path) -> bool:
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
