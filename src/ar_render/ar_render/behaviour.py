"""What a character does: a plan of clips and walks that is a function of image time, events and a seed alone.

Times are seconds since it awoke. Places are (x, y, heading) on the table in the frame of its home: x is where it looked
when it awoke, y is to its left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from math import hypot, pi
from typing import Any

import numpy as np

from .feet import Walk
from .paths import Path, Place, shortest

FADE_S = 0.25
_HOME: Place = (0.0, 0.0, 0.0)
_RAMP_S = 0.35


@dataclass(frozen=True)
class Traits:
    """What the plan must know of a character: height and stride (m per cycle of walk), clip lengths (s), and the phase of the
    walk at which the feet pass each other."""

    height: float
    stride: float
    durations: dict[str, float]
    passing: float = 0.0
    reach: float = 1.5  # heights that it goes away from home

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
    """One thing that is done from ``start`` for ``duration`` seconds: a clip on the spot, or a walk along a path."""

    start: float
    duration: float
    clip: str
    place: Place
    path: Path | None = None
    speed: float = 0.0
    jump: float = 0.0
    attention: float = 1.0

    @property
    def end(self) -> float:
        return self.start + self.duration

    def walked(self, time: float) -> float:
        """Metres of the path done at a time: speed goes up and down in ramps."""
        t = min(max(time - self.start, 0.0), self.duration)
        ramp = min(_RAMP_S, self.duration / 2)
        if t < ramp:
            return self.speed * t * t / (2 * ramp)
        if t > self.duration - ramp:
            left = self.duration - t
            return self.speed * (self.duration - ramp - left * left / (2 * ramp))
        return self.speed * (t - ramp / 2)

    def place_at(self, time: float) -> Place:
        return self.path.at(self.walked(time)) if self.path else self.place


@dataclass
class Behaviour:
    """The plan grows as time goes on; ``allowed(x, y)`` says where on the table the character may go."""

    traits: Traits
    seed: int = 0
    events: list[tuple[float, str, str]] = field(default_factory=list)
    allowed: Callable[[float, float], bool] = lambda _x, _y: True
    _plan: list[Segment] = field(default_factory=list)

    def __post_init__(self) -> None:
        events, self.events = sorted(self.events), []
        self._plan = [self._clip("awaken" if self.traits.has("awaken") else "idle", 0.0, _HOME)]
        for time, action, name in events:
            self.react(time, action, name)

    def react(self, time: float, action: str, name: str = "") -> str:
        """Do something from now on: poke, feed, clip ``name``; says what; ValueError for what it cannot do."""
        has = self.traits.has
        answers = {"poke": "poked" if has("poked") else "hop", "feed": "eat" if has("eat") else "dance"}
        clip = answers.get(action, name)
        if action == "clip" and not self.traits.has(clip):
            raise ValueError(f"no clip '{clip}'; there are {', '.join(sorted(self.traits.durations))}")
        place = self._at(time).place_at(time)
        self.events.append((time, action, name))
        self._plan = [s for s in self._plan if s.start < time]
        last = self._plan[-1] if self._plan else None
        if last is not None:
            self._plan[-1] = replace(last, duration=min(last.duration, time - last.start))
        jump = 0.0 if self.traits.has(clip) else 0.35 * self.traits.height
        self._plan.append(self._clip(clip, time, place, jump))
        return clip

    def stance(self, time: float) -> Stance:
        """What it does at a time ≥ 0."""
        segment = self._at(time)
        i = self._plan.index(segment)
        layers = []
        if i > 0 and time - segment.start < FADE_S:
            layers += self._layers(self._plan[i - 1], time, 1.0)
        faded = min(1.0, (time - segment.start) / FADE_S) if i > 0 else 1.0
        layers += self._layers(segment, time, faded * faded * (3 - 2 * faded))
        lift = 0.0
        if segment.jump:
            s = min(max((time - segment.start) / segment.duration, 0.0), 1.0)
            lift = segment.jump * 4 * s * (1 - s)
        walk = self._walk_of(segment, time) if segment.path else None
        return Stance(segment.place_at(time), tuple(layers), lift, segment.attention, walk)

    def _walk_of(self, segment: Segment, time: float) -> Walk:
        """A path is a whole number of steps: it begins and ends as the feet pass each other."""
        assert segment.path is not None
        steps = max(1, round(segment.path.length / (self.traits.stride / 2)))
        stride = 2 * segment.path.length / steps
        walked = segment.walked(time)
        return Walk(segment.path, walked, self.traits.passing + walked / max(stride, 1e-9), stride)

    def _layers(self, segment: Segment, time: float, weight: float) -> list[tuple[str, float, float]]:
        """A walk's clip follows the metres walked, so that feet stand still, and fades with the speed at its ends."""
        if segment.path is None:
            t, length = time - segment.start, self.traits.durations.get(segment.clip, 0.0)
            loop = segment.clip in ("idle", "dance", "walk")
            return [(segment.clip, t % length if loop and length > 0 else min(t, length), weight)]
        phase = self._walk_of(segment, time).phase % 1.0 * self.traits.durations["walk"]
        ends = min(time - segment.start, segment.end - time)
        moving = min(max(ends / 0.2, 0.0), 1.0)
        out = [("walk", phase, weight * moving)]
        if moving < 1 and self.traits.has("idle"):
            out.insert(0, ("idle", (time - segment.start) % self.traits.durations["idle"], weight))
        return out

    def recent(self) -> list[dict[str, Any]]:
        """What is done now and was done before, as plain values: enough to go on from in another process."""
        return [asdict(s) for s in self._plan[-3:]]

    def resume(self, recent: list[dict[str, Any]]) -> None:
        """Go on from there; ValueError when it is not what ``recent`` gave."""
        try:
            plan = [_segment(kept) for kept in recent]
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"the kept plan cannot be read ({error})") from error
        if not plan or any(s.path and not self.traits.has("walk") for s in plan):
            raise ValueError("the kept plan is empty or of another character")
        self._plan = plan

    # ---- the plan

    def _at(self, time: float) -> Segment:
        while self._plan[-1].end <= time:
            self._plan.append(self._next(self._plan[-1], len(self._plan)))
            if len(self._plan) > 64:  # what was done long ago is of no use
                del self._plan[:32]
        return next(s for s in reversed(self._plan) if s.start <= time or s is self._plan[0])

    def _next(self, last: Segment, index: int) -> Segment:
        rng = np.random.default_rng([self.seed, int(last.end * 1000)])
        place, t, has = last.place_at(last.end), last.end, self.traits.has
        away = hypot(place[0], place[1]) > 0.02 * self.traits.height or abs(_wrap(place[2])) > 0.05
        if last.clip != "idle":
            if last.clip == "awaken" and has("wave"):
                return self._clip("wave", t, _HOME)
            return self._idle(t, place, 1.0 if away else float(rng.uniform(2.0, 4.0)))
        if away:
            return self._walk(t, place, _HOME) or self._idle(t, place, 2.0)
        choice = rng.random()
        if choice < 0.6 and has("walk"):
            for _ in range(8):
                walk = self._walk(t, place, self._somewhere(rng))
                if walk is not None:
                    return walk
        clips = [c for c in ("wave", "dance", "hop", "look", "sit", "sleep") if has(c)]
        if clips:
            return self._clip(clips[int(rng.integers(len(clips)))], t, place)
        return self._idle(t, place, 3.0)

    def _somewhere(self, rng: Any) -> Place:
        angle, r = rng.uniform(-pi, pi), self.traits.height * rng.uniform(0.5, 0.8 * self.traits.reach)
        return float(r * np.cos(angle)), float(r * np.sin(angle)), float(rng.uniform(-0.6, 0.6))

    def _walk(self, time: float, start: Place, goal: Place) -> Segment | None:
        """A walk, or None when the way leads where it may not go."""
        t = self.traits
        if not t.has("walk") or t.stride <= 0:
            return None
        path = shortest(start, goal, 0.4 * t.height)
        for s in np.linspace(0, path.length, 24):
            x, y, _ = path.at(float(s))
            home = hypot(x, y)
            if home > 0.98 * t.reach * t.height or (home > 0.1 * t.height and not self.allowed(x, y)):
                return None
        speed = t.stride / t.durations["walk"]
        duration = path.length / speed + _RAMP_S
        if path.length < speed * _RAMP_S:
            speed, duration = path.length / _RAMP_S, 2 * _RAMP_S
        return Segment(time, duration, "walk", start, path, speed, attention=0.3)

    def _clip(self, clip: str, time: float, place: Place, jump: float = 0.0) -> Segment:
        length = self.traits.durations.get(clip, 0.0)
        if clip == "dance":
            length *= max(1, round(2.5 / max(length, 0.1)))
        return Segment(time, length if length > 0 else 0.6, clip, place, jump=jump)

    def _idle(self, time: float, place: Place, seconds: float) -> Segment:
        return Segment(time, seconds, "idle", place)


def _segment(kept: dict[str, Any]) -> Segment:
    way = kept["path"]
    path = Path(tuple(way["start"]), tuple((float(c), float(d)) for c, d in way["pieces"])) if way else None
    x, y, heading = kept["place"]
    return Segment(**{**kept, "path": path, "place": (float(x), float(y), float(heading))})


def _wrap(angle: float) -> float:
    return (angle + pi) % (2 * pi) - pi
