"""Where things are kept that the user asked to keep."""

from __future__ import annotations

import os
from pathlib import Path


def recordings_folder(given: str = "") -> Path:
    """The given folder, or what the XDG base directories say: ``~/.local/share/tsukumo/recordings``; it is not made here."""
    if given:
        return Path(given).expanduser().absolute()
    data = os.environ.get("XDG_DATA_HOME", "")
    base = Path(data) if data.startswith("/") else Path("~/.local/share").expanduser()  # relative ones do not count
    return base / "tsukumo" / "recordings"
