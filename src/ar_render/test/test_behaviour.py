from math import hypot, nan

import numpy as np
import pytest

from ar_render.behaviour import Behaviour, Traits
from ar_render.plan import walk_of

TRAITS = Traits(0.12, 0.05, {"awaken": 4.4, "idle": 6.0, "walk": 0.9, "hop": 1.1, "dance": 2.4, "wave": 2.4})
TIMES = np.arange(0, 120, 1 / 30)


def test_it_awakens_first_and_does_many_things() -> None:
    behaviour = Behaviour(TRAITS, seed=3)
    assert behaviour.stance(0).layers == (("awaken", 0.0, 1.0),)
    done = {behaviour.stance(float(t)).layers[-1][0] for t in TIMES}
    assert done >= {"awaken", "idle", "walk", "wave"}


def test_the_same_seed_does_the_same_and_another_something_else() -> None:
    def all_of(seed: int) -> list[object]:
        behaviour = Behaviour(TRAITS, seed)
        return [behaviour.stance(float(t)) for t in TIMES[::10]]

    assert all_of(1) == all_of(1)
    assert all_of(1) != all_of(2)


def test_it_never_jumps_and_stays_near_its_place() -> None:
    for seed in range(6):
        behaviour = Behaviour(TRAITS, seed)
        places = np.array([behaviour.stance(float(t)).place for t in TIMES])
        speed = np.linalg.norm(np.diff(places[:, :2], axis=0), axis=1) * 30
        assert speed.max() < 1.01 * TRAITS.stride / TRAITS.durations["walk"]
        assert np.hypot(places[:, 0], places[:, 1]).max() <= 1.5 * TRAITS.height
        assert speed.max() > 0  # it does walk


def test_feet_go_with_the_ground() -> None:
    """While it walks at full weight, the clip advances one cycle per stride walked: a foot that stands does not slide."""
    behaviour = Behaviour(TRAITS, seed=1)
    step = 1 / 240
    checked = 0
    for t in np.arange(4.5, 60, step):
        a, b = behaviour.stance(float(t)), behaviour.stance(float(t + step))
        if len(a.layers) == len(b.layers) == 1 and a.layers[0][0] == b.layers[0][0] == "walk":
            moved = hypot(b.place[0] - a.place[0], b.place[1] - a.place[1])
            cycles = ((b.layers[0][1] - a.layers[0][1]) / TRAITS.durations["walk"]) % 1
            assert a.walk is not None
            # a path bends, so that the chord is a little shorter than the way
            assert cycles * a.walk.stride == pytest.approx(moved, abs=2e-6)
            assert a.walk.stride == pytest.approx(TRAITS.stride, rel=0.2)
            checked += 1
    assert checked > 500


def test_a_poke_is_a_hop_on_the_spot_and_is_remembered() -> None:
    behaviour = Behaviour(TRAITS, seed=1)
    before = behaviour.stance(9.0).place
    assert behaviour.react(9.0, "poke") == "hop"
    now = behaviour.stance(9.5)
    assert now.layers[-1][0] == "hop"
    assert now.layers[-1][1] == pytest.approx(0.5)
    assert now.place == before
    again = Behaviour(TRAITS, seed=1)
    again.react(9.0, "poke")
    assert [again.stance(float(t)) for t in TIMES[270:900:7]] == [behaviour.stance(float(t)) for t in TIMES[270:900:7]]


def test_a_night_without_a_picture_is_not_lived_through() -> None:
    """Where tracking was lost, or the clock was set: it stands there, and goes on."""
    asked = 0

    def allowed(_x: float, _y: float) -> bool:
        nonlocal asked
        asked += 1
        return True

    behaviour = Behaviour(TRAITS, seed=1, allowed=allowed)
    before = behaviour.stance(9.0).place
    night = 9.0 + 9 * 3600
    assert np.hypot(*np.subtract(behaviour.stance(night).place, before)[:2]) < 2 * TRAITS.reach * TRAITS.height
    assert asked < 500
    places = np.array([behaviour.stance(night + float(t)).place for t in np.arange(0, 60, 0.1)])
    assert np.hypot(*(places[:, :2] - places[0, :2]).T).max() > 0.3 * TRAITS.height
    assert np.hypot(*np.diff(places[:, :2], axis=0).T).max() < 0.02, "no leap"


def test_without_the_clip_a_poke_still_lifts_it() -> None:
    behaviour = Behaviour(Traits(0.1, 0.04, {"idle": 2.0}), seed=1)
    behaviour.react(1.0, "poke")
    assert max(behaviour.stance(1.0 + s).lift for s in np.linspace(0, 0.6, 20)) == pytest.approx(0.035, rel=0.02)


def test_it_does_not_walk_where_it_may_not() -> None:
    behaviour = Behaviour(TRAITS, seed=1, allowed=lambda x, _y: x > -0.01)
    places = np.array([behaviour.stance(float(t)).place for t in TIMES])
    away = np.hypot(places[:, 0], places[:, 1]) > 0.1 * TRAITS.height
    assert away.any()
    assert (places[away, 0] > -0.012).all()


def test_a_clip_it_does_not_have_is_named() -> None:
    with pytest.raises(ValueError, match="no clip 'fly'; there are awaken, dance"):
        Behaviour(TRAITS).react(1.0, "clip", "fly")


