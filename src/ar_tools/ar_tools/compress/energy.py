"""Millijoules of an inference, where the processor counts its energy (RAPL, through Linux's powercap)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ar_tools.compress.latency import WARM_UPS, compiled, runner

COUNTER = Path("/sys/class/powercap/intel-rapl:0/energy_uj")


def readable(counter: Path = COUNTER) -> bool:
    """Can the energy be read here?"""
    try:
        int(counter.read_text())
    except (OSError, ValueError):
        return False
    return True


def mean_mj(model: Any, threads: int = 1, times: int = 200, counter: Path = COUNTER) -> float:
    """Of the whole package, whatever else runs on it; ValueError where the machine does not count energy."""
    if not readable(counter):
        raise ValueError(
            f"{counter} cannot be read: this machine does not count energy, or lets only root see it: use --budget-ms"
        )
    run = runner(compiled(model, threads))
    for _ in range(WARM_UPS):
        run()
    parts = []
    for _ in range(5):
        start = int(counter.read_text())
        for _ in range(times // 5):
            run()
        parts.append((int(counter.read_text()) - start) / 1000 / (times // 5))
    return float(np.median(parts))  # the counter wraps around now and then
