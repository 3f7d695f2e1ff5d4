"""``tsukumo demo``: the whole graph on one source, what came of it left in a folder."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
import webbrowser
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ar_character.theme import named
from ar_tools import graph
from ar_tools.contract import STAGES
from ar_tools.footprint import resident_mb
from ar_tools.observations import Observations
from ar_tools.recorder import NAME, Recorder, RecorderThread
from ar_tools.run_report import make_report, write_trajectory
from ar_tools.supervisor import Supervisor
from ar_tools.truth import compare

START_S = 60.0
STATES = (
    "initialising",
    "the camera stands still",
    "tracking",
    "tracking with little to hold on to",
    "lost",
    "tracking again",
)


def say(text: str) -> None:
    """One line for the user."""
    print(f"tsukumo: {text}", flush=True)


def demo(options: argparse.Namespace) -> int:
    """Run the demo; the exit code."""
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    if not options.headless:
        graph.check_port(options.port)
    shutil.rmtree(out / "masks", ignore_errors=True)
    (out / "masks").mkdir()
    arguments = {
        **graph.source_arguments(options.source, options.camera_info),
        "topic": options.topic,
        "theme": named(options.theme),
        "loop": str(not options.headless).lower(),
        "host": options.host,
        "port": str(options.port),
        "awaken": "auto",
        "composition": "single" if options.single else "separate",
        "lockstep": str(options.lockstep),
        "recorder": NAME if options.lockstep else "",
        **graph.window_argument(options.window),
    }
    if options.headless:
        arguments["web"] = "false"
    arguments = graph.with_token(arguments)
    page = f"http://{options.host}:{options.port}" + (f"/?token={arguments['token']}" if "token" in arguments else "")
    launch_file = graph.project_root() / "launch" / "tsukumo.launch.yaml"
    log = graph.Log(quiet=not options.verbose, file=out / "demo.log")
    try:
        with (
            graph.fresh_snapshots(),
            RecorderThread(out / "demo.mp4", out / "masks", 30.0, lockstep=bool(options.lockstep)) as recorder,
            graph.start(launch_file, arguments, log) as supervisor,
        ):
            code = _watch(options, recorder, supervisor, page)
            if code == 0:
                code = _leave_results(options, recorder, out)
            if code == 0 and not options.headless and not supervisor.closed(graph.WINDOW):
                say("the page stays open; Ctrl-C ends")
                _loop(supervisor)
            return code
    except KeyboardInterrupt:
        return 0


def _watch(options: argparse.Namespace, recorder: Recorder, supervisor: Supervisor, page: str) -> int:
    """Say what happens until the input ends (or the time is up, or Ctrl-C); the exit code."""
    began = time.monotonic()
    say("starting the graph: " + ", ".join(STAGES))
    if not options.headless:
        say(f"the page: {page}")
    active, alive, state, first = False, False, -1, 0.0
    try:
        while not recorder.ended.wait(0.2):
            now = time.monotonic()
            recorder.seen.rss_mb = max(
                recorder.seen.rss_mb, sum(resident_mb(pid) for pid in supervisor.pids().values())
            )
            if not active and all(recorder.states.get(stage) == "active" for stage in STAGES):
                active = True
                say(f"all stages are active after {now - began:.1f} s")
                if not options.headless and os.environ.get("DISPLAY"):
                    webbrowser.open(page)
            failed = any(recorder.errors.get(stage) for stage in STAGES)
            if not recorder.seen.pictures and (failed or now - began > START_S):
                return _explain(recorder)
            if recorder.seen.pictures and not first:
                first = now
            newest = max(recorder.seen.states, default=None)
            if newest is not None and recorder.seen.states[newest][0] != state:
                state, reason, _ = recorder.seen.states[newest]
                say(
                    f"{recorder.seen.seconds(newest):6.2f} s  camera: {STATES[state]}"
                    + (f" ({reason})" if reason else "")
                )
            if recorder.seen.characters and not alive:
                alive = True
                stamp = recorder.seen.characters[0].stamp
                say(f"{recorder.seen.seconds(stamp):6.2f} s  awakened: {recorder.seen.characters[0].id}")
            if options.seconds and first and now - first > options.seconds:
                break
            if supervisor.closed(graph.WINDOW):
                say("the window was closed; writing what there is")
                break
    except KeyboardInterrupt:
        say("stopped; writing what there is")
    time.sleep(0.5)  # the last frames are still on their way through the stages
    return 0


def _explain(recorder: Recorder) -> int:
    say("there are no pictures:")
    for stage in STAGES:
        state = recorder.states.get(stage, "has not started (its output is in demo.log)")
        say(f"  {stage}: {recorder.errors.get(stage) or state}")
    return 1


def _leave_results(options: argparse.Namespace, recorder: Recorder, out: Path) -> int:
    seen = recorder.finish()
    report = make_report(seen)
    if options.source == "embedded":
        report.update(_truth(seen, out / "masks"))
    for stamp in sorted(set(seen.masks)):
        (out / "masks" / f"{stamp}.png").rename(out / "masks" / f"{seen.seconds(stamp):010.6f}.png")
    write_trajectory(seen, out / "trajectory.txt")
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    if seen.characters:
        (out / "character.glb").write_bytes(seen.characters[0].glb)
    _summary(report, out, options.lockstep)
    if recorder.problem:
        say(recorder.problem)
        return 1
    if not seen.characters:
        say(
            "nothing came alive: no object stood out, or the camera was never tracked (see the lines above and demo.log)"
        )
        return 1
    return 0


def _truth(seen: Observations, folder: Path) -> dict[str, Any]:
    from ar_camera import embedded

    masks = {}
    for stamp in seen.masks:
        image = cv2.imread(str(folder / f"{stamp}.png"), cv2.IMREAD_GRAYSCALE)
        if image is not None:
            masks[stamp] = np.asarray(image, np.uint8)
    return compare(seen, embedded.load(), masks)


def _summary(report: dict[str, Any], out: Path, lockstep: int) -> None:
    glass = report["glass_to_glass_ms"]
    pace = f"in lock-step at {report['real_time_factor']} of real time"
    if not lockstep:
        pace = f"at {report['pictures_per_second']} per second"
    say(
        f"{report['pictures']} pictures {pace}, "
        f"{report['pictures_with_character']} with the character; camera to picture {glass['p50']} ms (p99 {glass['p99']} ms)"
    )
    if "mask_iou" in report:
        anchor = report["anchor_error_px"]
        say(
            f"against the truth: mask IoU {report['mask_iou']}, standing point off by {anchor['p50']} px "
            f"(p95 {anchor['p95']} px), camera off by {report['pose_error_mm']} mm"
        )
    names = [
        name
        for name in ("demo.mp4", "character.glb", "report.json", "trajectory.txt", "masks")
        if (out / name).exists()
    ]
    say(f"left in {out}/: {', '.join(names)}")


def _loop(supervisor: Supervisor) -> None:
    try:
        while supervisor.running() and not supervisor.closed(graph.WINDOW):
            time.sleep(0.2)
    except KeyboardInterrupt:
        print(file=sys.stderr)
