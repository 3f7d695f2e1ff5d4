"""Eyes of a thing's own are found where they are drawn, and the living ones put there."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ar_character.character import build_character
from ar_character.inflate import inflate
from ar_character.own_face import find_eyes
from ar_character.texture import grey_on_raster

sys.path.insert(0, str(Path(__file__).parent))
from glb_player import Player
from shapes_of_things import HEIGHT, Cutout, disc


def doll(row: int = 110, apart: int = 90, light: int = 210, dark: int = 40) -> Cutout:
    """A plain egg, 200 wide and 280 high, with two discs at a row of its 300 and a mouth below."""
    mask = cv2.ellipse(np.zeros((300, 240), np.uint8), (120, 150), (100, 140), 0, 0, 360, 255, -1)
    colour = np.full((300, 240, 3), light, np.uint8)
    for x in (120 - apart // 2, 120 + apart // 2):
        cv2.circle(colour, (x, row), 11, (dark, dark, dark), -1, cv2.LINE_AA)
    cv2.ellipse(colour, (120, row + 70), (30, 12), 0, 0, 180, (dark, dark, dark), 4)
    return np.dstack([colour, mask])


@pytest.mark.parametrize(("row", "apart"), [(110, 90), (80, 60), (140, 100)])
def test_drawn_eyes_are_found(row: int, apart: int) -> None:
    rgba = doll(row, apart)
    outline, _, _ = inflate(rgba[..., 3])
    size = float((outline.field > 0).sum()) ** 0.5
    found = find_eyes(grey_on_raster(rgba, outline), outline.field, size)
    assert found is not None
    u, v = outline.to_cutout @ [found.u, found.v, 1]
    assert np.hypot(u - 120, v - row) < 3
    assert abs(found.distance * outline.to_cutout[0, 0] - apart) < 4


def test_living_eyes_go_where_the_drawn_ones_are() -> None:
    player = Player(build_character(doll(140), HEIGHT).glb)
    lift = player.extras["height_m"] - HEIGHT
    wanted = lift + HEIGHT * (290 - 140) / 280
    for side in "LR":
        assert abs(player.joint(f"eye_{side}")[1, 3] - wanted) < 0.02 * HEIGHT


@pytest.mark.parametrize("rgba", [doll(dark=200), doll(row=230), disc()], ids=["faint", "at its feet", "a pattern"])
def test_where_nothing_looks_like_eyes_none_are_found(rgba: Cutout) -> None:
    outline, _, _ = inflate(rgba[..., 3])
    size = float((outline.field > 0).sum()) ** 0.5
    assert find_eyes(grey_on_raster(rgba, outline), outline.field, size) is None


def test_no_eyes_on_a_top_side() -> None:
    rgba = doll(80, 60)
    outline, _, _ = inflate(rgba[..., 3])
    size = float((outline.field > 0).sum()) ** 0.5
    found = find_eyes(grey_on_raster(rgba, outline), outline.field, size, top_share=0.4)
    assert found is None or (outline.to_cutout @ [found.u, found.v, 1])[1] > 10 + 0.4 * 280
