"""What can still be read of a sqlite3 bag.

A copy is opened, so that sqlite itself takes back what a hot journal or WAL holds; rows on damaged pages are left out.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ar_tools.bags.model import BagError, Message, Salvage
from ar_tools.bags.reader import SQLITE_MAGIC, read_tables

MISSING = bytes.fromhex("b6e71f0ad25c8391e4437a9d20fb65c8")  # stands on pages that are missing


@contextlib.contextmanager
def salvage_sqlite(path: Path, scratch: Path) -> Iterator[Salvage]:
    """The readable part; BagError if there is none. The copy goes into ``scratch``."""
    problems = []
    with tempfile.TemporaryDirectory(prefix=".repair-", dir=scratch) as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        for side in ("-journal", "-wal"):
            file = path.with_name(path.name + side)
            if file.exists() and file.stat().st_size:
                shutil.copyfile(file, copy.with_name(file.name))
                problems.append(f"it was not closed ({side[1:]} left behind)")
        if _lengthen(copy):
            problems.append("its end is missing")
        base = sqlite3.connect(copy)
        try:
            try:
                by_number, topics, definitions = read_tables(base)
            except Exception as error:  # parsers of a damaged file
                raise BagError(f"{path}: its tables cannot be read ({' '.join(str(error).split())})") from None
            try:
                if base.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                    problems.append("the database is damaged")
            except (sqlite3.Error, UnicodeDecodeError):
                problems.append("the database is damaged")

            def messages() -> Iterator[Message]:
                for key, time, data in _rows(base):
                    topic = by_number.get(key)
                    if topic is not None and isinstance(time, int) and isinstance(data, bytes) and not _missing(data):
                        yield Message(topic.name, topic.type, data, time, time)

            yield Salvage(topics, definitions, messages, problems, "sqlite3")
        finally:
            base.close()


def _lengthen(file: Path) -> bool:
    """Fill up what its header counts: sqlite reads nothing at all of a database that is cut off.

    Not with zeros: a message that ends on a missing page would be taken for whole.
    """
    with file.open("r+b") as stream:
        header = stream.read(32)
        if len(header) < 32 or header[:16] != SQLITE_MAGIC:
            return False
        page = int.from_bytes(header[16:18], "big")
        wanted = (65536 if page == 1 else page) * int.from_bytes(header[28:32], "big")
        size = stream.seek(0, 2)
        short = size < wanted <= 4 * size + 2**26  # a larger number is itself damage
        if short:
            while (missing := wanted - stream.tell()) > 0:
                stream.write((MISSING * 4096)[: min(missing, 65536)])
        return short


def _missing(data: bytes) -> bool:
    return data[-4:] in MISSING * 2 and len(data) >= 4


def _rows(base: sqlite3.Connection) -> Iterator[tuple[int, int, bytes]]:
    """Rows of messages in the order of their ids; where a page is damaged it is gone around."""
    last, top = 0, _highest_id(base)
    while last < top:
        try:
            for key, topic, time, data in base.execute(
                "SELECT id, topic_id, timestamp, data FROM messages WHERE id > ? ORDER BY id", (last,)
            ):
                yield topic, time, data
                last = max(last, key)
            return
        except (sqlite3.Error, UnicodeDecodeError):
            last = _behind_damage(base, last, top)


def _behind_damage(base: sqlite3.Connection, last: int, top: int) -> int:
    """The largest id below which nothing more can be read: found by steps that double."""
    step = 1
    while last + step < top:
        try:
            row = base.execute(
                "SELECT id, topic_id, timestamp, data FROM messages WHERE id > ? ORDER BY id LIMIT 1", (last + step,)
            ).fetchone()
            if row is not None:
                return last + step if step == 1 else _first_readable(base, last + step // 2, last + step)
        except (sqlite3.Error, UnicodeDecodeError):
            pass
        step *= 2
    return top


def _first_readable(base: sqlite3.Connection, bad: int, good: int) -> int:
    """Between an id behind which nothing can be read and one behind which something can: the smallest of the latter."""
    while good - bad > 1:
        middle = (bad + good) // 2
        try:
            base.execute(
                "SELECT id, topic_id, timestamp, data FROM messages WHERE id > ? ORDER BY id LIMIT 1", (middle,)
            ).fetchone()
            good = middle
        except (sqlite3.Error, UnicodeDecodeError):
            bad = middle
    return good


def _highest_id(base: sqlite3.Connection) -> int:
    for select in ("SELECT max(id) FROM messages", "SELECT max(rowid) FROM messages INDEXED BY timestamp_idx"):
        try:
            found = base.execute(select).fetchone()[0]
            return int(found) if isinstance(found, int) else 0
        except (sqlite3.Error, UnicodeDecodeError):
            continue
    return 2**31  # cannot be asked; steps that double get there soon
