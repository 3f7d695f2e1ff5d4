"""The node over real topics: a picture goes out for every picture that comes in, whatever else does or does not come."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy")
pytest.importorskip("ar_interfaces")

# ruff: noqa: E402  (what follows needs ROS)
from action_msgs.msg import GoalStatus
from geometry_msgs.msg import Point, PoseStamped, PoseWithCovarianceStamped, Vector3
from glb import doll_glb
from rclpy.action import ActionClient
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header
from table_scene import CAMERA, looking, photograph, texture
from visualization_msgs.msg import Marker, MarkerArray

from ar_core import qos
from ar_core.conversions import camera_info_message, image_from, image_message, nanoseconds, pose_message, stamp_from
from ar_core.rehearsal import Rehearsal
from ar_interfaces.action import WalkTo
from ar_interfaces.msg import Character, Event, PlaneStamped, StageReport, TrackingStatus
from ar_interfaces.srv import Act, Place, Remove
from ar_render.context import Context
from ar_render.node import Parameters, Render

pytestmark = pytest.mark.graph

START = 1_700_000_000_000_000_000
STEP = 33_000_000
NAN = float("nan")
SQUARE = ((-0.3, -0.3), (0.3, -0.3), (0.3, 0.3), (-0.3, 0.3))


class Bench(Rehearsal):
    """The node under test and a peer that plays the rest of the graph."""

    def __init__(self, **parameters: Any) -> None:
        super().__init__(Render("render", Parameters), rclpy.create_node("bench"))
        self.node.parameters = Parameters(**{"wait_ms": 5000.0, **parameters})
        self.pictures: list[Image] = []
        self.reports: list[StageReport] = []
        self.events: list[Event] = []
        p, q = self.peer, qos.reliable(50)
        self.image = p.create_publisher(Image, "camera/image_raw", q)
        self.info = p.create_publisher(CameraInfo, "camera/camera_info", q)
        self.pose = p.create_publisher(PoseWithCovarianceStamped, "slam/pose", q)
        self.plane = p.create_publisher(PlaneStamped, "slam/plane", qos.latched())
        self.status = p.create_publisher(TrackingStatus, "slam/status", q)
        self.mask = p.create_publisher(Image, "segment/mask", q)
        self.model = p.create_publisher(Character, "character/model", qos.latched(16))
        self.act = p.create_client(Act, "render/act")
        self.place = p.create_client(Place, "render/place")
        self.remove = p.create_client(Remove, "render/remove")
        self.walk_to = ActionClient(p, WalkTo, "render/walk_to")
        p.create_subscription(Image, "render/image", self.pictures.append, q)
        p.create_subscription(StageReport, "render/report", self.reports.append, q)
        p.create_subscription(Event, "events", self.events.append, q)
        self.begin(self.image, self.info, self.pose, self.plane, self.status, self.mask, self.model)
        self.until(lambda: self.node.image.get_subscription_count() > 0 and self.act.service_is_ready())
        self.view = looking(0.3)
        self.before, _, self.cover = photograph(self.view, texture())
        self.n = 0

    def header(self) -> Header:
        return Header(stamp=stamp_from(START + self.n * STEP), frame_id="camera_optical_frame")

    def track(self, state: int = TrackingStatus.TRACKING, map_id: int = 0) -> None:
        """Pose and status of the picture that comes next."""
        if state != TrackingStatus.LOST:
            message = PoseWithCovarianceStamped(header=self.header())
            message.pose.pose = pose_message(self.view.T_map_camera)
            self.pose.publish(message)
        self.status.publish(TrackingStatus(header=self.header(), state=state, map_id=map_id))

    def show(self, tracked: bool = True, masked: bool = True) -> np.ndarray:
        """One picture through the node."""
        if tracked:
            self.track()
        if masked:
            self.mask.publish(image_message(self.cover, self.header(), "mono8"))
        self.info.publish(camera_info_message(CAMERA, CAMERA.width, CAMERA.height, self.header()))
        self.image.publish(image_message(self.before, self.header()))
        stamp, self.n = START + self.n * STEP, self.n + 1
        self.until(lambda: self.pictures and nanoseconds(self.pictures[-1].header.stamp) == stamp)
        return image_from(self.pictures[-1])

    def awaken(self, **changes: Any) -> None:
        footprint = [float(v) for v in CAMERA.project(np.zeros((1, 3)), self.view.T_map_camera)[0]]
        message = Character(header=self.header(), id="mug", kind="object", height=0.12, footprint=footprint)
        message.glb = changes.pop("glb", doll_glb())
        for name, value in changes.items():
            setattr(message, name, value)
        self.model.publish(message)

    def send(self, goal: WalkTo.Goal, told: list[float] | None = None) -> Any:
        """A goal of ``render/walk_to``: its handle, and the future of its result."""
        self.until(self.walk_to.server_is_ready)
        tell = None if told is None else lambda message: told.append(message.feedback.distance)
        accepted = self.walk_to.send_goal_async(goal, feedback_callback=tell)
        self.until(accepted.done)
        return accepted.result(), accepted.result().get_result_async()

    def awakened(self) -> np.ndarray:
        self.plane.publish(PlaneStamped(normal=Vector3(x=0.0, y=0.0, z=1.0)))
        self.show()
        self.awaken()
        self.until(lambda: self.node.arrivals)
        return self.show()

    def call(self, client: Any, request: Any) -> Any:
        future = client.call_async(request)
        self.until(future.done)
        return future.result()


@pytest.fixture
def ros(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    rclpy.init()
    yield
    rclpy.try_shutdown()


@pytest.fixture
def bench(ros: None, contexts: dict[str, Context]) -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


def test_the_picture_goes_on_with_nothing_but_a_camera(bench: Bench) -> None:
    for _ in range(3):
        assert np.array_equal(bench.show(tracked=False, masked=False), bench.before)
    assert bench.pictures[-1].header.frame_id == "camera_optical_frame"
    assert bench.pictures[-1].encoding == "bgr8"


def test_a_character_comes_acts_moves_and_goes(bench: Bench) -> None:
    after = bench.awakened()
    assert not np.array_equal(after, bench.before)
    bench.until(lambda: [e for e in bench.events if e.kind == "place"])
    assert bench.events[0].id == "mug"
    bench.until(lambda: [r for r in bench.reports if r.items == 1])
    u, v = (float(x) for x in CAMERA.project(np.array([[0, 0, 0.06]]), bench.view.T_map_camera)[0])
    answer = bench.call(bench.act, Act.Request(action="poke", x=u, y=v))
    assert (answer.success, answer.id) == (True, "mug")
    bench.until(lambda: [e for e in bench.events if e.kind == "act"])
    event = next(e for e in bench.events if e.kind == "act")
    assert (event.id, event.name) == ("mug", "hop")
    assert nanoseconds(event.header.stamp) == START + (bench.n - 1) * STEP
    answer = bench.call(bench.act, Act.Request(action="poke", x=2.0, y=2.0))
    assert not answer.success
    assert "no character at (2, 2)" in answer.message
    assert bench.call(bench.place, Place.Request(x=u + 40, y=v + 20)).success
    moved = bench.show()
    assert not np.array_equal(moved, after)
    assert bench.call(bench.remove, Remove.Request()).success
    assert np.array_equal(bench.show(), bench.before)


def test_a_lost_camera_hides_the_character_and_the_picture_goes_on(bench: Bench) -> None:
    bench.awakened()
    for _ in range(12):
        bench.track(TrackingStatus.LOST)
        bench.show(tracked=False, masked=False)
    assert bench.node.theatre is not None
    assert bench.node.theatre.shown == ["mug"]
    for _ in range(8):
        bench.track(TrackingStatus.LOST)
        after = bench.show(tracked=False, masked=False)
    assert np.array_equal(after, bench.before)
    bench.show()
    assert bench.node.theatre.shown == ["mug"]


def test_jpeg_is_made_only_while_somebody_listens(bench: Bench) -> None:
    bench.show()
    got: list[CompressedImage] = []
    subscription = bench.peer.create_subscription(CompressedImage, "render/image/compressed", got.append, qos.sensor(5))
    bench.until(lambda: bench.node.compressed.get_subscription_count() > 0)
    bench.show()
    bench.until(lambda: got)
    decoded = cv2.imdecode(np.frombuffer(got[0].data, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(decoded.astype(int) - bench.before).mean() < 6
    assert nanoseconds(got[0].header.stamp) == START + STEP
    bench.peer.destroy_subscription(subscription)
    bench.until(lambda: bench.node.compressed.get_subscription_count() == 0)
    bench.show()
    bench.until(lambda: len(bench.reports) == 3)
    assert ["compressed" in " ".join(r.published) for r in bench.reports] == [False, True, False]


def test_rviz_is_told_of_the_characters_while_it_listens(bench: Bench) -> None:
    bench.awakened()
    got: list[MarkerArray] = []
    subscription = bench.peer.create_subscription(MarkerArray, "render/markers", got.append, qos.reliable(10))
    bench.until(lambda: bench.node.markers_out.get_subscription_count() > 0)
    bench.n += 180
    bench.show()
    bench.until(lambda: got)
    clear, body, name = got[0].markers
    assert clear.action == Marker.DELETEALL
    assert (body.ns, body.type, body.header.frame_id) == ("mug", Marker.TRIANGLE_LIST, "map")
    assert nanoseconds(body.header.stamp) == START + (bench.n - 1) * STEP
    points = np.array([[p.x, p.y, p.z] for p in body.points])
    assert len(points) == len(body.colors) > 30
    assert len(points) % 3 == 0
    assert points[:, 2].min() == pytest.approx(0, abs=0.01)
    assert points[:, 2].max() == pytest.approx(0.12, abs=0.02)
    assert np.abs(points[:, :2]).max() < 0.12
    assert (name.text, name.type) == ("mug", Marker.TEXT_VIEW_FACING)
    bench.show()  # 33 ms later: too early to tell again
    bench.n += 3
    bench.show()
    bench.until(lambda: len(got) > 1)
    assert nanoseconds(got[1].markers[1].header.stamp) == START + (bench.n - 1) * STEP
    bench.peer.destroy_subscription(subscription)


def test_nonsense_is_warned_of_and_nobody_dies(bench: Bench) -> None:
    bench.awakened()
    half = image_message(bench.cover, bench.header(), "mono8")
    half.data = half.data[: len(half.data) // 2]
    bench.mask.publish(half)
    bench.mask.publish(image_message(np.ascontiguousarray(bench.cover[::2, ::2]), bench.header(), "mono8"))
    bench.show(masked=False)
    bad = PoseWithCovarianceStamped(header=bench.header())
    bad.pose.pose.position.x = NAN
    bad.pose.pose.orientation.w = 1.0
    bench.pose.publish(bad)
    bad.pose.pose.position.x, bad.pose.pose.orientation.w = 0.0, 0.0
    bench.pose.publish(bad)
    bench.plane.publish(PlaneStamped(normal=Vector3(x=NAN, y=0.0, z=1.0)))
    bench.plane.publish(PlaneStamped())
    bench.awaken(glb=doll_glb()[:900], id="broken")
    bench.awaken(height=NAN, id="flat")
    bench.awaken(footprint=[1.0], id="odd")
    bench.info.publish(CameraInfo(header=bench.header(), width=0, height=0, k=[NAN] * 9))
    bench.until(lambda: len(bench.node.arrivals) == 3 and len(bench.node.statistics.rejected) >= 5)
    for _ in range(3):
        after = bench.show()
    assert not np.array_equal(after, bench.before)
    assert bench.node.theatre is not None
    assert bench.node.theatre.shown == ["mug"]
    rejected = " ".join(bench.node.statistics.rejected)
    for word in ("truncated", "position", "normal", "broken", "flat", "footprint", "intrinsics", "size"):
        assert word in rejected, word


def test_after_a_restart_it_stands_where_it_stood(ros: None, contexts: dict[str, Context], tmp_path: Path) -> None:
    first = Bench(snapshots=str(tmp_path))
    first.awakened()
    u, v = (float(x) for x in CAMERA.project(np.array([[0.05, 0.06, 0.0]]), first.view.T_map_camera)[0])
    assert first.call(first.place, Place.Request(id="mug", x=u, y=v)).success
    first.show()
    first.close()
    second = Bench(snapshots=str(tmp_path))
    second.n = first.n + 30
    second.awakened()
    assert second.node.theatre is not None
    assert second.node.theatre.actors["mug"].spot == pytest.approx([0.05, 0.06, 0.0], abs=1e-6)
    second.close()


def test_a_snapshot_that_is_none_is_left_alone(ros: None, contexts: dict[str, Context], tmp_path: Path) -> None:
    (tmp_path / "render.json").write_text("{broken")
    made = Bench(snapshots=str(tmp_path))
    made.awakened()
    assert any("snapshot" in text for text in made.node.statistics.rejected)
    made.close()


def goal_at(x: float, y: float, frame: str = "map") -> WalkTo.Goal:
    goal = WalkTo.Goal(goal=PoseStamped(header=Header(frame_id=frame)))
    goal.goal.pose.position.x, goal.goal.pose.position.y = x, y
    return goal


def test_it_walks_where_a_robot_points(bench: Bench) -> None:
    bench.awakened()
    bench.n += 180  # it is awake
    bench.show()
    told: list[float] = []
    _, done = bench.send(goal_at(0.05, 0.08), told)
    bench.until(lambda: [e for e in bench.events if e.kind == "walk_to"])
    event = next(e for e in bench.events if e.kind == "walk_to")
    assert (event.id, event.pose.position.x, event.pose.position.y) == ("mug", 0.05, 0.08)
    assert nanoseconds(event.header.stamp) == START + (bench.n - 1) * STEP
    steps = 0
    while not done.done():
        assert (steps := steps + 1) < 100
        bench.n += 4
        shown = len(told)
        bench.show()
        bench.until(lambda n=shown: len(told) > n or done.done())
    result = done.result()
    assert result.status == GoalStatus.STATUS_SUCCEEDED
    assert (result.result.id, result.result.message) == ("mug", "arrived")
    where = result.result.pose.position
    assert (where.x, where.y, where.z) == pytest.approx((0.05, 0.08, 0.0), abs=1e-4)
    assert len(told) > 5
    assert told == sorted(told, reverse=True)
    bench.until(lambda: [e for e in bench.events if e.kind == "arrived"])


def test_a_goal_that_is_none_is_refused_in_words(bench: Bench) -> None:
    bench.show()
    for goal, words in ((goal_at(0, 0), "there is no character yet"), (goal_at(0, 0, "base"), "give it in 'map'")):
        _, done = bench.send(goal)
        bench.until(done.done)
        assert done.result().status == GoalStatus.STATUS_ABORTED
        assert words in done.result().result.message
    bench.awakened()
    bench.plane.publish(PlaneStamped(normal=Vector3(z=1.0), extent=[Point(x=x, y=y) for x, y in SQUARE]))
    bench.until(lambda: bench.node.planes and len(bench.node.planes[0][1]) == 4)
    bench.show()
    for goal, words in (
        (goal_at(3.0, 0.0), "beyond what is known of the table"),
        (goal_at(NAN, 0.0), "NaN"),
        (WalkTo.Goal(id="cat", goal=goal_at(0.0, 0.0).goal), "no character 'cat'"),
    ):
        _, done = bench.send(goal)
        bench.until(done.done)
        assert done.result().status == GoalStatus.STATUS_ABORTED
        assert words in done.result().result.message
    assert not [e for e in bench.events if e.kind == "walk_to"]


def test_who_is_called_off_or_asked_something_else_stops(bench: Bench) -> None:
    bench.awakened()
    bench.n += 180
    bench.show()
    handle, done = bench.send(goal_at(0.05, 0.08))
    cancelled = handle.cancel_goal_async()
    bench.until(cancelled.done)
    bench.show()
    bench.until(done.done)
    assert done.result().status == GoalStatus.STATUS_CANCELED
    assert done.result().result.message == "it was called off"
    _, done = bench.send(goal_at(-0.05, 0.06))
    u, v = (float(x) for x in CAMERA.project(np.array([[0.03, 0.05, 0.0]]), bench.view.T_map_camera)[0])
    answer = bench.call(bench.act, Act.Request(id="mug", action="lead", x=u, y=v))
    assert (answer.success, answer.message) == (True, "mug comes")
    bench.show()
    bench.until(done.done)
    assert done.result().status == GoalStatus.STATUS_ABORTED
    assert done.result().result.message == "it was sent elsewhere"
    bench.n += 200
    bench.show()
    bench.until(lambda: [e for e in bench.events if e.kind == "arrived" and e.success])
    assert bench.events[-1].pose.position.x == pytest.approx(0.03, abs=1e-3)
    assert bench.call(bench.act, Act.Request(id="mug", action="call")).success
