"""The figures of ``bench graph``, from made-up measurements whose answers are known by construction."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from ar_core.profiler import Profiler
from ar_tools.bench import baseline, flame
from ar_tools.bench.figures import Hop, Measured, PageSeen, figures, hop_figures, slope
from ar_tools.bench.table import aligned, table
from ar_tools.bench.yardstick import Yardstick
from ar_tools.observations import StageRecord

FPS, SECONDS = 30, 20
BEGAN = 100.0


def stamp(i: int) -> int:
    return 10**18 + round(i / FPS * 1e9)


def copy_ms(size: int) -> float:
    """At 10 GB/s."""
    return max(1, size) / 10e6


def measured(render_ms: float = 10.0) -> Measured:
    """Twenty measured seconds of a run of thirty: every tenth picture is left out, the renderer takes `render_ms` of CPU."""
    reports: dict[str, list[StageRecord]] = {"camera": [], "render": []}
    rng = np.random.default_rng(5)
    for i in range(30 * FPS):
        t = BEGAN - 5 + i / FPS
        reports["camera"].append(StageRecord(stamp(i), 0, "", 0, t, t, t + 0.001, i * 0.004, 1.0))
        late = t + 0.04 + 0.001 * rng.normal()
        out = i % 10 == 9
        why = "a newer frame came first" if out else ""
        cpu = i * (render_ms + 2) * 1e-3
        reports["render"].append(
            StageRecord(stamp(i), int(out), why, 1 - out, t, t + 0.01, late, cpu, 0.0 if out else render_ms)
        )
    frames = range(5 * FPS, (5 + SECONDS) * FPS)
    times = BEGAN + np.arange(SECONDS)
    rss = [(float(t), {"camera": 100.0, "render": 300.0 + 2.0 * i / 60}) for i, t in enumerate(times)]
    rss[7] = (rss[7][0], {"camera": 100.0, "render": 450.0})  # for a moment: no growth
    own = [(t, {name: mb - 60.0 for name, mb in by_name.items()}) for t, by_name in rss]
    return Measured(
        began=BEGAN, ended=BEGAN + SECONDS, reports=reports,
        sent={"render/image": [stamp(i) for i in range(30 * FPS) if i % 10 != 9]},
        cpu_s={"camera": 4e-3 * FPS * SECONDS, "render": (render_ms + 2) * 1e-3 * FPS * SECONDS},
        rss=rss, own=own, proportional_mb=250.0,
        hops={"render/image": Hop([stamp(i) for i in frames if i % 10 < 8], [2.0 + 0.1 * (i % 3) for i in range(480)], 921668)},
        page=PageSeen([stamp(i) for i in frames if i % 10 != 9], [BEGAN - 5 + i / FPS + 0.06 for i in frames if i % 10 != 9]),
        yardstick=Yardstick(10.0, 5.0),
    )  # fmt: skip


def test_the_figures_of_the_measured_time() -> None:
    report = figures(measured(), copy_ms)
    assert report["frames"] == FPS * SECONDS
    assert report["pictures"] == FPS * SECONDS * 9 // 10
    assert report["pictures_per_second"] == pytest.approx(27)
    assert report["render_skipped_percent"] == pytest.approx(10)
    assert report["stages"]["render"]["skipped"] == {"a newer frame came first": FPS * SECONDS // 10}
    assert report["glass_to_glass_ms"]["p50"] == pytest.approx(40, abs=0.2)
    assert 41 < report["glass_to_glass_ms"]["p99"] < 45
    render = report["stages"]["render"]
    assert render["cpu_ms"] == pytest.approx(12, abs=0.01)  # whole process per frame
    assert render["work_ms"] == pytest.approx(9)  # 10 in nine of ten
    assert render["rest_ms"] == pytest.approx((12 - 9) / 0.9, abs=0.02)
    assert report["cpu_ms_per_picture"] == pytest.approx(16 / 0.9, abs=0.01)
    assert report["rss_mb"] == pytest.approx(550)
    assert report["rss_growth_mb_per_min"] == pytest.approx(2.0, abs=0.01)
    assert report["page"] == {
        "pictures_per_second": pytest.approx(27),
        "camera_to_page_ms": {"p50": pytest.approx(60), "p99": pytest.approx(60)},
        "twice": 0,
    }
    json.dumps(report)


def test_a_hop_counts_between_its_first_and_last_message() -> None:
    hop = measured().hops["render/image"]
    out = hop_figures(hop, measured().sent["render/image"], 0.1)
    assert out["p50_ms"] == pytest.approx(2.1)
    assert out["messages"] == len(hop.stamps) == 480
    # of the nine that were sent of ten, eight came; the last ten end with the eighth
    assert out["delivered"] == pytest.approx(480 / (480 + 59), abs=1e-4)
    assert out["memcpy_ratio"] == pytest.approx(21)
    nothing = hop_figures(Hop([], [], 0), [stamp(1)], 0.1)
    assert (nothing["p50_ms"], nothing["delivered"], nothing["memcpy_ratio"]) == (None, None, None)


def test_growth_is_not_moved_by_single_values() -> None:
    t = np.arange(60.0)
    values = 3.0 * t
    values[[5, 20, 40]] += 1000
    assert slope(t, values) == pytest.approx(3.0, abs=0.01)
    assert slope(t[:1], values[:1]) == 0.0


def test_growth_is_of_what_is_held_not_of_what_work_takes_for_a_while() -> None:
    run, rng = measured(), np.random.default_rng(3)
    t = BEGAN + np.arange(0, 60, 0.2)
    passing = np.where(
        (t % 7 < 6) & (t % 10 > 0.3), rng.uniform(5, 40, len(t)), 0.0
    )  # what passes, given back now and then
    run.ended = BEGAN + 60
    run.own = [
        (float(when), {"camera": 50.0, "render": 100.0 + 4.0 * (when - BEGAN) / 60 + mb})
        for when, mb in zip(t, passing, strict=True)
    ]
    assert figures(run, copy_ms)["rss_growth_mb_per_min"] == pytest.approx(4.0, abs=0.2)
    run.own = [
        (when, {**by_name, "render": by_name["render"] - 4.0 * (when - BEGAN) / 60}) for when, by_name in run.own
    ]
    assert figures(run, copy_ms)["rss_growth_mb_per_min"] == pytest.approx(0.0, abs=0.01)


def test_the_table_tells_every_stage_hop_and_process() -> None:
    text = table(figures(measured(), copy_ms))
    for words in (
        "27.0 per second",
        "10.0 %",
        "render/image",
        "a newer frame came first",
        "550.0 MB",
        "to a page: 27.0",
    ):
        assert words in text
    assert aligned([("a", "bb", "c"), ("aaa", 1, None)]) == ["a    bb  c", "aaa   1  -"]


def test_a_baseline_tells_what_is_worse_beyond_the_noise(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    before, now, same = measured(10.0), measured(14.0), measured(10.2)
    reports = [{**figures(m, copy_ms), "noise": baseline.noise(m)} for m in (before, now, same)]
    baseline.write(path, reports[0])
    known = baseline.read(path)
    verdicts = {d.figure: d.verdict for d in baseline.compare(reports[1], known)}
    assert verdicts["stages/render/cpu"] == "worse"
    assert verdicts["stages/camera/cpu"] == verdicts["glass_to_glass/p50"] == "same"
    assert {d.verdict for d in baseline.compare(reports[2], known)} == {"same"}
    back = baseline.compare(reports[0], {"stages/render/cpu": (16 / 5.0, 0.01), "gone": (1.0, 0.0)})
    assert [(d.figure, d.verdict) for d in back] == [("stages/render/cpu", "better")]
    fewer = {**reports[0], "pictures": reports[0]["pictures"] - 30}
    assert {d.figure: d.verdict for d in baseline.compare(fewer, known)}["pictures_per_frame"] == "worse"


def test_a_machine_twice_as_fast_with_half_the_times_is_the_same() -> None:
    one = figures(measured(10.0), copy_ms)
    other = json.loads(json.dumps(one))
    other["yardstick"]["workload_ms"] /= 2
    for stage in other["stages"].values():
        stage["cpu_ms"] /= 2
    ratios = [baseline.ratios(report)["stages/render/cpu"] for report in (one, other)]
    assert ratios[0] == pytest.approx(ratios[1])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"figures": {"a": 1}}'])
def test_what_is_no_baseline_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(ValueError, match="this is no baseline"):
        baseline.read(tmp_path / "b.json")
    with pytest.raises(ValueError, match="No such file"):
        baseline.read(tmp_path / "c.json")


def test_a_flame_graph_is_as_wide_as_its_functions_are_expensive() -> None:
    svg = ElementTree.fromstring(flame.draw("main;a<b> 300\nmain;c;d 100\nother 600\n", "render"))
    titles = [g[0].text for g in svg.iter("{http://www.w3.org/2000/svg}g")]
    assert titles == [
        "main: 0.4 ms, 40.0 %", "a<b>: 0.3 ms, 30.0 %", "c: 0.1 ms, 10.0 %", "d: 0.1 ms, 10.0 %", "other: 0.6 ms, 60.0 %",
    ]  # fmt: skip
    boxes = [
        (float(r.get("x", 0)), float(r.get("width", 0)))
        for r in svg.iterfind(".//{http://www.w3.org/2000/svg}g/{http://www.w3.org/2000/svg}rect")
    ]
    assert boxes[0] == (0.0, pytest.approx(0.4 * flame.WIDTH, abs=0.5))
    assert boxes[4] == (pytest.approx(0.4 * flame.WIDTH, abs=0.1), pytest.approx(0.6 * flame.WIDTH, abs=0.5))


def test_the_profiler_counts_work_and_not_waiting(tmp_path: Path) -> None:
    def busy_work() -> None:
        until = time.thread_time() + 0.3
        while time.thread_time() < until:
            sum(range(1000))

    def waiting_work() -> None:
        done.wait()

    done, profiler = threading.Event(), Profiler()
    threads = [threading.Thread(target=work, name=work.__name__) for work in (busy_work, waiting_work)]
    for thread in threads:
        thread.start()
    threads[0].join()
    done.set()
    threads[1].join()
    profiler.stop(tmp_path / "new" / "node.folded")
    lines = [re.fullmatch(r"(.+) (\d+)", line) for line in (tmp_path / "new" / "node.folded").read_text().splitlines()]
    spent = [(m[1], int(m[2])) for m in lines if m]
    assert len(spent) == len(lines)
    busy = sum(us for stack, us in spent if stack.startswith("busy_work;") and ".busy_work" in stack)
    assert 200_000 < busy < 350_000  # CPU time, on a busy machine too
    assert sum(us for stack, us in spent if stack.startswith("waiting_work;")) < 30_000


def test_the_noise_of_a_steady_run_is_small() -> None:
    steady = measured()
    assert baseline.noise(steady)["stages/render/cpu"] < 0.01
    half = BEGAN + SECONDS / 2
    jumpy = replace(
        steady,
        reports={
            name: [replace(r, finished=r.finished + 0.05 * (r.received > half) * (name == "render")) for r in records]
            for name, records in steady.reports.items()
        },
    )
    assert baseline.noise(jumpy)["glass_to_glass/p50"] > 0.1
