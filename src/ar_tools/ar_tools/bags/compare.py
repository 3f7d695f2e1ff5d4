"""``tsukumo compare``: what differs between two bags, message by message.

Messages of a topic are matched by their header stamps (those without a header by their order). Bytes decide first; where they
differ the messages are decoded and serialized again, so that padding does not count. Log times are never compared: they are
shown as rates and delays. Reports and diagnostics hold measurements of the run itself and do not decide unless required.
"""

from __future__ import annotations

import hashlib
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from ar_tools import contract
from ar_tools.bags.decode import Decoder, stamp_of
from ar_tools.bags.differences import SMALLER_IS_WORSE, first_field, measure
from ar_tools.bags.model import BagError, Message
from ar_tools.bags.reader import Bag

MEASUREMENTS = {"ar_interfaces/msg/StageReport", "diagnostic_msgs/msg/DiagnosticArray"}
REPORT = "ar_interfaces/msg/StageReport"
TF = "tf2_msgs/msg/TFMessage"
INPUTS = ("/camera/image_raw", "/camera/image_raw/compressed", "/camera/camera_info")
OTHER_CLOCK_NS = 60 * 10**9  # so far from its stamp no message is logged
SKIPPED = 1  # StageReport.SKIPPED
REPLACED = "a newer frame came first"  # ar_core.stage: not a decision, a frame that was too late


class Key(NamedTuple):
    """What matches two messages: the stamp (ns; 0 without a header), and the how-many-eth it is with that stamp."""

    stamp: int
    number: int


@dataclass(frozen=True)
class Difference:
    """Two matched messages that are not the same."""

    key: Key
    text: str
    metrics: dict[str, float]
    data: tuple[bytes, bytes]


