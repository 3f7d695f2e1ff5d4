import cv2
import numpy as np
import pytest

from ar_render.cast_off import SIDE, CastOff, find, relit, thrown

N = 384


def table(azimuth: float | None, share: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """A rectified table with noise and stripes, with a cylinder's shadow on it or without, and where it is seen."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:N, 0:N]
    light = (0.35 + 0.08 * np.sin(x / 9.0) + 0.02 * rng.normal(size=(N, N)))[..., None] * np.array([0.8, 0.95, 1.0])
    if azimuth is not None:
        light = light * (1 - share * cv2.resize(thrown(azimuth, 1.2, 0.2, 2.2, 0.3), (N, N)))[..., None]
    away = np.hypot(x - N / 2, y - N / 2) > 0.4 / 2.2 * N / 2
    return np.clip(255 * np.clip(light, 0, 1) ** (1 / 2.2), 0, 255).astype(np.uint8), away


@pytest.mark.parametrize("azimuth", [0.4, 2.0, 3.9, 5.5])
def test_a_shadow_is_found_where_it_lies_and_as_dark_as_it_is(azimuth: float) -> None:
    found = find(*table(azimuth), 2.2, 0.3)
    assert found is not None
    assert np.cos(found.azimuth - azimuth) > np.cos(np.radians(6))
    assert found.share == pytest.approx(0.6, abs=0.12)


def test_where_there_is_no_shadow_none_is_found() -> None:
    assert find(*table(None), 2.2, 0.3) is None


def test_relit_is_what_it_was_without_the_shadow() -> None:
    bare, away = table(None)
    shaded, _ = table(2.0)
    found = find(shaded, away, 2.2, 0.3)
    assert isinstance(found, CastOff)
    assert found.gain.shape == (SIDE, SIDE, 3)
    again = relit(shaded, cv2.resize(found.gain, (N, N)), found.most)
    dark = away & (cv2.absdiff(shaded, bare).max(2) > 40)
    assert dark.sum() > 1500
    before, after = (np.abs(p[dark].astype(float) - bare[dark]).mean() for p in (shaded, again))
    assert after < 0.3 * before


def test_nothing_is_relit_beyond_what_the_table_is_around_it() -> None:
    """What was taken for a shadow, and is none, does not glow; what is brighter already stays."""
    grey = np.full((4, 4, 3), 150, np.uint8)
    grey[0, 0] = 240
    most = np.array([160, 170, 180], np.uint8)
    again = relit(grey, np.full((4, 4, 3), 200, np.uint8), most)
    assert (again[1, 1] == most).all()
    assert (again[0, 0] == 240).all()
