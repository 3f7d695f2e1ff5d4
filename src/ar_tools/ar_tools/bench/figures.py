"""Turns what was seen of a graph over some time into the figures that ``bench graph`` prints. Knows no ROS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ar_core.allocator import EVERY_S
from ar_core.geometry import Array
from ar_tools.bench.yardstick import Yardstick, memcpy_ms
from ar_tools.observations import Observations, StageRecord
from ar_tools.run_report import PUBLISHED, make_report, percentiles

PIECES = 6  # at least, of the measured time, when it is asked whether memory grows


@dataclass(frozen=True)
class Hop:
    """What a subscriber got of a topic: stamps (ns), milliseconds from publication to receipt, bytes of one message."""

    stamps: list[int]
    took_ms: list[float]
    size: int


@dataclass(frozen=True)
class PageSeen:
    """What the page's stream client got: stamps (ns) and CLOCK_MONOTONIC seconds of receipt."""

    stamps: list[int]
    received: list[float]


@dataclass
class Measured:
    """Everything of the measured time, ``began`` to ``ended`` (CLOCK_MONOTONIC seconds)."""

    began: float
    ended: float
    reports: Mapping[str, list[StageRecord]]
    sent: Mapping[str, list[int]]  # topic -> stamps with which it was published, as the reports say
    cpu_s: Mapping[str, float]  # CPU time by process, within the time
    rss: list[tuple[float, dict[str, float]]]  # when, and MB by process
    own: list[tuple[float, dict[str, float]]]  # the same without files and shared memory
    proportional_mb: float
    hops: Mapping[str, Hop]
    page: PageSeen | None
    yardstick: Yardstick
    restarts: Sequence[str] = ()  # processes that died meanwhile
    others_cpu_s: float = 0.0  # of processes that do not belong to this
    watching_cpu_s: float = 0.0  # of this measurement itself, the page's client included


def figures(m: Measured, copy_ms: Callable[[int], float] = memcpy_ms) -> dict[str, Any]:
    """The keys of report.json over the measured time, and:

    ``frames`` of the camera; ``render_skipped_percent`` of them; ``stages``: beside ``cpu_ms`` (whole process per frame)
    ``work_ms`` (CPU inside the work on a frame, from the reports) and ``rest_ms`` (the process's CPU time, as /proc says, per
    picture shown, less the work per picture: transport, executor, background threads); ``processes``: CPU per picture
    shown, and memory, of all; ``hops``; ``page``; ``rss_mb``; ``rss_growth_mb_per_min`` (of what the processes hold for
    themselves);
    ``yardstick``; how busy the machine was with other things (``others_percent`` of one core) and with this measurement
    (``watching_percent``).

    `copy_ms`: how long this machine takes to copy so many bytes.
    """
    seconds = m.ended - m.began
    seen = window(m.reports, m.began, m.ended)
    report = make_report(seen)
    shown, frames = len(seen.pictures), len(seen.stages.get("camera", []))
    report["pictures_per_second"] = round(shown / seconds, 2)  # by the clock, not by the stamps
    for name, stage in report["stages"].items():
        records = seen.stages[name]
        work = sum(record.cpu_ms for record in records)
        stage["work_ms"] = round(work / max(1, len(records)), 2)
        if name in m.cpu_s:  # else it shares a process
            stage["rest_ms"] = round((m.cpu_s[name] * 1e3 - work) / max(1, shown), 2)
    totals = np.array([sum(by_name.values()) for _, by_name in m.rss])
    report.update(
        seconds=round(seconds, 1),
        frames=frames,
        render_skipped_percent=round(100 * (1 - shown / frames), 2) if frames else None,
        cpu_ms_per_picture=round(sum(m.cpu_s.values()) * 1e3 / max(1, shown), 2),
        processes=_processes(m, shown),
        hops={topic: hop_figures(hop, m.sent.get(topic, []), copy_ms(hop.size)) for topic, hop in m.hops.items()},
        page=_page(m, seen),
        rss_mb=round(float(totals.max()), 1) if len(totals) else 0.0,
        proportional_mb=round(m.proportional_mb, 1),
        rss_growth_mb_per_min=round(_growth(m, list(m.cpu_s)), 3),
        restarts=list(m.restarts),
        others_percent=round(100 * m.others_cpu_s / seconds, 1),
        watching_percent=round(100 * m.watching_cpu_s / seconds, 1),
        yardstick={"memcpy_gb_s": m.yardstick.memcpy_gb_s, "workload_ms": m.yardstick.workload_ms},
    )
    return report


