"""The tree is an ordinary ROS workspace: ``colcon build`` of all packages, here against the wheels."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest


@pytest.mark.graph
def test_colcon_builds_and_installs_the_workspace(root: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "AMENT_PREFIX_PATH": sys.prefix, "CMAKE_PREFIX_PATH": sys.prefix,
                   "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}"}  # fmt: skip
    line = [
        "colcon", "--log-base", str(tmp_path / "log"), "build", "--base-paths", str(root / "src"), str(root / "launch"),
        "--metas", str(root / "colcon.meta"), "--build-base", str(tmp_path / "build"),
        "--install-base", str(tmp_path / "install"),
        "--merge-install", "--executor", "sequential", "--cmake-args", f"-DPython3_EXECUTABLE={sys.executable}",
    ]  # fmt: skip
    built = subprocess.run(line, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    install = tmp_path / "install"
    for package in ("camera", "detect", "segment", "slam", "character", "render", "web"):
        assert (install / f"lib/ar_{package}/node").exists(), package
    for executable in ("director", "together", "record_service"):
        assert (install / "lib/ar_tools" / executable).exists(), executable
    for file in ("tsukumo", "separate", "single"):
        assert (install / f"share/ar_bringup/{file}.launch.yaml").exists(), file
    assert (install / "share/ar_bringup/config/tsukumo.yaml").exists()
    # What the nodes need at run time came along: models, shaders, the page, the clip.
    python = (
        next(install.glob("lib/python3*/site-packages")) if list(install.glob("lib/python3*/site-packages")) else None
    )
    assert python is not None
    for data in ("ar_segment/models/segment.xml", "ar_detect/models/detect.xml", "ar_camera/data/embedded/clip.mp4"):
        assert (python / data).exists(), data
    assert list((python / "ar_render/shaders").iterdir())
    assert list((python / "ar_web/page").iterdir())


ROSDEP_KEYS = {
    "ament_cmake", "builtin_interfaces",
    "cv_bridge", "diagnostic_msgs", "ffmpeg", "geometry_msgs", "launch_yaml", "nav_msgs", "opengl",
    "python3-aiohttp", "python3-numpy", "python3-opencv", "python3-opengl", "python3-pytest", "python3-scipy",
    "python3-yaml", "rcl_interfaces", "rclpy", "ros2launch", "rosgraph_msgs", "rosidl_default_generators",
    "rosidl_default_runtime", "sensor_msgs", "std_msgs", "std_srvs", "tf2_msgs", "vision_msgs", "visualization_msgs",
}  # fmt: skip
"""Each resolved on Ubuntu 24.04 and Debian 12 by ``rosdep install --simulate`` with the rosdistro of August 2026."""


def test_every_dependency_is_a_package_here_or_a_known_rosdep_key(root: Path) -> None:
    """One key that rosdep does not know, and it installs nothing at all."""
    manifests = [*root.glob("src/*/package.xml"), *root.glob("underlay/*/package.xml"), root / "launch/package.xml"]
    trees = [ElementTree.parse(path).getroot() for path in manifests]
    ours = {str(tree.findtext("name")) for tree in trees}
    named = {str(e.text) for tree in trees for e in tree if e.tag.endswith("depend")}
    assert len(manifests) >= 12
    assert named - ours - ROSDEP_KEYS == set()
