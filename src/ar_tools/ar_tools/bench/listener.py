"""The node of ``bench graph``: hears what the stages report of every frame, and nothing that is large."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from rclpy.qos import QoSProfile

from ar_core import qos
from ar_core.conversions import nanoseconds
from ar_core.waiting import take_all
from ar_interfaces.msg import StageReport
from ar_tools.contract import STAGES
from ar_tools.observations import StageRecord
from ar_tools.recorder import stage_record


class Listener(Node):
    """Keeps all reports; ``errors`` says which stage cannot work and why. Nothing happens but in ``poll``."""

    def __init__(self) -> None:
        super().__init__("bench", enable_rosout=False, start_parameter_services=False)
        self.reports: dict[str, list[StageRecord]] = defaultdict(list)
        self.sent: dict[str, list[int]] = defaultdict(list)  # topic -> stamps with which it was published
        self.errors: dict[str, str] = {}
        self._inputs: list[tuple[Any, Callable[[Any], None]]] = []
        for stage in STAGES:
            self._listen(StageReport, f"{stage}/report", partial(self._on_report, stage), qos.reliable(300))
        self._listen(DiagnosticArray, "/diagnostics", self._on_diagnostics, qos.reliable(20))

    def poll(self) -> None:
        """Take what has arrived."""
        take_all(self._inputs)

    @property
    def awake(self) -> bool:
        """Whether a picture has shown a character."""
        return any(record.items for record in self.reports["render"])

    @property
    def doubled(self) -> list[str]:
        """Stages of which there are two: another graph is on this ROS domain."""
        return [stage for stage in STAGES if self.count_publishers(f"{stage}/report") > 1]

    def _listen(self, kind: type, topic: str, callback: Callable[[Any], None], profile: QoSProfile) -> None:
        self._inputs.append((self.create_subscription(kind, topic, callback, profile), callback))

    def _on_report(self, stage: str, message: StageReport) -> None:
        self.reports[stage].append(stage_record(message))
        for topic in message.published:
            self.sent[topic.removeprefix("/")].append(nanoseconds(message.header.stamp))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            name = status.name.removeprefix("tsukumo: ")
            self.errors.pop(name, None)
            if status.level == DiagnosticStatus.ERROR:
                self.errors[name] = status.message
