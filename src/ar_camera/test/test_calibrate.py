"""A camera is found again from pictures of a board that it is known to have taken."""

from __future__ import annotations

import argparse

import cv2
import numpy as np
import pytest

from ar_camera.calibrate import add, calibrate
from ar_core.camera_info import read_camera_info
from ar_core.lens import distort

if not hasattr(cv2, "aruco"):
    pytest.skip("this OpenCV comes without its aruco module", allow_module_level=True)

from board_photos import SQUARE, TRUE, photograph

from ar_camera.calibrator import Board, Calibrator


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """A board held in front of the camera in many ways."""
    rng = np.random.default_rng(3)
    drawing = Board().draw(SQUARE)
    out = []
    for k in range(24):
        R = cv2.Rodrigues(np.array([0.55 * np.sin(1.7 * k), 0.55 * np.cos(2.3 * k), rng.uniform(-0.3, 0.3)]))[0]
        depth = rng.uniform(7.5, 13)
        t = np.array([rng.uniform(-0.32, 0.32) * depth, rng.uniform(-0.22, 0.22) * depth, depth])
        picture = photograph(drawing, R, t).astype(np.float32) + rng.normal(0, 2, (480, 640))
        out.append(np.clip(picture, 0, 255).astype(np.uint8))
    return out


@pytest.fixture(scope="module")
def folder(pictures, tmp_path_factory):
    path = tmp_path_factory.mktemp("board")
    for k, picture in enumerate(pictures):
        cv2.imwrite(str(path / f"{k:03d}.png"), picture)
    return path


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers())
    return calibrate(parser.parse_args(["calibrate", *words]))


def test_the_camera_is_found_and_written(folder, tmp_path, capsys):
    # A folder's pictures do not follow each other, so none is steady; one still picture between them makes them so.
    for k in range(24):
        picture = cv2.imread(str(folder / f"{k:03d}.png"))
        cv2.imwrite(str(folder / f"{k:03d}_again.png"), picture)
    assert run("--source", str(folder), "-o", str(tmp_path / "camera.yaml")) == 0
    found = read_camera_info(tmp_path / "camera.yaml")
    assert (found.width, found.height) == (640, 480)
    assert found.fx == pytest.approx(TRUE.fx, rel=0.01)
    assert found.fy == pytest.approx(TRUE.fy, rel=0.01)
    assert found.cx == pytest.approx(TRUE.cx, abs=4)
    assert found.cy == pytest.approx(TRUE.cy, abs=4)
    y, x = np.mgrid[20:460:20, 20:620:20].reshape(2, -1).astype(np.float64)
    rays = TRUE.rays(np.column_stack([x, y]))
    off = []
    for camera in (TRUE, found):  # what the distortion alone does to a pixel
        bent = np.column_stack(distort(rays[:, 0], rays[:, 1], camera.distortion))
        off.append(TRUE.fx * (bent - rays[:, :2]))
    assert np.abs(off[0]).max() > 15
    assert np.hypot(*(off[0] - off[1]).T).max() < 1.5
    said = capsys.readouterr().out
    assert "rms 0." in said
    assert "--camera-info" in said


def test_what_is_missing_is_said(pictures):
    calibrator = Calibrator(Board(), (640, 480))
    for picture in [np.full((480, 640), 120, np.uint8)] * 3:
        calibrator.add(picture)
    assert "not seen in 3 pictures" in calibrator.missing()[0]
    with pytest.raises(ValueError, match="not seen"):
        calibrator.solve()
    drawing = Board().draw(SQUARE)
    level = photograph(drawing, np.eye(3), np.array([0.0, 0.0, 11.0]))
    assert calibrator.add(level)
    assert not calibrator.add(level)  # nothing new
    words = " ".join(calibrator.missing())
    assert "1 different views" in words
    assert "tilt the board left and right" in words
    assert "edges and corners" in words
    with pytest.raises(ValueError, match="different views"):
        calibrator.solve()


def test_a_board_in_motion_is_not_taken():
    drawing = Board().draw(SQUARE)
    calibrator = Calibrator(Board(), (640, 480))
    calibrator.add(photograph(drawing, np.eye(3), np.array([-1.5, 0.0, 11.0])))
    assert not calibrator.add(photograph(drawing, np.eye(3), np.array([1.5, 0.5, 11.0])))
    assert calibrator.seen == 2
    assert calibrator.add(photograph(drawing, np.eye(3), np.array([1.51, 0.5, 11.0])))


def test_the_board_can_be_printed(tmp_path, capsys):
    assert run("--print", str(tmp_path / "board.png")) == 0
    page = cv2.imread(str(tmp_path / "board.png"), cv2.IMREAD_GRAYSCALE)
    assert abs(page.shape[1] / page.shape[0] - 297 / 210) < 0.001
    places, _ = Board().find(cv2.resize(page, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA))
    assert len(places) == 6 * 4
    assert run("--print", str(tmp_path / "board.pdf")) == 0
    pdf = (tmp_path / "board.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-1.4")
    start = int(pdf.split(b"startxref\n")[1].split()[0])
    assert pdf[start:].startswith(b"xref")
    with pytest.raises(ValueError, match=r"\.png or \.pdf"):
        run("--print", str(tmp_path / "board.gif"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--source", "/nowhere"], "no such file"),
        (["--board", "7by5", "--source", "0"], "columns x rows"),
        (["--board", "2x2", "--source", "0"], "3x3 at least"),
        ([], "--source CAMERA"),
    ],
)
def test_what_cannot_be_is_said(words, message):
    with pytest.raises(ValueError, match=message):
        run(*words)
