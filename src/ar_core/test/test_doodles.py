"""Drawings on paper against what they exactly enclose; and no drawing where there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import drawings

from ar_core.doodles import find_doodles


@pytest.mark.parametrize("ink", list(drawings.INKS))
@pytest.mark.parametrize("name", drawings.FIGURES)
def test_a_drawing_is_what_its_outline_encloses(name: str, ink: str) -> None:
    """In perspective, the light a third weaker on one side, noise of 6 grey levels; IoU at least 0.85, nothing else found."""
    d = drawings.drawing(name, seed=20, ink=ink, noise=6)
    found = find_doodles(d.picture)
    assert len(found) == 1
    assert drawings.iou(found[0].mask, d.mask) > 0.85
    x, y, w, h = found[0].box
    assert found[0].mask[int(y) : int(y + h), int(x) : int(x + w)].sum() == found[0].mask.sum()


@pytest.mark.parametrize("name", drawings.FIGURES)
def test_a_gap_in_the_outline_is_closed(name: str) -> None:
    d = drawings.drawing(name, seed=21, gap=True)
    assert max(drawings.iou(f.mask, d.mask) for f in find_doodles(d.picture)) > 0.85


@pytest.mark.parametrize("name", ["ghost", "cat", "cup"])
def test_a_drawing_that_is_coloured_in_is_one(name: str) -> None:
    d = drawings.drawing(name, seed=22)
    found = find_doodles(drawings.coloured_in(d, seed=1))
    assert len(found) == 1
    assert drawings.iou(found[0].mask, d.mask) > 0.85


def test_an_orange_on_the_sheet_is_none() -> None:
    """As bright as wax in its red, outlined by its own shade, but smooth."""
    d = drawings.drawing("star", seed=22)
    y, x = np.mgrid[:480, :640].astype(np.float32)
    distance = np.hypot(x - 320, y - 240) / 90
    light = np.sqrt(np.clip(1 - (0.9 * distance) ** 2, 0, 1))
    paper = np.full((480, 640, 3), 215, np.float32)
    orange = np.stack([20 + 30 * light, 90 + 60 * light, 150 + 70 * light], 2)
    picture = np.where(distance[..., None] < 1, orange, paper) + np.random.default_rng(0).normal(0, 4, paper.shape)
    assert find_doodles(np.clip(picture, 0, 255).astype(np.uint8)) == []
    assert len(find_doodles(d.picture)) == 1


def test_a_drawing_may_go_over_the_edge_of_its_sheet() -> None:
    """The sheet ends below, on a dark table, and both legs with it."""
    picture = np.full((480, 640, 3), 215, np.uint8)
    picture[430:] = (60, 80, 100)
    cv2.circle(picture, (320, 150), 70, (40, 40, 40), 5, cv2.LINE_AA)
    cv2.ellipse(picture, (320, 300), (60, 85), 0, 0, 360, (40, 40, 40), 5, cv2.LINE_AA)
    for x in (295, 345):
        cv2.line(picture, (x, 375), (x, 429), (40, 40, 40), 5, cv2.LINE_AA)
    truth = cv2.ellipse(
        cv2.circle(np.zeros((480, 640), np.uint8), (320, 150), 72, 255, -1), (320, 300), (62, 87), 0, 0, 360, 255, -1
    )
    assert max(drawings.iou(f.mask, truth) for f in find_doodles(picture)) > 0.85


def test_letters_on_a_mug_are_no_drawing() -> None:
    """Rows of marks that nearly touch: together they enclose something, but no line of them is as large as all."""
    mug = np.full((480, 640, 3), (70, 80, 90), np.uint8)
    cv2.rectangle(mug, (120, 60), (520, 420), (225, 228, 230), -1)
    for row in (220, 260, 300):
        for column in range(230, 410, 30):
            cv2.putText(mug, "O", (column, row), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (50, 40, 120), 3)
    assert find_doodles(mug) == []


def test_two_drawings_on_a_sheet_are_two() -> None:
    """The larger one first."""
    sheet = np.full((480, 640, 3), 220, np.uint8)
    cv2.circle(sheet, (180, 240), 110, (40, 40, 40), 4, cv2.LINE_AA)
    cv2.rectangle(sheet, (400, 180), (540, 300), (40, 40, 40), 4)
    found = find_doodles(sheet)
    assert [round(f.box.centre[0] / 10) for f in found] == [18, 47]


def test_an_empty_sheet_holds_no_drawing() -> None:
    d = drawings.drawing("star", seed=5)
    bare = d.picture.copy()
    covered = cv2.dilate(d.mask, np.ones((15, 15), np.uint8)) > 0
    bare[covered] = np.median(d.picture[~covered & (d.picture.min(2) > 90)], axis=0)
    assert find_doodles(bare) == []


def test_written_pages_are_no_drawings() -> None:
    page = np.full((480, 640, 3), 225, np.uint8)
    for row in range(40, 450, 26):
        cv2.putText(
            page, "a line of words that goes on and on", (30, row), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (30, 30, 30), 2
        )
    assert find_doodles(page) == []


@pytest.mark.parametrize("brightness", [255, 120, 0])
def test_things_on_paper_are_no_drawings(brightness: int) -> None:
    """A ball that lies on the sheet: shaded, without a line around it."""
    y, x = np.mgrid[:480, :640].astype(np.float32)
    distance = np.hypot(x - 320, y - 240) / 110
    light = np.clip(1.0 - 0.5 * distance**2 + 0.2 * (320 - x) / 110, 0.1, 1)
    ball = np.where(distance < 1, brightness * light, 230)
    assert find_doodles(np.repeat(ball[..., None], 3, 2).astype(np.uint8)) == []


def test_noise_and_bare_surfaces_hold_none() -> None:
    rng = np.random.default_rng(0)
    for picture in (rng.integers(0, 255, (480, 640, 3)), np.full((480, 640, 3), 255), np.zeros((480, 640, 3))):
        assert find_doodles(picture.astype(np.uint8)) == []
    assert find_doodles(np.full((3, 900, 3), 200, np.uint8)) == []


def test_nothing_of_the_embedded_clip_is_a_drawing() -> None:
    """Its newspaper and crossword are printed, its mug is white. Every 30th frame."""
    embedded = pytest.importorskip("ar_camera.embedded", reason="the camera package is not on the path")
    capture = cv2.VideoCapture(str(embedded.load().clip))
    k = 0
    while True:
        ok, picture = capture.read()
        if not ok:
            break
        if k % 30 == 0:
            assert find_doodles(picture) == [], f"frame {k}"
        k += 1
    assert k > 300
