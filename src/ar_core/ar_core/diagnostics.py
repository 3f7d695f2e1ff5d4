"""What a stage says of itself once a second on ``/diagnostics`` (REP-107)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from ar_core.statistics import Statistics, resident_mb


class CpuMeter:
    """CPU use between two looks, in percent of one core. used: CPU seconds so far."""

    def __init__(self, used: Callable[[], float]) -> None:
        self._used = used
        self._then = (time.monotonic(), used())
        self._percent = 0.0

    def percent(self) -> float:
        """The last value; a new one once half a second has passed."""
        now, cpu = time.monotonic(), self._used()
        elapsed = now - self._then[0]
        if elapsed > 0.5:
            self._percent = 100 * (cpu - self._then[1]) / elapsed
            self._then = (now, cpu)
        return self._percent


def stage_status(
    name: str,
    namespace: str,
    state: str,
    error: str,
    statistics: Statistics,
    cpu_percent: float,
    notes: Mapping[str, str],
) -> DiagnosticStatus:
    """The status of one stage: ERROR if it cannot work, WARN if it refused messages or its calibration is a guess."""
    p50, p99 = statistics.latency_ms()
    values = {
        "state": state,
        "rate_hz": f"{statistics.rate_hz(time.monotonic()):.1f}",
        "latency_p50_ms": f"{p50:.1f}",
        "latency_p99_ms": f"{p99:.1f}",
        "handled": str(statistics.handled),
        "cpu_percent": f"{cpu_percent:.0f}",
        "rss_mb": f"{resident_mb():.0f}",
        **{f"skipped: {reason}": str(n) for reason, n in statistics.skipped.copy().items()},
        **{f"rejected: {what}": str(n) for what, n in statistics.rejected.copy().items()},
        **{key: value for key, value in notes.items() if value},
    }
    level = DiagnosticStatus.OK
    if statistics.rejected or "guessed" in notes.get("calibration", ""):
        level = DiagnosticStatus.WARN
    if error:
        level = DiagnosticStatus.ERROR
    return DiagnosticStatus(
        level=level,
        name=f"tsukumo: {name}",
        message=error or state,
        hardware_id=namespace,
        values=[KeyValue(key=key, value=value) for key, value in values.items()],
    )
