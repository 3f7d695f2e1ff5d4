from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ar_core.stage import REPLACED
from ar_tools.bags import compare as module
from ar_tools.bags.compare import compare
from ar_tools.bags.compare_table import main, table, verdict
from ar_tools.bags.decode import Decoder, stamp_of
from ar_tools.bags.definitions import definition
from ar_tools.bags.differences import angle, first_field
from ar_tools.bags.model import BagError, Topic
from ar_tools.bags.reader import Bag
from ar_tools.bags.writer import BagWriter

START = 1_700_000_000_000_000_000
FRAME = 33_000_000
Fields = dict[str, Any]


def result_of(comparison: module.Comparison, topic: str) -> module.TopicResult:
    return next(t for t in comparison.topics if t.name == topic)


def test_two_runs_with_the_same_content_are_identical(make_bag: Callable[..., Path]) -> None:
    """Though they were recorded at other times, in another storage, and their reports measured something else."""
    one, other = make_bag("one"), make_bag("other", delay=9_000_000, storage="sqlite3")
    comparison = compare(one, other)
    assert comparison.identical
    assert comparison.first is None
    assert not result_of(comparison, "/segment/report").same
    assert "not counted, and different: /segment/report" in verdict(comparison)
    assert result_of(comparison, "/slam/pose").sides[1].delay_ms == 9.0
    assert result_of(comparison, "/slam/pose").sides[1].rate == pytest.approx(1e9 / FRAME)
    assert main(one, other, "", None) == 0


def test_stamps_of_another_clock_are_no_delays(make_bag: Callable[..., Path]) -> None:
    """As in a replay: there a message's delay counts from when the picture with its stamp was logged."""
    replayed = result_of(compare(make_bag("one"), make_bag("other", delay=600 * 10**9)), "/slam/pose").sides[1]
    assert replayed.delay_ms == 0.0
    assert [delay for _, delay in replayed.delays()] == [0.0] * len(replayed.times)


def test_the_first_difference_in_time_is_named(make_bag: Callable[..., Path]) -> None:
    def moved(topic: str, frame: int, fields: Fields) -> Fields | None:
        if topic == "/slam/pose" and frame >= 5:
            turned = {"z": math.sin(math.radians(0.25)), "w": math.cos(math.radians(0.25))}
            return {**fields, "pose": {"position": {"x": 0.1 * frame, "y": 0.0025}, "orientation": turned}}
        if topic == "/segment/mask" and frame == 7:
            mask = fields["data"].reshape(48, 64).copy()
            mask[10:30, 40:50] = 255  # 20 x 20 pixels become 20 x 30
            return {**fields, "data": mask.ravel()}
        if topic == "/camera/image_raw" and frame == 9:
            picture = fields["data"].copy()
            picture[:6] = picture[:6] ^ 4  # two pixels, three channels, each by 4
            return {**fields, "data": picture}
        return fields

    one, other = make_bag("one"), make_bag("other", change=moved)
    comparison = compare(one, other)
    assert not comparison.identical
    topic, key, text = comparison.first or (None, None, "")
    assert (topic.name, key.stamp) == ("/slam/pose", START + 5 * FRAME)  # type: ignore[union-attr]
    assert text == "pose.position.y: 0, 0.0025"
    pose, mask, image = (result_of(comparison, n) for n in ("/slam/pose", "/segment/mask", "/camera/image_raw"))
    assert (pose.equal, len(pose.differences)) == (5, 7)
    assert pose.worst("mm") == pytest.approx(2.5)
    assert pose.worst("degrees") == pytest.approx(0.5)
    assert mask.worst("IoU") == pytest.approx(400 / 600)
    assert image.worst("largest difference") == 4
    assert image.worst("mean difference") == pytest.approx(6 * 4 / (48 * 64 * 3))
    assert image.worst("differing pixels %") == pytest.approx(100 * 2 / (48 * 64))
    assert "1700000000.165000000: pose.position.y: 0, 0.0025" in table(comparison)
    assert main(one, other, "", None) == 1
    assert main(one, other, "character/model,slam/pose", None) == 1
    assert main(one, other, "character/model", None) == 0  # latched, and the same in both


