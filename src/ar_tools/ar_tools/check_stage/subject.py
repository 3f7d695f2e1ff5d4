"""The node that is checked, as a process: what it says on its terminal, whether it lives, starting it again."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import replace

from ar_tools import graph
from ar_tools.footprint import cpu_s
from ar_tools.supervisor import Supervisor

WARNING = re.compile(r"\b(WARN|WARNING|ERROR|FATAL)\b")


class Subject:
    """A context manager; ValueError, in words, for what cannot be started."""

    def __init__(self, stage: str, package: str = "", executable: str = "", command: str = "") -> None:
        file = graph.project_root() / "launch" / "tsukumo.launch.yaml"
        arguments = {"respawn": "false", "snapshots": "", **({f"{stage}_pkg": package} if package else {})}
        process = next(p for p in graph.described(file, arguments) if p.name == stage)
        if executable:
            process = replace(process, executable=executable)
        if not command:
            graph.check_module(process)
        self.said: list[str] = []
        self._supervisor = Supervisor([process], lambda _, line: self.said.append(line))
        self._child = self._supervisor.children[0]
        if command:
            words = shlex.split(command)
            if not words or shutil.which(words[0]) is None:
                raise ValueError(f"--command {command!r}: there is no such program")
            self._child.command = words

    def __enter__(self) -> Subject:
        self._supervisor.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._supervisor.stop()

    @property
    def alive(self) -> bool:
        """Whether it runs, or is about to be started."""
        return self._child.handle is None or self._child.alive()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._child.handle.pid if self._child.handle is not None else 0

    @property
    def cpu_s(self) -> float:
        """CPU time it has used."""
        return cpu_s(self.pid)

    def again(self) -> None:
        """Start it once more after it has died."""
        self._child.start()

    def warnings(self, since: int) -> list[str]:
        """Lines of warning since its terminal had so many."""
        return [line for line in self.said[since:] if WARNING.search(line)]

    def last_words(self) -> str:
        """How it ended."""
        code = self._child.handle.poll() if self._child.handle is not None else None
        return f"it ended with code {code}: {self.said[-1] if self.said else 'without a word'}"

    def stop(self) -> int | None:
        """End it as a terminal does; its exit code, None if it did not go by itself."""
        self._supervisor.stop()
        return self._child.handle.returncode if self._child.handle is not None else None
