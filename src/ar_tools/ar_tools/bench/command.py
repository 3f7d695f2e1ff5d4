"""``tsukumo bench graph``: starts the whole graph, waits until somebody is awake, measures, says what came of it."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ar_core.running import check_middleware
from ar_tools import graph
from ar_tools.bench import baseline, flame, yardstick
from ar_tools.bench.figures import Hop, Measured, PageSeen, figures
from ar_tools.bench.listener import Listener
from ar_tools.bench.probe import PROFILES
from ar_tools.bench.table import table
from ar_tools.footprint import cpu_s, machine_cpu_s, own_mb, proportional_mb, resident_mb
from ar_tools.replay.player import ros
from ar_tools.supervisor import Supervisor

START_S = 60.0  # until there are pictures
AWAKE_S = 60.0  # from then until something has come alive
SETTLE_S = 30.0  # two rounds of the clip that ships: what is made on first use, and learned of the table, is no growth
LEAST_S = 6.0
LAST_S = 1.0  # for the reports on the last frames
POLL_S, RSS_S = 0.05, 0.2


class BenchError(ValueError):
    """There is nothing to measure; the text says why."""


def bench(options: argparse.Namespace) -> int:
    """Run the command; the exit code: 2, after one line, where nothing can be measured."""
    try:
        return _bench(options)
    except ValueError as error:
        print(f"tsukumo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tsukumo: stopped; nothing is measured", file=sys.stderr)
        return 130


def _bench(options: argparse.Namespace) -> int:
    check_middleware()
    if options.seconds < LEAST_S:
        raise BenchError(f"--seconds {options.seconds:g}: too short to say anything; at least {LEAST_S:g}")
    known = baseline.read(options.baseline) if options.baseline else None
    if options.page:
        graph.check_port(options.port)
    arguments = graph.source_arguments(options.source, options.camera_info)
    arguments.update(composition="single" if options.single else "separate")
    arguments.update(loop="true", awaken="auto", web=str(options.page).lower(), port=str(options.port))
    if options.profile:
        options.profile.mkdir(parents=True, exist_ok=True)
        os.environ["TSUKUMO_PROFILE"] = str(options.profile.resolve())
    _say("measuring the machine")
    machine = yardstick.measure()
    file = graph.project_root() / "launch" / "tsukumo.launch.yaml"
    log = graph.Log(quiet=not options.verbose)
    with graph.fresh_snapshots(), ros(), graph.start(file, arguments, log) as supervisor:
        measured = Bench(options, supervisor, machine)()
    report = {**figures(measured), "noise": baseline.noise(measured)}
    if options.profile:
        for picture in flame.draw_all(options.profile):
            _say(f"{picture}")
    differences = baseline.compare(report, known) if known else []
    report["against_baseline"] = [difference._asdict() for difference in differences]
    if options.write_baseline:
        baseline.write(options.write_baseline, report)
        _say(f"{options.write_baseline}: what later runs are compared with")
    if options.json:
        _leave(json.dumps(report, indent=2) + "\n", options.json)
    if options.json != "-":
        print(table(report))
        print("\n".join(difference.text() for difference in differences), end="\n" if differences else "")
    return 0


class Bench:
    """One measurement of a graph that has just been started."""

    def __init__(self, options: argparse.Namespace, supervisor: Supervisor, machine: yardstick.Yardstick) -> None:
        self.options, self.supervisor, self.machine = options, supervisor, machine
        self.listener = Listener()

    def __call__(self) -> Measured:
        """Wait, then measure."""
        _say("starting the graph")
        render = self.listener.reports["render"]
        self._until(lambda: len(render) > 0, START_S, self._no_pictures)
        _say("waiting until something comes alive")
        self._until(lambda: self.listener.awake, AWAKE_S, _nobody)
        turn = self.options.seconds / len(PROFILES)
        with _helper("probe", f"{turn:.2f}", *PROFILES) as probe, self._page() as page:
            self._spin(SETTLE_S)
            self._alone()
            _say(f"measuring for {self.options.seconds:g} s")
            pids = self.supervisor.pids()
            ours = [os.getpid(), probe.handle.pid, *([page.handle.pid] if page else [])]
            probe.begin()
            watching = sum(cpu_s(pid) for pid in ours)
            began, cpu, busy, rss, own = time.monotonic(), self._cpu(), machine_cpu_s(), [], []
            while (now := time.monotonic()) < began + self.options.seconds:
                processes = self.supervisor.pids().items()
                rss.append((now, {name: resident_mb(pid) for name, pid in processes}))
                own.append((now, {name: own_mb(pid) for name, pid in processes}))
                self._spin(min(RSS_S, max(0.0, began + self.options.seconds - now)))
            ended, after, busy = time.monotonic(), self._cpu(), machine_cpu_s() - busy
            watching = sum(cpu_s(pid) for pid in ours) - watching
            shared = sum(proportional_mb(pid) for pid in self.supervisor.pids().values())
            self._spin(LAST_S)
            now_pids = self.supervisor.pids()
            died = [name for name, pid in pids.items() if now_pids.get(name) != pid]
            if not died:  # who was killed is still heard of for a while
                self._alone()
            hops = {topic: Hop(**hop) for topic, hop in probe.result().items()}
            seen = PageSeen(**page.result()) if page else None
        spent = {name: after[name] - cpu.get(name, 0.0) for name in after}
        self.listener.destroy_node()
        return Measured(
            began=began, ended=ended, reports=self.listener.reports, sent=self.listener.sent, cpu_s=spent, rss=rss, own=own,
            proportional_mb=shared, hops=hops, page=seen, yardstick=self.machine, restarts=died,
            others_cpu_s=busy - watching - sum(spent.values()), watching_cpu_s=watching,
        )  # fmt: skip

    def _page(self) -> contextlib.AbstractContextManager[Helper | None]:
        if not self.options.page:
            return contextlib.nullcontext()
        return _helper("page", f"http://127.0.0.1:{self.options.port}")

    def _cpu(self) -> dict[str, float]:
        return {name: cpu_s(pid) for name, pid in self.supervisor.pids().items()}

    def _spin(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.listener.poll()
            time.sleep(POLL_S)

    def _until(self, condition: Callable[[], bool], patience_s: float, why: Callable[[], str]) -> None:
        for _ in range(round(patience_s / POLL_S)):  # turns, not seconds: a machine that stands still takes no patience
            if condition():
                return
            if self.listener.errors:
                raise BenchError("; ".join(f"{stage}: {text}" for stage, text in sorted(self.listener.errors.items())))
            self._spin(POLL_S)
        raise BenchError(why())

    def _alone(self) -> None:
        if self.listener.doubled:
            domain = os.environ.get("ROS_DOMAIN_ID", "0")
            raise BenchError(f"another graph runs on ROS domain {domain}: end it, or set another ROS_DOMAIN_ID")

    def _no_pictures(self) -> str:
        silent = [name for name in ("camera", "render") if not self.listener.reports[name]]
        return (
            f"no pictures within {START_S:g} s: nothing came from {', '.join(silent)} (--verbose shows what they say)"
        )


def _nobody() -> str:
    return f"nothing came alive within {AWAKE_S:g} s of pictures: show the camera an object, or give another --source"


class Helper:
    """A process of ours beside the graph; it begins when it is told to, and its last word is JSON."""

    def __init__(self, handle: subprocess.Popen[str]) -> None:
        self.handle = handle

    def begin(self) -> None:
        """Let it begin."""
        assert self.handle.stdin is not None
        self.handle.stdin.write("\n")
        self.handle.stdin.flush()

    def result(self) -> dict[str, Any]:
        """End it; what it says."""
        said, _ = self.handle.communicate(timeout=120)
        if self.handle.returncode:
            raise BenchError("a measuring process has failed (see above)")
        return dict(json.loads(said))


@contextlib.contextmanager
def _helper(module: str, *words: str) -> Iterator[Helper]:
    line = [sys.executable, "-m", f"ar_tools.bench.{module}", *words]
    handle = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Helper(handle)
    finally:
        if handle.poll() is None:
            handle.kill()
            handle.communicate()


def _leave(text: str, where: str) -> None:
    if where == "-":
        sys.stdout.write(text)
        return
    try:
        Path(where).write_text(text)
    except OSError as error:
        raise BenchError(f"--json {where}: {error.strerror or error}") from None


def _say(text: str) -> None:
    print(f"tsukumo: {text}", file=sys.stderr, flush=True)
