"""A camera is calibrated while its node runs: by somebody who does what it says, and by a calibration that is given."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy", reason="graph test: no ROS here")

# ruff: noqa: E402  (what follows needs ROS)
from board_photos import TRUE
from sensor_msgs.msg import CameraInfo, Image
from sensor_msgs.srv import SetCameraInfo
from std_msgs.msg import Header
from test_guided import Follower

from ar_camera.guided import State, Status
from ar_camera.node import Camera, Parameters
from ar_core import qos
from ar_core.camera_info import read_camera_info
from ar_core.conversions import camera_info_message, image_message, intrinsics_from, nanoseconds, stamp_from
from ar_core.geometry import Intrinsics
from ar_core.rehearsal import PATIENCE_S, Rehearsal
from ar_interfaces.msg import CalibrationStatus
from ar_interfaces.srv import Calibrate

pytestmark = pytest.mark.graph


class Bench(Rehearsal):
    """The camera's node, a driver that gives it pictures, and what comes of them."""

    def __init__(self) -> None:
        rclpy.init(args=["--ros-args", "-p", "source:=topic:/driver/image_raw"])
        super().__init__(Camera("camera", Parameters), rclpy.create_node("driver", use_global_arguments=False))
        self.driver = self.peer.create_publisher(Image, "/driver/image_raw", qos.reliable(5))
        self.statuses: list[CalibrationStatus] = []
        self.infos: dict[int, CameraInfo] = {}
        listen = self.peer.create_subscription
        listen(CalibrationStatus, "camera/calibration", self.statuses.append, qos.latched(50))
        listen(CameraInfo, "camera/camera_info", lambda m: self.infos.update({nanoseconds(m.header.stamp): m}), 50)
        self.stamp = 0
        self.begin(self.driver)
        self.until(lambda: self.peer.count_publishers("camera/camera_info"))

    def show(self, image: np.ndarray) -> CameraInfo:
        """Give the camera a picture; the calibration that it went out with."""
        self.stamp += 33_333_333
        message = image_message(image, Header(stamp=stamp_from(self.stamp), frame_id="camera"))
        end = time.monotonic() + PATIENCE_S
        while self.stamp not in self.infos:  # the first pictures of a best-effort reader may get lost
            assert time.monotonic() < end, "the picture does not go out"
            self.driver.publish(message)
            again = time.monotonic() + 2
            while self.stamp not in self.infos and time.monotonic() < again:
                time.sleep(0.002)
        return self.infos[self.stamp]

    def call(self, kind: type, name: str, /, **fields: Any) -> Any:
        client = self.peer.create_client(kind, name)
        self.until(client.service_is_ready)
        future = client.call_async(kind.Request(**fields))
        self.until(future.done)
        return future.result()

    def close(self) -> None:
        super().close()
        rclpy.try_shutdown()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("ROS_HOME", str(tmp_path))
    bench = Bench()
    yield bench
    bench.close()


def test_the_camera_takes_what_was_found_and_remembers_it(bench: Bench, tmp_path: Path) -> None:
    follower = Follower(TRUE)
    assert intrinsics_from(bench.show(follower.follow(Status()))) is None
    assert not bench.call(Calibrate, "camera/calibrate", action="finish").success
    refused = bench.call(Calibrate, "camera/calibrate", action="begin", model="round")
    assert "there are plumb_bob, rational_polynomial, equidistant" in refused.message
    assert bench.call(Calibrate, "camera/calibrate", action="begin", square_mm=30.0).success
    bench.until(lambda: bench.statuses and bench.statuses[-1].state == CalibrationStatus.LOOKING)
    early = bench.call(Calibrate, "camera/calibrate", action="finish")
    assert "too few views" in early.message
    while bench.statuses[-1].views < 9:
        newest = bench.statuses[-1]
        bench.show(follower.follow(Status(headline=newest.headline, target=tuple(newest.target))))
        bench.until(lambda: nanoseconds(bench.statuses[-1].header.stamp) >= bench.stamp)
    assert bench.statuses[-1].enough
    assert (bench.statuses[-1].width, bench.statuses[-1].height) == (640, 480)
    assert len(bench.statuses[-1].covered) == bench.statuses[-1].columns * bench.statuses[-1].rows
    assert bench.call(Calibrate, "camera/calibrate", action="finish").success
    bench.until(lambda: bench.statuses[-1].state in (State.DONE, State.FAILED))
    done = bench.statuses[-1]
    assert done.state == CalibrationStatus.DONE, done.hint
    assert done.path == str(tmp_path / "camera_info" / "driver_image_raw.yaml")
    used = intrinsics_from(bench.show(follower.follow(Status())))
    assert used == read_camera_info(Path(done.path))
    assert used.fx == pytest.approx(TRUE.fx, rel=0.03)
    bench.close()
    again = Bench()
    try:
        assert intrinsics_from(again.show(follower.follow(Status()))) == used
    finally:
        again.close()


def test_a_calibration_that_is_given_is_used_from_the_next_picture_on(bench: Bench, tmp_path: Path) -> None:
    picture = np.full((240, 320, 3), 90, np.uint8)
    assert intrinsics_from(bench.show(picture)) is None
    fisheye = Intrinsics(250.0, 251.0, 320.0, 240.0, 640, 480, (-0.03, 0.01, 0.0, 0.001), fisheye=True)
    given = camera_info_message(fisheye, 640, 480, Header())
    answer = bench.call(SetCameraInfo, "camera/set_camera_info", camera_info=given)
    assert answer.success
    assert "written to" in answer.status_message
    assert intrinsics_from(bench.show(picture)) == fisheye.scaled(320, 240)
    assert read_camera_info(tmp_path / "camera_info" / "driver_image_raw.yaml") == fisheye
    for wrong, words in (
        (CameraInfo(), "that is no calibration"),
        (camera_info_message(fisheye.scaled(480, 480), 480, 480, Header()), "is for 480x480 pixels"),
    ):
        answer = bench.call(SetCameraInfo, "camera/set_camera_info", camera_info=wrong)
        assert not answer.success
        assert words in answer.status_message
    assert intrinsics_from(bench.show(picture)) == fisheye.scaled(320, 240)
