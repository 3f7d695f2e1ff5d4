"""Following: an object that is taken away is lost, in words, and stays lost; one that comes back is found again."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openvino")
sys.path.insert(0, str(Path(__file__).parent))

from scenes import Thing, iou, scene

from ar_core.boxes import box_of
from ar_core.model_card import find_card
from ar_segment.segmenter import Segmentation, Segmenter
from ar_segment.video import LOOK_AROUND, PATIENCE, Follower


def at(x: float) -> list[Thing]:
    return [Thing("rounded", x, 190, 55, (40, 70, 210))]


@pytest.fixture
def followed() -> tuple[Follower, float]:
    """Follows a thing that has moved a little for six frames; where it is now."""
    segmenter = Segmenter(find_card("segment", "ar_segment"))
    picture, truths = scene(at(200))
    follower = Follower(segmenter, picture, Segmentation(truths[0], 1.0, box_of(truths[0])))
    for k in range(1, 7):
        picture, truths = scene(at(200 + 3 * k), seed=0)
        found = follower(picture)
        assert found.lost == ""
        assert iou(found.mask, truths[0]) > 0.85
    return follower, 218


def test_sparing_it_looks_at_every_other_frame_and_carries_the_mask_between(monkeypatch: pytest.MonkeyPatch) -> None:
    segmenter = Segmenter(find_card("segment", "ar_segment"))
    looks: list[int] = []
    see = segmenter.see
    monkeypatch.setattr(segmenter, "see", lambda *what, **how: (looks.append(k), see(*what, **how))[1])
    picture, truths = scene(at(200))
    follower = Follower(segmenter, picture, Segmentation(truths[0], 1.0, box_of(truths[0])))
    for k in range(1, 13):
        picture, truths = scene(at(200 + 4 * k), seed=0)
        found = follower(picture, sparing=True)
        assert found.mask.shape == truths[0].shape
        assert iou(found.mask, truths[0]) > 0.85
        assert abs(found.box.centre[0] - (200 + 4 * k)) < 2
    assert looks == [2, 4, 6, 8, 10, 12]
    for _ in range(PATIENCE + 2):  # in doubt it looks at each
        found = follower(scene([])[0], sparing=True)
    assert found.lost


def test_what_is_taken_away_is_lost_and_stays_lost(followed: tuple[Follower, float]) -> None:
    """Within PATIENCE doubtful frames; then its mask is empty and nothing else on the empty table is taken for it."""
    follower, _ = followed
    empty, _ = scene([])
    found = [follower(empty) for _ in range(PATIENCE + 1 + 3 * LOOK_AROUND)]
    assert found[PATIENCE].lost in ("no object is seen where it was", "what is seen there no longer matches it")
    assert all(one.lost for one in found[PATIENCE:])
    assert not any(one.mask.any() for one in found[PATIENCE:])


def test_another_thing_in_its_place_is_not_taken_for_it(followed: tuple[Follower, float]) -> None:
    follower, x = followed
    for _ in range(PATIENCE + 1):
        follower(scene([])[0])
    other, _ = scene([Thing("ring", x, 190, 60, (60, 200, 90))])
    assert all(follower(other).lost for _ in range(3 * LOOK_AROUND))


def test_what_comes_back_elsewhere_is_found_again(followed: tuple[Follower, float]) -> None:
    follower, _ = followed
    for _ in range(PATIENCE + 1):
        follower(scene([])[0])
    picture, truths = scene(at(330))
    found = [follower(picture) for _ in range(LOOK_AROUND)]
    assert found[-1].lost == ""
    assert iou(found[-1].mask, truths[0]) > 0.8


def test_out_of_the_picture(followed: tuple[Follower, float]) -> None:
    """It leaves over the right edge; the last frames hold nothing of it."""
    follower, x = followed
    pictures = [scene(at(x + 28 * k))[0] for k in range(1, 14)]
    found = [follower(picture) for picture in pictures]
    assert found[-1].lost
    assert not np.any(found[-1].mask)
