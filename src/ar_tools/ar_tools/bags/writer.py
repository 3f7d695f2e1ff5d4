"""A bag being written: a folder with one or more storage files and a metadata.yaml that is there from the start."""

from __future__ import annotations

import contextlib
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from ar_tools.bags import metadata as metadata_file
from ar_tools.bags.mcap_file import McapFile
from ar_tools.bags.model import NO_TIME_NS, BagError, Definition, FileRecord, Metadata, Topic
from ar_tools.bags.sqlite_file import SqliteFile

FLUSH_S = 0.5  # what a killed process loses at most
SYNC_S = 1.0  # what a power cut loses at most, beyond that
STORAGES = ("mcap", "sqlite3")


class BagWriter:
    """Writes a bag as ROS 2 Jazzy lays it out. Call ``flush`` every ``FLUSH_S``; use as a context manager or ``close``.

    An OSError of ``write`` or ``flush`` (a full disk) means: ``close`` now; what was flushed stays whole and readable.
    """

    def __init__(self, folder: Path, storage: str = "mcap", *, ros_distro: str = "jazzy", name: str = "") -> None:
        if storage not in STORAGES:
            raise BagError(f"storage '{storage}' is not known ({', '.join(STORAGES)} are)")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            raise BagError(f"{folder} exists already; choose another name") from None
        except OSError as error:
            raise BagError(f"{folder} cannot be made: {error.strerror}") from None
        self.folder, self._name = folder, name or folder.resolve().name
        self.metadata = Metadata(storage, ros_distro=ros_distro)
        self.lost = 0  # messages that a full disk has cost
        self._definitions: dict[str, Definition] = {}
        self._ended = 0  # bytes of the files that are finished
        self._counts_before: dict[str, int] = {}
        self._syncer = ThreadPoolExecutor(1, "sync")
        self._sync: Future[None] | None = None
        self._synced = time.monotonic()
        self._open()

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return self._ended + self._file.size

    @property
    def file_size(self) -> int:
        """Bytes of the file that is being written."""
        return self._file.size

    @property
    def messages(self) -> int:
        """Messages written so far."""
        return self.metadata.messages

    def add_topic(self, topic: Topic, definition: Definition) -> None:
        """Make a topic known; before its first message."""
        self.metadata.topics[topic.name] = topic
        self.metadata.counts[topic.name] = 0
        self._definitions[topic.type] = definition
        self._file.add_topic(topic, definition)

    def write(self, topic: str, log_time: int, publish_time: int, data: bytes) -> None:
        """Add a serialized message; times in nanoseconds. OSError when the disk is full."""
        self.metadata.counts[topic] += 1
        self.metadata.files[-1].count(log_time)
        self._file.write(topic, log_time, publish_time, data)

    def flush(self) -> None:
        """What was written so far survives the end of this process; every ``SYNC_S`` that of the machine. OSError."""
        self._file.flush()
        if time.monotonic() >= self._synced + SYNC_S and (self._sync is None or self._sync.done()):
            if self._sync is not None:
                self._sync.result()
            self._synced = time.monotonic()
            self._sync = self._syncer.submit(self._file.sync)  # a slow disk must not hold up the taking of messages
            metadata_file.write(self.folder, self.metadata)

    def split(self) -> None:
        """Finish this file and go on in another."""
        self._file.flush()
        self._file.finish(metadata_file.dump(self.metadata))
        self._wait_for_disk()
        self._file.close()
        self._ended += self._file.path.stat().st_size
        self._open()
        for topic in self.metadata.topics.values():
            self._file.add_topic(topic, self._definitions[topic.type])

    def close(self) -> None:
        """Finish the bag. If the disk is full, give up as much of its end as the index needs (``lost`` says how much).

        OSError only if the disk cannot be trusted to have what was written.
        """
        with contextlib.suppress(OSError):
            self._file.flush()
        before = self.messages
        while True:
            self._recount()
            try:
                self._file.finish(metadata_file.dump(self.metadata))
                metadata_file.write(self.folder, self.metadata)
                break
            except OSError:
                if not self._file.drop_chunk():
                    break  # not even an empty bag fits; ``bag repair`` reads what is there
        self.lost = before - self.messages
        try:
            self._wait_for_disk()
        finally:
            self._file.close()
            self._syncer.shutdown()

    def _open(self) -> None:
        name = f"{self._name}_{len(self.metadata.files)}"
        path = self.folder / (name + (McapFile if self.metadata.storage == "mcap" else SqliteFile).suffix)
        self.metadata.files.append(FileRecord(path.name))
        text = metadata_file.dump(self.metadata)
        self._counts_before = dict(self.metadata.counts)
        self._file: McapFile | SqliteFile
        if self.metadata.storage == "mcap":
            self._file = McapFile(path, text)
        else:
            self._file = SqliteFile(path, text, self.metadata.ros_distro)
        metadata_file.write(self.folder, self.metadata)

    def _recount(self) -> None:
        """Count what is in the file: a write that failed has cost what was not yet flushed."""
        counts, record = self._file.counts(), self.metadata.files[-1]
        for topic, n in counts.items():
            self.metadata.counts[topic] = self._counts_before.get(topic, 0) + n
        record.messages = sum(counts.values())
        record.start, record.end = self._file.span() if record.messages else (NO_TIME_NS, 0)

    def _wait_for_disk(self) -> None:
        if self._sync is not None:
            self._sync.result()
        self._file.sync()


def ros_distro() -> str:
    """What Jazzy writes: the distribution that is sourced; the wheels are Jazzy and set nothing."""
    return os.environ.get("ROS_DISTRO", "jazzy")
