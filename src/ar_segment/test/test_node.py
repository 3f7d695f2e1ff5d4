"""The node over real topics: pictures in, an awakening, then a mask for every picture; refusals in words."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy")
pytest.importorskip("openvino")

# ruff: noqa: E402  (what follows needs ROS)
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D, Detection2DArray

from ar_core import qos
from ar_core.conversions import image_from, image_message, nanoseconds, stamp_from
from ar_core.pressure import Pressure
from ar_core.rehearsal import Rehearsal, ros
from ar_interfaces.msg import Event, SegmentedObject
from ar_interfaces.srv import Awaken
from ar_segment.node import Parameters, Segment

sys.path.insert(0, str(Path(__file__).parent))
from scenes import Thing, iou, scene

pytestmark = pytest.mark.graph

PERIOD = 33_333_333
THING = Thing("disk", 200.0, 170.0, 60.0, (40, 70, 210))


class Bench(Rehearsal):
    """The node under test and a peer that publishes pictures and keeps what comes back."""

    def __init__(self) -> None:
        super().__init__(Segment("segment", Parameters), rclpy.create_node("bench"))
        self.node._pressure = Pressure(Path("none"))  # however busy the machine is
        self.masks: dict[int, np.ndarray] = {}
        self.objects: list[SegmentedObject] = []
        self.events: list[Event] = []
        self.image = self.peer.create_publisher(Image, "camera/image_raw", qos.reliable(5))
        self.boxes = self.peer.create_publisher(Detection2DArray, "detections", qos.reliable(5))
        self.peer.create_subscription(Image, "segment/mask", self._on_mask, qos.reliable(50))
        self.peer.create_subscription(SegmentedObject, "segment/object", self.objects.append, qos.latched(8))
        self.peer.create_subscription(Event, "events", self.events.append, qos.reliable(50))
        self.client = self.peer.create_client(Awaken, "segment/awaken")
        self.begin(self.image, self.boxes)
        self.until(self.client.service_is_ready)
        self.until(self._answers)

    def _answers(self) -> bool:
        """A service that is discovered may still lose its first answers: both directions are matched one by one."""
        future = self.client.call_async(Awaken.Request())
        end = time.monotonic() + 0.5
        while not future.done() and time.monotonic() < end:
            time.sleep(0.005)
        return future.done()

    def _on_mask(self, message: Image) -> None:
        self.masks[nanoseconds(message.header.stamp)] = image_from(message, "mono8")

    def show(self, k: int, picture: np.ndarray) -> int:
        """Publishes frame `k` and waits until the node has handled it."""
        stamp = 1_000_000_000 + k * PERIOD
        handled = self.node.statistics.handled
        self.image.publish(image_message(picture, Header(stamp=stamp_from(stamp), frame_id="camera_optical_frame")))
        self.until(lambda: self.node.statistics.handled > handled or stamp in self.masks or stamp in self.node.frames)
        return stamp

    def awaken(self, **fields: Any) -> Awaken.Response:
        future = self.client.call_async(Awaken.Request(**fields))
        self.until(future.done)
        return future.result()


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """With the node's parameters as words of a command line, where a test gives some."""
    with ros(getattr(request, "param", [])):
        one = Bench()
        yield one
        one.close()


def moved(k: int) -> tuple[np.ndarray, np.ndarray]:
    picture, (mask,) = scene([Thing(THING.kind, THING.x + 3 * k, THING.y + k, THING.r, THING.bgr)])
    return picture, mask


def test_until_something_awakens_masks_are_empty(bench: Bench) -> None:
    picture, _ = moved(0)
    for k in range(3):
        stamp = bench.show(k, picture)
        bench.until(lambda stamp=stamp: stamp in bench.masks)
        assert bench.masks[stamp].shape == picture.shape[:2]
        assert not bench.masks[stamp].any()


