"""Tables go where their marks are, and nothing else of a file changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.report import MARKS, put, table

ROWS = {"all": {"mIoU": 0.7114, "box": 0.8}, "less": {"mIoU": 0.699, "box": 1.0}}


def test_a_table_has_a_row_and_a_column_for_each() -> None:
    assert table(ROWS).splitlines() == [
        "| | mIoU | box |", "|---|---|---|", "| all | .711 | .800 |", "| less | .699 | 1.000 |",
    ]  # fmt: skip


def test_a_table_is_replaced_between_its_marks(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text(f"before\n{MARKS[0]}\nold\n{MARKS[1]}\nafter\n")
    for _ in range(2):
        put(table(ROWS), file)
        assert file.read_text() == f"before\n{MARKS[0]}\n{table(ROWS)}{MARKS[1]}\nafter\n"


def test_a_file_without_marks_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("nothing")
    with pytest.raises(ValueError, match="lacks the lines"):
        put("x", file)
    assert file.read_text() == "nothing"
