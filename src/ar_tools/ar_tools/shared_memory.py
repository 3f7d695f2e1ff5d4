"""Fast DDS's shared-memory segments in /dev/shm: a killed process leaves its own behind (16 MB with our profile)."""

from __future__ import annotations

import fcntl
import math
import os
import re
import time
from pathlib import Path

SHM = Path("/dev/shm")
NAME = re.compile(r"(?:sem\.)?(fast(?:rtps|dds)_[0-9a-z]+?)(?:_el|_sl|_mutex)?$")


def segments() -> set[str]:
    """Names of the segments and ports that are there, without their lock files."""
    try:
        return {match[1] for name in os.listdir(SHM) if (match := NAME.match(name))}
    except OSError:
        return set()


def left_behind(least_age_s: float = 60.0) -> set[str]:
    """Names of the segments that have been there for a while: one that is being made has no lock yet."""
    youngest = time.time() - least_age_s
    return {name for name in segments() if _made(SHM / name) < youngest}


def remove_dead(names: set[str]) -> list[str]:
    """Remove those of the segments that nobody uses (an owner locks one file, listeners of a shared port another); returns
    their names. What another user made stays: it cannot be looked at."""
    removed = []
    for name in sorted(names):
        if any(_is_held(SHM / f"{name}{lock}") for lock in ("_el", "_sl")):
            continue
        try:
            for file in (name, f"{name}_el", f"{name}_sl", f"sem.{name}_mutex"):
                (SHM / file).unlink(missing_ok=True)
        except PermissionError:
            continue
        removed.append(name)
    return removed


def _made(path: Path) -> float:
    try:
        return path.stat().st_ctime
    except OSError:
        return math.inf


def _is_held(lock: Path) -> bool:
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:  # held, or not ours to open
        return True
    return False
