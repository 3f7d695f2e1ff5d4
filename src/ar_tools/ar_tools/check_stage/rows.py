"""What a check found, row by row, and what that means in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ar_tools.bench.table import aligned

PASS, NOTE, FAIL = "pass", "note", "FAIL"


class Row(NamedTuple):
    """One thing that was looked at: ``verdict`` pass, note (works, but mind) or FAIL (breaks the graph)."""

    verdict: str
    what: str
    found: str


def table(rows: Sequence[Row]) -> str:
    """The rows for people."""
    return "\n".join(
        aligned([(row.verdict, row.what.ljust(max(len(r.what) for r in rows)), row.found) for row in rows])
    )


def failed(rows: Sequence[Row]) -> bool:
    """Whether it cannot take the stage's place."""
    return any(row.verdict == FAIL for row in rows)


def sentence(stage: str, rows: Sequence[Row]) -> str:
    """What to do."""
    wrong = [row for row in rows if row.verdict == FAIL]
    notes = [row for row in rows if row.verdict == NOTE]
    if wrong:
        names = ", ".join(row.what for row in wrong[:4]) + (", …" if len(wrong) > 4 else "")
        return f"It does not keep the contract of '{stage}' yet: put right what says FAIL ({names}), then check again."
    if notes:
        return f"It can take the place of '{stage}'; the notes say what it lacks or where it differs from ours."
    return f"It keeps the whole contract of '{stage}'."