def test_a_tap_awakens_and_every_later_frame_has_its_mask(bench: Bench) -> None:
    picture, truth = moved(0)
    stamp = bench.show(0, picture)
    answer = bench.awaken(prompt=Awaken.Request.PIXEL, x=THING.x, y=THING.y)
    assert answer.success, answer.message
    bench.until(lambda: bench.objects and bench.events)
    one, event = bench.objects[0], bench.events[0]
    assert (one.id, nanoseconds(one.header.stamp)) == (answer.id, stamp)
    assert (event.kind, event.id, nanoseconds(event.header.stamp)) == ("awaken", answer.id, stamp)
    assert (one.image_width, one.image_height, one.kind) == (480, 360, "object")
    rgba = image_from(one.cutout, "rgba8")
    assert rgba.shape == (one.roi.height, one.roi.width, 4)
    alpha = np.zeros_like(truth)
    alpha[one.roi.y_offset :, one.roi.x_offset :][: one.roi.height, : one.roi.width] = rgba[..., 3]
    assert iou(alpha, truth) > 0.9
    for k in range(1, 13):
        picture, truth = moved(k)
        stamp = bench.show(k, picture)
        bench.until(lambda stamp=stamp: stamp in bench.masks)
        assert bench.masks[stamp].shape == truth.shape
        assert iou(bench.masks[stamp], truth) > 0.88, f"frame {k}"


def test_a_tap_on_an_older_picture_means_that_picture(bench: Bench) -> None:
    stamps = [bench.show(k, moved(4 * k)[0]) for k in range(8)]
    answer = bench.awaken(prompt=Awaken.Request.PIXEL, x=THING.x, y=THING.y, stamp=stamp_from(stamps[0]))
    assert answer.success, answer.message
    bench.until(lambda: bench.objects)
    assert nanoseconds(bench.objects[0].header.stamp) == stamps[0]
    picture, truth = moved(4 * 8)
    stamp = bench.show(8, picture)
    bench.until(lambda: stamp in bench.masks)
    assert iou(bench.masks[stamp], truth) > 0.85


def test_a_detection_awakens_by_its_id_and_gives_its_kind(bench: Bench) -> None:
    stamp = bench.show(0, moved(0)[0])
    detection = Detection2D(id="7")
    detection.bbox.center.position.x, detection.bbox.center.position.y = float(THING.x), float(THING.y)
    detection.bbox.size_x = detection.bbox.size_y = 2.05 * THING.r
    bench.boxes.publish(Detection2DArray(header=Header(stamp=stamp_from(stamp)), detections=[detection]))
    bench.until(lambda: bench.node.candidates)
    refused = bench.awaken(prompt=Awaken.Request.DETECTION, detection_id="8")
    assert not refused.success
    assert "no detection '8'" in refused.message
    answer = bench.awaken(prompt=Awaken.Request.DETECTION, detection_id="7")
    assert answer.success, answer.message
    assert answer.id.startswith("object-")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"prompt": Awaken.Request.PIXEL, "x": 900.0, "y": 10.0}, "outside of the 480x360 picture"),
        ({"prompt": Awaken.Request.PIXEL, "x": float("nan")}, "NaN"),
        ({"prompt": Awaken.Request.BOX, "x": 10.0, "y": 10.0, "width": 1.0, "height": 1.0}, "holds nothing"),
        ({"prompt": 9}, "prompt 9 is unknown"),
        ({"prompt": Awaken.Request.NONE, "stamp": stamp_from(90_000_000_000)}, "s away from those kept"),
    ],
)
def test_a_prompt_that_cannot_be_meant_is_refused(bench: Bench, request_: dict[str, Any], words: str) -> None:
    assert "no picture has arrived" in bench.awaken(prompt=Awaken.Request.NONE).message
    bench.show(0, moved(0)[0])
    answer = bench.awaken(**request_)
    assert not answer.success
    assert words in answer.message


@pytest.mark.parametrize("kind", ["black", "table"])
def test_nothing_is_awakened_on_nothing(bench: Bench, kind: str) -> None:
    picture = np.zeros((360, 480, 3), np.uint8) if kind == "black" else scene([])[0]
    bench.show(0, picture)
    answer = bench.awaken(prompt=Awaken.Request.NONE)
    assert not answer.success
    assert answer.message
    bench.until(lambda: bench.events)
    assert not bench.events[0].success
    assert not bench.objects


@pytest.mark.parametrize("bench", [["-p", "weights:=clean"]], indirect=True)
def test_clean_weights_are_chosen_by_a_parameter(bench: Bench) -> None:
    """Of heads there are none: that is said, and nothing trained on research data is loaded in their place."""
    assert bench.node.notes["model"] == "tsukumo-segment-clean"
    assert "no clean weights for heads" in bench.node.notes["faces"]
    picture, truth = moved(0)
    bench.show(0, picture)
    answer = bench.awaken(prompt=Awaken.Request.PIXEL, x=THING.x, y=THING.y)
    assert answer.success, answer.message
    stamp = bench.show(1, picture)
    bench.until(lambda: stamp in bench.masks)
    assert iou(bench.masks[stamp], truth) > 0.8
