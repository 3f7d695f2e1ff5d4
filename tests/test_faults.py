"""Nodes that are killed come back as they were; messages that cannot be right harm nobody."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import until
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from sensor_msgs.msg import CameraInfo, Image
from watcher import Watcher

from ar_camera import embedded
from ar_core import qos
from ar_core.conversions import matrix_from, nanoseconds
from ar_core.geometry import Plane, hit_plane
from ar_interfaces.msg import Character, StageReport
from ar_tools import graph
from ar_tools.bad_messages import bad_messages

pytestmark = pytest.mark.graph

LOOKERS = ("detect", "segment", "slam", "render")  # who looks at pictures
SECOND = 1_000_000_000
STAGES = ("detect", "segment", "slam", "character", "render", "camera")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Graph:
    """A running graph with a watcher in it."""

    def __init__(self, watcher: Watcher, supervisor: graph.Supervisor, said: list[str], snapshots: Path) -> None:
        self.watcher, self.supervisor, self.said, self.snapshots = watcher, supervisor, said, snapshots

    def awake(self) -> None:
        """Wait until a character is in the picture."""
        until(self.shown, 120, "a character in the picture\n" + "\n".join(self.said[-30:]))

    def shown(self) -> int:
        """Stamp of the newest picture that shows a character; 0 for none."""
        reports = [r for r in list(self.watcher.messages["render/report"]) if r.outcome == r.PUBLISHED and r.items]
        return nanoseconds(reports[-1].header.stamp) if reports else 0

    def newest_picture(self) -> int:
        """Stamp of the newest picture."""
        stamps = self.watcher.stamps("render/image")
        return stamps[-1] if stamps else 0


@pytest.fixture
def running(root: Path, own_domain: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Graph]:
    """The whole graph on the embedded input, looping, with snapshots."""
    monkeypatch.setenv("TSUKUMO_SNAPSHOTS", str(tmp_path))
    said: list[str] = []
    processes = graph.processes(root / "launch/tsukumo.launch.yaml", {"port": str(free_port())})
    with (
        Watcher() as watcher,
        graph.Supervisor(processes, lambda name, line: said.append(f"{name}: {line}")) as supervisor,
    ):
        watcher.listen(Character, "character/model", latched=True)
        watcher.listen(StageReport, "render/report")
        watcher.listen(Image, "render/image")
        watcher.listen(CameraInfo, "camera/camera_info")
        watcher.listen(PoseWithCovarianceStamped, "slam/pose")
        watcher.listen(DiagnosticArray, "/diagnostics")
        yield Graph(watcher, supervisor, said, tmp_path)


class Place:
    """Where the character should stand in the picture of a stamp, by the clip's truth, and where the live poses put it."""

    def __init__(self, running: Graph) -> None:
        self.running, self.scene = running, embedded.load()
        character = running.watcher.messages["character/model"][0]
        self.point = matrix_from(character.pose)[None, :3, 3]
        kept = json.loads((running.snapshots / "camera.json").read_text())
        self.began = kept["stamp"]  # the watcher may have missed the first pictures
        awake = self.scene.T_map_camera[self.frame(nanoseconds(character.header.stamp))]
        pixel = np.array([character.footprint])
        self.true_point = hit_plane(pixel, self.scene.intrinsics, awake, Plane.ground())

    def frame(self, stamp: int) -> int:
        """The clip's frame at a stamp; it is shown again and again."""
        seconds = (stamp - self.began) * 1e-9 % (self.scene.stamps[-1] + self.scene.stamps[1])
        return int(np.argmin(np.abs(self.scene.stamps - seconds)))

    def errors_px(self, since: int, until: int) -> dict[int, float]:
        """Stamp -> how far off the live poses of that time are."""
        errors = {}
        for message in list(self.running.watcher.messages["slam/pose"]):
            stamp = nanoseconds(message.header.stamp)
            if since <= stamp <= until:
                live = self.scene.intrinsics.project(self.point, matrix_from(message.pose.pose))
                true = self.scene.intrinsics.project(self.true_point, self.scene.T_map_camera[self.frame(stamp)])
                errors[stamp] = float(np.linalg.norm(live - true))
        return errors