def window(reports: Mapping[str, Sequence[StageRecord]], began: float, ended: float) -> Observations:
    """The reports on frames that the camera published within the time, and the pictures that came of them."""
    camera = [r for r in reports.get("camera", []) if began <= r.finished < ended]
    stamps = {r.stamp for r in camera}
    seen = Observations()
    for name, records in reports.items():
        inside = [r for r in records if r.stamp in stamps]
        if inside:
            seen.stages[name] = inside
    seen.pictures = sorted({r.stamp for r in seen.stages.get("render", []) if r.outcome == PUBLISHED})
    return seen


def hop_figures(hop: Hop, sent: Sequence[int], floor_ms: float) -> dict[str, float | int | None]:
    """Of one topic; `floor_ms`: to copy one message.

    What was sent before the subscriber got its first message, or after its last, does not count.
    """
    first, last = min(hop.stamps, default=0), max(hop.stamps, default=-1)
    meant = {stamp for stamp in sent if first <= stamp <= last}
    p = percentiles(hop.took_ms)
    return {
        "p50_ms": p["p50"],
        "p99_ms": p["p99"],
        "delivered": round(len(meant.intersection(hop.stamps)) / len(meant), 4) if meant else None,
        "memcpy_ratio": round(p["p50"] / floor_ms, 1) if p["p50"] is not None else None,
        "bytes": hop.size,
        "messages": len(hop.stamps),
    }


def slope(times: Array, values: Array) -> float:
    """Theil-Sen: the median of the slopes of all pairs, per unit of time; 0 for less than two points."""
    i, j = np.triu_indices(len(times), 1)
    later = times[j] > times[i]
    return float(np.median((values[j] - values[i])[later] / (times[j] - times[i])[later])) if later.any() else 0.0


def held(times: Array, values: Array, every_s: float) -> tuple[Array, Array]:
    """When (m,) seconds the least was taken in each piece of ``every_s`` seconds, and how much (m,): what is kept when nothing
    passing is. times (n,) seconds, values (n,)."""
    piece = ((times - times[:1]) // every_s).astype(int)
    least = [np.flatnonzero(piece == p)[values[piece == p].argmin()] for p in np.unique(piece)]
    return times[least], values[least]


def _growth(m: Measured, names: Sequence[str]) -> float:
    """MB a minute by which memory grows that these processes hold: of their own, and not only in passing.

    Work takes tens of MB for a moment, and gives them back as often as ``ar_core.allocator`` says; short runs are looked at in
    more pieces than that, so that there is something to compare.
    """
    every_s = min(EVERY_S, (m.ended - m.began) / PIECES)
    times = np.array([when for when, _ in m.own])
    grown = [held(times, np.array([by_name.get(name, 0.0) for _, by_name in m.own]), every_s) for name in names]
    return sum((slope(*of_one) for of_one in grown), 0.0) * 60


def _processes(m: Measured, shown: int) -> dict[str, dict[str, float]]:
    out = {}
    for name in m.cpu_s:
        values = np.array([by_name.get(name, 0.0) for _, by_name in m.rss])
        out[name] = {
            "cpu_ms": round(m.cpu_s[name] * 1e3 / max(1, shown), 2),
            "rss_mb": round(float(values.max(initial=0.0)), 1),
            "rss_growth_mb_per_min": round(_growth(m, [name]), 3),
        }
    return out


def _page(m: Measured, seen: Observations) -> dict[str, Any] | None:
    if m.page is None:
        return None
    captured = {r.stamp: r.received for r in seen.stages.get("camera", [])}
    pairs = [(s, t) for s, t in zip(m.page.stamps, m.page.received, strict=True) if s in captured]
    twice = sum(n - 1 for n in Counter(s for s, _ in pairs).values())
    return {
        "pictures_per_second": round(len({s for s, _ in pairs}) / (m.ended - m.began), 2),
        "camera_to_page_ms": percentiles([(t - captured[s]) * 1e3 for s, t in pairs]),
        "twice": twice,
    }
