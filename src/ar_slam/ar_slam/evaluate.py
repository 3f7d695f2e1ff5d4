"""Run the SLAM over recordings and say how good it was: ``python -m ar_slam.evaluate SEQUENCE... [--save F] [--json]``.

A SEQUENCE is a TUM folder, a video with a ``camera.yaml`` beside it, or a folder with such a video.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ar_core.geometry import Array, Intrinsics, Plane, hit_plane, inverse
from ar_slam import evaluation
from ar_slam.recordings import Recording, open_recording
from ar_slam.slam import Options, Result, Slam, State

SIDEWAYS = 0.01  # metres
KNOWN = (State.TRACKING, State.WEAK, State.RELOCALISED)


@dataclass(frozen=True)
class Run:
    """What came out, picture by picture: results, and the CPU milliseconds each took in the tracking thread."""

    intrinsics: Intrinsics
    results: list[Result]
    cpu_ms: Array
    seconds: float


def run(pictures: Iterable[tuple[float, Any]], intrinsics: Intrinsics | None, options: Options) -> Run:
    """Feed (stamp, (H, W) uint8) to a new Slam; without intrinsics a field of view is assumed."""
    slam: Slam | None = None
    results: list[Result] = []
    cpu: list[float] = []
    begun = time.monotonic()
    for stamp, grey in pictures:
        if slam is None:
            slam = Slam(intrinsics or Intrinsics.from_field_of_view(grey.shape[1], grey.shape[0]), options)
        start = time.thread_time()
        results.append(slam.process(grey, stamp))
        cpu.append((time.thread_time() - start) * 1e3)
    if slam is None:
        raise ValueError("there are no pictures")
    slam.close()
    return Run(slam.intrinsics, results, np.array(cpu), time.monotonic() - begun)


def report(done: Run, truth: list[Array | None] | None) -> dict[str, Any]:
    """The figures of a run; those that need the true poses (None where unknown) only with them. The true plane is z = 0."""
    results = done.results
    states = [r.state for r in results]
    first = next((i for i, s in enumerate(states) if s == State.TRACKING), None)
    out: dict[str, Any] = {
        "frames": len(results),
        "states": {s.name.lower(): n for s, n in sorted(Counter(states).items())},
        "completeness": 0.0 if first is None else float(np.mean([s == State.TRACKING for s in states[first:]])),
        "init_s": None if first is None else _moving_for(results[: first + 1], truth),
        "cpu_ms": {"p50": float(np.median(done.cpu_ms)), "p95": float(np.percentile(done.cpu_ms, 95))},
        "fps": len(results) / done.seconds,
        "scale_source": results[-1].scale_source,
    }
    if first is None or truth is None:
        return out
    pairs = [
        (r.T_map_camera, T)
        for r, T in zip(results[first:], truth[first:], strict=True)
        if r.state in KNOWN and r.T_map_camera is not None and T is not None
    ]
    if len(pairs) < 20:
        return out
    estimated, true = [p[0] for p in pairs], [p[1] for p in pairs]
    out["ate_sim3_mm"] = _rms_mm(evaluation.absolute_errors(estimated, true, True))
    out["ate_se3_mm"] = _rms_mm(evaluation.absolute_errors(estimated, true, False))
    out["rpe_mm"] = _rms_mm(relative_errors(estimated, true))
    out["rotation_deg"] = float(np.median(evaluation.rotation_errors_deg(estimated, true)))
    anchors = evaluation.anchor_errors(estimated[10:], true[10:], done.intrinsics)
    anchors = anchors[np.isfinite(anchors)]
    if len(anchors):
        out["anchor_px"] = {"p50": float(np.median(anchors)), "p95": float(np.percentile(anchors, 95))}
    still = _still_part(true)
    if still is not None:
        middle = np.array([[done.intrinsics.width / 2, done.intrinsics.height / 2]])
        point = hit_plane(middle, done.intrinsics, estimated[still.start], Plane.ground())
        out["still_jitter_px"] = evaluation.jitter_px(estimated[still], done.intrinsics, point)
    return out


def relative_errors(estimated: list[Array], true: list[Array], step: int = 30) -> Array:
    """Errors (n,) in metres of the motion over `step` pictures, in true scale (RPE, Sturm et al. 2012)."""
    scale = evaluation.align(evaluation.centres(estimated), evaluation.centres(true), True).scale
    out = []
    for i in range(len(true) - step):
        a, b = inverse(estimated[i]) @ estimated[i + step], inverse(true[i]) @ true[i + step]
        out.append(np.linalg.norm(scale * a[:3, 3] - b[:3, 3]))
    return np.array(out) if out else np.zeros(1)


def _rms_mm(errors: Array) -> float:
    return float(1e3 * np.sqrt(np.mean(errors**2)))


def _moving_for(results: list[Result], truth: list[Array | None] | None) -> float:
    """Seconds from the camera's first sideways motion to the last result.

    By the truth: a centimetre across its first view; else from the last picture in which it was thought to stand still.
    """
    start = max((i for i, r in enumerate(results) if r.state == State.STATIC), default=0)
    if truth is not None and truth[0] is not None:
        view = inverse(truth[0])
        across = [0.0 if T is None else float(np.hypot(*(view @ T)[:2, 3])) for T in truth[: len(results)]]
        start = next((i for i, moved in enumerate(across) if moved > SIDEWAYS), len(results) - 1)
    return results[-1].stamp - results[start].stamp


def _still_part(true: list[Array]) -> slice | None:
    """The longest stretch, of ten pictures at least, in which the true camera stands still; less the picture at each end."""
    moves = [float(np.abs(a - b).max()) > 1e-6 for a, b in pairwise(true)]
    best, start = slice(0, 0), 0
    for i, moved in enumerate([*moves, True]):
        if moved:
            if i - start > best.stop - best.start:
                best = slice(start, i)
            start = i + 1
    return slice(best.start + 1, best.stop) if best.stop - best.start >= 10 else None


def evaluate(recording: Recording, options: Options) -> tuple[Run, dict[str, Any]]:
    """Run over a recording and report."""
    done = run(recording, recording.intrinsics, options)
    truth = None
    if recording.truth is not None:
        stamps = np.array([r.stamp for r in done.results])
        truth = evaluation.nearest_poses(stamps, *recording.truth)
    return done, report(done, truth)


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, evaluate, print."""
    parser = argparse.ArgumentParser(prog="ar_slam.evaluate", description=__doc__)
    parser.add_argument("sequence", nargs="+", type=Path)
    parser.add_argument("--save", type=Path, help="the published poses, TUM format (one sequence only)")
    parser.add_argument("--json", action="store_true", help="one JSON object per sequence")
    parser.add_argument("--camera-height", type=float, default=Options.camera_height)
    parser.add_argument("--live", action="store_true", help="take the mapping thread's results whenever they come")
    args = parser.parse_args(arguments)
    if args.save and len(args.sequence) > 1:
        parser.error("--save goes with one sequence")
    cv2.setNumThreads(1)
    for path in args.sequence:
        try:
            options = Options(camera_height=args.camera_height, deterministic=not args.live)
            done, figures = evaluate(open_recording(path), options)
            if args.save:
                known = [(r.stamp, r.T_map_camera) for r in done.results if r.T_map_camera is not None]
                args.save.write_text("".join(evaluation.tum_line(s, T) + "\n" for s, T in known))
        except (ValueError, OSError) as error:
            print(error, file=sys.stderr)
            return 1
        if args.json:
            print(json.dumps({"sequence": str(path), **figures}))
        else:
            print(f"{path}:")
            for name, value in figures.items():
                print(f"  {name}: {_rounded(value)}")
    return 0


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_rounded(v)}" for k, v in value.items())
    return f"{value:.3g}" if isinstance(value, float) else value


if __name__ == "__main__":
    sys.exit(main())
