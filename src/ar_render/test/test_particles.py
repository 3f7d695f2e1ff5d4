import numpy as np
import pytest

from ar_core.geometry import Intrinsics, Plane, pose, upright_camera
from ar_render.particles import Particles, awakening
from ar_render.plane_view import View

HOME = pose(np.eye(3), np.array([0.4, 0.1, 0.0]))


def test_they_are_a_function_of_time_and_seed() -> None:
    for t in (0.3, 1.5, 2.0):
        assert np.array_equal(awakening(t, HOME, 0.1, 3).records, awakening(t, HOME, 0.1, 3).records)
        assert not np.array_equal(awakening(t, HOME, 0.1, 3).records, awakening(t, HOME, 0.1, 4).records)


def test_they_begin_and_end() -> None:
    assert len(awakening(-0.1, HOME, 0.1, 3).records) == 0
    assert len(awakening(9.0, HOME, 0.1, 3).records) == 0
    assert len(awakening(1.6, HOME, 0.1, 3).records) > 100


def test_they_stay_around_the_character_and_move_smoothly() -> None:
    for t in np.arange(0.0, 3.4, 0.1):
        p = awakening(float(t), HOME, 0.1, 3).records["particle"]
        if len(p):
            assert np.hypot(p[:, 0] - 0.4, p[:, 1] - 0.1).max() < 0.1
            assert p[:, 2].min() > 0
            assert p[:, 2].max() < 0.16
    sizes = [len(awakening(float(t), HOME, 0.1, 3).records) for t in np.arange(0, 3.4, 1 / 30)]
    assert np.abs(np.diff(sizes)).max() < 60  # no crowd at once


def test_the_farthest_are_drawn_first() -> None:
    view = View(Intrinsics.from_field_of_view(320, 240), upright_camera(0.3, 30.0), Plane.ground())
    merged = Particles.merged([awakening(1.5, HOME, 0.1, 3), awakening(1.5, HOME, 0.1, 4)], view)
    assert merged is not None
    depth = merged.records["particle"][:, :3] @ view.T_map_camera[:3, 2]
    assert (np.diff(depth) <= 1e-6).all()
    assert Particles.merged([awakening(9.0, HOME, 0.1, 3)], view) is None
    assert pytest.approx(len(merged.records), rel=0.1) == 2 * len(awakening(1.5, HOME, 0.1, 3).records)
