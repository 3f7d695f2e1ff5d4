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


def hatched(rgba: Cutout, share: float = 0.55) -> Cutout:
    """As a crayon fills it: strokes of the colour, paper between them."""
    y, x = np.mgrid[0:300, 0:240]
    paper = (np.sin((0.35 * x + y) * 2 * np.pi / 7) < 2 * share - 1)[..., None]
    return np.dstack([np.where(paper, rgba[..., :3], (235 + rgba[..., :3] / 12).astype(np.uint8)), rgba[..., 3]])


@pytest.mark.parametrize(("row", "apart"), [(110, 90), (150, 110), (100, 60)])
def test_eyes_are_found_through_the_strokes_of_a_crayon(row: int, apart: int) -> None:
    rgba = hatched(doll(row, apart, light=170, dark=20))
    outline, _, _ = inflate(np.ascontiguousarray(rgba[..., 3]))
    found = find_eyes(grey_on_raster(rgba, outline), outline.field, float((outline.field > 0).sum()) ** 0.5)
    assert found is not None
    u, v = outline.to_cutout @ [found.u, found.v, 1]
    assert np.hypot(u - 120, v - row) < 5
    assert abs(found.distance * outline.to_cutout[0, 0] - apart) < 6


def test_the_mouth_is_where_one_is_drawn() -> None:
    for row, apart in ((110, 90), (80, 80)):
        rgba = doll(row, apart)
        outline, _, _ = inflate(rgba[..., 3])
        found = find_eyes(grey_on_raster(rgba, outline), outline.field, float((outline.field > 0).sum()) ** 0.5)
        assert found is not None
        assert abs((outline.to_cutout @ [found.u, found.mouth, 1])[1] - (row + 80)) < 10


def test_eyes_far_apart_are_each_where_one_is_drawn() -> None:
    player = Player(build_character(doll(130, apart=116), HEIGHT).glb)
    left, right = (player.joint(f"eye_{side}")[0, 3] for side in "LR")
    assert left - right == pytest.approx(HEIGHT * 116 / 280, abs=0.03 * HEIGHT)


def test_a_head_on_a_thin_neck_has_the_face() -> None:
    mask = cv2.circle(np.zeros((400, 300), np.uint8), (150, 70), 50, 255, -1)
    cv2.line(mask, (150, 100), (150, 170), 255, 13)
    cv2.ellipse(mask, (150, 280), (105, 115), 0, 0, 360, 255, -1)
    rgba = np.dstack([np.full((400, 300, 3), 150, np.uint8), mask])
    player = Player(build_character(rgba, HEIGHT).glb)
    lift = player.extras["height_m"] - HEIGHT
    for side in "LR":
        row = 395 - (player.joint(f"eye_{side}")[1, 3] - lift) / HEIGHT * 375
        assert 25 < row < 115, "on the head"
    mask[:150] = cv2.circle(np.zeros((150, 300), np.uint8), (150, 110), 17, 255, -1)  # a knob is no head
    player = Player(build_character(np.dstack([rgba[..., :3], mask]), HEIGHT).glb)
    height = 395 - 93
    lift = player.extras["height_m"] - HEIGHT
    assert 395 - (player.joint("eye_L")[1, 3] - lift) / HEIGHT * height > 165


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


def test_eyes_are_found_in_light_from_the_side() -> None:
    rgba = doll(110, 90)
    light = np.linspace(1.2, 0.5, 240)[None, :, None]
    rgba[..., :3] = np.clip(rgba[..., :3] * light, 0, 255).astype(np.uint8)
    outline, _, _ = inflate(np.ascontiguousarray(rgba[..., 3]))
    found = find_eyes(grey_on_raster(rgba, outline), outline.field, float((outline.field > 0).sum()) ** 0.5)
    assert found is not None
    u, v = outline.to_cutout @ [found.u, found.v, 1]
    assert np.hypot(u - 120, v - 110) < 4


def test_a_small_face_is_found_on_the_head_of_something_large() -> None:
    mask = cv2.ellipse(np.zeros((420, 300), np.uint8), (150, 290), (120, 120), 0, 0, 360, 255, -1)
    cv2.circle(mask, (150, 110), 62, 255, -1)
    colour = np.full((420, 300, 3), 200, np.uint8)
    for x in (128, 172):
        cv2.circle(colour, (x, 100), 8, (30, 30, 30), -1, cv2.LINE_AA)
    cv2.ellipse(colour, (150, 135), (18, 8), 0, 0, 180, (60, 40, 40), 3)
    outline, _, _ = inflate(mask)
    size = float((outline.field > 0).sum()) ** 0.5
    found = find_eyes(grey_on_raster(np.dstack([colour, mask]), outline), outline.field, size)
    assert found is not None
    u, v = outline.to_cutout @ [found.u, found.v, 1]
    assert np.hypot(u - 150, v - 100) < 4


def test_pupils_in_their_white_are_eyes_without_any_face_around_them() -> None:
    rgba = doll(110, 90, light=120, dark=120)
    for x in (75, 165):
        cv2.circle(rgba, (x, 110), 24, (250, 250, 250, 255), -1, cv2.LINE_AA)
        cv2.circle(rgba, (x, 110), 11, (20, 20, 20, 255), -1, cv2.LINE_AA)
    rgba[..., 3] = doll()[..., 3]
    outline, _, _ = inflate(np.ascontiguousarray(rgba[..., 3]))
    found = find_eyes(grey_on_raster(rgba, outline), outline.field, float((outline.field > 0).sum()) ** 0.5)
    assert found is not None
    u, v = outline.to_cutout @ [found.u, found.v, 1]
    assert np.hypot(u - 120, v - 110) < 4
