"""The house rules that a machine can check."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

PACKAGES = (
    "ar_camera",
    "ar_character",
    "ar_core",
    "ar_detect",
    "ar_render",
    "ar_segment",
    "ar_slam",
    "ar_tools",
    "ar_web",
)
# Where ROS may be known: the shells, and what they share.
SHELLS = {
    "ar_camera": {"calibrating"},
    "ar_core": {
        "conversions",
        "diagnostics",
        "frame",
        "qos",
        "ears",
        "readiness",
        "rehearsal",
        "running",
        "stage",
        "task",
        "voice",
        "waiting",
    },
    "ar_render": {"markers", "services", "walkers"},
    "ar_segment": {"memory"},
    "ar_slam": {"messages", "services"},
    "ar_tools": {
        "bad_messages",
        "director",
        "faults",
        "good",
        "listener",
        "onlooker",
        "player",
        "probe",
        "record",
        "record_service",
        "recorder",
        "rig",
        "scene",
        "together",
        "witness",
    },
    "ar_web": {"wishes"},
}
ROS = {
    "rclpy",
    "rcl_interfaces",
    "builtin_interfaces",
    "ar_interfaces",
    "lifecycle_msgs",
    "std_srvs",
    "tf2_msgs",
    "vision_msgs",
}


def modules(root: Path) -> Iterator[tuple[str, Path, set[str]]]:
    """(package, file, top-level names imported when the module is loaded)."""
    for package in PACKAGES:
        for file in sorted((root / "src" / package / package).rglob("*.py")):
            imported: set[str] = set()
            for node in ast.parse(file.read_text()).body:
                if isinstance(node, ast.Import):
                    imported |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    imported.add(node.module.split(".")[0])
            yield package, file, imported


def test_whatever_computes_knows_nothing_of_ros(root: Path) -> None:
    guilty = []
    for package, file, imported in modules(root):
        if file.stem == "node" or file.stem in SHELLS.get(package, set()):
            continue
        ros = {name for name in imported if name in ROS or name.endswith("_msgs")}
        if ros:
            guilty.append(f"{file.relative_to(root)} imports {', '.join(sorted(ros))}")
    assert not guilty


def test_stages_do_not_import_each_other(root: Path) -> None:
    guilty = []
    for package, file, imported in modules(root):
        others = (imported & set(PACKAGES)) - {package, "ar_core"}
        if others and package != "ar_tools":
            guilty.append(f"{file.relative_to(root)} imports {', '.join(sorted(others))}")
    assert not guilty


def test_pure_modules_load_without_rclpy(root: Path) -> None:
    """The same rule, by doing: with rclpy out of reach every module that computes can be imported."""
    names = [
        ".".join(file.relative_to(root / "src" / package).with_suffix("").parts).removesuffix(".__init__")
        for package, file, _ in modules(root)
        if file.stem not in ("node", "__main__", "prepare_venv") and file.stem not in SHELLS.get(package, set())
        and package not in ("ar_tools",)
    ]  # fmt: skip
    program = (
        "import importlib, sys\nsys.modules['rclpy'] = None\n"
        f"for name in {names!r}:\n    importlib.import_module(name)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_ruff(root: Path) -> None:
    result = subprocess.run([sys.executable, "-m", "ruff", "check", "--output-format", "concise", "."], cwd=root, text=True,
                            capture_output=True)  # fmt: skip
    assert result.returncode == 0, result.stdout


def test_mypy_strict(root: Path) -> None:
    folders = [str(root / "src" / package / package) for package in PACKAGES]
    result = subprocess.run([sys.executable, "-m", "mypy", *folders], cwd=root, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_every_package_is_described(root: Path) -> None:
    for package in (*PACKAGES, "ar_interfaces"):
        description = ElementTree.parse(root / "src" / package / "package.xml").getroot()
        assert description.get("format") == "3"
        assert description.findtext("name") == package
        assert description.findtext("license") == "Apache-2.0"
