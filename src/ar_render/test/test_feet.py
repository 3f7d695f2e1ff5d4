import numpy as np
import pytest
from glb import doll_glb

from ar_render.animation import Clip, Pose, Track, topological
from ar_render.behaviour import Behaviour, Traits
from ar_render.feet import Walk, find_feet, passing_phase, plant
from ar_render.gltf import read_glb
from ar_render.layout import MAP_FROM_GLTF
from ar_render.model import Model
from ar_render.paths import shortest

HEIGHT, LEG, STRIDE, STAND = 0.10, 0.04, 0.05, 0.6


def walker() -> Model:
    """Two legs whose feet go straight back at the speed of the ground while they stand."""
    names = ("root", "leg_L_1", "foot_L", "leg_R_1", "foot_R", "head")
    parents = np.array([-1, 0, 1, 0, 3, 0])
    at = np.array([[0, 0, 0], [0.012, LEG, 0], [0, -LEG, 0], [-0.012, LEG, 0], [0, -LEG, 0], [0, HEIGHT, 0]])
    rest = Pose(at, np.tile([0.0, 0, 0, 1], (6, 1)), np.ones((6, 3)))
    phase = np.linspace(0, 1, 41)
    values = np.tile(at[[2, 4]], (41, 1, 1)).astype(float)
    for i, shift in enumerate((0.0, 0.5)):
        p = (phase - shift) % 1.0
        s = np.clip((p - STAND) / (1 - STAND), 0, 1)
        values[:, i, 2] = np.where(p < STAND, STRIDE * (STAND / 2 - p), STRIDE * STAND * (s - 0.5))
        values[:, i, 1] += 0.015 * np.sin(np.pi * s)
    clip = Clip("walk", 0.8, (Track("translation", np.array([2, 4]), phase * 0.8, values),))
    return Model(names, parents, topological(parents), rest, np.array([0]), np.eye(4)[None], (), (), {"walk": clip})


def track_of(side: int, planted: bool) -> list[float]:
    """The greatest way one foot slides in each of its stands, metres."""
    model = walker()
    feet = find_feet(model, STRIDE)
    foot = feet[side]
    path = shortest((0, 0, 0), (0.1, 0.12, 2.0), 0.4 * HEIGHT)
    stride = 2 * path.length / round(path.length / (STRIDE / 2))
    stands: dict[int, list[np.ndarray]] = {}
    for s in np.linspace(0.0, path.length, 600):
        walk = Walk(path, float(s), passing_phase(feet) + float(s) / stride, stride)
        since = walk.phase - foot.stand[0]
        if since % 1.0 >= foot.stand[1]:
            continue
        nodes = model.global_matrices(model.clips["walk"].sample(model.rest, walk.phase % 1.0 * 0.8))
        if planted:
            nodes = plant(model, nodes, feet, walk, STRIDE, 1.0)
        x, y, heading = path.at(float(s))
        c, n = np.cos(heading), np.sin(heading)
        T = np.array([[c, -n, 0, x], [n, c, 0, y], [0, 0, 1, 0], [0, 0, 0, 1.0]]) @ MAP_FROM_GLTF
        stands.setdefault(int(np.floor(since)), []).append((T @ nodes[foot.foot])[:3, 3])
    return [float(np.linalg.norm(np.array(p)[:, :2] - np.array(p)[0, :2], axis=1).max()) for p in stands.values()]


@pytest.mark.parametrize("side", [0, 1])
def test_feet_stay_where_they_are_put_on_a_bend(side: int) -> None:
    assert max(track_of(side, planted=False)) > 0.004
    assert max(track_of(side, planted=True)) < 0.001  # 1 mm, of a character of 10 cm


def test_feet_stay_where_they_are_put_while_somebody_leads_it_about() -> None:
    """Sent elsewhere five times on its way, over long ways and short ones."""
    model = walker()
    feet = find_feet(model, STRIDE)
    behaviour = Behaviour(Traits(HEIGHT, STRIDE, {"walk": 0.8, "idle": 2.0}, passing_phase(feet)), seed=1)
    goals = iter([(0.3, 0.0, 0.0), (0.25, 0.2, 1.0), (0.05, 0.1, 3.0), (0.3, 0.1, 0.0), (0.33, 0.12, 0.3)])
    stands: dict[tuple[int, int], list[np.ndarray]] = {}
    steps, before = [0, 0], [False, False]
    for i in range(2400):
        time = 1.0 + i / 240
        if i % 180 == 0 and (goal := next(goals, None)):
            behaviour.walk_to(time, goal)
        stance = behaviour.stance(time)
        if stance.walk is None:
            continue
        nodes = model.global_matrices(model.clips["walk"].sample(model.rest, stance.walk.phase % 1.0 * 0.8))
        nodes = plant(model, nodes, feet, stance.walk, STRIDE, 1.0)
        x, y, heading = stance.place
        c, n = np.cos(heading), np.sin(heading)
        T = np.array([[c, -n, 0, x], [n, c, 0, y], [0, 0, 1, 0], [0, 0, 0, 1.0]]) @ MAP_FROM_GLTF
        for side, foot in enumerate(feet):
            stood = (stance.walk.phase - foot.stand[0]) % 1.0 < foot.stand[1]
            steps[side] += stood and not before[side]
            before[side] = stood
            if stood:
                stands.setdefault((side, steps[side]), []).append((T @ nodes[foot.foot])[:2, 3])
    slides = [float(np.linalg.norm(np.array(p) - p[0], axis=1).max()) for p in stands.values()]
    assert len(slides) > 20
    assert max(slides) < 0.0005  # half a millimetre, of a character of 10 cm


def test_the_feet_keep_their_attitude() -> None:
    model = walker()
    feet = find_feet(model, STRIDE)
    path = shortest((0, 0, 0), (0.0, 0.1, 3.0), 0.4 * HEIGHT)
    nodes = model.global_matrices(model.clips["walk"].sample(model.rest, 0.1))
    planted = plant(model, nodes, feet, Walk(path, 0.05, 0.3, STRIDE), STRIDE, 1.0)
    for foot in feet:
        assert planted[foot.foot][:3, :3] == pytest.approx(nodes[foot.foot][:3, :3], abs=1e-9)
        assert planted[foot.foot][1, 3] == pytest.approx(nodes[foot.foot][1, 3], abs=0.001)
    assert np.array_equal(plant(model, nodes, feet, Walk(path, 0.05, 0.3, STRIDE), STRIDE, 0.0), nodes)


def test_straight_ahead_nothing_is_moved() -> None:
    model = walker()
    feet = find_feet(model, STRIDE)
    nodes = model.global_matrices(model.clips["walk"].sample(model.rest, 0.37))
    path = shortest((0, 0, 0), (0.5, 0, 0), 0.04)
    planted = plant(model, nodes, feet, Walk(path, 0.2, 0.37 / 0.8, STRIDE), STRIDE, 1.0)
    assert planted == pytest.approx(nodes, abs=1e-9)


def test_other_skeletons_are_left_alone() -> None:
    assert find_feet(read_glb(doll_glb()), STRIDE) == ()
    assert passing_phase(()) == 0.0
