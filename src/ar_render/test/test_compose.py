import numpy as np
import pytest

from ar_render.compose import put_over, softened
from ar_render.light import linear

H, W = 24, 40


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (H, W, 3), np.uint8)


def layer(alpha: int, colour: tuple[int, int, int] = (30, 90, 200)) -> np.ndarray:
    """Premultiplied, covering the middle."""
    out = np.zeros((H + 1, W + 1, 4), np.uint8)
    out[8:16, 10:30] = [*(round(c * alpha / 255) for c in colour), alpha]
    return out


def test_where_the_layer_is_empty_every_byte_stays() -> None:
    before = picture()
    after = before.copy()
    put_over(after, layer(0), 0.4, 0.02, 0.3)
    assert np.array_equal(after, before)
    put_over(after, layer(255), 0.4, 0.02, 0.3)
    changed = (after != before).any(2)
    y, x = np.nonzero(changed)
    assert (y.min(), y.max() + 1, x.min(), x.max() + 1) == (7, 16, 9, 30)  # a pixel more at the left and top: the blur


def test_what_covers_shows_its_own_colour() -> None:
    after = picture()
    put_over(after, layer(255), 0.0, 0.0, 0.0)
    assert (after[8:16, 10:30] == (30, 90, 200)).all()


def test_half_covered_is_half_the_light() -> None:
    after = np.full((H, W, 3), 255, np.uint8)
    put_over(after, layer(128, (0, 0, 0)), 0.0, 0.0, 0.0)
    assert linear(after[10, 20]) == pytest.approx(0.5, abs=0.05)  # squares stand for linear light


def test_grain_is_as_strong_as_said_and_another_with_another_seed() -> None:
    flat = np.zeros((101, 101, 4), np.uint8)
    flat[...] = (128, 128, 128, 255)
    grainy = []
    for seed in (0.1, 0.7):
        after = np.zeros((100, 100, 3), np.uint8)
        put_over(after, flat, 0.0, 4 / 255, seed)
        assert after[..., 0].std() == pytest.approx(4.0, rel=0.1)
        assert np.array_equal(after[..., 0], after[..., 2])
        grainy.append(after)
    assert not np.array_equal(*grainy)


def test_half_a_pixel_of_blur_is_the_mean_of_neighbours() -> None:
    values = np.zeros((3, 3, 4), np.uint8)
    values[1, 1] = 200
    assert softened(values, 0.5)[..., 0].tolist() == [[50, 50], [50, 50]]