def test_a_character_that_can_be_poked_and_eat_does_so() -> None:
    able = Traits(0.12, 0.05, {**TRAITS.durations, "poked": 1.8, "eat": 3.4, "sit": 6.0, "sleep": 9.0, "look": 4.0})
    behaviour = Behaviour(able, seed=1)
    assert behaviour.react(9.0, "poke") == "poked"
    assert behaviour.react(12.0, "feed") == "eat"
    assert behaviour.react(16.0, "clip", "sleep") == "sleep"
    assert behaviour.stance(20.0).layers[-1][0] == "sleep"
    done = {Behaviour(able, seed).stance(float(t)).layers[-1][0] for seed in range(12) for t in TIMES[::10]}
    assert done >= {"sit", "look", "sleep"}, "and of its own accord"


def test_it_walks_where_it_is_sent_and_stays_there() -> None:
    behaviour = Behaviour(TRAITS, seed=1)
    errand = behaviour.walk_to(9.0, (0.3, 0.2, 1.0))
    assert behaviour.left(9.0) > hypot(0.2, 0.1)
    assert behaviour.stance(errand.arrival).place == pytest.approx((0.3, 0.2, 1.0), abs=1e-6)
    assert behaviour.left(errand.arrival) == 0
    assert errand.broken == ""
    strolls = np.array([behaviour.stance(float(t)).place[:2] for t in np.arange(errand.arrival, 120, 0.1)])
    far = np.hypot(*(strolls - (0.3, 0.2)).T)
    assert 0.5 * TRAITS.height < far.max() <= 1.5 * TRAITS.height


def test_sent_again_while_it_walks_it_neither_stops_nor_slips() -> None:
    """It turns off as the feet pass each other: place, speed, heading and the walk's phase go on without a jump."""
    behaviour, step = Behaviour(TRAITS, seed=1), 1 / 240
    behaviour.walk_to(9.0, (0.4, 0.0, nan))
    goals, out = iter([(0.3, 0.2, nan), (0.1, 0.3, nan), (0.4, 0.3, nan)]), []
    for i in range(720):
        t = 9.0 + i * step
        if i in (150, 260, 430):
            behaviour.walk_to(t, next(goals))
        stance = behaviour.stance(t)
        assert stance.walk is not None
        out.append((*stance.place, stance.walk.phase % 1.0))
    x, y, heading, phase = np.array(out).T
    speed = np.hypot(np.diff(x), np.diff(y)) / step
    brisk = 1.6 * TRAITS.stride / TRAITS.durations["walk"]
    assert speed.max() < 1.01 * brisk
    assert speed[120:].min() > 0.95 * brisk
    assert np.abs(np.diff(speed)).max() < 0.02 * brisk
    assert np.abs((np.diff(heading) + np.pi) % (2 * np.pi) - np.pi).max() < 1.01 * brisk * step / (0.4 * TRAITS.height)
    assert np.abs((np.diff(phase) + 0.5) % 1.0 - 0.5).max() < 1.3 * brisk * step / TRAITS.stride


def test_it_is_told_what_came_of_its_errand() -> None:
    behaviour = Behaviour(TRAITS, seed=1)
    first = behaviour.walk_to(9.0, (0.4, 0.0, nan))
    second = behaviour.walk_to(9.5, (0.0, 0.4, nan))
    assert (first.broken, second.broken) == ("it was sent elsewhere", "")
    behaviour.react(10.0, "poke")
    assert second.broken == "it was to hop instead"
    third = behaviour.walk_to(12.0, (0.0, 0.3, nan))
    behaviour.halt(13.0, "enough")
    assert third.broken == "enough"
    rests = [behaviour.stance(t).place for t in (13.6, 14.0, 14.5)]
    assert rests[0] == rests[1] == rests[2] != (0.0, 0.3, 0.0)


def test_it_waits_until_it_is_awake() -> None:
    behaviour = Behaviour(TRAITS, seed=1)
    behaviour.walk_to(1.0, (0.2, 0.0, 0.0))
    assert behaviour.stance(4.0).layers[-1][0] == "awaken"
    assert behaviour.stance(5.0).layers[-1][0] == "walk"


def test_it_goes_around_who_stands_in_its_way_or_says_so() -> None:
    behaviour = Behaviour(TRAITS, seed=1, free=lambda: lambda x, y, _t: hypot(x - 0.2, y) > 0.08)
    errand = behaviour.walk_to(9.0, (0.4, 0.0, nan))
    way = np.array([behaviour.stance(float(t)).place[:2] for t in np.linspace(9.0, errand.arrival, 200)])
    assert np.hypot(*(way - (0.2, 0)).T).min() > 0.08 - 0.01  # between two looks ahead
    assert way[-1] == pytest.approx((0.4, 0.0), abs=1e-6)
    before = behaviour.stance(errand.arrival + 0.1)
    with pytest.raises(ValueError, match="somebody is in the way"):
        behaviour.walk_to(errand.arrival + 0.1, (0.2, 0.0, nan))
    with pytest.raises(ValueError, match="no way leads there"):
        behaviour.walk_to(errand.arrival + 0.1, (0.9, 0.0, nan), allowed=lambda x, _y: x < 0.5)
    assert behaviour.stance(errand.arrival + 0.1) == before
    with pytest.raises(ValueError, match="it has no clip 'walk'"):
        Behaviour(Traits(0.1, 0.05, {"idle": 1.0})).walk_to(1.0, (0.1, 0.0, 0.0))


def test_what_is_resumed_walks_on() -> None:
    first = Behaviour(TRAITS, seed=1)
    first.walk_to(9.0, (0.4, 0.0, 0.5))
    first.walk_to(10.0, (0.3, 0.2, 0.5))
    second = Behaviour(TRAITS, seed=1)
    second.resume(first.recent(), first.base)
    for t in (10.2, 11.0, 14.0, 30.0):
        assert second.stance(t) == first.stance(t)
    assert walk_of(TRAITS, first._at(11.0), 11.0).stride == pytest.approx(TRAITS.stride, rel=0.1)
