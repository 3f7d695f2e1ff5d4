"""Composed scenes: things that touch do touch, shadows only darken, what stands out is what is large and central."""

from __future__ import annotations

import numpy as np
import pytest

from training.samples import prominent
from training.synth import beside, shaded

SIZE = 256


def square(x: int, y: int, side: int) -> np.ndarray:
    out = np.zeros((SIZE, SIZE), np.uint8)
    out[y : y + side, x : x + side] = 255
    return out


@pytest.mark.parametrize(("angle", "toward"), [(0, (1, 0)), (np.pi, (-1, 0)), (np.pi / 2, (0, 1))])
def test_things_are_slid_until_they_touch(angle: float, toward: tuple[int, int]) -> None:
    """A square of 64 pixels beside one of 80 around (128, 128): their centres 72 apart, to the 8 of a coarse pixel or two."""
    x, y = beside(square(88, 88, 80), np.full((50, 50), 255, np.uint8), 64.0, angle, 0.0)
    assert abs(x - (128 + 72 * toward[0])) <= 8
    assert abs(y - (128 + 72 * toward[1])) <= 8


def test_a_little_overlap_is_no_more_than_that() -> None:
    """A tenth of the 64 pixels across may be hidden: the centres come 6 pixels nearer, to a coarse pixel."""
    alpha = np.full((50, 50), 255, np.uint8)
    apart, over = (beside(square(88, 88, 80), alpha, 64.0, 0.0, part)[0] for part in (0.0, 0.1))
    assert 2 <= apart - over <= 10


@pytest.mark.parametrize("seed", range(8))
def test_a_shadow_darkens_and_leaves_most_as_it_is(seed: int) -> None:
    picture = np.full((SIZE, SIZE, 3), 200, np.uint8)
    out = shaded(picture, square(100, 100, 60), np.random.default_rng(seed))
    assert (out <= picture).all()
    assert 30 < out.min() < 180
    assert np.mean(out > 190) > 0.5


def test_what_stands_out() -> None:
    large, small, aside = square(80, 80, 90), square(10, 10, 30), square(0, 150, 90)
    assert prominent([small, large]) is large
    assert prominent([aside, large]) is large
    assert prominent([square(60, 90, 60), square(140, 90, 60)]) is None
    assert prominent([small]) is small
