"""Waits for a node's inputs at half of what rclpy's executor costs.

For every message the executor collects all entities in Python generators, builds a wait set, wraps the callback in a task:
some 0.5 ms on a weak core, for each of eight processes several times a picture. Here one wait set is kept; when inputs are
ready the node takes their messages itself (``Ears.drain``), and only when it is something else (timers, services, answers,
tasks, actions, other subscriptions) the executor has a turn. Events of the middleware it sees with the next timer. What
rides (``Ears.listen``) is taken along, but not waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

from rclpy.action.server import ActionServer
from rclpy.executors import SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation as implementation

OTHERS = ("guard_condition", "timer", "client", "service")


def take_all(inputs: Iterable[tuple[Any, Callable[[Any], None]]]) -> None:
    """Hand what has arrived on subscriptions to the callbacks beside them; waits for nothing."""
    for subscription, callback in inputs:
        with subscription.handle:
            while (taken := subscription.handle.take_message(subscription.msg_type, False)) is not None:
                callback(taken[0])


class Waiter:
    """Turns of a node that has ``drain`` and ``inputs``; any other node, or another rclpy than we know, spins as ever.

    What it waits for is held until it is another set of things, or ``close``: who destroys something wakes the executor.
    """

    def __init__(self, node: Any, executor: SingleThreadedExecutor) -> None:
        self._node, self._executor = node, executor
        known = all(hasattr(executor, name) for name in ("_guard", "_sigint_gc", "_tasks")) and hasattr(
            implementation, "WaitSet"
        )
        self._lean = known and hasattr(node, "drain")
        self._entities: tuple[list[Any], ...] = ()
        self._held = ExitStack()
        self._wait_set: Any = None

    def close(self) -> None:
        """Let go of what was waited for."""
        self._entities = ()
        self._held.close()

    def turn(self, timeout_s: float | None = None) -> None:
        """Wait until something is there, or so long; let the executor do one thing of what is not an input."""
        if not self._lean:
            self._executor.spin_once(timeout_sec=timeout_s)
        elif not self._only_inputs(-1 if timeout_s is None else max(0, int(timeout_s * 1e9))):
            self._executors_turn()

    def _executors_turn(self) -> None:
        """One thing of what is ready, and a look at each task that is unfinished: what it awaits may have come. What has been
        woken before is not woken for again, so a task that has just been made needs another turn.
        """
        before = {id(task) for task in self._unfinished()}
        self._executor.spin_once(timeout_sec=0)
        for _ in self._unfinished() * 2:
            self._executor.spin_once(timeout_sec=0)
        if any(id(task) not in before for task in self._unfinished()):
            self._executor.wake()

    def _unfinished(self) -> list[Any]:
        return [task for task, *_ in list(self._executor._tasks) if not task.done()]

    def _only_inputs(self, timeout_ns: int) -> bool:
        """Wait; whether nothing but inputs is ready."""
        node, executor = self._node, self._executor
        riders = getattr(node, "riders", ())
        entities = (
            [one for one in node.subscriptions if one not in riders],
            [*node.guards, executor._guard, executor._sigint_gc],
            list(node.timers),
            list(node.clients),
            list(node.services),
            [waitable for waitable in node.waitables if isinstance(waitable, ActionServer)],
        )
        if entities != self._entities:
            try:
                self._hold(entities)
            except implementation.InvalidHandle:  # destroyed by another thread in this moment
                self.close()
                return False
        subscriptions, guards, timers, clients, services, actions = entities
        wait_set = self._wait_set
        wait_set.clear_entities()
        for subscription in subscriptions:
            wait_set.add_subscription(subscription.handle)
        for guard in guards:
            wait_set.add_guard_condition(guard.handle)
        for timer in timers:
            wait_set.add_timer(timer.handle)
        for client in clients:
            wait_set.add_client(client.handle)
        for service in services:
            wait_set.add_service(service.handle)
        for action in actions:
            action.add_to_wait_set(wait_set)
        wait_set.wait(timeout_ns)
        if any(wait_set.get_ready_entities(kind) for kind in OTHERS):
            return False
        inputs = [one for one in node.inputs if one not in riders]
        if len(subscriptions) == len(inputs):
            return True
        return set(wait_set.get_ready_entities("subscription")) <= {one.handle.pointer for one in inputs}

    def _hold(self, entities: tuple[list[Any], ...]) -> None:
        """A wait set for these: subscriptions, guards, timers, clients, services, actions."""
        self.close()
        *plain, actions = entities
        for entity in (one for kind in plain for one in kind):
            self._held.enter_context(entity.handle)
        self._held.enter_context(self._node.context.handle)
        sizes = [len(kind) for kind in plain]
        for action in actions:  # services and a timer
            n = action.get_num_entities()
            more = (n.num_subscriptions, n.num_guard_conditions, n.num_timers, n.num_clients, n.num_services)
            sizes = list(map(sum, zip(sizes, more, strict=True)))
        self._wait_set = implementation.WaitSet(*sizes, 0, self._node.context.handle)
        self._entities = entities
