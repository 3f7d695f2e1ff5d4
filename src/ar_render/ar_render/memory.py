"""What of an actor outlives the process: where it stands and what happened to it, as plain data."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .actors import Actor

_KINDS = {
    "id": str,
    "spot": list,
    "origin": list,
    "ahead": list,
    "map_id": int,
    "born": int,
    "scale": float,
    "seed": int,
    "plan": list,
    "base": list,
}


def of(actor: Actor) -> dict[str, Any]:
    """The data of one actor; JSON can hold it."""
    return {
        "id": actor.id,
        "spot": actor.spot.tolist(),
        "origin": actor.origin.tolist(),
        "ahead": actor.ahead.tolist(),
        "map_id": actor.map_id,
        "born": actor.born,
        "scale": actor.scale,
        "seed": actor.behaviour.seed,
        "plan": actor.behaviour.recent(),
        "base": list(actor.behaviour.base),
    }


def checked(state: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Such data by id; ValueError says what is missing."""
    for kept in state:
        for key, kind in _KINDS.items():
            if not isinstance(kept.get(key), kind):
                raise ValueError(f"the kept state has no proper '{key}'; starting without it")
    return {kept["id"]: kept for kept in state}


class Snapshot:
    """A file that keeps such data, as JSON; a process that is killed meanwhile leaves no half of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept = ""

    @property
    def exists(self) -> bool:
        """Whether there is something to go on from."""
        return self.path.exists()

    def keep(self, state: Sequence[dict[str, Any]]) -> None:
        """Write it, if it has changed."""
        text = json.dumps(state)
        if text == self._kept:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text(text)
        os.replace(new, self.path)
        self._kept = text

    def read(self) -> Any:
        """What was kept; ValueError or OSError when it cannot be read."""
        return json.loads(self.path.read_text())
