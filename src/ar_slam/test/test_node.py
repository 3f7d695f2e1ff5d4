"""The node over real topics: pictures in; status, pose, plane and map out; a map that outlives its process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy")

# ruff: noqa: E402  (what follows needs ROS)
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

from ar_core import qos
from ar_core.conversions import camera_info_message, image_message, matrix_from, nanoseconds, stamp_from
from ar_core.rehearsal import PATIENCE_S, Rehearsal
from ar_interfaces.msg import Event, PlaneStamped, TrackingStatus
from ar_interfaces.srv import HitTest, MapFile, SetMode, SetScale
from ar_slam.node import Parameters, PlaneSlam

pytestmark = pytest.mark.graph

PERIOD = 33_333_333


class Bench(Rehearsal):
    """The node under test and a peer that publishes pictures and keeps what comes back, by stamp."""

    def __init__(self, folder: Path) -> None:
        rclpy.init(args=["--ros-args", "-p", f"snapshots:={folder}"])
        super().__init__(PlaneSlam("slam", Parameters), rclpy.create_node("bench", use_global_arguments=False))
        self.status: dict[int, TrackingStatus] = {}
        self.pose: dict[int, np.ndarray] = {}
        self.odometry: dict[int, Odometry] = {}
        self.tf: dict[int, list[Any]] = {}
        self.planes: list[PlaneStamped] = []
        self.clouds: list[PointCloud2] = []
        self.events: list[Event] = []
        self.markers: list[MarkerArray] = []
        self.image = self.peer.create_publisher(Image, "camera/image_raw", qos.reliable(5))
        self.info = self.peer.create_publisher(CameraInfo, "camera/camera_info", qos.reliable(5))
        listen = self.peer.create_subscription
        listen(TrackingStatus, "slam/status", lambda m: self._keep(self.status, m, m), qos.reliable(50))
        listen(
            PoseWithCovarianceStamped,
            "slam/pose",
            lambda m: self._keep(self.pose, m, matrix_from(m.pose.pose)),
            qos.reliable(50),
        )
        listen(Odometry, "slam/odometry", lambda m: self._keep(self.odometry, m, m), qos.reliable(50))
        listen(TFMessage, "/tf", lambda m: self._keep(self.tf, m.transforms[0], m.transforms), qos.reliable(50))
        listen(PlaneStamped, "slam/plane", self.planes.append, qos.latched())
        listen(Event, "events", self.events.append, qos.reliable(50))
        listen(PointCloud2, "slam/points", self.clouds.append, qos.latched())
        listen(MarkerArray, "slam/planes", self.markers.append, qos.latched())
        self.begin(self.image, self.info)
        self.node.options = replace(self.node.options, deterministic=True)  # figures do not depend on a thread's pace
        self.until(
            lambda: self.peer.count_publishers("slam/status")
            and self.peer.count_publishers("events")
            and self.peer.count_publishers("slam/pose")
        )

    @staticmethod
    def _keep(where: dict[int, Any], stamped: Any, what: Any) -> None:
        where[nanoseconds(stamped.header.stamp)] = what

    def show(self, picture: np.ndarray, stamp: int, intrinsics: Any) -> TrackingStatus:
        """Publish one grey picture and wait for what the node says to it."""
        header = Header(stamp=stamp_from(stamp), frame_id="camera_optical_frame")
        height, width = picture.shape
        end = time.monotonic() + PATIENCE_S
        while stamp not in self.status:  # the first pictures of a best-effort reader may get lost
            self.info.publish(camera_info_message(intrinsics, width, height, header))
            self.image.publish(image_message(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), header))
            again = time.monotonic() + 2
            while stamp not in self.status and time.monotonic() < again:
                time.sleep(0.002)
            assert time.monotonic() < end, "no status for a picture"
        return self.status[stamp]

    def call(self, kind: type, name: str, /, **fields: Any) -> Any:
        client = self.peer.create_client(kind, name)
        self.until(client.service_is_ready)
        for _ in range(20):  # a service that is discovered may still lose its first answer
            future = client.call_async(kind.Request(**fields))
            end = time.monotonic() + 3
            while not future.done() and time.monotonic() < end:
                time.sleep(0.002)
            if future.done():
                return future.result()
        raise AssertionError(f"{name} does not answer")

    def close(self) -> None:
        super().close()
        rclpy.try_shutdown()


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[[], Bench]]:
    os.environ["ROS_DOMAIN_ID"] = str(101 + os.getpid() % 100)
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    profile = Path(__file__).parents[3] / "launch" / "dds" / "fastdds.xml"
    if profile.exists():  # pictures of a megabyte get through
        os.environ.setdefault("FASTRTPS_DEFAULT_PROFILES_FILE", str(profile))
    benches: list[Bench] = []

    def make() -> Bench:
        if benches:
            benches.pop().close()
        benches.append(Bench(tmp_path / "snapshots"))
        return benches[-1]

    yield make
    while benches:
        benches.pop().close()


def test_pictures_become_poses_and_the_map_outlives_the_process(see, start, tmp_path):
    s = see("boxes")
    bench = start()
    stamps = [10_000_000_000 + k * PERIOD for k in range(75)]
    said = [bench.show(s.pictures[k], stamp, s.intrinsics) for k, stamp in enumerate(stamps)]
    assert said[0].state == TrackingStatus.INITIALISING
    assert said[-1].state == TrackingStatus.TRACKING
    assert said[-1].map_id == said[0].map_id + 1
    assert said[-1].points >= said[-1].inliers > 50
    bench.until(lambda: set(stamps) <= bench.pose.keys() and set(stamps) <= bench.tf.keys() and bench.clouds)
    pose = bench.pose[stamps[-1]]
    assert 0.2 < pose[2, 3] < 0.8
    to_odom, to_camera = bench.tf[stamps[-1]]
    assert (to_odom.header.frame_id, to_odom.child_frame_id) == ("map", "odom")
    assert (to_camera.header.frame_id, to_camera.child_frame_id) == ("odom", "camera_optical_frame")
    assert bench.odometry[stamps[-1]].child_frame_id == "camera_optical_frame"
    bench.until(lambda: bench.planes and bench.planes[-1].map_id == said[-1].map_id)
    assert bench.planes[0].assumed
    assert not bench.planes[-1].assumed
    assert bench.planes[-1].normal.z == 1
    bench.until(lambda: bench.markers and len(bench.markers[-1].markers) > 1)
    clear, ground = bench.markers[-1].markers[:2]
    assert clear.action == Marker.DELETEALL
    assert (ground.ns, ground.id, ground.type, ground.text) == (
        "ground",
        0,
        Marker.LINE_STRIP,
        f"map {said[-1].map_id}",
    )
    assert ground.header.frame_id == "map"
    assert abs(matrix_from(ground.pose)[2, 3]) < 1e-6
    assert all(abs(p.z) < 1e-6 for p in ground.points)
    assert ground.points[0] == ground.points[-1]

    saved = bench.call(MapFile, "slam/save_map", path=str(tmp_path / "map.npz"))
    assert saved.success, saved.message
    refused = bench.call(MapFile, "slam/load_map", path=str(tmp_path / "nothing.npz"))
    assert not refused.success
    assert "cannot be read" in refused.message
    snapshot = tmp_path / "snapshots" / "slam_map.npz"
    bench.until(snapshot.exists)

    again = start()  # as after kill -9: nothing but the snapshot is left
    later = [again.show(s.pictures[k], stamps[-1] + (k - 60) * PERIOD, s.intrinsics) for k in range(65, 75)]
    states = [m.state for m in later]
    assert states[0] == TrackingStatus.LOST
    assert TrackingStatus.RELOCALISED in states
    assert states[-1] == TrackingStatus.TRACKING
    assert {m.map_id for m in later} == {said[-1].map_id}
    last = stamps[-1] + 14 * PERIOD
    again.until(lambda: last in again.pose)
    assert np.linalg.norm(again.pose[last][:3, 3] - pose[:3, 3]) < 0.005
    done = again.call(Trigger, "slam/reset")
    assert done.success
    fresh = again.show(s.pictures[0], last + PERIOD, s.intrinsics)
    assert fresh.state == TrackingStatus.INITIALISING
    assert fresh.map_id > said[-1].map_id


def test_a_pause_ends_in_the_same_map(see, start):
    s = see("clean")
    bench = start()
    stamps = [10_000_000_000 + k * PERIOD for k in range(50)]
    before = [bench.show(s.pictures[k], stamps[k], s.intrinsics) for k in range(40)][-1]
    assert before.state == TrackingStatus.TRACKING
    assert bench.call(Trigger, "slam/pause").success
    paused = bench.show(s.pictures[40], stamps[40], s.intrinsics)
    assert paused.state == TrackingStatus.LOST
    assert "paused" in paused.reason
    assert paused.map_id == before.map_id
    assert bench.call(Trigger, "slam/resume").success
    after = [bench.show(s.pictures[k], stamps[k], s.intrinsics) for k in range(44, 50)]
    assert [m.state for m in after[:2]] == [TrackingStatus.LOST, TrackingStatus.RELOCALISED]
    assert {m.state for m in after[2:]} == {TrackingStatus.TRACKING}
    assert {m.map_id for m in after} == {before.map_id}
    bench.until(lambda: stamps[49] in bench.pose)
    assert stamps[40] not in bench.pose


def test_a_pixel_is_asked_for_and_the_scale_is_set(see, start):
    s = see("clean")
    bench = start()
    nothing = bench.call(HitTest, "slam/hit_test", x=320.0, y=300.0)
    assert not nothing.success
    assert "no picture" in nothing.message
    stamps = [10_000_000_000 + k * PERIOD for k in range(50)]
    first = bench.show(s.pictures[0], stamps[0], s.intrinsics)
    assumed = bench.call(HitTest, "slam/hit_test", x=320.0, y=300.0)
    assert assumed.success
    assert assumed.plane == "assumed"
    assert not bench.call(SetMode, "slam/set_mode", mode="localisation").success  # there is no map yet
    before = [bench.show(s.pictures[k], stamps[k], s.intrinsics) for k in range(1, 40)][-1]
    assert before.state == TrackingStatus.TRACKING
    assert before.map_id == first.map_id + 1
    hit = bench.call(HitTest, "slam/hit_test", x=320.0, y=300.0, stamp=stamp_from(stamps[35]))
    assert hit.success, hit.message
    assert (hit.plane, hit.inside, hit.map_id) == ("ground", True, before.map_id)
    assert hit.pose.header.frame_id == "map"
    assert nanoseconds(hit.pose.header.stamp) == stamps[35]
    place = matrix_from(hit.pose.pose.pose)
    np.testing.assert_allclose(s.intrinsics.project(place[:3, 3], bench.pose[stamps[35]])[0], [320, 300], atol=1e-6)
    assert 0 < np.sqrt(hit.pose.pose.covariance[0]) < 0.01
    refused = bench.call(HitTest, "slam/hit_test", x=9000.0, y=1.0)
    assert not refused.success
    assert "outside of the picture" in refused.message
    assert "stamp" in bench.call(HitTest, "slam/hit_test", x=320.0, y=300.0, stamp=stamp_from(5)).message

    height = 2 * bench.pose[stamps[39]][2, 3]
    scaled = bench.call(SetScale, "slam/set_scale", kind=SetScale.Request.CAMERA_HEIGHT, value=float(height))
    assert scaled.success, scaled.message
    assert scaled.factor == pytest.approx(2.0)
    old = bench.call(HitTest, "slam/hit_test", x=320.0, y=300.0)
    assert "replaced" in old.message
    after = bench.show(s.pictures[40], stamps[40], s.intrinsics)
    assert (after.state, after.map_id) == (TrackingStatus.TRACKING, scaled.map_id)
    bench.until(lambda: bench.planes[-1].map_id == scaled.map_id and stamps[40] in bench.pose)
    assert bench.pose[stamps[40]][2, 3] == pytest.approx(height, rel=0.02)
    known = bench.call(
        SetScale, "slam/set_scale", kind=SetScale.Request.DISTANCE, value=0.3, x=200.0, y=300.0, x2=440.0, y2=300.0
    )
    assert known.success, known.message
    after = bench.show(s.pictures[41], stamps[41], s.intrinsics)
    assert (after.scale_source, after.map_id) == ("known_size", known.map_id)
    ends = [bench.call(HitTest, "slam/hit_test", x=x, y=300.0).pose.pose.pose.position for x in (200.0, 440.0)]
    assert np.hypot(ends[0].x - ends[1].x, ends[0].y - ends[1].y) == pytest.approx(0.3, rel=0.02)
    assert not bench.call(SetScale, "slam/set_scale", kind=SetScale.Request.FACTOR, value=-1.0).success
    assert bench.call(SetMode, "slam/set_mode", mode="localisation").success
    assert "mapping and localisation" in bench.call(SetMode, "slam/set_mode", mode="asleep").message
    bench.until(lambda: len(bench.events) == 3)  # what was done, for a replay; not what was refused
    assert [(e.kind, e.name.split(" ")[0]) for e in bench.events] == [
        ("set_scale", "camera_height"), ("set_scale", "factor"), ("set_mode", "localisation"),
    ]  # fmt: skip
    assert float(bench.events[0].name.split(" ")[1]) == float(height)
    assert float(bench.events[1].name.split(" ")[1]) == known.factor
    assert [nanoseconds(e.header.stamp) for e in bench.events] == [stamps[39], stamps[40], stamps[41]]


def test_a_camera_without_calibration_and_bad_pictures_are_survived(see, start):
    s = see("boxes")
    bench = start()
    first = bench.show(s.pictures[0], 1_000_000_000, None)
    assert first.state == TrackingStatus.INITIALISING
    broken = image_message(cv2.cvtColor(s.pictures[1], cv2.COLOR_GRAY2BGR), Header(stamp=stamp_from(1_100_000_000)))
    broken.data = broken.data[:1000]
    bench.image.publish(broken)
    after = bench.show(s.pictures[2], 1_200_000_000, None)
    assert after.state == TrackingStatus.INITIALISING
    dark = bench.show(np.full_like(s.pictures[0], 5), 1_300_000_000, None)
    assert dark.state == TrackingStatus.LOST
    assert "dark" in dark.reason
    assert 1_300_000_000 not in bench.pose
