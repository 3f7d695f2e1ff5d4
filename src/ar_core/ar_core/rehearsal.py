"""For tests of stages: the stage, and a peer that plays the rest of the graph, spun in a thread."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from ar_core.stage import Stage

PATIENCE_S = 60.0  # what takes longer hangs; a busy machine is no failure


@contextmanager
def ros(words: Sequence[str] = ()) -> Iterator[None]:
    """ROS, among the processes of this machine that have the same domain; `words`: ROS's part of a command line."""
    os.environ.setdefault("ROS_DOMAIN_ID", str(100 + os.getpid() % 100))
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    rclpy.init(args=["--ros-args", *words])
    yield
    rclpy.shutdown()


class Rehearsal:
    """``begin`` when the peer has its publishers, ``close`` at the end; nothing is waited for by sleeping a given time."""

    def __init__(self, stage: Stage[Any], peer: Node) -> None:
        self.node, self.peer = stage, peer
        self.executor = SingleThreadedExecutor()
        for node in (stage, peer):
            self.executor.add_node(node)
        self.thread = threading.Thread(target=self.executor.spin, daemon=True)
        self.thread.start()

    def begin(self, *publishers: Any) -> None:
        """Activate the stage; returns when it hears these publishers of the peer."""
        assert self.node.trigger_configure().name == "SUCCESS"
        assert self.node.trigger_activate().name == "SUCCESS"
        self.until(lambda: all(publisher.get_subscription_count() > 0 for publisher in publishers))

    def until(self, condition: Callable[[], Any]) -> None:
        """Returns when the condition holds; AssertionError if that never comes."""
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.002)

    def close(self) -> None:
        """End both."""
        self.executor.shutdown()
        self.thread.join(PATIENCE_S)
        self.node.stop()
        for node in (self.node, self.peer):
            node.destroy_node()
