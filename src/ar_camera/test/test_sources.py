from __future__ import annotations

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from ar_camera.sources import Picture, limited, open_source
from ar_core.camera_info import read_camera_info, write_camera_info
from ar_core.geometry import Intrinsics

CAMERA = Intrinsics(50, 52, 15.5, 11.5, 32, 24, (0.1, -0.05, 0.001, 0.002, 0.0))


def picture(i: int) -> np.ndarray:
    """A picture that says which one it is."""
    image = np.full((24, 32, 3), 40, np.uint8)
    image[4:20, 2 + 2 * i : 6 + 2 * i] = (200, 100, 60)
    return image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in range(5):
        cv2.imwrite(str(tmp_path / f"{i:03d}.png"), picture(i))
    return tmp_path


def test_a_folder_in_the_order_of_names_with_the_calibration_beside_it(folder: Path) -> None:
    write_camera_info(folder / "camera.yaml", CAMERA)
    (folder / "002.png").write_bytes(b"broken")
    source = open_source(str(folder), fps=10)
    for _ in range(2):  # it can be read again
        shown = list(source.pictures())
        assert [round(p.seconds, 6) for p in shown] == [0.0, 0.1, 0.3, 0.4]
        assert np.array_equal(shown[-1].image, picture(4))
        assert shown[0].intrinsics == CAMERA
    assert source.unreadable == ["002.png"]  # type: ignore[attr-defined]


def test_a_video_with_its_own_time(folder: Path) -> None:
    video = folder / "clip.mp4"
    line = ["ffmpeg", "-v", "error", "-r", "25", "-i", str(folder / "%03d.png"), "-pix_fmt", "yuv420p", str(video)]
    subprocess.run(line, check=True)
    shown = list(open_source(str(video)).pictures())
    assert len(shown) == 5
    assert np.allclose([p.seconds for p in shown], np.arange(5) / 25, atol=2e-3)
    for i, p in enumerate(shown):
        assert np.abs(p.image.astype(int) - picture(i)).mean() < 6
    assert shown[0].intrinsics is None


@pytest.mark.parametrize("plugin", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_bag_with_its_stamps_and_calibration(tmp_path: Path, plugin: StoragePlugin, compressed: bool) -> None:
    bag = tmp_path / "bag"
    write_bag(bag, plugin, compressed)
    shown = list(open_source(str(bag)).pictures())
    assert np.allclose([p.seconds for p in shown], [0.0, 0.05, 0.10, 0.15], atol=1e-9)
    assert np.array_equal(shown[2].image, picture(2))
    assert shown[2].intrinsics == CAMERA


def write_bag(path: Path, plugin: StoragePlugin, compressed: bool) -> None:
    store = get_typestore(Stores.ROS2_JAZZY)
    t = store.types
    kind = "sensor_msgs/msg/CompressedImage" if compressed else "sensor_msgs/msg/Image"
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        other = writer.add_connection("/chatter", "std_msgs/msg/String", typestore=store)
        info = writer.add_connection("/cam/camera_info", "sensor_msgs/msg/CameraInfo", typestore=store)
        topic = "/cam/image_raw/compressed" if compressed else "/cam/image_raw"
        images = writer.add_connection(topic, kind, typestore=store)
        roi = t["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
        for i in range(4):
            ns = 7_000_000_000 + i * 50_000_000
            stamp = t["builtin_interfaces/msg/Time"](ns // 10**9, ns % 10**9)
            header = t["std_msgs/msg/Header"](stamp, "camera")
            text = t["std_msgs/msg/String"]("hello")
            writer.write(other, ns, store.serialize_cdr(text, "std_msgs/msg/String"))
            calibration = t["sensor_msgs/msg/CameraInfo"](
                header, 24, 32, "plumb_bob", np.array(CAMERA.distortion), CAMERA.K.ravel(), np.eye(3).ravel(),
                np.zeros(12), 0, 0, roi,
            )  # fmt: skip
            writer.write(info, ns, store.serialize_cdr(calibration, "sensor_msgs/msg/CameraInfo"))
            if compressed:
                data = cv2.imencode(".png", picture(i))[1].ravel()
                message = t[kind](header, "png", data)
            else:
                message = t[kind](header, 24, 32, "rgb8", 0, 96, picture(i)[..., ::-1].copy().ravel())
            writer.write(images, ns, store.serialize_cdr(message, kind))


def test_calibration_files_round_trip_and_complain_in_words(tmp_path: Path) -> None:
    path = tmp_path / "camera.yaml"
    write_camera_info(path, CAMERA)
    assert read_camera_info(path) == CAMERA
    for text, word in [
        ("- a\n- list", "not a camera_info"),
        ("image_width: 3", "camera_matrix"),
        (path.read_text().replace("plumb_bob", "fisheye"), "fisheye"),
        (path.read_text().replace("50.0", ".nan"), "NaN"),
    ]:
        path.write_text(text)
        with pytest.raises(ValueError, match=rf"camera\.yaml.*{word}"):
            read_camera_info(path)


def test_sources_that_are_none_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "broken.mcap").write_bytes(b"\x89MCAP0\r\nrubbish")
    (tmp_path / "empty").mkdir()
    for name, words in [
        ("nothing.mp4", "no such file"),
        ("text.mp4", "not a video"),
        ("broken.mcap", "bag"),
        ("empty", "not a bag"),
    ]:
        with pytest.raises(ValueError, match=words):
            open_source(str(tmp_path / name))


def test_wide_pictures_are_made_smaller_with_their_calibration() -> None:
    small = limited(Picture(np.zeros((48, 64, 3), np.uint8), 0.0, CAMERA.scaled(64, 48)), 32)
    assert small.image.shape == (24, 32, 3)
    assert small.intrinsics is not None
    assert np.allclose([small.intrinsics.fx, small.intrinsics.cx], [CAMERA.fx, CAMERA.cx])
