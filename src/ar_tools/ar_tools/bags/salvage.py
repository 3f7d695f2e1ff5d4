"""What can still be read of one storage file: everything that is whole, in the order of the file.

mcap: records are read one after another; where one is damaged the next chunk is searched for. A chunk counts as whole when
its lengths and its checksum are right. sqlite3: a copy is opened, so that sqlite itself takes back what a hot journal or WAL
holds; rows on damaged pages are left out.
"""

from __future__ import annotations

import contextlib
import mmap
import re
import shutil
import sqlite3
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, MessageIndex, Schema

from ar_tools.bags.mcap_file import MAGIC
from ar_tools.bags.model import BagError, Definition, Message, Topic
from ar_tools.bags.reader import SQLITE_MAGIC, read_tables, topic_from_channel

HEAD = struct.Struct("<BQ")
CHUNK_HEAD = struct.Struct("<QQQII")
MESSAGE_HEAD = struct.Struct("<HIQQ")
# A chunk: opcode, a length below 2**40, 28 bytes of times, size and checksum, and one of the known compressions.
CHUNK_START = re.compile(rb"\x06[\s\S]{5}\x00{3}[\s\S]{28}(?:\x00{4}|\x03\x00{3}lz4|\x04\x00{3}zstd)")
MAX_CHUNK = 2**31
MISSING = bytes.fromhex("b6e71f0ad25c8391e4437a9d20fb65c8")  # stands on pages that are missing


@dataclass
class Salvage:
    """What was found in one file; ``messages()`` may be called again and again."""

    topics: dict[str, Topic]
    definitions: dict[str, Definition]
    messages: Callable[[], Iterator[Message]]
    problems: list[str] = field(default_factory=list)  # none: nothing is missing
    storage: str = "mcap"


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
    with _sqlite(path, scratch) if sqlite else _mcap(path) as found:
        yield found


# ---- mcap


@dataclass(frozen=True)
class _Span:
    """Messages: a chunk or a single record, by offset and length of what the record holds."""

    opcode: int
    offset: int
    length: int


@contextlib.contextmanager
def _mcap(path: Path) -> Iterator[Salvage]:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        scan = _Scan(data)
        scan.run()
        if not scan.channels and not scan.ended:
            raise BagError(f"{path}: nothing in it can be read as mcap")
        topics: dict[str, Topic] = {}
        definitions: dict[str, Definition] = {}
        by_channel: dict[int, Topic] = {}
        for channel in scan.channels.values():
            schema = scan.schemas.get(channel.schema_id)
            if schema is None:
                scan.problems.append(f"topic {channel.topic} has no type; left out")
                continue
            topic = topic_from_channel(channel, schema.name)
            text = schema.data.decode(errors="replace")
            if topics.setdefault(topic.name, topic).type != topic.type:
                scan.problems.append(f"topic {channel.topic} has two types; {topic.type} is left out")
                continue
            by_channel[channel.id] = topic
            definitions[topic.type] = Definition(topic.type, text, schema.encoding, topic.type_hash)

        def messages() -> Iterator[Message]:
            for span in scan.spans:
                for channel_id, log_time, publish_time, body in scan.messages(span):
                    topic = by_channel.get(channel_id)
                    if topic is not None:
                        yield Message(topic.name, topic.type, body, log_time, publish_time)

        if any(channel not in by_channel for channel in scan.used):
            scan.problems.append("messages of an unknown channel are left out")
        yield Salvage(topics, definitions, messages, scan.problems)


