"""The demo's recorder, message by message; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
from std_msgs.msg import Header

from ar_core.conversions import image_message, stamp_from
from ar_interfaces.msg import TrackingStatus
from ar_tools.bad_messages import bad_messages
from ar_tools.recorder import Recorder

STAMP = 5_000_000_000


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    rclpy.init()
    node = Recorder(tmp_path / "demo.mp4", tmp_path, 30.0)
    yield node
    node.finish()
    node.destroy_node()
    rclpy.shutdown()


def test_messages_that_cannot_be_right_do_not_end_a_recording(recorder: Recorder, tmp_path: Path) -> None:
    takers = {subscription.topic.lstrip("/"): take for subscription, take in recorder.inputs}
    given = [bad.topic for bad in bad_messages(STAMP) if bad.topic in takers and not takers[bad.topic](bad.message)]
    assert {"slam/status", "slam/pose", "segment/mask"} <= set(given)
    assert {"slam/status", "slam/pose", "segment/mask"} <= recorder.refused
    assert not recorder.seen.poses
    assert not recorder.seen.states
    header = Header(stamp=stamp_from(STAMP))
    takers["slam/status"](TrackingStatus(header=header, state=TrackingStatus.TRACKING, map_id=3))
    takers["segment/mask"](image_message(np.full((4, 6), 255, np.uint8), header, "mono8"))
    assert recorder.seen.states == {STAMP: (TrackingStatus.TRACKING, "", 3)}
    assert (tmp_path / f"{STAMP}.png").exists()
