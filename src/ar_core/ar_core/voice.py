"""What a stage says of itself: reports, events, diagnostics, and complaints about what it was sent."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from typing import Any

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Header

from ar_core import qos
from ar_core.allocator import give_back_now_and_then
from ar_core.diagnostics import CpuMeter, stage_status
from ar_core.profiler import thread_cpu_ns
from ar_core.statistics import Statistics, resident_mb
from ar_interfaces.msg import Event, StageReport


class Voice(LifecycleNode):
    """A lifecycle node that reports, counts and complains; `Stage` adds the work."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.statistics = Statistics()
        self.notes: dict[str, str] = {}
        self.pending = False
        self.error = ""
        self.items = 0
        self._state = "unconfigured"
        self._published: list[str] = []
        self.alone = True  # in its process
        self.threads: list[int] = []
        self._cpu = CpuMeter(self.cpu_s)
        self._reports = self.create_publisher(StageReport, f"{name}/report", qos.reliable(50))
        self._events = self.create_publisher(Event, "events", qos.reliable(50))
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", qos.reliable(5))

    def cpu_s(self) -> float:
        """CPU seconds of the process so far; of the node's own threads, where it shares a process with others."""
        return time.process_time() if self.alone else sum(map(thread_cpu_ns, self.threads)) * 1e-9

    def event(self, stamp: Time, kind: str, **fields: Any) -> None:
        """Say that something took effect at the frame with this stamp (fields as in Event.msg)."""
        self._events.publish(Event(header=Header(stamp=stamp), source=self.get_name(), kind=kind, **fields))

    def report(
        self,
        header: Header,
        received: float,
        started: float,
        finished: float,
        cpu_ms: float,
        outcome: int = StageReport.PUBLISHED,
        reason: str = "",
        published: Sequence[str] | None = None,
    ) -> None:
        """Say what became of the frame with this header (CLOCK_MONOTONIC seconds); ``process`` needs no such call."""
        self._reports.publish(
            StageReport(
                header=header,
                stage=self.get_name(),
                outcome=outcome,
                reason=reason,
                published=self._published if published is None else published,
                items=self.items,
                received=received,
                started=started,
                finished=finished,
                cpu_ms=cpu_ms,
                process_cpu_s=self.cpu_s(),
                rss_mb=resident_mb(),
                pending=self.pending,
            )
        )

    def warn_once(self, what: str) -> None:
        """A warning that is said the first time and counted from then on."""
        if self.statistics.reject(what):
            self.get_logger().warning(what)

    def complain(self, where: str, error: Exception) -> None:
        """Bad input is a warning; anything else is a fault of ours and shows where it happened, once."""
        if not self.context.ok():  # on the way out: nothing can be published any more
            return
        text = f"{where}: {one_line(error)}"
        if self.statistics.reject(text):
            if isinstance(error, ValueError):
                self.get_logger().warning(text)
            else:
                self.get_logger().error(text + "\n" + "".join(traceback.format_exception(error)))

    def publish_diagnostics(self) -> None:
        """State, rates, latencies, counts and notes on ``/diagnostics``."""
        name, namespace, percent = self.get_name(), self.get_namespace(), self._cpu.percent()
        status = stage_status(name, namespace, self._state, self.error, self.statistics, percent, dict(self.notes))
        array = DiagnosticArray(status=[status])
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)
        give_back_now_and_then()


def one_line(error: Exception) -> str:
    """An error's text without line breaks; its type too unless it is about bad input."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if isinstance(error, ValueError) else f"{type(error).__name__}: {text}"
