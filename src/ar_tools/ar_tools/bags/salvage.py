"""What can still be read of one storage file: everything that is whole, in the order of the file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ar_tools.bags.mcap_file import MAGIC
from ar_tools.bags.model import BagError, Salvage
from ar_tools.bags.reader import SQLITE_MAGIC
from ar_tools.bags.salvage_mcap import salvage_mcap
from ar_tools.bags.salvage_sqlite import salvage_sqlite


@contextlib.contextmanager
def salvage(path: Path, scratch: Path) -> Iterator[Salvage]:
    """The readable part of a storage file; BagError, in one line, if there is none. Copies go into ``scratch``."""
    try:
        with path.open("rb") as stream:
            start = stream.read(16)
    except OSError as error:
        raise BagError(f"{path}: {error.strerror}") from None
    if not start:
        raise BagError(f"{path}: is empty; nothing was saved before it ended")
    sqlite = start == SQLITE_MAGIC or (path.suffix == ".db3" and start[:8] != MAGIC)
    with salvage_sqlite(path, scratch) if sqlite else salvage_mcap(path) as found:
        yield found
