"""Bags of other programs (``rosbags``, ``mcap``) as a source of pictures."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from foreign_bags import (
    CAMERA,
    COMPRESSED,
    FORMS,
    IMAGE,
    INFO,
    NS,
    ROS1,
    ROS2,
    compressed,
    image,
    info,
    picture,
    shown,
    stream,
    write,
)
from mcap.writer import Writer as McapWriter
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import CompressionMode, StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from ar_camera.sources import open_source
from ar_core.geometry import Intrinsics


@pytest.mark.parametrize("form", FORMS)
def test_pictures_stamps_and_calibration(tmp_path: Path, form: str) -> None:
    source, pictures = shown(write(tmp_path / "bag", form, stream(form)))
    assert [round(p.seconds, 9) for p in pictures] == [0.0, 0.05, 0.1, 0.15, 0.2, 0.25]
    assert all(np.array_equal(p.image, picture(i)) for i, p in enumerate(pictures))
    assert all(p.intrinsics == CAMERA for p in pictures)
    assert source.notices == []
    assert [p.seconds for p in source.pictures()] == [p.seconds for p in pictures]  # it starts over


@pytest.mark.parametrize(
    ("form", "mode"),
    [
        *((form, mode) for form in ("mcap", "sqlite3") for mode in (CompressionMode.FILE, CompressionMode.MESSAGE)),
        ("mcap", CompressionMode.STORAGE),  # its chunks; sqlite3 has none
    ],
)
def test_compressed_bags(tmp_path: Path, form: str, mode: CompressionMode) -> None:
    bag = write(tmp_path / "bag", form, stream(form), mode=mode)
    assert len(shown(bag)[1]) == 6
    (file,) = [file for file in bag.iterdir() if file.name != "metadata.yaml"]
    assert len(shown(file)[1]) == 6  # the file in the folder names the same bag


def mosaic(i: int) -> np.ndarray:
    """What an RGGB sensor sees."""
    full, out = picture(i), np.zeros((24, 32), np.uint8)
    for row, column, channel in ((0, 0, 2), (0, 1, 1), (1, 0, 1), (1, 1, 0)):
        out[row::2, column::2] = full[row::2, column::2, channel]
    return out


GREY = cv2.cvtColor(picture(0), cv2.COLOR_BGR2GRAY)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("encoding", "data", "expected", "tolerance"),
    [
        ("rgb8", picture(0)[..., ::-1], picture(0), 0),
        ("bgra8", np.dstack([picture(0), np.full((24, 32), 255, np.uint8)]), picture(0), 0),
        ("mono8", GREY, np.dstack([GREY] * 3), 0),
        ("8UC3", picture(0), picture(0), 0),
        ("bayer_rggb8", mosaic(0), picture(0), 12),
        ("yuv422", cv2.cvtColor(picture(0), cv2.COLOR_BGR2YUV_UYVY), picture(0), 12),
        ("yuv422_yuy2", cv2.cvtColor(picture(0), cv2.COLOR_BGR2YUV_YUY2), picture(0), 12),
    ],
)
def test_encodings_of_real_cameras(
    tmp_path: Path, form: str, encoding: str, data: np.ndarray, expected: np.ndarray, tolerance: int
) -> None:
    store = ROS1 if form == "ros1" else ROS2
    bag = write(tmp_path / "bag", form, [("/cam/image_raw", IMAGE, NS, image(store, NS, data, encoding))])
    source, (one,) = shown(bag)
    inside = np.abs(one.image.astype(int) - expected)[2:-2, 2:-2]
    assert inside.max() <= tolerance
    assert one.intrinsics is None
    (said,) = source.notices
    assert "there is no /cam/camera_info" in said
    assert "guessed" in said


@pytest.mark.parametrize("encoding", ["mono16", "16UC1", "32FC1"])
def test_deep_pictures_are_shown_in_their_own_range(tmp_path: Path, encoding: str) -> None:
    ramp = np.linspace(900, 1900, 24 * 32).reshape(24, 32)
    data = ramp.astype(np.float32 if encoding == "32FC1" else np.uint16)
    pictures = shown(write(tmp_path / "bag", "mcap", [("/t/image", IMAGE, NS, image(ROS2, NS, data, encoding))]))[1]
    grey = pictures[0].image[..., 0].astype(float)
    assert grey.min() == 0
    assert grey.max() == 255
    assert np.abs(grey - np.clip((ramp - 905) / 990 * 255, 0, 255)).max() < 3


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_compressed_pictures(tmp_path: Path, form: str, kind: str) -> None:
    store = ROS1 if form == "ros1" else ROS2
    messages = [
        ("/cam/image_raw/compressed", COMPRESSED, NS + i, compressed(store, NS + i * 10**8, picture(i), kind))
        for i in range(3)
    ]
    messages.append(("/cam/camera_info", INFO, NS, info(store, NS)))
    pictures = shown(write(tmp_path / "bag", form, sorted(messages, key=lambda m: m[2])))[1]
    assert [round(p.seconds, 9) for p in pictures] == [0.0, 0.1, 0.2]
    assert max(np.abs(p.image.astype(int) - picture(i)).max() for i, p in enumerate(pictures)) <= (kind == "jpeg") * 16
    assert pictures[0].intrinsics == CAMERA


@pytest.mark.parametrize("form", FORMS)
def test_the_topic_with_the_most_pictures_is_taken_and_said_or_the_one_that_is_named(tmp_path: Path, form: str) -> None:
    store = ROS1 if form == "ros1" else ROS2
    depth = [
        ("/depth/image", IMAGE, 7 * NS + i, image(store, 7 * NS + i, np.full((24, 32), 1000 + i, np.uint16), "16UC1"))
        for i in range(9)
    ]
    few = [("/left/image", IMAGE, 7 * NS + i, image(store, 7 * NS + i * NS, picture(9), "bgr8")) for i in range(2)]
    bag = write(tmp_path / "bag", form, sorted([*stream(form), *depth, *few], key=lambda m: m[2]))
    source, pictures = shown(bag)
    assert len(pictures) == 6
    assert source.notices == [
        f"source {bag.name}: taking /cam/image_raw (6 pictures), not /depth/image (9), /left/image (2); "
        "topic:=… takes another"
    ]
    source, pictures = shown(bag, topic="/left/image")
    assert len(pictures) == 2
    assert np.array_equal(pictures[0].image, picture(9))
    with pytest.raises(
        ValueError, match=r"no pictures on /right/image \(it has /cam/image_raw, /depth/image, /left/image\)"
    ):
        open_source(str(bag), topic="/right/image")


@pytest.mark.parametrize("form", FORMS)
def test_clocks_that_jump_go_on_cleanly_and_are_said(tmp_path: Path, form: str) -> None:
    store = ROS1 if form == "ros1" else ROS2
    stamps = [10.0, 10.05, 10.1, 3610.0, 3610.05, 5.0, 5.05, 5.05, 5.04, 5.1]
    messages = [
        ("/cam/image_raw", IMAGE, 7 * NS + i, image(store, round(s * NS), picture(i), "bgr8"))
        for i, s in enumerate(stamps)
    ]
    source, pictures = shown(write(tmp_path / "bag", form, messages))
    assert [round(p.seconds, 9) for p in pictures] == [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35]
    assert np.array_equal(pictures[-1].image, picture(9))
    said = "\n".join(source.notices)
    assert "forward by 3599.9 s" in said
    assert "back by 3605.1 s" in said
    assert "not newer than the one before" in said


def test_pictures_without_stamps_have_the_time_of_the_recording(tmp_path: Path) -> None:
    messages = [("/cam/image_raw", IMAGE, NS + i * 10**8, image(ROS2, 0, picture(i), "bgr8")) for i in range(3)]
    assert [round(p.seconds, 9) for p in shown(write(tmp_path / "bag", "mcap", messages))[1]] == [0.0, 0.1, 0.2]


@pytest.mark.parametrize(
    ("camera", "model", "words"),
    [
        (Intrinsics(1, 1, 0, 0, 32, 24), "double_sphere", "distortion model 'double_sphere'"),
        (Intrinsics(50, 50, 16, 12, 32, 32), "plumb_bob", "is for 32x32 pixels, the pictures have 32x24"),
    ],
)
def test_calibrations_that_cannot_be_used_are_said(tmp_path: Path, camera: Intrinsics, model: str, words: str) -> None:
    messages = [
        ("/cam/camera_info", INFO, NS, info(ROS2, NS, camera, model)),
        ("/cam/image_raw", IMAGE, NS, image(ROS2, NS, picture(0), "bgr8")),
    ]
    source, pictures = shown(write(tmp_path / "bag", "mcap", messages))
    assert pictures[0].intrinsics is None
    assert words in source.notices[0]


def test_a_calibration_of_the_full_size_is_scaled(tmp_path: Path) -> None:
    messages = [
        ("/cam/camera_info", INFO, NS, info(ROS2, NS, CAMERA.scaled(64, 48))),
        ("/cam/image_raw", IMAGE, NS, image(ROS2, NS, picture(0), "bgr8")),
    ]
    known = shown(write(tmp_path / "bag", "mcap", messages))[1][0].intrinsics
    assert known is not None
    assert np.allclose(known.K, CAMERA.K)


@pytest.mark.parametrize("form", FORMS)
def test_unknown_types_and_messages_that_are_no_pictures_are_passed_over(tmp_path: Path, form: str) -> None:
    store = get_typestore(Stores.ROS1_NOETIC if form == "ros1" else Stores.ROS2_JAZZY)
    store.register(get_types_from_msg("uint32 volts\nrobot_msgs/Cell[] cells", "robot_msgs/msg/Battery"))
    store.register(get_types_from_msg("float64 charge", "robot_msgs/msg/Cell"))
    mine = ROS1 if form == "ros1" else ROS2
    path = tmp_path / ("bag.bag" if form == "ros1" else "bag")
    plugin = StoragePlugin.MCAP if form == "mcap" else StoragePlugin.SQLITE3
    with Writer1(path) if form == "ros1" else Writer2(path, version=9, storage_plugin=plugin) as writer:
        battery = writer.add_connection("/battery", "robot_msgs/msg/Battery", typestore=store)
        images = writer.add_connection("/cam/image_raw", IMAGE, typestore=mine)
        serialize = mine.serialize_ros1 if form == "ros1" else mine.serialize_cdr
        for i in range(5):
            writer.write(battery, NS + i, b"whatever")
            raw = serialize(image(mine, NS + i * 10**8, picture(i), "bgr8"), IMAGE)
            writer.write(images, NS + i, raw[:30] if i == 2 else raw)
    source, pictures = shown(path)
    assert [round(p.seconds, 9) for p in pictures] == [0.0, 0.1, 0.3, 0.4]
    assert any("messages that are no pictures are left out" in notice for notice in source.notices)


@pytest.mark.parametrize("schema", ["ros2msg", "ros2idl", "nonsense"])
def test_mcap_files_of_the_reference_library(tmp_path: Path, schema: str) -> None:
    """Written as other recorders do: one bare file, no metadata.yaml, a schema that is not even parsed."""
    path = tmp_path / "one.mcap"
    with path.open("wb") as stream:
        writer = McapWriter(stream)
        writer.start(profile="ros2", library="some recorder")
        text = {"ros2msg": "uint32 height", "ros2idl": "module x {};", "nonsense": "\x00?"}[schema]
        kind = writer.register_schema(IMAGE, "ros2msg" if schema == "nonsense" else schema, text.encode())
        channel = writer.register_channel("/cam/image_raw", "cdr", kind)
        for i in range(4):
            raw = bytes(ROS2.serialize_cdr(image(ROS2, NS + i * 10**8, picture(i), "bgr8"), IMAGE))
            writer.add_message(channel, NS + i, raw, NS + i)
        writer.finish()
    pictures = shown(path)[1]
    assert [round(p.seconds, 9) for p in pictures] == [0.0, 0.1, 0.2, 0.3]
    assert np.array_equal(pictures[3].image, picture(3))


def test_a_folder_of_bags_without_metadata_is_read_one_after_the_other(tmp_path: Path) -> None:
    for n in range(2):
        bag = write(tmp_path / f"whole{n}", "mcap", stream("mcap", 3, start=(7 + n) * NS))
        (file,) = bag.glob("*.mcap")
        (tmp_path / "loose").mkdir(exist_ok=True)
        shutil.copy(file, tmp_path / "loose" / f"part_{n}.mcap")
    assert len(shown(tmp_path / "loose")[1]) == 6
