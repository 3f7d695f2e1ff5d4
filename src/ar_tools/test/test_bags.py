from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from mcap.reader import make_reader
from mcap.writer import CompressionType
from mcap.writer import Writer as ReferenceWriter
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability, QosReliability
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.rosbag2 import Writer as RosbagsWriter
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from ar_tools.bags import metadata as metadata_file
from ar_tools.bags.definitions import definition
from ar_tools.bags.info import info
from ar_tools.bags.model import BagError, FileRecord, Metadata, Qos, Topic
from ar_tools.bags.reader import Bag
from ar_tools.bags.writer import BagWriter

STORAGES = ("mcap", "sqlite3")

# What `ros2 bag record /number_count` of ROS 2 Jazzy wrote, as somebody has published it (notes on a ROS 2 course, 2026).
JAZZY = """\
rosbag2_bagfile_information:
  version: 9
  storage_identifier: mcap
  duration:
    nanoseconds: 28000217976
  starting_time:
    nanoseconds_since_epoch: 1791340443504644767
  message_count: 29
  topics_with_message_count:
    - topic_metadata:
        name: /number_count
        type: example_interfaces/msg/Int64
        serialization_format: cdr
        offered_qos_profiles:
          - history: unknown
            depth: 0
            reliability: reliable
            durability: volatile
            deadline:
              sec: 9223372036
              nsec: 854775807
            lifespan:
              sec: 9223372036
              nsec: 854775807
            liveliness: automatic
            liveliness_lease_duration:
              sec: 9223372036
              nsec: 854775807
            avoid_ros_namespace_conventions: false
        type_description_hash: RIHS01_1b3b9a6502f560d079520c73c685a9550e5a1838d2cefd537fe0aba75a3639a0
      message_count: 29
  compression_format: ""
  compression_mode: ""
  relative_file_paths:
    - rosbag2_2026_10_07-10_34_02_0.mcap
  files:
    - path: rosbag2_2026_10_07-10_34_02_0.mcap
      starting_time:
        nanoseconds_since_epoch: 1791340443504644767
      duration:
        nanoseconds: 28000217976
      message_count: 29
  custom_data: ~
  ros_distro: jazzy
"""


def test_metadata_is_what_jazzy_writes_to_the_letter(tmp_path: Path) -> None:
    file = "rosbag2_2026_10_07-10_34_02_0.mcap"
    start = 1791340443504644767
    kind = "example_interfaces/msg/Int64"
    type_hash = "RIHS01_1b3b9a6502f560d079520c73c685a9550e5a1838d2cefd537fe0aba75a3639a0"
    topic = Topic("/number_count", kind, (Qos(),), type_hash)
    metadata = Metadata(
        "mcap", [FileRecord(file, 29, start, start + 28000217976)], {topic.name: topic}, {topic.name: 29}
    )
    metadata_file.write(tmp_path, metadata)
    assert (tmp_path / "metadata.yaml").read_text() == JAZZY
    assert metadata_file.read(tmp_path) == metadata


@pytest.mark.parametrize("storage", STORAGES)
def test_a_bag_has_every_field_that_a_jazzy_bag_has_and_no_other(make_bag: Callable[..., Path], storage: str) -> None:
    def shape(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: shape(value) for key, value in node.items()}
        return [shape(node[0])] if isinstance(node, list) else type(node)

    ours = yaml.safe_load((make_bag("bag", storage=storage) / "metadata.yaml").read_text())
    assert shape(ours) == shape(yaml.safe_load(JAZZY))
    assert ours["rosbag2_bagfile_information"]["relative_file_paths"] == [
        f"bag_0.{'mcap' if storage == 'mcap' else 'db3'}"
    ]


@pytest.mark.parametrize("old", ['offered_qos_profiles: "{}"', "offered_qos_profiles: |\n          {}"])
def test_qos_of_older_versions_is_understood(tmp_path: Path, old: str) -> None:
    """Humble: policies as numbers, in a text inside the YAML."""
    numbers = "[{history: 1, depth: 7, reliability: 2, durability: 1, deadline: {sec: 0, nsec: 0}, lifespan: {sec: 2147483647, " \
        "nsec: 4294967295}, liveliness: 1, liveliness_lease_duration: {sec: 1, nsec: 5}, " \
        "avoid_ros_namespace_conventions: false}]"  # fmt: skip
    head, _, rest = JAZZY.partition("        offered_qos_profiles:\n")
    text = (
        f"{head}        {old.format(numbers)}\n        type_description{rest.partition('        type_description')[2]}"
    )
    (tmp_path / "metadata.yaml").write_text(text)
    (qos,) = metadata_file.read(tmp_path).topics["/number_count"].qos
    assert qos == Qos("best_effort", "transient_local", "keep_last", 7, lease_ns=1_000_000_005)


