"""What killed processes leave in /dev/shm, told apart from what others use."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from ar_tools import shared_memory
from ar_tools.shared_memory import left_behind, remove_dead, segments


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shared_memory, "SHM", tmp_path)
    for name in ("fastrtps_aa11", "fastrtps_bb22", "fastrtps_port7400", "fastrtps_port7411", "fastrtps_port7413"):
        (tmp_path / name).write_bytes(b"x")
        (tmp_path / f"{name}_el").touch()
        (tmp_path / f"{name}_sl").touch()
        (tmp_path / f"sem.{name}_mutex").touch()
    (tmp_path / "somebody_elses").touch()
    return tmp_path


def test_what_somebody_holds_stays(memory: Path) -> None:
    """An owner holds the exclusive lock; who listens at a shared port holds the other."""
    with (memory / "fastrtps_aa11_el").open() as owner, (memory / "fastrtps_port7400_sl").open() as listener:
        fcntl.flock(owner, fcntl.LOCK_EX)
        fcntl.flock(listener, fcntl.LOCK_SH)
        removed = remove_dead(segments())
    assert removed == ["fastrtps_bb22", "fastrtps_port7411", "fastrtps_port7413"]
    left = {path.name for path in memory.iterdir()}
    assert {"fastrtps_aa11", "sem.fastrtps_aa11_mutex", "fastrtps_port7400", "somebody_elses"} <= left
    assert not [name for name in left if "bb22" in name or "7411" in name or "7413" in name]


def test_what_has_just_been_made_is_not_left_behind(memory: Path) -> None:
    assert left_behind() == set()
    assert left_behind(-1.0) == segments()


def test_what_is_another_users_stays(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In /dev/shm only its owner may remove a file."""
    removed = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if "bb22" in path.name:
            raise PermissionError(path)
        removed(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    assert "fastrtps_bb22" not in remove_dead(segments())
    assert segments() == {"fastrtps_bb22"}
