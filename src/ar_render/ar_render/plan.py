"""What a plan is made of: clips on the spot and walks along paths, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .feet import Walk
from .paths import Path, Place

_RAMP_S = 0.35


@dataclass(frozen=True)
class Traits:
    """What the plan must know of a character: height and stride (m per cycle of walk), clip lengths (s), and the phase of the
    walk at which the feet pass each other; own: clips of its theme that it likes to do, and whether they are loops."""

    height: float
    stride: float
    durations: dict[str, float]
    passing: float = 0.0
    reach: float = 1.5  # heights that it goes away from home
    own: dict[str, bool] = field(default_factory=dict)

    def has(self, clip: str) -> bool:
        return self.durations.get(clip, 0.0) > 0


@dataclass(frozen=True)
class Stance:
    """place, and clips to blend one over the other: (name, time in the clip, weight); lift: height above the table, m;
    attention: how much it looks at who watches (0-1); walk: where on its path it is."""

    place: Place
    layers: tuple[tuple[str, float, float], ...]
    lift: float = 0.0
    attention: float = 1.0
    walk: Walk | None = None

    @property
    def walking(self) -> float:
        """How much of the pose is the walk's (0-1)."""
        out = 0.0
        for name, _, weight in self.layers:
            out = out * (1 - weight) + (weight if name == "walk" else 0.0)
        return out


@dataclass(frozen=True)
class Segment:
    """One thing that is done from ``start`` for ``duration`` seconds: a clip on the spot, or a walk along a path.

    A walk may begin at the speed ``rolling`` with the feet half a cycle on (``lead`` 0.5), where another walk is left after
    ``until`` seconds.
    """

    start: float
    duration: float
    clip: str
    place: Place
    path: Path | None = None
    speed: float = 0.0
    jump: float = 0.0
    attention: float = 1.0
    rolling: float = 0.0
    lead: float = 0.0
    until: float | None = None

    @property
    def end(self) -> float:
        return self.start + (self.duration if self.until is None else min(self.until, self.duration))

    def walked(self, time: float) -> float:
        """Metres of the path done at a time: speed goes up and down in ramps."""
        t = min(max(time - self.start, 0.0), self.duration)
        ramp = min(_RAMP_S, self.duration / 2)
        if t < ramp:
            return self.rolling * t + (self.speed - self.rolling) * t * t / (2 * ramp)
        ahead = self.rolling * ramp / 2
        if t > self.duration - ramp:
            left = self.duration - t
            return ahead + self.speed * (self.duration - ramp - left * left / (2 * ramp))
        return ahead + self.speed * (t - ramp / 2)

    def pace(self, time: float) -> float:
        """Metres per second at a time."""
        ramp = min(_RAMP_S, self.duration / 2)
        t, left = time - self.start, self.start + self.duration - time
        return self.rolling + (self.speed - self.rolling) * t / ramp if t < ramp else self.speed * min(left / ramp, 1.0)

    def place_at(self, time: float) -> Place:
        return self.path.at(self.walked(time)) if self.path else self.place


@dataclass
class Errand:
    """A walk that was asked for: the goal, when it will be there, and why not, once something else has come up."""

    goal: Place
    arrival: float
    broken: str = ""


def walk_along(
    traits: Traits, start: float, path: Path, rolling: float = 0.0, lead: float = 0.0, brisk: float = 1.0
) -> Segment:
    """A walk from ``start`` on, so many times as fast as the clip was made for; rolling, lead: see Segment."""
    speed = brisk * traits.stride / traits.durations["walk"]
    if path.length < (speed + rolling / 2) * _RAMP_S:  # too short for that speed
        rolling = rolling if path.length > rolling * _RAMP_S else 0.0
        speed, duration = path.length / _RAMP_S - rolling / 2, 2 * _RAMP_S
    else:
        duration = (path.length - rolling * _RAMP_S / 2) / speed + _RAMP_S
    return Segment(start, duration, "walk", path.start, path, speed, attention=0.3, rolling=rolling, lead=lead)


def walk_of(traits: Traits, segment: Segment, time: float) -> Walk:
    """Where on its path a walk is. A path is a whole number of steps: it begins and ends as the feet pass each other."""
    assert segment.path is not None
    steps = max(1, round(segment.path.length / (traits.stride / 2)))
    stride = 2 * segment.path.length / steps
    walked = segment.walked(time)
    return Walk(segment.path, walked, traits.passing + segment.lead + walked / max(stride, 1e-9), stride)


def segment_of(kept: dict[str, Any]) -> Segment:
    """A segment from its plain values; KeyError, TypeError or AttributeError when they are none."""
    way = kept["path"]
    path = Path(tuple(way["start"]), tuple((float(c), float(d)) for c, d in way["pieces"])) if way else None
    x, y, heading = kept["place"]
    return Segment(**{**kept, "path": path, "place": (float(x), float(y), float(heading))})
