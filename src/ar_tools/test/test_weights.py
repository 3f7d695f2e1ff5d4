"""What ships of weights: small, each with a card that says where it comes from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from ar_core.model_card import WEIGHTS, find_card, read_card

CLEAN = (("ar_detect", "detect"), ("ar_segment", "segment"))
"""What `weights:=clean` loads; for faces there is nothing."""

RESEARCH_DATA = ("DUTS", "CelebA")
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


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize(("package", "model"), CLEAN)
def test_a_network_of_both_sets_says_of_which_it_is_and_what_it_has_seen(
    package: str, model: str, weights: str
) -> None:
    card = read_card(find_card(model, package, weights))
    assert card.about["weights"] == weights
    assert card.name.endswith(weights)
    assert card.path.is_file()
    seen = [name for name in RESEARCH_DATA if name in card.about["data"]]
    assert bool(seen) == (weights == "research")
