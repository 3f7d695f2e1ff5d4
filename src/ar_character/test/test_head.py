"""Heads are found where a shape has them, whichever way it stands; ears, tails and knobs are none."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ar_character.character import build_character
from ar_character.head import find_head
from ar_character.inflate import inflate

sys.path.insert(0, str(Path(__file__).parent))
from glb_player import Player
from shapes_of_things import HEIGHT, painted

Mask = NDArray[np.uint8]


def animal() -> Mask:
    """Seen from its left: a long body on four legs, a neck, a head at (300, 70), a tail."""
    mask = cv2.ellipse(np.zeros((300, 380), np.uint8), (170, 160), (110, 55), 0, 0, 360, 255, -1)
    for x in (85, 125, 215, 250):
        cv2.line(mask, (x, 180), (x, 285), 255, 20)
    cv2.line(mask, (250, 140), (300, 75), 255, 34)
    cv2.circle(mask, (300, 70), 36, 255, -1)
    return cv2.line(mask, (70, 140), (25, 90), 255, 12)


def snowman() -> Mask:
    """A ball of 45 on one of 90, and so deep in it that the neck is hardly narrower than the head."""
    mask = cv2.circle(np.zeros((340, 240), np.uint8), (120, 235), 90, 255, -1)
    return cv2.circle(mask, (120, 95), 56, 255, -1)


def mouse() -> Mask:
    """A round face with two round ears."""
    mask = cv2.circle(np.zeros((300, 320), np.uint8), (160, 180), 95, 255, -1)
    for x in (65, 255):
        cv2.circle(mask, (x, 75), 48, 255, -1)
    return mask


def teapot() -> Mask:
    """A round body with a knob on its lid, a spout and a handle."""
    mask = cv2.circle(np.zeros((300, 420), np.uint8), (200, 170), 105, 255, -1)
    cv2.circle(mask, (200, 52), 18, 255, -1)
    cv2.line(mask, (290, 190), (390, 100), 255, 26)
    return cv2.ellipse(mask, (90, 165), (65, 60), 0, 60, 300, 255, 20)


@pytest.mark.parametrize(("mask", "at", "radius"), [(animal(), (300, 70), 36), (snowman(), (120, 95), 56)])
def test_a_head_is_found(mask: Mask, at: tuple[int, int], radius: int) -> None:
    outline, _, _ = inflate(mask)
    head = find_head(outline.field, figure=False)
    assert head is not None
    u, v = outline.to_cutout @ [head.u, head.v, 1]
    assert np.hypot(u - at[0], v - at[1]) < 0.35 * radius
    assert head.radius * outline.to_cutout[0, 0] == pytest.approx(radius, rel=0.15)


@pytest.mark.parametrize("mask", [mouse(), teapot()], ids=["ears", "knob, spout and handle"])
def test_what_is_no_head_is_not_taken_for_one(mask: Mask) -> None:
    assert find_head(inflate(mask)[0].field, figure=False) is None


def test_the_face_of_an_animal_is_on_its_head_and_its_limbs_are_not() -> None:
    player = Player(build_character(painted(animal()), HEIGHT).glb)
    to_metres = HEIGHT / (295 - 34)  # rows from the top of the head to the soles
    eyes = np.array([player.joint(f"eye_{side}")[:2, 3] for side in "LR"])
    shoulders = np.array([player.joint(f"arm_{side}_1")[:2, 3] for side in "LR"])
    assert (eyes[:, 1] > (295 - 106) * to_metres).all()
    assert np.ptp(eyes[:, 0]) < 2 * 36 * to_metres
    assert (shoulders[:, 1] < eyes[:, 1].min()).all()


def test_a_line_has_no_head() -> None:
    room = np.zeros((200, 60), np.float32)
    room[20:180, 30] = 0.4
    assert find_head(room, False) is None
