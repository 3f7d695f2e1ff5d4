import numpy as np
import pytest
from table_scene import looking, photograph, texture

from ar_render.light import Light, LightMeter, grain, linear
from ar_render.plane_view import plane_axes


def test_linear_is_srgb() -> None:
    assert linear(np.array([0, 255])) == pytest.approx([0, 1])
    assert linear(np.array(188)) == pytest.approx(0.5029, abs=1e-4)
    assert linear(np.array(5)) == pytest.approx(5 / 255 / 12.92)


def test_grain_is_measured_through_texture() -> None:
    rng = np.random.default_rng(0)
    _, bare, _ = photograph(looking(0.3), texture())
    for sigma in (2.0, 5.0):
        noisy = np.clip(bare * 0.8 + rng.normal(0, sigma, bare.shape[:2])[..., None], 0, 255).astype(np.uint8)
        assert grain(noisy) * 255 == pytest.approx(sigma, rel=0.3)
    assert grain(np.full((240, 320, 3), 90, np.uint8)) == 0


def measured(brightness: float, colour: tuple[float, float, float] = (1, 1, 1)) -> Light:
    view = looking(0.3)
    _, bare, mask = photograph(view, texture())
    picture = np.clip(bare * brightness * np.array(colour), 0, 255).astype(np.uint8)
    return LightMeter().measure(picture, 0, mask, np.zeros(3), 0.1, view)


def test_a_darker_picture_has_less_light_and_a_warm_one_warmer() -> None:
    levels = [measured(b).level.mean() for b in (0.3, 0.6, 1.0)]
    assert levels == sorted(levels)
    assert levels[2] > 1.5 * levels[0]
    warm = measured(0.8, (0.6, 0.9, 1.0)).level  # bgr
    assert warm[0] > warm[1] > warm[2]


def test_the_table_throws_its_own_colour_back() -> None:
    light = measured(0.8, (0.4, 0.7, 1.0))
    assert light.ground[0] > light.ground[1] > light.ground[2]


def test_the_light_settles_and_does_not_flicker() -> None:
    view = looking(0.3)
    _, bare, mask = photograph(view, texture())
    meter = LightMeter()
    before = meter.measure(bare, 0, mask, np.zeros(3), 0.1, view).level.mean()
    dark = (bare * 0.5).astype(np.uint8)
    levels = [meter.measure(dark, i * 33_000_000, mask, np.zeros(3), 0.1, view).level.mean() for i in range(1, 90)]
    steps = -np.diff([before, *levels])
    assert steps.max() < 0.1 * (before - levels[-1])
    assert levels[-1] == pytest.approx(measured(0.5).level.mean(), rel=0.03)


def test_shares_of_lamp_and_sky_make_up_all_light() -> None:
    light = measured(0.8)
    assert light.lamp_share + light.sky_share == pytest.approx(1.0)
    assert (light.lamp_share > 0.2).all()
    assert np.linalg.norm(light.direction) == pytest.approx(1.0)
    assert light.direction[2] > 0.5


def test_the_lamp_is_opposite_to_the_shadow_that_was_found() -> None:
    view = looking(0.3)
    meter = LightMeter()
    axes = plane_axes(view.plane)
    meter.found_shadow(0.7, 0.4, axes)
    assert meter.direction is not None
    flat = axes[:2, :3] @ meter.direction
    assert np.arctan2(flat[1], flat[0]) == pytest.approx(0.7 - np.pi)
    assert meter.direction @ view.plane.normal == pytest.approx(0.783, abs=0.01)


def test_shadows_shift_away_from_the_light() -> None:
    slopes = Light(np.array([0.6, 0, 0.8]), size=0.1).slopes(np.eye(3))
    assert slopes.mean(0) == pytest.approx([0.75, 0], abs=0.03)
    assert np.ptp(slopes, axis=0).max() < 0.35
