"""The state of the graph in words that a stranger understands, and names for those who awaken."""

from __future__ import annotations

import zlib
from collections.abc import Collection

from ar_web.state import Speech, StageFigures, Tracking, TrackingState

STALE_S = 1.5

_NAMES = (
    "Koro", "Mugi", "Tama", "Hoshi", "Momo", "Kuri", "Sora", "Natsu", "Pochi", "Yuzu", "Haru", "Kiku",
    "Fuku", "Suzu", "Maru", "Nori", "Aki", "Hina", "Kaya", "Rin", "Tsuki", "Umi", "Waka", "Chiyo",
)  # fmt: skip


def nickname(id: str, taken: Collection[str]) -> str:
    """A name for the character ``id``: the same id gets the same name, unless it is taken already."""
    start = zlib.crc32(id.encode(errors="replace"))
    for step in range(len(_NAMES)):
        name = _NAMES[(start + step) % len(_NAMES)]
        if name not in taken:
            return name
    return f"{_NAMES[start % len(_NAMES)]} {len(taken) + 1}"


def speech(
    tracking: TrackingState, stages: Collection[StageFigures], picture_age: float | None, friends: int
) -> Speech:
    """What the page says now. ``picture_age``: seconds since the last picture, None if there never was one."""
    if picture_age is None or picture_age > STALE_S:
        return _without_picture({s.name: s for s in stages if s.alive}, began=picture_age is not None)
    state, reason = tracking.state, tracking.reason.strip()
    if state is Tracking.INITIALISING:
        return Speech("looking", "Show me a table", "Move sideways a little, so that I can tell near from far.")
    if state is Tracking.LOST:
        return Speech("lost", "I am lost", _sentence("Point back at the table", reason))
    if state is Tracking.RELOCALISED:
        return Speech("awake", "There we are again", "I know this table.")
    if state is Tracking.WEAK:
        return Speech("looking", "I can barely hold on", _sentence("A little slower, or closer to the table", reason))
    if state is Tracking.STATIC:
        return Speech("awake", "The camera is still", _invitation(friends))
    if state is Tracking.TRACKING:
        return Speech("awake", "I can see the table", _invitation(friends))
    return Speech("looking", "Opening my eyes", "The picture is here; waiting to hear where the camera is.")


def _without_picture(alive: dict[str, StageFigures], *, began: bool) -> Speech:
    """Why there is no picture. ``began``: there was one before."""
    for name, part in (("camera", "camera"), ("render", "renderer")):
        if name in alive and alive[name].problem:
            return Speech("asleep", f"The {part} cannot start", _sentence("", alive[name].problem))
    running = {name: stage for name, stage in alive.items() if stage.state in ("active", "")}
    if "camera" not in running:
        if began:
            return Speech("asleep", "The camera went quiet", "If it was unplugged, plug it in again: I am waiting.")
        return Speech("asleep", "Waiting for the camera", "Is it plugged in, and does no other program use it?")
    notes = running["camera"].notes
    if notes.get("source") == "ended":
        return Speech("asleep", "The end", "The recording is over.")
    if notes.get("source"):
        return Speech("asleep", "Waiting for the camera", _sentence("", notes["source"]))
    if notes.get("waiting"):
        return Speech("asleep", "Everyone is getting up", _sentence("", f"the camera waits {notes['waiting']}"))
    if "render" not in running:
        hint = "The renderer went quiet; it usually comes back by itself."
        return Speech(
            "asleep",
            "The picture stopped" if began else "The camera is on",
            hint if began else "Waiting for the renderer.",
        )
    if began and running["render"].rate > 0:
        return Speech("looking", "The picture is slow", "This machine is busy: drawing takes longer than a second.")
    if began:
        return Speech("asleep", "The picture stopped", "All stages run, but no picture arrives here.")
    return Speech("asleep", "Almost there", "The first picture is on its way.")


def _invitation(friends: int) -> str:
    return "Tap a character and it jumps, or awaken another thing." if friends else "Tap a thing and it comes alive."


def _sentence(advice: str, reason: str) -> str:
    """The advice, and the stage's own reason behind it where there is one."""
    own = f"{reason[:1].upper()}{reason[1:200].rstrip('.')}." if reason else ""
    return f"{advice}. {own}".rstrip() if advice else own
