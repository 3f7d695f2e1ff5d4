"""``tsukumo eval slam``: the figures that are promised, on what can be read; one line about what cannot."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ar_core.geometry import quaternion_from_rotation
from ar_tools.eval.parser import add
from ar_tools.eval.slam import eval_slam

sys.path.insert(0, str(Path(__file__).parents[3] / "tests"))

KEYS = [
    "frames", "completeness", "init_s", "ate_sim3_mm", "ate_se3_mm", "rpe_mm", "anchor_px", "still_jitter_px",
    "relocalisation", "cpu_ms", "fps", "scale_source",
]  # fmt: skip
CAMERA = "image_width: 640\nimage_height: 480\ncamera_matrix: {data: [525, 0, 319.5, 0, 525, 239.5, 0, 0, 1]}\n"
FRAMES = 70


def tsukumo(*words: object) -> int:
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers(dest="command"))
    return eval_slam(parser.parse_args(["eval", "slam", *map(str, words)]))


@pytest.fixture(scope="module")
def rendered():
    from sequences import make

    return list(make("clean", 11, seconds=FRAMES / 30))


@pytest.fixture(scope="module")
def tum(rendered, tmp_path_factory):
    """A TUM folder."""
    folder = tmp_path_factory.mktemp("tum") / "sequence"
    (folder / "rgb").mkdir(parents=True)
    pictures, truth = [], []
    for k, (stamp, picture, T) in enumerate(rendered):
        cv2.imwrite(str(folder / "rgb" / f"{k}.jpg"), picture)
        pictures.append(f"{stamp:.6f} rgb/{k}.jpg\n")
        truth.append(f"{stamp:.6f} " + " ".join(map(str, (*T[:3, 3], *quaternion_from_rotation(T[:3, :3])))) + "\n")
    (folder / "rgb.txt").write_text("".join(pictures))
    (folder / "groundtruth.txt").write_text("".join(truth))
    (folder / "camera.yaml").write_text(CAMERA)
    return folder


def test_figures_of_a_folder_with_truth(tum, tmp_path, capsys):
    saved = tmp_path / "poses.txt"
    assert tsukumo(tum, "--json", "--save", saved, "--plot", tmp_path / "plots") == 0
    figures = json.loads(capsys.readouterr().out)
    assert list(figures) == KEYS
    assert figures["frames"] == FRAMES
    assert figures["completeness"] == 1.0
    assert 0 < figures["init_s"] < 0.9
    assert 0 < figures["ate_sim3_mm"] < 1.5
    assert figures["ate_sim3_mm"] <= figures["ate_se3_mm"] < 4.0  # the height is taken from the truth
    assert 0 < figures["rpe_mm"] < 3.0
    assert 0 < figures["anchor_px"]["p50"] <= figures["anchor_px"]["p95"] < 1.5
    assert figures["still_jitter_px"] is None  # the camera never stands still
    found = figures["relocalisation"]
    assert found["tried"] >= 12
    assert found["found"] >= 0.9 * found["tried"]
    assert found["false"] == 0
    assert found["ms"] > 0
    assert figures["cpu_ms"]["p95"] >= figures["cpu_ms"]["p50"] > 0
    assert figures["scale_source"] == "camera_height"
    rows = np.loadtxt(saved)
    assert rows.shape == (FRAMES, 8)
    picture = cv2.imread(str(tmp_path / "plots" / "sequence.png"))
    assert (picture == [90, 170, 60]).all(2).sum() > 200
    assert (picture == 0).all(2).sum() > 20  # the truth


def test_a_video_without_truth_leaves_errors_unknown(rendered, tmp_path, capsys):
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 30, (640, 480))
    for _, picture, _ in rendered:
        writer.write(picture)
    writer.release()
    (tmp_path / "camera.yaml").write_text(CAMERA)
    assert tsukumo(tmp_path / "clip.avi", tmp_path, "--json") == 0
    both = json.loads(capsys.readouterr().out)
    assert list(both) == [str(tmp_path / "clip.avi"), str(tmp_path)]
    for figures in both.values():
        assert list(figures) == KEYS
        assert [figures[k] for k in KEYS[3:6]] == [None] * 3
        assert figures["anchor_px"] == {"p50": None, "p95": None}
        assert figures["completeness"] == 1.0
        assert figures["relocalisation"]["found"] > 0
        assert figures["relocalisation"]["false"] == 0


def test_a_bag_is_read(rendered, tmp_path, capsys, messages):
    from ar_tools.bags.definitions import definition
    from ar_tools.bags.model import Qos, Topic
    from ar_tools.bags.writer import BagWriter

    kinds = {"/camera/image_raw": "sensor_msgs/msg/Image", "/camera/camera_info": "sensor_msgs/msg/CameraInfo"}
    calibration = {"height": 480, "width": 640, "k": np.array([525, 0, 319.5, 0, 525, 239.5, 0, 0, 1])}
    with BagWriter(tmp_path / "bag") as writer:
        for topic, kind in kinds.items():
            known = definition(kind)
            writer.add_topic(Topic(topic, kind, (Qos(),), known.type_hash), known)
        for stamp, picture, _ in rendered[:40]:
            ns = 10**9 + int(stamp * 1e9)
            header = {"stamp": {"sec": ns // 10**9, "nanosec": ns % 10**9}}
            raw = {"height": 480, "width": 640, "encoding": "bgr8", "step": 1920, "data": picture.ravel()}
            for topic, fields in (("/camera/camera_info", calibration), ("/camera/image_raw", raw)):
                writer.write(topic, ns, ns, messages.make(kinds[topic], header=header, **fields))
    assert tsukumo(tmp_path / "bag", "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["frames"] == 40
    assert figures["completeness"] == 1.0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "there is no such file or folder"),
        ({"notes.txt": ""}, "neither an rgb.txt nor exactly one video"),
        ({"clip.mp4": "no video"}, "camera.yaml: is missing"),
        ({"clip.mp4": "no video", "camera.yaml": CAMERA}, "no picture can be read"),
        ({"clip.mp4": "no video", "camera.yaml": "width: 3"}, "no camera_info YAML"),
        ({"rgb.txt": "", "camera.yaml": CAMERA}, "there are no pictures"),
        ({"bag_0.mcap": "no bag", "metadata.yaml": "no bag"}, "not a bag that can be read"),
    ],
)
def test_what_cannot_be_evaluated_is_one_line_and_code_2(content, words, tmp_path, capsys):
    folder = tmp_path / "it"
    for name, text in content.items():
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    assert tsukumo(folder) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.startswith("tsukumo: ")
    assert said.count("\n") == 1


def test_one_file_does_not_take_the_poses_of_two_sequences(tum, capsys):
    assert tsukumo(tum, tum, "--save", "poses.txt") == 2
    assert "one sequence" in capsys.readouterr().err
