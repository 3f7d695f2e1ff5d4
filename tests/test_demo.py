"""The demo as a newcomer runs it, on the embedded input, against that input's exact truth."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.graph


def test_the_demo_brings_the_embedded_object_to_life(tsukumo: Run, tmp_path: Path) -> None:
    result = tsukumo("demo", "--headless", "--out", str(tmp_path / "out"))
    out = tmp_path / "out"
    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads((out / "report.json").read_text())

    assert report["awakened_after_s"] <= 4.0
    assert report["pictures_with_character"] >= 0.9 * report["pictures_after_awakening"]
    assert report["pictures_after_awakening"] > 0
    assert report["anchor_error_px"]["p95"] <= 3.0
    assert report["mask_iou"] >= 0.85
    assert report["pose_error_mm"] <= 10.0
    assert set(report["stages"]) == {"camera", "detect", "segment", "slam", "character", "render"}

    poses = np.loadtxt(out / "trajectory.txt")
    assert poses.shape[1] == 8
    assert np.isfinite(poses).all()
    assert len(list((out / "masks").glob("*.png"))) > 100
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
    result = tsukumo("demo", "--headless", "--source", source, "--out", str(tmp_path))
    assert result.returncode != 0
    assert words in result.stdout + result.stderr
