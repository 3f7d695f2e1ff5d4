"""Flat patterns, drawn things and a set of them: what is drawn is where it is said to be, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from training import made, surfaces
from training.synth import BLENDS_IN, like_ground


@pytest.mark.parametrize("seed", range(4))
def test_patterns_cover_their_square_and_repeat_for_a_seed(seed: int) -> None:
    for draw in (surfaces.ornament, surfaces.page):
        one, other = (draw(np.random.default_rng(seed), 96) for _ in range(2))
        assert one.shape == (96, 96, 3)
        assert (one == other).all()
        assert one.std() > 2


def test_a_pattern_changes_only_where_it_lies() -> None:
    """A convex place of the picture: the rest is untouched."""
    ground = np.full((128, 128, 3), 77, np.uint8)
    laid = surfaces.laid(ground, np.full((50, 50, 3), 200, np.uint8), np.random.default_rng(3))
    changed = (laid != 77).any(2)
    assert 0 < changed.mean() < 1
    assert (ground == 77).all()


@pytest.mark.parametrize("seed", range(6))
def test_a_figure_is_one_thing_in_its_frame(seed: int) -> None:
    figure = made.figure(np.full((120, 120, 3), 128, np.uint8), np.random.default_rng(seed))
    alpha = figure[..., 3]
    assert alpha.max() > 200
    assert 0.08 < np.mean(alpha > 127) < 0.98
    assert (alpha > 20).any(0).all()
    assert (alpha > 20).any(1).all()


def test_what_blends_in_takes_the_colour_of_its_ground() -> None:
    red, ground = np.zeros((20, 20, 3), np.uint8), np.full((20, 20, 3), 150, np.uint8)
    red[..., 2] = 255
    out = like_ground(red, np.full((20, 20), 255, np.uint8), ground, 0.9)
    assert np.abs(out.mean((0, 1)) - 150).max() < 20
    assert 0 < BLENDS_IN < 1
