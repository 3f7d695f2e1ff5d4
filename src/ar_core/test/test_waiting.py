"""The node's loop: inputs are handled without the executor, everything else by it, and nothing is forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import rclpy
from rclpy.action import ActionClient, ActionServer
from rclpy.context import Context
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future
from std_msgs.msg import String
from std_srvs.srv import Trigger

from ar_core import qos
from ar_core.waiting import Waiter, take_all
from ar_interfaces.action import WalkTo


class Listener(Node):
    """Two inputs, a subscription of another kind, a timer, a service that is answered from another thread."""

    def __init__(self, context: Context) -> None:
        super().__init__("listener", context=context)
        self.riders: list[Any] = []
        self.heard: list[str] = []
        self.other: list[str] = []
        self.ticks = 0
        self.asked: list[Future] = []
        self._pairs = [
            (self.create_subscription(String, f"waiting/t{i}", self.keep, qos.reliable(50)), self.keep)
            for i in range(2)
        ]
        self.create_subscription(String, "waiting/other", lambda m: self.other.append(m.data), qos.reliable(50))
        self.create_timer(0.05, self.tick)
        self.create_service(Trigger, "waiting/ask", self.answer)

    def keep(self, message: String) -> None:
        self.heard.append(message.data)

    def tick(self) -> None:
        self.ticks += 1

    async def answer(self, request: Any, response: Any) -> Any:
        self.asked.append(Future())
        response.message = await self.asked[-1]
        response.success = True
        return response

    @property
    def inputs(self) -> list[Any]:
        return [subscription for subscription, _ in self._pairs]

    def drain(self) -> None:
        take_all(self._pairs)


class Counting(SingleThreadedExecutor):
    """Counts its turns."""

    turns = 0

    def spin_once(self, timeout_sec: float | None = None) -> None:
        self.turns += 1
        super().spin_once(timeout_sec)


Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def setup(own_domain_context: Context) -> Iterator[tuple[Listener, Node, Counting, Until]]:
    context = own_domain_context
    listener, speaker, executor = Listener(context), Node("speaker", context=context), Counting(context=context)
    executor.add_node(listener)
    speaking = SingleThreadedExecutor(context=context)
    speaking.add_node(speaker)
    waiter = Waiter(listener, executor)

    def until(condition: Callable[[], object]) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end
            waiter.turn(0.1)
            listener.drain()
            speaking.spin_once(timeout_sec=0)

    yield listener, speaker, executor, until
    waiter.close()
    executor.shutdown()
    speaking.shutdown()
    listener.destroy_node()
    speaker.destroy_node()


@pytest.fixture
def own_domain_context() -> Iterator[Context]:
    context = Context()
    rclpy.init(context=context)
    yield context
    rclpy.try_shutdown(context=context)


def test_inputs_come_in_order_and_cost_the_executor_nothing(setup: tuple[Listener, Node, Counting, Until]) -> None:
    listener, speaker, executor, until = setup
    publisher = speaker.create_publisher(String, "waiting/t0", qos.reliable(50))
    until(lambda: publisher.get_subscription_count())
    turns, ticks = executor.turns, listener.ticks
    for i in range(200):
        publisher.publish(String(data=str(i)))
        until(lambda n=i: len(listener.heard) > n)  # type: ignore[misc]
    assert listener.heard == [str(i) for i in range(200)]
    assert executor.turns - turns < 100 + 3 * (listener.ticks - ticks)  # the timer's, not the messages'


def test_what_rides_wakes_nobody_and_comes_with_what_does(setup: tuple[Listener, Node, Counting, Until]) -> None:
    listener, speaker, _, until = setup
    listener.riders = listener.inputs[1:]
    woken = {topic: speaker.create_publisher(String, topic, qos.reliable(50)) for topic in ("waiting/t0", "waiting/t1")}
    until(lambda: all(publisher.get_subscription_count() for publisher in woken.values()))

    def said(topic: str, waiter: Waiter) -> bool:
        """Whether a message that has surely arrived ends a wait."""
        woken[topic].publish(String(data=topic))
        assert woken[topic].wait_for_all_acked(Duration(seconds=60))
        waiter._only_inputs(0)
        return bool(waiter._wait_set.get_ready_entities("subscription"))

    waiter = Waiter(listener, listener.executor)
    assert not said("waiting/t1", waiter)
    assert said("waiting/t0", waiter)
    waiter.close()
    listener.drain()
    assert listener.heard == ["waiting/t0", "waiting/t1"]


def test_who_is_destroyed_while_it_is_waited_for_goes(setup: tuple[Listener, Node, Counting, Until]) -> None:
    listener, speaker, _, until = setup
    publisher = speaker.create_publisher(String, "waiting/t0", qos.reliable(50))
    until(lambda: publisher.get_subscription_count() == 1)
    (gone, _) = listener._pairs.pop(0)
    listener.destroy_subscription(gone)
    until(lambda: publisher.get_subscription_count() == 0)


def test_timers_other_subscriptions_and_late_ones_are_served(setup: tuple[Listener, Node, Counting, Until]) -> None:
    listener, speaker, _, until = setup
    until(lambda: listener.ticks >= 3)
    publisher = speaker.create_publisher(String, "waiting/other", qos.reliable(50))
    until(lambda: publisher.get_subscription_count())
    publisher.publish(String(data="a"))
    until(lambda: listener.other == ["a"])
    late: list[str] = []
    listener.create_subscription(String, "waiting/late", lambda m: late.append(m.data), qos.reliable(50))
    publisher = speaker.create_publisher(String, "waiting/late", qos.reliable(50))
    until(lambda: publisher.get_subscription_count())
    publisher.publish(String(data="b"))
    until(lambda: late == ["b"])


def test_an_answer_from_another_thread_goes_out(setup: tuple[Listener, Node, Counting, Until]) -> None:
    listener, speaker, executor, until = setup
    client = speaker.create_client(Trigger, "waiting/ask")
    until(client.service_is_ready)
    future = client.call_async(Trigger.Request())
    until(lambda: listener.asked)

    def answer() -> None:
        listener.asked[0].set_result("done")
        executor.wake()

    thread = threading.Thread(target=answer)
    thread.start()
    until(future.done)
    thread.join()
    assert future.result().message == "done"


def test_a_goal_of_an_action_wakes_it(own_domain_context: Context) -> None:
    """Nothing else would: there is no timer, and each turn ends without the executor's when nothing is there."""

    class Walker(Node):
        inputs: tuple[Any, ...] = ()

        def drain(self) -> None:
            """There is nothing."""

    walker, asker = Walker("walker", context=own_domain_context), Node("asker", context=own_domain_context)

    async def walk(goal: Any) -> WalkTo.Result:
        goal.succeed()
        return WalkTo.Result(message=f"{goal.request.id} is there")

    server, client = ActionServer(walker, WalkTo, "waiting/walk", walk), ActionClient(asker, WalkTo, "waiting/walk")
    executor, asking = Counting(context=own_domain_context), SingleThreadedExecutor(context=own_domain_context)
    executor.add_node(walker)
    asking.add_node(asker)
    waiter = Waiter(walker, executor)

    def until(condition: Callable[[], object]) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end
            waiter.turn(0.1)
            asking.spin_once(timeout_sec=0)

    until(client.server_is_ready)
    accepted = client.send_goal_async(WalkTo.Goal(id="mug"))
    until(accepted.done)
    done = accepted.result().get_result_async()
    until(done.done)
    assert done.result().result.message == "mug is there"
    waiter.close()
    server.destroy()
    client.destroy()
    for one in (executor, asking):
        one.shutdown()
    for node in (walker, asker):
        node.destroy_node()


def test_an_unknown_rclpy_spins_as_ever(own_domain_context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    node = Listener(own_domain_context)
    executor = Counting(context=own_domain_context)
    executor.add_node(node)
    monkeypatch.delattr("ar_core.waiting.implementation.WaitSet")
    waiter = Waiter(node, executor)
    monkeypatch.undo()
    for _ in range(20):
        waiter.turn(0.1)
    assert executor.turns == 20
    assert node.ticks > 0
    waiter.close()
    executor.shutdown()
    node.destroy_node()