@dataclass
class TopicIndex:
    """A topic of one bag: digest and log time of each message.

    sent: by stamp, when the picture with it was logged, where stamps are no times of that clock, as in a replay.
    """

    type: str = ""
    type_hash: str = ""
    latched: bool = False
    digests: dict[Key, bytes] = field(default_factory=dict)
    times: dict[Key, int] = field(default_factory=dict)
    sent: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Messages per second of log time; 0 for fewer than two."""
        times = sorted(self.times.values())
        return (len(times) - 1) / ((times[-1] - times[0]) / 1e9) if len(times) > 1 and times[-1] > times[0] else 0.0

    @property
    def delay_ms(self) -> float | None:
        """Median of log time minus stamp, milliseconds; None without stamps."""
        delays = [delay for _, delay in self.delays()]
        return statistics.median(delays) if delays else None

    def delays(self) -> list[tuple[float, float]]:
        """Stamps in seconds, and how many milliseconds after them messages were logged."""
        since = [
            (key.stamp, time, self.sent.get(key.stamp) if self.sent else key.stamp) for key, time in self.times.items()
        ]
        return [(stamp / 1e9, (time - begun) / 1e6) for stamp, time, begun in since if stamp and begun is not None]


@dataclass
class TopicResult:
    """What the comparison found about one topic."""

    name: str
    sides: tuple[TopicIndex, TopicIndex]
    decides: bool
    failures: list[str] = field(default_factory=list)  # of a required topic
    differences: list[Difference] = field(default_factory=list)
    equal: int = 0

    @property
    def only(self) -> tuple[list[Key], list[Key]]:
        """Messages that only the first bag has, and only the second."""
        one, other = self.sides[0].digests, self.sides[1].digests
        return [k for k in one if k not in other], [k for k in other if k not in one]

    @property
    def same(self) -> bool:
        """Whether both bags hold the same messages of this topic."""
        return (
            not self.differences and self.sides[0].digests.keys() == self.sides[1].digests.keys() and not self.type_text
        )

    @property
    def type_text(self) -> str:
        """What is different about the type; empty if nothing."""
        one, other = self.sides
        if not one.digests or not other.digests:
            return ""
        if one.type != other.type:
            return f"type {one.type}, {other.type}"
        known = one.type_hash and other.type_hash
        return f"two versions of {one.type}" if known and one.type_hash != other.type_hash else ""

    @property
    def first(self) -> tuple[Key, str] | None:
        """The first difference in time."""
        found = [(d.key, d.text) for d in self.differences]
        for which, keys in enumerate(self.only, 1):
            found += [(key, f"only in bag {which}") for key in keys]
        return min(found, key=lambda pair: pair[0], default=None)

    def worst(self, metric: str) -> float | None:
        """The worst value of a metric."""
        values = [d.metrics[metric] for d in self.differences if metric in d.metrics]
        return None if not values else min(values) if metric in SMALLER_IS_WORSE else max(values)


@dataclass
class Comparison:
    """Two bags compared."""

    paths: tuple[Path, Path]
    topics: list[TopicResult]
    frames: tuple[int, int]  # input frames

    @property
    def identical(self) -> bool:
        """Whether everything that decides is the same and nothing required is missing."""
        return all(t.same and not t.failures for t in self.topics if t.decides)

    @property
    def first(self) -> tuple[TopicResult, Key, str] | None:
        """The first difference in time of what decides; of those with one stamp the one that comes first in the graph."""
        found = [(t, *t.first) for t in self.topics if t.decides and t.first is not None]
        return min(found, key=lambda f: (f[1].stamp, self.topics.index(f[0])), default=None)


def compare(path1: Path, path2: Path, required: Iterable[str] = ()) -> Comparison:
    """Compare two bags; BagError if one cannot be read."""
    wanted = [name if name.startswith("/") else f"/{name}" for name in required]
    with Bag(path1) as one, Bag(path2) as other:
        bags = (one, other)
        decoders = (Decoder(one.definitions), Decoder(other.definitions))
        indexes = tuple(_index(bag, decoder) for bag, decoder in zip(bags, decoders, strict=True))
        for index in indexes:
            sent = _logged(index)
            for topic in index.values():
                topic.sent = sent
        names = sorted({*indexes[0], *indexes[1], *wanted}, key=_place)
        results = {}
        for name in names:
            sides = (indexes[0].get(name, TopicIndex()), indexes[1].get(name, TopicIndex()))
            kind = sides[0].type or sides[1].type
            results[name] = TopicResult(name, sides, name in wanted if wanted else kind not in MEASUREMENTS)
        _compare_contents(bags, decoders, results)
        frames = tuple(_input_frames(index) for index in indexes)
        for number, (bag, decoder) in enumerate(zip(bags, decoders, strict=True)):
            owed = frames[number] or frames[1 - number]
            excuses = _excused(bag, decoder) if wanted else {}
            for name in wanted:
                _check(results[name], number, owed, excuses.get(name, set()))
        return Comparison((path1, path2), list(results.values()), (len(frames[0]), len(frames[1])))


def _logged(index: dict[str, TopicIndex]) -> dict[int, int]:
    """By stamp, when the picture was logged; empty where stamps are times of the log's clock."""
    pictures = next((index[name] for name in INPUTS if name in index and index[name].times), TopicIndex())
    at = {key.stamp: time for key, time in pictures.times.items()}
    off = [abs(time - stamp) for stamp, time in at.items()]
    return at if off and statistics.median(off) > OTHER_CLOCK_NS else {}


def _place(name: str) -> tuple[int, str]:
    order = ["/" + topic.removeprefix("/") for topic in contract.TOPICS]
    return (order.index(name) if name in order else len(order)), name


def _index(bag: Bag, decoder: Decoder) -> dict[str, TopicIndex]:
    found = {}
    for name, topic in bag.topics.items():
        kind = bag.definitions.get(topic.type)
        found[name] = TopicIndex(topic.type, topic.type_hash or (kind.type_hash if kind else ""), topic.latched)
    for name, key, message in _keyed(bag, decoder, None):
        found[name].digests[key] = hashlib.blake2b(message.data, digest_size=16).digest()
        found[name].times[key] = message.log_time
    return found


def _keyed(bag: Bag, decoder: Decoder, names: set[str] | None) -> Iterator[tuple[str, Key, Message]]:
    headed = {name: topic.type == TF or decoder.has_header(topic.type) for name, topic in bag.topics.items()}
    seen: Counter[tuple[str, int]] = Counter()
    for message in bag.messages(names):
        name, stamp = message.topic, 0
        if headed[name]:
            try:
                stamp = stamp_of(message.data, sequence=message.type == TF)
            except ValueError as error:
                raise BagError(f"{bag.path}: {name}: {error}") from None
        yield name, Key(stamp, seen[name, stamp]), message
        seen[name, stamp] += 1


