"""Turns what was seen of a run into the figures of ``report.json`` and the trajectory file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ar_core.geometry import quaternion_from_rotation
from ar_tools.observations import Observations, StageRecord

PUBLISHED = 0


def make_report(seen: Observations) -> dict[str, Any]:
    """The figures of one run.

    ``awakened_after_s`` is the media time of the first picture that shows a character. ``cpu_ms`` is a stage's whole process,
    per input frame. ``real_time_factor``: media time over the machine's time: 1 live; in lock-step how fast the graph is
    (``pictures_per_second`` counts media time). ``glass_to_glass_ms`` runs from the camera having the picture to the
    renderer having handed it on.
    """
    pictures = sorted(set(seen.pictures))
    with_character = {r.stamp for r in seen.stages.get("render", []) if r.outcome == PUBLISHED and r.items > 0}
    awake = min(with_character, default=None)
    after = [stamp for stamp in pictures if awake is not None and stamp >= awake]
    span = (pictures[-1] - pictures[0]) * 1e-9 if len(pictures) > 1 else 0.0
    return {
        "pictures": len(pictures),
        "pictures_after_awakening": len(after),
        "pictures_with_character": len(with_character.intersection(pictures)),
        "pictures_per_second": round((len(pictures) - 1) / span, 2) if span else 0.0,
        "real_time_factor": _real_time_factor(seen, span),
        "awakened_after_s": None if awake is None else round(seen.seconds(awake), 3),
        "glass_to_glass_ms": percentiles(glass_to_glass(seen)),
        "stages": {name: _stage(records) for name, records in sorted(seen.stages.items())},
        "rss_mb": round(seen.rss_mb, 1),
    }


def _real_time_factor(seen: Observations, span: float) -> float | None:
    finished = [record.finished for record in seen.stages.get("render", []) if record.outcome == PUBLISHED]
    took = max(finished, default=0.0) - min(finished, default=0.0)
    return round(span / took, 3) if took > 0 else None


def glass_to_glass(seen: Observations) -> list[float]:
    """Milliseconds from the camera having a picture to the renderer having handed it on, of every picture."""
    captured = {record.stamp: record.received for record in seen.stages.get("camera", [])}
    return [
        (record.finished - captured[record.stamp]) * 1e3
        for record in seen.stages.get("render", [])
        if record.outcome == PUBLISHED and record.stamp in captured
    ]


def _stage(records: list[StageRecord]) -> dict[str, Any]:
    cpu = (records[-1].process_cpu_s - records[0].process_cpu_s) * 1e3 / max(1, len(records) - 1)
    skipped = Counter(record.reason for record in records if record.outcome != PUBLISHED)
    latencies = [(r.finished - r.received) * 1e3 for r in records if r.outcome == PUBLISHED]
    return {"cpu_ms": round(cpu, 2), "latency_ms": percentiles(latencies), "skipped": dict(skipped)}


def percentiles(values: list[float]) -> dict[str, float | None]:
    """Median and 99th percentile; None of nothing."""
    if not values:
        return {"p50": None, "p99": None}
    p50, p99 = np.percentile(values, [50, 99])
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2)}


def write_trajectory(seen: Observations, path: Path) -> None:
    """The poses as they were published live, in TUM format; times in seconds since the camera's first picture."""
    lines = ["# T_map_camera as published live; seconds since the first picture: t tx ty tz qx qy qz qw"]
    for stamp, record in sorted(seen.poses.items()):
        numbers = [*record.T_map_camera[:3, 3], *quaternion_from_rotation(record.T_map_camera[:3, :3])]
        lines.append(f"{seen.seconds(stamp):.6f} " + " ".join(f"{v:.9g}" for v in numbers))
    path.write_text("\n".join(lines) + "\n")
