"""The command: starts the live stages of the launch file, plays the bag to them, records what comes of it."""

from __future__ import annotations

import argparse
import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ar_character.theme import named
from ar_core.running import check_middleware
from ar_tools import contract, graph
from ar_tools.launch_file import Process
from ar_tools.replay.plan import EVENTS, IMAGE, INFO, STAGES, Plan, topics_of
from ar_tools.replay.player import Player, ros
from ar_tools.replay.witness import NAME, Witness
from ar_tools.supervisor import Supervisor

START_S = 60.0
UNREPORTED_S = 60.0
END_S = 5.0  # how long the last reports are waited for in real time
LAST_WORDS_S = 0.3  # for what no report names: events
POLL_S, WITNESS_S = 0.005, 0.0005
PROGRESS_S = 5.0


class ReplayError(ValueError):
    """The replay cannot go on; the text says why."""


def replay(options: argparse.Namespace) -> int:
    """Run the command; the exit code. ValueError, one line, for what cannot be played."""
    check_middleware()
    live = _stages(options.stages)
    if not options.rate > 0:
        raise ReplayError(f"--rate {options.rate:g}: it must be greater than 0")
    ending = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: ending.set())
    with Plan(options.bag, live, _remaps(options.remap), options.lockstep) as plan:
        _say(f"{options.bag}: {plan.pictures} pictures, played to {', '.join(live)}")
        for line in plan.lacking:
            _say(f"the bag has {line}")
        with ros(), _witness(options.out, live) as witness, _started(live, options) as supervisor:
            run = Run(plan, live, options, witness, supervisor, ending)
            try:
                return run()
            finally:
                run.player.close()


class Run:
    """One replay."""

    def __init__(
        self,
        plan: Plan,
        live: tuple[str, ...],
        options: argparse.Namespace,
        witness: Witness | None,
        supervisor: Supervisor,
        ending: threading.Event,
    ) -> None:
        self.plan, self.rate, self.lockstep = plan, float(options.rate), int(options.lockstep)
        self.witness, self.supervisor, self.ending = witness, supervisor, ending
        # Live, a character is reported when it is made, not with every frame.
        followed = [stage for stage in live if self.lockstep or stage != "character"]
        if witness is not None and self.lockstep:
            followed.append(NAME)
        self.player = Player(plan, live, followed, self.lockstep)
        self.sent = 0
        self.first_stamp = self.last_stamp = 0
        self.began = self.said = 0.0

    def __call__(self) -> int:
        """Wait for all, play, wait for the last; the exit code."""
        if self._wait_for_all():
            self._play()
            self._wait_for_the_last()
        wall, media = max(1e-9, time.monotonic() - self.began), self._media(self.last_stamp)
        if self.sent:
            _say(
                f"{self.sent} frames, {media:.1f} s, at {media / wall:.2f} of real time; {self.player.asked} requests fed"
            )
        if self.plan.left_out:
            _say(f"{self.plan.left_out} pictures are left out: their stamps do not grow")
        return 0

    def _wait_for_all(self) -> bool:
        until = time.monotonic() + START_S
        while missing := self.player.missing():
            failed = self.player.readiness.errors
            if failed:
                raise ReplayError("; ".join(f"{stage}: {error}" for stage, error in sorted(failed.items())))
            if time.monotonic() > until:
                raise ReplayError(f"after {START_S:.0f} s still waiting for {missing}")
            if not self._turn(0.02):
                return False
        _say("all are there")
        return True

    def _play(self) -> None:
        frames = self.plan.frames()
        frame = next(frames, None)
        self.began = self.said = time.monotonic()
        self.first_stamp = frame.stamp if frame else 0
        while frame is not None:
            wait = self._until_due(frame.stamp)
            if wait > 0:
                if not self._turn(min(wait, POLL_S)):
                    return
                continue
            self.player.send(frame)
            self.sent += 1
            self.last_stamp = frame.stamp
            frame = next(frames, None)
            self._progress()

    def _until_due(self, stamp: int) -> float:
        """Seconds until the frame may go out; some seconds where nobody knows."""
        if self.lockstep:
            if len(self.player.on_the_way) < self.lockstep:
                return 0.0
            return WITNESS_S if self.player.waits_only_for(NAME) else POLL_S  # what it writes does not wake us
        return self.began + self._media(stamp) / self.rate - time.monotonic()

    def _wait_for_the_last(self) -> None:
        until = time.monotonic() + END_S
        while self.player.on_the_way and (self.lockstep or time.monotonic() < until):
            if not self._turn(POLL_S):
                return
        until = time.monotonic() + LAST_WORDS_S
        while time.monotonic() < until and self._turn(POLL_S):
            pass

    def _turn(self, seconds: float) -> bool:
        """Handle what arrives; False when the user wants it to end. ReplayError when a stage has died."""
        self.player.spin(seconds)
        if self.witness is not None:
            self.witness.poll()
        while self.player.answers:
            _say(self.player.answers.pop(0))
        for child in self.supervisor.children:
            if child.handle is not None and not child.alive():
                raise ReplayError(f"{child.process.name} has ended with code {child.handle.returncode}")
        late = self.player.overdue(UNREPORTED_S) if self.lockstep else ""
        if late:
            raise ReplayError(f"no report of a frame by {late} within {UNREPORTED_S:.0f} s")
        return not self.ending.is_set()

    def _media(self, stamp: int) -> float:
        return (stamp - self.first_stamp) / 1e9

    def _progress(self) -> None:
        now = time.monotonic()
        if now >= self.said + PROGRESS_S:
            self.said = now
            media = self._media(self.last_stamp)
            pace = media / (now - self.began)
            _say(f"{self.sent} of {self.plan.pictures} frames, {media:.1f} s, at {pace:.2f} of real time")


