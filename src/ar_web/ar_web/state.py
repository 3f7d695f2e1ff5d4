"""What the page knows about the graph at one moment: plain frozen data, and its JSON form."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any


class Tracking(Enum):
    """``ar_interfaces/TrackingStatus.state``, plus ``NONE`` while nothing was heard."""

    NONE = "none"
    INITIALISING = "initialising"
    STATIC = "static"
    TRACKING = "tracking"
    WEAK = "weak"
    LOST = "lost"
    RELOCALISED = "relocalised"


@dataclass(frozen=True)
class Picture:
    """One encoded picture; ``stamp`` in nanoseconds is that of the camera frame it shows."""

    stamp: int
    jpeg: bytes


@dataclass(frozen=True)
class Answer:
    """What became of a wish. ``reached`` is False if nobody was there to hear it."""

    ok: bool
    message: str
    id: str = ""
    reached: bool = True


@dataclass(frozen=True)
class TrackingState:
    """Where the camera is known to be, or why not."""

    state: Tracking = Tracking.NONE
    reason: str = ""
    scale_source: str = ""
    points: int = 0
    inliers: int = 0


@dataclass(frozen=True)
class StageFigures:
    """One stage as of its last diagnostics.

    latency_ms: (p50, p99) of the last frames; skipped, rejected: reason → how many since the stage began; problem: why
    it cannot start, in its own words; notes: whatever else the stage says about itself.
    """

    name: str
    alive: bool = False
    state: str = ""
    problem: str = ""
    rate: float = 0.0
    latency_ms: tuple[float, float] | None = None
    cpu_percent: float | None = None
    rss_mb: float | None = None
    skipped: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DetectedObject:
    """A thing that could be awakened: its box (x, y, width, height) in pixels of the picture."""

    id: str
    kind: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Friend:
    """An awakened character as the page shows it; ``height`` in metres, ``size`` of its .glb in bytes."""

    id: str
    name: str
    kind: str
    height: float
    clips: tuple[str, ...]
    size: int
    portrait: bool
    placed: bool


@dataclass(frozen=True)
class Happening:
    """Something that took effect in the graph (``ar_interfaces/Event``); ``number`` grows by one with each."""

    number: int
    kind: str
    id: str
    success: bool
    message: str


@dataclass(frozen=True)
class Speech:
    """What the page says: how it feels (``mood`` picks the lantern's face), one headline, one hint."""

    mood: str
    headline: str
    hint: str


@dataclass(frozen=True)
class Bag:
    """What the recorder of topics says: where, how much (``size`` in bytes), and ``message`` why it ended or cannot begin."""

    recording: bool
    path: str = ""
    messages: int = 0
    size: int = 0
    seconds: float = 0.0
    message: str = ""


class Calibrating(Enum):
    """``ar_interfaces/CalibrationStatus.state``."""

    IDLE = "idle"
    LOOKING = "looking"
    SOLVING = "solving"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Calibration:
    """How the guided calibration of the camera does.

    board: the corners x, y in turn, target: x0, y0, x1, y1, in pixels of a picture of that size; covered: row by row of
    `columns`; path: of the file that was written.
    """

    state: Calibrating = Calibrating.IDLE
    headline: str = ""
    hint: str = ""
    missing: tuple[str, ...] = ()
    progress: float = 0.0
    views: int = 0
    enough: bool = False
    size: tuple[int, int] = (0, 0)
    board: tuple[float, ...] = ()
    target: tuple[float, ...] = ()
    columns: int = 0
    covered: tuple[bool, ...] = ()
    path: str = ""

    @property
    def running(self) -> bool:
        """Whether the board is looked at."""
        return self.state in (Calibrating.LOOKING, Calibrating.SOLVING)


@dataclass(frozen=True)
class State:
    """Everything but the picture itself."""

    speech: Speech
    tracking: TrackingState = TrackingState()
    picture_rate: float = 0.0
    picture_size: tuple[int, int] | None = None
    picture_age: float | None = None
    delay_ms: tuple[float, float] | None = None
    stages: tuple[StageFigures, ...] = ()
    friends: tuple[Friend, ...] = ()
    notices: tuple[str, ...] = ()
    happenings: tuple[Happening, ...] = ()
    bag: Bag | None = None  # None: nobody is there who records topics
    calibrated: bool | None = None  # None: not known yet


def to_json(kind: str, value: Any) -> str:
    """``value`` (a dataclass or dict) as one JSON message of that type; numbers rounded, NaN and infinity as null."""
    body = value if isinstance(value, dict) else asdict(value)
    return json.dumps({"type": kind, **_plain(body)}, allow_nan=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return round(value, 3) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
