"""Figures as tables in Markdown, and where they go."""

from __future__ import annotations

from pathlib import Path

MARKS = ("<!-- ablation -->", "<!-- /ablation -->")


def table(rows: dict[str, dict[str, float]]) -> str:
    """A row by name, a column by figure; figures under 1 without their 0."""
    columns = list(next(iter(rows.values())))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(f"{row[c]:.3f}".lstrip("0") for c in columns) + " |" for name, row in rows.items()
    ]
    return "\n".join(lines) + "\n"


def put(text: str, file: Path) -> None:
    """`text` between the marks of `file`; ValueError where it has none."""
    old = file.read_text(encoding="utf-8")
    if any(mark not in old for mark in MARKS):
        raise ValueError(f"{file}: lacks the lines {MARKS[0]} and {MARKS[1]}, between which the table goes")
    start, end = old.index(MARKS[0]) + len(MARKS[0]), old.index(MARKS[1])
    file.write_text(f"{old[:start]}\n{text}{old[end:]}", encoding="utf-8")
