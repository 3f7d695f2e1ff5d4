"""What somebody asked of a stage in a recorded run, from the events that say what it led to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Request:
    """A service to be called; `fields` of its request, but for the stamp (ns). Of an action: its goal's, with a `pose` in map,
    x y z and the quaternion x y z w."""

    service: str
    fields: dict[str, Any]
    stamp: int


def request_of(event: Any, stamp: int) -> Request | None:
    """The request that led to an event; None if none did."""
    pixel = [float(v) for v in event.pixel]
    x, y = pixel[:2] if len(pixel) >= 2 else (float("nan"), float("nan"))
    if event.kind == "awaken" and len(pixel) in (0, 2, 4):
        prompt = len(pixel) // 2  # Awaken.Request: NONE, PIXEL, BOX
        fields = dict(zip(("x", "y", "width", "height"), pixel, strict=False))
        return Request("segment/awaken", {"prompt": prompt, **fields}, stamp)
    if event.kind == "act":
        name = event.name if event.message == "clip" else ""
        return Request("render/act", {"id": event.id, "action": event.message, "name": name, "x": x, "y": y}, stamp)
    if event.kind == "walk_to":
        at, turned = event.pose.position, event.pose.orientation
        pose = (at.x, at.y, at.z, turned.x, turned.y, turned.z, turned.w)
        return Request("render/walk_to", {"id": event.id, "pose": tuple(map(float, pose))}, stamp)
    if event.source == "slam" and event.kind in ("reset", "pause", "resume", "set_mode", "set_scale"):
        return _of_slam(event.kind, event.name, stamp)
    if event.kind == "place" and len(pixel) == 2:  # without a pixel it came alive where it stood
        return Request("render/place", {"id": event.id, "x": x, "y": y}, stamp)
    return Request("render/remove", {"id": event.id}, stamp) if event.kind == "remove" else None


def _of_slam(kind: str, name: str, stamp: int) -> Request | None:
    """A request to SLAM, from what its event said (``ar_slam.services``)."""
    fields: dict[str, Any] = {"mode": name} if kind == "set_mode" else {}
    if kind == "set_scale":
        word, _, text = name.partition(" ")
        try:  # SetScale.Request: FACTOR, CAMERA_HEIGHT
            fields = {"kind": int(word == "camera_height"), "value": float(text)}
        except ValueError:
            return None
    return Request(f"slam/{kind}", fields, stamp)
