import numpy as np
import pytest

from ar_render.paths import shortest


def test_every_path_leads_from_start_to_goal_smoothly() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        start, goal = (tuple(float(v) for v in (*rng.uniform(-2, 2, 2), rng.uniform(-7, 7))) for _ in range(2))
        path = shortest(start, goal, 0.5)
        end = path.at(path.length)
        assert path.at(0) == start
        assert end[:2] == pytest.approx(goal[:2], abs=1e-9)
        assert np.cos(end[2] - goal[2]) == pytest.approx(1, abs=1e-9)
        places = np.array([path.at(s) for s in np.linspace(0, path.length, 200)])
        step = path.length / 199
        assert np.linalg.norm(np.diff(places[:, :2], axis=0), axis=1).max() <= step + 1e-9
        assert np.abs(np.diff(places[:, 2])).max() <= step / 0.5 + 1e-9


def test_straight_ahead_is_a_straight_line() -> None:
    assert shortest((0, 0, 0), (3, 0, 0), 1.0).length == pytest.approx(3)
    assert shortest((0, 0, 0), (0, 0, 0), 1.0).length == 0
