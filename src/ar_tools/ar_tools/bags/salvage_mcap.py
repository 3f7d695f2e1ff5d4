"""What can still be read of an mcap file.

Records are read one after another; where one is damaged the next chunk is searched for. A chunk counts as whole when its
lengths and its checksum are right.
"""

from __future__ import annotations

import contextlib
import mmap
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, MessageIndex, Schema

from ar_tools.bags.mcap_file import MAGIC
from ar_tools.bags.model import BagError, Definition, Message, Salvage, Topic
from ar_tools.bags.reader import topic_from_channel

HEAD = struct.Struct("<BQ")
CHUNK_HEAD = struct.Struct("<QQQII")
MESSAGE_HEAD = struct.Struct("<HIQQ")
# A chunk: opcode, a length below 2**40, 28 bytes of times, size and checksum, and one of the known compressions.
CHUNK_START = re.compile(rb"\x06[\s\S]{5}\x00{3}[\s\S]{28}(?:\x00{4}|\x03\x00{3}lz4|\x04\x00{3}zstd)")
MAX_CHUNK = 2**31


@dataclass(frozen=True)
class _Span:
    """Messages: a chunk or a single record, by offset and length of what the record holds."""

    opcode: int
    offset: int
    length: int


@contextlib.contextmanager
def salvage_mcap(path: Path) -> Iterator[Salvage]:
    """The readable part; BagError if there is none."""
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
