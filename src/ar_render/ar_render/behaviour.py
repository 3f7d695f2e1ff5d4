"""What a character does: a plan of clips and walks that is a function of image time, events and a seed alone.

Times are seconds since it awoke. Places are (x, y, heading) on the table in the frame of its home: x is where it looked
when it awoke, y is to its left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import hypot, pi
from typing import Any

import numpy as np

from .paths import Place, shortest, ways
from .plan import Errand, Segment, Stance, Traits, segment_of, walk_along, walk_of

__all__ = ["Behaviour", "Errand", "Stance", "Traits"]

FADE_S = 0.25
_HOME: Place = (0.0, 0.0, 0.0)
_AWAY_S = 600.0  # who was not seen for longer has stood there meanwhile: a night, or a clock that was set
_BRISK = 1.6  # who is sent somewhere walks so much faster than who strolls


@dataclass
class Behaviour:
    """The plan grows as time goes on; ``allowed(x, y)`` says where on the table the character may go, ``free()(x, y, time)``
    whether nobody else is there then. ``base`` is where it comes back to from its strolls."""

    traits: Traits
    seed: int = 0
    allowed: Callable[[float, float], bool] = lambda _x, _y: True
    free: Callable[[], Callable[[float, float, float], bool]] = lambda: lambda _x, _y, _time: True
    base: Place = _HOME
    errand: Errand | None = None
    _plan: list[Segment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._plan = [self._clip("awaken" if self.traits.has("awaken") else "idle", 0.0, _HOME)]

    def react(self, time: float, action: str, name: str = "") -> str:
        """Do something from now on: poke, feed, clip ``name``; says what; ValueError for what it cannot do."""
        has = self.traits.has
        answers = {"poke": "poked" if has("poked") else "hop", "feed": "eat" if has("eat") else "dance"}
        clip = answers.get(action, name)
        if action == "clip" and not self.traits.has(clip):
            raise ValueError(f"no clip '{clip}'; there are {', '.join(sorted(self.traits.durations))}")
        place = self._at(time).place_at(time)
        self._break_off(time, f"it was to {clip} instead")
        self._plan = [s for s in self._plan if s.start < time]
        last = self._plan[-1] if self._plan else None
        if last is not None:
            self._plan[-1] = replace(last, duration=min(last.duration, time - last.start))
        jump = 0.0 if self.traits.has(clip) else 0.35 * self.traits.height
        self._plan.append(self._clip(clip, time, place, jump))
        return clip

    def walk_to(
        self, time: float, goal: Place, allowed: Callable[[float, float], bool] = lambda _x, _y: True, then: str = ""
    ) -> Errand:
        """Walk to a place, by the shortest way on which everything is allowed and free; from now on that is its base, where
        it does the clip ``then``. A heading of NaN: whichever is nearest. ValueError when it cannot.
        """
        t = self.traits
        if not t.has("walk") or t.stride <= 0:
            raise ValueError("it cannot walk: it has no clip 'walk'")
        before, start, place, rolling, lead = self._leave(time)
        free, blocked = self.free(), False
        for path in ways(place, goal, 0.4 * t.height):
            walk = walk_along(t, start, path, rolling, lead, _BRISK)
            times = [float(s) for s in np.linspace(walk.start, walk.end, 48)]
            at = [walk.place_at(s)[:2] for s in times]
            if all(allowed(x, y) for x, y in at):
                if all(free(x, y, s) for (x, y), s in zip(at, times, strict=True)):
                    break
                blocked = True
        else:
            raise ValueError("somebody is in the way" if blocked else "no way leads there on the known table")
        self._break_off(time, "it was sent elsewhere")
        self._plan = [*before, walk]
        self.base = path.at(path.length)
        if t.has(then):
            self._plan.append(self._clip(then, walk.end, self.base))
        self.errand = Errand(self.base, walk.end)
        return self.errand

    def halt(self, time: float, why: str) -> str:
        """Stay where it is at its next step; says so."""
        before, start, place, _, _ = self._leave(time)
        self._break_off(time, why)
        self._plan, self.base = [*before, self._idle(start, place, 2.0)], place
        return "stop"

    def go_home(self, time: float, why: str) -> None:
        """Be at the origin from now on: its home was put elsewhere."""
        self._break_off(time, why)
        now = self._at(time)
        if now.path is None and now.place == self.base == _HOME:
            return
        self._plan, self.base = [*(s for s in self._plan if s.end <= time), self._idle(time, _HOME, 2.0)], _HOME

    def left(self, time: float) -> float:
        """Metres that are still to be walked on what is planned."""
        return sum(s.path.length - s.walked(time) for s in self._plan if s.path and s.end > time and s.until is None)

    def foreseen(self, time: float) -> Place:
        """Where it will be by what is planned now."""
        segment = next((s for s in reversed(self._plan) if s.start <= time), self._plan[0])
        return segment.place_at(min(time, segment.end))

    def stance(self, time: float) -> Stance:
        """What it does at a time ≥ 0."""
        segment = self._at(time)
        i = self._plan.index(segment)
        layers = []
        if i > 0 and time - segment.start < FADE_S and not segment.rolling:
            layers += self._layers(self._plan[i - 1], time, 1.0)
        faded = min(1.0, (time - segment.start) / FADE_S) if i > 0 and not segment.rolling else 1.0
        layers += self._layers(segment, time, faded * faded * (3 - 2 * faded))
        lift = 0.0
        if segment.jump:
            s = min(max((time - segment.start) / segment.duration, 0.0), 1.0)
            lift = segment.jump * 4 * s * (1 - s)
        walk = walk_of(self.traits, segment, time) if segment.path else None
        return Stance(segment.place_at(time), tuple(layers), lift, segment.attention, walk)

    def _layers(self, segment: Segment, time: float, weight: float) -> list[tuple[str, float, float]]:
        """A walk's clip follows the metres walked, so that feet stand still, and fades with the speed at its ends."""
        if segment.path is None:
            t, length = time - segment.start, self.traits.durations.get(segment.clip, 0.0)
            loop = segment.clip in ("idle", "dance", "walk") or self.traits.own.get(segment.clip, False)
            return [(segment.clip, t % length if loop and length > 0 else min(t, length), weight)]
        phase = walk_of(self.traits, segment, time).phase % 1.0 * self.traits.durations["walk"]
        began = FADE_S if segment.rolling else time - segment.start
        ends = min(began, segment.start + segment.duration - time)
        moving = min(max(ends / 0.2, 0.0), 1.0)
        out = [("walk", phase, weight * moving)]
        if moving < 1 and self.traits.has("idle"):
            out.insert(0, ("idle", (time - segment.start) % self.traits.durations["idle"], weight))
        return out

    def recent(self) -> list[dict[str, Any]]:
        """What is done now and was done before, as plain values: enough to go on from in another process."""
        return [asdict(s) for s in self._plan[-3:]]

    def resume(self, recent: list[dict[str, Any]], base: Sequence[float] = _HOME) -> None:
        """Go on from there; ValueError when it is not what ``recent`` gave."""
        try:
            plan = [segment_of(kept) for kept in recent]
            x, y, heading = (float(v) for v in base)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"the kept plan cannot be read ({error})") from error
        if not plan or any(s.path and not self.traits.has("walk") for s in plan):
            raise ValueError("the kept plan is empty or of another character")
        self._plan, self.base = plan, (x, y, heading)

    # ---- the plan

    def _at(self, time: float) -> Segment:
        last = self._plan[-1]
        if time - last.end > _AWAY_S:
            self._plan.append(self._idle(last.end, last.place_at(last.end), time - last.end))
        while self._plan[-1].end <= time:
            self._plan.append(self._next(self._plan[-1], len(self._plan)))
            if len(self._plan) > 64:  # what was done long ago is of no use
                del self._plan[:32]
        return next(s for s in reversed(self._plan) if s.start <= time or s is self._plan[0])

    def _next(self, last: Segment, index: int) -> Segment:
        rng = np.random.default_rng([self.seed, int(last.end * 1000)])
        place, t, has = last.place_at(last.end), last.end, self.traits.has
        x, y, heading = self.base
        away = hypot(place[0] - x, place[1] - y) > 0.02 * self.traits.height or abs(_wrap(place[2] - heading)) > 0.05
        if last.clip != "idle":
            if last.clip == "awaken" and has("wave"):
                return self._clip("wave", t, place)
            return self._idle(t, place, 1.0 if away else float(rng.uniform(2.0, 4.0)))
        if away:
            return self._walk(t, place, self.base) or self._idle(t, place, 2.0)
        choice = rng.random()
        if choice < 0.6 and has("walk"):
            for _ in range(8):
                walk = self._walk(t, place, self._somewhere(rng))
                if walk is not None:
                    return walk
        clips = [c for c in ("wave", "dance", "hop", "look", "sit", "sleep", *2 * tuple(self.traits.own)) if has(c)]
        if clips:
            return self._clip(clips[int(rng.integers(len(clips)))], t, place)
        return self._idle(t, place, 3.0)

    def _somewhere(self, rng: Any) -> Place:
        angle, r = rng.uniform(-pi, pi), self.traits.height * rng.uniform(0.5, 0.8 * self.traits.reach)
        x, y, heading = self.base
        return float(x + r * np.cos(angle)), float(y + r * np.sin(angle)), float(heading + rng.uniform(-0.6, 0.6))

    def _walk(self, time: float, start: Place, goal: Place) -> Segment | None:
        """A walk, or None when the way leads where it may not go."""
        t = self.traits
        if not t.has("walk") or t.stride <= 0:
            return None
        path = shortest(start, goal, 0.4 * t.height)
        for s in np.linspace(0, path.length, 24):
            x, y, _ = path.at(float(s))
            home = hypot(x - self.base[0], y - self.base[1])
            if home > 0.98 * t.reach * t.height or (home > 0.1 * t.height and not self.allowed(x, y)):
                return None
        walk = walk_along(t, time, path)
        free, times = self.free(), (float(s) for s in np.linspace(walk.start, walk.end, 24))
        return walk if all(free(*walk.place_at(s)[:2], s) for s in times) else None

    def _leave(self, time: float) -> tuple[list[Segment], float, Place, float, float]:
        """The plan until something else can begin, when and where that is, and at which speed and foot: a walk is left as the
        feet pass each other, when the one that stands need not be moved."""
        now = self._at(time)
        before = [s for s in self._plan if s.start < now.start]
        if now.clip == "awaken":
            return [*before, now], now.end, now.place, 0.0, 0.0
        if now.path is None:
            return [*before, replace(now, duration=max(time - now.start, 0.0))], time, now.place_at(time), 0.0, 0.0
        half = walk_of(self.traits, now, time).stride / 2
        step = int(now.walked(time) / half + 1)
        if step * half > now.path.length - half / 2 or now.end <= time:
            return [*before, now], now.end, now.place_at(now.end), 0.0, 0.0
        early, late = time, now.end
        while late - early > 1e-6:
            middle = (early + late) / 2
            early, late = (middle, late) if now.walked(middle) < step * half else (early, middle)
        cut = replace(now, until=late - now.start)
        return [*before, cut], cut.end, now.path.at(step * half), now.pace(late), (now.lead + step / 2) % 1.0

    def _break_off(self, time: float, why: str) -> None:
        if self.errand is not None and time < self.errand.arrival and not self.errand.broken:
            self.errand.broken = why

    def _clip(self, clip: str, time: float, place: Place, jump: float = 0.0) -> Segment:
        length = self.traits.durations.get(clip, 0.0)
        if clip == "dance" or self.traits.own.get(clip, False):
            length *= max(1, round(2.5 / max(length, 0.1)))
        return Segment(time, length if length > 0 else 0.6, clip, place, jump=jump)

    def _idle(self, time: float, place: Place, seconds: float) -> Segment:
        return Segment(time, seconds, "idle", place)


def _wrap(angle: float) -> float:
    return (angle + pi) % (2 * pi) - pi
