"""Where a camera's calibration is kept for the next start: where ROS's camera_info_manager keeps it, by the camera's name."""

from __future__ import annotations

import os
import re
from pathlib import Path


def calibration_file(given: str, source: str) -> Path:
    """The file that was given, or ``~/.ros/camera_info/NAME.yaml`` (``$ROS_HOME`` instead of ``~/.ros``); it need not exist."""
    if given:
        return Path(given).expanduser().absolute()
    home = Path(os.environ.get("ROS_HOME") or "~/.ros").expanduser()
    return home / "camera_info" / f"{camera_name(source)}.yaml"


def camera_name(source: str) -> str:
    """A name for a source's camera: a device's own, so that it is the same on whatever port it is plugged in."""
    device = re.fullmatch(r"(?:/dev/video)?(\d+)", source)
    if device:
        told = Path(f"/sys/class/video4linux/video{device[1]}/name")
        name = told.read_text(errors="replace") if told.exists() else f"video{device[1]}"
    elif source.startswith("topic:"):
        name = source.removeprefix("topic:")
    else:
        name = Path(source).stem
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:80] or "camera"


def is_live(source: str) -> bool:
    """Whether it is a camera, and no recording: only a camera is remembered."""
    return re.fullmatch(r"(?:/dev/video)?\d+|topic:.*", source) is not None
