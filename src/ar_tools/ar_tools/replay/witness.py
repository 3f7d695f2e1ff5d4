"""Records a replay, and in lock-step takes part in it: it reports a frame when all that belongs to it has been written."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from rclpy.serialization import deserialize_message
from std_msgs.msg import Header

from ar_core import qos
from ar_core.conversions import nanoseconds, stamp_from
from ar_core.lockstep import Steps
from ar_interfaces.msg import StageReport
from ar_tools.bags.writer import FLUSH_S, BagWriter, ros_distro
from ar_tools.record import BagRecorder
from ar_tools.recording import DISCOVERY_S
from ar_tools.replay.plan import owner

NAME = "recorder"


class ObservedWriter(BagWriter):
    """A bag that tells of every message that was written."""

    def __init__(self, folder: Path, written: Callable[[str, bytes], None]) -> None:
        super().__init__(folder, ros_distro=ros_distro())
        self._written = written

    def write(self, topic: str, log_time: int, publish_time: int, data: bytes) -> None:
        """Add a serialized message."""
        super().write(topic, log_time, publish_time, data)
        self._written(topic, data)


class Witness:
    """Records `topics` into a new bag; of `stages` it awaits, for each frame, what their reports name."""

    def __init__(self, folder: Path, topics: list[str], stages: Iterable[str]) -> None:
        self.writer = ObservedWriter(folder, self._written)
        self.recorder = BagRecorder(topics, self.writer)
        self._reports = self.recorder.create_publisher(StageReport, f"{NAME}/report", qos.reliable(200))
        self._steps = Steps()
        self._frames: deque[int] = deque()  # of which not everything has been written yet
        self._stages = {f"/{stage}/report": stage for stage in stages}
        for topic in topics:
            if owner(topic) in self._stages.values() and topic not in self._stages:
                self._steps.expect(owner(topic), topic)
        self._flushed = self._discovered = 0.0

    def poll(self) -> None:
        """Write what has arrived; OSError when the disk is full."""
        now = time.monotonic()
        if now >= self._discovered + DISCOVERY_S:
            self.recorder.discover()
            self._discovered = now
        self.recorder.take()
        if now >= self._flushed + FLUSH_S:
            self.writer.flush()
            self._flushed = now
        while self._frames and not self._steps.missing(self._frames[0]):
            stamp = self._frames.popleft()
            self._steps.take(stamp)
            self._reports.publish(StageReport(header=Header(stamp=stamp_from(stamp)), stage=NAME))

    def close(self) -> None:
        """Finish the bag; OSError if the disk cannot be trusted to have all of it."""
        try:
            self.writer.close()
        finally:
            self.recorder.destroy_node()

    def _written(self, topic: str, data: bytes) -> None:
        stage = self._stages.get(topic)
        if stage is None:
            self._steps.message(topic, lambda: None)
            return
        report = deserialize_message(data, StageReport)
        stamp = nanoseconds(report.header.stamp)
        self._steps.report(stage, stamp, list(report.published))
        if stage == "camera":
            self._steps.frame(stamp)
            self._frames.append(stamp)
