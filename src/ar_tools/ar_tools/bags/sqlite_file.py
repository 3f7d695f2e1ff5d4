"""A sqlite3 storage file being written, in the tables of ROS 2 Jazzy (schema version 4)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ar_tools.bags.metadata import VERSION, qos_text
from ar_tools.bags.model import Definition, Topic

# rosbag2_storage_sqlite3 of Jazzy, SqliteStorage::initialize.
TABLES = """
CREATE TABLE schema(schema_version INTEGER PRIMARY KEY,ros_distro TEXT NOT NULL);
CREATE TABLE metadata(id INTEGER PRIMARY KEY,metadata_version INTEGER NOT NULL,metadata TEXT NOT NULL);
CREATE TABLE topics(id INTEGER PRIMARY KEY,name TEXT NOT NULL,type TEXT NOT NULL,serialization_format TEXT NOT NULL,
    offered_qos_profiles TEXT NOT NULL,type_description_hash TEXT NOT NULL);
CREATE TABLE message_definitions(id INTEGER PRIMARY KEY,topic_type TEXT NOT NULL,encoding TEXT NOT NULL,
    encoded_message_definition TEXT NOT NULL,type_description_hash TEXT NOT NULL);
CREATE TABLE messages(id INTEGER PRIMARY KEY,topic_id INTEGER NOT NULL,timestamp INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX timestamp_idx ON messages (timestamp ASC);
"""


class SqliteFile:
    """One transaction per flush. The rollback journal is sqlite's own safety: a commit survives a power loss."""

    suffix = ".db3"

    def __init__(self, path: Path, metadata: str, ros_distro: str = "jazzy") -> None:
        if path.exists():
            raise FileExistsError(f"{path} exists already")
        self.path = path
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._topics: dict[str, int] = {}
        self._types: set[str] = set()
        self._run("PRAGMA cache_spill=OFF")  # nothing reaches the file before the commit
        self._run("BEGIN")
        for statement in TABLES.split(";")[:-1]:
            self._run(statement)
        self._run("INSERT INTO schema VALUES (4, ?)", (ros_distro,))
        self._add_metadata(metadata)
        self.flush()

    @property
    def size(self) -> int:
        """Bytes, with what is not yet flushed."""
        (pages,), (page,) = self._run("PRAGMA page_count").fetchone(), self._run("PRAGMA page_size").fetchone()
        return int(pages) * int(page)

    def add_topic(self, topic: Topic, definition: Definition) -> None:
        """A row for the topic, and one for its type if it is new."""
        row = (topic.name, topic.type, topic.serialization, qos_text(topic.qos), topic.type_hash)
        insert = (
            "INSERT INTO topics(name, type, serialization_format, offered_qos_profiles, type_description_hash)"
            " VALUES (?, ?, ?, ?, ?)"
        )
        self._topics[topic.name] = int(self._run(insert, row).lastrowid or 0)
        if topic.type not in self._types:
            self._types.add(topic.type)
            insert = (
                "INSERT INTO message_definitions(topic_type, encoding, encoded_message_definition, type_description_hash)"
                " VALUES (?, ?, ?, ?)"
            )
            self._run(insert, (topic.type, definition.encoding, definition.text, topic.type_hash))

    def write(self, topic: str, log_time: int, publish_time: int, data: bytes) -> None:
        """Add a message (the tables have no column for the time of publishing); OSError when the disk is full."""
        insert = "INSERT INTO messages(timestamp, topic_id, data) VALUES (?, ?, ?)"
        self._run(insert, (log_time, self._topics[topic], data))

    def flush(self) -> None:
        """Commit; OSError, and then what came since the last commit is lost."""
        if self._base.in_transaction:
            self._run("COMMIT")
        self._run("BEGIN")

    def sync(self) -> None:
        """Nothing to do: a commit waits for the disk."""

    def drop_chunk(self) -> int:
        """Give up the last 32 messages, so that the metadata have room; how many it were."""
        self._rollback()
        self._run("BEGIN")
        dropped = self._run("DELETE FROM messages WHERE id > (SELECT max(id) - 32 FROM messages)").rowcount
        self._run("COMMIT")
        return dropped

    def counts(self) -> dict[str, int]:
        """Messages in the file, by topic."""
        found = dict(self._run("SELECT topic_id, count(*) FROM messages GROUP BY topic_id").fetchall())
        return {name: found.get(key, 0) for name, key in self._topics.items()}

    def span(self) -> tuple[int, int]:
        """First and last log time in the file; ValueError if it has no messages."""
        start, end = self._run("SELECT min(timestamp), max(timestamp) FROM messages").fetchone()
        if start is None:
            raise ValueError(f"{self.path} has no messages")
        return int(start), int(end)

    def finish(self, metadata: str) -> None:
        """Commit with the metadata of the whole bag; OSError."""
        if not self._base.in_transaction:
            self._run("BEGIN")
        self._add_metadata(metadata)
        self._run("COMMIT")

    def close(self) -> None:
        """Close the file as of the last commit."""
        self._rollback()
        self._base.close()

    def _add_metadata(self, text: str) -> None:
        self._run("INSERT INTO metadata(metadata_version, metadata) VALUES (?, ?)", (VERSION, text))

    def _rollback(self) -> None:
        if self._base.in_transaction:
            self._base.rollback()

    def _run(self, statement: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._base.execute(statement, values)
        except sqlite3.Error as error:
            self._rollback()
            raise OSError(str(error)) from None