def test_any_node_may_be_killed(running: Graph) -> None:
    """Image time is what counts: the camera runs on while it is dead."""
    running.awake()
    before = {c.id: bytes(c.glb) for c in running.watcher.messages["character/model"]}
    place = Place(running)
    for name in STAGES:
        child = running.supervisor.child(name)
        assert child.handle is not None
        first = child.handle.pid
        killed = running.newest_picture()
        os.kill(first, signal.SIGKILL)
        until(lambda c=child, pid=first: c.alive() and c.handle.pid != pid, 20, f"{name} to be restarted")
        until(lambda end=killed + 10 * SECOND: running.newest_picture() > end, 60, f"pictures after {name} died")
        after = {c.id: bytes(c.glb) for c in running.watcher.messages["character/model"]}
        assert after == before, f"after {name} died"
        pictures = [
            stamp for stamp in running.watcher.stamps("render/image") if killed <= stamp <= killed + 10 * SECOND
        ]
        if name not in ("camera", "render"):
            assert max(np.diff(pictures)) <= 0.5 * SECOND, f"after {name} died"
        shown = {nanoseconds(r.header.stamp) for r in list(running.watcher.messages["render/report"]) if r.items}
        late = [stamp for stamp in pictures if stamp > killed + 8 * SECOND]
        assert late
        assert shown.issuperset(late), f"the character is back 8 s after {name} died"
        errors = place.errors_px(killed + 8 * SECOND, killed + 10 * SECOND)
        assert errors
        assert max(errors.values()) <= 20, f"after {name} died it stands elsewhere: {errors}"


def test_messages_that_cannot_be_right_harm_nobody(running: Graph) -> None:
    running.awake()
    watcher = running.watcher
    names = (*STAGES, "director", "web")
    pids = {name: running.supervisor.child(name).handle.pid for name in names}  # type: ignore[union-attr]
    latched = ("slam/plane", "segment/object", "character/model", "record/status")
    kinds = {topic: type(message) for topic, _, message in bad_messages(0)}
    publishers = {
        topic: watcher.node.create_publisher(kind, topic, qos.latched(8) if topic in latched else qos.reliable(50))
        for topic, kind in kinds.items()
    }
    for topic, publisher in publishers.items():
        listeners = watcher.node.count_subscribers(topic)
        assert listeners > 0
        until(
            lambda p=publisher, n=listeners: p.get_subscription_count() >= n, 20, f"{listeners} subscribers of {topic}"
        )
    before = len(running.said)
    # A bad picture may be replaced by a newer good one before anybody looks at it: go on until all have seen some.
    for i in range(40):
        for topic, _, message in bad_messages(watcher.stamps("camera/camera_info")[-1] + 2_000_000):
            publishers[topic].publish(message)
            picture = running.newest_picture()
            until(lambda seen=picture: running.newest_picture() > seen, 20, "the next picture")
        told = {line.split(":")[0] for line in running.said[before:] if "WARN" in line and "truncated" in line}
        if i >= 3 and told.issuperset(LOOKERS):
            break
    newest = running.newest_picture()
    until(lambda: running.shown() > newest + 2 * SECOND, 60, "pictures with the character go on")
    for name, pid in pids.items():
        child = running.supervisor.child(name)
        assert child.alive(), name
        assert child.handle is not None
        assert child.handle.pid == pid, f"{name} died\n" + "\n".join(running.said[-30:])
    assert not [line for line in running.said if "Traceback" in line], "\n".join(running.said[-60:])
    warnings = Counter(re.sub(r"\d+", "n", line) for line in running.said[before:] if "WARN" in line or "ERROR" in line)
    assert max(warnings.values()) == 1, f"each is said once: {warnings}"
    assert told.issuperset(LOOKERS), "\n".join(warnings)
    for stage in LOOKERS:
        assert rejected(watcher, stage) >= 3, warnings


def rejected(watcher: Watcher, stage: str) -> int:
    """How many messages a stage has refused, as it says itself."""
    newest = 0
    for array in list(watcher.messages["/diagnostics"]):
        for status in array.status:
            if status.name == f"tsukumo: {stage}":
                newest = sum(int(pair.value) for pair in status.values if pair.key.startswith("rejected"))
    return newest
