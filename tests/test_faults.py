"""Nodes that are killed come back as they were; messages that cannot be right harm nobody."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import until
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray
from watcher import Watcher

from ar_core import qos
from ar_core.conversions import nanoseconds, stamp_from
from ar_interfaces.msg import Character, SegmentedObject, StageReport, TrackingStatus
from ar_tools import graph

pytestmark = pytest.mark.graph

STAGES = ("detect", "segment", "slam", "character", "render", "camera")


class Graph:
    """A running graph with a watcher in it."""

    def __init__(self, watcher: Watcher, supervisor: graph.Supervisor, said: list[str]) -> None:
        self.watcher, self.supervisor, self.said = watcher, supervisor, said

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
    processes = graph.processes(root / "launch/tsukumo.launch.yaml", {"web": "false"})
    with (
        Watcher() as watcher,
        graph.Supervisor(processes, lambda name, line: said.append(f"{name}: {line}")) as supervisor,
    ):
        watcher.listen(Character, "character/model", latched=True)
        watcher.listen(StageReport, "render/report")
        watcher.listen(Image, "render/image")
        watcher.listen(DiagnosticArray, "/diagnostics")
        yield Graph(watcher, supervisor, said)


def test_any_node_may_be_killed(running: Graph) -> None:
    running.awake()
    before = {c.id: bytes(c.glb) for c in running.watcher.messages["character/model"]}
    for name in STAGES:
        child = running.supervisor.child(name)
        assert child.handle is not None
        first = child.handle.pid
        os.kill(first, signal.SIGKILL)
        until(lambda c=child, pid=first: c.alive() and c.handle.pid != pid, 20, f"{name} to be restarted")
        killed_at = running.newest_picture()
        # The same character is in the picture again, whichever node died.
        until(lambda stamp=killed_at: running.shown() > stamp + 1_000_000_000, 60, f"a character after {name} died")
        after = {c.id: bytes(c.glb) for c in running.watcher.messages["character/model"]}
        assert after == before, f"after {name} died"


def bad_images(stamp: int) -> Iterator[Image]:
    """Pictures as broken drivers send them."""
    header = Header(stamp=stamp_from(stamp), frame_id="camera_optical_frame")
    yield Image(header=header, height=480, width=640, step=1920, encoding="bgr8", data=bytes(1000))
    yield Image(header=header, height=480, width=640, step=1920, encoding="purple8", data=bytes(480 * 1920))
    yield Image(header=header, height=0, width=0, step=0, encoding="bgr8")
    yield Image(header=header, height=10_000, width=10_000, step=30_000, encoding="bgr8")
    yield Image(header=Header(stamp=stamp_from(1)), height=4, width=4, step=12, encoding="bgr8", data=bytes(48))


def test_messages_that_cannot_be_right_harm_nobody(running: Graph) -> None:
    running.awake()
    watcher = running.watcher
    pids = {name: running.supervisor.child(name).handle.pid for name in (*STAGES, "director")}  # type: ignore[union-attr]
    kinds = {
        "camera/image_raw": Image,
        "segment/mask": Image,
        "camera/camera_info": CameraInfo,
        "slam/pose": PoseWithCovarianceStamped,
        "slam/status": TrackingStatus,
        "detections": Detection2DArray,
    }
    publishers = {topic: watcher.node.create_publisher(kind, topic, qos.reliable(50)) for topic, kind in kinds.items()}
    objects = watcher.node.create_publisher(SegmentedObject, "segment/object", qos.latched(8))
    characters = watcher.node.create_publisher(Character, "character/model", qos.latched(8))
    for publisher in (*publishers.values(), objects, characters):
        until(lambda p=publisher: p.get_subscription_count() > 0, 20, f"a subscriber of {publisher.topic_name}")
    for i in range(3):
        now = running.newest_picture() + 2_000_000
        for image in bad_images(now + i):
            publishers["camera/image_raw"].publish(image)
            publishers["segment/mask"].publish(image)
        nan = float("nan")
        publishers["camera/camera_info"].publish(CameraInfo(width=640, height=480, k=np.full(9, nan)))
        pose = PoseWithCovarianceStamped(header=Header(stamp=stamp_from(now)))
        pose.pose.pose.position.x = nan
        publishers["slam/pose"].publish(pose)
        publishers["slam/status"].publish(TrackingStatus(state=200))
        objects.publish(SegmentedObject(id="broken", header=Header(stamp=stamp_from(now))))
        characters.publish(Character(id="broken", glb=b"glTF rubbish", header=Header(stamp=stamp_from(now))))
    newest = running.newest_picture()
    until(lambda: running.shown() > newest + 2_000_000_000, 60, "pictures with the character go on")
    for name, pid in pids.items():
        child = running.supervisor.child(name)
        assert child.alive(), name
        assert child.handle is not None
        assert child.handle.pid == pid, f"{name} died\n" + "\n".join(running.said[-30:])
    truncated = [line for line in running.said if line.startswith("slam: WARN") and "truncated" in line]
    assert len(truncated) <= 1, truncated
    assert not [line for line in running.said if "Traceback" in line], "\n".join(running.said[-60:])
    counted = {
        status.name: sum(int(pair.value) for pair in status.values if pair.key.startswith("rejected"))
        for array in watcher.messages["/diagnostics"] for status in array.status
    }  # fmt: skip
    for stage in ("detect", "segment", "slam", "render"):
        assert counted[f"tsukumo: {stage}"] >= 3, counted
