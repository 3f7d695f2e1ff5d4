from __future__ import annotations

import itertools
import random
from collections.abc import Callable

from ar_core.lockstep import Steps


def steps_of(log: list[str]) -> tuple[Steps, Callable[[str, str], None]]:
    """Steps that hear `seg` on /mask and /object and `slam` on /pose, requests of `boss` two frames later."""
    steps = Steps()
    assert steps.expect("boss", "/ask", lag=2)
    assert steps.expect("seg", "/mask")
    assert not steps.expect("seg", "/object")
    assert steps.expect("slam", "/pose")
    return steps, lambda name, text: steps.message(name, lambda: log.append(text))


def test_a_frame_waits_for_reports_and_for_what_they_name() -> None:
    log: list[str] = []
    steps, message = steps_of(log)
    steps.frame(10)
    assert steps.missing(10) == "seg's report of a frame"
    steps.report("seg", 10, ["/mask", "/elsewhere"])
    steps.report("slam", 10, [])
    assert steps.missing(10) == "/mask"
    message("/mask", "mask 10")
    assert steps.missing(10) == ""
    for job in steps.take(10):
        job()
    assert log == ["mask 10"]


def test_requests_take_effect_frames_later() -> None:
    log: list[str] = []
    steps, message = steps_of(log)
    for stamp in (10, 20, 30):
        steps.frame(stamp)
        for stage in ("seg", "slam"):
            steps.report(stage, stamp, [])
    assert not steps.missing(10)
    assert not steps.take(10)
    assert not steps.missing(20)
    assert not steps.take(20)
    assert steps.missing(30) == "boss's report of a frame"
    steps.report("boss", 10, ["/ask"])
    assert steps.missing(30) == "/ask"
    message("/ask", "asked")
    (job,) = steps.take(30)
    job()
    assert log == ["asked"]


def test_any_order_of_arrival_gives_the_same_order_of_work() -> None:
    """Frames come in order, reports of one stage and messages of one topic too; nothing else is certain."""
    published = {
        ("seg", 10): ["/mask"], ("seg", 20): [], ("seg", 30): ["/object", "/mask"], ("seg", 40): ["/mask"],
        ("slam", 10): ["/pose"], ("slam", 20): ["/pose"], ("slam", 30): [], ("slam", 40): ["/pose"],
        ("boss", 10): ["/ask"], ("boss", 20): [], ("boss", 30): [], ("boss", 40): [],
    }  # fmt: skip
    queues: dict[str, list[tuple[str, str, int]]] = {"frame": [("frame", "", s) for s in (10, 20, 30, 40)]}
    for (stage, stamp), names in published.items():
        queues.setdefault(stage, []).append(("report", stage, stamp))
        for name in names:
            queues.setdefault(name, []).append(("message", name, stamp))
    outcomes = set()
    for seed in range(200):
        log: list[str] = []
        steps, message = steps_of(log)
        left = {name: list(items) for name, items in queues.items()}
        order = random.Random(seed)
        open_stamps = [10, 20, 30, 40]
        for _ in itertools.count():
            while (
                open_stamps and 10 * (4 - len(open_stamps)) + 10 in steps._stamps and not steps.missing(open_stamps[0])
            ):
                stamp = open_stamps.pop(0)
                for job in steps.take(stamp):
                    job()
                log.append(f"frame {stamp}")
            ready = [name for name, items in left.items() if items]
            if not ready:
                break
            kind, name, stamp = left[order.choice(ready)].pop(0)
            if kind == "frame":
                steps.frame(stamp)
            elif kind == "report":
                steps.report(name, stamp, published[name, stamp])
            else:
                message(name, f"{name} {stamp}")
        assert not open_stamps
        outcomes.add(tuple(log))
    assert outcomes == {
        ("/mask 10", "/pose 10", "frame 10", "/pose 20", "frame 20", "/ask 10", "/object 30", "/mask 30", "frame 30",
         "/mask 40", "/pose 40", "frame 40"),
    }  # fmt: skip
