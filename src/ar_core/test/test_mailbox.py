import threading
import time

import pytest

from ar_core import mailbox
from ar_core.mailbox import Hold, Mailbox
from ar_core.statistics import KINDS, LONGEST, Statistics, generic
from ar_core.time_line import JUMP_AFTER, Order, TimeLine


@pytest.fixture
def tired(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that has not waited for a frame of late."""
    monkeypatch.setattr(mailbox, "RESTED_S", 0.0)


def test_the_newest_frame_replaces_the_oldest() -> None:
    dropped: list[int] = []
    box: Mailbox[int] = Mailbox(dropped=dropped.append)
    box.put(1)
    box.put(2)
    assert box.get() == 2
    assert dropped == [1]


def test_lockstep_keeps_every_frame_in_order() -> None:
    box: Mailbox[int] = Mailbox(lockstep=True)
    for i in range(5):
        box.put(i)
    assert [box.get() for _ in range(5)] == list(range(5))


@pytest.mark.usefixtures("tired")
@pytest.mark.parametrize("lockstep", [False, True])
def test_with_a_hold_the_newest_complete_frame_is_next_for_a_worker_that_is_too_slow(lockstep: bool) -> None:
    complete, dropped = {1, 2}, list[int]()
    hold: Hold[int] = Hold(lambda frame: frame in complete, lambda _: float("inf"))
    box: Mailbox[int] = Mailbox(lockstep=lockstep, hold=hold, dropped=dropped.append)
    for i in (1, 2, 3):
        box.put(i)
    assert box.get() == (1 if lockstep else 2)
    assert dropped == ([] if lockstep else [1])
    if lockstep:
        assert box.get() == 2
    got: list[object] = []
    worker = threading.Thread(target=lambda: got.append(box.get()))
    worker.start()
    complete.add(3)
    box.nudge()
    worker.join(5)
    assert got == [3]


def test_with_a_hold_the_oldest_complete_frame_is_next_for_a_worker_that_keeps_up() -> None:
    complete, dropped = {2, 3}, list[int]()
    hold: Hold[int] = Hold(lambda frame: frame in complete, lambda _: float("inf"))
    box: Mailbox[int] = Mailbox(hold=hold, dropped=dropped.append)
    for i in (1, 2, 3):
        box.put(i)
    assert (box.get(), box.get()) == (2, 3)
    assert dropped == [1]  # its parts had not come


def test_patience_with_an_incomplete_frame_ends() -> None:
    box: Mailbox[int] = Mailbox(hold=Hold(lambda _: False, lambda frame: time.monotonic() - 1 if frame == 1 else 1e12))
    box.put(1)
    box.put(2)
    assert box.get() == 1


def test_jobs_go_first_and_keep_their_order() -> None:
    box: Mailbox[int] = Mailbox()
    done: list[str] = []
    box.put(7)
    box.put_job(lambda: done.append("a"))
    box.put_job(lambda: done.append("b"))
    for _ in range(2):
        job = box.get()
        assert callable(job)
        job()
    assert done == ["a", "b"]
    assert box.get() == 7


def test_closing_wakes_the_worker_and_returns_what_is_left() -> None:
    box: Mailbox[int] = Mailbox()
    got: list[object] = []
    worker = threading.Thread(target=lambda: got.append(box.get()))
    worker.start()
    assert box.close() == []
    worker.join(5)
    assert got == [None]
    assert not box.put_job(lambda: None)
    other: Mailbox[int] = Mailbox()
    other.put(3)
    assert other.close() == [3]


def test_what_was_asked_is_done_before_the_worker_goes() -> None:
    """Somebody awaits the answer; a frame is nobody's."""
    done: list[int] = []
    box: Mailbox[int] = Mailbox()
    box.put(1)
    assert box.put_job(lambda: done.append(1))
    assert box.close() == [1]
    assert not box.put_job(lambda: done.append(2))
    job = box.get()
    assert callable(job)
    job()
    assert done == [1]
    assert box.get() is None


def test_a_single_old_stamp_is_refused_and_a_clock_set_back_is_followed() -> None:
    line = TimeLine()
    assert line.place(100) is Order.NEWER
    assert line.place(100) is Order.OLDER
    assert line.place(90) is Order.OLDER
    assert line.place(101) is Order.NEWER
    orders = [line.place(i) for i in range(JUMP_AFTER + 1)]
    assert orders[: JUMP_AFTER - 1] == [Order.OLDER] * (JUMP_AFTER - 1)
    assert orders[JUMP_AFTER - 1 :] == [Order.JUMPED, Order.NEWER]


def test_messages_of_one_kind_are_counted_together_and_said_once() -> None:
    counts = Statistics()
    assert counts.reject("image is truncated: 10 bytes")
    assert not counts.reject("image is truncated: 11 bytes")
    assert counts.rejected == {"image is truncated: # bytes": 2}
    assert generic("a 1.5 b -3") == "a # b #"


def test_latency_and_rate() -> None:
    counts = Statistics()
    for i in range(100):
        counts.publish(i * 0.1, i * 0.1 + 0.020)
    p50, p99 = counts.latency_ms()
    assert abs(p50 - 20) < 1e-6
    assert abs(p99 - 20) < 1e-6
    assert counts.rate_hz(now=9.92, window=5.0) == 10.0


def test_what_somebody_may_invent_is_not_counted_apart_for_ever() -> None:
    """A message may quote what it was sent: names, actions, frames, of any length."""
    counts, first = Statistics(), 0
    for i in range(1000):
        word = "".join(chr(ord("a") + int(digit)) for digit in str(i))
        counts.skip(f"no clip '{word}'")
        first += counts.reject(f"render/act: unknown action '{word}'")
    assert len(counts.skipped) == len(counts.rejected) == KINDS + 1
    assert first == KINDS + 1
    assert counts.rejected.total() == counts.skipped.total() == 1000
    assert counts.rejected["others"] == 1000 - KINDS
    assert not counts.reject("render/act: unknown action 'a'"), "what was told apart before still is"
    assert counts.rejected["render/act: unknown action 'a'"] == 2
    assert Statistics().reject("x" * 10**6)
    long = Statistics()
    long.skip("x" * 10**6)
    assert len(next(iter(long.skipped))) == LONGEST
