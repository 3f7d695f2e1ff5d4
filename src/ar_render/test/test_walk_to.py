"""``render/walk_to`` and being led, over real topics."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("ar_interfaces")


from action_msgs.msg import GoalStatus
from geometry_msgs.msg import Point, PoseStamped, Vector3
from node_bench import START, STEP, Bench
from std_msgs.msg import Header
from table_scene import CAMERA

from ar_core.conversions import nanoseconds
from ar_interfaces.action import WalkTo
from ar_interfaces.msg import PlaneStamped
from ar_interfaces.srv import Act

pytestmark = pytest.mark.graph

NAN = float("nan")
SQUARE = ((-0.3, -0.3), (0.3, -0.3), (0.3, 0.3), (-0.3, 0.3))


def goal_at(x: float, y: float, frame: str = "map") -> WalkTo.Goal:
    goal = WalkTo.Goal(goal=PoseStamped(header=Header(frame_id=frame)))
    goal.goal.pose.position.x, goal.goal.pose.position.y = x, y
    return goal


def test_it_walks_where_a_robot_points(bench: Bench) -> None:
    bench.awakened()
    bench.n += 180  # it is awake
    bench.show()
    told: list[float] = []
    _, done = bench.send(goal_at(0.05, 0.08), told)
    bench.until(lambda: [e for e in bench.events if e.kind == "walk_to"])
    event = next(e for e in bench.events if e.kind == "walk_to")
    assert (event.id, event.pose.position.x, event.pose.position.y) == ("mug", 0.05, 0.08)
    assert nanoseconds(event.header.stamp) == START + (bench.n - 1) * STEP
    steps = 0
    while not done.done():
        assert (steps := steps + 1) < 100
        bench.n += 4
        shown = len(told)
        bench.show()
        bench.until(lambda n=shown: len(told) > n or done.done())
    result = done.result()
    assert result.status == GoalStatus.STATUS_SUCCEEDED
    assert (result.result.id, result.result.message) == ("mug", "arrived")
    where = result.result.pose.position
    assert (where.x, where.y, where.z) == pytest.approx((0.05, 0.08, 0.0), abs=1e-4)
    assert len(told) > 5
    assert told == sorted(told, reverse=True)
    bench.until(lambda: [e for e in bench.events if e.kind == "arrived"])


def test_a_goal_that_is_none_is_refused_in_words(bench: Bench) -> None:
    bench.show()
    for goal, words in ((goal_at(0, 0), "there is no character yet"), (goal_at(0, 0, "base"), "give it in 'map'")):
        _, done = bench.send(goal)
        bench.until(done.done)
        assert done.result().status == GoalStatus.STATUS_ABORTED
        assert words in done.result().result.message
    bench.awakened()
    bench.plane.publish(PlaneStamped(normal=Vector3(z=1.0), extent=[Point(x=x, y=y) for x, y in SQUARE]))
    bench.until(lambda: bench.node.planes and len(bench.node.planes[0][1]) == 4)
    bench.show()
    for goal, words in (
        (goal_at(3.0, 0.0), "beyond what is known of the table"),
        (goal_at(NAN, 0.0), "NaN"),
        (WalkTo.Goal(id="cat", goal=goal_at(0.0, 0.0).goal), "no character 'cat'"),
    ):
        _, done = bench.send(goal)
        bench.until(done.done)
        assert done.result().status == GoalStatus.STATUS_ABORTED
        assert words in done.result().result.message
    assert not [e for e in bench.events if e.kind == "walk_to"]


def test_who_is_called_off_or_asked_something_else_stops(bench: Bench) -> None:
    bench.awakened()
    bench.n += 180
    bench.show()
    handle, done = bench.send(goal_at(0.05, 0.08))
    cancelled = handle.cancel_goal_async()
    bench.until(cancelled.done)
    bench.show()
    bench.until(done.done)
    assert done.result().status == GoalStatus.STATUS_CANCELED
    assert done.result().result.message == "it was called off"
    _, done = bench.send(goal_at(-0.05, 0.06))
    u, v = (float(x) for x in CAMERA.project(np.array([[0.03, 0.05, 0.0]]), bench.view.T_map_camera)[0])
    answer = bench.call(bench.act, Act.Request(id="mug", action="lead", x=u, y=v))
    assert (answer.success, answer.message) == (True, "mug comes")
    bench.show()
    bench.until(done.done)
    assert done.result().status == GoalStatus.STATUS_ABORTED
    assert done.result().result.message == "it was sent elsewhere"
    bench.n += 200
    bench.show()
    bench.until(lambda: [e for e in bench.events if e.kind == "arrived" and e.success])
    assert bench.events[-1].pose.position.x == pytest.approx(0.03, abs=1e-3)
    assert bench.call(bench.act, Act.Request(id="mug", action="call")).success
