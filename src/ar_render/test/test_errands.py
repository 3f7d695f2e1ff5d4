"""Characters are sent about on a table whose edge is known."""

from math import atan2, hypot, isnan

import numpy as np
import pytest
from table_scene import CAMERA, looking

from ar_core.geometry import Plane, pose
from ar_render.actors import Actor, Seen
from ar_render.behaviour import Behaviour, Traits
from ar_render.errands import apart, called, goal_of, nearest, on_table, send, standing, strolls, under
from ar_render.plane_view import View

TRAITS = Traits(0.12, 0.05, {"idle": 6.0, "walk": 0.9, "wave": 2.4})
TABLE = np.array([[-0.3, -0.2, 0], [0.3, -0.2, 0], [0.3, 0.2, 0], [-0.3, 0.2, 0]])
HOME = pose(np.array([[0, -1.0, 0], [1, 0, 0], [0, 0, 1]]), np.array([0.1, 0.0, 0.0]))  # looks along +y of map
S = 10**9


def seen(extent: np.ndarray = TABLE, plane: Plane | None = None) -> Seen:
    view = looking(0.3)
    return Seen(View(CAMERA, view.T_map_camera, plane or view.plane), 0, extent)


def actor(id: str = "mug", at: tuple[float, float] = (0.1, 0.0), seed: int = 1) -> Actor:
    spot = np.array([*at, 0.0])
    out = Actor(id, None, Behaviour(TRAITS, seed), spot, np.array([0, 1.0, 0]), spot, 0, 0)  # type: ignore[arg-type]
    out.radius = 0.04
    return out


def test_a_goal_in_map_is_a_place_of_its_home() -> None:
    x, y, heading = goal_of(actor(), seen(), np.array([0.2, 0.15, 0.0]), np.array([1.0, 0, 0]))
    assert (x, y) == pytest.approx((0.15, -0.1))
    assert heading == pytest.approx(-np.pi / 2)
    assert isnan(goal_of(actor(), seen(), np.array([0.2, 0.15, 0.0]))[2])
    assert isnan(goal_of(actor(), seen(), np.array([0.2, 0.15, 0.0]), np.array([0, 0, 1.0]))[2])


def test_a_goal_beyond_the_edge_is_brought_to_it_or_refused() -> None:
    x, y, _ = goal_of(actor(), seen(), np.array([0.35, 0.1, 0.0]))
    assert (x, y) == pytest.approx((0.1, -0.2))  # x = 0.3 of map
    with pytest.raises(ValueError, match=r"the goal is 0\.20 m beyond what is known of the table"):
        goal_of(actor(), seen(), np.array([0.5, 0.1, 0.0]))
    with pytest.raises(ValueError, match=r"the goal is 0\.40 m above the table"):
        goal_of(actor(), seen(), np.array([0.1, 0.1, 0.4]))
    assert goal_of(actor(), seen(np.zeros((0, 3))), np.array([0.5, 0.1, 0.0]))[:2] == pytest.approx((0.1, -0.4))
    for far in (40.0, 1e9, 1e308):
        with pytest.raises(ValueError, match="m away; at most 12 m"):
            goal_of(actor(), seen(np.zeros((0, 3))), np.array([far, 0.0, 0.0]))
    other = actor()
    other.map_id = 3
    with pytest.raises(ValueError, match="no place in the present map"):
        goal_of(other, seen(), np.zeros(3))


def test_in_a_map_of_another_scale_it_walks_to_the_same_metres() -> None:
    grown = actor()
    grown.scale = 2.0
    errand = send(grown, seen(), 9 * S, pose(np.eye(3), np.array([0.2, 0.1, 0.0])))
    T = standing(grown, Plane.ground(), round(errand.arrival * S))
    assert T[:3, 3] == pytest.approx([0.2, 0.1, 0], abs=1e-6)
    assert T[:3, 0] == pytest.approx([1, 0, 0], abs=1e-6)


