"""Ubuntu 24.04's ROS route has numpy 1.26 and OpenCV 4.6: the parts that compute pass their tests there too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

OLD = ("numpy==1.26.4", "scipy==1.11.4", "opencv-python-headless==4.6.0.66", "PyYAML==6.0.1", "pytest==9.0.2", "PyOpenGL==3.1.10",
       "openvino==2026.4.1", "rosbags==0.11.9", "hypothesis", "pytest-timeout")  # fmt: skip
PACKAGES = ("ar_camera", "ar_character", "ar_core", "ar_detect", "ar_render", "ar_segment", "ar_slam")


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="numpy 1.26 has no wheels for Python 3.13")
def test_pure_tests_pass_with_numpy_1_and_opencv_4(root: Path) -> None:
    """In an environment of its own, kept in .setup between runs; without any ROS in it."""
    venv = root / ".setup" / "old-libraries"
    python = venv / "bin" / "python"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ROS", "_ROS", "PYTHON", "LD_LIBRARY"))}
    if not (venv / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True, env=environment)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *OLD]
        done = subprocess.run(install, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        (venv / "ready").touch()
    folders = [str(root / "src" / package) for package in PACKAGES]
    environment["PYTHONPATH"] = os.pathsep.join([*folders, str(root), str(root / "tests")])
    tests = [
        str(file) for folder in folders for file in sorted(Path(folder).glob("test/test_*.py")) if not needs_ros(file)
    ]
    line = [
        str(python),
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "--import-mode=importlib",
        "-W",
        "ignore",
        *tests,
    ]
    result = subprocess.run(line, cwd=root, env=environment, capture_output=True, text=True, timeout=1500)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]


def needs_ros(file: Path) -> bool:
    """Whether a test file speaks ROS, itself or in the helpers that it imports."""
    text = file.read_text()
    if any(
        word in text for word in ("rclpy", "_msgs", "ar_interfaces", "cv_bridge", ".node import", "open3d", "rosbags")
    ):
        return True
    helpers = [file.parent / f"{name}.py" for name in re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE)]
    return any(needs_ros(helper) for helper in helpers if helper.exists())


def test_what_speaks_ros_through_a_helper_is_told_apart(root: Path) -> None:
    tests = root / "src" / "ar_camera" / "test"
    assert "rosbags" not in (tests / "test_bag_damage.py").read_text()
    assert needs_ros(tests / "test_bag_damage.py")
    assert not needs_ros(tests / "test_embedded.py")
