"""Somebody does what the guided calibration says, with a board and a camera that are exactly known."""

from __future__ import annotations

import queue
from pathlib import Path

import cv2
import numpy as np
import pytest

if not hasattr(cv2, "aruco"):
    pytest.skip("this OpenCV comes without its aruco module", allow_module_level=True)

from board_photos import SQUARE, TRUE, photograph

from ar_camera.board import Board
from ar_camera.calibrator import Calibrator, Sight
from ar_camera.fitting import Calibration
from ar_camera.guidance import UNSEEN_S, Guide
from ar_camera.guided import Guided, State, Status
from ar_core.camera_info import read_camera_info, write_camera_info
from ar_core.geometry import Intrinsics

FISHEYE = Intrinsics(352.0, 355.0, 314.0, 244.0, 640, 480, (-0.03, 0.008, -0.004, 0.0005), fisheye=True)
TILTS = {"left": (0.0, -0.5), "right": (0.0, 0.5), "upper": (0.5, 0.0), "lower": (-0.5, 0.0)}


class Follower:
    """Holds the board as the words and the target say, and sees to it that the camera takes pictures of that."""

    def __init__(self, camera: Intrinsics) -> None:
        self.camera, self.drawing = camera, Board().draw(SQUARE)
        self.rng = np.random.default_rng(5)
        self.near = 10.0 * camera.fx / TRUE.fx
        self.pose = (0.0, 0.0, 0.0, 0.0, 1.2 * self.near)  # turned about x and y; place; distance in squares

    def follow(self, status: Status) -> np.ndarray:
        """The picture (H, W, 3) after having done what it says."""
        words = status.headline
        if words.startswith("Tilt it"):
            self.pose = (*TILTS[words.split()[3]], 0.0, 0.0, 1.1 * self.near)
        elif words.startswith("Closer"):
            self.pose = (0.1, 0.1, 0.0, 0.0, 0.9 * self.near)
        elif words.startswith("Farther"):
            self.pose = (0.0, 0.2, 0.0, 0.0, 1.7 * self.near)
        elif words.startswith("Bring it"):
            assert len(status.target) == 4
            depth = 1.3 * self.near
            u, v = (status.target[0] + status.target[2]) / 2, (status.target[1] + status.target[3]) / 2
            x, y = (u - self.camera.cx) / self.camera.fx * depth, (v - self.camera.cy) / self.camera.fy * depth
            self.pose = (*self.rng.uniform(-0.2, 0.2, 2), 0.8 * x, 0.8 * y, depth)
        elif words.startswith("Move it on"):
            self.pose = (
                *self.rng.uniform(-0.5, 0.5, 2),
                *self.rng.uniform(-2, 2, 2),
                self.near * self.rng.uniform(1, 1.6),
            )
        a, b, x, y, z = self.pose
        R = cv2.Rodrigues(np.array([a, 0.0, 0.0]))[0] @ cv2.Rodrigues(np.array([0.0, b, 0.0]))[0]
        picture = photograph(self.drawing, R, np.array([x, y, z]), self.camera).astype(np.float32)
        noisy = np.clip(picture + self.rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
        return np.asarray(cv2.cvtColor(noisy, cv2.COLOR_GRAY2BGR), np.uint8)


@pytest.mark.parametrize(("camera", "model"), [(TRUE, ""), (FISHEYE, "equidistant")], ids=["usual", "fisheye"])
def test_who_does_what_it_says_gets_the_camera(camera: Intrinsics, model: str, tmp_path: Path) -> None:
    if camera.fisheye and not hasattr(cv2, "fisheye"):
        pytest.skip("this OpenCV comes without its fisheye module")
    told: list[Status] = []
    file = tmp_path / "camera.yaml"

    def keep(done: Calibration) -> str:
        write_camera_info(file, done.intrinsics)
        return str(file)

    guided, follower = Guided(told.append, keep, model, 30.0), Follower(camera)
    for k in range(60):
        picture = follower.follow(guided.status)
        for again in range(3):  # a moment for each: the board is held still
            guided.look(3 * k + again, picture, k + again / 5)
        if not guided.status.missing:
            break
    assert guided.status.missing == ()
    assert k < 45  # as many ways to hold the board: a minute or two
    assert guided.status.progress == pytest.approx(1.0)
    headlines = {status.headline.split(":")[0] for status in told}
    assert {"Tilt it", "Closer to the camera", "Farther from the camera"} <= headlines
    assert any(status.headline.startswith("Bring it to the") for status in told)
    assert any("cm away" in status.hint for status in told)
    guided.solve()
    assert [status.state for status in told[-2:]] == [State.SOLVING, State.DONE]
    assert told[-1].path == str(file)
    assert told[-1].rms_px < 0.3
    assert "very good" in told[-1].hint
    found = read_camera_info(file)
    assert found.model == camera.model
    assert found.fx == pytest.approx(camera.fx, rel=0.01)
    assert found.cx == pytest.approx(camera.cx, abs=4)
    assert found.cy == pytest.approx(camera.cy, abs=4)
    y, x = np.mgrid[40:440:40, 40:600:40].reshape(2, -1).astype(float)
    off = found.project(camera.rays(np.column_stack([x, y]))) - np.column_stack([x, y])
    assert np.hypot(*off.T).max() < 4  # of it the principal point and the focal length may be half
    assert np.hypot(*off.T).mean() < 2


def blank(shade: int = 120) -> np.ndarray:
    return np.full((480, 640, 3), shade, np.uint8)


def test_a_board_that_is_not_seen_is_spoken_of_after_a_while() -> None:
    guided = Guided(lambda _: None, lambda _: "")
    guided.look(1, blank(), 0.0)
    assert guided.status.headline == "Show me the board"
    guided.look(2, blank(), UNSEEN_S - 0.1)
    assert guided.status.headline == "Show me the board"
    guided.look(3, blank(), UNSEEN_S + 1)
    assert guided.status.headline == "No board seen for 21 s"
    assert "flat, evenly lit" in guided.status.hint
    with pytest.raises(ValueError, match="too few views: 0 of at least 8"):
        guided.finish()


def test_a_blurred_and_a_moving_board_are_spoken_of() -> None:
    board, follower = Board(), Follower(TRUE)
    guide = Guide(Calibrator(board, (640, 480)))
    follower.pose = (0.0, 0.0, 0.0, 0.0, 9.0)
    sharp = cv2.cvtColor(follower.follow(Status()), cv2.COLOR_BGR2GRAY)
    blurred = guide.calibrator.see(cv2.GaussianBlur(sharp, (0, 0), 2.2))
    assert blurred.corners >= 10
    assert guide.advise(blurred, 0.0).hint.startswith("Too blurred")
    assert not guide.calibrator.views
    moved = np.roll(sharp, 30, 1)
    assert "hold it still" in guide.advise(guide.calibrator.see(moved), 0.1).hint
    assert guide.calibrator.see(moved).kept
    assert guide.advise(Sight(corners=4), 5.0).headline == "I see a part of it only"


def test_views_that_no_camera_explains_are_refused_in_words() -> None:
    """Corners that lie elsewhere on the board than it says: as of a board that is bent, or another one."""
    told: list[Status] = []
    guided, follower = Guided(told.append, lambda _: "never"), Follower(TRUE)
    for k in range(40):
        guided.look(k, follower.follow(guided.status), k / 2)
        if len(guided._guide.calibrator.views) >= 10:
            break
    rng = np.random.default_rng(1)
    for view in guided._guide.calibrator.views:
        view.places[:, :2] += rng.uniform(-0.4, 0.4, (len(view.places), 2))
    guided.solve()
    assert told[-1].state == State.FAILED
    assert "no camera explains the views better than" in told[-1].hint
    assert "is the board flat" in told[-1].hint


def test_the_thread_looks_finishes_and_gives_up() -> None:
    told: queue.Queue[Status] = queue.Queue()
    follower = Follower(TRUE)
    guided = Guided(told.put, lambda _: "here")
    guided.start()
    status, stamp = told.get(timeout=60), 0
    while status.views < 8:
        stamp += 1
        guided.show(stamp, follower.follow(status))
        while status.stamp < stamp:
            status = told.get(timeout=60)
    assert status.enough
    guided.finish()
    while status.state not in (State.DONE, State.FAILED):
        status = told.get(timeout=60)
    assert status.state == State.DONE
    assert (status.path, status.views) == ("here", 8)
    other = Guided(told.put, lambda _: "here")
    other.start()
    other.cancel()
    assert not other.running
    assert other.status == Status()
    with pytest.raises(ValueError, match="model 'round': there are plumb_bob"):
        Guided(told.put, lambda _: "here", "round")
