import sys
from pathlib import Path

import numpy as np
import pytest
from glb import doll_glb
from table_scene import CAMERA, looking, photograph, texture

from ar_render.actors import Entrance, Seen
from ar_render.context import Context
from ar_render.detail import Budget, Detail, choices
from ar_render.gltf import read_glb
from ar_render.scene import Renderer
from ar_render.theatre import Theatre

sys.path.append(str(Path(__file__).parent))
FINE, PLAIN, HALF = choices(4)


def run(budget: Budget, cost: dict[Detail, float], pictures: int) -> list[Detail]:
    """The detail of each picture on a machine where these cost so many seconds."""
    out = []
    for _ in range(pictures):
        out.append(budget.detail)
        budget.took(cost[budget.detail])
    return out


def test_choices_go_from_fine_to_coarse() -> None:
    assert choices(4) == (Detail(4), Detail(0), Detail(0, half=True))
    assert choices(0) == (Detail(0), Detail(0, half=True))
    assert str(HALF) == "0 samples, half resolution"


def test_without_a_budget_it_stays_as_fine_as_can_be() -> None:
    assert set(run(Budget(0.0, choices(4)), {FINE: 9.0}, 500)) == {FINE}


def test_a_slow_machine_goes_down_until_it_fits() -> None:
    details = run(Budget(0.010, choices(4)), {FINE: 0.020, PLAIN: 0.012, HALF: 0.008}, 400)
    assert details[14] == FINE
    assert details[15] == PLAIN
    assert details[30:] == [HALF] * 370


def test_a_fast_machine_stays_and_one_slow_picture_changes_nothing() -> None:
    budget = Budget(0.010, choices(4))
    for i in range(300):
        budget.took(0.5 if i % 8 == 0 else 0.004)
        assert budget.detail == FINE


def test_it_comes_up_again_and_learns_when_that_was_too_much() -> None:
    budget = Budget(0.010, choices(4))
    run(budget, {FINE: 0.020, PLAIN: 0.004}, 16)
    assert budget.detail == PLAIN
    details = run(budget, {FINE: 0.020, PLAIN: 0.004}, 4000)  # what is plain is cheap, what is fine is not
    ups = [i for i in range(1, 4000) if details[i] == FINE != details[i - 1]]
    gaps = np.diff(ups)
    assert len(ups) > 3
    assert (gaps[1:] > 1.7 * gaps[:-1]).all()
    calm = run(budget, {FINE: 0.003, PLAIN: 0.003}, 4000)
    assert calm[-1] == FINE


def test_all_of_them_draw_alike(context: Context) -> None:
    view = looking(0.3)
    before, _, mask = photograph(view, texture())
    pictures = []
    for detail in choices(4):
        renderer = Renderer(context, CAMERA.width, CAMERA.height, samples=4)
        renderer.refine(detail)
        theatre = Theatre(renderer, seed=5, synchronous=True)
        theatre.enter(
            Entrance("mug", 0, 0.12, CAMERA.project(np.zeros((1, 3)), view.T_map_camera)), read_glb(doll_glb())
        )
        pictures.append(theatre.draw(before, 2 * 10**9, Seen(view, 0), mask).astype(int))
        assert renderer.took > 0
    for other in pictures[1:]:
        difference = np.abs(other - pictures[0]).max(2)
        assert (difference > 40).mean() < 0.01  # along edges
        assert difference.mean() < 1.0
    assert (pictures[1] != pictures[0]).any()
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(pictures[0], before)
