"""The director's policy, message by message; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import rclpy
from rclpy.task import Future
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D, Detection2DArray

from ar_core.conversions import stamp_from
from ar_interfaces.msg import CalibrationStatus, SegmentedObject, TrackingStatus
from ar_interfaces.srv import Awaken
from ar_tools.director import LOST_S, Director, Parameters

FRAME_S = 1 / 30


class Asked:
    """Stands in for the client of segment/awaken."""

    service_name = "/segment/awaken"

    def __init__(self) -> None:
        self.answers: list[Future] = []

    def service_is_ready(self) -> bool:
        return True

    def call_async(self, request: Awaken.Request) -> Future:
        assert request.prompt == Awaken.Request.NONE
        self.answers.append(Future())
        return self.answers[-1]


class Stage:
    """A director that sees frames; ``play`` returns when it asked first, in seconds."""

    def __init__(self, director: Director) -> None:
        self.director, self.asked, self.frame = director, Asked(), 0
        director.awaken = self.asked  # type: ignore[assignment]

    def play(self, state: int, seconds: float, *, objects: int = 1) -> float | None:
        before, when = len(self.asked.answers), None
        for _ in range(round(seconds / FRAME_S)):
            stamp = stamp_from(round((1 + self.frame * FRAME_S) * 1e9))
            self.director.on_status(TrackingStatus(header=Header(stamp=stamp), state=state))
            found = [Detection2D() for _ in range(objects)]
            self.director.on_detections(Detection2DArray(header=Header(stamp=stamp), detections=found))
            if when is None and len(self.asked.answers) > before:
                when = self.frame * FRAME_S
            self.frame += 1
        return when


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Stage]:
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "OFF")
    arguments: list[Any] = getattr(request, "param", [])
    rclpy.init(args=["--ros-args", *arguments])
    director = Director("director", Parameters)
    director.on_start()
    yield Stage(director)
    director.destroy_node()
    rclpy.try_shutdown()


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (TrackingStatus.TRACKING, 0.5),
        (TrackingStatus.RELOCALISED, 0.5),
        (TrackingStatus.INITIALISING, 1.7),
        (TrackingStatus.STATIC, 2.0),
        (TrackingStatus.LOST, None),
    ],
)
def test_when_it_asks(stage: Stage, state: int, after: float | None) -> None:
    when = stage.play(state, 4)
    assert when == (None if after is None else pytest.approx(after, abs=2 * FRAME_S))
    assert len(stage.asked.answers) == (0 if after is None else 1), "one question at a time"


def test_an_object_must_stay_in_sight(stage: Stage) -> None:
    assert stage.play(TrackingStatus.TRACKING, 0.4) is None
    assert stage.play(TrackingStatus.TRACKING, 0.1, objects=0) is None
    assert stage.play(TrackingStatus.TRACKING, 0.4) is None
    assert stage.play(TrackingStatus.TRACKING, 0.3) is not None


def test_after_a_refusal_it_asks_again_and_after_an_awakening_never(stage: Stage) -> None:
    stage.play(TrackingStatus.TRACKING, 1)
    stage.director.on_answer(answer(success=False))
    assert stage.play(TrackingStatus.TRACKING, 2) is not None
    stage.director.on_answer(answer(success=True))
    assert stage.play(TrackingStatus.TRACKING, 5) is None


def test_an_answer_that_never_comes_is_not_waited_for_for_ever(stage: Stage) -> None:
    """The segmenter was killed while it was asked, and has come back."""
    assert stage.play(TrackingStatus.TRACKING, 1) is not None
    assert stage.play(TrackingStatus.TRACKING, LOST_S - 1) is None
    assert stage.play(TrackingStatus.TRACKING, 2) is not None


def test_when_the_stamps_start_over_it_still_asks(stage: Stage) -> None:
    stage.frame = 30 * 3600
    stage.play(TrackingStatus.TRACKING, 1)
    stage.director.on_answer(answer(success=False))
    stage.frame = 0
    assert stage.play(TrackingStatus.TRACKING, 2) == pytest.approx(0.5, abs=2 * FRAME_S)


def test_why_nothing_awakens_is_said_until_something_does(stage: Stage) -> None:
    notes = stage.director.notes
    stage.play(TrackingStatus.TRACKING, 2.5, objects=0)
    assert not notes.get("awaken")
    stage.play(TrackingStatus.TRACKING, 1, objects=0)
    assert notes["awaken"] == "nothing yet: no object is in sight"
    stage.play(TrackingStatus.TRACKING, 1)
    stage.director.on_answer(answer(success=False))
    assert notes["awaken"] == "nothing yet: in words"
    stage.director.on_answer(answer(success=True))
    assert notes["awaken"] == ""
    stage.play(TrackingStatus.TRACKING, 5, objects=0)
    assert notes["awaken"] == ""


def test_the_board_of_a_calibration_is_not_awakened(stage: Stage) -> None:
    stage.director.on_calibration(CalibrationStatus(state=CalibrationStatus.LOOKING))
    assert stage.play(TrackingStatus.TRACKING, 5) is None
    stage.director.on_calibration(CalibrationStatus(state=CalibrationStatus.DONE))
    assert stage.play(TrackingStatus.TRACKING, 1) is not None


def test_who_taps_first_is_first(stage: Stage) -> None:
    stage.director.on_awake(SegmentedObject(id="tapped"))
    assert stage.play(TrackingStatus.TRACKING, 5) is None


@pytest.mark.parametrize("stage", [["-p", "awaken:=tap"]], indirect=True)
def test_told_to_wait_for_taps_it_never_asks(stage: Stage) -> None:
    assert stage.play(TrackingStatus.TRACKING, 5) is None


def answer(*, success: bool) -> Future:
    future: Future = Future()
    future.set_result(Awaken.Response(success=success, message="in words"))
    return future
