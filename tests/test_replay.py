"""A recorded run is played to the graph again: the same bytes every time, whatever else the machine does."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, until
from vision_msgs.msg import Detection2DArray
from watcher import Watcher

from ar_interfaces.msg import StageReport
from ar_interfaces.srv import Act, Awaken
from ar_tools import graph
from ar_tools.bags.compare import compare
from ar_tools.bags.decode import Decoder, stamp_of
from ar_tools.bags.reader import Bag

pytestmark = [pytest.mark.graph, pytest.mark.timeout(300)]

COMPUTED = (
    "detections",
    "slam/pose",
    "slam/status",
    "segment/mask",
    "segment/object",
    "character/model",
    "render/image",
)
EVERY_FRAME = ("detections", "slam/status", "render/image")
KNOWN = 20  # frames
SHOWN = 20  # pictures with the character, then the recording ends


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "ar_tools", *map(str, words)]


def replay(environment: dict[str, str], *words: str | Path) -> str:
    """Replay in lock-step; what it said."""
    line = command("replay", *words, "--lockstep", "--window", "3")
    result = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "going on without" not in result.stderr
    return result.stdout


def contents(path: Path, topic: str) -> list[bytes]:
    with Bag(path) as bag:
        return [message.data for message in bag.messages({"/" + topic})]


def assert_same(one: Path, other: Path, topics: tuple[str, ...]) -> None:
    """The same messages, to the bit; but for padding, in which serialized messages carry whatever was in memory."""
    results = {result.name: result for result in compare(one, other, topics).topics}
    for topic in topics:
        assert results["/" + topic].same, results["/" + topic].first
        assert results["/" + topic].equal > 0, topic


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """A ROS domain of this module's own."""
    graph.set_environment(ROOT)
    before, domain = os.environ.get("ROS_DOMAIN_ID"), str(101 + os.getpid() % 50)
    os.environ["ROS_DOMAIN_ID"] = domain
    yield dict(os.environ)
    if before is not None:
        os.environ["ROS_DOMAIN_ID"] = before


