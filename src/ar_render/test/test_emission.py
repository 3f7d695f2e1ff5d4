import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ar_core.geometry import Plane, pose
from ar_render.behaviour import Stance
from ar_render.emission import Emission, chances
from ar_render.emitters import read_emitters
from ar_render.feet import Foot, Walk
from ar_render.gltf import read_glb
from ar_render.layout import Figure
from ar_render.paths import shortest
from ar_render.sprites import CELL, COLUMNS, SHAPES, atlas

sys.path.insert(0, str(Path(__file__).parent))
from glb import doll_glb

NOTES: dict[str, Any] = {
    "joint": "head", "at": [0, 0.02, 0], "sprite": "note", "rate": 20, "life": [1.0, 1.0], "size": [0.01, 0.02],
    "colours": [[1, 0, 0], [0, 1, 0]], "go": [0, 0.2, 0], "gravity": 0.0,
}  # fmt: skip
IDLE = Stance((0, 0, 0), (("idle", 0.0, 1.0),))


def doll(*emitters: Any) -> Any:
    from dataclasses import replace

    model = read_glb(doll_glb())
    names = tuple("head" if n == model.names[-1] else n for n in model.names)
    return replace(model, names=names, extras={"emitters": json.loads(json.dumps(list(emitters)))})


def seen(emission: Emission, model: Any, t: float, stance: Stance = IDLE, x: float = 0.4, scale: float = 1.0) -> Any:
    figure = Figure(None, pose(np.eye(3), np.array([x, 0, 0])), model.global_matrices(model.rest), scale)  # type: ignore[arg-type]
    return emission.step(t, figure, stance, Plane.ground()).records


def run(model: Any, times: Any, seed: int = 1, stance: Stance = IDLE) -> Any:
    emission = Emission.of(model, 0.1, (), seed)
    return [seen(emission, model, float(t), stance) for t in times]


def test_the_same_pictures_give_the_same_particles() -> None:
    model, times = doll(NOTES), np.arange(60) / 30
    for a, b in zip(run(model, times), run(model, times), strict=True):
        assert np.array_equal(a, b)
    assert not np.array_equal(run(model, times)[-1], run(model, times, seed=2)[-1])


def test_as_many_as_the_rate_says_live_as_long_as_they_may() -> None:
    counts = [len(r) for r in run(doll(NOTES), np.arange(120) / 30)]
    assert counts[0] == 0
    assert 17 <= counts[-1] <= 20  # 20 a second, 1 s each; the youngest and the oldest cannot be seen
    assert np.abs(np.diff(counts)).max() <= 2


def test_they_rise_from_the_joint_and_pictures_left_out_change_little() -> None:
    model = doll(NOTES)
    head = model.global_matrices(model.rest)[model.node("head")][:3, 3]
    all_, few = run(model, np.arange(61) / 30), run(model, np.arange(0, 61, 3) / 30)
    p = all_[-1]["particle"]
    assert p[:, 2].min() > head[1] + 0.01
    assert p[:, 2].max() < head[1] + 0.02 + 0.2 * 1.3
    assert np.hypot(p[:, 0] - 0.4 - head[2], p[:, 1] - head[0]).max() < 0.001
    assert np.allclose(np.sort(p[:, 2]), np.sort(few[-1]["particle"][:, 2]), atol=1e-6)


def test_a_character_that_is_twice_as_large_gives_off_twice_as_large_ones() -> None:
    model = doll(NOTES)
    sizes = []
    for scale in (1.0, 2.0):
        emission = Emission.of(model, 0.1, (), 1)
        for t in np.arange(31) / 30:
            records = seen(emission, model, float(t), scale=scale)
        sizes.append(records["particle"][:, 3])
    assert np.allclose(2 * sizes[0], sizes[1], rtol=1e-5)


