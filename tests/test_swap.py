"""A stage of somebody else's takes the place of ours by one launch argument."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import until
from watcher import Watcher

from ar_interfaces.msg import Character, StageReport
from ar_tools import graph

pytestmark = pytest.mark.graph


def test_a_stand_in_of_forty_lines_replaces_our_segmentation(
    root: Path, own_domain: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = root / "tests" / "stand_in"
    lines = [line for line in (folder / "plain_segment/node.py").read_text().splitlines() if line.strip()]
    assert len(lines) <= 45  # with imports and text: small enough to be written in a coffee break
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    said: list[str] = []
    arguments = {"segment_pkg": "plain_segment", "web": "false"}
    processes = graph.processes(root / "launch/tsukumo.launch.yaml", arguments)
    with Watcher() as watcher, graph.Supervisor(processes, lambda name, line: said.append(f"{name}: {line}")):
        watcher.listen(Character, "character/model", latched=True)
        watcher.listen(StageReport, "render/report")
        until(lambda: watcher.messages["character/model"], 90, "a character\n" + "\n".join(said))
        character = watcher.messages["character/model"][0]
        assert character.id == "plain-1"
        assert bytes(character.glb[:4]) == b"glTF"
        until(lambda: any(r.items for r in list(watcher.messages["render/report"])), 60, "a picture with the character")
