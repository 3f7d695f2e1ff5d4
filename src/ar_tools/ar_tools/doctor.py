"""``tsukumo doctor``: what is wrong with this machine, in plain words, and what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SHM_NEEDED_MB = 256  # a segment of 16 MB for each of ten processes, and room


@dataclass(frozen=True)
class Finding:
    """One checked thing: fine, or what is wrong and what to do; ``fatal``: nothing works before it is mended."""

    what: str
    problem: str = ""
    remedy: str = ""
    fatal: bool = True


def doctor() -> int:
    """Print all findings; 1 if something fatal is among them."""
    findings = [finding for check in CHECKS for finding in check()]
    for finding in findings:
        mark = "ok  " if not finding.problem else ("FAIL" if finding.fatal else "note")
        print(f"{mark}  {finding.what}" + (f": {finding.problem}" if finding.problem else ""))
        if finding.remedy:
            print(f"      -> {finding.remedy}")
    return int(any(finding.problem and finding.fatal for finding in findings))


def python() -> Iterator[Finding]:
    """The interpreter and the libraries."""
    version = ".".join(str(v) for v in sys.version_info[:3])
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding(
        f"Python {version}", "" if good else "wheels exist for 3.11 to 3.13", "" if good else "apt-get install python3"
    )
    for module in (
        "rclpy",
        "ar_interfaces.msg",
        "vision_msgs.msg",
        "tf2_msgs.msg",
        "cv_bridge",
        "cv2",
        "openvino",
        "OpenGL",
    ):
        code = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, text=True)
        words = code.stderr.strip().splitlines()[-1] if code.returncode and code.stderr.strip() else ""
        yield Finding(f"import {module}", words, "rm -rf .venv && ./tsukumo setup" if words else "")
    code = subprocess.run([sys.executable, "-c", "import open3d"], capture_output=True, text=True)
    if code.returncode:
        yield Finding(
            "import open3d", "map clean-up and point cloud files are off", "pip install open3d-cpu", fatal=False
        )


def programs() -> Iterator[Finding]:
    """Programs that we call."""
    missing = shutil.which("ffmpeg") is None
    yield Finding(
        "ffmpeg", "not installed: no video is recorded" if missing else "", "apt-get install ffmpeg" if missing else ""
    )


def middleware() -> Iterator[Finding]:
    """ROS settings of this shell that are in the way."""
    rmw = os.environ.get("RMW_IMPLEMENTATION", "")
    wrong = rmw not in ("", "rmw_fastrtps_cpp")
    yield Finding(
        "RMW_IMPLEMENTATION", f"{rmw} is not part of this installation" if wrong else "",
        "unset RMW_IMPLEMENTATION" if wrong else "",
    )  # fmt: skip
    sourced = os.environ.get("TSUKUMO_SOURCED_ROS", "")
    if sourced:
        yield Finding(
            "a ROS installation is sourced", f"{sourced}: left out by ./tsukumo, which runs ROS 2 from .venv",
            "use `colcon build` and `ros2 launch` for that installation, or a shell without it", fatal=False,
        )  # fmt: skip


def transport() -> Iterator[Finding]:
    """Whether pictures get through."""
    profile = os.environ.get("FASTRTPS_DEFAULT_PROFILES_FILE") or os.environ.get("FASTDDS_DEFAULT_PROFILES_FILE") or ""
    remedy = "unset FASTRTPS_DEFAULT_PROFILES_FILE: ./tsukumo then uses launch/dds/fastdds.xml"
    if not Path(profile).is_file():
        yield Finding("transport profile", f"'{profile}' does not exist: pictures would be lost without a word", remedy)
    elif "segment_size" not in Path(profile).read_text(errors="replace"):
        problem = f"{profile} sets no shared-memory segment_size: pictures may be lost"
        yield Finding("transport profile", problem, remedy, fatal=False)
    else:
        yield Finding(f"transport profile {profile}")
    try:
        free = shutil.disk_usage("/dev/shm").free / 1e6
    except OSError:
        yield Finding(
            "/dev/shm", "not there: pictures go through UDP, slowly", "mount -t tmpfs tmpfs /dev/shm", fatal=False
        )
        return
    small = free < SHM_NEEDED_MB
    yield Finding(
        f"/dev/shm has {free:.0f} MB free", f"{SHM_NEEDED_MB} MB are needed" if small else "",
        f"mount -o remount,size=512m /dev/shm (docker run --shm-size={SHM_NEEDED_MB}m)" if small else "", fatal=False,
    )  # fmt: skip


def graphics() -> Iterator[Finding]:
    """Headless OpenGL."""
    program = "from ar_render.context import create_context; create_context()"
    code = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    words = code.stderr.strip().splitlines()[-1] if code.returncode and code.stderr.strip() else ""
    remedy = "apt-get install libegl1 libopengl0 libgl1-mesa-dri" if words else ""
    yield Finding("headless OpenGL (EGL)", words, remedy)


def cameras() -> Iterator[Finding]:
    """V4L2 devices; none is no fault."""
    devices = sorted(Path("/dev").glob("video*"))
    if not devices:
        yield Finding(
            "camera", "no /dev/video*", "plug one in, or use --source with a video, a folder or a bag", fatal=False
        )
    for device in devices:
        denied = not os.access(device, os.R_OK | os.W_OK)
        yield Finding(
            f"camera {device}", "no permission" if denied else "",
            f"sudo usermod -aG video {os.environ.get('USER', '$USER')}, then log in again" if denied else "", fatal=False,
        )  # fmt: skip


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (python, programs, middleware, transport, graphics, cameras)
