"""The demo as a newcomer runs it, on the embedded input, against that input's exact truth."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.graph


@pytest.fixture(scope="module")
def lockstep_run(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """The demo in lock-step: every stage sees every frame, so that the figures do not depend on how busy the machine is."""
    out = tmp_path_factory.mktemp("demo")
    run_demo(root, "--lockstep", "--out", str(out))
    return out


def run_demo(root: Path, *words: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ROS_DOMAIN_ID"}
    line = [sys.executable, "-m", "ar_tools", "demo", "--headless", *words]
    result = subprocess.run(line, cwd=root, env=environment, capture_output=True, text=True, timeout=400)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_demo_brings_the_embedded_object_to_life(lockstep_run: Path) -> None:
    report = json.loads((lockstep_run / "report.json").read_text())
    assert report["pictures"] == 390
    assert report["awakened_after_s"] <= 4.0
    assert report["pictures_with_character"] >= 0.9 * report["pictures_after_awakening"]
    assert report["pictures_after_awakening"] > 0
    assert report["anchor_error_px"]["p95"] <= 3.0
    assert report["mask_iou"] >= 0.85
    assert report["pose_error_mm"] <= 10.0


def test_lockstep_gives_the_same_twice_also_on_a_busy_machine(lockstep_run: Path, root: Path, tmp_path: Path) -> None:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        run_demo(root, "--lockstep", "--out", str(tmp_path))
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert_same(tmp_path, lockstep_run)


def test_lockstep_gives_the_same_with_all_stages_in_one_process(lockstep_run: Path, root: Path, tmp_path: Path) -> None:
    run_demo(root, "--lockstep", "--single", "--out", str(tmp_path))
    assert_same(tmp_path, lockstep_run)


def assert_same(one: Path, other: Path) -> None:
    """Two runs left the same bytes."""
    for name in ("trajectory.txt", "character.glb", "demo.mp4"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    masks = sorted(path.name for path in (other / "masks").iterdir())
    assert masks == sorted(path.name for path in (one / "masks").iterdir())
    for name in masks:
        assert (one / "masks" / name).read_bytes() == (other / "masks" / name).read_bytes(), name


def test_the_live_demo_leaves_everything(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_demo(root, "--out", str(out))
    report = json.loads((out / "report.json").read_text())
    assert set(report["stages"]) == {"camera", "detect", "segment", "slam", "character", "render"}
    assert report["pictures_with_character"] > 0
    poses = np.loadtxt(out / "trajectory.txt")
    assert poses.shape[1] == 8
    assert np.isfinite(poses).all()
    assert list((out / "masks").glob("*.png"))
    assert (out / "character.glb").read_bytes()[:4] == b"glTF"
    codec = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", out / "demo.mp4"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert codec.stdout.strip() == "h264,640,480"
    pictures = cv2.VideoCapture(str(out / "demo.mp4"))
    assert abs(pictures.get(cv2.CAP_PROP_FRAME_COUNT) - report["pictures"]) <= 1


@pytest.mark.parametrize(
    ("source", "words"),
    [("/nonexistent.mp4", "no such file"), ("README.md", "not a video")],
)
def test_a_source_that_is_none_is_named(tsukumo: Run, tmp_path: Path, source: str, words: str) -> None:
    with socket.socket() as taken:  # without a page no port is needed
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        result = tsukumo("demo", "--headless", "--source", source, "--port", port, "--out", str(tmp_path))
    assert result.returncode != 0
    assert words in result.stdout + result.stderr
