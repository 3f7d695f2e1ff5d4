"""How the networks are made: data, training, export, evaluation. See README.md; runs from a clone."""

import sys
from pathlib import Path

for _package in ("ar_core", "ar_detect", "ar_render", "ar_segment", "ar_tools"):
    _path = str(Path(__file__).resolve().parent.parent / "src" / _package)
    if _path not in sys.path:
        sys.path.append(_path)
