"""What the tests across packages share."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PUBLISHER = """
import time, rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import String, UInt64
rclpy.init()
node = rclpy.create_node("publisher")
late = QoSProfile(depth=3, durability=DurabilityPolicy.TRANSIENT_LOCAL)
weak = QoSProfile(depth=3, reliability=ReliabilityPolicy.BEST_EFFORT)
notice = node.create_publisher(String, "notice", late)
count = node.create_publisher(UInt64, "count", 50)
image = node.create_publisher(Image, "camera/image_raw", 5)
loose = node.create_publisher(String, "detections_text", weak)
notice.publish(String(data="said once, before anybody listened"))
picture = Image(height=120, width=160, encoding="bgr8", step=480, data=bytes(range(256)) * 225)
number = 0
while True:
    count.publish(UInt64(data=number))
    if number % 4 == 0:
        image.publish(picture)
        loose.publish(String(data=str(number)))
    number += 1
    time.sleep(0.005)
"""
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's top folder."""
    return ROOT


@pytest.fixture
def own_domain(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """An environment with a ROS domain of this test's own, so that graphs of other tests are not heard."""
    from ar_tools.graph import set_environment

    set_environment(ROOT)
    domain = str(1 + (os.getpid() * 7 + hash(request.node.nodeid)) % 100)
    before = os.environ.get("ROS_DOMAIN_ID")
    os.environ["ROS_DOMAIN_ID"] = domain
    yield dict(os.environ)
    if before is not None:
        os.environ["ROS_DOMAIN_ID"] = before


@pytest.fixture
def publisher(own_domain: dict[str, str]) -> Iterator[None]:
    """A process that publishes ``notice`` (latched), ``count`` (200 Hz), ``camera/image_raw`` and ``detections_text``."""
    from ar_tools.shared_memory import remove_dead, segments

    before = segments()
    process = subprocess.Popen([sys.executable, "-c", PUBLISHER], env=own_domain)
    yield
    process.kill()
    process.wait()
    remove_dead(segments() - before)  # 16 MB of each killed process


@pytest.fixture
def tsukumo(own_domain: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command as a user does (but for the set-up, which has happened)."""

    def run(*words: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "ar_tools", *words]
        return subprocess.run(line, cwd=ROOT, env=own_domain, capture_output=True, text=True, timeout=timeout)

    return run


def until(condition: Callable[[], object], patience_s: float = 60.0, what: str = "") -> None:
    """Wait for something; fails, saying what, when it does not come."""
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end, f"waited {patience_s:g} s in vain: {what}"
        time.sleep(0.02)
