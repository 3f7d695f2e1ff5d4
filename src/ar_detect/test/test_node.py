"""The node over real topics: pictures in, an array of boxes for every one; which networks it loads."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy")
pytest.importorskip("openvino")

# ruff: noqa: E402  (what follows needs ROS)
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from ar_core import qos
from ar_core.conversions import image_message, nanoseconds, stamp_from
from ar_core.rehearsal import Rehearsal, ros
from ar_detect.node import Detect, Parameters

pytestmark = pytest.mark.graph

PERIOD = 33_333_333
BALL = (200, 170, 60)


class Bench(Rehearsal):
    """The node under test and a peer that publishes pictures and keeps what comes back."""

    def __init__(self) -> None:
        super().__init__(Detect("detect", Parameters), rclpy.create_node("bench"))
        self.found: dict[int, Detection2DArray] = {}
        self.image = self.peer.create_publisher(Image, "camera/image_raw", qos.reliable(5))
        self.peer.create_subscription(Detection2DArray, "detections", self._keep, qos.reliable(50))
        self.begin(self.image)
        self.until(lambda: self.node.detections.get_subscription_count() > 0)

    def _keep(self, message: Detection2DArray) -> None:
        self.found[nanoseconds(message.header.stamp)] = message

    def show(self, k: int, picture: np.ndarray) -> Detection2DArray:
        """Publishes frame `k` and returns what the node says of it."""
        stamp = 1_000_000_000 + k * PERIOD
        self.image.publish(image_message(picture, Header(stamp=stamp_from(stamp), frame_id="camera_optical_frame")))
        self.until(lambda: stamp in self.found)
        return self.found[stamp]


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """With the node's parameters as words of a command line, where a test gives some."""
    with ros(getattr(request, "param", [])):
        one = Bench()
        yield one
        one.close()


def ball() -> np.ndarray:
    """A red ball, lit from above, on a grey table."""
    x, y, r = BALL
    out = np.full((360, 480, 3), (150, 155, 160), np.uint8)
    cv2.ellipse(out, (x, y + r - 8), (r, 14), 0, 0, 360, (95, 98, 102), -1, cv2.LINE_AA)
    for k in range(r):
        shade = 0.55 + 0.45 * k / r
        centre = (x - round(0.25 * k), y - round(0.25 * k))
        cv2.circle(out, centre, r - k, (40 * shade, 60 * shade, 215 * shade), -1, cv2.LINE_AA)
    return out


def test_a_ball_is_found(bench: Bench) -> None:
    assert bench.node.notes["model"] == "tsukumo-detect-research + tsukumo-face-detect-research"
    x, y, r = BALL
    for k in range(6):
        said = bench.show(k, ball()).detections
    box = said[0].bbox
    assert said[0].results[0].hypothesis.class_id == "object"
    assert np.hypot(box.center.position.x - x, box.center.position.y - y) < 0.3 * r
    assert 0.6 < box.size_x / (2 * r) < 1.5


@pytest.mark.parametrize("bench", [["-p", "weights:=clean"]], indirect=True)
def test_clean_weights_load_nothing_that_was_trained_on_research_data(bench: Bench) -> None:
    """A ball is found with them too. For faces there are none: that is said."""
    assert bench.node.notes["model"] == "tsukumo-detect-clean"
    assert "no clean weights for faces" in bench.node.notes["faces"]
    x, y, r = BALL
    for k in range(6):
        said = bench.show(k, ball()).detections
    assert any(np.hypot(d.bbox.center.position.x - x, d.bbox.center.position.y - y) < 0.3 * r for d in said)
