"""A node inside the test that listens to a graph and talks to it."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any

import rclpy
from conftest import until
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from ar_core import qos
from ar_core.conversions import nanoseconds


class Watcher:
    """Keeps every message of the topics it is told to listen to; use as a context manager."""

    def __init__(self) -> None:
        self.messages: dict[str, list[Any]] = defaultdict(list)

    def __enter__(self) -> Watcher:
        self.context = Context()
        rclpy.init(context=self.context)
        self.node = Node("watcher", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self.executor.spin, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.executor.shutdown()
        self.thread.join(5)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)

    def listen(self, kind: type, topic: str, latched: bool = False) -> None:
        """Start to keep a topic's messages."""
        profile = qos.latched(8) if latched else qos.reliable(100)
        self.node.create_subscription(kind, topic, self.messages[topic].append, profile)

    def stamps(self, topic: str) -> list[int]:
        """Stamps, in nanoseconds, of what came on a topic."""
        return [nanoseconds(m.header.stamp) for m in list(self.messages[topic])]

    def call(self, kind: type, name: str, request: Any, patience_s: float = 30.0) -> Any:
        """Call a service and wait for the answer."""
        client = self.node.create_client(kind, name)
        assert client.wait_for_service(patience_s), f"there is no service {name}"
        future = client.call_async(request)
        until(future.done, patience_s, f"an answer of {name}")
        self.node.destroy_client(client)
        return future.result()