def test_only_in_their_clip_and_window() -> None:
    model = doll({**NOTES, "clips": ["beast"], "window": [1.0, 1.5]})
    emission = Emission.of(model, 0.1, (), 1)
    counts = []
    for t in np.arange(100) / 30:
        clip = ("beast", float(t), 1.0) if t < 2 else ("idle", 0.0, 1.0)
        counts.append(len(seen(emission, model, float(t), Stance((0, 0, 0), (clip,)))))
    assert max(counts[:30]) == 0
    assert 8 <= max(counts[30:50]) <= 11  # half a second of 20
    assert counts[-1] == 0


def test_what_falls_lies_on_the_table() -> None:
    rain = {**NOTES, "sprite": "confetti", "gravity": 2.0, "tumble": 1.0, "life": [3, 3]}
    p = run(doll(rain), np.arange(90) / 30)[-1]["particle"]
    assert p[:, 2].min() >= 0
    assert (p[:, 2] < 0.01).sum() > 5


def test_a_walk_kicks_up_dust_where_feet_come_down() -> None:
    model = doll()
    foot = Foot(0, model.node("head"), (0.0, 0.6), (0.0, 0.0))
    emission = Emission.of(model, 0.1, (foot,), 3)
    path = shortest((0, 0, 0), (2, 0, 0), 0.1)
    counts = []
    for i in range(60):
        walk = Walk(path, i / 30, i / 30, 1.0)  # a step a second, first in the 30th picture
        stance = Stance((0, 0, 0), (("walk", 0.0, 1.0),), walk=walk)
        counts.append(len(seen(emission, model, i / 30, stance)))
    assert max(counts[:30]) == 0
    assert counts[33] == 5
    standing = Emission.of(model, 0.1, (foot,), 3)
    assert max(len(seen(standing, model, i / 30)) for i in range(60)) == 0, "who stands raises no dust"


def test_a_flame_follows_its_torch_and_a_note_does_not() -> None:
    for follow in (0.0, 1.0):
        emission = Emission.of(model := doll({**NOTES, "follow": follow}), 0.1, (), 1)
        for i in range(31):
            at = 0.4 + 0.01 * i  # it moves 30 cm in a second
            records = seen(emission, model, i / 30, x=at)
        spread = np.ptp(records["particle"][:, 0])
        assert spread < 0.001 if follow else spread > 0.2


def test_time_that_goes_back_clears_the_air() -> None:
    model = doll(NOTES)
    emission = Emission.of(model, 0.1, (), 1)
    for t in (5.0, 5.1, 5.2):
        records = seen(emission, model, t)
    assert len(records) > 0
    assert len(seen(emission, model, 1.0)) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"joint": "tail"}, {"sprite": "banana"}, {"rate": -1}, {"rate": "many"}, {"life": [1]}, {"size": None},
        {"go": [0, float("nan"), 0]}, {"colours": [[1, "x", 0]]}, {"window": 3}, {"grow": 1e9},
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_left_out(change: dict[str, Any]) -> None:
    assert len(read_emitters(doll(NOTES, {**NOTES, **change}, "no mapping", 7))) == 1


def test_chances_are_even_and_follow_from_the_seed() -> None:
    u = chances(3, np.arange(4000), 5)
    assert np.array_equal(u, chances(3, np.arange(4000), 5))
    assert ((u >= 0) & (u < 1)).all()
    assert np.abs(u.mean(0) - 0.5).max() < 0.02
    assert np.abs(np.corrcoef(u.T) - np.eye(5)).max() < 0.06
    assert np.abs(np.corrcoef(u[1:, 0], u[:-1, 0])[0, 1]) < 0.06


def test_every_shape_is_drawn_and_keeps_apart_from_its_neighbours() -> None:
    picture = atlas()
    for i, name in enumerate(SHAPES):
        y, x = CELL * (i // COLUMNS), CELL * (i % COLUMNS)
        cell = picture[y : y + CELL, x : x + CELL, 0]
        assert 0.03 < (cell > 127).mean() < 0.8, name
        assert max(cell[0].max(), cell[-1].max(), cell[:, 0].max(), cell[:, -1].max()) < 20, name
