"""``tsukumo test``: the checks of style and types, then all tests."""

from __future__ import annotations

import os
import subprocess
import sys

from ar_tools.graph import project_root


def test(arguments: list[str]) -> int:
    """Run pytest over the project (ruff, mypy and the import rules are tests themselves); its exit code."""
    root = project_root()
    environment = {**os.environ, "ROS_DOMAIN_ID": str(1 + os.getpid() % 100)}  # not into a running demo
    line = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *(arguments or ["-q"])]
    return subprocess.call(line, cwd=root, env=environment)
