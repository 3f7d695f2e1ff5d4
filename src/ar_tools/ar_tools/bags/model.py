"""What a bag is made of: topics with the QoS they were offered with, definitions of their types, serialized messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

INFINITE_NS = 2**63 - 1
NO_TIME_NS = 2**63 - 1  # starting time of a bag without messages, as rosbag2 writes it


class BagError(ValueError):
    """A bag that cannot be read or written; the text is one line for the user."""


@dataclass(frozen=True)
class Qos:
    """A publisher's offer in the words of rosbag2. Discovery does not carry history and depth: unknown and 0 in most bags."""

    reliability: str = "reliable"
    durability: str = "volatile"
    history: str = "unknown"
    depth: int = 0
    deadline_ns: int = INFINITE_NS
    lifespan_ns: int = INFINITE_NS
    liveliness: str = "automatic"
    lease_ns: int = INFINITE_NS
    avoid_ros_namespace_conventions: bool = False


@dataclass(frozen=True)
class Topic:
    """A topic of a bag: ``name`` absolute, ``type`` like ``sensor_msgs/msg/Image``, ``type_hash`` RIHS01 or empty."""

    name: str
    type: str
    qos: tuple[Qos, ...] = ()
    type_hash: str = ""
    serialization: str = "cdr"

    @property
    def latched(self) -> bool:
        """Whether every publisher keeps its last messages for late joiners."""
        return bool(self.qos) and all(q.durability == "transient_local" for q in self.qos)


@dataclass(frozen=True)
class Definition:
    """The text of a message type and of all types it is made of, joined as rosbag2 and mcap do."""

    type: str
    text: str = ""
    encoding: str = "ros2msg"
    type_hash: str = ""


class Message(NamedTuple):
    """One serialized message (CDR with its four bytes of encapsulation); times in nanoseconds since the epoch."""

    topic: str
    type: str
    data: bytes
    log_time: int
    publish_time: int


@dataclass
class FileRecord:
    """One storage file of a bag: first and last log time (ns) and how many messages."""

    path: str
    messages: int = 0
    start: int = NO_TIME_NS
    end: int = 0

    def count(self, log_time: int) -> None:
        """One more message."""
        self.messages += 1
        self.start = min(self.start, log_time)
        self.end = max(self.end, log_time)

    @property
    def duration(self) -> int:
        """Nanoseconds from first to last message."""
        return self.end - self.start if self.messages else 0


@dataclass
class Metadata:
    """What ``metadata.yaml`` says."""

    storage: str
    files: list[FileRecord] = field(default_factory=list)
    topics: dict[str, Topic] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    ros_distro: str = "jazzy"
    compression_format: str = ""
    compression_mode: str = ""

    @property
    def messages(self) -> int:
        """In all files."""
        return sum(file.messages for file in self.files)

    @property
    def start(self) -> int:
        """Log time of the first message."""
        return min((file.start for file in self.files), default=NO_TIME_NS)

    @property
    def duration(self) -> int:
        """Nanoseconds from the first message to the last."""
        return max((file.end for file in self.files), default=0) - self.start if self.messages else 0


@dataclass
class Salvage:
    """What can still be read of a storage file; ``messages()`` may be called again and again."""

    topics: dict[str, Topic]
    definitions: dict[str, Definition]
    messages: Callable[[], Iterator[Message]]
    problems: list[str] = field(default_factory=list)  # none: nothing is missing
    storage: str = "mcap"
