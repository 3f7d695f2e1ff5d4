"""Judges what a stage said of frames whose every input is known. Knows no ROS: reports come as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from ar_tools.check_stage.expected import PICTURE, Expected, Output
from ar_tools.check_stage.rows import FAIL, NOTE, PASS, Row
from ar_tools.run_report import PUBLISHED

SLOW_MS = 1000 / 30


class Message(Protocol):
    """What is looked at of a message; `rig.Got` is one."""

    @property
    def stamp(self) -> int: ...
    @property
    def frame_id(self) -> str: ...
    @property
    def when(self) -> float: ...
    @property
    def encoding(self) -> str: ...
    @property
    def size(self) -> tuple[int, int]: ...


class Report(NamedTuple):
    """A StageReport; times are CLOCK_MONOTONIC seconds."""

    stamp: int
    stage: str
    outcome: int
    reason: str
    published: tuple[str, ...]
    received: float
    finished: float


class Sent(NamedTuple):
    """What was sent: stamps (ns) and when; those from which results are due; what pictures are like."""

    when: Mapping[int, float]
    due: Sequence[int]
    frame_id: str
    size: tuple[int, int]


def outputs(
    expected: Expected, sent: Sent, got: Mapping[str, Sequence[Message]], reports: Sequence[Report]
) -> list[Row]:
    """One row for every topic that the stage says."""
    excused = {report.stamp for report in reports if report.outcome != PUBLISHED}
    return [_output(topic, one, sent, got.get(topic, ()), excused) for topic, one in expected.says.items()]


def _output(topic: str, output: Output, sent: Sent, messages: Sequence[Message], excused: Collection[int]) -> Row:
    if not messages:
        return Row(NOTE if output.optional else FAIL, topic, "no message of this topic and type came")
    stamps = Counter(message.stamp for message in messages)
    wrong: list[str] = []
    strange = sorted(set(stamps) - set(sent.when))
    stamped = bool(output.frame) or output.each
    if strange and stamped:
        off = min(abs(stamp - strange[0]) for stamp in sent.when) / 1e6
        n = sum(stamps[s] for s in strange)
        wrong.append(f"{n} of {len(messages)} carry a stamp that no input had (off by {off:g} ms): copy the input's")
    if output.each:
        lacking = [stamp for stamp in sent.due if stamp not in stamps and stamp not in excused]
        if lacking:
            wrong.append(f"{len(lacking)} of {len(sent.due)} pictures got none, and no report says why")
    frame_id = sent.frame_id if output.frame == PICTURE else output.frame
    others = {message.frame_id for message in messages} - {frame_id}
    if output.frame and others:
        wrong.append(f"frame_id is '{others.pop()}' instead of '{frame_id}'")
    if output.encoding:
        kinds = {(m.encoding, m.size) for m in messages} - {(output.encoding, sent.size)}
        if kinds:
            encoding, (width, height) = kinds.pop()
            asked = f"{output.encoding} of {sent.size[0]}x{sent.size[1]}"
            wrong.append(f"{encoding} of {width}x{height} instead of {asked}")
    if wrong:
        return Row(NOTE if output.optional else FAIL, topic, "; ".join(wrong))
    twice = sum(n > 1 for n in stamps.values())
    if twice and output.each:
        return Row(NOTE, topic, f"{twice} pictures got more than one")
    told = f"{len(messages)} message{'s' if len(messages) > 1 else ''}" + (
        ", stamps are those of the input" if stamped else ""
    )
    return Row(PASS, topic, told + (f", frame_id '{frame_id}'" if output.frame else ""))


def reports_row(stage: str, sent: Sent, reports: Sequence[Report], topics: Collection[str], offered: bool) -> Row:
    """One report per stamp, telling the truth. `topics`: those on which something came."""
    what = f"{stage}/report"
    if not offered:
        lack = "no figures in bench and the page, no lock-step, and replay does not wait for it"
        return Row(NOTE, what, f"it reports nothing: it works live, but there are {lack}")
    counts = Counter(report.stamp for report in reports)
    wrong = []
    silent = [stamp for stamp in sent.due if stamp not in counts]
    if silent:
        wrong.append(f"{len(silent)} of {len(sent.due)} frames have none")
    if twice := sum(n > 1 for n in counts.values()):
        wrong.append(f"{twice} frames have more than one")
    if strange := len(set(counts) - set(sent.when)):
        wrong.append(f"{strange} are of stamps that were not sent")
    if names := {report.stage for report in reports} - {stage}:
        wrong.append(f"stage is '{names.pop()}'")
    if [report for report in reports if report.outcome != PUBLISHED and not report.reason]:
        wrong.append("a frame is left out without a reason")
    known = {topic.removeprefix("/") for topic in topics}
    lies = {n for r in reports for n in r.published if n.removeprefix("/") not in known and not n.endswith("events")}
    if lies:
        wrong.append(f"they name {', '.join(sorted(lies))}, where nothing came")
    times = [r for r in reports if r.stamp in sent.when and not sent.when[r.stamp] - 1 <= r.received <= r.finished]
    if times:
        wrong.append("their times are not CLOCK_MONOTONIC seconds: received after it was sent, finished after received")
    if wrong:
        return Row(FAIL, what, "; ".join(wrong))
    return Row(PASS, what, f"one for each of {len(sent.due)} frames")


def speed(sent: Sent, messages: Sequence[Message], cpu_s: float, *, each: bool) -> Row:
    """Latency from input to result, one at a time, and CPU; ``each``: for every picture, so that it has to keep up."""
    took = [(m.when - sent.when[m.stamp]) * 1e3 for m in messages if m.stamp in sent.when]
    if not took:
        return Row(NOTE, "speed", "nothing to measure")
    p50, p99 = np.percentile(took, [50, 99])
    text = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms from input to output; {cpu_s * 1e3 / len(took):.1f} ms CPU each"
    if each and p50 > SLOW_MS:
        return Row(NOTE, "speed", text + ": too slow for 30 pictures a second, some will be left out")
    return Row(PASS, "speed", text)
