"""Decides when something comes alive by itself: the policy, apart from the stages, which are mechanism.

With ``awaken: auto`` the most prominent object is awakened once the detector has seen something for a moment and the camera
is tracked, stands still, or tracking takes long to begin; again if that object's stage refuses. Whoever taps first is first:
nothing is awakened by itself once a character exists, nor while the camera is calibrated: the board is no creature.
"""

from __future__ import annotations

from dataclasses import dataclass

from builtin_interfaces.msg import Time
from vision_msgs.msg import Detection2DArray

from ar_core import qos
from ar_core.conversions import nanoseconds, tracking_state_from
from ar_core.parameters import parameter
from ar_core.stage import Frame, Stage, run
from ar_interfaces.msg import CalibrationStatus, Character, SegmentedObject, TrackingStatus
from ar_interfaces.srv import Awaken

LOST_S = 30.0  # of image time: an answer that has not come by then never will


@dataclass(frozen=True)
class Parameters:
    """Parameters of the director."""

    awaken: str = parameter(
        "auto", "auto: the most prominent object; tap: only what is tapped", choices=("auto", "tap")
    )
    settle_s: float = parameter(0.5, "how long an object must be in sight", minimum=0.0, maximum=60.0)
    static_s: float = parameter(
        2.0, "how long the camera must stand still to count as a tripod", minimum=0.0, maximum=60.0
    )
    patience_s: float = parameter(
        1.7,
        "how long tracking may take to begin; then an object is put down on an assumed plane",
        minimum=0.0,
        maximum=600.0,
    )
    tell_s: float = parameter(3.0, "how long nothing must be in sight before that is said", minimum=0.0, maximum=600.0)
    retry_s: float = parameter(1.0, "pause after a refusal", minimum=0.1, maximum=60.0)


class Director(Stage[Parameters]):
    """Watches detections and tracking, and calls ``segment/awaken``."""

    def on_start(self) -> None:
        """What is watched; in lock-step every frame is reported, so that all know when something was asked."""
        self.seen_since: int | None = None
        self.bare_since: int | None = None
        self.steady_since: int | None = None
        self.state = TrackingStatus.INITIALISING
        self.not_before = 0
        self.asking = False  # one question at a time: the answer may take longer than the pause
        self.asked = self.now = 0
        self.done = self.parameters.awaken == "tap"
        self.calibrating = False
        self.awaken = self.create_client(Awaken, "segment/awaken")
        self.watched = [
            self.listen(TrackingStatus, "slam/status", self.on_status, stage="slam"),
            self.listen(Detection2DArray, "detections", self.on_detections, stage="detect"),
        ]
        self.listen(SegmentedObject, "segment/object", self.on_awake, qos.latched(), stage="segment")
        self.listen(Character, "character/model", self.on_awake, qos.latched(), stage="character")
        if self.lockstep:
            self.watch_camera(pictures=False)
        else:
            self.listen(CalibrationStatus, "camera/calibration", self.on_calibration, qos.latched())

    def process(self, frame: Frame) -> None:
        """In lock-step only; all is decided where detections come in."""

    def on_awake(self, _: SegmentedObject | Character) -> None:
        """Something is alive already: stop listening, 60 messages a second cost a weak core a seventh."""
        self.done = True
        while self.watched and not self.lockstep:
            self.unlisten(self.watched.pop())

    def on_calibration(self, status: CalibrationStatus) -> None:
        """Whether somebody holds a board before the camera."""
        self.calibrating = status.state in (CalibrationStatus.LOOKING, CalibrationStatus.SOLVING)

    def on_status(self, status: TrackingStatus) -> None:
        """How well the camera is tracked, and since when."""
        state = tracking_state_from(status)
        if state != self.state or self.steady_since is None:
            self.steady_since = nanoseconds(status.header.stamp)
        self.state = state

    def on_detections(self, detections: Detection2DArray) -> None:
        """Ask once everything is ready."""
        now = nanoseconds(detections.header.stamp)
        if now < self.now:  # the stamps start over
            self.seen_since = self.bare_since = self.steady_since = None
            self.not_before = self.asked = 0
        self.now = now
        if self.calibrating:
            self.seen_since = None
            return
        if not detections.detections:
            self.seen_since = None
            self.bare_since = now if self.bare_since is None else self.bare_since
            if not self.done and now - self.bare_since >= self.parameters.tell_s * 1e9:
                self._refused("no object is in sight")
            return
        self.bare_since = None
        self.seen_since = now if self.seen_since is None else self.seen_since
        if self.asking and now - self.asked > LOST_S * 1e9:
            self.asking = False  # whoever was asked has gone
        if self.done or self.asking or now < self.not_before or now - self.seen_since < self.parameters.settle_s * 1e9:
            return
        if not self._can_be_placed(now) or not self.awaken.service_is_ready():
            return
        # In lock-step the pause alone keeps questions apart: an answer comes when it comes.
        self.asking, self.asked = not self.lockstep, now
        self.not_before = now + int(self.parameters.retry_s * 1e9)
        stamp = detections.header.stamp if self.lockstep else Time()
        self.awaken.call_async(Awaken.Request(prompt=Awaken.Request.NONE, stamp=stamp)).add_done_callback(
            self.on_answer
        )
        self._published.append(self.awaken.service_name)

    def _can_be_placed(self, now: int) -> bool:
        if self.state in (TrackingStatus.TRACKING, TrackingStatus.RELOCALISED):
            return True
        patience = {
            TrackingStatus.STATIC: self.parameters.static_s,
            TrackingStatus.INITIALISING: self.parameters.patience_s,
        }.get(self.state)
        if patience is None or self.steady_since is None:
            return False
        return now - self.steady_since >= patience * 1e9

    def on_answer(self, future: object) -> None:
        """Awake, or refused: said once in words, tried again."""
        answer: Awaken.Response = future.result()  # type: ignore[attr-defined]
        self.asking = False
        if answer.success:
            self.done = self.done or not self.lockstep
            self.notes["awaken"] = ""
            self.get_logger().info(f"awakened {answer.id}")
        else:
            self._refused(answer.message)

    def _refused(self, why: str) -> None:
        """Say, now and then, why nothing comes alive."""
        self.notes["awaken"] = f"nothing yet: {why}"
        self.get_logger().info(f"nothing awakened: {why}", throttle_duration_sec=10.0)


def main() -> None:
    """Entry point."""
    run(lambda: Director("director", Parameters))