@pytest.mark.parametrize(
    "text", ["", "a: [", "rosbag2_bagfile_information: 3", "\x00\xff", "[[[[", "rosbag2_bagfile_information: {}"]
)
def test_metadata_that_is_none_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "metadata.yaml").write_text(text)
    with pytest.raises(BagError, match=r"metadata\.yaml") as caught:
        metadata_file.read(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "type_hash"),
    [  # as bags of real Jazzy systems have them
        ("std_msgs/msg/String", "RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18"),
        ("tf2_msgs/msg/TFMessage", "RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087"),
        ("sensor_msgs/msg/Image", "RIHS01_d31d41a9a4c4bc8eae9be757b0beed306564f7526c88ea6a4588fb9582527d47"),
        # As others have published them of Jazzy systems (`ros2 topic info -v`, /opt/ros/jazzy/share/*/msg/*.json):
        ("sensor_msgs/msg/CameraInfo", "RIHS01_b3dfd68ff46c9d56c80fd3bd4ed22c7a4ddce8c8348f2f59c299e73118e7e275"),
        ("sensor_msgs/msg/CompressedImage", "RIHS01_15640771531571185e2efc8a100baf923961a4d15d5569652e6cb6691e8e371a"),
        ("sensor_msgs/msg/PointCloud2", "RIHS01_9198cabf7da3796ae6fe19c4cb3bdd3525492988c70522628af5daa124bae2b5"),
        ("std_msgs/msg/Header", "RIHS01_f49fb3ae2cf070f793645ff749683ac6b06203e41c891e17701b1cb597ce6a01"),
    ],
)
def test_definitions_have_the_hash_of_jazzy_and_the_text_to_compute_it(kind: str, type_hash: str) -> None:
    known = definition(kind)
    assert known.type_hash == type_hash
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(known.text, kind))
    assert store.hash_rihs01(kind) == type_hash


def test_a_type_that_is_not_installed_has_no_text() -> None:
    assert definition("nowhere_msgs/msg/Thing").text == ""


@pytest.mark.parametrize("storage", STORAGES)
def test_what_was_written_is_read_in_order_with_its_qos(make_bag: Callable[..., Path], storage: str) -> None:
    path = make_bag("bag", storage=storage, split_at=5)
    with Bag(path) as bag:
        found = list(bag.messages())
        assert [len(bag.files), len(found), bag.counts["/camera/image_raw"]] == [2, 12 * 4 + 1, 12]
        assert [m.log_time for m in found] == sorted(m.log_time for m in found)
        assert bag.topics["/character/model"].latched
        assert bag.topics["/segment/mask"].qos == (Qos(reliability="best_effort"),)
        assert bag.topics["/camera/image_raw"].type_hash == definition("sensor_msgs/msg/Image").type_hash
        assert bag.definitions["sensor_msgs/msg/Image"].text == definition("sensor_msgs/msg/Image").text
        only = list(bag.messages({"/segment/mask"}))
        assert [m.topic for m in only] == ["/segment/mask"] * 12
        assert {m.log_time - m.publish_time for m in only} == {1000 if storage == "mcap" else 0}
    assert "49" in info(path)
    assert "transient_local" in info(path)


@pytest.mark.parametrize("storage", STORAGES)
def test_rosbags_reads_it(make_bag: Callable[..., Path], storage: str) -> None:
    path = make_bag("bag", storage=storage, split_at=5)
    with Bag(path) as bag, AnyReader([path]) as theirs:
        ours = [(m.topic, m.log_time, m.data) for m in bag.messages()]
        assert sorted((c.topic, t, bytes(data)) for c, t, data in theirs.messages()) == sorted(ours)
        mask = next(c for c in theirs.connections if c.topic == "/segment/mask")
        assert mask.digest == definition("sensor_msgs/msg/Image").type_hash
        (qos,) = mask.ext.offered_qos_profiles  # type: ignore[union-attr]
        assert (qos.reliability, qos.durability) == (QosReliability.BEST_EFFORT, QosDurability.VOLATILE)


def test_the_reference_library_reads_it_and_finds_every_checksum_right(make_bag: Callable[..., Path]) -> None:
    file = make_bag("bag") / "bag_0.mcap"
    with file.open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None
        assert summary.statistics is not None
        assert summary.statistics.message_count == len(list(reader.iter_messages())) == 49
        assert reader.get_header().profile == "ros2"
        channel = next(c for c in summary.channels.values() if c.topic == "/segment/mask")
        assert set(channel.metadata) == {"offered_qos_profiles", "topic_type_hash"}
        inside = [
            yaml.safe_load(m.metadata["serialized_metadata"]) for m in reader.iter_metadata() if m.name == "rosbag2"
        ]
        assert [m["message_count"] for m in inside] == [0, 49]  # as it was opened, and as it was closed