def test_its_way_stays_on_the_table() -> None:
    one = actor(at=(0.27, 0.0))
    allowed = on_table(one, seen())
    send(one, seen(), 9 * S, pose(np.eye(3), np.array([0.27, -0.15, 0.0])))
    way = [one.behaviour.stance(float(t)).place for t in np.arange(9.0, 20, 0.05)]
    assert all(allowed(x, y) for x, y, _ in way)
    assert not allowed(0.0, -0.2)


def test_under_a_pixel() -> None:
    one = actor()
    view = seen().view
    u, v = CAMERA.project(np.array([[-0.1, 0.1, 0.0]]), view.T_map_camera)[0]
    goal = under(one, seen(), 9 * S, (float(u), float(v)))
    assert goal[:3, 3] == pytest.approx([-0.1, 0.1, 0], abs=1e-6)
    assert goal[:3, 0] == pytest.approx(np.array([-2, 1, 0]) / hypot(2, 1), abs=1e-6)
    with pytest.raises(ValueError, match="does not show the table"):
        under(one, seen(), 9 * S, (160.0, -4000.0))


def test_who_is_called_comes_nearer_and_waves() -> None:
    one, now = actor(), seen()
    eye = now.view.T_map_camera[:3, 3]
    assert called(one, now, 9 * S) == "come"
    assert one.behaviour.errand is not None
    arrival = one.behaviour.errand.arrival
    T = standing(one, now.view.plane, round(arrival * S))
    nearer = np.linalg.norm(one.spot[:2] - eye[:2]) - np.linalg.norm(T[:2, 3] - eye[:2])
    assert nearer == pytest.approx(
        0.6 * TRAITS.height, abs=1e-3
    )  # with a whole height its head would leave the picture
    assert atan2(T[1, 0], T[0, 0]) == pytest.approx(atan2(*(eye - one.spot)[1::-1]), abs=1e-3)
    assert one.behaviour.stance(arrival + 0.3).layers[-1][0] == "wave"
    assert one.gaze is not None
    assert one.gaze[0] > arrival
    stuck = actor()
    assert called(stuck, seen(0.001 * TABLE + HOME[:3, 3]), 9 * S) == "wave"  # there is no room: it waves where it is


def test_two_who_cross_keep_apart() -> None:
    one, two = actor(at=(-0.2, 0.0)), actor("duck", (0.2, 0.0))
    both = [one, two]
    for who in both:
        who.behaviour.free = lambda who=who: apart(who, both, Plane.ground())  # type: ignore[misc]
    a = send(one, seen(), 9 * S, pose(np.eye(3), np.array([0.1, 0.02, 0.0])))
    b = send(two, seen(), 9 * S, pose(np.eye(3), np.array([-0.15, 0.0, 0.0])))
    gaps = []
    for t in np.arange(9.0, max(a.arrival, b.arrival), 0.02):
        p, q = (standing(who, Plane.ground(), round(t * S))[:3, 3] for who in both)
        gaps.append(float(np.linalg.norm(p - q)))
    assert min(gaps) > 0.08 - 0.01  # their radii; between two looks ahead
    with pytest.raises(ValueError, match="somebody is in the way"):
        send(two, seen(), round(b.arrival * S), pose(np.eye(3), np.array([0.1, 0.0, 0.0])))


def test_who_strolls_stays_in_the_picture() -> None:
    assert strolls(actor(), seen(), 0.0, 0.05)
    assert not strolls(actor(), seen(), 0.0, -0.25)  # off the table
    assert not strolls(actor(), seen(np.zeros((0, 3))), 0.0, 3.0)  # out of sight


def test_nearest_of_an_outline() -> None:
    square = np.array([[0, 0], [2, 0], [2, 2], [0, 2.0]])
    assert nearest(square, (1.0, 1.0)) == ((1.0, 1.0), 0.0)
    assert nearest(square, (3.0, 1.0)) == ((2.0, 1.0), 1.0)
    assert nearest(square[::-1], (-3.0, -4.0)) == ((0.0, 0.0), 5.0)
    assert nearest(np.zeros((0, 2)), (7.0, 7.0)) == ((7.0, 7.0), 0.0)