def test_padding_does_not_count(tmp_path: Path, messages: Any) -> None:
    """CDR leaves the bytes between fields undefined: after a string of 5 characters and its zero there are two of them."""
    kind = "vision_msgs/msg/LabelInfo"
    data = messages.make(kind, header={"frame_id": "camera"}, threshold=0.5)
    gap = 4 + 8 + 4 + len("camera\0")  # encapsulation, stamp, length, text: the next field is aligned to 4 bytes
    assert data[gap] == 0
    for name, filling in (("one", 0), ("other", 0xAA)):
        with BagWriter(tmp_path / name) as writer:
            writer.add_topic(Topic("/detect/label_info", kind), definition(kind))
            writer.write("/detect/label_info", 1, 1, data[:gap] + bytes([filling]) + data[gap + 1 :])
    comparison = compare(tmp_path / "one", tmp_path / "other")
    assert comparison.identical
    assert result_of(comparison, "/detect/label_info").equal == 1


def test_messages_that_only_one_bag_has(make_bag: Callable[..., Path]) -> None:
    def late(topic: str, frame: int, fields: Fields) -> Fields | None:
        return None if topic == "/slam/pose" and frame in (3, 11) else fields

    comparison = compare(make_bag("one"), make_bag("other", change=late))
    pose = result_of(comparison, "/slam/pose")
    assert [len(keys) for keys in pose.only] == [2, 0]
    assert pose.first is not None
    assert (pose.first[0].stamp, pose.first[1]) == (START + 3 * FRAME, "only in bag 1")
    assert not comparison.identical


@pytest.mark.parametrize(
    ("reason", "outcome", "said"),
    [
        ("no object has been awakened yet", 1, ""),  # a decision
        (REPLACED, 1, "nothing for 3 of 12 input frames (first 1700000000.000000000)"),  # too late is not
        ("it broke", 2, "nothing for 3 of 12 input frames"),
        ("", 0, "nothing for 3 of 12 input frames"),
    ],
)
def test_a_required_topic_answers_every_input_frame(
    make_bag: Callable[..., Path], reason: str, outcome: int, said: str
) -> None:
    """A frame counts as answered when its stage has reported why there is nothing."""

    def gap(topic: str, frame: int, fields: Fields) -> Fields | None:
        if frame < 3 and topic == "/segment/mask":
            return None
        if frame < 3 and topic == "/segment/report":
            return {**fields, "published": [], "outcome": outcome, "reason": reason}
        return fields

    bag = make_bag("bag", change=gap)
    comparison = compare(bag, bag, ["segment/mask"])
    failures = result_of(comparison, "/segment/mask").failures
    assert bool(failures) == bool(said)
    assert all(said in failure for failure in failures)
    assert comparison.identical == (not said)
    assert main(bag, bag, "segment/mask", None) == (1 if said else 0)


def test_required_topics_that_are_missing_or_empty(make_bag: Callable[..., Path]) -> None:
    bag = make_bag("bag", change=lambda topic, _, fields: None if topic == "/slam/pose" else fields)
    comparison = compare(bag, bag, ["/slam/pose", "nothing/like_it"])
    assert "bag 1 has no message of it" in result_of(comparison, "/slam/pose").failures
    assert "bag 2 has no such topic" in result_of(comparison, "/nothing/like_it").failures
    assert not comparison.identical
    assert "missing or incomplete: /slam/pose, /nothing/like_it" in verdict(comparison)


