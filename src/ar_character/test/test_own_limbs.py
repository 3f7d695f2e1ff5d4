"""Legs and arms that a thing has of its own: found where they are, bound to their joints, nothing added."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ar_character.character import build_character
from ar_character.inflate import inflate
from ar_character.own_limbs import find_legs
from ar_character.skeleton import plan

sys.path.insert(0, str(Path(__file__).parent))
from glb_player import Player
from shapes_of_things import HEIGHT, SHAPES, Cutout, blank, painted


def manikin() -> Cutout:
    """A trunk 100 wide on two legs, 40 wide, 60 apart, cut 120 high; its arms stick out to both sides."""
    mask = cv2.rectangle(blank(400, 400), (150, 60), (250, 260), 255, -1)
    for x in (150, 210):
        cv2.rectangle(mask, (x, 260), (x + 40, 380), 255, -1)
    cv2.line(mask, (200, 170), (60, 130), 255, 26)
    cv2.line(mask, (200, 170), (340, 130), 255, 26)
    return painted(mask)


def table(legs: int) -> Cutout:
    mask = cv2.rectangle(blank(300, 420), (20, 60), (400, 140), 255, -1)
    for x in np.linspace(30, 360, legs).astype(int).tolist():
        cv2.rectangle(mask, (x, 140), (x + 30, 280), 255, -1)
    return painted(mask)


def test_a_manikin_keeps_its_legs_and_arms() -> None:
    outline, _, shell = inflate(manikin()[..., 3])
    layout = plan(outline, shell, HEIGHT)
    assert [limb.side for limb in layout.own_legs] == [0, 1]
    assert [limb.side for limb in layout.own_arms] == [0, 1]
    scale = 256 / 321  # raster px per px of the drawing, whose longest side is 321 px
    crotch = 14 + (260 - 60) * scale
    assert layout.lift == 0
    for leg in layout.own_legs:
        assert abs(leg.line[0, 1] - crotch) < 8
        assert np.ptp(leg.line[:, 0]) < 4, "it goes straight down"
    assert layout.leg_roots[0, 0] > 0 > layout.leg_roots[1, 0]


def test_a_manikin_gets_no_second_pair_and_stands_on_the_ground() -> None:
    player = Player(build_character(manikin(), HEIGHT).glb)
    assert player.extras["height_m"] == pytest.approx(HEIGHT)
    lowest = [player.vertices("idle", t)[:, 1].min() for t in np.linspace(0, player.duration("idle"), 13)]
    assert np.abs(lowest).max() < 0.01 * HEIGHT
    up, down = (player.joint("foot_L", "walk", t * player.duration("walk"))[1, 3] for t in (0.8, 0.3))
    assert up > down + 0.02 * HEIGHT, "a leg is lifted in its swing"
    body = player.vertices("walk", 0.8 * player.duration("walk"))
    rest = player.vertices()
    sole = (rest[:, 1] < 0.02 * HEIGHT) & (rest[:, 0] > 0)
    assert body[sole, 1].mean() > rest[sole, 1].mean() + 0.02 * HEIGHT, "and the thing's own sole goes with it"


@pytest.mark.parametrize(("legs", "sides"), [(2, [0, 1]), (3, [0, 1, 0]), (4, [0, 1, 0, 1])])
def test_tables_step_with_every_other_leg(legs: int, sides: list[int]) -> None:
    found = find_legs(inflate(table(legs)[..., 3])[0].field)
    assert [leg.side for leg in found] == sides


@pytest.mark.parametrize("name", SHAPES)
def test_things_without_legs_are_given_some(name: str) -> None:
    assert find_legs(inflate(SHAPES[name][0]()[..., 3])[0].field) == ()


def test_a_mugs_handle_is_no_arm() -> None:
    outline, _, shell = inflate(SHAPES["mug"][0]()[..., 3])
    assert plan(outline, shell, HEIGHT).own_arms == ()
