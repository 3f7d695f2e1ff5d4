"""Reading a bag: rosbag2 folders and single storage files (mcap, sqlite3), also those that other programs wrote.

>>> with Bag(Path("out/bag")) as bag:
...     for message in bag.messages({"/camera/image_raw"}):      # in the order of log time
...         message.topic, message.type, message.data, message.log_time, message.publish_time
...     bag.topics["/camera/image_raw"].qos                       # as its publishers offered it
"""

from __future__ import annotations

import contextlib
import heapq
import sqlite3
import struct
import tempfile
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from mcap.opcode import Opcode
from mcap.reader import make_reader

from ar_tools.bags import metadata as metadata_file
from ar_tools.bags.mcap_file import MAGIC
from ar_tools.bags.model import BagError, Definition, Message, Metadata, Topic

SUFFIXES = {".mcap": "mcap", ".db3": "sqlite3"}
REPAIR = "try: ./tsukumo bag repair"
FOOTER_BYTES = 9 + 20 + len(MAGIC)
SQLITE_MAGIC = b"SQLite format 3\0"


class Bag:
    """An open bag; a context manager. BagError, one line, for whatever cannot be read, also while iterating."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.metadata: Metadata | None = None
        self._closing = contextlib.ExitStack()
        files, compression = self._files(path)
        try:
            self._parts = [self._part(file, compression) for file in files]
        except BaseException:
            self._closing.close()
            raise
        self.topics: dict[str, Topic] = {}
        self.definitions: dict[str, Definition] = {}
        self.counts: dict[str, int] = {}
        for part in self._parts:
            self.definitions.update({d.type: d for d in part.definitions.values() if d.text})
            for name, topic in part.topics.items():
                other = self.topics.setdefault(name, topic)
                if other.type != topic.type:
                    raise BagError(f"{path}: topic {name} has two types, {other.type} and {topic.type}")
                self.counts[name] = self.counts.get(name, 0) + part.counts[name]
        if self.metadata is not None:  # what only metadata.yaml knows
            for name, topic in self.metadata.topics.items():
                self.topics.setdefault(name, topic)
                self.counts.setdefault(name, 0)

    def __enter__(self) -> Bag:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def span(self) -> tuple[int, int]:
        """First and last log time in nanoseconds; (0, 0) of an empty bag."""
        spans = [part.span for part in self._parts if sum(part.counts.values())]
        return (min(s for s, _ in spans), max(e for _, e in spans)) if spans else (0, 0)

    @property
    def storage(self) -> str:
        """``mcap`` or ``sqlite3``."""
        return self._parts[0].storage

    @property
    def files(self) -> list[Path]:
        """The storage files."""
        return [part.path for part in self._parts]

    def messages(self, topics: Collection[str] | None = None) -> Iterator[Message]:
        """The messages in the order of their log time, only of the named topics if any are named."""
        return heapq.merge(*(part.messages(topics) for part in self._parts), key=lambda message: message.log_time)

    def _files(self, path: Path) -> tuple[list[Path], str]:
        """The storage files of a bag, and how they are compressed: "", "file" or "message"."""
        if path.is_file():
            return [path], "file" if path.suffix == ".zstd" else ""
        if not path.is_dir():
            raise BagError(f"{path}: there is no such bag")
        if path.joinpath(metadata_file.FILE_NAME).exists():
            self.metadata = metadata_file.read(path)
            if self.metadata.compression_format not in ("", "zstd"):
                raise BagError(f"{path}: compression '{self.metadata.compression_format}' is not supported (zstd is)")
            files = [path / Path(file.path).name for file in self.metadata.files]
            gone = next((file.name for file in files if not file.is_file()), None)
            if gone is not None:
                raise BagError(f"{path}: {gone}, which metadata.yaml names, is missing; {REPAIR} {path}")
            return files, self.metadata.compression_mode
        files = storage_files(path)
        if not files:
            raise BagError(f"{path}: there is no bag in this folder (no metadata.yaml, .mcap or .db3)")
        return files, ""

    def _part(self, file: Path, compression: str) -> McapPart | SqlitePart:
        if compression == "file":
            file = self._uncompressed(file)
        part: McapPart | SqlitePart
        try:
            with file.open("rb") as stream:
                start = stream.read(16)
            if start[:8] == MAGIC:
                part = McapPart(file)
            elif start == SQLITE_MAGIC:
                part = SqlitePart(file, compressed=compression == "message")
            else:
                what = "it is empty" if not start else "a ROS 1 bag?" if start.startswith(b"#ROSBAG") else "damaged?"
                raise BagError(f"{file}: is neither mcap nor sqlite3 ({what})")
        except OSError as error:
            raise BagError(f"{file}: {error.strerror}") from None
        self._closing.callback(part.close)
        return part

    def _uncompressed(self, file: Path) -> Path:
        import zstandard

        folder = Path(self._closing.enter_context(tempfile.TemporaryDirectory(prefix="tsukumo-bag-")))
        target = folder / file.name.removesuffix(".zstd")
        with _guarded(file), file.open("rb") as packed, target.open("wb") as unpacked:
            zstandard.ZstdDecompressor().copy_stream(packed, unpacked)
        return target


def storage_files(folder: Path) -> list[Path]:
    """The storage files in a folder, in the order of their numbers."""

    def order(file: Path) -> tuple[int, str]:
        number = file.stem.rpartition("_")[2]
        return int(number) if number.isdecimal() else 0, file.name

    return sorted((file for file in folder.iterdir() if file.suffix in SUFFIXES), key=order)


class McapPart:
    """One mcap file with its index; chunk checksums are verified."""

    storage = "mcap"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream = path.open("rb")
        self.topics: dict[str, Topic] = {}
        self.definitions: dict[str, Definition] = {}
        self.counts: dict[str, int] = {}
        self.span = (0, 0)
        try:
            with _guarded(path):
                self._open()
        except BaseException:
            self._stream.close()
            raise

    def _open(self) -> None:
        size = self._stream.seek(0, 2)
        self._stream.seek(max(0, size - len(MAGIC)))
        if size < 2 * len(MAGIC) or self._stream.read() != MAGIC:
            raise BagError(f"{self.path}: was not closed properly; {REPAIR} {self.path}")
        _check_summary(self._stream, size)
        self._stream.seek(0)
        self._reader = make_reader(self._stream, validate_crcs=True)
        summary = self._reader.get_summary()
        if summary is None or summary.statistics is None or (summary.statistics.message_count and not summary.channels):
            raise BagError(f"{self.path}: has no index; {REPAIR} {self.path}")
        for channel in summary.channels.values():
            schema = summary.schemas.get(channel.schema_id)
            kind = schema.name if schema else ""
            topic = topic_from_channel(channel, kind)
            if schema:
                self.definitions[kind] = Definition(kind, schema.data.decode(), schema.encoding, topic.type_hash)
            if self.topics.setdefault(topic.name, topic).type != topic.type:
                raise BagError(f"{self.path}: topic {topic.name} has two types")
            count = summary.statistics.channel_message_counts.get(channel.id, 0)
            self.counts[topic.name] = self.counts.get(topic.name, 0) + count
        self.span = (summary.statistics.message_start_time, summary.statistics.message_end_time)

    def messages(self, topics: Collection[str] | None) -> Iterator[Message]:
        """In the order of log time."""
        with _guarded(self.path):
            for schema, channel, m in self._reader.iter_messages(topics):
                yield Message(channel.topic, schema.name if schema else "", m.data, m.log_time, m.publish_time)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def _check_summary(stream: BinaryIO, size: int) -> None:
    """The library verifies chunks only; topics and counts come from the summary. ValueError."""
    stream.seek(max(0, size - FOOTER_BYTES))
    footer = stream.read(FOOTER_BYTES)
    if len(footer) < FOOTER_BYTES or footer[0] != Opcode.FOOTER:
        raise ValueError("its footer is no footer")
    (start,) = struct.unpack_from("<Q", footer, 9)
    (crc,) = struct.unpack_from("<I", footer, 25)
    if start and crc:
        if start > size:
            raise ValueError("its index lies outside of it")
        stream.seek(start)
        if zlib.crc32(stream.read()[: -len(MAGIC) - 4]) != crc:
            raise ValueError("the checksum of its index is wrong")


class SqlitePart:
    """One sqlite3 file, opened for reading only: one with a journal or WAL beside it is left for ``bag repair``."""

    storage = "sqlite3"

    def __init__(self, path: Path, *, compressed: bool) -> None:
        self.path = path
        self._unpack: Callable[[bytes], bytes] = _unpacker() if compressed else bytes
        self.topics: dict[str, Topic] = {}
        self.definitions: dict[str, Definition] = {}
        self.counts: dict[str, int] = {}
        for side in ("-journal", "-wal"):
            file = path.with_name(path.name + side)
            if file.exists() and file.stat().st_size:
                raise BagError(f"{path}: was not closed properly ({file.name} is there); {REPAIR} {path}")
        self._base = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            with _guarded(path):
                self._open()
        except BaseException:
            self._base.close()
            raise

    def _open(self) -> None:
        self._names, self.topics, self.definitions = read_tables(self._base)
        counts = dict(self._base.execute("SELECT topic_id, count(*) FROM messages GROUP BY topic_id"))
        self.counts = {topic.name: counts.get(key, 0) for key, topic in self._names.items()}
        self.span = self._base.execute("SELECT min(timestamp), max(timestamp) FROM messages").fetchone()

    def messages(self, topics: Collection[str] | None) -> Iterator[Message]:
        """In the order of log time, which is also given as the time of publishing: sqlite3 bags have no other."""
        with _guarded(self.path):
            for key, time, data in self._base.execute(
                "SELECT topic_id, timestamp, data FROM messages ORDER BY timestamp, id"
            ):
                topic = self._names[key]
                if topics is None or topic.name in topics:
                    if not (isinstance(time, int) and isinstance(data, bytes)):
                        raise BagError(f"{self.path}: has rows that are no messages; {REPAIR} {self.path}")
                    yield Message(topic.name, topic.type, self._unpack(data), time, time)

    def close(self) -> None:
        """Close the file."""
        self._base.close()


def read_tables(base: sqlite3.Connection) -> tuple[dict[int, Topic], dict[str, Topic], dict[str, Definition]]:
    """Topics by number and by name, and definitions by type, of a sqlite3 bag of any schema version."""
    columns = {row[1] for row in base.execute("PRAGMA table_info(topics)")}
    if not {"id", "name", "type"} <= columns:
        raise BagError("the database has no table of topics")
    wanted = ("serialization_format", "offered_qos_profiles", "type_description_hash")
    select = ", ".join(name if name in columns else "''" for name in wanted)
    by_number = {}
    for key, name, kind, form, qos, type_hash in base.execute(f"SELECT id, name, type, {select} FROM topics"):
        by_number[int(key)] = Topic(str(name), str(kind), metadata_file.parse_qos(qos), str(type_hash), form or "cdr")
    definitions = {}
    if base.execute("PRAGMA table_info(message_definitions)").fetchone():
        rows = base.execute("SELECT topic_type, encoding, encoded_message_definition, type_description_hash "
                            "FROM message_definitions")  # fmt: skip
        definitions = {kind: Definition(kind, text, encoding, type_hash) for kind, encoding, text, type_hash in rows}
    return by_number, {topic.name: topic for topic in by_number.values()}, definitions


def topic_from_channel(channel: Any, kind: str) -> Topic:
    """The topic of an mcap channel; QoS that cannot be read are left out."""
    try:
        qos = metadata_file.parse_qos(channel.metadata.get("offered_qos_profiles"))
    except Exception:  # a YAML text that may be anything
        qos = ()
    return Topic(channel.topic, kind, qos, channel.metadata.get("topic_type_hash", ""), channel.message_encoding)


def _unpacker() -> Callable[[bytes], bytes]:
    import zstandard

    unpack: Callable[[bytes], bytes] = zstandard.ZstdDecompressor().decompress
    return unpack


@contextlib.contextmanager
def _guarded(path: Path) -> Iterator[None]:
    """Whatever the parsers of the libraries make of a damaged file becomes one line."""
    try:
        yield
    except (BagError, GeneratorExit) as error:
        if isinstance(error, BagError) and not str(error).startswith(str(path)):
            raise BagError(f"{path}: {error}") from None
        raise
    except Exception as error:
        what = " ".join(str(error).split())[:160] or type(error).__name__
        raise BagError(f"{path}: damaged ({what}); {REPAIR} {path}") from None
