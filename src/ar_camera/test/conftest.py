"""What the tests of bags share lies beside them, and in ``tests/``."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path += [str(HERE.parents[2] / "tests"), str(HERE)]  # in this order: tests/ must find its own conftest
