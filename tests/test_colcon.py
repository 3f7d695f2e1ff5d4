"""The tree is an ordinary ROS workspace: ``colcon build`` of all packages, here against the wheels."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
    assert (install / "lib/ar_tools/director").exists()
    assert (install / "share/ar_bringup/tsukumo.launch.yaml").exists()
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
