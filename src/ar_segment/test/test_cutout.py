"""Windows, edges and cut-outs: exact answers on pictures whose truth is known."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ar_core.boxes import Box, box_of
from ar_segment.cutout import cleaned, cut_out
from ar_segment.refine import refined
from ar_segment.segmenter import Segmentation, main_part, without_crumbs
from ar_segment.windows import around, look, put_back
from ar_segment.worth import why_not

sys.path.insert(0, str(Path(__file__).parent))
from scenes import Thing, iou, scene


def test_a_window_and_its_way_back_are_inverse_also_over_the_edge() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (60, 80), np.uint8)
    for window in (Box(10, 5, 30, 20), Box(-8, -6, 40, 30), Box(60, 40, 40, 40)):
        view = look(picture, window, int(window.width), int(window.height))
        back = put_back(view, window, 60, 80)
        x0, y0 = max(0, int(window.x)), max(0, int(window.y))
        x1, y1 = min(80, int(window.x + window.width)), min(60, int(window.y + window.height))
        np.testing.assert_array_equal(back[y0:y1, x0:x1], picture[y0:y1, x0:x1])
        back[y0:y1, x0:x1] = 0
        assert not back.any()


def test_a_window_beyond_the_picture_is_black() -> None:
    assert not look(np.full((60, 80, 3), 9, np.uint8), Box(200, 200, 30, 30), 16, 16).any()


def test_windows_are_whole_pixels_around_the_boxs_centre() -> None:
    window = around(Box(100.3, 50.2, 41.7, 80.1), 1.25)
    assert all(v == round(v) for v in window)
    assert window.centre == pytest.approx((121.15, 90.25), abs=1.0)
    assert window.height == pytest.approx(100, abs=1)
    assert window.width == pytest.approx(max(52.1, 0.5 * window.height), abs=1)


def test_edges_are_drawn_to_the_pictures() -> None:
    """A mask at a quarter of the size gains from the picture: nearer to the truth than plain enlargement."""
    picture, (truth,) = scene([Thing("ring", 240, 180, 110, (60, 60, 220))])
    small = cv2.resize(truth, (120, 90), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 1.5).astype(np.float32) / 255
    plain = (cv2.resize(small, (480, 360)) * 255).astype(np.uint8)
    better = refined(small, picture)
    assert iou(better, truth) > iou(plain, truth)
    assert iou(better, truth) > 0.97


def test_crumbs_go_and_large_parts_stay() -> None:
    p = np.zeros((60, 80), np.float32)
    p[10:40, 10:40] = 0.9
    p[10:30, 55:70] = 0.8
    p[50:53, 50:53] = 0.95
    kept = without_crumbs(p)
    assert kept[51, 51] == 0
    np.testing.assert_array_equal(kept[:45], p[:45])
    assert main_part(p > 0.5)[20, 20]
    assert main_part(p > 0.5, (60, 20))[20, 60]


def test_a_cut_out_keeps_the_hole_and_has_no_halo() -> None:
    """A red ring on a blue table: the hole is open, no blue in any visible pixel, alpha within a pixel of the truth."""
    picture, (truth,) = scene([Thing("ring", 240, 180, 100, (40, 40, 230))])
    blue = np.full_like(picture, (220, 60, 30))
    a = truth[..., None].astype(np.float32) / 255
    picture = (picture * a + blue * (1 - a)).astype(np.uint8)
    cutout = cut_out(picture, truth)
    x, y, w, h = cutout.box
    assert iou(put_back(np.ascontiguousarray(cutout.rgba[..., 3]), cutout.box, 360, 480), truth) > 0.995
    assert box_of(truth).iou(Box(x + 12, y + 12, w - 24, h - 24)) > 0.9
    middle = cutout.rgba[int(180 - y), int(240 - x)]
    assert middle[3] == 0
    red, _, blue_part, alpha = np.moveaxis(cutout.rgba.astype(int), -1, 0)
    assert (red > blue_part)[alpha > 8].all()


def test_pinholes_close_and_specks_go() -> None:
    mask = np.zeros((200, 200), np.uint8)
    cv2.circle(mask, (100, 100), 70, 255, -1)
    cv2.circle(mask, (100, 100), 25, 0, -1)
    mask[60:62, 60:62] = 0
    mask[5:9, 5:9] = 255
    clean = cleaned(mask)
    assert clean[61, 61] > 127
    assert clean[6, 6] == 0
    assert clean[100, 100] == 0


def test_an_empty_mask_and_one_of_another_size_are_refused() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    with pytest.raises(ValueError, match="mask is empty"):
        cut_out(picture, np.zeros((40, 60), np.uint8))
    with pytest.raises(ValueError, match="60x40, mask 40x60"):
        cut_out(picture, np.zeros((60, 40), np.uint8))


@pytest.mark.parametrize(
    ("area", "objectness", "words"),
    [
        (Box(0, 0, 0, 0), 0.9, "nothing stands out"),
        (Box(50, 50, 4, 4), 0.9, "too small"),
        (Box(0, 0, 320, 220), 0.9, "fills the whole picture"),
        (Box(100, 80, 60, 60), 0.1, "only background"),
        (Box(0, 0, 320, 120), 0.9, "cut off on three sides"),
        (Box(100, 80, 60, 60), 0.9, ""),
    ],
)
def test_what_is_not_worth_awakening_is_refused_in_words(area: Box, objectness: float, words: str) -> None:
    mask = np.zeros((240, 320), np.uint8)
    x, y, w, h = (int(v) for v in area)
    mask[y : y + h, x : x + w] = 255
    reason = why_not(Segmentation(mask, objectness, box_of(mask)))
    assert (words in reason) if words else reason == ""
