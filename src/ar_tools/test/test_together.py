"""Stages in one process: who can be one of them, and what that process leaves to the others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ar_tools import graph
from ar_tools.supervisor import command
from ar_tools.together import maker

LAUNCH = Path(__file__).parents[3] / "launch" / "tsukumo.launch.yaml"


@pytest.mark.parametrize("package", ["ar_camera", "ar_detect", "ar_segment", "ar_slam", "ar_character", "ar_render"])
def test_every_stage_of_ours_can_share_a_process(package: str) -> None:
    assert maker(package).__module__ == f"{package}.node"


def test_who_cannot_share_a_process_is_told_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain_node").mkdir()
    (tmp_path / "plain_node" / "__init__.py").touch()
    (tmp_path / "plain_node" / "node.py").write_text("def main(): pass\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ValueError, match=r"^plain_node\.node has no make\(\), so it cannot share a process"):
        maker("plain_node")
    with pytest.raises(ValueError, match=r"^there is no module nobody$"):
        maker("nobody")


def test_in_one_process_nodes_keep_their_names_and_get_all_parameters(tmp_path: Path) -> None:
    arguments = {"composition": "single", "segment_pkg": "mine", "lockstep": "3"}
    processes = {process.name: process for process in graph.described(LAUNCH, arguments)}
    assert set(processes) == {"together", "director", "web", "record"}
    together = processes["together"]
    assert together.arguments == ("ar_detect", "mine", "ar_slam", "ar_character", "ar_render", "ar_camera")
    line = command(together, tmp_path / "parameters.yaml")
    assert not any(word.startswith("__node:=") for word in line)
    assert "__node:=director" in command(processes["director"], tmp_path / "other.yaml")
    separate = graph.described(LAUNCH, {**arguments, "composition": "separate"})
    given = {name: value for process in separate for name, value in process.parameters.items()}
    others = {name for process in processes.values() for name in process.parameters}
    assert {**given, **together.parameters} == given  # the same values
    assert set(given) == others  # none is left out


def test_another_composition_is_refused() -> None:
    with pytest.raises(ValueError, match="composition:=both is none of separate, single"):
        graph.described(LAUNCH, {"composition": "both"})
