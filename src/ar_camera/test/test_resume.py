from __future__ import annotations

from pathlib import Path

import pytest

from ar_camera.resume import LONGEST_NS, Begun, keep, recall

NOW = 1_700_000_000 * 10**9


def test_what_was_kept_of_this_source_is_recalled(tmp_path: Path) -> None:
    begun = Begun("clip.mp4", NOW - 20 * 10**9, 13.0)
    keep(tmp_path / "new" / "camera.json", begun)
    assert recall(tmp_path / "new" / "camera.json", "clip.mp4", NOW) == begun
    assert recall(tmp_path / "new" / "camera.json", "other.mp4", NOW) is None


@pytest.mark.parametrize(
    "begun",
    [
        Begun("clip.mp4", NOW - LONGEST_NS - 1, 0.0),  # yesterday's
        Begun("clip.mp4", NOW + 10**9, 0.0),  # the clock was set back
        Begun("clip.mp4", NOW - 10**9, 13.0),  # the round begins in the future
    ],
)
def test_what_is_no_restart_is_not(tmp_path: Path, begun: Begun) -> None:
    keep(tmp_path / "camera.json", begun)
    assert recall(tmp_path / "camera.json", "clip.mp4", NOW) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"source": "clip.mp4"}', '{"source": "clip.mp4", "stamp": null, "offset": 0}']
)
def test_rubbish_is_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "camera.json").write_text(text)
    assert recall(tmp_path / "camera.json", "clip.mp4", NOW) is None
    assert recall(tmp_path / "missing.json", "clip.mp4", NOW) is None
