"""``tsukumo check-stage`` passes our own stages, and tells of others what they lack and what they break."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.graph

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# A detector as one should not write it: the time of day as stamp, a frame of its own, two reports for each picture, of
# which one gives no reason; volatile labels of another type; it believes every picture.
BROKEN = """
import time
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import String
from vision_msgs.msg import Detection2DArray
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from ar_interfaces.msg import StageReport

class Broken(Node):
    def __init__(self):
        super().__init__("detect")
        self.boxes = self.create_publisher(Detection2DArray, "detections", 5)
        self.labels = self.create_publisher(String, "detect/label_info", 5)
        self.reports = self.create_publisher(StageReport, "detect/report", 50)
        self.health = self.create_publisher(DiagnosticArray, "/diagnostics", 5)
        self.create_subscription(Image, "camera/image_raw", self.on_image, 5)
        self.create_timer(0.1, self.tick)

    def tick(self):
        active = DiagnosticStatus(name="tsukumo: detect", values=[KeyValue(key="state", value="active")])
        self.health.publish(DiagnosticArray(status=[active]))

    def on_image(self, message):
        now = time.monotonic()
        assert message.height * message.width < 50_000_000
        message.data[message.step * message.height - 1]
        boxes = Detection2DArray()
        boxes.header.stamp, boxes.header.frame_id = self.get_clock().now().to_msg(), "mine"
        self.boxes.publish(boxes)
        report = StageReport(header=message.header, stage="detect", published=["/detections"], received=now, finished=now)
        self.reports.publish(report)
        self.reports.publish(StageReport(header=message.header, stage="detect", outcome=1, received=now, finished=now))

rclpy.init()
rclpy.spin(Broken())
"""


def rows(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str]]:
    """What was looked at -> verdict and what was found."""
    lines = [line for line in done.stdout.splitlines() if line[:4] in ("pass", "note", "FAIL")]
    parts = [[part.strip() for part in line.split("  ") if part.strip()] for line in lines]
    assert parts, done.stdout + done.stderr
    return {what: (verdict, found) for verdict, what, found in parts}


@pytest.mark.parametrize("stage", ["detect", "segment", "slam", "character", "render"])
def test_our_own_stages_keep_their_contract(tsukumo: Run, stage: str) -> None:
    done = tsukumo("check-stage", stage, timeout=600)
    found = rows(done)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [row for row in found.items() if row[1][0] == "FAIL"]
    assert found[f"{stage}/report"][0] == "pass"
    # It says nothing of what it need not look at; whatever else is wrong it says once.
    silent = {"slam/status: unknown state", "segment/mask: a stamp that goes back"}
    assert {what for what, (verdict, _) in found.items() if verdict == "note"} <= {*silent, "speed"}
    assert [what for what, (_, told) in found.items() if told == "lives on, one warning"]
    assert "what it lacks" in done.stdout or "keeps the whole contract" in done.stdout


def test_the_stand_in_is_told_what_it_lacks(
    tsukumo: Run, root: Path, monkeypatch: pytest.MonkeyPatch, own_domain: dict[str, str]
) -> None:
    own_domain["PYTHONPATH"] = str(root / "tests" / "stand_in")
    done = tsukumo("check-stage", "segment", "--package", "plain_segment", timeout=600)
    found = rows(done)
    assert done.returncode == 1
    for what in ("types", "QoS offered", "segment/awaken", "awakens", "segment/mask", "segment/object", "late joiners"):
        assert found[what][0] == "pass", done.stdout
    assert found["segment/report"][0] == found["lifecycle"][0] == found["ends"][0] == "note"
    assert "camera/camera_info" in found["QoS asked for"][1]
    for what in ("truncated", "unknown encoding", "100 megapixels without data"):
        verdict, told = found[f"camera/image_raw: {what}"]
        assert verdict == "FAIL"
        assert "ended with code 1" in told
    assert found["camera/image_raw: the clock is set back"][0] == "pass"  # it was started again
    assert "does not keep the contract of 'segment' yet" in done.stdout


def test_a_broken_node_fails_where_it_is_broken(tsukumo: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    line = f"{sys.executable} {tmp_path / 'broken.py'}"
    done = tsukumo("check-stage", "detect", "--command", line, timeout=600)
    found = rows(done)
    assert done.returncode == 1
    assert found["starts"][0] == "pass"
    assert "detect/label_info is std_msgs/msg/String instead of vision_msgs/msg/LabelInfo" in found["types"][1]
    assert "detect/label_info is volatile" in found["QoS offered"][1]
    assert "asked for reliably" in found["QoS asked for"][1]
    assert "carry a stamp that no input had" in found["detections"][1]
    assert "frame_id is 'mine'" in found["detections"][1]
    assert "frames have more than one" in found["detect/report"][1]
    assert "without a reason" in found["detect/report"][1]
    assert found["camera/image_raw: truncated"] == (
        "FAIL",
        "it ended with code 1: IndexError: array index out of range",
    )
    assert found["camera/image_raw: 100 megapixels without data"][0] == "FAIL"
    assert found["camera/image_raw: a stamp that goes back"] == ("note", "lives on, but says nothing")
    failing = {what for what, (verdict, _) in found.items() if verdict == "FAIL"}
    assert {"types", "QoS offered", "detections", "detect/report"} <= failing


def test_what_cannot_be_started_is_one_line(tsukumo: Run, tmp_path: Path) -> None:
    for words, told in (
        (("--package", "nowhere"), "there is no module nowhere.node"),
        (("--executable", "ar_detect", "nothing"), "there is no module ar_detect.nothing"),
        (("--command", "/no/such/program"), "there is no such program"),
    ):
        done = tsukumo("check-stage", "detect", *words)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert told in done.stderr
    done = tsukumo("check-stage", "detect", "--command", f"{sys.executable} -c 'raise SystemExit(3)'")
    assert done.returncode == 1
    assert rows(done) == {"starts": ("FAIL", "it ended with code 3: without a word")}
