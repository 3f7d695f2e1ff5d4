"""A node that writes down what a graph does: reports, poses, masks, characters and the pictures as a video."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.utilities import try_shutdown
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from ar_core import qos
from ar_core.conversions import image_from, matrix_from, nanoseconds, stamp_from, tracking_state_from
from ar_core.lockstep import Steps
from ar_core.video import VideoWriter
from ar_core.waiting import take_all
from ar_interfaces.msg import Character, Event, StageReport, TrackingStatus
from ar_tools.contract import STAGES
from ar_tools.observations import CharacterRecord, Observations, PoseRecord, StageRecord

NAME = "recorder"
POLL_S = 0.03


def stage_record(m: StageReport) -> StageRecord:
    """What a report says, as plain data."""
    return StageRecord(
        nanoseconds(m.header.stamp),
        m.outcome,
        m.reason,
        m.items,
        m.received,
        m.started,
        m.finished,
        m.process_cpu_s,
        m.cpu_ms,
    )


class Recorder(Node):
    """Subscribes to everything of the topic contract that a run is judged by.

    In lock-step the camera waits for it too: it reports a frame when all that the stages published for it has come.
    """

    def __init__(self, video: Path, masks: Path, fps: float, *, lockstep: bool = False) -> None:
        super().__init__(NAME)
        self.lockstep = lockstep
        self.seen = Observations()
        self.states: dict[str, str] = {}
        self.errors: dict[str, str] = {}
        self.ended = threading.Event()
        self.last_stamp: int | None = None
        self.recording = True
        self.video, self.masks = VideoWriter(video, fps), masks
        self.problem = ""
        self.refused: set[str] = set()  # topics on which something came that cannot be right
        self.inputs: list[tuple[Any, Callable[[Any], None]]] = []
        self.steps = Steps()
        self.frames: deque[int] = deque()  # of which not everything has come yet
        self.reports = self.create_publisher(StageReport, f"{NAME}/report", qos.reliable(200))
        for stage in STAGES:
            self.listen(StageReport, f"{stage}/report", partial(self.on_report, stage), qos.reliable(200))
        self.listen(Image, "render/image", self.on_picture, qos.reliable(30), "render")
        self.listen(Image, "segment/mask", self.on_mask, qos.reliable(30), "segment")
        self.listen(PoseWithCovarianceStamped, "slam/pose", self.on_pose, qos.reliable(100), "slam")
        self.listen(TrackingStatus, "slam/status", self.on_status, qos.reliable(100), "slam")
        self.listen(Character, "character/model", self.on_character, qos.latched(8), "character")
        self.listen(Event, "events", self.on_event, qos.reliable(50))
        self.listen(DiagnosticArray, "/diagnostics", self.on_diagnostics, qos.reliable(20))

    def listen(
        self, kind: type, topic: str, callback: Callable[[Any], None], profile: QoSProfile, stage: str = ""
    ) -> None:
        """Subscribe to what a stage publishes; the messages are fetched by ``poll``."""
        name = self.resolve_topic_name(topic)

        def take(message: Any) -> None:
            try:
                callback(message)
            except ValueError as error:  # a stage of somebody's own; the run goes on without that message
                if topic not in self.refused:
                    self.get_logger().warning(f"{topic}: {error}")
                self.refused.add(topic)
            if stage and self.lockstep:
                self.steps.message(name, lambda: None)

        if stage:
            self.steps.expect(stage, name)
        self.inputs.append((self.create_subscription(kind, topic, take, profile), take))

    def poll(self) -> None:
        """Hand on what has arrived. An executor, which builds a wait set for every message, costs three times as much CPU."""
        take_all(self.inputs)
        while self.frames and not self.steps.missing(self.frames[0]):
            stamp = self.frames.popleft()
            self.steps.take(stamp)
            self.reports.publish(StageReport(header=Header(stamp=stamp_from(stamp)), stage=NAME))

    def on_report(self, stage: str, m: StageReport) -> None:
        """What became of one frame."""
        stamp = nanoseconds(m.header.stamp)
        if self.lockstep:
            self.steps.report(stage, stamp, list(m.published))
            if stage == "camera":
                self.steps.frame(stamp)
                self.frames.append(stamp)
        if self._counts(stamp):
            self.seen.stages.setdefault(stage, []).append(stage_record(m))

    def on_picture(self, message: Image) -> None:
        """A finished picture: into the video."""
        if self._counts(nanoseconds(message.header.stamp)) and not self.problem:
            self.seen.pictures.append(nanoseconds(message.header.stamp))
            try:
                self.video.write(image_from(message))
            except RuntimeError as error:
                self.problem = str(error)

    def on_mask(self, message: Image) -> None:
        """A mask, from the first that shows something on: into a file named by its stamp, renamed to media time at the end."""
        stamp, mask = nanoseconds(message.header.stamp), image_from(message, "mono8")
        if self._counts(stamp) and (self.seen.masks or mask.any()):
            self.seen.masks.append(stamp)
            cv2.imwrite(str(self.masks / f"{stamp}.png"), mask)

    def on_status(self, message: TrackingStatus) -> None:
        """Tracking state of a frame."""
        stamp = nanoseconds(message.header.stamp)
        if self._counts(stamp):
            self.seen.states[stamp] = (tracking_state_from(message), message.reason, message.map_id)

    def on_pose(self, message: PoseWithCovarianceStamped) -> None:
        """A pose as it was published live; its map and state come with the status of the same stamp."""
        stamp = nanoseconds(message.header.stamp)
        if self._counts(stamp):
            self.seen.poses[stamp] = PoseRecord(matrix_from(message.pose.pose), -1, -1)

    def on_character(self, m: Character) -> None:
        """Something has come alive."""
        if self.recording:
            footprint = (float(m.footprint[0]), float(m.footprint[1])) if len(m.footprint) == 2 else None
            record = CharacterRecord(m.id, nanoseconds(m.header.stamp), bytes(m.glb), footprint)
            self.seen.characters = [c for c in self.seen.characters if c.id != m.id] + [record]

    def on_event(self, event: Event) -> None:
        """The source has been shown once: what comes after is not part of the run."""
        if event.source == "camera" and event.kind in ("ended", "starts over") and not self.ended.is_set():
            self.last_stamp = nanoseconds(event.header.stamp)
            self.ended.set()

    def _counts(self, stamp: int) -> bool:
        return self.recording and (self.last_stamp is None or stamp <= self.last_stamp)

    def on_diagnostics(self, message: DiagnosticArray) -> None:
        """Who is active, who complains."""
        for status in message.status:
            name = status.name.removeprefix("tsukumo: ")
            values = {pair.key: pair.value for pair in status.values}
            self.states[name] = values.get("state", "")
            self.errors[name] = status.message if status.level == status.ERROR else ""

    def finish(self) -> Observations:
        """Stop recording, close the video, join poses and states; what was recorded so far is kept whatever happens."""
        self.recording = False
        try:
            self.video.close()
        except RuntimeError as error:
            self.problem = self.problem or str(error)
        for stamp, record in self.seen.poses.items():
            state, _, map_id = self.seen.states.get(stamp, (-1, "", 0))
            self.seen.poses[stamp] = PoseRecord(record.T_map_camera, map_id, state)
        return self.seen


class RecorderThread:
    """Runs a recorder beside the main thread; use as a context manager."""

    def __init__(self, video: Path, masks: Path, fps: float, *, lockstep: bool = False) -> None:
        self._where, self._lockstep = (video, masks, fps), lockstep

    def __enter__(self) -> Recorder:
        rclpy.init()
        self.recorder = Recorder(*self._where, lockstep=self._lockstep)
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self.recorder

    def _run(self) -> None:
        while not self.ending.wait(POLL_S / 10 if self._lockstep else POLL_S):
            self.recorder.poll()

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self.thread.join(3)
        self.recorder.destroy_node()
        try_shutdown()
