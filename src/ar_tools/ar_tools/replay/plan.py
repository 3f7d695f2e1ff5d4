"""What a bag holds, put in the order of its frames: which messages and requests belong to each picture. Knows no ROS.

A message belongs to the frame in whose report its stage names it. Live, some go out between two frames and are named by
none: they belong to the next frame that is reported. Of a stage without reports, messages belong to the frame with their
stamp. Latched messages from before the first frame belong to that one.

Pictures are read one by one, everything else a few seconds ahead of them, since what a stage says of a frame comes later.
"""

from __future__ import annotations

import struct
from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ar_tools import contract
from ar_tools.bags.decode import Decoder, stamp_of
from ar_tools.bags.definitions import definition
from ar_tools.bags.model import BagError, Message, Topic
from ar_tools.bags.reader import Bag
from ar_tools.replay.requests import Request, request_of

STAGES = ("detect", "segment", "slam", "character", "render")
IMAGE, COMPRESSED, INFO = "/camera/image_raw", "/camera/image_raw/compressed", "/camera/camera_info"
EVENTS = "/events"
AHEAD_NS = 5_000_000_000  # how much later than a picture what belongs to it may have been recorded
SKIPPED = 1  # StageReport.SKIPPED
TF = "tf2_msgs/msg/TFMessage"


class Said(NamedTuple):
    """A serialized message and its topic."""

    topic: str
    data: bytes


@dataclass(frozen=True)
class PlannedFrame:
    """One picture and what belongs to it: what the replaced stages said, and what was asked for."""

    stamp: int
    image: bytes
    info: bytes | None  # the calibration, with the picture's stamp; None: the bag has none
    said: dict[str, list[Said]]
    requests: list[Request]


def owner(topic: str) -> str:
    """The stage that publishes a topic of the contract."""
    return {"/detections": "detect", "/tf": "slam"}.get(topic) or topic.split("/")[1]


def topics_of(stage: str) -> list[str]:
    """The topics of the contract that a stage publishes, but for its reports."""
    names = ["/" + name.removeprefix("/") for name in contract.TOPICS]
    return [name for name in names if owner(name) == stage and name != f"/{stage}/report"]


class Item(NamedTuple):
    """A message of a replaced stage."""

    topic: str
    data: bytes
    stamp: int
    published: int


@dataclass
class Part:
    """What one stage said that is replaced: collects messages, and hands them out by frame."""

    reported: bool  # its reports are in the bag
    waiting: dict[str, deque[Item]] = field(default_factory=dict)
    reports: deque[Message] = field(default_factory=deque)
    due: list[tuple[int, Item]] = field(default_factory=list)  # with the stamp of the frame

    def report(self, stamp: int, published: int, names: Collection[str]) -> None:
        """The stage has handled the frame with this stamp: what it names, and what it said before, belongs to it."""
        named = Counter(names)
        for topic in dict.fromkeys([*names, *self.waiting]):
            queue = self.waiting.get(topic, deque())
            while queue and queue[0].stamp <= stamp and (named[topic] > 0 or queue[0].published < published):
                self.due.append((stamp, queue.popleft()))
                named[topic] -= 1

    def take(self, stamp: int) -> list[Said]:
        """What belongs to the frame with this stamp, and what was left of earlier ones."""
        if not self.reported:
            for queue in self.waiting.values():
                while queue and queue[0].stamp <= stamp:
                    self.due.append((stamp, queue.popleft()))
        taken = [Said(item.topic, item.data) for frame, item in self.due if frame <= stamp]
        self.due = [pair for pair in self.due if pair[0] > stamp]
        return taken

    def begin(self, stamp: int, published: int, latched: Collection[str]) -> None:
        """The first frame: latched messages from before it belong to it, others from before it are left out."""
        for topic, queue in self.waiting.items():
            early = [item.stamp < stamp and item.published < published for item in queue]
            if topic in latched:
                self.due += [(stamp, item) for item, old in zip(queue, early, strict=True) if old]
            if topic in latched or not self.reported:  # others are named by the reports of earlier frames
                self.waiting[topic] = deque(item for item, old in zip(queue, early, strict=True) if not old)

    def forget_before(self, stamp: int) -> None:
        """Leave out what belongs to frames before this one."""
        self.due = [pair for pair in self.due if pair[0] >= stamp]


