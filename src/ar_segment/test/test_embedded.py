"""The shipped network on the embedded scene: the most prominent object by itself, then in every frame, against the truth."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ar_core.boxes import box_of
from ar_core.model_card import find_card

pytest.importorskip("openvino")
embedded = pytest.importorskip("ar_camera.embedded", reason="the camera package is not on the path")

from ar_segment.prominent import most_prominent
from ar_segment.segmenter import Segmenter
from ar_segment.video import Follower
from ar_segment.worth import why_not

# ruff: noqa: E402  (what stands above may skip the module)

STEP = 3
"""Every third frame of the clip: faster, and three times the motion."""


def frames(clip: Path, first: int) -> list[tuple[int, np.ndarray]]:
    capture = cv2.VideoCapture(str(clip))
    out = []
    k = 0
    while True:
        ok, picture = capture.read()
        if not ok:
            return out
        if k >= first and (k - first) % STEP == 0:
            out.append((k, picture))
        k += 1


def iou(a: np.ndarray, b: np.ndarray) -> float:
    a_in, b_in = a > 127, b > 127
    return float(np.count_nonzero(a_in & b_in) / max(1, np.count_nonzero(a_in | b_in)))


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(find_card("segment", "ar_segment"))


@pytest.mark.parametrize("first", [20, 60])
def test_the_prominent_object_is_found_and_followed(segmenter: Segmenter, first: int) -> None:
    """Awakened by itself early in the clip; mean IoU over all later frames at least 0.85, never lost, never below 0.7."""
    scene = embedded.load()
    (k, picture), *later = frames(scene.clip, first)
    found = most_prominent(segmenter, picture, [])
    assert found is not None
    assert why_not(found) == ""
    assert iou(found.mask, scene.mask(k, scene.prominent)) > 0.8
    follower = Follower(segmenter, picture, found)
    overlaps = []
    for k, picture in later:
        followed = follower(picture)
        assert not followed.lost, f"frame {k}: {followed.lost}"
        overlaps.append(iou(followed.mask, scene.mask(k, scene.prominent)))
    assert np.mean(overlaps) > 0.85
    assert min(overlaps) > 0.7


def test_a_box_around_each_thing_cuts_it_out(segmenter: Segmenter) -> None:
    """The true box grown by 5 %: IoU at least 0.8 on average over the things that are in full view."""
    scene = embedded.load()
    k, picture = frames(scene.clip, 15)[0]
    overlaps = {}
    for name in scene.names:
        truth = scene.mask(k, name)
        box = box_of(truth)
        if box.area > 1500:
            overlaps[name] = iou(segmenter.box(picture, box.grown(1.05)).mask, truth)
    assert len(overlaps) >= 4
    assert np.mean(list(overlaps.values())) > 0.8, overlaps
