"""The node over real topics: an object, a pose, a character in its place; what goes wrong is one warning and a report."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy")

# ruff: noqa: E402  (what follows needs ROS)
from ar_character.guest import load_guest
from ar_core.conversions import matrix_from, stamp_from
from ar_core.glb import chunks, container
from ar_interfaces.msg import StageReport

sys.path.insert(0, str(Path(__file__).parent))
from character_bench import AWAY, CAMERA, POSE, SECOND, START, Bench, seen_cylinder

pytestmark = pytest.mark.graph


@pytest.fixture
def ros(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    rclpy.init()
    yield
    rclpy.try_shutdown()


@pytest.fixture
def bench(ros: None) -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


def test_an_object_comes_alive_where_it_stood(bench: Bench) -> None:
    """The pose arrives after the object, as it does when SLAM is the slower one."""
    bench.send_camera(START)
    bench.send_plane(3)
    bench.send_object("can", START)
    bench.until(lambda: bench.node.waiting)
    assert not bench.models
    bench.send_pose(START)
    bench.until(lambda: bench.models and bench.reports)
    model = bench.models[0]
    assert (model.id, model.kind, model.placed, model.map_id) == ("can", "object", True, 3)
    assert model.header.frame_id == "map"
    assert model.header.stamp == stamp_from(START)
    T = matrix_from(model.pose)
    assert np.linalg.norm(T[:3, 3] - [AWAY, 0, 0]) < 0.003
    assert T[0, 0] < -0.999, "it looks at the camera"
    assert 0.115 < model.object_height < 0.135, "0.10 m, and as much as the far edge of its top is seen higher"
    assert model.height > 1.2 * model.object_height
    assert list(model.clips) == [
        "idle",
        "awaken",
        "walk",
        "hop",
        "dance",
        "wave",
        "sit",
        "sleep",
        "poked",
        "eat",
        "look",
    ]
    assert bytes(model.glb[:4]) == b"glTF"
    assert np.linalg.norm(np.array(model.footprint) - CAMERA.project(np.array([[AWAY, 0, 0]]), POSE)[0]) < 3
    report = bench.reports[0]
    assert (report.outcome, report.stage, report.header.stamp) == (
        StageReport.PUBLISHED,
        "character",
        stamp_from(START),
    )
    assert [topic.lstrip("/") for topic in report.published] == ["character/model"]
    bench.send_object("can", START)  # latched objects come again; that is no second awakening
    bench.send_pose(START + SECOND)
    bench.until(lambda: START + SECOND in bench.node.seats.poses)
    assert len(bench.models) == len(bench.reports) == 1


def test_a_guest_takes_the_place_of_what_awakens(ros: None, tmp_path: Path) -> None:
    extras = {
        "height_m": 0.5,
        "object_height_m": 0.5,
        "adopted": True,
        "clips": {"walk": {"loop": True, "stride_m": 0.2}},
    }
    root = {"name": "tsukumo_root", "scale": [0.1] * 3, "translation": [0.0, 0.05, 0.0]}
    document = {"asset": {"version": "2.0"}, "nodes": [root], "scenes": [{"nodes": [0], "extras": extras}]}
    (tmp_path / "fox.glb").write_bytes(container(document, b""))
    bench = Bench(guest=str(tmp_path / "fox.glb"))
    bench.ready()
    bench.send_object("can", START)
    bench.until(lambda: bench.models)
    model = bench.models[0]
    assert (model.id, model.placed, list(model.clips)) == ("can", True, ["walk"])
    assert model.height == model.object_height
    assert 0.115 < model.height < 0.135  # as high as the can
    told, _ = chunks(bytes(model.glb))
    assert told["nodes"][0]["scale"] == pytest.approx([0.1 * model.height / 0.5] * 3, rel=1e-6)
    assert told["scenes"][0]["extras"]["clips"]["walk"]["stride_m"] == pytest.approx(0.2 * model.height / 0.5, abs=1e-5)
    bench.close()


def test_a_guest_that_is_none_leaves_things_as_they_are(ros: None, tmp_path: Path) -> None:
    bench = Bench(guest=str(tmp_path / "nobody.glb"))
    bench.ready()
    bench.send_object("can", START)
    bench.until(lambda: bench.models)
    assert "wave" in bench.models[0].clips
    bench.close()


@pytest.mark.parametrize(
    ("extras", "node"),
    [
        ({"height_m": 0.0}, {}),
        ({"height_m": float("nan")}, {}),
        ({"clips": ["walk"]}, {}),
        ({"clips": {"walk": {"loop": True}}}, {}),
        ({}, {"scale": None}),
    ],
)
def test_a_file_that_only_says_it_is_adopted_is_refused_at_once(
    tmp_path: Path, extras: dict[str, Any], node: dict[str, Any]
) -> None:
    told = {"height_m": 0.5, "object_height_m": 0.5, "adopted": True, "clips": {"walk": {"stride_m": 0.2}}, **extras}
    root = {"name": "tsukumo_root", "scale": [0.1] * 3, "translation": [0.0, 0.05, 0.0], **node}
    document = {"asset": {"version": "2.0"}, "nodes": [root], "scenes": [{"nodes": [0], "extras": told}]}
    (tmp_path / "fox.glb").write_bytes(container(document, b""))
    with pytest.raises(ValueError, match=r"fox\.glb: not adopted yet; run: tsukumo awaken"):
        load_guest(tmp_path / "fox.glb")


def test_a_fault_of_ours_is_reported_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("ar_character.node.build_character", fail)
    bench.ready()
    bench.send_object("can", START)
    bench.until(lambda: bench.reports)
    assert (bench.reports[0].outcome, bench.reports[0].reason) == (
        StageReport.FAILED,
        "ZeroDivisionError: by nothing",
    )


def test_poses_before_and_after_do_where_tracking_left_the_frame_out(bench: Bench) -> None:
    bench.send_camera(START)
    bench.send_plane(3)
    bench.send_pose(START - SECOND // 15)
    bench.until(lambda: START - SECOND // 15 in bench.node.seats.poses)
    bench.send_object("can", START)
    bench.until(lambda: bench.node.waiting)
    assert not bench.models
    bench.send_pose(START + SECOND // 30)
    bench.until(lambda: bench.models)
    assert bench.models[0].placed
    assert np.linalg.norm(matrix_from(bench.models[0].pose)[:3, 3] - [AWAY, 0, 0]) < 0.003


def test_the_plane_of_the_poses_map_is_used(bench: Bench) -> None:
    bench.send_camera(START)
    bench.send_plane(3, distance=0.1)
    bench.send_plane(4, distance=0.0)
    bench.send_pose(START, map_id=3)
    bench.until(lambda: START in bench.node.seats.poses)
    bench.send_object("can", START)
    bench.until(lambda: bench.models)
    assert bench.models[0].map_id == 3
    assert bench.models[0].pose.position.z == pytest.approx(0.1)
    assert 0.115 * 2 / 3 < bench.models[0].object_height < 0.135 * 2 / 3


def test_without_a_pose_it_comes_alive_unplaced(bench: Bench) -> None:
    bench.send_camera(START)
    bench.send_object("can", START)
    bench.until(lambda: bench.node.waiting)
    bench.send_camera(START + SECOND // 2)
    assert bench.node.waiting
    bench.send_camera(START + 2 * SECOND)
    bench.until(lambda: bench.models)
    assert not bench.models[0].placed
    assert len(bench.models[0].footprint) == 0
    rows = seen_cylinder()[1].height
    assert bench.models[0].object_height == pytest.approx(rows / 600 * 0.6, rel=0.02)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": b"\0" * 100}, "truncated"),
        ({"height": 0}, "size"),
        ({"height": 10_000, "width": 10_000, "step": 40_000}, "over the limit"),
        ({"encoding": "rubbish"}, "rubbish"),
    ],
)
def test_a_bad_object_is_reported_and_the_next_one_lives(bench: Bench, changes: dict[str, Any], words: str) -> None:
    bench.send_camera(START)
    bench.send_pose(START)
    bench.until(lambda: START in bench.node.seats.poses)
    bench.send_object("bad", START, **changes)
    bench.until(lambda: bench.reports)
    assert bench.reports[0].outcome == StageReport.FAILED
    assert words in bench.reports[0].reason
    bench.send_object("good", START)
    bench.until(lambda: bench.models)
    assert [m.id for m in bench.models] == ["good"]


def test_characters_survive_the_process(ros: None, tmp_path: Path) -> None:
    first = Bench(tmp_path)
    first.send_camera(START)
    first.send_pose(START)
    first.send_object("can", START)
    first.until(lambda: first.models and first.reports)
    first.close()
    second = Bench(tmp_path)
    try:
        second.until(lambda: second.models)
        assert second.models == first.models
        assert second.node.known == {"can"}
    finally:
        second.close()


def test_members_of_a_theme_take_turns(ros: None) -> None:
    bench = Bench(theme="band")
    try:
        bench.send_camera(START)
        bench.send_plane(3)
        for i in range(2):
            stamp = START + i * SECOND
            bench.send_object(f"can-{i}", stamp)
            bench.send_pose(stamp)
            bench.until(lambda i=i: len(bench.models) == i + 1)
        worn = (
            [b"prop_guitar" in bytes(m.glb) for m in bench.models],
            [b"prop_drum" in bytes(m.glb) for m in bench.models],
        )
        assert worn == ([True, False], [False, True])
        assert "play" in bench.models[0].clips
    finally:
        bench.close()


def test_a_broken_theme_is_one_line_and_characters_are_plain(ros: None, tmp_path: Path, caplog: Any) -> None:
    (tmp_path / "theme.yaml").write_text("props: {hat: {place: crown, mesh: hat.obj, size: 1}}")
    bench = Bench(theme=str(tmp_path))
    try:
        assert bench.node.theme == "plain"
        bench.send_camera(START)
        bench.send_plane(3)
        bench.send_object("can", START)
        bench.send_pose(START)
        bench.until(lambda: len(bench.models) == 1)
        assert b"prop_" not in bytes(bench.models[0].glb)
    finally:
        bench.close()
