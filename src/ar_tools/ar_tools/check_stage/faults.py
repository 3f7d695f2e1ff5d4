"""The rows on bad input: whatever comes, the node lives on, says so once, and works on what is good."""

from __future__ import annotations

from ar_core.conversions import nanoseconds, stamp_from
from ar_tools.bad_messages import bad_messages
from ar_tools.check_stage.good import ANSWER_S, Check
from ar_tools.check_stage.rows import FAIL, NOTE, PASS, Row
from ar_tools.check_stage.scene import FRAME_ID

TIMES = 3  # that each is sent
LOOK_S = 0.3  # for a node without reports to have looked at it
SAID_S = 1.0
BACK = 3000  # frames that a clock is set back
FOLLOWS = 40  # frames within which it is followed


def bad_input(check: Check) -> list[Row]:
    """A row for each thing that can be wrong with what the stage hears."""
    heard = {topic for topic, publisher in check.rig.inputs.items() if publisher.get_subscription_count()}
    kinds = [(bad.topic, bad.what) for bad in bad_messages(0) if bad.topic in heard]
    rows = [_one(check, topic, what) for topic, what in kinds]
    return [*rows, _clock(check)] if check.expected.sees else rows


def _one(check: Check, topic: str, what: str) -> Row:
    name = f"{topic}: {what}"
    if not _alive(check):
        return Row(FAIL, name, "not tried: the node does not come up again")
    said = len(check.subject.said)
    for _ in range(TIMES):
        stamp = check.scene.stamp(check.next)
        check.next += 1
        bad = next(b for b in bad_messages(stamp, FRAME_ID) if (b.topic, b.what) == (topic, what))
        header = getattr(bad.message, "header", None)
        if header is not None and header.stamp.sec == 0 and header.stamp.nanosec == 0:
            header.stamp, header.frame_id = stamp_from(stamp), FRAME_ID
        stamp = nanoseconds(header.stamp) if header is not None else stamp
        check.rig.inputs[topic].publish(bad.message)
        check.rig.until(lambda s=stamp: check.rig.reported(s) or not check.subject.alive, LOOK_S)  # type: ignore[misc]
    good = check.subject.alive and check.frame()
    if not check.subject.alive:
        return Row(FAIL, name, check.subject.last_words())
    if not good:
        return Row(FAIL, name, f"no answer to the good frame after it within {ANSWER_S:g} s")
    check.rig.until(lambda: check.subject.warnings(said), SAID_S)
    times = len(check.subject.warnings(said))
    if times == 1:
        return Row(PASS, name, "lives on, one warning")
    if times == 0:
        return Row(NOTE, name, "lives on, but says nothing")
    return Row(NOTE, name, f"lives on, but warns {times} times of {TIMES}: once is enough")


def _clock(check: Check) -> Row:
    """A bag that starts over: stamps that go back and stay there are followed."""
    name = "camera/image_raw: the clock is set back"
    if not _alive(check):
        return Row(FAIL, name, "not tried: the node does not come up again")
    first = check.next - BACK
    for i in range(FOLLOWS):
        stamp = check.send(first + i)
        if check.answered(stamp, 0.1):
            return Row(PASS, name, f"followed after {i} frames")
        if not check.subject.alive:
            return Row(FAIL, name, check.subject.last_words())
    return Row(FAIL, name, f"no answer to {FOLLOWS} frames of an earlier time: a bag that starts over is not followed")


def _alive(check: Check) -> bool:
    """Start it again if it has died; whether it is there."""
    if check.subject.alive:
        return True
    check.subject.again()
    return check.starts()[0].verdict != FAIL