class Plan:
    """A bag to be replayed to the stages `live`; a context manager. BagError, one line, also while iterating.

    `remaps`: names in the bag and what they are called here. `lockstep`: frames from a request to its effect.
    ``topics`` are those that will be published, ``lacking`` says what the bag does not have, ``left_out`` counts pictures
    whose stamps do not grow.
    """

    def __init__(
        self, path: Path, live: Collection[str], remaps: Mapping[str, str] | None = None, lockstep: int = 0
    ) -> None:
        self.path, self.live = path, live
        # Events of renderer and SLAM have the stamp of the frame before the first that they changed, and shall again.
        self._early = max(0, lockstep - 1)
        self.replaced = [stage for stage in STAGES[:-1] if stage not in live]  # nobody stands behind the last
        self.left_out = 0
        self._bag = Bag(path)
        try:
            self._bag_names = _names(self._bag, remaps or {})
            self._here = {there: here for here, there in self._bag_names.items()}
            known = {here: self._bag.topics[there] for here, there in self._bag_names.items() if self._count(here)}
            self.topics = self._published(known)
            self._decoder = Decoder(self._bag.definitions)
            self._parts = {stage: Part(f"/{stage}/report" in known) for stage in self.replaced}
            self._events = EVENTS in known
            self.lacking = self._lacking(known)
        except BaseException:
            self._bag.__exit__()
            raise

    def __enter__(self) -> Plan:
        return self

    def __exit__(self, *_: object) -> None:
        self._bag.__exit__()

    @property
    def pictures(self) -> int:
        """How many pictures the bag holds."""
        return self._count(IMAGE)

    def services(self) -> set[str]:
        """What the live stages were asked for in this run."""
        events = self._bag.messages({self._bag_names[EVENTS]}) if self._events else ()
        asked = [request_of(self._decoded(message), 0) for message in events]
        return {request.service for request in asked if request is not None and self._lives(request)}

    def _lives(self, request: Request) -> bool:
        return request.service.split("/")[0] in self.live

    def latched(self, topic: str) -> bool:
        """Whether late joiners shall get the last messages of a topic."""
        return self.topics[topic].latched or topic.removeprefix("/") in contract.LATCHED

    def frames(self) -> Iterator[PlannedFrame]:
        """The pictures in the order of the recording, each with what belongs to it."""
        with Bag(self.path) as pictures:
            rest = self._rest()
            ahead = next(rest, None)
            infos: deque[tuple[int, bytes]] = deque()
            asked: list[Request] = []
            held: deque[PlannedFrame] = deque()
            last = -1
            for picture in pictures.messages({self._bag_names[IMAGE]}):
                stamp = self._stamp(IMAGE, picture)
                if stamp <= last:
                    self.left_out += 1
                    continue
                while ahead is not None and ahead.log_time <= picture.log_time + AHEAD_NS:
                    self._sort(self._here[ahead.topic], ahead, infos, asked)
                    ahead = next(rest, None)
                for part in self._parts.values():
                    if last < 0:
                        part.begin(stamp, picture.publish_time, [name for name in self.topics if self.latched(name)])
                    self._read_reports(part, picture.log_time + AHEAD_NS // 2)
                    if last < 0:
                        part.forget_before(stamp)
                while len(infos) > 1 and infos[1][0] <= stamp:
                    infos.popleft()
                info = restamped(infos[0][1], stamp) if infos else None
                said = {stage: part.take(stamp) for stage, part in self._parts.items()}
                held.append(PlannedFrame(stamp, picture.data, info, said, []))
                for request in asked:
                    if request.stamp <= stamp:
                        held[0 if request.service.startswith(("render/", "slam/")) else -1].requests.append(request)
                asked = [request for request in asked if request.stamp > stamp]
                if len(held) > self._early:
                    yield held.popleft()
                last = stamp
            yield from held

    # ---- reading

    def _rest(self) -> Iterator[Message]:
        reports = {f"/{stage}/report" for stage, part in self._parts.items() if part.reported}
        wanted = ({*self.topics, *reports} | ({EVENTS} if self._events else set())) - {IMAGE}
        return self._bag.messages({there for there, name in self._here.items() if name in wanted})

    def _sort(self, topic: str, message: Message, infos: deque[tuple[int, bytes]], asked: list[Request]) -> None:
        stamp = self._stamp(topic, message)
        if topic == INFO:
            infos.append((stamp, message.data))
        elif topic == EVENTS:
            request = request_of(self._decoded(message), stamp)
            if request is not None and self._lives(request):
                asked.append(request)
        elif topic in self.topics:
            queue = self._parts[owner(topic)].waiting.setdefault(topic, deque())
            queue.append(Item(topic, message.data, stamp, message.publish_time))
        else:
            self._parts[owner(topic)].reports.append(message)

    def _read_reports(self, part: Part, until: int) -> None:
        while part.reports and part.reports[0].log_time <= until:
            message = part.reports.popleft()
            report = self._decoded(message)
            if report.outcome != SKIPPED or report.published:  # skipped frames are reported early
                names = [self._here.get(name, name) for name in report.published]
                part.report(stamp_of(message.data), message.publish_time, names)

    def _stamp(self, topic: str, message: Message) -> int:
        try:
            return stamp_of(message.data, sequence=message.type == TF)
        except ValueError as error:
            raise BagError(f"{self.path}: {topic}: {error}") from None

    def _decoded(self, message: Message) -> Any:
        try:
            return self._decoder(message.type, message.data)
        except BagError as error:
            raise BagError(f"{self.path}: {message.topic}: {error}") from None

    # ---- what there is

    def _count(self, topic: str) -> int:
        return self._bag.counts.get(self._bag_names.get(topic, ""), 0)

    def _published(self, known: Mapping[str, Topic]) -> dict[str, Topic]:
        if IMAGE not in known:
            raise BagError(f"{self.path}: no pictures on camera/image_raw{self._hint(known)}")
        wanted = [IMAGE, INFO, *(topic for stage in self.replaced for topic in topics_of(stage))]
        kinds = {"/" + name.removeprefix("/"): kind for name, kind in contract.TOPICS.items()}
        for name in (name for name in wanted if name in known):
            topic, here = known[name], definition(kinds[name]).type_hash
            if topic.type != kinds[name]:
                raise BagError(f"{self.path}: {name} is {topic.type}, not {kinds[name]} (remap it to another name?)")
            if topic.type_hash and here and topic.type_hash != here:
                raise BagError(f"{self.path}: {name} was recorded with another version of {topic.type}")
        return {name: known[name] for name in wanted if name in known}

    def _hint(self, known: Mapping[str, Topic]) -> str:
        if COMPRESSED in known:
            return f", only compressed ones: show them with ./tsukumo demo --source {self.path}"
        others = [name for name, topic in known.items() if topic.type == "sensor_msgs/msg/Image"]
        return f" (try: --remap {others[0]}:=camera/image_raw)" if others else ""

    def _lacking(self, known: Mapping[str, Topic]) -> list[str]:
        lines = []
        if INFO not in known:
            lines.append("no camera/camera_info: the field of view is guessed")
        for stage, part in self._parts.items():
            if not any(name in known for name in topics_of(stage)):
                lines.append(f"nothing of {stage}, which is not among the live stages")
            elif not part.reported:
                lines.append(f"no {stage}/report: what {stage} said goes by its stamps")
        if EVENTS not in known and "segment" in self.live:
            lines.append("no events: nothing is asked to come alive")
        return lines


def _names(bag: Bag, remaps: Mapping[str, str]) -> dict[str, str]:
    """The bag's topics by what they are called here; of two with one name the remapped."""
    absolute = {"/" + there.removeprefix("/"): "/" + here.removeprefix("/") for there, here in remaps.items()}
    unknown = [there for there in absolute if there not in bag.topics]
    if unknown:
        raise BagError(f"{bag.path}: --remap {unknown[0]}: the bag has no such topic")
    return {name: name for name in bag.topics if name not in absolute} | {to: name for name, to in absolute.items()}


def restamped(data: bytes, stamp: int) -> bytes:
    """A serialized message that begins with a header, with another stamp (ns)."""
    order = "<" if data[1:2] in (b"\x01", b"\x03") else ">"
    return data[:4] + struct.pack(order + "iI", stamp // 1_000_000_000, stamp % 1_000_000_000) + data[12:]
