from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from damage import mutated
from mcap.writer import CompressionType
from mcap.writer import Writer as ReferenceWriter
from rosbags.highlevel import AnyReader

from ar_tools.bags import metadata as metadata_file
from ar_tools.bags.definitions import definition
from ar_tools.bags.model import BagError, Message, Qos, Topic
from ar_tools.bags.reader import Bag
from ar_tools.bags.repair import repair
from ar_tools.bags.salvage_mcap import CHUNK_START
from ar_tools.bags.writer import BagWriter

STORAGES = {"mcap": "bag_0.mcap", "sqlite3": "bag_0.db3"}
MUTATIONS = int(os.environ.get("TSUKUMO_MUTATIONS", "60"))  # of each storage


def contents(path: Path) -> list[Message]:
    with Bag(path) as bag:
        return list(bag.messages())


def topics_of(path: Path) -> Any:
    with Bag(path) as bag:
        return bag.topics, bag.definitions


@pytest.mark.parametrize("storage", STORAGES)
def test_a_sound_bag_is_left_alone(make_bag: Callable[..., Path], storage: str) -> None:
    path = make_bag("bag", storage=storage)
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    assert "nothing to repair (49 messages)" in repair(path).lines()[0]
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before
    assert [p.name for p in path.parent.iterdir()] == ["bag"]


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("text", [None, "", "rosbag2_bagfile_information:\n  version: 9\n"])
def test_metadata_is_made_anew(make_bag: Callable[..., Path], storage: str, text: str | None) -> None:
    path = make_bag("bag", storage=storage, split_at=5)
    file = path / "metadata.yaml"
    right, sound = file.read_text(), contents(path)
    file.unlink()
    if text is not None:
        file.write_text(text)
    assert any("metadata.yaml" in line for line in repair(path).lines())
    assert file.read_text() == right
    assert contents(path) == sound


@pytest.mark.parametrize("storage", STORAGES)
def test_an_unfinished_bag_keeps_all_that_was_flushed(tmp_path: Path, storage: str, messages: Any) -> None:
    """What a killed process leaves: the files as they are after a flush, with a transaction under way."""
    kind = "std_msgs/msg/String"
    data = messages.make(kind, data="x" * 5000)
    writer = BagWriter(tmp_path / "live", storage)
    writer.add_topic(Topic("/talk", kind, (), definition(kind).type_hash), definition(kind))
    for i in range(500):
        if i == 400:
            writer.flush()
        writer.write("/talk", 1000 + i, 900 + i, data)
    shutil.copytree(tmp_path / "live", tmp_path / "bag")
    writer.close()
    with pytest.raises(BagError, match="bag repair"):
        contents(tmp_path / "bag")
    result = repair(tmp_path / "bag")
    assert result.messages >= 400
    assert [m.log_time for m in contents(tmp_path / "bag")] == [1000 + i for i in range(result.messages)]
    assert result.kept is not None
    assert result.kept.is_dir()
    assert f"saved: {result.messages} messages" in "\n".join(result.lines())


