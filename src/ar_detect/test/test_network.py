"""The shipped networks, of both sets of weights, on the embedded scene: things are found, and none on nothing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ar_core.boxes import box_of
from ar_core.model_card import WEIGHTS, find_card
from ar_detect.detector import Detector
from ar_detect.tracking import Tracker

pytest.importorskip("openvino")


@pytest.fixture(scope="module", params=WEIGHTS)
def detector(request: pytest.FixtureRequest) -> Detector:
    return Detector(find_card("detect", "ar_detect", request.param))


def test_most_things_on_the_table_are_found_in_the_course_of_the_clip(detector: Detector) -> None:
    """Over every tenth frame of the clip, at IoU 0.5: at least three of the five things are tracked at some time."""
    embedded = pytest.importorskip("ar_camera.embedded", reason="the camera package is not on the path")
    scene = embedded.load()
    capture = cv2.VideoCapture(str(scene.clip))
    tracker, seen = Tracker(), set()
    for k in range(len(scene.stamps)):
        ok, picture = capture.read()
        assert ok
        if k % 5:
            continue
        tracks = tracker.update(detector(picture), 5)
        if k % 10 == 0:
            truths = {name: box_of(scene.mask(k, name)) for name in scene.names}
            seen |= {name for name, box in truths.items() if any(t.box.iou(box) > 0.5 for t in tracks)}
    assert len(seen) >= 3, seen


@pytest.mark.parametrize("value", [0, 128, 255])
def test_nothing_is_found_on_nothing(detector: Detector, value: int) -> None:
    picture = np.full((480, 640, 3), value, np.uint8)
    assert [d for d in detector(picture) if d.score >= Tracker().sure] == []
