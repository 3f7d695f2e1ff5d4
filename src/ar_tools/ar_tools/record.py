"""``tsukumo record``: whatever the graph says, as it was serialized, into a bag."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rclpy.subscription import Subscription
from rclpy.utilities import try_shutdown

from ar_core import qos
from ar_core.running import check_middleware
from ar_tools import contract
from ar_tools.bags.definitions import definition
from ar_tools.bags.model import INFINITE_NS, Qos, Topic
from ar_tools.bags.writer import BagWriter, ros_distro
from ar_tools.recording import Limits, Recording

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
DEPTH = 100  # three seconds of a camera, should the disk be that slow


@dataclass
class Input:
    """A topic that is recorded."""

    topic: str
    subscription: Subscription
    profile: QoSProfile
    written: bool = False  # the bag knows of it


class BagRecorder(Node):
    """Subscribes without deserializing, with the QoS that the publishers offer, as soon as they are there.

    Topics of the contract are subscribed at once, so that nothing of a graph that starts later is missed.
    """

    def __init__(self, topics: list[str], writer: BagWriter, beside: Node | None = None) -> None:
        """`beside`: a node of this process, in whose namespace and under whose name the recorder goes."""
        super().__init__(
            f"{beside.get_name()}_bag" if beside else "recorder",
            namespace=beside.get_namespace() if beside else None,
            use_global_arguments=beside is None,
            enable_rosout=False,
            start_parameter_services=False,
        )
        self._writer = writer
        self._inputs: dict[str, Input] = {}
        self._missing: list[str] = []
        known = {self.resolve_topic_name(name): name for name in contract.TOPICS}
        for name in dict.fromkeys(self.resolve_topic_name(name) for name in topics):
            if name in known:
                latched = known[name] in contract.LATCHED
                self._subscribe(
                    name, contract.TOPICS[known[name]], qos.latched(DEPTH) if latched else qos.reliable(DEPTH)
                )
            else:
                self._missing.append(name)

    def discover(self) -> None:
        """Look who publishes: subscribe to what is new, adapt to what is offered, tell the bag."""
        if self._missing:
            types = dict(self.get_topic_names_and_types())
            for name in [name for name in self._missing if types.get(name)]:
                self._missing.remove(name)
                self._subscribe(name, types[name][0], qos.reliable(DEPTH))
        for source in self._inputs.values():
            publishers = self.get_publishers_info_by_topic(source.topic)
            if not publishers:
                continue
            wanted = _adapted([publisher.qos_profile for publisher in publishers])
            if (wanted.reliability, wanted.durability) != (source.profile.reliability, source.profile.durability):
                self.destroy_subscription(source.subscription)
                source.subscription = self._subscription(source.topic, publishers[0].topic_type, wanted)
                source.profile = wanted
            if not source.written:
                self._introduce(source, publishers)

    def take(self, until: int = INFINITE_NS) -> None:
        """Write what has arrived (``until`` then, ns since the epoch); OSError when the disk is full."""
        write = self._writer.write
        for source in self._inputs.values():
            if not source.written:
                continue  # it waits in the middleware for the next ``discover``
            handle, kind = source.subscription.handle, source.subscription.msg_type
            with handle:
                while (taken := handle.take_message(kind, True)) is not None:
                    data, info = taken
                    if info["received_timestamp"] <= until:
                        write(source.topic, info["received_timestamp"], info["source_timestamp"], data)

    @property
    def silent(self) -> list[str]:
        """Topics that nobody publishes."""
        return [*self._missing, *(source.topic for source in self._inputs.values() if not source.written)]

    def _subscribe(self, topic: str, kind: str, profile: QoSProfile) -> None:
        try:
            self._inputs[topic] = Input(topic, self._subscription(topic, kind, profile), profile)
        except (ImportError, AttributeError):
            print(f"tsukumo: {topic}: its type {kind} is not installed here; it is not recorded", file=sys.stderr)

    def _subscription(self, topic: str, kind: str, profile: QoSProfile) -> Subscription:
        package, _, name = kind.replace("/msg/", "/").partition("/")
        message_type = getattr(importlib.import_module(f"{package}.msg"), name)
        return self.create_subscription(message_type, topic, lambda _: None, profile, raw=True)

    def _introduce(self, source: Input, publishers: list[Any]) -> None:
        kind = publishers[0].topic_type
        known = definition(kind)
        offered = tuple(_as_offered(publisher.qos_profile) for publisher in publishers)
        self._writer.add_topic(Topic(source.topic, kind, offered, str(publishers[0].topic_type_hash)), known)
        source.written = True


def _adapted(offers: list[QoSProfile]) -> QoSProfile:
    """The strongest request that matches every offer, as ``ros2 bag record`` makes it."""
    profile = qos.reliable(DEPTH)
    if any(offer.reliability != ReliabilityPolicy.RELIABLE for offer in offers):
        profile.reliability = ReliabilityPolicy.BEST_EFFORT
    if all(offer.durability == DurabilityPolicy.TRANSIENT_LOCAL for offer in offers):
        profile.durability = DurabilityPolicy.TRANSIENT_LOCAL
    return profile


def _as_offered(profile: QoSProfile) -> Qos:
    return Qos(
        profile.reliability.name.lower(),
        profile.durability.name.lower(),
        profile.history.name.lower(),
        profile.depth,
        profile.deadline.nanoseconds,
        profile.lifespan.nanoseconds,
        profile.liveliness.name.lower(),
        profile.liveliness_lease_duration.nanoseconds,
        bool(profile.avoid_ros_namespace_conventions),
    )


def record(
    topics: list[str],
    output: Path,
    *,
    storage: str = "mcap",
    compressed: bool = False,
    limits: Limits | None = None,
    verbose: bool = False,
) -> int:
    """Record until SIGINT, SIGTERM or a limit; the exit code. No topics: everything of the topic contract."""
    check_middleware()
    keep_memory()
    ending = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: ending.set())
    writer = BagWriter(output, storage, ros_distro=ros_distro())
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        recorder = BagRecorder(topics or contract.topics(compressed=compressed), writer)
        recording = Recording(recorder, writer, limits or Limits())
        _say(f"recording into {output} (Ctrl-C ends it)")
        recording.run(ending, _say if verbose else lambda _: None)
        recorder.destroy_node()
    finally:
        try_shutdown()
    if recording.silent:
        _say(f"nobody published {', '.join(recording.silent)}")
    if recording.problem:
        _say(recording.problem)
    seconds, megabytes = writer.metadata.duration / 1e9, recording.size / 1e6
    _say(
        f"{output}: {writer.messages} messages, {seconds:.1f} s, {megabytes:.1f} MB, {time.process_time():.1f} s of CPU"
    )
    return 1 if recording.problem else 0


def keep_memory() -> None:
    """Tell glibc to keep the memory of a message for the next: giving it back and forth is a third of the work."""
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, 32 * 2**20)
        libc.mallopt(M_TRIM_THRESHOLD, 256 * 2**20)


def _say(text: str) -> None:
    print(f"tsukumo: {text}", file=sys.stderr, flush=True)
