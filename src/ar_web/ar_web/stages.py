"""How the stages do: figures from their diagnostics."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ar_web.state import StageFigures

PREFIX = "tsukumo: "
QUIET_S = 3.5  # diagnostics come once a second
_SKIPPED, _REJECTED = "skipped: ", "rejected: "
_FIGURES = frozenset({"state", "rate_hz", "latency_p50_ms", "latency_p99_ms", "handled", "cpu_percent", "rss_mb"})


def figures(name: str, problem: str, values: Mapping[str, str]) -> StageFigures:
    """The figures in one stage's diagnostics. ``problem``: its message if it reports an error, else ""."""
    p50, p99 = _number(values, "latency_p50_ms"), _number(values, "latency_p99_ms")
    return StageFigures(
        name=name,
        alive=True,
        state=values.get("state", ""),
        problem=problem,
        rate=_number(values, "rate_hz") or 0.0,
        latency_ms=None if p50 is None or p99 is None or p99 == 0 else (p50, p99),
        cpu_percent=_number(values, "cpu_percent"),
        rss_mb=_number(values, "rss_mb"),
        skipped=_counts(values, _SKIPPED),
        rejected=_counts(values, _REJECTED),
        notes={k: v for k, v in values.items() if k not in _FIGURES and not k.startswith((_SKIPPED, _REJECTED))},
    )


def _number(values: Mapping[str, str], key: str) -> float | None:
    try:
        number = float(values.get(key, "nan"))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _counts(values: Mapping[str, str], prefix: str) -> dict[str, int]:
    return {key[len(prefix) :]: int(n) for key, n in values.items() if key.startswith(prefix) and n.isdecimal()}