def test_a_sqlite_bag_has_the_tables_of_jazzy(make_bag: Callable[..., Path]) -> None:
    base = sqlite3.connect(make_bag("bag", storage="sqlite3") / "bag_0.db3")
    tables = {name: [row[1] for row in base.execute(f"PRAGMA table_info({name})")] for (name,) in
              base.execute("SELECT name FROM sqlite_master WHERE type='table'")}  # fmt: skip
    assert tables == {
        "schema": ["schema_version", "ros_distro"],
        "metadata": ["id", "metadata_version", "metadata"],
        "topics": ["id", "name", "type", "serialization_format", "offered_qos_profiles", "type_description_hash"],
        "message_definitions": ["id", "topic_type", "encoding", "encoded_message_definition", "type_description_hash"],
        "messages": ["id", "topic_id", "timestamp", "data"],
    }
    assert base.execute("SELECT * FROM schema").fetchall() == [(4, "jazzy")]
    base.close()


@pytest.mark.parametrize(
    ("plugin", "mode"),
    [
        (StoragePlugin.SQLITE3, CompressionMode.NONE),
        (StoragePlugin.SQLITE3, CompressionMode.MESSAGE),
        (StoragePlugin.SQLITE3, CompressionMode.FILE),
        (StoragePlugin.MCAP, CompressionMode.NONE),
        (StoragePlugin.MCAP, CompressionMode.FILE),
    ],
)
@pytest.mark.parametrize("version", [8, 9])
def test_bags_of_rosbags_are_read(
    tmp_path: Path, messages: Any, plugin: StoragePlugin, mode: CompressionMode, version: Any
) -> None:
    store = get_typestore(Stores.ROS2_JAZZY)
    writer = RosbagsWriter(tmp_path / "theirs", version=version, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    data = messages.make("std_msgs/msg/String", data="hello")
    with writer:
        connection = writer.add_connection("/talk", "std_msgs/msg/String", typestore=store)
        for time in (5, 7, 9):
            writer.write(connection, time, data)
    with Bag(tmp_path / "theirs") as bag:
        assert [(m.topic, m.type, m.data, m.log_time) for m in bag.messages()] == [
            ("/talk", "std_msgs/msg/String", data, time) for time in (5, 7, 9)
        ]


@pytest.mark.parametrize("compression", list(CompressionType))
@pytest.mark.parametrize("chunked", [True, False])
def test_mcap_files_of_the_reference_writer_are_read(
    tmp_path: Path, messages: Any, compression: CompressionType, chunked: bool
) -> None:
    file = tmp_path / "single.mcap"
    data = messages.make("std_msgs/msg/String", data="hello")
    with file.open("wb") as stream:
        writer = ReferenceWriter(stream, compression=compression, use_chunking=chunked)
        writer.start("ros2")
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data")
        channel = writer.register_channel("/talk", "cdr", schema)
        for time in (9, 5, 7):
            writer.add_message(channel, time, data, time - 1)
        writer.finish()
    with Bag(file) as bag:
        assert [(m.log_time, m.publish_time, m.data) for m in bag.messages()] == [(t, t - 1, data) for t in (5, 7, 9)]


def test_what_is_no_bag_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.mcap").touch()
    (tmp_path / "text.mcap").write_text("hello, this is no bag at all")
    (tmp_path / "ros1.bag").write_bytes(b"#ROSBAG V2.0\n")
    for name, text in (("none", "no such"), ("empty", "no bag"), ("empty.mcap", "empty"), ("text.mcap", "neither"),
                       ("ros1.bag", "ROS 1")):  # fmt: skip
        with pytest.raises(BagError, match=text):
            Bag(tmp_path / name)


def test_a_bag_is_never_written_over(make_bag: Callable[..., Path]) -> None:
    with pytest.raises(BagError, match="exists already"):
        BagWriter(make_bag("bag"))


FILL = """
import resource, sys
from pathlib import Path
from ar_tools.bags.definitions import definition
from ar_tools.bags.model import Topic
from ar_tools.bags.writer import BagWriter
limit, storage = int(sys.argv[2]), sys.argv[3]
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
writer = BagWriter(Path(sys.argv[1]), storage)
writer.add_topic(Topic("/talk", "std_msgs/msg/String"), definition("std_msgs/msg/String"))
flushed = 0
try:
    for i in range(100000):
        writer.write("/talk", 1000 + i, 1000 + i, i.to_bytes(4, "little") * 2500)
        if i % 10 == 9:
            writer.flush()
            flushed = i + 1
except OSError as error:
    writer.close()
    print(flushed, writer.messages, writer.lost)
"""


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("limit", [300_000, 2_500_000, 2_503_777])
def test_a_full_disk_costs_the_last_chunk_only(tmp_path: Path, storage: str, limit: int) -> None:
    path = tmp_path / "bag"
    line = [sys.executable, "-c", FILL, str(path), str(limit), storage]
    result = subprocess.run(line, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    flushed, kept, lost = map(int, result.stdout.split())
    assert flushed - 32 <= kept <= flushed + lost
    assert flushed * 10_000 > limit * 0.85 - 100_000  # it was the disk that ended it
    with Bag(path) as bag:
        assert [m.log_time for m in bag.messages()] == [1000 + i for i in range(kept)]
    assert metadata_file.read(path).messages == kept
    with AnyReader([path]) as theirs:
        assert theirs.message_count == kept
