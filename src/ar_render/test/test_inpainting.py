import numpy as np
import pytest

from ar_render.inpainting import fill_smoothly
from ar_render.periods import steps
from ar_render.repeats import continued, ground

N = 128


def hole() -> np.ndarray:
    y, x = np.mgrid[0:N, 0:N]
    return np.hypot(x - 64, y - 60) < 18


def psnr(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(((a[where].astype(float) - b[where]) ** 2).mean(), 1e-9)))


def pattern() -> np.ndarray:
    """Diamonds with a period of 32 by 24 pixels under light that falls off to one side."""
    y, x = np.mgrid[0:N, 0:N].astype(float)
    diamond = np.abs((x % 32) - 16) / 16 + np.abs((y % 24) - 12) / 12 < 0.6
    light = 1.0 - 0.4 * x / N
    return np.clip(np.where(diamond[..., None], [60.0, 60, 160], [190.0, 200, 210]) * light[..., None], 0, 255).astype(
        np.uint8
    )


def test_a_constant_stays_constant_and_a_ramp_nearly_a_ramp() -> None:
    weights = np.float32(~hole())
    flat = fill_smoothly(np.full((N, N, 3), 7, np.float32), weights)
    assert flat == pytest.approx(7.0, abs=1e-4)
    ramp = np.tile(np.linspace(0, 100, N, dtype=np.float32)[None, :, None], (N, 1, 1))
    filled = fill_smoothly(ramp, weights)
    assert np.abs(filled - ramp)[hole()].max() < 8
    assert np.abs(filled - ramp)[~hole()].max() < 1e-3


def test_nothing_known_gives_numbers() -> None:
    assert np.isfinite(fill_smoothly(np.ones((9, 5, 3), np.float32), np.zeros((9, 5), np.float32))).all()


def continue_texture(picture: np.ndarray, known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    g = ground(picture, known, np.zeros_like(known), None, wanted)
    assert g is not None
    return continued(picture, known, wanted, g, steps(g))


def test_the_period_of_a_pattern_is_among_the_shifts() -> None:
    g = ground(pattern(), ~hole(), np.zeros((N, N), bool), None, hole())
    assert g is not None
    shifts = [(2 * dx, 2 * dy) for dx, dy in steps(g)]
    assert any(
        (abs(abs(dx) - 32) <= 2 and abs(dy) <= 2) or (abs(dx) <= 2 and abs(abs(dy) - 24) <= 2) for dx, dy in shifts
    )


def test_a_pattern_goes_on_through_the_hole() -> None:
    truth = pattern()
    broken = truth.copy()
    broken[hole()] = (255, 0, 255)
    made = continue_texture(broken, ~hole(), hole())
    smooth = np.clip(fill_smoothly(broken.astype(np.float32), np.float32(~hole())), 0, 255).astype(np.uint8)
    assert np.array_equal(made[~hole()], truth[~hole()])
    assert psnr(made, truth, hole()) > psnr(smooth, truth, hole()) + 4
    assert psnr(made, truth, hole()) > 22


def test_a_thing_that_stands_beside_is_not_copied() -> None:
    rng = np.random.default_rng(0)
    truth = np.clip(150 + rng.normal(0, 6, (N, N, 1)) + np.zeros(3), 0, 255).astype(np.uint8)
    truth[50:70, 10:30] = (20, 30, 220)
    truth[90:110, 80:100] = (20, 200, 30)
    made = continue_texture(np.where(hole()[..., None], 0, truth).astype(np.uint8), ~hole(), hole())
    assert np.abs(made[hole()].astype(int) - 150).max() < 40
