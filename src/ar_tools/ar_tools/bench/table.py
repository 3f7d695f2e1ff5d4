"""The figures of ``bench graph`` for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

BUSY_PERCENT = 15.0


def table(report: dict[str, Any]) -> str:
    """A few lines on the whole, then tables of stages, hops and processes."""
    glass, page, machine = report["glass_to_glass_ms"], report["page"], report["yardstick"]
    lines = [
        f"{report['seconds']} s, {report['frames']} frames, {report['pictures']} pictures: "
        f"{report['pictures_per_second']} per second, {report['pictures_with_character']} with a character; "
        f"the renderer left out {report['render_skipped_percent']} %",
        f"camera to picture: p50 {glass['p50']} ms, p99 {glass['p99']} ms",
    ]
    if page:
        way = page["camera_to_page_ms"]
        lines.append(f"to a page: {page['pictures_per_second']} per second, p50 {way['p50']} ms, p99 {way['p99']} ms")
    lines += [
        f"CPU: {report['cpu_ms_per_picture']} ms per picture, all processes together",
        f"memory: {report['rss_mb']} MB resident ({report['proportional_mb']} MB with shared pages counted once), "
        f"growing by {report['rss_growth_mb_per_min']} MB/min",
        f"machine: memcpy {machine['memcpy_gb_s']} GB/s, workload {machine['workload_ms']} ms; "
        f"{report['watching_percent']} % of a core went into measuring, {report['others_percent']} % into other things"
        + (": the figures are worse than they need be" if report["others_percent"] > BUSY_PERCENT else ""),
    ]
    if report["restarts"]:
        lines.append(f"died and restarted while measured: {', '.join(report['restarts'])}")
    return "\n".join([*lines, "", *_stages(report), "", *_hops(report), "", *_processes(report)])


def _stages(report: dict[str, Any]) -> list[str]:
    rows = [("stage", "CPU/frame", "work", "rest/picture", "p50 ms", "p99 ms", "left out")]
    for name, stage in report["stages"].items():
        skipped = "; ".join(f"{n}x {reason}" for reason, n in stage["skipped"].items())
        latency = stage["latency_ms"]
        rows.append(
            (name, stage["cpu_ms"], stage["work_ms"], stage.get("rest_ms", ""), latency["p50"], latency["p99"], skipped)
        )
    return aligned(rows)


def _hops(report: dict[str, Any]) -> list[str]:
    rows: list[Sequence[Any]] = [("topic", "p50 ms", "p99 ms", "delivered", "x memcpy", "bytes")]
    for topic, hop in report["hops"].items():
        rows.append((topic, hop["p50_ms"], hop["p99_ms"], hop["delivered"], hop["memcpy_ratio"], hop["bytes"]))
    return aligned(rows)


def _processes(report: dict[str, Any]) -> list[str]:
    rows: list[Sequence[Any]] = [("process", "CPU/picture", "MB", "MB/min")]
    for name, process in report["processes"].items():
        rows.append((name, process["cpu_ms"], process["rss_mb"], process["rss_growth_mb_per_min"]))
    return aligned(rows)


def aligned(rows: Iterable[Sequence[Any]]) -> list[str]:
    """Rows as lines of columns, the first and the last to the left, numbers between them to the right."""
    words = [["-" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in words) for i in range(len(words[0]))]
    last = len(widths) - 1
    return [
        "  ".join(
            cell.ljust(width) if i in (0, last) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in words
    ]
