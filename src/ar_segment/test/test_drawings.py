"""A drawing on paper is an object however it is asked for, and stays one while the sheet moves."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ar_core" / "test"))

import drawings

from ar_core.boxes import Box, box_of
from ar_core.model_card import find_card
from ar_segment.drawings import DrawingSegmenter
from ar_segment.meant import Candidate, Meant, Prompts
from ar_segment.segmenter import Segmenter
from ar_segment.video import Follower

pytest.importorskip("openvino")
LEAST = 0.85


@pytest.fixture(scope="module")
def prompts() -> Prompts:
    return Prompts(Segmenter(find_card("segment", "ar_segment")))


@pytest.mark.parametrize("name", ["ghost", "person", "cup"])
def test_every_prompt_means_the_whole_drawing(prompts: Prompts, name: str) -> None:
    """Nothing said, a tap on bare paper inside, a box, a detection: the filled figure, not the sheet and not the strokes."""
    d = drawings.drawing(name, seed=30, ink="pencil")
    box = box_of(d.mask)
    depth = cv2.distanceTransform((d.mask > 0).astype(np.uint8), cv2.DIST_L2, 3)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    asked: dict[str, Meant] = {
        "none": prompts.prominent(d.picture, []),
        "tap": prompts.tap(d.picture, float(x), float(y), []),
        "box": prompts.box(d.picture, box.grown(1.1), []),
        "detection": prompts.detection(d.picture, Candidate("1", box.grown(0.95), "object")),
    }
    for how, meant in asked.items():
        assert meant.refusal == "", how
        assert isinstance(meant.by, DrawingSegmenter), how
        assert drawings.iou(meant.found.mask, d.mask) > LEAST, how


def test_a_tap_beside_it_does_not_mean_it(prompts: Prompts) -> None:
    d = drawings.drawing("star", seed=31)
    x, y, w, h = box_of(d.mask)
    assert prompts.tap(d.picture, x + 0.06 * w, y + 0.06 * h, []).by is prompts.generic


def test_where_there_is_none_the_answer_is_empty() -> None:
    segmenter, picture = DrawingSegmenter(), np.full((240, 320, 3), 90, np.uint8)
    for found in (
        segmenter.salient(picture),
        segmenter.tap(picture, 9, 9),
        segmenter.box(picture, Box(50, 50, 99, 99)),
    ):
        assert found.area == 0
        assert found.objectness == 0
    assert segmenter.see(picture, Box(10, 10, 100, 100)).objectness == 0


def test_it_is_followed_while_the_sheet_moves() -> None:
    """30 frames in which the sheet shifts, turns and tilts, with other noise in each: IoU over 0.85 in every one."""
    d = drawings.drawing("cat", seed=32)
    segmenter = DrawingSegmenter()
    follower = Follower(segmenter, d.picture, segmenter.salient(d.picture))
    matrix = np.eye(3)
    for k in range(1, 31):
        turn = 0.005 * np.sin(k / 7)
        step = [
            [np.cos(turn), -np.sin(turn), 2 * np.cos(k / 6)],
            [np.sin(turn), np.cos(turn), 1.5 * np.sin(k / 9)],
            [2e-6, 0, 1],
        ]
        matrix = np.array(step) @ matrix
        moved = cv2.warpPerspective(d.picture, matrix, (640, 480), borderMode=cv2.BORDER_REPLICATE)
        noisy = np.clip(moved + np.random.default_rng(k).normal(0, 4, moved.shape), 0, 255).astype(np.uint8)
        followed = follower(noisy)
        assert not followed.lost
        assert drawings.iou(followed.mask, cv2.warpPerspective(d.mask, matrix, (640, 480))) > LEAST, k
