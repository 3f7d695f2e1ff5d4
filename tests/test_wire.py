"""Messages that we build ourselves must be the ones that the rest of the ROS world speaks."""

from __future__ import annotations

from pathlib import Path


def test_the_type_hash_of_tf_message_is_a_real_jazzy_systems() -> None:
    import sys

    description = Path(sys.prefix, "share/tf2_msgs/msg/TFMessage.json").read_text()
    import json

    hashes = {entry["type_name"]: entry["hash_string"] for entry in json.loads(description)["type_hashes"]}
    assert hashes["tf2_msgs/msg/TFMessage"].startswith("RIHS01_e369d0f0")
    assert hashes["tf2_msgs/msg/TFMessage"].endswith("f087")


def test_parameters_of_the_launch_file_exist(root: Path) -> None:
    """A parameter that a node does not know would be ignored without a word."""
    import importlib

    from ar_core.parameters import constraints
    from ar_tools.graph import share_folder
    from ar_tools.launch_file import read_launch_file

    for process in read_launch_file(root / "launch/tsukumo.launch.yaml", {}, share_folder):
        module = importlib.import_module(f"{process.package}.{process.executable}")
        known = {*constraints(module.Parameters), "autostart", "lockstep"}
        assert set(process.parameters) <= known, process.name
