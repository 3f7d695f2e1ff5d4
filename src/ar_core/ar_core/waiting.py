"""Waits for a node's inputs at half of what rclpy's executor costs.

For every message the executor collects all entities in Python generators, builds a wait set, wraps the callback in a task:
some 0.5 ms on a weak core, for each of eight processes several times a picture. Here one wait set is kept; when inputs are
ready the node takes their messages itself (``Ears.drain``), and only when it is something else (timers, services, answers,
tasks, other subscriptions) the executor has a turn. Events of the middleware it sees with the next timer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

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
    """Turns of a node that has ``drain`` and ``inputs``; any other node, or another rclpy than we know, spins as ever."""

    def __init__(self, node: Any, executor: SingleThreadedExecutor) -> None:
        self._node, self._executor = node, executor
        known = hasattr(executor, "_guard") and hasattr(executor, "_sigint_gc") and hasattr(implementation, "WaitSet")
        self._lean = known and hasattr(node, "drain")
        self._sizes: tuple[int, ...] = ()
        self._wait_set: Any = None

    def turn(self, timeout_s: float | None = None) -> None:
        """Wait until something is there, or so long; let the executor do one thing of what is not an input."""
        if not self._lean:
            self._executor.spin_once(timeout_sec=timeout_s)
        elif not self._only_inputs(-1 if timeout_s is None else max(0, int(timeout_s * 1e9))):
            self._executor.spin_once(timeout_sec=0)

    def _only_inputs(self, timeout_ns: int) -> bool:
        """Wait; whether nothing but inputs is ready."""
        node, executor = self._node, self._executor
        subscriptions, timers = list(node.subscriptions), list(node.timers)
        clients, services = list(node.clients), list(node.services)
        guards = [*node.guards, executor._guard, executor._sigint_gc]
        with ExitStack() as held:
            try:
                for entity in (*subscriptions, *guards, *timers, *clients, *services):
                    held.enter_context(entity.handle)
                held.enter_context(node.context.handle)
            except implementation.InvalidHandle:  # destroyed by another thread in this moment
                return False
            sizes = (len(subscriptions), len(guards), len(timers), len(clients), len(services), 0)
            if sizes != self._sizes:
                self._wait_set, self._sizes = implementation.WaitSet(*sizes, node.context.handle), sizes
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
            wait_set.wait(timeout_ns)
            if any(wait_set.get_ready_entities(kind) for kind in OTHERS):
                return False
            inputs = node.inputs
            if len(subscriptions) == len(inputs):
                return True
            return set(wait_set.get_ready_entities("subscription")) <= {one.handle.pointer for one in inputs}
