"""The opening of a vessel is seen as an ellipse, and the face is put below it."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ar_character.character import build_character
from ar_character.inflate import inflate
from ar_character.opening import top_side
from ar_character.texture import grey_on_raster
from ar_character.torso import opened

sys.path.insert(0, str(Path(__file__).parent))
from glb_player import Player
from shapes_of_things import HEIGHT, Cutout, disc, tall_box

TOP, ROW, BOTTOM, HALF = 30, 75, 320, 100  # of a beaker: its far rim, the ends of its rim, its foot; half its width


def beaker(inside: int = 60, wall: int = 170) -> Cutout:
    """Seen from above: an elliptic opening, straight walls, a round foot, all of plain colours."""
    tall = ROW - TOP
    mask = cv2.rectangle(np.zeros((400, 260), np.uint8), (130 - HALF, ROW), (130 + HALF, BOTTOM), 255, -1)
    for row in (ROW, BOTTOM):
        cv2.ellipse(mask, (130, row), (HALF, tall), 0, 0, 360, 255, -1)
    colour = np.full((400, 260, 3), wall, np.uint8)
    cv2.ellipse(colour, (130, ROW), (HALF, tall), 0, 0, 360, (inside, inside, inside), -1)
    return np.dstack([colour, mask])


def seen(rgba: Cutout) -> float:
    outline, _, _ = inflate(np.ascontiguousarray(rgba[..., 3]))
    return top_side(opened(outline.field, 0.48), grey_on_raster(rgba, outline))


@pytest.mark.parametrize(("inside", "wall"), [(60, 170), (200, 120), (90, 105)])
def test_the_near_rim_ends_the_top_side(inside: int, wall: int) -> None:
    height = BOTTOM + ROW - 2 * TOP
    assert seen(beaker(inside, wall)) == pytest.approx(2 * (ROW - TOP) / height, abs=0.03)


@pytest.mark.parametrize("rgba", [beaker(120, 120), disc(), tall_box()], ids=["no rim is seen", "ball", "box"])
def test_without_a_rim_there_is_no_top_side(rgba: Cutout) -> None:
    assert seen(rgba) == 0


def test_the_face_is_below_the_opening() -> None:
    player = Player(build_character(beaker(), HEIGHT).glb)
    lift = player.extras["height_m"] - HEIGHT
    near_rim = lift + HEIGHT * (BOTTOM + ROW - TOP - (2 * ROW - TOP)) / (BOTTOM + ROW - 2 * TOP)
    for side in "LR":
        assert player.joint(f"brow_{side}")[1, 3] < near_rim
        assert player.joint(f"eye_{side}")[1, 3] > lift + 0.4 * HEIGHT
