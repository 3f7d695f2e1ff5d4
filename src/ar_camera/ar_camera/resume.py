"""Where a recorded source is, so that a camera that died goes on as if it had kept running."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

LONGEST_NS = 3600 * 10**9  # a gap longer than this is no restart


@dataclass(frozen=True)
class Begun:
    """source as it was asked for; stamp of media time 0 (wall clock, ns); media time of the current round's beginning (s)."""

    source: str
    stamp: int
    offset: float


def keep(path: Path, begun: Begun) -> None:
    """Write it so that it is whole or not there; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(asdict(begun)))
    os.replace(new, path)


def recall(path: Path, source: str, now: int) -> Begun | None:
    """What was kept of this source within the last hour; None if there is nothing or nothing that can be used."""
    try:
        begun = Begun(**json.loads(path.read_text()))
        running = now - int(begun.stamp) - float(begun.offset) * 1e9
    except (OSError, ValueError, TypeError):
        return None
    return begun if begun.source == source and 0 <= running < LONGEST_NS else None
