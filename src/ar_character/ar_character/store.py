"""A few byte strings that survive the process: one file each, written whole or not at all."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"TSKC1\n"


@dataclass(frozen=True)
class Store:
    """The newest `keep` entries of a folder, in the order in which they were added."""

    folder: Path
    keep: int = 8

    def add(self, data: bytes) -> None:
        """Keep this too; the oldest goes when there are too many. Raises OSError where the folder cannot be written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        files = self._files()
        number = int(files[-1].stem) + 1 if files else 0
        part = self.folder / f"{number:06d}.part"
        part.write_bytes(MAGIC + zlib.crc32(data).to_bytes(4, "big") + data)
        part.replace(part.with_suffix(".kept"))  # a process that is killed meanwhile leaves no half entry
        for old in self._files()[: -self.keep]:
            old.unlink(missing_ok=True)

    def read(self) -> tuple[list[bytes], list[str]]:
        """All sound entries, oldest first, and the names of files that are damaged."""
        entries, damaged = [], []
        for path in self._files():
            content = path.read_bytes()
            check, data = content[len(MAGIC) : len(MAGIC) + 4], content[len(MAGIC) + 4 :]
            if content.startswith(MAGIC) and zlib.crc32(data).to_bytes(4, "big") == check:
                entries.append(data)
            else:
                damaged.append(path.name)
        return entries, damaged

    def _files(self) -> list[Path]:
        return sorted(p for p in self.folder.glob("*.kept") if p.stem.isdigit())
