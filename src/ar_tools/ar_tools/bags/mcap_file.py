"""An mcap file being written: whole chunks in the order of arrival, an index at the end.

The records are those of the reference library ``mcap``; its Writer is not used: it copies each picture four times (1.6 ms
a frame where this takes 0.5), and its counts are wrong after a write that failed. Here everything that is counted is in the
file, so that a full disk costs the last chunk and nothing else.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import (
    Channel,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    McapRecord,
    MessageIndex,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)
from mcap.records import Metadata as MetadataRecord

from ar_tools.bags.metadata import qos_text
from ar_tools.bags.model import Definition, Topic

MAGIC = b"\x89MCAP0\r\n"
CHUNK_BYTES = 1024 * 1024
MESSAGE_HEAD = struct.Struct("<BQHIQQ")  # opcode, length, channel, sequence, log time, publish time
CHUNK_HEAD = struct.Struct("<BQQQQIIQ")  # opcode, length, start, end, size, crc, no compression, size
OUR_NAME = "tsukumo"


def record_bytes(*records: McapRecord) -> bytes:
    """Records as they stand in a file."""
    builder = RecordBuilder()
    for record in records:
        record.write(builder)
    return builder.end()


@dataclass
class _Chunk:
    """Messages that are not yet in the file."""

    pieces: list[bytes] = field(default_factory=list)
    size: int = 0
    index: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def append(self, piece: bytes) -> None:
        self.pieces.append(piece)
        self.size += len(piece)


class McapFile:
    """Whatever was flushed is whole in the file; ``finish`` may be repeated (after ``drop_chunk``, on a full disk)."""

    suffix = ".mcap"

    def __init__(self, path: Path, metadata: str) -> None:
        self.path = path
        self._file = path.open("xb", buffering=0)
        self._end = 0  # of what is whole
        self._schemas: dict[str, Schema] = {}
        self._channels: dict[str, Channel] = {}
        self._chunk = _Chunk()
        self._chunks: list[tuple[ChunkIndex, dict[int, int]]] = []
        self._metadata_at: list[MetadataIndex] = []
        self._append(MAGIC + record_bytes(Header("ros2", OUR_NAME)))
        self._add_metadata(metadata)

    @property
    def size(self) -> int:
        """Bytes, with what is not yet flushed."""
        return self._end + self._chunk.size

    def add_topic(self, topic: Topic, definition: Definition) -> None:
        """A channel, and the schema of its type if it is new."""
        schema = self._schemas.get(topic.type)
        if schema is None:
            schema = Schema(len(self._schemas) + 1, definition.text.encode(), definition.encoding, topic.type)
            self._schemas[topic.type] = schema
            self._chunk.append(record_bytes(schema))
        about = {"offered_qos_profiles": qos_text(topic.qos), "topic_type_hash": topic.type_hash}
        channel = Channel(len(self._channels) + 1, topic.name, topic.serialization, about, schema.id)
        self._channels[topic.name] = channel
        self._chunk.append(record_bytes(channel))

    def write(self, topic: str, log_time: int, publish_time: int, data: bytes) -> None:
        """Add a message; OSError when its chunk is full and does not fit on the disk."""
        channel, chunk = self._channels[topic].id, self._chunk
        chunk.index.setdefault(channel, []).append((log_time, chunk.size))
        chunk.append(MESSAGE_HEAD.pack(Opcode.MESSAGE, len(data) + 22, channel, 0, log_time, publish_time))
        chunk.append(data)
        if chunk.size >= CHUNK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand the messages so far to the operating system, as a chunk; OSError, and then they are lost."""
        chunk = self._chunk
        if not chunk.index:
            return
        self._chunk = _Chunk()
        data, start_offset = b"".join(chunk.pieces), self._end
        times = [time for entries in chunk.index.values() for time, _ in entries]
        start, end = min(times), max(times)
        head = CHUNK_HEAD.pack(Opcode.CHUNK, len(data) + 40, start, end, len(data), zlib.crc32(data), 0, len(data))
        indexes = [record_bytes(MessageIndex(channel, entries)) for channel, entries in chunk.index.items()]
        self._append(head, data, *indexes)
        offset, offsets = start_offset + len(head) + len(data), {}
        for channel, record in zip(chunk.index, indexes, strict=True):
            offsets[channel] = offset
            offset += len(record)
        index = ChunkIndex(
            chunk_length=len(head) + len(data),
            chunk_start_offset=start_offset,
            compression="",
            compressed_size=len(data),
            message_end_time=end,
            message_index_length=sum(map(len, indexes)),
            message_index_offsets=offsets,
            message_start_time=start,
            uncompressed_size=len(data),
        )
        self._chunks.append((index, {channel: len(entries) for channel, entries in chunk.index.items()}))

    def sync(self) -> None:
        """Wait until the disk has what the operating system was handed; from another thread, OSError."""
        os.fdatasync(self._file.fileno())

    def drop_chunk(self) -> int:
        """Give up the last chunk, so that the index has room; how many messages that were (0: nothing left)."""
        if not self._chunks:
            return 0
        index, counts = self._chunks.pop()
        self._end = index.chunk_start_offset
        return sum(counts.values())

    def counts(self) -> dict[str, int]:
        """Messages in the file, by topic."""
        names = {channel.id: name for name, channel in self._channels.items()}
        totals = dict.fromkeys(self._channels, 0)
        for _, counts in self._chunks:
            for channel, n in counts.items():
                totals[names[channel]] += n
        return totals

    def span(self) -> tuple[int, int]:
        """First and last log time in the file; ValueError if it has no messages."""
        return min(i.message_start_time for i, _ in self._chunks), max(i.message_end_time for i, _ in self._chunks)

    def finish(self, metadata: str) -> None:
        """Write the index behind the last chunk; OSError, and the file still ends with a whole chunk."""
        end, places = self._end, list(self._metadata_at)
        try:
            self._add_metadata(metadata)
            self._append(record_bytes(DataEnd(0)), self._summary(self._end + 13))
            self._file.truncate(self._end)
        except OSError:
            self._cut(end)
            self._metadata_at = places
            raise
        self._end, self._metadata_at = end, places

    def close(self) -> None:
        """Close the file as it is."""
        self._file.close()

    def _summary(self, start: int) -> bytes:
        counts = dict.fromkeys((channel.id for channel in self._channels.values()), 0)
        for _, chunk_counts in self._chunks:
            for channel, n in chunk_counts.items():
                counts[channel] += n
        first, last = self.span() if self._chunks else (0, 0)
        statistics = Statistics(
            attachment_count=0,
            channel_count=len(self._channels),
            channel_message_counts=counts,
            chunk_count=len(self._chunks),
            message_count=sum(counts.values()),
            message_end_time=last,
            message_start_time=first,
            metadata_count=len(self._metadata_at),
            schema_count=len(self._schemas),
        )
        groups: list[tuple[Opcode, list[McapRecord]]] = [
            (Opcode.SCHEMA, list(self._schemas.values())),
            (Opcode.CHANNEL, list(self._channels.values())),
            (Opcode.STATISTICS, [statistics]),
            (Opcode.CHUNK_INDEX, [index for index, _ in self._chunks]),
            (Opcode.METADATA_INDEX, list(self._metadata_at)),
        ]
        body, offsets = b"", b""
        for opcode, records in groups:
            group = record_bytes(*records)
            if group:
                offsets += record_bytes(SummaryOffset(opcode, start + len(body), len(group)))
            body += group
        offsets_start = start + len(body)
        body += offsets
        footer = record_bytes(Footer(start, offsets_start, 0))
        crc = zlib.crc32(body + footer[:-4])
        return body + footer[:-4] + struct.pack("<I", crc) + MAGIC

    def _add_metadata(self, text: str) -> None:
        record = record_bytes(MetadataRecord("rosbag2", {"serialized_metadata": text}))
        self._metadata_at.append(MetadataIndex(self._end, len(record), "rosbag2"))
        self._append(record)

    def _append(self, *pieces: bytes) -> None:
        """Write behind what is whole; on an error the file is cut back to it."""
        end = self._end
        self._file.seek(end)
        try:
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[self._file.write(view) :]
                end += len(piece)
        except OSError:
            self._cut(self._end)
            raise
        self._end = end

    def _cut(self, end: int) -> None:
        self._file.truncate(end)
        self._end = end
