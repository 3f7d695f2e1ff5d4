"""Cut-outs that are exactly known, drawn here: their holes, sides and sizes need no ground truth file."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_character.character import Character, build_character

HEIGHT = 0.10  # metres

Cutout = NDArray[np.uint8]


def painted(mask: NDArray[np.uint8], seed: int = 1) -> Cutout:
    """RGBA of a mask (h, w): a pattern of two colours with a label, shaded from the left."""
    h, w = mask.shape
    y, x = np.mgrid[0:h, 0:w]
    rng = np.random.default_rng(seed)
    base, second = rng.uniform(60, 220, 3), rng.uniform(60, 220, 3)
    rgb = np.where(((x // 17 + y // 23) % 3 == 0)[..., None], second, base) * (1.1 - 0.4 * x / w)[..., None]
    cv2.putText(canvas := rgb.astype(np.uint8).copy(), "LABEL", (w // 4, h // 2), 0, w / 250, (250, 250, 250), 3)
    return np.dstack([canvas, mask])


def blank(h: int = 300, w: int = 300) -> NDArray[np.uint8]:
    return np.zeros((h, w), np.uint8)


def disc() -> Cutout:
    return painted(cv2.circle(blank(), (150, 150), 120, 255, -1, cv2.LINE_AA))


def ring() -> Cutout:
    return painted(cv2.circle(blank(), (150, 150), 100, 255, 50, cv2.LINE_AA))


def tall_box() -> Cutout:
    return painted(cv2.rectangle(blank(400, 200), (60, 20), (140, 380), 255, -1))


def flat_box() -> Cutout:
    return painted(cv2.rectangle(blank(160, 420), (20, 50), (400, 120), 255, -1))


def mug() -> Cutout:
    mask = cv2.rectangle(blank(300, 320), (40, 40), (200, 280), 255, -1)
    return painted(cv2.ellipse(mask, (200, 150), (70, 60), 0, -90, 90, 255, 26, cv2.LINE_AA))


def star() -> Cutout:
    angle = np.arange(10) * np.pi / 5 - np.pi / 2
    radius = np.where(np.arange(10) % 2, 60, 140)
    points = np.stack([150 + radius * np.cos(angle), 150 + radius * np.sin(angle)], 1)
    return painted(cv2.fillPoly(blank(), [np.round(points).astype(np.int32)], 255, cv2.LINE_AA))


def two_holes() -> Cutout:
    mask = cv2.rectangle(blank(260, 420), (20, 20), (400, 240), 255, -1)
    for x in (120, 300):
        cv2.circle(mask, (x, 130), 55, 0, -1, cv2.LINE_AA)
    return painted(mask)


def stick() -> Cutout:
    return painted(cv2.rectangle(blank(400, 60), (26, 10), (34, 390), 255, -1))


def tiny() -> Cutout:
    return painted(cv2.circle(blank(18, 18), (9, 9), 7, 255, -1))


def full_frame() -> Cutout:
    return painted(np.full((240, 320), 255, np.uint8))


def branched() -> Cutout:
    mask = cv2.line(blank(), (150, 290), (150, 150), 255, 46)
    for x in (40, 260):
        cv2.line(mask, (150, 160), (x, 30), 255, 34)
    return painted(mask)


def bear() -> Cutout:
    mask = cv2.ellipse(blank(360, 300), (150, 260), (110, 90), 0, 0, 360, 255, -1, cv2.LINE_AA)
    cv2.circle(mask, (150, 110), 75, 255, -1, cv2.LINE_AA)
    for x in (90, 210):
        cv2.circle(mask, (x, 55), 28, 255, -1, cv2.LINE_AA)
    return painted(mask)


def pinched() -> Cutout:
    """Two discs that touch in one corner, an inlet as thin as a hair, and specks all over."""
    mask = cv2.circle(blank(), (100, 100), 70, 255, -1)
    cv2.circle(mask, (199, 199), 70, 255, -1)
    cv2.line(mask, (100, 100), (100, 20), 0, 1)
    speckle = np.random.default_rng(5).random(mask.shape) < 0.002
    return painted(np.where(speckle, 255 - mask, mask).astype(np.uint8))


SHAPES: dict[str, tuple[Callable[[], Cutout], int | None]] = {
    "disc": (disc, 0),
    "ring": (ring, 1),
    "tall_box": (tall_box, 0),
    "flat_box": (flat_box, 0),
    "mug": (mug, 1),
    "star": (star, 0),
    "two_holes": (two_holes, 2),
    "stick": (stick, 0),
    "tiny": (tiny, 0),
    "full_frame": (full_frame, 0),
    "branched": (branched, 0),
    "bear": (bear, 0),
    "pinched": (pinched, None),
}
"""Name -> how to draw it and how many holes it has (None: a matter of opinion)."""


@cache
def character_of(name: str) -> Character:
    """The character of one of the shapes, `HEIGHT` high without its legs."""
    return build_character(SHAPES[name][0](), HEIGHT)
