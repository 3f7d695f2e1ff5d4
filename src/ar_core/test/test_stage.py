"""A stage inside this process: what becomes of frames, bad messages, services and a restart."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from ar_core import qos
from ar_core.conversions import camera_info_message, image_message, stamp_from
from ar_core.geometry import Intrinsics
from ar_core.parameters import parameter
from ar_core.rehearsal import PATIENCE_S, Rehearsal
from ar_core.stage import Frame, Skip, Stage
from ar_interfaces.msg import StageReport


@dataclass(frozen=True)
class Parameters:
    gain: float = parameter(0.5, "a number", minimum=0.0, maximum=1.0)
    mode: str = parameter("fast", "a word", choices=("fast", "slow"))
    names: tuple[str, ...] = parameter((), "words")


class Probe(Stage[Parameters]):
    """Remembers its frames; dark ones are skipped, white ones are a fault of ours."""

    def on_start(self) -> None:
        self.frames: list[Frame] = []
        self.entered = 0
        self.gate = threading.Event()
        self.gate.set()
        self.out = self.advertise(Image, "probe/out")
        self.serve(Trigger, "probe/ask", self.ask)
        self.listen(CameraInfo, "probe/side", self.on_side)
        self.watch_camera()

    def on_side(self, message: CameraInfo) -> None:
        raise ValueError(f"side input {message.width} is no good")

    def ask(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if not self.frames:
            raise ValueError("no frame yet")
        response.success, response.message = True, threading.current_thread().name
        return response

    def process(self, frame: Frame) -> None:
        self.entered = frame.stamp
        self.gate.wait(PATIENCE_S)
        value = int(frame.image[0, 0, 0])
        if value == 0:
            raise Skip("too dark")
        if value == 255:
            raise RuntimeError("a bug")
        self.frames.append(frame)
        self.items = value
        self.publish(self.out, image_message(frame.image, frame.header))


class Bench(Rehearsal):
    """The stage, a node that feeds it, and a thread that spins both."""

    def __init__(self, arguments: list[str]) -> None:
        rclpy.init(args=["--ros-args", *arguments])
        self.stage = Probe("probe", Parameters)
        self.feeder = Node("feeder")
        super().__init__(self.stage, self.feeder)
        self.images = self.feeder.create_publisher(Image, "camera/image_raw", qos.reliable(50))
        self.infos = self.feeder.create_publisher(CameraInfo, "camera/camera_info", qos.reliable(50))
        self.sides = self.feeder.create_publisher(CameraInfo, "probe/side", qos.reliable(50))
        self.reports: list[StageReport] = []
        self.feeder.create_subscription(StageReport, "probe/report", self.reports.append, qos.reliable(200))
        self.client = self.feeder.create_client(Trigger, "probe/ask")

    def activate(self) -> None:
        self.begin(self.images, self.infos)
        self.until(lambda: bool(self.feeder.count_publishers("probe/report")))

    def send(self, stamp: int, value: int = 10, **fields: object) -> None:
        header = Header(stamp=stamp_from(stamp), frame_id="camera_optical_frame")
        message = image_message(np.full((4, 6, 3), value, np.uint8), header)
        for name, field in fields.items():
            setattr(message, name, field)
        self.images.publish(message)

    def close(self) -> None:
        self.stage.gate.set()
        super().close()
        rclpy.try_shutdown()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench([])
    try:
        made.activate()
        yield made
    finally:
        made.close()


def test_one_report_per_stamp_whatever_becomes_of_it(bench: Bench) -> None:
    cases = {
        1: (10, StageReport.PUBLISHED, ""),
        2: (0, StageReport.SKIPPED, "too dark"),
        3: (255, StageReport.FAILED, "a bug"),
    }
    for n, (stamp, (value, _, _)) in enumerate(cases.items(), 1):
        bench.send(stamp, value)
        bench.until(lambda n=n: len(bench.reports) == n)
    for report, (stamp, (_, outcome, word)) in zip(bench.reports, cases.items(), strict=True):
        assert report.header.stamp.nanosec == stamp
        assert report.outcome == outcome
        assert word in report.reason
        assert report.received <= report.started <= report.finished
    assert list(bench.reports[0].published) == ["/probe/out"]
    assert bench.reports[0].items == 10
    assert bench.stage.frames[0].intrinsics.guessed


def test_under_load_the_newest_frame_wins_and_the_others_are_reported(bench: Bench) -> None:
    bench.stage.gate.clear()
    bench.send(1)
    bench.until(lambda: bench.stage.entered == 1)
    for stamp in (2, 3, 4):
        bench.send(stamp)
        bench.until(lambda stamp=stamp: [f.stamp for f in bench.stage._mailbox._frames] == [stamp])
    bench.stage.gate.set()
    bench.until(lambda: len(bench.reports) == 4)
    assert [f.stamp for f in bench.stage.frames] == [1, 4]
    skipped = [r for r in bench.reports if r.outcome == StageReport.SKIPPED]
    assert [r.header.stamp.nanosec for r in skipped] == [2, 3]
    assert {r.reason for r in skipped} == {"a newer frame came first"}


def test_bad_messages_are_counted_and_the_node_lives_on(bench: Bench) -> None:
    bench.send(1, data=bytes(5))
    bench.send(2, encoding="purple8")
    bench.sides.publish(CameraInfo(width=3))
    bench.sides.publish(CameraInfo(width=4))
    bench.infos.publish(CameraInfo(width=6, height=4, k=[float("nan")] * 9))
    bench.until(lambda: sum(bench.stage.statistics.rejected.values()) >= 4)
    bench.send(3)
    bench.send(3)  # not newer
    bench.until(lambda: bool(bench.stage.frames))
    rejected = bench.stage.statistics.rejected
    assert rejected["probe/side: side input # is no good"] == 2
    assert sum(n for text, n in rejected.items() if "NaN" in text) == 1
    assert bench.stage.frames[-1].stamp == 3


def test_calibration_is_scaled_to_the_picture(bench: Bench) -> None:
    bench.infos.publish(camera_info_message(Intrinsics(100, 100, 5.5, 3.5, 12, 8), 12, 8, Header()))
    bench.until(lambda: bench.stage._intrinsics is not None)
    bench.send(1)
    bench.until(lambda: bool(bench.stage.frames))
    assert bench.stage.frames[0].intrinsics == Intrinsics(50, 50, 2.5, 1.5, 6, 4, (0.0,) * 5)


def test_services_answer_from_the_worker_and_refuse_in_words(bench: Bench) -> None:
    assert bench.client.wait_for_service(PATIENCE_S)
    refused = bench.client.call_async(Trigger.Request())
    bench.until(refused.done)
    assert (refused.result().success, refused.result().message) == (False, "no frame yet")
    bench.send(1)
    bench.until(lambda: bool(bench.stage.frames))
    answer = bench.client.call_async(Trigger.Request())
    bench.until(answer.done)
    assert (answer.result().success, answer.result().message) == (True, "worker")


def test_the_life_cycle_can_be_gone_through_twice(bench: Bench) -> None:
    assert bench.stage.trigger_deactivate().name == "SUCCESS"
    bench.send(1)
    assert bench.stage.trigger_cleanup().name == "SUCCESS"
    bench.activate()
    bench.send(2)
    bench.until(lambda: bool(bench.stage.frames))
    assert [f.stamp for f in bench.stage.frames] == [2]


def test_absurd_parameters_are_replaced_by_their_defaults() -> None:
    made = Bench(["-p", "gain:=7.0", "-p", "mode:=quick", "-p", "names:=[a, b]"])
    try:
        assert made.stage.parameters == Parameters(0.5, "fast", ("a", "b"))
        described = made.stage.describe_parameter("gain")
        assert described.description == "a number"
        assert described.floating_point_range[0].to_value == 1.0
        made.stage.on_start()
    finally:
        made.close()


def test_what_is_listened_to_for_a_while_leaves_nothing_behind(bench: Bench) -> None:
    """A page that comes and goes for months must not make a node grow."""
    before = (len(bench.stage._made), len(bench.stage.inputs))
    for _ in range(3):
        heard = bench.stage.listen(CameraInfo, "other/camera_info", lambda _: None)
        assert len(bench.stage.inputs) == before[1] + 1
        bench.stage.unlisten(heard)
    assert (len(bench.stage._made), len(bench.stage.inputs)) == before
