"""Processes that are looked after: restarted, ended in order, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ar_tools.launch_file import Process
from ar_tools.supervisor import Supervisor

PATIENCE_S = 60.0


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Process]:
    """Makes a package with one executable of the given text, found by the processes that are started."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(name: str, text: str, *, respawn: bool = False) -> Process:
        package = tmp_path / f"package_{name}"
        package.mkdir()
        (package / "__init__.py").touch()
        body = "\n".join(f"    {line}" for line in text.splitlines())
        (package / "node.py").write_text(f"import os, signal, sys, time\n\ndef main():\n{body}\n")
        return Process(package.name, "node", name, "", {"x": 1}, (), (), (), (), {}, respawn, 0.05)

    return make


WAIT = "print('ready', os.getpid(), flush=True)\nwhile True: time.sleep(1)"


def test_logs_are_named_and_the_dead_are_restarted(program: Callable[..., Process]) -> None:
    said: list[tuple[str, str]] = []
    process = program("worker", "print('hello', flush=True)\nsys.exit(3)", respawn=True)
    with Supervisor([process], lambda name, line: said.append((name, line))):
        until(lambda: said.count(("worker", "hello")) >= 2)
    assert any("ended with code 3" in line for _, line in said)


def test_who_ignores_the_polite_signals_is_killed(program: Callable[..., Process]) -> None:
    said: list[str] = []
    stubborn = "signal.signal(signal.SIGINT, signal.SIG_IGN)\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WAIT
    with Supervisor([program("stubborn", stubborn)], lambda _, line: said.append(line)):
        until(lambda: any(line.startswith("ready") for line in said))
        pid = int(said[0].split()[1])
        assert alive(pid)
    assert not alive(pid)


def test_nobody_outlives_a_killed_supervisor(program: Callable[..., Process], tmp_path: Path) -> None:
    process = program("orphan", WAIT)
    script = tmp_path / "supervise.py"
    script.write_text(
        "import sys, time\nfrom ar_tools.launch_file import Process\nfrom ar_tools.supervisor import Supervisor\n"
        f"process = Process({process.package!r}, 'node', 'orphan', '', {{}}, (), (), (), (), {{}}, True, 0.05)\n"
        "with Supervisor([process], lambda _, line: print(line, flush=True)):\n    time.sleep(100)\n"
    )
    supervisor = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    pid = int(supervisor.stdout.readline().split()[1])
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait(PATIENCE_S)
    until(lambda: not alive(pid))


def test_the_snapshots_go_even_when_their_keeper_is_killed() -> None:
    code = """
import os, signal
from ar_tools import graph
with graph.fresh_snapshots():
    print(os.environ["TSUKUMO_SNAPSHOTS"], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {name: value for name, value in os.environ.items() if name != "TSUKUMO_SNAPSHOTS"}
    result = subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
    folder = Path(result.stdout.strip())
    assert result.returncode == -signal.SIGKILL
    end = time.monotonic() + 20
    while folder.exists():
        assert time.monotonic() < end, f"{folder} is still there"
        time.sleep(0.05)


def test_who_ended_well_and_is_not_to_come_back_is_known(program: Callable[..., Process]) -> None:
    window, failed = program("window", "sys.exit(0)"), program("failed", "sys.exit(1)")
    again, stays = program("again", "sys.exit(0)", respawn=True), program("stays", WAIT)
    with Supervisor([window, failed, again, stays], lambda *_: None) as supervisor:
        until(lambda: supervisor.closed("window"))
        failing, returning = supervisor.child("failed"), supervisor.child("again")
        until(lambda: failing.handle is not None and not failing.alive())
        until(lambda: returning.restarts > 0)
        assert not any(supervisor.closed(name) for name in ("failed", "again", "stays", "nobody"))
