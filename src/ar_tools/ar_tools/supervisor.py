"""Runs the processes of a launch file: prefixes their logs, restarts what dies, leaves nothing behind.

A child is told to end (SIGTERM) when its supervisor dies, however that happens: ``PR_SET_PDEATHSIG``, see prctl(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import yaml

from ar_tools.launch_file import Process
from ar_tools.shared_memory import left_behind, remove_dead, segments

PR_SET_PDEATHSIG = 1
GRACE_S = ((signal.SIGINT, 4.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0))
MAX_DELAY_S = 10.0
_libc = ctypes.CDLL(None)


def command(process: Process, parameter_file: Path) -> list[str]:
    """The command line of a node; writes its parameters to parameter_file.

    The executable ``x`` of a package is ``main()`` of its module ``x``: the entry point of the same name in a ROS workspace.
    """
    program = f"from {process.package}.{process.executable} import main; main()"
    line = [sys.executable, "-c", program, *process.arguments, "--ros-args"]
    if process.renamed:
        line += ["-r", f"__node:={process.name}"]
    if process.namespace:
        line += ["-r", f"__ns:=/{process.namespace.strip('/')}"]
    for given, to in process.remaps:
        line += ["-r", f"{given}:={to}"]
    for file in process.parameter_files:
        line += ["--params-file", str(file)]
    if process.parameters:
        parameter_file.write_text(yaml.safe_dump({"/**": {"ros__parameters": process.parameters}}))
        line += ["--params-file", str(parameter_file)]
    return line + list(process.ros_arguments)


class Child:
    """One process that is kept running."""

    def __init__(self, process: Process, folder: Path, log: Callable[[str, str], None]) -> None:
        self.process, self.log = process, log
        self.command = command(process, folder / f"{process.name}.yaml")
        self.handle: subprocess.Popen[str] | None = None
        self.restarts = 0
        self.started = 0.0
        self.again_at = 0.0

    def start(self) -> None:
        """Start the process, with a thread that reads what it says."""
        environment = {**os.environ, **self.process.environment, "PYTHONUNBUFFERED": "1"}
        parent = os.getpid()

        def die_with_parent() -> None:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it died in between
                os._exit(0)

        self.started = time.monotonic()
        self.handle = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", env=environment, preexec_fn=die_with_parent, start_new_session=True,
        )  # fmt: skip
        assert self.handle.stdout is not None
        threading.Thread(target=self._read, args=(self.handle.stdout,), daemon=True).start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self.log(self.process.name, line.rstrip())

    def alive(self) -> bool:
        """Whether it runs."""
        return self.handle is not None and self.handle.poll() is None

    def tend(self) -> None:
        """Start it again if it died and shall live; the delay doubles while it dies at once."""
        if self.alive() or self.handle is None or not self.process.respawn:
            return
        now = time.monotonic()
        if self.again_at < self.started:
            short = now - self.started < 10
            self.restarts = self.restarts + 1 if short else 1
            delay = min(MAX_DELAY_S, self.process.respawn_delay * 2 ** min(self.restarts - 1, 10))
            self.again_at = now + delay
            self.log(self.process.name, f"ended with code {self.handle.returncode}; starting again in {delay:g} s")
        elif now >= self.again_at:
            self.start()


class Supervisor:
    """All processes of one graph; use as a context manager."""

    def __init__(self, processes: list[Process], log: Callable[[str, str], None]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tsukumo-")
        remove_dead(left_behind())  # of processes that were killed, 16 MB each, and ports that nobody reads
        self._segments = segments()
        self.children = [Child(process, Path(self._folder.name), log) for process in processes]
        self._ending = threading.Event()
        self._tender = threading.Thread(target=self._tend, daemon=True)

    def __enter__(self) -> Supervisor:
        # PDEATHSIG follows the *thread* that forked: all starts happen in one that lives as long as we do.
        self._tender.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _tend(self) -> None:
        for child in self.children:
            child.start()
        while not self._ending.wait(0.1):
            for child in self.children:
                child.tend()

    def child(self, name: str) -> Child:
        """The process of a node."""
        return next(child for child in self.children if child.process.name == name)

    def pids(self) -> dict[str, int]:
        """Process ids by name, of those that have been started."""
        return {child.process.name: child.handle.pid for child in self.children if child.handle is not None}

    def running(self) -> bool:
        """Whether any process runs or will be started again."""
        return any(child.alive() or child.process.respawn or child.handle is None for child in self.children)

    def closed(self, name: str) -> bool:
        """Whether a node has ended as it should, and will not be started again."""
        ends = (c for c in self.children if c.process.name == name and c.handle is not None and not c.process.respawn)
        return any(child.handle is not None and child.handle.poll() == 0 for child in ends)

    def stop(self) -> None:
        """End all: SIGINT, then SIGTERM, then SIGKILL; remove the shared memory of those that could not."""
        self._ending.set()
        self._tender.join()
        for sign, patience in GRACE_S:
            left = [child for child in self.children if child.alive()]
            for child in left:
                _signal_group(child.handle, sign)
            until = time.monotonic() + patience
            while any(child.alive() for child in left) and time.monotonic() < until:
                time.sleep(0.02)
        remove_dead(segments() - self._segments)
        self._folder.cleanup()


def _signal_group(handle: subprocess.Popen[str] | None, sign: signal.Signals) -> None:
    if handle is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(handle.pid, sign)
