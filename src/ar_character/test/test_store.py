"""What survives the process: everything sound, in order, and nothing half-written."""

from __future__ import annotations

from pathlib import Path

from ar_character.store import Store


def test_entries_come_back_in_order_and_the_oldest_go(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "folder", keep=3)
    assert store.read() == ([], [])
    for number in range(5):
        store.add(bytes([number]) * 1000)
    assert store.read() == ([bytes([n]) * 1000 for n in (2, 3, 4)], [])
    Store(store.folder, keep=3).add(b"after a restart")
    assert store.read()[0][-1] == b"after a restart"


def test_damaged_entries_are_named_and_left_out(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for data in (b"one" * 100, b"two" * 100, b"three" * 100):
        store.add(data)
    files = sorted(tmp_path.glob("*.kept"))
    files[0].write_bytes(files[0].read_bytes()[:-1])
    changed = bytearray(files[1].read_bytes())
    changed[-1] ^= 1
    files[1].write_bytes(bytes(changed))
    (tmp_path / "000009.part").write_bytes(b"half")
    assert store.read() == ([b"three" * 100], [files[0].name, files[1].name])
