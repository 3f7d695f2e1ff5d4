"""Nothing awakens where nothing is: bare tables, walls, darkness, blur; and one of many equal parts is no object."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ar_core.boxes import Box, box_of
from ar_core.model_card import find_card
from ar_segment.meant import Candidate, Prompts
from ar_segment.pattern import repeated
from ar_segment.segmenter import Segmenter

sys.path.insert(0, str(Path(__file__).parent))
from empty_scenes import EMPTY, cloth, empty
from scenes import Thing, iou, scene

pytest.importorskip("openvino")
CHECK = Candidate("1", Box(250, 100, 60, 90), "object")
"""What a detector may take for an object in a chequered cloth."""


@pytest.fixture(scope="module")
def prompts() -> Prompts:
    return Prompts(Segmenter(find_card("segment", "ar_segment")))


@pytest.mark.parametrize("make", EMPTY, ids=lambda make: make.__name__)
def test_nothing_awakens_on_nothing_and_the_reason_is_said(prompts: Prompts, make) -> None:
    assert prompts.prominent(empty(make), []).refusal


def test_a_check_of_a_cloth_that_was_detected_does_not_awaken(prompts: Prompts) -> None:
    assert prompts.prominent(empty(cloth), [CHECK]).refusal


def test_a_thing_on_a_bare_table_awakens(prompts: Prompts) -> None:
    picture, (mask,) = scene([Thing("disk", 240, 190, 60, (40, 60, 200))])
    meant = prompts.prominent(picture, [])
    assert meant.refusal == ""
    assert iou(meant.found.mask, mask) > 0.9


def test_a_part_of_a_pattern_is_repeated_and_equal_things_on_a_table_are_not() -> None:
    assert repeated(empty(cloth), CHECK.box)
    things = [
        Thing("disk", x, y, 45, (40, 60, 200)) for x, y in ((80, 90), (230, 110), (390, 100), (120, 260), (330, 270))
    ]
    picture, masks = scene(things)
    assert not any(repeated(picture, box_of(mask)) for mask in masks)


@pytest.mark.parametrize("box", [Box(0, 0, 0, 0), Box(0, 0, 640, 480), Box(600, 440, 200, 200), Box(-50, -50, 60, 60)])
def test_any_box_can_be_asked_for(box: Box) -> None:
    assert not repeated(np.full((480, 640, 3), 128, np.uint8), box)