def test_a_database_with_a_wal_beside_it(make_bag: Callable[..., Path], tmp_path: Path) -> None:
    path = make_bag("live", storage="sqlite3")
    base = sqlite3.connect(path / "live_0.db3", isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("INSERT INTO messages(topic_id, timestamp, data) SELECT topic_id, timestamp + 1, data FROM messages")
    shutil.copytree(path, tmp_path / "bag")
    base.close()
    with pytest.raises(BagError, match=r"live_0\.db3-wal"):
        contents(tmp_path / "bag")
    assert repair(tmp_path / "bag").messages == len(contents(tmp_path / "bag")) == 98


@pytest.mark.parametrize("storage", STORAGES)
def test_a_torn_file_and_its_whole_neighbour(make_bag: Callable[..., Path], storage: str) -> None:
    path = make_bag("bag", storage=storage, split_at=7, frames=16)
    sound = contents(path)
    file = path / STORAGES[storage]
    os.truncate(file, file.stat().st_size * 2 // 3)
    result = repair(path)
    found = contents(path)
    assert len(sound) > len(found) > len(sound) / 2
    assert set(found) < set(sound)
    assert found[-30:] == sound[-30:]
    assert any(line.startswith("lost: ") for line in result.lines())
    assert metadata_file.read(path).messages == len(found)


@pytest.mark.parametrize("compression", list(CompressionType))
def test_a_torn_file_of_another_writer_keeps_its_whole_chunks(
    tmp_path: Path, compression: CompressionType, messages: Any
) -> None:
    """Packed chunks are unpacked; the same definitions, QoS and times of publishing stand in the new bag."""
    kind, qos = "std_msgs/msg/String", (Qos(durability="transient_local"),)
    file = tmp_path / "theirs.mcap"
    with file.open("wb") as stream:
        writer = ReferenceWriter(stream, compression=compression, chunk_size=10_000)
        writer.start("ros2")
        schema = writer.register_schema(kind, "ros2msg", definition(kind).text.encode())
        about = {"offered_qos_profiles": metadata_file.qos_text(qos), "topic_type_hash": definition(kind).type_hash}
        channel = writer.register_channel("/talk", "cdr", schema, about)
        for i in range(200):
            writer.add_message(channel, 1000 + i, messages.make(kind, data=f"{i} " * 300), 900 + i)
        writer.finish()
    whole = file.read_bytes()
    chunk_starts = [m.start() for m in CHUNK_START.finditer(whole)]
    file.write_bytes(whole[: chunk_starts[7] + 500])
    result = repair(file)
    found = contents(result.path)
    assert 0 < len(found) < 200
    assert [(m.log_time, m.publish_time) for m in found] == [(1000 + i, 900 + i) for i in range(len(found))]
    assert found[-1].data == messages.make(kind, data=f"{len(found) - 1} " * 300)
    assert topics_of(result.path) == (
        {"/talk": Topic("/talk", kind, qos, definition(kind).type_hash)},
        {kind: definition(kind)},
    )


def test_a_missing_file_is_said(make_bag: Callable[..., Path]) -> None:
    path = make_bag("bag", split_at=5)
    (path / "bag_1.mcap").unlink()
    with pytest.raises(BagError, match=r"bag_1\.mcap"):
        Bag(path)
    assert any("bag_1.mcap" in problem for problem in repair(path).problems)
    assert len(contents(path)) == 25


def test_a_single_file_and_another_place(make_bag: Callable[..., Path], tmp_path: Path) -> None:
    path = make_bag("bag")
    file = path / "bag_0.mcap"
    sound = contents(path)
    os.truncate(file, file.stat().st_size - 20)
    before = file.read_bytes()
    assert repair(file).path == path / "bag_0_repaired"
    assert contents(path / "bag_0_repaired") == sound
    shutil.rmtree(path / "bag_0_repaired")
    assert repair(path, tmp_path / "new").path == tmp_path / "new"
    assert contents(tmp_path / "new") == sound
    assert file.read_bytes() == before
    with pytest.raises(BagError, match="exists already"):
        repair(path, tmp_path / "new")


def test_nothing_changes_where_nothing_can_be_saved(tmp_path: Path) -> None:
    for name, data in (("a.mcap", b""), ("b.mcap", b"\0" * 5000), ("c.db3", b"SQLite format 3\0" + b"\7" * 5000)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_bytes(data)
        with pytest.raises(BagError):
            repair(folder)
        assert [f.name for f in folder.iterdir()] == [name]
        assert (folder / name).read_bytes() == data
    assert sorted(f.name for f in tmp_path.iterdir()) == ["a.mcap", "b.mcap", "c.db3"]
    with pytest.raises(BagError, match="no such bag"):
        repair(tmp_path / "none")


def test_a_disk_without_room_for_the_copy(make_bag: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_bag("bag")
    os.truncate(path / "bag_0.mcap", (path / "bag_0.mcap").stat().st_size - 20)
    before = {file.name: file.read_bytes() for file in path.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(BagWriter, "flush", full)
    with pytest.raises(BagError, match=r"No space left on device.*nothing was changed"):
        repair(path)
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before
    assert [p.name for p in path.parent.iterdir()] == ["bag"]


def attempt(function: Callable[[Path], Any], path: Path) -> Any:
    """The result, or the one line of a BagError."""
    try:
        return function(path)
    except BagError as error:
        text = str(error)
    assert "\n" not in text
    return text


@pytest.mark.timeout(300)  # a hang must not hold up everything; the whole takes seconds
@pytest.mark.parametrize("storage", STORAGES)
def test_mutated_bags_are_read_or_refused_and_repaired_in_words(
    make_bag: Callable[..., Path], storage: str, tmp_path: Path
) -> None:
    """Nothing but a BagError of one line; what is repaired reads without a fault, here and with rosbags."""
    rng = random.Random(20)
    path = make_bag("bag", frames=24, storage=storage)
    sound, sound_topics = set(contents(path)), topics_of(path)
    original = (path / STORAGES[storage]).read_bytes()
    repaired = 0
    for number in range(MUTATIONS):
        bag = tmp_path / f"broken{number}" / "bag"
        shutil.copytree(path, bag)
        file = bag / STORAGES[storage]
        file.write_bytes(mutated(original, rng))
        found = attempt(contents, bag)
        if isinstance(found, str):
            assert str(file) in found
        else:
            assert storage != "mcap" or set(found) <= sound  # sqlite has no checksums: a changed byte goes unseen
        broken = file.read_bytes()
        result = attempt(repair, bag)
        if isinstance(result, str):
            assert file.read_bytes() == broken
            continue
        repaired += 1
        found = contents(bag)
        assert len(found) == result.messages == metadata_file.read(bag).messages
        assert storage != "mcap" or set(found) <= sound
        if topics_of(bag) == sound_topics:  # sqlite has no checksums for these either
            with AnyReader([bag]) as theirs:
                assert theirs.message_count == len(found)
        shutil.rmtree(bag.parent)
    assert repaired > MUTATIONS * 0.6  # most of what happens to a bag leaves most of it


@pytest.mark.parametrize("storage", STORAGES)
def test_swapped_definitions_are_found_when_decoding(tmp_path: Path, storage: str, messages: Any) -> None:
    from ar_tools.bags.decode import Decoder

    with BagWriter(tmp_path / "bag", storage) as writer:
        writer.add_topic(Topic("/talk", "std_msgs/msg/String"), definition("sensor_msgs/msg/Image"))
        writer.write("/talk", 1, 1, messages.make("std_msgs/msg/String", data="hello"))
    with Bag(tmp_path / "bag") as bag:
        (message,) = bag.messages()
        with pytest.raises(BagError, match="std_msgs/msg/String"):
            Decoder(bag.definitions)(message.type, message.data)