class _Scan:
    """One pass over an mcap file."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.schemas: dict[int, Schema] = {}
        self.channels: dict[int, Channel] = {}
        self.spans: list[_Span] = []
        self.used: set[int] = set()
        self.problems: list[str] = []
        self.ended = False  # a footer and the magic stand at the end
        self._index: dict[int, list[tuple[int, int]]] = {}  # of the chunk before

    def run(self) -> None:
        """Find what is whole."""
        at = len(MAGIC) if self.data[: len(MAGIC)] == MAGIC else 0
        if not at:
            self.problems.append("the start of the file is damaged")
        while at < len(self.data) and not self.ended:
            following = self._record(at)
            if following is None:
                found = self._next_chunk(at + 1)
                where = "at its end" if found is None else f"at byte {at}"
                following = len(self.data) if found is None else found
                self.problems.append(f"{following - at} bytes {where} are torn or damaged")
            at = following
        if not self.ended and not self.problems:
            self.problems.append("it was not closed (no index)")

    def messages(self, span: _Span) -> Iterator[tuple[int, int, int, bytes]]:
        """Channel, log time, publish time and data of what is in a span that is whole."""
        body = self._body(span) or b""
        for opcode, start, end in _records(body) if span.opcode == Opcode.CHUNK else [(span.opcode, 0, len(body))]:
            if opcode == Opcode.MESSAGE:
                channel, _, log_time, publish_time = MESSAGE_HEAD.unpack_from(body, start)
                yield channel, log_time, publish_time, body[start + MESSAGE_HEAD.size : end]

    def _record(self, at: int) -> int | None:
        """Take in the record that starts here; where the next one starts, None if it is damaged."""
        if at + HEAD.size > len(self.data):
            return None
        opcode, length = HEAD.unpack_from(self.data, at)
        start, end = at + HEAD.size, at + HEAD.size + length
        if end > len(self.data) or not 1 <= opcode <= 0x0F:
            return None
        if opcode in (Opcode.CHUNK, Opcode.MESSAGE):
            return end if self._take(_Span(opcode, start, length)) else None
        if opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
            return end if self._definition(opcode, self.data[start:end]) else None
        if opcode == Opcode.MESSAGE_INDEX:
            self._check_index(self.data[start:end], at)
        if opcode == Opcode.FOOTER:
            self.ended = length == 20 and self.data[end:] == MAGIC
            return end if self.ended else None
        return end

    def _next_chunk(self, at: int) -> int | None:
        """Where the next chunk starts that is whole."""
        for match in CHUNK_START.finditer(self.data, at):
            _, length = HEAD.unpack_from(self.data, match.start())
            span = _Span(Opcode.CHUNK, match.start() + HEAD.size, length)
            if span.offset + length <= len(self.data) and self._body(span) is not None:
                return match.start()
        return None

    def _take(self, span: _Span) -> bool:
        body = self._body(span)
        if body is None:
            return False
        self.spans.append(span)
        self._index = {}
        for opcode, start, end in _records(body) if span.opcode == Opcode.CHUNK else [(span.opcode, 0, len(body))]:
            if opcode == Opcode.MESSAGE:
                channel, _, log_time, _ = MESSAGE_HEAD.unpack_from(body, start)
                self._index.setdefault(channel, []).append((log_time, start - HEAD.size))
            elif opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
                self._definition(opcode, body[start:end])
        self.used |= self._index.keys()
        return True

    def _body(self, span: _Span) -> bytes | None:
        """The bytes of a message, or the uncompressed records of a chunk; None if they are not whole."""
        raw = self.data[span.offset : span.offset + span.length]
        if span.opcode == Opcode.MESSAGE:
            return raw if span.length >= MESSAGE_HEAD.size else None
        try:
            _, _, size, crc, name_length = CHUNK_HEAD.unpack_from(raw)
            at = CHUNK_HEAD.size + name_length
            name = raw[CHUNK_HEAD.size : at].decode()
            (packed,) = struct.unpack_from("<Q", raw, at)
            if at + 8 + packed != len(raw) or size > MAX_CHUNK:
                return None
            body = _uncompressed(raw[at + 8 :], name, size)
            if len(body) != size or (crc and zlib.crc32(body) != crc):
                return None
            _records(body)
        except Exception:  # struct, unicode, lz4 and zstd have their own
            return None
        return body

    def _definition(self, opcode: int, raw: bytes) -> bool:
        try:
            stream = ReadDataStream(BytesIO(raw))
            if opcode == Opcode.SCHEMA:
                schema = Schema.read(stream)
                self.schemas.setdefault(schema.id, schema)
            else:
                channel = Channel.read(stream)
                self.channels.setdefault(channel.id, channel)
        except Exception:  # of the library, for lengths that lie
            return False
        return bool(stream.count == len(raw))

    def _check_index(self, raw: bytes, at: int) -> None:
        """Other readers rely on it: it must list what the chunk before it holds."""
        try:
            index = MessageIndex.read(ReadDataStream(BytesIO(raw)))
            right = sorted(index.records) == sorted(self._index.get(index.channel_id, []))
        except Exception:  # of the library, for lengths that lie
            right = False
        if not right:
            self.problems.append(f"the index of a chunk is damaged (byte {at})")


def _records(body: bytes) -> list[tuple[int, int, int]]:
    """Opcode, start and end of each record in a chunk; ValueError or struct.error if they do not fill it exactly."""
    found, at = [], 0
    while at < len(body):
        opcode, length = HEAD.unpack_from(body, at)
        start, at = at + HEAD.size, at + HEAD.size + length
        if at > len(body) or (opcode == Opcode.MESSAGE and length < MESSAGE_HEAD.size):
            raise ValueError("a record does not end in its chunk")
        found.append((opcode, start, at))
    return found


def _uncompressed(raw: bytes, compression: str, size: int) -> bytes:
    if compression == "lz4":
        import lz4.frame

        return bytes(lz4.frame.decompress(raw))
    if compression == "zstd":
        import zstandard

        return bytes(zstandard.decompress(raw, max_output_size=size))
    if compression:
        raise ValueError(compression)
    return raw


# ---- sqlite3


@contextlib.contextmanager
def _sqlite(path: Path, scratch: Path) -> Iterator[Salvage]:
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
