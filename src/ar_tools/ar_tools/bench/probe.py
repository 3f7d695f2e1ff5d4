"""A subscriber in a process of its own: how long messages of running stages take to arrive. Topics are heard one at a time.

    python -m ar_tools.bench.probe SECONDS TOPIC…    # begins at a line on stdin; JSON on stdout

A hop is from the middleware's time stamp of a message, put on when it was written, to the whole Python message in the hands
of a subscriber that waits as our stages do; to it is added what serializing such a message takes here, which happens before
that stamp. What does not come was lost on the way: the queue is long enough for a probe that has to wait for its turn.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.serialization import serialize_message
from rclpy.utilities import try_shutdown

from ar_core import qos
from ar_core.conversions import nanoseconds
from ar_core.waiting import Waiter
from ar_tools import contract

# As reliable as the real subscribers.
PROFILES = {
    "camera/image_raw": qos.sensor(10),
    "segment/mask": qos.sensor(10),
    "render/image": qos.sensor(10),
    "render/image/compressed": qos.sensor(10),
    "detections": qos.reliable(10),
    "slam/pose": qos.reliable(10),
}


class Probe(Node):
    """Hears one topic at a time."""

    def __init__(self) -> None:
        super().__init__("probe", enable_rosout=False, start_parameter_services=False)
        self.inputs: list[Any] = []
        executor = SingleThreadedExecutor()
        executor.add_node(self)
        self._waiter = Waiter(self, executor)
        self.drain: Callable[[], None] = lambda: None

    def hear(self, topic: str, seconds: float) -> dict[str, Any]:
        """What came within so many seconds, as `figures.Hop`."""
        stamps: list[int] = []
        took: list[float] = []
        last: list[Any] = []

        def take(message: Any, info: Any) -> None:
            now = time.time_ns()
            stamps.append(nanoseconds(message.header.stamp))
            took.append((now - info["source_timestamp"]) / 1e6)
            last[:] = [message]

        def drain() -> None:
            while (taken := subscription.handle.take_message(subscription.msg_type, False)) is not None:
                take(*taken)

        callback: Any = take  # rclpy's type hints know nothing of the second argument
        subscription = self.create_subscription(kind_of(topic), topic, callback, PROFILES[topic])
        self.inputs, self.drain = [subscription], drain
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._waiter.turn(left)
            self.drain()
        self.inputs = []
        self._waiter.close()
        self.destroy_subscription(subscription)
        before, size = _serializing(last[0]) if last else (0.0, 0)
        return {"stamps": stamps, "took_ms": [t + before for t in took], "size": size}


def kind_of(topic: str) -> Any:
    """The message type of a topic of the contract."""
    package, _, name = contract.TOPICS[topic].split("/")
    return getattr(importlib.import_module(f"{package}.msg"), name)


def _serializing(message: Any) -> tuple[float, int]:
    """Milliseconds (the median of some), and the number of bytes."""
    took = []
    for _ in range(9):
        start = time.perf_counter()
        data = serialize_message(message)
        took.append((time.perf_counter() - start) * 1e3)
    return sorted(took)[4], len(data)


def main() -> None:
    """See the module's text."""
    seconds, topics = float(sys.argv[1]), sys.argv[2:]
    rclpy.init()
    probe = Probe()
    for topic in topics:
        kind_of(topic)  # import it before the time begins
    if sys.stdin.readline():
        print(json.dumps({topic: probe.hear(topic, seconds) for topic in topics}))
    probe.destroy_node()
    try_shutdown()


if __name__ == "__main__":
    main()
