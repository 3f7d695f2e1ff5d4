"""What ships of weights: small, each with a card that says where it comes from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import yaml

MOST_BYTES = 5_000_000


def test_all_weights_together_are_small_and_each_is_described() -> None:
    folders = [Path(str(files(package))) / "models" for package in ("ar_detect", "ar_segment")]
    weights = [file for folder in folders for file in folder.glob("*.bin")]
    assert len(weights) >= 5
    assert sum(file.stat().st_size for file in weights) <= MOST_BYTES
    for file in weights:
        about = yaml.safe_load(file.with_suffix(".yaml").read_text(encoding="utf-8"))["about"]
        assert {"weights", "data", "licence", "recipe", "figures", "limits"} <= about.keys()
        assert about["weights"] in ("research", "clean")
