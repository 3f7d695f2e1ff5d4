"""The figures of boxes, on frames made up here: every answer is known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from ar_core.boxes import Box
from ar_detect.evaluation import Tally, alike, labelled_boxes

CUP, BALL = Box(10, 10, 40, 40), Box(100, 50, 20, 30)


def mask_of(boxes: dict[int, Box], height: int = 120, width: int = 160) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    for label, box in boxes.items():
        x, y, w, h = (int(v) for v in box)
        mask[y : y + h, x : x + w] = label
    return mask


@pytest.mark.parametrize("labels", [(1, 2), (38, 75), (128, 255)])
def test_every_label_of_a_mask_is_an_object(labels: tuple[int, int]) -> None:
    boxes = dict(zip(labels, (CUP, BALL), strict=True))
    assert labelled_boxes(mask_of(boxes)) == boxes


def test_every_colour_of_a_mask_is_an_object() -> None:
    one, other = mask_of({255: CUP}), mask_of({128: BALL})
    found = labelled_boxes(np.dstack([one, other, np.zeros_like(one)]))
    assert sorted(found.values()) == [CUP, BALL]


def test_transparent_pixels_are_no_object() -> None:
    one = mask_of({255: CUP})
    assert labelled_boxes(np.dstack([np.full_like(one, 90)] * 3 + [one])) == {90 + 256 * 90 + 65536 * 90: CUP}


def test_soft_edges_are_one_object_where_it_is_over_half() -> None:
    ramp = np.tile(np.clip(np.arange(160) * 4 - 100, 0, 255).astype(np.uint8), (120, 1))
    assert labelled_boxes(ramp) == {255: Box(57, 0, 103, 120)}  # 4 x - 100 > 127


def test_a_thin_seam_is_no_object_and_an_empty_mask_has_none() -> None:
    mask = mask_of({255: CUP})
    mask[10:50, 50:52] = 96
    assert labelled_boxes(mask) == {255: CUP}
    assert labelled_boxes(np.zeros((20, 30), np.uint8)) == {}


def test_recall_false_boxes_and_changed_ids_are_counted() -> None:
    tally = Tally()
    tally.add({1: CUP, 2: BALL}, [("a", CUP), ("b", BALL)])
    tally.add({1: CUP, 2: BALL}, [("a", CUP.moved(4, 0)), ("c", BALL), ("d", Box(60, 90, 20, 20))])  # BALL: b → c
    tally.add({1: CUP, 2: BALL}, [("c", CUP)])  # CUP: a → c; BALL missed
    tally.add({2: BALL}, [("c", BALL), ("e", BALL)])  # twice the same: one is false; still c
    assert (tally.true, tally.found, tally.false, tally.switches) == (7, 6, 2, 2)
    assert tally.recall == pytest.approx(6 / 7)
    assert tally.false_per_frame == 0.5
    assert tally.id_switches == 1.0


def test_an_id_that_comes_back_after_a_gap_has_not_changed() -> None:
    tally = Tally()
    for said in ([("a", CUP)], [], [("a", CUP)]):
        tally.add({1: CUP}, said)
    assert tally.switches == 0
    assert tally.recall == pytest.approx(2 / 3)


@pytest.mark.parametrize(("width", "found"), [(20.0, 1), (19.9, 0)])
def test_a_box_counts_from_half_of_overlap_on(width: float, found: int) -> None:
    """`width` of 40 columns: an IoU of exactly 0.5, and a little less."""
    tally = Tally()
    tally.add({1: CUP}, [("a", Box(CUP.x, CUP.y, width, CUP.height))])
    assert (tally.found, tally.false) == (found, 1 - found)


def test_two_boxes_are_shared_out_so_that_both_objects_are_found() -> None:
    """The first box fits both objects, better the right one; the second fits the right one only."""
    left, right = Box(0, 0, 30, 30), Box(6, 0, 30, 30)
    tally = Tally()
    assert tally.add({1: left, 2: right}, [("a", Box(4, 0, 30, 30)), ("b", Box(16, 0, 30, 30))]) == {1: "a", 2: "b"}


def test_without_true_boxes_there_is_no_recall() -> None:
    tally = Tally()
    tally.add({}, [("a", CUP)])
    assert (tally.recall, tally.id_switches, tally.false_per_frame) == (None, None, 1.0)


def test_frames_of_a_clip_are_told_from_other_pictures() -> None:
    rng = np.random.default_rng(0)
    one, other = (rng.integers(0, 255, (6, 8, 3), dtype=np.uint8).repeat(20, 0).repeat(20, 1) for _ in range(2))
    assert alike(one, np.roll(one, 2, 1))
    assert not alike(one, other)
    assert not alike(one, one[:, :-1])
    assert alike(np.zeros_like(one), np.zeros_like(one))
    assert not alike(np.zeros_like(one), np.full_like(one, 90))
