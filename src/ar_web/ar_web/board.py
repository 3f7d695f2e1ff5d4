"""Gathers what the graph says into one ``State``. Used from one thread; knows neither ROS nor the web."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ar_web.stages import QUIET_S
from ar_web.state import (
    Bag,
    Calibrating,
    Calibration,
    Friend,
    Happening,
    Speech,
    StageFigures,
    State,
    Tracking,
    TrackingState,
)
from ar_web.words import nickname, speech

STAGES = ("camera", "detect", "segment", "slam", "character", "render")
_KEPT_HAPPENINGS = 8
_LASTED_S = 0.4
_GREETING_S = 2.0
_PLAUSIBLE_MS = 5000.0
_KEPT_PICTURES = 64


class Board:
    """Every ``…`` method takes note of one message; ``state`` says what follows from all of them.

    ``now`` is always monotonic seconds of this machine.
    """

    def __init__(self, stages: Sequence[str] = STAGES) -> None:
        self._stages = {name: StageFigures(name) for name in stages}
        self._heard: dict[str, float] = {}
        self._tracking = TrackingState()
        self._spoken = TrackingState()
        self._differs_since: float | None = None
        self._friends: dict[str, Friend] = {}
        self._portraits: set[str] = set()
        self._notices: dict[str, tuple[str, ...]] = {}
        self._happenings: deque[Happening] = deque(maxlen=_KEPT_HAPPENINGS)
        self._happened = 0
        self._bag: Bag | None = None
        self._calibration = Calibration()
        self._calibrated: bool | None = None
        self._pictures: deque[float] = deque(maxlen=_KEPT_PICTURES)
        self._delays: deque[float] = deque(maxlen=_KEPT_PICTURES)
        self._picture_size: tuple[int, int] | None = None
        self._watched_since: float | None = None

    def watched(self, on: bool, now: float) -> None:
        """Pictures and reports are asked for from now on, or no more: silence then means nothing."""
        if not on:
            self._watched_since = None
        elif self._watched_since is None:
            self._watched_since = now
            self._pictures.clear()
            self._delays.clear()

    def stage(self, figures: StageFigures, now: float) -> None:
        """A stage's newest figures; nodes that are none of the page's stages are ignored."""
        if figures.name in self._stages:
            self._stages[figures.name] = figures
            self._heard[figures.name] = now

    def picture(self, size: tuple[int, int], delay_ms: float, now: float) -> None:
        """A picture of (width, height) pixels arrived, ``delay_ms`` after its stamp by this machine's clock."""
        self._pictures.append(now)
        self._delays.append(delay_ms)
        self._picture_size = size

    def tracking(self, state: TrackingState, now: float) -> None:
        """The newest tracking state. It is spoken of once it has lasted, so that words do not flicker at frame rate."""
        self._tracking = state
        known = (Tracking.NONE, state.state)
        if state.state is Tracking.RELOCALISED or self._spoken.state in known:
            self._spoken, self._differs_since = state, None
        elif self._differs_since is None:
            self._differs_since = now
        elif now - self._differs_since >= (_GREETING_S if self._spoken.state is Tracking.RELOCALISED else _LASTED_S):
            self._spoken, self._differs_since = state, None

    def friend(self, friend: Friend) -> str:
        """A character was made, or made anew. Returns its name, which is chosen here and kept."""
        known = self._friends.get(friend.id)
        name = known.name if known else nickname(friend.id, {f.name for f in self._friends.values()})
        self._friends[friend.id] = replace(friend, name=name)
        return name

    def portrait(self, id: str) -> None:
        """There is a portrait of the object ``id``."""
        self._portraits.add(id)

    def farewell(self, id: str) -> None:
        """The character ``id`` (empty: everyone) is a thing again."""
        for gone in [id] if id else list(self._friends):
            self._friends.pop(gone, None)
            self._portraits.discard(gone)

    def notices(self, source: str, texts: Sequence[str]) -> None:
        """All that ``source`` has to say to the user at present; replaces what it said before."""
        self._notices[source] = tuple(texts)

    def happening(self, kind: str, id: str, success: bool, message: str) -> None:
        """Something took effect in the graph."""
        self._happened += 1
        self._happenings.append(Happening(self._happened, kind, id, success, message))

    def bag(self, bag: Bag) -> None:
        """The newest word of the recorder of topics."""
        self._bag = bag

    def calibration(self, calibration: Calibration) -> None:
        """How the guided calibration of the camera does; while there is one, nothing else is spoken of."""
        self._calibration = calibration

    def calibrated(self, known: bool) -> None:
        """Whether the camera's calibration is known, or guessed."""
        self._calibrated = known

    def state(self, now: float) -> State:
        """What follows from all that was heard until ``now``."""
        stages = tuple(self._unless_quiet(figures, now) for figures in self._stages.values())
        friends = tuple(replace(f, portrait=f.id in self._portraits) for f in self._friends.values())
        age = self._picture_age(now)
        return State(
            speech=self._told() or speech(self._spoken, stages, age, len(friends)),
            tracking=self._tracking,
            picture_rate=self._picture_rate(now),
            picture_size=self._picture_size,
            picture_age=age,
            delay_ms=self._delay_ms(),
            stages=stages,
            friends=friends,
            notices=tuple(text for texts in self._notices.values() for text in texts),
            happenings=tuple(self._happenings),
            bag=self._bag,
            calibrated=self._calibrated,
        )

    def _told(self) -> Speech | None:
        """What the calibration has to say."""
        now = self._calibration
        moods = {Calibrating.DONE: "awake", Calibrating.FAILED: "lost"}
        return (
            None if now.state is Calibrating.IDLE else Speech(moods.get(now.state, "looking"), now.headline, now.hint)
        )

    def _delay_ms(self) -> tuple[float, float] | None:
        """(p50, p99); None without pictures, or if their stamps are not of this machine's clock (an old bag)."""
        if not self._delays:
            return None
        p50, p99 = np.percentile(self._delays, [50, 99])
        return (float(p50), float(p99)) if 0 <= p50 < _PLAUSIBLE_MS else None

    def _unless_quiet(self, figures: StageFigures, now: float) -> StageFigures:
        quiet = now - self._heard.get(figures.name, -QUIET_S) >= QUIET_S
        return replace(figures, alive=False, rate=0.0, latency_ms=None, cpu_percent=None) if quiet else figures

    def _picture_age(self, now: float) -> float | None:
        """Seconds for which a picture has been missing; None if there never was one; 0 while nobody asks for any."""
        if self._watched_since is None:
            return 0.0
        if self._picture_size is None:
            return None
        return now - max([self._watched_since, *list(self._pictures)[-1:]])

    def _picture_rate(self, now: float) -> float:
        recent = [t for t in self._pictures if t > now - 2.0]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 and recent[-1] > recent[0] else 0.0


def tracking_of(index: int) -> Tracking:
    """The state behind the number in ``ar_interfaces/TrackingStatus``; raises ValueError for an unknown one."""
    order = (
        Tracking.INITIALISING,
        Tracking.STATIC,
        Tracking.TRACKING,
        Tracking.WEAK,
        Tracking.LOST,
        Tracking.RELOCALISED,
    )
    if not 0 <= index < len(order):
        raise ValueError(f"tracking status: unknown state {index}")
    return order[index]
