"""Figures kept in the tree, as ratios to what the machine can do, so that runs on different machines can be compared."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ar_core.geometry import Array
from ar_tools.bench.figures import Measured, window
from ar_tools.run_report import glass_to_glass, make_report, percentiles

PARTS = 4  # of the measured time: how much they differ is the noise
LEAST = {"pictures_per_frame": 0.01, "rss_mb": 0.03}  # a smaller change is never more than noise
ANY = 0.08
MORE_IS_BETTER = ("pictures_per_frame",)


class Difference(NamedTuple):
    """One figure, now and in the baseline; ``verdict``: better, worse, or same (within `noise`, a share)."""

    figure: str
    now: float
    then: float
    noise: float
    verdict: str

    def text(self) -> str:
        """For people."""
        change = 100 * (self.now / self.then - 1) if self.then else 0.0
        return f"{self.verdict:>6}  {self.figure}: {change:+.1f} % (noise {100 * self.noise:.0f} %)"


def ratios(report: dict[str, Any]) -> dict[str, float]:
    """The figures that are compared: times over the workload's, hops over a memcpy, memory and pictures as they are."""
    workload = report["yardstick"]["workload_ms"]
    out = {f"stages/{name}/cpu": stage["cpu_ms"] / workload for name, stage in report["stages"].items()}
    out["cpu_per_picture"] = report["cpu_ms_per_picture"] / workload
    for p in ("p50", "p99"):
        if report["glass_to_glass_ms"][p] is not None:
            out[f"glass_to_glass/{p}"] = report["glass_to_glass_ms"][p] / workload
    for topic, hop in report["hops"].items():
        if hop["memcpy_ratio"] is not None and hop["bytes"] > 100_000:  # small ones are all waking up
            out[f"hops/{topic}"] = hop["memcpy_ratio"]
    out["rss_mb"] = report["rss_mb"]
    out["pictures_per_frame"] = report["pictures"] / max(1, report["frames"])
    return out


def noise(m: Measured) -> dict[str, float]:
    """How much figures differ between parts of the measured time: the standard error of the whole, as a share."""
    edges = np.linspace(m.began, m.ended, PARTS + 1)
    parts = [window(m.reports, a, b) for a, b in pairwise(edges)]
    values: dict[str, list[float]] = {}
    for part in parts:
        for name, stage in make_report(part)["stages"].items():
            values.setdefault(f"stages/{name}/cpu", []).append(stage["cpu_ms"])
        for p, value in percentiles(glass_to_glass(part)).items():
            if value is not None:
                values.setdefault(f"glass_to_glass/{p}", []).append(value)
    for topic, hop in m.hops.items():
        for some in np.array_split(np.array(hop.took_ms), PARTS):
            if len(some):
                values.setdefault(f"hops/{topic}", []).append(float(np.median(some)))
    return {name: round(_spread(np.array(v)), 4) for name, v in values.items()}


def _spread(values: Array) -> float:
    return float(values.std() / max(1e-9, abs(values.mean())) / math.sqrt(len(values)))


def write(path: Path, report: dict[str, Any]) -> None:
    """Keep a run's ratios; ValueError, in words, if that is not possible."""
    kept = {
        name: {"ratio": round(value, 4), "noise": report["noise"].get(name, 0.0)}
        for name, value in ratios(report).items()
    }
    try:
        path.write_text(json.dumps({"seconds": report["seconds"], "figures": kept}, indent=2) + "\n")
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None


def read(path: Path) -> dict[str, Any]:
    """A baseline; ValueError, in words, if it is none."""
    try:
        kept = json.loads(path.read_text())["figures"]
        return {name: (float(one["ratio"]), float(one["noise"])) for name, one in kept.items()}
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error} (--write-baseline makes one)") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{path}: this is no baseline (--write-baseline makes one)") from None


def compare(report: dict[str, Any], known: dict[str, Any]) -> list[Difference]:
    """Every figure that both have; beyond three standard errors of both runs, and more than a little, it is a change."""
    out = []
    for name, now in ratios(report).items():
        if name not in known:
            continue
        then, its_noise = known[name]
        share = max(LEAST.get(name, ANY), 3 * math.hypot(its_noise, report["noise"].get(name, 0.0)))
        change = math.log(max(now, 1e-9) / max(then, 1e-9))
        if name in MORE_IS_BETTER:
            change = -change
        verdict = "same" if abs(change) <= math.log1p(share) else "worse" if change > 0 else "better"
        out.append(Difference(name, round(now, 4), then, round(share, 4), verdict))
    return sorted(out, key=lambda difference: ("worse", "better", "same").index(difference.verdict))
