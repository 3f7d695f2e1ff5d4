"""Decoding and ranking on exactly known numbers; the network itself on pictures composed here."""

from __future__ import annotations

import numpy as np
import pytest

from ar_core.boxes import Box
from ar_detect.detector import Detection, decoded, prominence, ranked


def grid_of(boxes: list[tuple[Box, float]], rows: int = 24, columns: int = 32, stride: int = 8) -> np.ndarray:
    """A network's answer that says exactly these boxes, at the cell nearest to each one's centre."""
    grid = np.zeros((6, rows, columns), np.float32)
    for box, score in boxes:
        cx, cy = box.centre
        c, r = int(cx // stride), int(cy // stride)
        x, y = (c + 0.5) * stride, (r + 0.5) * stride
        grid[:, r, c] = score, score, x - box.x, y - box.y, box.x + box.width - x, box.y + box.height - y
    return grid


def test_decoding_gives_back_the_boxes_best_first() -> None:
    boxes = [(Box(10, 20, 50, 40), 0.6), (Box(120, 60, 100, 90), 0.9)]
    found = decoded(grid_of(boxes), 8.0, least_score=0.3)
    np.testing.assert_allclose(found, [[*boxes[1][0], 0.9], [*boxes[0][0], 0.6]], rtol=1e-5)


def test_overlapping_boxes_leave_the_best_one() -> None:
    found = decoded(grid_of([(Box(40, 40, 60, 60), 0.7), (Box(48, 44, 60, 60), 0.8)]), 8.0, least_score=0.3)
    np.testing.assert_allclose(found, [[48, 44, 60, 60, 0.8]], rtol=1e-5)


def test_a_part_of_a_better_box_is_dropped_and_a_better_part_kept() -> None:
    whole, part = Box(40, 40, 120, 100), Box(60, 60, 40, 40)
    assert len(decoded(grid_of([(whole, 0.9), (part, 0.7)]), 8.0, least_score=0.3)) == 1
    assert len(decoded(grid_of([(whole, 0.7), (part, 0.9)]), 8.0, least_score=0.3)) == 2


def test_a_box_around_several_things_is_dropped_for_them() -> None:
    table, mug, duck = Box(20, 20, 200, 150), Box(40, 60, 50, 50), Box(130, 70, 50, 60)
    found = decoded(grid_of([(table, 0.8), (mug, 0.7), (duck, 0.65)]), 8.0, least_score=0.3)
    np.testing.assert_allclose(found[:, :4], [mug, duck], rtol=1e-5)


def test_nothing_over_the_threshold_gives_no_boxes() -> None:
    assert decoded(grid_of([(Box(40, 40, 60, 60), 0.2)]), 8.0, least_score=0.3).shape == (0, 5)


def test_whole_and_central_objects_come_first() -> None:
    central = Detection(Box(250, 170, 140, 140), 0.8)
    cut = Detection(Box(0, 170, 140, 140), 0.8)
    tiny = Detection(Box(310, 230, 20, 20), 0.8)
    everything = Detection(Box(0, 0, 640, 480), 0.9)
    assert ranked([everything, tiny, cut, central], 640, 480)[0] == central
    assert prominence(cut, 640, 480) < 0.5 * prominence(central, 640, 480)


def test_of_two_equals_the_left_one_comes_first_in_any_order() -> None:
    left, right = Detection(Box(100, 200, 100, 100), 0.8), Detection(Box(440, 200, 100, 100), 0.8)
    assert prominence(left, 640, 480) == pytest.approx(prominence(right, 640, 480))
    assert ranked([left, right], 640, 480) == ranked([right, left], 640, 480) == [left, right]
