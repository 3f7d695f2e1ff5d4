"""The node that stands around the one that is checked: it plays all the others, and keeps what comes back."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from ar_core import qos
from ar_core.conversions import nanoseconds
from ar_interfaces.msg import StageReport
from ar_tools import contract
from ar_tools.bench.probe import kind_of
from ar_tools.check_stage.expected import Expected

TURN_S = 0.02


class Got(NamedTuple):
    """A message that came: its stamp (ns), frame_id, when (CLOCK_MONOTONIC s), and of an image encoding and size."""

    stamp: int
    frame_id: str
    when: float
    encoding: str = ""
    size: tuple[int, int] = (0, 0)


class Rig(Node):
    """Publishes what `stage` hears, subscribes to what it says."""

    def __init__(self, stage: str, expected: Expected) -> None:
        super().__init__("check_stage", enable_rosout=False, start_parameter_services=False)
        self.stage, self.expected = stage, expected
        self.got: dict[str, list[Got]] = defaultdict(list)
        self.reports: list[StageReport] = []
        self.state = ""
        self.picture: Any = None  # the newest image that came
        self.inputs = {
            topic: self.create_publisher(
                kind_of(topic), topic, qos.latched(8) if topic in contract.LATCHED else qos.reliable(5)
            )
            for topic in expected.hears
        }
        for topic in expected.says:
            profile = qos.latched(8) if topic in contract.LATCHED else qos.reliable(50)
            self.create_subscription(kind_of(topic), topic, partial(self._keep, topic), profile)
        self.create_subscription(StageReport, f"{stage}/report", self.reports.append, qos.reliable(200))
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, qos.reliable(20))
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)

    def until(self, condition: Callable[[], Any], patience_s: float) -> bool:
        """Handle what arrives until something is so; False if it is not after so many turns.

        Turns are counted, not seconds: a machine that stands still takes no patience.
        """
        for _ in range(max(1, round(patience_s / TURN_S))):
            if condition():
                return True
            end = time.monotonic() + TURN_S
            self._executor.spin_once(timeout_sec=TURN_S)
            while not condition() and (left := end - time.monotonic()) > 0:
                self._executor.spin_once(timeout_sec=left)
        return bool(condition())

    def call(self, name: str, kind: type, request: Any, patience_s: float) -> Any:
        """A service's answer; None if there is none in time."""
        client = self.create_client(kind, name)
        answer = None
        if self.until(client.service_is_ready, patience_s):
            future = client.call_async(request)
            if self.until(future.done, patience_s):
                answer = future.result()
        self.destroy_client(client)
        return answer

    def arrives_late(self, topic: str, patience_s: float) -> bool:
        """Whether somebody who subscribes now still gets the last message of a latched topic."""
        came: list[Any] = []
        late = self.create_subscription(kind_of(topic), topic, came.append, qos.latched(8))
        self.until(lambda: came, patience_s)
        self.destroy_subscription(late)
        return bool(came)

    def reported(self, stamp: int) -> StageReport | None:
        """The report on the frame with this stamp."""
        return next((r for r in reversed(self.reports) if nanoseconds(r.header.stamp) == stamp), None)

    @property
    def reports_itself(self) -> bool:
        """Whether the stage has a report topic."""
        return self.count_publishers(f"{self.stage}/report") > 0

    def forget(self) -> None:
        """What came so far is no longer of interest."""
        self.got.clear()
        self.reports.clear()

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self.destroy_node()

    def _keep(self, topic: str, message: Any) -> None:
        header = message.transforms[0].header if hasattr(message, "transforms") else message.header
        found = Got(nanoseconds(header.stamp), header.frame_id, time.monotonic())
        if hasattr(message, "encoding"):
            found = found._replace(encoding=message.encoding, size=(message.width, message.height))
            self.picture = message
        self.got[topic].append(found)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == f"tsukumo: {self.stage}":
                self.state = next((pair.value for pair in status.values if pair.key == "state"), "")
