"""The verdicts of ``check-stage``, on what made-up stages said."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from ar_tools.check_stage.expected import EXPECTED
from ar_tools.check_stage.judge import Report, Sent, outputs, reports_row, speed
from ar_tools.check_stage.rows import FAIL, NOTE, PASS, Row, failed, sentence, table

STAMPS = [10**18 + i * 33_333_333 for i in range(10)]
SENT = Sent({stamp: 50.0 + i for i, stamp in enumerate(STAMPS)}, STAMPS, "a_camera", (640, 480))


@dataclass(frozen=True)
class Message:
    stamp: int
    frame_id: str = "a_camera"
    when: float = 0.0
    encoding: str = "mono8"
    size: tuple[int, int] = (640, 480)


def report(i: int, outcome: int = 0, reason: str = "", published: tuple[str, ...] = ("/segment/mask",)) -> Report:
    return Report(STAMPS[i], "segment", outcome, reason, published, 50.01 + i, 50.02 + i)


GOOD = [Message(stamp, when=50.02 + i) for i, stamp in enumerate(STAMPS)]
REPORTS = [report(i) for i in range(10)]


def mask_row(messages: list[Message], reports: list[Report]) -> Row:
    rows = outputs(EXPECTED["segment"], SENT, {"segment/mask": messages}, reports)
    return next(row for row in rows if row.what == "segment/mask")


def test_what_keeps_the_contract_passes() -> None:
    assert mask_row(GOOD, REPORTS).verdict == PASS
    assert mask_row(GOOD, []).verdict == PASS
    assert reports_row("segment", SENT, REPORTS, ["segment/mask"], offered=True).verdict == PASS


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([], "no message"),
        ([Message(s + 1_500_000) for s in STAMPS], r"10 of 10 carry a stamp that no input had \(off by 1.5 ms\)"),
        ([Message(s, frame_id="map") for s in STAMPS], "frame_id is 'map' instead of 'a_camera'"),
        ([Message(s, encoding="bgr8") for s in STAMPS], "bgr8 of 640x480 instead of mono8"),
        ([Message(s, size=(320, 240)) for s in STAMPS], "mono8 of 320x240 instead of mono8 of 640x480"),
        (GOOD[:7], "3 of 10 pictures got none, and no report says why"),
    ],
)
def test_what_breaks_it_fails_in_words(messages: list[Message], told: str) -> None:
    row = mask_row(messages, [])
    assert row.verdict == FAIL
    assert re.search(told, row.found), row.found


def test_a_picture_that_is_left_out_with_a_reason_is_no_fault() -> None:
    reports = [*REPORTS[:7], *(report(i, 1, "no object yet", ()) for i in range(7, 10))]
    assert mask_row(GOOD[:7], reports).verdict == PASS
    assert mask_row([*GOOD, GOOD[0]], REPORTS).verdict == NOTE  # more than one


@pytest.mark.parametrize(
    ("reports", "told"),
    [
        (REPORTS[:9], "1 of 10 frames have none"),
        ([*REPORTS, report(3)], "1 frames have more than one"),
        ([*REPORTS[:9], report(9, 1, "", ())], "without a reason"),
        ([r._replace(stage="mine") for r in REPORTS], "stage is 'mine'"),
        ([*REPORTS, report(0)._replace(stamp=5)], "1 are of stamps that were not sent"),
        ([r._replace(published=("/nowhere",)) for r in REPORTS], "they name /nowhere, where nothing came"),
        ([r._replace(received=1.7e9, finished=1.7e9 - 1) for r in REPORTS], "CLOCK_MONOTONIC"),
        ([r._replace(received=0.0) for r in REPORTS], "CLOCK_MONOTONIC"),
    ],
)
def test_reports_that_are_not_true_fail(reports: list[Report], told: str) -> None:
    row = reports_row("segment", SENT, reports, ["segment/mask"], offered=True)
    assert (row.verdict, told in row.found) == (FAIL, True), row.found


def test_a_stage_without_reports_lacks_them() -> None:
    row = reports_row("segment", SENT, [], [], offered=False)
    assert row.verdict == NOTE
    assert "no lock-step" in row.found


def test_optional_topics_are_noted() -> None:
    rows = {row.what: row.verdict for row in outputs(EXPECTED["slam"], SENT, {}, [])}
    assert rows["slam/points"] == rows["/tf"] == NOTE
    assert rows["slam/pose"] == rows["slam/status"] == FAIL


def test_speed_is_told_and_slowness_noted() -> None:
    row = speed(SENT, GOOD, cpu_s=0.1, each=True)
    assert (row.verdict, row.found) == (PASS, "p50 20.0 ms, p99 20.0 ms from input to output; 10.0 ms CPU each")
    late = [Message(m.stamp, when=m.when + 0.05) for m in GOOD]
    assert speed(SENT, late, cpu_s=0.1, each=True).verdict == NOTE
    assert speed(SENT, late, cpu_s=0.1, each=False).verdict == PASS
    assert speed(SENT, [], 0.0, each=True).verdict == NOTE


def test_the_sentence_says_what_to_do() -> None:
    good, noted, bad = Row(PASS, "types", "fine"), Row(NOTE, "speed", "slow"), Row(FAIL, "segment/mask", "no message")
    assert not failed([good, noted])
    assert failed([good, bad])
    assert "keeps the whole contract" in sentence("segment", [good])
    assert "can take the place" in sentence("segment", [good, noted])
    assert "(segment/mask)" in sentence("segment", [good, noted, bad])
    assert table([good, bad]).splitlines() == ["pass  types         fine", "FAIL  segment/mask  no message"]