def _compare_contents(
    bags: tuple[Bag, Bag], decoders: tuple[Decoder, Decoder], results: dict[str, TopicResult]
) -> None:
    """Fill in what is equal and what differs; the messages whose bytes differ are read a second time."""
    unequal: set[tuple[str, Key]] = set()
    for name, result in results.items():
        one, other = (side.digests for side in result.sides)
        different = {(name, key) for key, digest in one.items() if key in other and other[key] != digest}
        result.equal = len(one.keys() & other.keys()) - len(different)
        unequal |= different
    if not unequal:
        return
    names = {name for name, _ in unequal}
    waiting: tuple[dict[tuple[str, Key], bytes], ...] = ({}, {})
    streams = [
        (((name, key), m) for name, key, m in _keyed(bag, decoder, names) if (name, key) in unequal)
        for bag, decoder in zip(bags, decoders, strict=True)
    ]
    for pair in zip_longest(*streams):
        for side, item in enumerate(pair):
            if item is None:
                continue
            place, message = item
            waiting[side][place] = message.data
            if place in waiting[1 - side]:
                name, key = place
                difference = _difference(results[name], key, decoders, (waiting[0].pop(place), waiting[1].pop(place)))
                if difference is None:
                    results[name].equal += 1
                else:
                    results[name].differences.append(difference)
    for result in results.values():
        result.differences.sort(key=lambda d: d.key)


def _difference(
    result: TopicResult, key: Key, decoders: tuple[Decoder, Decoder], data: tuple[bytes, bytes]
) -> Difference | None:
    """How two messages differ; None if it is only their padding."""
    kinds = (result.sides[0].type, result.sides[1].type)
    if kinds[0] != kinds[1]:
        return Difference(key, f"type {kinds[0]}, {kinds[1]}", {}, data)
    try:
        messages = [decoder(kinds[0], part) for decoder, part in zip(decoders, data, strict=True)]
        canonical = [decoder.canonical(kinds[0], m) for decoder, m in zip(decoders, messages, strict=True)]
    except BagError as error:
        return Difference(key, str(error), {}, data)
    if canonical[0] == canonical[1]:
        return None
    text = first_field(messages[0], messages[1]) or "the bits of numbers that are equal (-0, NaN)"
    return Difference(key, text, measure(messages[0], messages[1]), data)


def _input_frames(index: dict[str, TopicIndex]) -> set[int]:
    for name in INPUTS:
        if name in index and index[name].digests:
            return {key.stamp for key in index[name].digests}
    return set()


def _excused(bag: Bag, decoder: Decoder) -> dict[str, set[int]]:
    """For each topic the frames for which its stage has said, in its report, why there is nothing: not for being late."""
    skipped: dict[str, set[int]] = {}
    stages: dict[str, set[str]] = {}
    for message in bag.messages({name for name, topic in bag.topics.items() if topic.type == REPORT}):
        report = decoder(message.type, message.data)
        if report.outcome == SKIPPED and report.reason != REPLACED:
            skipped.setdefault(report.stage, set()).add(stamp_of(message.data))
        for topic in report.published:
            stages.setdefault(topic, set()).add(report.stage)
    return {topic: set().union(*(skipped.get(stage, set()) for stage in names)) for topic, names in stages.items()}


def _check(result: TopicResult, number: int, frames: set[int], excused: set[int]) -> None:
    """A required topic: there, not empty, and something for every input frame (but one of latched messages)."""
    side, bag = result.sides[number], f"bag {number + 1}"
    if not side.digests:
        result.failures.append(f"{bag} has {'no message of it' if side.type else 'no such topic'}")
    elif side.latched:
        return
    elif not frames:
        result.failures.append(f"neither bag has input frames ({', '.join(INPUTS)}) to count against")
    else:
        missing = sorted(frames - {key.stamp for key in side.digests} - excused)
        if missing:
            first = seconds(missing[0])
            result.failures.append(
                f"{bag} has nothing for {len(missing)} of {len(frames)} input frames (first {first})"
            )


def seconds(stamp: int) -> str:
    """A stamp as it is usually written."""
    return f"{stamp // 1_000_000_000}.{stamp % 1_000_000_000:09d}"
