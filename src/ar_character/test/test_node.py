"""The node over real topics: an object, a pose, a character in its place; what goes wrong is one warning and a report."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy")

# ruff: noqa: E402  (what follows needs ROS)
from geometry_msgs.msg import PoseWithCovarianceStamped, Vector3
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header

from ar_character.guest import load_guest
from ar_character.node import CharacterStage, Parameters
from ar_core import qos
from ar_core.conversions import camera_info_message, image_message, matrix_from, pose_message, stamp_from
from ar_core.geometry import Intrinsics, upright_camera
from ar_core.glb import chunks, container
from ar_core.rehearsal import Rehearsal
from ar_interfaces.msg import Character, PlaneStamped, SegmentedObject, StageReport, TrackingStatus

sys.path.insert(0, str(Path(__file__).parent))
from shapes_of_things import painted

pytestmark = pytest.mark.graph

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
CAMERA = Intrinsics(600, 600, 319.5, 239.5, 640, 480)
POSE = upright_camera(0.3, 30.0)
AWAY = 0.3 / np.tan(np.radians(30))


def seen_cylinder() -> tuple[np.ndarray, RegionOfInterest]:
    """The cut-out of a can, 8 cm wide and 10 cm high, that stands where the camera looks, and where it lies."""
    a = np.linspace(0, 2 * np.pi, 200)
    rims = [np.column_stack([AWAY + 0.04 * np.cos(a), 0.04 * np.sin(a), np.full(200, z)]) for z in (0.0, 0.1)]
    hull = cv2.convexHull(CAMERA.project(np.concatenate(rims), POSE).astype(np.float32))
    mask = cv2.fillConvexPoly(np.zeros((480, 640), np.uint8), np.round(hull).astype(np.int32), 255)
    x, y, w, h = cv2.boundingRect(mask)
    return painted(mask[y : y + h, x : x + w]), RegionOfInterest(x_offset=x, y_offset=y, width=w, height=h)


class Bench(Rehearsal):
    """The node under test and a peer that plays the rest of the graph."""

    def __init__(self, snapshots: Path | None = None, theme: str = "plain", guest: str = "") -> None:
        super().__init__(CharacterStage("character", Parameters), rclpy.create_node("bench"))
        self.node.parameters = Parameters(snapshots=str(snapshots or ""), theme=theme, guest=guest)
        self.models: list[Character] = []
        self.reports: list[StageReport] = []
        self.object = self.peer.create_publisher(SegmentedObject, "segment/object", qos.latched(8))
        self.pose = self.peer.create_publisher(PoseWithCovarianceStamped, "slam/pose", qos.reliable(10))
        self.plane = self.peer.create_publisher(PlaneStamped, "slam/plane", qos.latched())
        self.status = self.peer.create_publisher(TrackingStatus, "slam/status", qos.reliable(10))
        self.info = self.peer.create_publisher(CameraInfo, "camera/camera_info", qos.reliable(10))
        self.peer.create_subscription(Character, "character/model", self.models.append, qos.latched(8))
        self.peer.create_subscription(StageReport, "character/report", self.reports.append, qos.reliable(50))
        self.begin(self.object, self.pose, self.plane, self.status, self.info)

    def send_camera(self, stamp: int) -> None:
        self.info.publish(camera_info_message(CAMERA, 640, 480, Header(stamp=stamp_from(stamp))))
        self.until(lambda: self.node.seats.camera is not None and self.node.now == stamp)

    def send_plane(self, map_id: int, distance: float = 0.0) -> None:
        self.plane.publish(PlaneStamped(normal=Vector3(x=0.0, y=0.0, z=1.0), distance=distance, map_id=map_id))
        self.until(lambda: map_id in self.node.seats.planes)

    def send_pose(self, stamp: int, map_id: int = 3) -> None:
        self.status.publish(
            TrackingStatus(header=Header(stamp=stamp_from(stamp)), state=TrackingStatus.TRACKING, map_id=map_id)
        )
        self.until(lambda: stamp in self.node.seats.maps)
        message = PoseWithCovarianceStamped(header=Header(stamp=stamp_from(stamp), frame_id="map"))
        message.pose.pose = pose_message(POSE)
        self.pose.publish(message)

    def ready(self) -> None:
        """All is known of the camera at START."""
        self.send_camera(START)
        self.send_plane(3)
        self.send_pose(START)

    def send_object(self, id: str, stamp: int, **changes: Any) -> None:
        rgba, roi = seen_cylinder()
        header = Header(stamp=stamp_from(stamp), frame_id="camera_optical_frame")
        message = SegmentedObject(header=header, id=id, kind="object", image_width=640, image_height=480, roi=roi)
        message.cutout = image_message(rgba, header, "rgba8")
        for name, value in changes.items():
            setattr(message.cutout, name, value)
        self.object.publish(message)


@pytest.fixture
def ros(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    rclpy.init()
    yield
    rclpy.try_shutdown()


@pytest.fixture
def bench(ros: None) -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


def test_an_object_comes_alive_where_it_stood(bench: Bench) -> None:
    """The pose arrives after the object, as it does when SLAM is the slower one."""
    bench.send_camera(START)
    bench.send_plane(3)
    bench.send_object("can", START)
    bench.until(lambda: bench.node.waiting)
    assert not bench.models
    bench.send_pose(START)
    bench.until(lambda: bench.models and bench.reports)
    model = bench.models[0]
    assert (model.id, model.kind, model.placed, model.map_id) == ("can", "object", True, 3)
    assert model.header.frame_id == "map"
    assert model.header.stamp == stamp_from(START)
    T = matrix_from(model.pose)
    assert np.linalg.norm(T[:3, 3] - [AWAY, 0, 0]) < 0.003
    assert T[0, 0] < -0.999, "it looks at the camera"
    assert 0.115 < model.object_height < 0.135, "0.10 m, and as much as the far edge of its top is seen higher"
    assert model.height > 1.2 * model.object_height
    assert list(model.clips) == [
        "idle",
        "awaken",
        "walk",
        "hop",
        "dance",
        "wave",
        "sit",
        "sleep",
        "poked",
        "eat",
        "look",
    ]
    assert bytes(model.glb[:4]) == b"glTF"
    assert np.linalg.norm(np.array(model.footprint) - CAMERA.project(np.array([[AWAY, 0, 0]]), POSE)[0]) < 3
    report = bench.reports[0]
    assert (report.outcome, report.stage, report.header.stamp) == (
        StageReport.PUBLISHED,
        "character",
        stamp_from(START),
    )
    assert [topic.lstrip("/") for topic in report.published] == ["character/model"]
    bench.send_object("can", START)  # latched objects come again; that is no second awakening
    bench.send_pose(START + SECOND)
    bench.until(lambda: START + SECOND in bench.node.seats.poses)
    assert len(bench.models) == len(bench.reports) == 1


def test_a_guest_takes_the_place_of_what_awakens(ros: None, tmp_path: Path) -> None:
    extras = {
        "height_m": 0.5,
        "object_height_m": 0.5,
        "adopted": True,
        "clips": {"walk": {"loop": True, "stride_m": 0.2}},
    }
    root = {"name": "tsukumo_root", "scale": [0.1] * 3, "translation": [0.0, 0.05, 0.0]}
    document = {"asset": {"version": "2.0"}, "nodes": [root], "scenes": [{"nodes": [0], "extras": extras}]}
    (tmp_path / "fox.glb").write_bytes(container(document, b""))
    bench = Bench(guest=str(tmp_path / "fox.glb"))
    bench.ready()
    bench.send_object("can", START)
    bench.until(lambda: bench.models)
    model = bench.models[0]
    assert (model.id, model.placed, list(model.clips)) == ("can", True, ["walk"])
    assert model.height == model.object_height
    assert 0.115 < model.height < 0.135  # as high as the can
    told, _ = chunks(bytes(model.glb))
    assert told["nodes"][0]["scale"] == pytest.approx([0.1 * model.height / 0.5] * 3, rel=1e-6)
    assert told["scenes"][0]["extras"]["clips"]["walk"]["stride_m"] == pytest.approx(0.2 * model.height / 0.5, abs=1e-5)
    bench.close()


def test_a_guest_that_is_none_leaves_things_as_they_are(ros: None, tmp_path: Path) -> None:
    bench = Bench(guest=str(tmp_path / "nobody.glb"))
    bench.ready()
    bench.send_object("can", START)
    bench.until(lambda: bench.models)
    assert "wave" in bench.models[0].clips
    bench.close()


@pytest.mark.parametrize(
    ("extras", "node"),
    [
        ({"height_m": 0.0}, {}),
        ({"height_m": float("nan")}, {}),
        ({"clips": ["walk"]}, {}),
        ({"clips": {"walk": {"loop": True}}}, {}),
        ({}, {"scale": None}),
    ],
)
def test_a_file_that_only_says_it_is_adopted_is_refused_at_once(
    tmp_path: Path, extras: dict[str, Any], node: dict[str, Any]
) -> None:
    told = {"height_m": 0.5, "object_height_m": 0.5, "adopted": True, "clips": {"walk": {"stride_m": 0.2}}, **extras}
    root = {"name": "tsukumo_root", "scale": [0.1] * 3, "translation": [0.0, 0.05, 0.0], **node}
    document = {"asset": {"version": "2.0"}, "nodes": [root], "scenes": [{"nodes": [0], "extras": told}]}
    (tmp_path / "fox.glb").write_bytes(container(document, b""))
    with pytest.raises(ValueError, match=r"fox\.glb: not adopted yet; run: tsukumo awaken"):
        load_guest(tmp_path / "fox.glb")


def test_a_fault_of_ours_is_reported_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("ar_character.node.build_character", fail)
    bench.ready()
    bench.send_object("can", START)
    bench.until(lambda: bench.reports)
    assert (bench.reports[0].outcome, bench.reports[0].reason) == (
        StageReport.FAILED,
        "ZeroDivisionError: by nothing",
    )


def test_poses_before_and_after_do_where_tracking_left_the_frame_out(bench: Bench) -> None:
    bench.send_camera(START)
    bench.send_plane(3)
    bench.send_pose(START - SECOND // 15)
    bench.until(lambda: START - SECOND // 15 in bench.node.seats.poses)
    bench.send_object("can", START)
    bench.until(lambda: bench.node.waiting)
    assert not bench.models
    bench.send_pose(START + SECOND // 30)
    bench.until(lambda: bench.models)
    assert bench.models[0].placed
    assert np.linalg.norm(matrix_from(bench.models[0].pose)[:3, 3] - [AWAY, 0, 0]) < 0.003


def test_the_plane_of_the_poses_map_is_used(bench: Bench) -> None:
    bench.send_camera(START)
    bench.send_plane(3, distance=0.1)
    bench.send_plane(4, distance=0.0)
    bench.send_pose(START, map_id=3)
    bench.until(lambda: START in bench.node.seats.poses)
    bench.send_object("can", START)
    bench.until(lambda: bench.models)
    assert bench.models[0].map_id == 3
    assert bench.models[0].pose.position.z == pytest.approx(0.1)
    assert 0.115 * 2 / 3 < bench.models[0].object_height < 0.135 * 2 / 3


def test_without_a_pose_it_comes_alive_unplaced(bench: Bench) -> None:
    bench.send_camera(START)
    bench.send_object("can", START)
    bench.until(lambda: bench.node.waiting)
    bench.send_camera(START + SECOND // 2)
    assert bench.node.waiting
    bench.send_camera(START + 2 * SECOND)
    bench.until(lambda: bench.models)
    assert not bench.models[0].placed
    assert len(bench.models[0].footprint) == 0
    rows = seen_cylinder()[1].height
    assert bench.models[0].object_height == pytest.approx(rows / 600 * 0.6, rel=0.02)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": b"\0" * 100}, "truncated"),
        ({"height": 0}, "size"),
        ({"height": 10_000, "width": 10_000, "step": 40_000}, "over the limit"),
        ({"encoding": "rubbish"}, "rubbish"),
    ],
)
def test_a_bad_object_is_reported_and_the_next_one_lives(bench: Bench, changes: dict[str, Any], words: str) -> None:
    bench.send_camera(START)
    bench.send_pose(START)
    bench.until(lambda: START in bench.node.seats.poses)
    bench.send_object("bad", START, **changes)
    bench.until(lambda: bench.reports)
    assert bench.reports[0].outcome == StageReport.FAILED
    assert words in bench.reports[0].reason
    bench.send_object("good", START)
    bench.until(lambda: bench.models)
    assert [m.id for m in bench.models] == ["good"]


def test_characters_survive_the_process(ros: None, tmp_path: Path) -> None:
    first = Bench(tmp_path)
    first.send_camera(START)
    first.send_pose(START)
    first.send_object("can", START)
    first.until(lambda: first.models and first.reports)
    first.close()
    second = Bench(tmp_path)
    try:
        second.until(lambda: second.models)
        assert second.models == first.models
        assert second.node.known == {"can"}
    finally:
        second.close()


def test_members_of_a_theme_take_turns(ros: None) -> None:
    bench = Bench(theme="band")
    try:
        bench.send_camera(START)
        bench.send_plane(3)
        for i in range(2):
            stamp = START + i * SECOND
            bench.send_object(f"can-{i}", stamp)
            bench.send_pose(stamp)
            bench.until(lambda i=i: len(bench.models) == i + 1)
        worn = (
            [b"prop_guitar" in bytes(m.glb) for m in bench.models],
            [b"prop_drum" in bytes(m.glb) for m in bench.models],
        )
        assert worn == ([True, False], [False, True])
        assert "play" in bench.models[0].clips
    finally:
        bench.close()


def test_a_broken_theme_is_one_line_and_characters_are_plain(ros: None, tmp_path: Path, caplog: Any) -> None:
    (tmp_path / "theme.yaml").write_text("props: {hat: {place: crown, mesh: hat.obj, size: 1}}")
    bench = Bench(theme=str(tmp_path))
    try:
        assert bench.node.theme == "plain"
        bench.send_camera(START)
        bench.send_plane(3)
        bench.send_object("can", START)
        bench.send_pose(START)
        bench.until(lambda: len(bench.models) == 1)
        assert b"prop_" not in bytes(bench.models[0].glb)
    finally:
        bench.close()
