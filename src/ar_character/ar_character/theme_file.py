"""A YAML file read key by key: whatever does not fit is one line that names the file, the key and what would do."""

from __future__ import annotations

import math
import re
import reprlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

LARGEST, MOST = 1_000_000, 100_000  # bytes of a file, and values in it


@dataclass
class Section:
    """A mapping of a file and where it stands in it; every value is asked for once, ``done`` refuses what is left."""

    file: Path
    key: str
    content: dict[str, Any]
    asked: set[str] = field(default_factory=set)

    @staticmethod
    def of(file: Path) -> Section:
        """A whole file; ValueError when it cannot be read or is no mapping."""
        try:
            if file.stat().st_size > LARGEST:
                raise ValueError(f"{file}: {file.stat().st_size} bytes are too many for a description")
            text = file.read_text(encoding="utf-8")
        except OSError as error:
            raise ValueError(f"{file}: cannot be read ({error.strerror or error})") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"{file}: is not YAML: not text") from error
        try:
            content = _content(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" in line {mark.line + 1}" if mark is not None else ""
            raise ValueError(f"{file}: is not YAML{where}: {getattr(error, 'problem', None) or 'not text'}") from error
        except RecursionError as error:
            raise ValueError(f"{file}: is not YAML: it is nested too deeply") from error
        except ValueError as error:  # a date or a number that is none, or too much
            raise ValueError(f"{file}: {error}") from error
        if not isinstance(content, dict):
            raise ValueError(f"{file}: is no mapping of keys to values")
        return Section(file, "", content)

    def fail(self, name: str, problem: str) -> ValueError:
        """The error for a key of this section."""
        return ValueError(f"{self.file}: {self._path(name)}: {problem}")

    def done(self) -> None:
        """ValueError if there are keys that nobody asked for."""
        for name in self.content:
            if name not in self.asked:
                raise self.fail(str(name), f"unknown key; there are {', '.join(sorted(self.asked))}")

    def has(self, name: str) -> bool:
        """Whether a key is there."""
        self.asked.add(name)
        return name in self.content

    def text(self, name: str, default: str | None = None) -> str:
        """A word or line of text."""
        value = self._value(name, default)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(name, f"{reprlib.repr(value)} is no text")
        return value

    def choice(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """One of a few words."""
        value = self.text(name, default)
        if value not in choices:
            raise self.fail(name, f"'{value}' is none of {', '.join(choices)}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """true or false."""
        value = self._value(name, default)
        if not isinstance(value, bool):
            raise self.fail(name, f"{reprlib.repr(value)} is neither true nor false")
        return value

    def number(self, name: str, default: float | None, low: float, high: float) -> float:
        """A finite number between low and high."""
        return self._number(name, self._value(name, default), low, high)

    def numbers(
        self, name: str, count: int, default: tuple[float, ...] | None, low: float, high: float
    ) -> tuple[float, ...]:
        """So many numbers; for two of them a single one stands for both."""
        value = self._value(name, default)
        if count == 2 and isinstance(value, int | float):
            value = [value, value]
        if not isinstance(value, list | tuple) or len(value) != count:
            raise self.fail(name, f"{reprlib.repr(value)} is not a list of {count} numbers")
        return tuple(self._number(name, v, low, high) for v in value)

    def names(self, name: str) -> tuple[str, ...]:
        """A list of words, empty if the key is missing."""
        value = self._value(name, [])
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise self.fail(name, f"{reprlib.repr(value)} is not a list of names")
        return tuple(value)

    def colours(self, name: str) -> tuple[tuple[float, float, float], ...]:
        """Colours (sRGB 0..1) written as #rrggbb, one or a list."""
        out = []
        for value in self.names(name) or ("#ffffff",):
            if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
                raise self.fail(name, f"'{value}' is no colour like '#ffcc66'")
            r, g, b = (int(value[i : i + 2], 16) / 255 for i in (1, 3, 5))
            out.append((r, g, b))
        return tuple(out)

    def section(self, name: str) -> Section:
        """A mapping below this one, empty if the key is missing."""
        value = self._value(name, {})
        if not isinstance(value, dict) or not all(isinstance(k, str) for k in value):
            raise self.fail(name, f"{reprlib.repr(value)} is no mapping of names to values")
        return Section(self.file, self._path(name), value)

    def sections(self, name: str) -> dict[str, Section]:
        """The mappings in a mapping, by name."""
        below = self.section(name)
        return {key: below.section(key) for key in below.content}

    def points(self, name: str, columns: int, low: float, high: float) -> tuple[tuple[float, ...], ...]:
        """A list of rows of numbers."""
        value = self._value(name, [])
        if not isinstance(value, list) or not all(isinstance(row, list) and len(row) == columns for row in value):
            raise self.fail(name, f"{reprlib.repr(value)} is not a list of rows of {columns} numbers")
        return tuple(tuple(self._number(name, v, low, high) for v in row) for row in value)

    def _value(self, name: str, default: Any) -> Any:
        self.asked.add(name)
        value = self.content.get(name, default)
        if value is None:
            raise self.fail(name, "is missing")
        return value

    def _number(self, name: str, value: Any, low: float, high: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fail(name, f"{reprlib.repr(value)} is no number")
        if isinstance(value, float) and not math.isfinite(value):
            raise self.fail(name, f"{value!r} is no number")
        if not low <= value <= high:
            raise self.fail(name, f"{reprlib.repr(value)} is not between {low:g} and {high:g}")
        return float(value)

    def _path(self, name: str) -> str:
        return f"{self.key}.{name}" if self.key else name


def _content(text: str) -> Any:
    """What a YAML text says; ValueError where that would be too much once its aliases are written out."""
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is not None and _weight(node, {}) > MOST:
            raise ValueError("its aliases stand for too many values")
        return None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _weight(node: yaml.Node, known: dict[int, float]) -> float:
    """How many values a node stands for; infinitely many where it is within itself."""
    if id(node) not in known:
        known[id(node)] = math.inf
        below = node.value if isinstance(node, yaml.CollectionNode) else []
        parts = [part for one in below for part in (one if isinstance(one, tuple) else (one,))]
        known[id(node)] = 1 + sum(_weight(part, known) for part in parts)
    return known[id(node)]
