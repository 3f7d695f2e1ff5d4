"""The figures of a run, computed from a made-up run whose answers are known by construction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array, Intrinsics, pose, upright_camera
from ar_tools.observations import CharacterRecord, Observations, PoseRecord, StageRecord
from ar_tools.run_report import make_report, write_trajectory
from ar_tools.truth import Timeline, anchor_errors, compare, iou

START = 1_795_000_000_000_000_000
CAMERA = Intrinsics(560, 560, 319.5, 239.5, 640, 480)
FRAMES = 60
TRACKING = 2


def stamp(i: int) -> int:
    return START + round(i / 30 * 1e9)


class Scene:
    """A camera that moves sideways over a table on which a square object lies."""

    intrinsics = CAMERA
    stamps: Array = np.arange(FRAMES) / 30
    names = ("box", "other")

    def __init__(self) -> None:
        self.T_map_camera = np.array([self.pose(i) for i in range(FRAMES)])

    @staticmethod
    def pose(i: int) -> Array:
        T = upright_camera(0.4, 35)
        T[1, 3] = 0.002 * i
        T[0, 3] = 0.03 * np.sin(i / 10)
        return T

    def mask(self, frame: int, name: str) -> NDArray[np.uint8]:
        out = np.zeros((480, 640), np.uint8)
        if name == "box":
            out[200:300, 100 + frame : 200 + frame] = 255
        return out


def run(map_scale: float = 1.0, off_px: int = 0) -> Observations:
    """A run whose map has another scale than the truth's, and starts at the second frame."""
    seen, scene = Observations(), Scene()
    for i in range(FRAMES):
        camera = StageRecord(stamp(i), 0, "", 0, i * 1.0, i * 1.0, i + 0.001, i * 0.003)
        shown = 1 if i >= 20 else 0
        render = StageRecord(stamp(i), 0, "", shown, i + 0.01, i + 0.02, i + 0.05, i * 0.010)
        seen.stages.setdefault("camera", []).append(camera)
        if i % 6 == 5:
            render = StageRecord(stamp(i), 1, "a newer frame came first", 0, i + 0.01, 0, 0, i * 0.010)
        else:
            seen.pictures.append(stamp(i))
        seen.stages.setdefault("render", []).append(render)
        T = scene.pose(i)
        seen.poses[stamp(i)] = PoseRecord(pose(T[:3, :3], T[:3, 3] * map_scale), 1, TRACKING)
    seen.characters.append(CharacterRecord("box-1", stamp(10), b"glTF", (320.0 + off_px, 300.0)))
    return seen


def test_figures_of_a_run() -> None:
    report = make_report(run())
    assert report["pictures"] == 50
    assert report["awakened_after_s"] == round(20 / 30, 3)
    assert report["pictures_with_character"] == report["pictures_after_awakening"] == 33
    assert report["glass_to_glass_ms"] == {"p50": 50.0, "p99": 50.0}
    assert report["stages"]["render"]["skipped"] == {"a newer frame came first": 10}
    assert report["stages"]["render"]["cpu_ms"] == 10.0
    assert abs(report["pictures_per_second"] - 49 / (58 / 30)) < 0.01


def test_an_empty_run_is_reported_too() -> None:
    report = make_report(Observations())
    assert report["pictures"] == 0
    assert report["awakened_after_s"] is None


def test_a_perfect_run_has_no_error_whatever_its_scale() -> None:
    scene = Scene()
    masks = {stamp(i): scene.mask(i, "box") for i in range(10, FRAMES)}
    result = compare(run(map_scale=2.5), scene, masks)
    assert result["anchor_error_px"]["p95"] < 1e-6
    assert result["mask_iou"] == 1.0
    assert result["pose_error_mm"] < 1e-6


def test_a_pose_that_drifts_is_seen_by_the_anchor() -> None:
    scene, seen = Scene(), run()
    late = seen.poses[stamp(50)]
    T = late.T_map_camera.copy()
    T[1, 3] += 0.01  # one centimetre sideways
    seen.poses[stamp(50)] = PoseRecord(T, 1, TRACKING)
    errors = anchor_errors(Timeline(seen, scene))
    assert np.argmax(errors) == 50 - 11
    assert 5 < errors.max() < 15
    assert np.sort(errors)[-2] < 1e-6


def test_masks_are_compared_with_the_object_that_was_meant() -> None:
    scene = Scene()
    shifted = {stamp(i): np.roll(scene.mask(i, "box"), 25, 1) for i in range(10, 20)}
    assert compare(run(), scene, shifted)["mask_iou"] == round(75 / 125, 4)
    assert iou(np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8)) == 1.0


def test_the_trajectory_file_is_in_tum_format(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "trajectory.txt"
    write_trajectory(run(), path)
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    values = np.array([[float(word) for word in line.split()] for line in lines])
    assert values.shape == (FRAMES, 8)
    assert np.allclose(values[:, 0], np.arange(FRAMES) / 30, atol=1e-6)
    assert np.allclose(np.linalg.norm(values[:, 4:], axis=1), 1)
