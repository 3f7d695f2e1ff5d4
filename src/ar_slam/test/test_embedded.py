"""The path-traced clip that ships with the camera package: light, texture and grain as in a photograph, poses exact."""

from __future__ import annotations

from pathlib import Path

import pytest

from ar_slam.evaluate import evaluate
from ar_slam.recordings import open_recording
from ar_slam.slam import Options

CLIP = Path(__file__).parents[2] / "ar_camera" / "ar_camera" / "data" / "embedded"


@pytest.mark.skipif(not (CLIP / "clip.mp4").exists(), reason="the embedded clip is not beside this package")
def test_the_embedded_clip_is_tracked_from_its_first_second_to_its_end():
    recording = open_recording(CLIP)
    height = recording.truth[1][0][2, 3]
    done, figures = evaluate(recording, Options(camera_height=height, deterministic=True))
    assert figures["frames"] == len(recording.truth[1]) >= 360
    assert figures["init_s"] <= 1.0
    assert figures["completeness"] >= 0.99
    assert figures["anchor_px"]["p50"] <= 2.0
    assert figures["anchor_px"]["p95"] <= 3.0
    assert figures["ate_sim3_mm"] <= 3.0
    assert figures["ate_se3_mm"] <= 12.0  # the true height of the first camera gives metres
    assert figures["still_jitter_px"] <= 0.05
    assert figures["rotation_deg"] <= 0.5
    assert not done.results[-1].plane_assumed