@contextlib.contextmanager
def _witness(out: Path | None, live: tuple[str, ...]) -> Iterator[Witness | None]:
    """The recorder, if one is wanted; a disk that is full ends the replay, and leaves a bag that is whole."""
    if out is None:
        yield None
        return
    outputs = [topic for stage in live for topic in topics_of(stage) if not topic.endswith("/compressed")]
    reports = [f"/{stage}/report" for stage in contract.STAGES]
    topics = [IMAGE, INFO, *outputs, EVENTS, "/diagnostics", *reports]
    witness = Witness(out, topics, ("camera", *live))
    try:
        yield witness
    except OSError as error:
        raise ReplayError(f"{out}: {error.strerror or error}: the replay ends here; the bag is readable") from None
    finally:
        with contextlib.suppress(OSError):
            witness.close()
    _say(f"{out}: {witness.writer.messages} messages")


def _started(live: tuple[str, ...], options: argparse.Namespace) -> Supervisor:
    arguments = {"lockstep": str(options.lockstep), "web": "false", "snapshots": "", "respawn": "false"}
    arguments["theme"] = named(options.theme)
    arguments["composition"] = "single" if options.single else "separate"
    processes = graph.processes(graph.project_root() / "launch" / "tsukumo.launch.yaml", arguments)
    log: Callable[[str, str], Any] = graph.Log(quiet=not options.verbose)
    return Supervisor([part for process in processes if (part := _part(process, live)) is not None], log)


def _part(process: Process, live: tuple[str, ...]) -> Process | None:
    """A process as far as it runs stages that are wanted."""
    if process.name in live:
        return process
    packages = tuple(word for word in process.arguments if word.removeprefix("ar_") in live)
    return replace(process, arguments=packages) if packages else None


def _stages(text: str) -> tuple[str, ...]:
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in STAGES]
    if unknown or not wanted:
        raise ReplayError(f"--stages {text}: there are {', '.join(STAGES)}")
    return tuple(stage for stage in STAGES if stage in wanted)


def _remaps(words: list[str]) -> dict[str, str]:
    pairs = [word.partition(":=") for word in words]
    wrong = [word for word, (there, _, here) in zip(words, pairs, strict=True) if not there or not here]
    if wrong:
        raise ReplayError(f"--remap {wrong[0]}: it must be FROM:=TO")
    return {there: here for there, _, here in pairs}


def _say(text: str) -> None:
    print(f"tsukumo: {text}", flush=True)
