"""What of an actor outlives the process: where it stands and what happened to it, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
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
