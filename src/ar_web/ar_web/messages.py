"""What a page may ask for, parsed strictly: whatever else arrives gets one line that says what is wrong with it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 4096
MAX_TEXT = 200
ACTIONS = ("hold", "lead", "feed", "call")
_MAX_PIXEL = 65536.0
MAX_SQUARE_MM = 1000.0


@dataclass(frozen=True)
class Seen:
    """The picture arrived and was shown: the next may come."""


@dataclass(frozen=True)
class Watch:
    """The page became visible (on) or hidden; a hidden page costs nothing."""

    on: bool


@dataclass(frozen=True)
class Tap:
    """A tap on pixel (x, y) of the picture with ``stamp`` (ns): whoever is there jumps, or awakens."""

    number: int
    stamp: int
    x: float
    y: float


@dataclass(frozen=True)
class Awaken:
    """Awaken a detection by its id, or the most prominent object if it is empty."""

    number: int
    stamp: int
    detection: str


@dataclass(frozen=True)
class Act:
    """Let the character play one of its clips."""

    number: int
    id: str
    clip: str


@dataclass(frozen=True)
class Ask:
    """Ask who is awake for something: to be held (a finger lies on it), to be led to a pixel of the table, fed, called.

    id: who; empty: the one at the pixel. x, y: of the picture with ``stamp`` (ns); NaN: none.
    """

    number: int
    action: str
    id: str
    stamp: int
    x: float
    y: float


@dataclass(frozen=True)
class Remove:
    """Let the character become a thing again."""

    number: int
    id: str


@dataclass(frozen=True)
class Reset:
    """Forget the map and look for a table anew."""

    number: int


@dataclass(frozen=True)
class Snapshot:
    """Keep the newest picture."""

    number: int


@dataclass(frozen=True)
class Film:
    """Begin (on) or end to record the picture."""

    number: int
    on: bool


@dataclass(frozen=True)
class Discard:
    """Delete a snapshot or film by its name."""

    number: int
    name: str


@dataclass(frozen=True)
class Bag:
    """Begin (on) or end to record the graph's topics."""

    number: int
    on: bool


@dataclass(frozen=True)
class Calibrate:
    """Begin, finish or cancel a calibration of the camera; model: of its lens; square_mm: of the board's squares, 0: not known"""

    number: int
    action: str
    model: str
    square_mm: float


Wish = Tap | Awaken | Act | Ask | Remove | Reset | Snapshot | Film | Discard | Bag | Calibrate
Request = Seen | Watch | Wish


def parse(text: str) -> Request:
    """One message of the page; raises ValueError with one line in words."""
    if len(text) > MAX_BYTES:
        raise ValueError(f"message: {len(text)} characters, at most {MAX_BYTES} are read")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("message: not JSON") from None
    if not isinstance(message, dict):
        raise ValueError("message: a JSON object with a 'type' is needed")
    kind = message.get("type")
    if kind == "seen":
        return Seen()
    if kind == "watch":
        return Watch(_switch(message))
    number = _number(message)
    if kind == "tap":
        return Tap(number, _stamp(message), _pixel(message, "x"), _pixel(message, "y"))
    if kind == "awaken":
        return Awaken(number, _stamp(message), _text(message, "detection", default=""))
    if kind == "act":
        return Act(number, _text(message, "id"), _text(message, "clip"))
    if kind == "ask":
        return _ask(number, message)
    if kind == "remove":
        return Remove(number, _text(message, "id"))
    if kind == "reset":
        return Reset(number)
    if kind == "snapshot":
        return Snapshot(number)
    if kind == "film":
        return Film(number, _switch(message))
    if kind == "discard":
        return Discard(number, _text(message, "name"))
    if kind == "bag":
        return Bag(number, _switch(message))
    if kind == "calibrate":
        return _calibrate(number, message)
    raise ValueError(f"message: unknown type {str(kind)[:40]!r}")


def _ask(number: int, message: dict[str, Any]) -> Ask:
    action, id = _text(message, "action"), _text(message, "id", default="")
    if action not in ACTIONS:
        raise ValueError(f"ask: unknown action {action[:40]!r}")
    if message.get("x") is None and id and action in ("call", "feed"):
        return Ask(number, action, id, 0, math.nan, math.nan)
    return Ask(number, action, id, _stamp(message), _pixel(message, "x"), _pixel(message, "y"))


def _calibrate(number: int, message: dict[str, Any]) -> Calibrate:
    action, square = _text(message, "action"), message.get("square_mm", 0)
    if isinstance(square, bool) or not isinstance(square, int | float) or not 0 <= square <= MAX_SQUARE_MM:
        raise ValueError(f"calibrate: 'square_mm' must be a number of millimetres, at most {MAX_SQUARE_MM:g}")
    return Calibrate(number, action, _text(message, "model", default=""), float(square))


def number_of(text: str) -> int | None:
    """The number of a message that could not be parsed as a whole, so that its sender can be answered."""
    try:
        return _number(json.loads(text)) if len(text) <= MAX_BYTES else None
    except (ValueError, RecursionError, AttributeError):
        return None


def _number(message: dict[str, Any]) -> int:
    number = message.get("number")
    if type(number) is not int or not 0 <= number < 2**53:
        raise ValueError("message: 'number' must be a whole number, to match the answer with")
    return number


def _switch(message: dict[str, Any]) -> bool:
    on = message.get("on")
    if not isinstance(on, bool):
        raise ValueError(f"{message['type']}: 'on' must be true or false")
    return on


def _stamp(message: dict[str, Any]) -> int:
    """Nanoseconds; a decimal string, since JavaScript's numbers are too short for them. "0": the newest picture."""
    text = message.get("stamp", "0")
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < 2**63):
        raise ValueError("message: 'stamp' must be the picture's nanoseconds as a string of digits")
    return int(text)


def _pixel(message: dict[str, Any], name: str) -> float:
    value = message.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"tap: '{name}' must be a number of pixels")
    if not abs(value) <= _MAX_PIXEL:  # NaN compares false
        raise ValueError(f"tap: '{name}' = {str(value)[:20]} is not a pixel of the picture")
    return float(value)


def _text(message: dict[str, Any], name: str, default: str | None = None) -> str:
    value = message.get(name, default)
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError(f"message: '{name}' must be text of at most {MAX_TEXT} characters")
    return value