@pytest.fixture(scope="module")
def recorded(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A live run of a few seconds: something is tapped, comes alive, and is poked."""
    bag = tmp_path_factory.mktemp("replay") / "recorded"
    arguments = {"web": "false", "awaken": "tap", "loop": "false", "snapshots": ""}
    said: list[str] = []
    recorder = subprocess.Popen(
        command("record", "-o", bag), cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        assert recorder.stderr is not None
        assert "recording into" in recorder.stderr.readline()
        processes = graph.processes(ROOT / "launch/tsukumo.launch.yaml", arguments)
        with Watcher() as watcher, graph.Supervisor(processes, lambda name, line: said.append(f"{name}: {line}")):
            watcher.listen(Detection2DArray, "detections")
            watcher.listen(StageReport, "render/report")
            awaken(watcher)

            def shown() -> int:
                return sum(r.items > 0 for r in list(watcher.messages["render/report"]))

            until(shown, 60, "a character in the picture\n" + "\n".join(said))
            assert watcher.call(Act, "render/act", Act.Request(action="poke", x=np.nan, y=np.nan)).success
            until(lambda: shown() >= SHOWN, 60, "more pictures with it\n" + "\n".join(said))
    finally:
        recorder.send_signal(signal.SIGINT)
        assert recorder.wait(60) == 0
    return bag


def awaken(watcher: Watcher) -> None:
    """Tap on the most prominent object, as often as it takes, once the recorder has found every topic."""

    def tapped() -> bool:
        seen = [array for array in list(watcher.messages["detections"]) if array.detections]
        if len(seen) < KNOWN:
            return False
        box = seen[-1].detections[0].bbox.center.position
        request = Awaken.Request(
            prompt=Awaken.Request.PIXEL, x=float(box.x), y=float(box.y), stamp=seen[-1].header.stamp
        )
        return bool(watcher.call(Awaken, "segment/awaken", request).success)

    until(tapped, 90, "something that comes alive")


@pytest.fixture(scope="module")
def replayed(recorded: Path, environment: dict[str, str]) -> tuple[Path, str]:
    """The run replayed in lock-step, and what the command said."""
    again = recorded.with_name("replayed")
    return again, replay(environment, recorded, "--out", again)


def test_two_replays_are_the_same_also_on_a_busy_machine(
    recorded: Path, replayed: tuple[Path, str], environment: dict[str, str]
) -> None:
    first, second = replayed[0], recorded.with_name("on a busy machine")
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        replay(environment, recorded, "--out", second)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert_same(first, second, COMPUTED)
    assert compare(first, second).identical
    frames = [stamp_of(data) for data in contents(recorded, "camera/image_raw")]
    for topic in EVERY_FRAME:
        assert [stamp_of(data) for data in contents(first, topic)] == frames, topic


def test_what_was_asked_for_is_asked_again(recorded: Path, replayed: tuple[Path, str]) -> None:
    bag, said = replayed
    with Bag(recorded) as one, Bag(bag) as other:

        def events(source: Bag) -> Counter[tuple[str, str]]:
            decoder = Decoder(source.definitions)
            found = (decoder(m.type, m.data) for m in source.messages({"/events"}))
            return Counter((event.kind, event.id) for event in found if event.source != "camera" and event.success)

        assert events(one) == events(other)
        assert {"awaken", "act", "place"} <= {kind for kind, _ in events(one)}
    assert re.search(r"(\d+) frames, [\d.]+ s, at [\d.]+ of real time; \d+ requests fed", said)
    objects = [contents(path, "segment/object") for path in (recorded, bag)]
    assert [stamp_of(data) for data in objects[0]] == [stamp_of(data) for data in objects[1]]


def test_some_stages_work_on_what_the_others_said(replayed: tuple[Path, str], environment: dict[str, str]) -> None:
    """Of a bag that was recorded in lock-step, they do again exactly what they did."""
    whole = replayed[0]
    part = whole.with_name("part")
    replay(environment, whole, "--stages", "character,render", "--out", part)
    assert_same(whole, part, ("character/model", "render/image"))
    assert not contents(part, "slam/pose")


def test_ctrl_c_ends_a_replay_in_real_time_and_leaves_a_whole_bag(
    recorded: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    line = command("replay", recorded, "--stages", "detect", "--rate", "0.5", "--out", tmp_path / "bag")
    process = subprocess.Popen(line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    with Watcher() as watcher:
        watcher.listen(Detection2DArray, "detections")
        until(lambda: len(watcher.messages["detections"]) >= 5, 60, "detections")
        stamps = watcher.stamps("detections")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "all are there" in said
    with Bag(recorded) as bag:
        pictures = {stamp_of(m.data): m.data for m in bag.messages({"/camera/image_raw"})}
    assert set(stamps) <= set(pictures)
    shown = contents(tmp_path / "bag", "camera/image_raw")
    assert 5 <= len(shown) < len(pictures)
    assert all(data == pictures[stamp_of(data)] for data in shown)


def test_a_stage_that_cannot_start_is_named(recorded: Path, environment: dict[str, str]) -> None:
    line = command("replay", recorded, "--stages", "render")
    broken = {**environment, "PYOPENGL_PLATFORM": "none"}
    result = subprocess.run(line, cwd=ROOT, env=broken, capture_output=True, text=True, timeout=100)
    assert result.returncode == 1
    assert "tsukumo: render: no OpenGL context" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing",), "nothing: there is no such bag"),
        (("README.md",), "is neither mcap nor sqlite3"),
        (("README.md", "--stages", "camera"), "--stages camera: there are detect, segment, slam, character, render"),
        (("README.md", "--rate", "0"), "it must be greater than 0"),
        (("README.md", "--remap", "a"), "it must be FROM:=TO"),
    ],
)
def test_what_cannot_be_played_is_one_line(environment: dict[str, str], words: tuple[str, ...], said: str) -> None:
    result = subprocess.run(command("replay", *words), cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("tsukumo: ")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
