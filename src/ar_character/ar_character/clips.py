"""The clips a character is born with. Each is a plain function from nothing but time; no recorded motion.

Weight comes from the old rules: anticipation, squash and stretch, overlapping action. Loops end on the pose they
began with; everything that is not a cycle begins and ends at rest, so that clips can follow each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ar_character.motion import Motion
from ar_character.moves import STANCE, STEP, awaken, dance, hop, idle, walk, wave
from ar_character.pastimes import eat, look, poked, sit, sleep


@dataclass(frozen=True)
class Clip:
    """A named motion; stride: the way a cycle covers along +z, in leg lengths (the clip itself stays in place)."""

    name: str
    motion: Motion
    loop: bool
    stride: float = 0.0


@cache
def all_clips() -> tuple[Clip, ...]:
    """Everything a plain character can do."""
    return (
        Clip("idle", idle(), True),
        Clip("awaken", awaken(), False),
        Clip("walk", walk(), True, 2 * STEP / STANCE),
        Clip("hop", hop(), True),
        Clip("dance", dance(), True),
        Clip("wave", wave(), True),
        Clip("sit", sit(), False),
        Clip("sleep", sleep(), False),
        Clip("poked", poked(), False),
        Clip("eat", eat(), False),
        Clip("look", look(), False),
    )
