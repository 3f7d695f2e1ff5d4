"""Who walks somewhere because it was asked to, and who wants to hear of it: what the node does for ``render/walk_to``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geometry_msgs.msg import Pose

from ar_core.conversions import matrix_from, pose_message
from ar_core.task import Outcome, Task
from ar_render.actors import Actor
from ar_render.behaviour import Errand
from ar_render.errands import standing
from ar_render.theatre import Theatre

NOWHERE = (float("nan"), float("nan"))


class Walkers:
    """Used in the worker thread. ``ready`` gives the theatre, ``say`` publishes an event (see ``Render._took_effect``)."""

    def __init__(self, ready: Callable[[], Theatre], say: Callable[..., None]) -> None:
        self._ready, self._say = ready, say
        self._walks: list[tuple[Task | None, Actor, Errand]] = []

    def begin(self, task: Task) -> None:
        """A goal of the action; ValueError when it is refused."""
        frame = task.goal.goal.header.frame_id
        if frame.removeprefix("/") != "map":
            raise ValueError(f"walk_to: the goal is in frame '{frame}'; give it in 'map' (tf2 transforms poses)")
        self._send(task, task.goal.id, task.goal.goal.pose)

    def lead(self, id: str, pixel: tuple[float, float], stamp: int) -> str:
        """To the table under a pixel of the picture with this stamp; says who comes."""
        return self._send(None, id, pose_message(self._ready().led(id, pixel, stamp))).id

    def follow(self, theatre: Theatre) -> None:
        """Once per picture: tell how far it is still, and who has arrived."""
        self._walks = [walk for walk in self._walks if self._goes_on(theatre, *walk)]

    def close(self, why: str) -> None:
        """Nobody walks on."""
        for task, actor, _ in self._walks:
            if task is not None:
                task.end("abort", id=actor.id, message=why)
        self._walks = []

    def _send(self, task: Task | None, id: str, goal: Pose) -> Actor:
        actor, errand = self._ready().walk_to(id, matrix_from(goal))
        self._say("walk_to", actor.id, "", NOWHERE, "on its way", pose=goal)
        self._walks.append((task, actor, errand))
        return actor

    def _goes_on(self, theatre: Theatre, task: Task | None, actor: Actor, errand: Errand) -> bool:
        t = actor.seconds(theatre.now)
        if task is not None and task.cancelled and not errand.broken:
            actor.behaviour.halt(t, "it was called off")
            self._say("act", actor.id, "stop", NOWHERE, "stop")
        if not errand.broken and t < errand.arrival:
            if task is not None:
                task.tell(distance=float(actor.behaviour.left(t) * actor.scale))
            return True
        message = errand.broken or "arrived"
        more: dict[str, Any] = {"pose": pose_message(standing(actor, theatre.plane, theatre.now))}
        if not errand.broken:  # who is led is sent elsewhere all the time
            self._say("arrived", actor.id, "", NOWHERE, message, **more)
        if task is not None:
            outcome: Outcome = "canceled" if task.cancelled else "abort" if errand.broken else "succeed"
            task.end(outcome, id=actor.id, message=message, **more)
        return False
