"""The weights without research data: they load by their name or by the parameter, and do the same work, less well."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("openvino")
sys.path.insert(0, str(Path(__file__).parent))

from scenes import Thing, iou, scene

from ar_core.boxes import box_of
from ar_core.model_card import ModelError, find_card, read_card
from ar_segment.segmenter import Segmenter

CLEAN = find_card("segment", "ar_segment", "clean")


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(CLEAN)


def test_both_sets_are_there_and_say_what_they_are() -> None:
    research, clean = read_card(find_card("segment", "ar_segment")), read_card(CLEAN)
    assert (research.about["weights"], clean.about["weights"]) == ("research", "clean")
    assert research.name != clean.name
    assert CLEAN == find_card("segment-clean", "ar_segment") == find_card("segment-clean", "ar_segment", "clean")
    assert {"data", "licence", "recipe", "figures", "limits"} <= clean.about.keys()
    assert "DUTS" not in clean.about["data"]


def test_where_there_are_none_that_is_said() -> None:
    with pytest.raises(ModelError, match="no clean weights of 'face' in ar_segment") as caught:
        find_card("face", "ar_segment", "clean")
    assert "\n" not in str(caught.value)
    assert find_card("/my/own.yaml", "ar_segment", "clean") == Path("/my/own.yaml")


@pytest.mark.parametrize("how", ["box", "tap", "salient"])
def test_a_thing_on_a_table_is_cut_out(segmenter: Segmenter, how: str) -> None:
    """Drawn by script, never trained on: IoU at least 0.8."""
    thing = Thing("disk", 200.0, 170.0, 60.0, (40, 70, 210))
    picture, (truth,) = scene([thing])
    x, y, w, h = box_of(truth)
    found = {
        "box": lambda: segmenter.box(picture, box_of(truth).grown(1.05)),
        "tap": lambda: segmenter.tap(picture, x + w / 2, y + h / 2),
        "salient": lambda: segmenter.salient(picture),
    }[how]()
    assert iou(found.mask, truth) > 0.8


def test_things_of_the_embedded_clip_are_cut_out_by_their_boxes(segmenter: Segmenter) -> None:
    """The true box grown by 5 %, every 60th frame: mean IoU over 0.7."""
    embedded = pytest.importorskip("ar_camera.embedded", reason="the camera package is not on the path")
    clip = embedded.load()
    capture = cv2.VideoCapture(str(clip.clip))
    overlaps = []
    for k in range(len(clip.stamps)):
        ok, picture = capture.read()
        assert ok
        for name in clip.names if k % 60 == 0 else ():
            truth = clip.mask(k, name)
            if box_of(truth).area > 1500:
                overlaps.append(iou(segmenter.box(picture, box_of(truth).grown(1.05)).mask, truth))
    assert len(overlaps) > 20
    assert np.mean(overlaps) > 0.7
