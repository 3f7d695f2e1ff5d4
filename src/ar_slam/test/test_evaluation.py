"""Figures of merit on trajectories whose errors are known."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from ar_core.camera_info import read_camera_info
from ar_core.geometry import Intrinsics, pose
from ar_slam import evaluation
from ar_slam.evaluate import main, relative_errors
from ar_slam.pose import rotation
from ar_slam.recordings import open_recording

CAMERA = Intrinsics(500, 500, 319.5, 239.5, 640, 480)


@pytest.fixture
def truth():
    """A camera on an arc above the plane."""
    down = np.array([[1.0, 0, 0], [0, -0.8, 0.6], [0, -0.6, -0.8]])
    return [
        pose(rotation(np.array([0, 0, 0.02 * k])) @ down, np.array([0.01 * k, 0.0002 * k * k, 0.5])) for k in range(40)
    ]


def moved(poses, scale, w, t):
    R = rotation(np.array(w))
    return [pose(R @ T[:3, :3], scale * R @ T[:3, 3] + t) for T in poses]


def test_alignment_takes_a_similarity_out(truth):
    other = moved(truth, 2.5, [0.3, -0.2, 0.9], [1, 2, 3])
    assert evaluation.absolute_errors(other, truth, True).max() < 1e-12
    assert evaluation.align(evaluation.centres(other), evaluation.centres(truth), True).scale == pytest.approx(0.4)
    assert evaluation.absolute_errors(other, truth, False).max() > 0.05
    assert evaluation.rotation_errors_deg(other, truth).max() < 1e-5
    assert relative_errors(other, truth, 10).max() < 1e-12


def test_an_anchor_that_is_right_stays(truth):
    assert np.nanmax(evaluation.anchor_errors(truth, truth, CAMERA)) < 1e-9
    height = 0.5
    drifting = [pose(T[:3, :3], T[:3, 3] + [0.001 * k, 0, 0]) for k, T in enumerate(truth)]
    errors = evaluation.anchor_errors(drifting, truth, CAMERA, pixels=np.array([[319.5, 239.5]]))
    assert errors[0] == 0
    assert errors[20] == pytest.approx(0.020 / height * 500 * 0.8, rel=0.25)


def test_tum_lines_come_back(tmp_path, truth):
    path = tmp_path / "t.txt"
    path.write_text("# a comment\n" + "".join(evaluation.tum_line(k / 30, T) + "\n" for k, T in enumerate(truth)))
    stamps, poses = evaluation.read_tum(path)
    np.testing.assert_allclose(stamps, np.arange(40) / 30, atol=1e-6)
    np.testing.assert_allclose(poses, truth, atol=1e-8)
    path.write_text("0.0 1 2 3\n")
    with pytest.raises(ValueError, match=r"t.txt:1: 4 values"):
        evaluation.read_tum(path)


def test_truth_is_joined_by_stamp(truth):
    stamps = np.arange(40) / 30
    joined = evaluation.nearest_poses(np.array([0.001, 0.5, 9.0]), stamps, truth)
    assert joined[0] is truth[0]
    assert joined[1] is truth[15]
    assert joined[2] is None


def test_the_command_reports_on_a_tum_folder(see, tmp_path, capsys):
    s = see("clean")
    (tmp_path / "rgb").mkdir()
    names = [f"rgb/{k:03d}.jpg" for k in range(60)]
    for name, picture in zip(names, s.pictures, strict=False):
        cv2.imwrite(str(tmp_path / name), picture)
    (tmp_path / "rgb.txt").write_text("".join(f"{t:.6f} {n}\n" for t, n in zip(s.stamps, names, strict=False)))
    lines = [evaluation.tum_line(float(t), T) for t, T in zip(s.stamps, s.poses, strict=True)]
    (tmp_path / "groundtruth.txt").write_text("\n".join(lines))
    (tmp_path / "camera.yaml").write_text(
        "image_width: 640\nimage_height: 480\ncamera_matrix: {data: [525, 0, 319.5, 0, 525, 239.5, 0, 0, 1]}\n"
    )
    height = str(s.poses[0][2, 3])
    arguments = [str(tmp_path), "--json", "--camera-height", height, "--save", str(tmp_path / "out.txt")]
    assert main(arguments) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["frames"] == 60
    assert figures["completeness"] == 1.0
    assert figures["ate_sim3_mm"] < 1.5
    assert figures["anchor_px"]["p95"] < 1.5
    stamps, _ = evaluation.read_tum(tmp_path / "out.txt")
    assert len(stamps) == 60


def test_a_fisheye_is_read_as_one(tmp_path):
    camera = "image_width: 640\nimage_height: 480\ncamera_matrix: {data: [525, 0, 319.5, 0, 525, 239.5, 0, 0, 1]}\n"
    path = tmp_path / "camera.yaml"
    path.write_text(camera + "distortion_model: plumb_bob\ndistortion_coefficients: {data: [0.1, 0, 0, 0, 0]}\n")
    assert read_camera_info(path) == Intrinsics(525, 525, 319.5, 239.5, 640, 480, (0.1, 0, 0, 0, 0))
    path.write_text(camera + "distortion_model: equidistant\ndistortion_coefficients: {data: [0.1, 0, 0, 0]}\n")
    assert read_camera_info(path) == Intrinsics(525, 525, 319.5, 239.5, 640, 480, (0.1, 0, 0, 0), fisheye=True)
    path.write_text(camera + "distortion_model: double_sphere\ndistortion_coefficients: {data: [0.1, 0]}\n")
    with pytest.raises(ValueError, match=r"camera.yaml: distortion model 'double_sphere' is not supported"):
        read_camera_info(path)
    path.write_text("just words")
    with pytest.raises(ValueError, match="no camera_info YAML"):
        read_camera_info(path)


def test_what_is_no_recording_is_refused_in_words(tmp_path, capsys):
    with pytest.raises(ValueError, match="there is no such file"):
        open_recording(tmp_path / "nothing")
    with pytest.raises(ValueError, match=r"neither an rgb.txt nor exactly one video"):
        open_recording(tmp_path)
    (tmp_path / "v.mp4").write_text("no video")
    assert main([str(tmp_path)]) == 1
    assert "no picture can be read" in capsys.readouterr().err
