"""``tsukumo eval slam``: how good the tracking is on recordings, in the figures the field compares."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_camera.bag import Bag
from ar_core.geometry import Array
from ar_slam import evaluation
from ar_slam.evaluate import KNOWN, Run, evaluate
from ar_slam.kidnapped import trials
from ar_slam.recordings import Recording, open_recording
from ar_slam.slam import Options
from ar_tools.eval.drawing import draw

PAIR = {"p50": None, "p95": None}


def eval_slam(options: argparse.Namespace) -> int:
    """The command: 0, or 2 and one line where something cannot be evaluated."""
    try:
        if options.save is not None and len(options.sequence) > 1:
            raise ValueError("--save goes with one sequence")
        cv2.setNumThreads(1)
        all_figures = {}
        for path in options.sequence:
            done, truth, figures = _evaluate(_open(path), options.camera_height, options.live)
            all_figures[str(path)] = figures
            if options.save is not None:
                known = [(r.stamp, r.T_map_camera) for r in done.results if r.T_map_camera is not None]
                options.save.write_text("".join(evaluation.tum_line(s, T) + "\n" for s, T in known))
            if options.plot is not None:
                options.plot.mkdir(parents=True, exist_ok=True)
                target = options.plot / f"{path.resolve().stem}.png"
                if not cv2.imwrite(str(target), draw(done, truth)):
                    raise ValueError(f"{target}: cannot be written")
            if not options.json:
                print("\n".join([f"{path}:", *(f"  {name}: {_text(value)}" for name, value in figures.items())]))
    except (ValueError, OSError) as error:
        print(f"tsukumo: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(all_figures if len(all_figures) > 1 else next(iter(all_figures.values()))))
    return 0


def _open(path: Path) -> Recording:
    """A bag, or what `ar_slam.recordings` reads; ValueError where there is no calibration."""
    if path.suffix in (".mcap", ".db3", ".bag") or (path / "metadata.yaml").exists():
        if not path.exists():
            raise ValueError(f"{path}: there is no such file or folder")
        bag = Bag(path)

        def read() -> Iterator[tuple[float, NDArray[np.uint8]]]:
            for picture in bag.pictures():
                yield picture.seconds, np.asarray(cv2.cvtColor(picture.image, cv2.COLOR_BGR2GRAY), np.uint8)

        recording = Recording(path, read, bag.intrinsics)
        if recording.intrinsics is None:
            raise ValueError(f"{path}: no camera_info beside {bag.topic}: metres and errors need a calibration")
        return recording
    recording = open_recording(path)
    if recording.intrinsics is None:
        folder = recording.path if recording.path.is_dir() else recording.path.parent
        raise ValueError(f"{folder / 'camera.yaml'}: is missing: put the camera's calibration (camera_info YAML) there")
    return recording


def _evaluate(
    recording: Recording, camera_height: float, live: bool
) -> tuple[Run, list[Array | None] | None, dict[str, Any]]:
    """The run, the truth at its pictures, and the figures under exactly the names that are promised."""
    if camera_height <= 0:
        first = 0.0 if recording.truth is None else float(recording.truth[1][0][2, 3])
        camera_height = first if 0.02 < first < 20 else Options.camera_height
    slam_options = Options(camera_height=camera_height, deterministic=not live)
    done, found = evaluate(recording, slam_options)
    truth = None
    if recording.truth is not None:
        truth = evaluation.nearest_poses(np.array([r.stamp for r in done.results]), *recording.truth)
    whole: list[Array | None] = [r.T_map_camera if r.state in KNOWN else None for r in done.results]
    again = trials(recording, done.intrinsics, slam_options, truth or whole)
    relocalisation: dict[str, Any] = {"tried": 0, "found": 0, "false": 0, "ms": None}
    if again is not None:
        relocalisation = {"tried": again.tried, "found": again.found, "false": again.wrong, "ms": again.ms}
    figures = {
        "frames": found["frames"],
        "completeness": found["completeness"],
        "init_s": found["init_s"],
        "ate_sim3_mm": found.get("ate_sim3_mm"),
        "ate_se3_mm": found.get("ate_se3_mm"),
        "rpe_mm": found.get("rpe_mm"),
        "anchor_px": found.get("anchor_px", PAIR),
        "still_jitter_px": found.get("still_jitter_px"),
        "relocalisation": relocalisation,
        "cpu_ms": found["cpu_ms"],
        "fps": found["fps"],
        "scale_source": found["scale_source"],
    }
    return done, truth, figures


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(v)}" for name, v in value.items())
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.3g}"
    return "unknown" if value is None else str(value)
