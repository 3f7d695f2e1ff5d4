"""A user's own network by its card, in every format: ONNX, OpenVINO IR, TensorFlow Lite."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openvino")
sys.path.insert(0, str(Path(__file__).parent))

import tiny_nets
from scenes import Thing, coverage, iou

from ar_core.boxes import Box
from ar_core.model_card import ModelError
from ar_segment.segmenter import Segmenter

FORMATS = ["onnx", "xml", "tflite"]
SHAPE = 120, 160


def bright_disk() -> tuple[np.ndarray, np.ndarray]:
    """A picture in which a disk is much brighter than the rest, and the disk's mask."""
    mask = coverage(Thing("disk", 70, 60, 30, (0, 0, 0)), *SHAPE)
    noise = np.random.default_rng(0).normal(0, 3, (*SHAPE, 3))
    return np.clip(50 + 150 * mask[..., None] + noise, 0, 255).astype(np.uint8), (mask * 255).astype(np.uint8)


@pytest.mark.parametrize("ending", FORMATS)
def test_the_network_computes_what_it_should(tmp_path: Path, ending: str) -> None:
    """Against the same in numpy."""
    network = Segmenter(tiny_nets.write(tmp_path, ending)).network
    picture = np.random.default_rng(1).integers(0, 255, (tiny_nets.SIDE, tiny_nets.SIDE, 3), np.uint8)
    logits = tiny_nets.GAIN * (picture.mean(2) / 255 - tiny_nets.THRESHOLD)
    found = network(picture)["mask"].reshape(tiny_nets.SIDE, tiny_nets.SIDE)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), atol=1e-5)


@pytest.mark.parametrize("ending", FORMATS)
def test_it_is_asked_like_ours(tmp_path: Path, ending: str) -> None:
    """It has no prompt plane: box and tap choose where it looks."""
    picture, truth = bright_disk()
    segmenter = Segmenter(tiny_nets.write(tmp_path, ending))
    for found in (
        segmenter.salient(picture),
        segmenter.box(picture, Box(38, 28, 64, 64)),
        segmenter.tap(picture, 70, 60),
    ):
        assert iou(found.mask, truth) > 0.93
        assert found.objectness > 0.9


@pytest.mark.parametrize("ending", FORMATS)
def test_half_a_file_is_refused_in_one_line(tmp_path: Path, ending: str) -> None:
    card = tiny_nets.write(tmp_path, ending)
    model = tmp_path / f"bright.{ending}"
    whole = model.read_bytes()
    model.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=f"bright.{ending}") as caught:
        Segmenter(card)
    assert "\n" not in str(caught.value)