def test_what_cannot_be_compared_is_status_2(
    make_bag: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(make_bag("bag"), tmp_path / "none", "", None) == 2
    assert capsys.readouterr().err == f"tsukumo: {tmp_path / 'none'}: there is no such bag\n"


def test_two_versions_of_a_type_differ(tmp_path: Path, messages: Any) -> None:
    data = messages.make("std_msgs/msg/String", data="hello")
    for name, type_hash in (("one", "RIHS01_a"), ("other", "RIHS01_b")):
        with BagWriter(tmp_path / name) as writer:
            writer.add_topic(
                Topic("/talk", "std_msgs/msg/String", type_hash=type_hash), definition("std_msgs/msg/String")
            )
            writer.write("/talk", 1, 1, data)
    comparison = compare(tmp_path / "one", tmp_path / "other")
    assert not comparison.identical
    assert "two versions of std_msgs/msg/String" in table(comparison)


def test_the_report_is_one_file_with_plots_and_pictures(make_bag: Callable[..., Path], tmp_path: Path) -> None:
    def inverted(topic: str, frame: int, fields: Fields) -> Fields | None:
        return {**fields, "data": 255 - fields["data"]} if topic == "/segment/mask" and frame > 6 else fields

    assert main(make_bag("one"), make_bag("o<th>er", change=inverted), "", tmp_path / "report") == 1
    assert [f.name for f in (tmp_path / "report").iterdir()] == ["index.html"]
    text = (tmp_path / "report" / "index.html").read_text()
    assert text.count("data:image/png;base64,") == 3  # the first (which is the worst): both masks and their difference
    assert "<polyline" in text
    assert "o&lt;th&gt;er" in text
    assert not re.search(r"(src|href)=['\"](?!data:)", text)


def test_first_field_goes_into_arrays_and_lists(messages: Any) -> None:
    decode = Decoder({})
    kind = "sensor_msgs/msg/CameraInfo"
    one = decode(kind, messages.make(kind, d=np.array([1.0, np.nan, 3.0])))
    other = decode(kind, messages.make(kind, d=np.array([1.0, np.nan, 4.0])))
    assert first_field(one, one) == ""
    assert first_field(one, other) == "d[2]: 3, 4 (1 of 3 differ)"
    longer = decode(kind, messages.make(kind, d=np.array([1.0])))
    assert first_field(one, longer) == "d: 3 elements, 1 elements"


def test_angle_between_orientations() -> None:
    half = math.radians(15)
    turned = np.array([0, 0, math.sin(half), math.cos(half)])
    assert angle(np.array([0.0, 0, 0, 1]), turned) == pytest.approx(30)
    assert angle(np.array([0.0, 0, 0, -2]), turned) == pytest.approx(30)  # the same orientation, however it is written
    assert math.isnan(angle(np.zeros(4), turned))


def test_stamps_in_either_byte_order(messages: Any) -> None:
    data = messages.make("sensor_msgs/msg/CameraInfo", header={"stamp": {"sec": 7, "nanosec": 9}})
    assert stamp_of(data) == 7_000_000_009
    big = b"\x00\x00\x00\x00" + (7).to_bytes(4, "big") + (9).to_bytes(4, "big")
    assert stamp_of(big) == 7_000_000_009
    tf = messages.make("tf2_msgs/msg/TFMessage", transforms=[])
    assert stamp_of(tf, sequence=True) == 0
    tf = messages.make("tf2_msgs/msg/TFMessage", transforms=[])[:4] + (1).to_bytes(4, "little") + data[4:]
    assert stamp_of(tf, sequence=True) == 7_000_000_009
    with pytest.raises(ValueError, match="no header"):
        stamp_of(data[:9])


def test_a_type_without_a_definition_is_compared_by_its_bytes(tmp_path: Path) -> None:
    for name, data in (("one", b"\0\1\0\0abcd"), ("other", b"\0\1\0\0abce")):
        with BagWriter(tmp_path / name) as writer:
            writer.add_topic(Topic("/odd", "nowhere_msgs/msg/Thing"), definition("nowhere_msgs/msg/Thing"))
            writer.write("/odd", 1, 1, data)
    assert compare(tmp_path / "one", tmp_path / "one").identical
    comparison = compare(tmp_path / "one", tmp_path / "other")
    assert "does not say how nowhere_msgs/msg/Thing is made" in table(comparison)
    with Bag(tmp_path / "one") as bag, pytest.raises(BagError, match="nowhere_msgs"):
        Decoder(bag.definitions)("nowhere_msgs/msg/Thing", b"")
