"""What can be asked of the render node: its services, and ``render/walk_to``. Part of the shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ar_core.conversions import nanoseconds, stamp_from
from ar_core.stage import Stage
from ar_interfaces.action import WalkTo
from ar_interfaces.srv import Act, Place, Remove
from ar_render.theatre import Theatre
from ar_render.walkers import NOWHERE, Walkers


class Services:
    """Answers for a stage, in its worker thread: between two pictures. ``ready`` gives the theatre, or says in a ValueError
    why there is none.
    """

    def __init__(self, stage: Stage[Any], ready: Callable[[], Theatre]) -> None:
        self._stage, self._ready = stage, ready
        self.walkers = Walkers(ready, self._took_effect)
        stage.serve(Place, "render/place", self._place, asked_by="director")
        stage.serve(Act, "render/act", self._act, asked_by="director")
        stage.serve(Remove, "render/remove", self._remove, asked_by="director")
        stage.perform(WalkTo, "render/walk_to", self.walkers.begin, asked_by="director")

    def dismiss(self, id: str, why: str) -> list[str]:
        """Let one character become a thing again, or all (no id), and say so; who that was."""
        gone = self._ready().remove(id)
        for one in gone:
            self._took_effect("remove", one, "", NOWHERE, why)
        return gone

    def _place(self, request: Place.Request, response: Place.Response) -> Place.Response:
        id = self._ready().place(request.id, (request.x, request.y), nanoseconds(request.stamp))
        self._took_effect("place", id, "", (request.x, request.y), f"{id} stands there now")
        response.success, response.message = True, f"{id} stands there now"
        return response

    def _act(self, request: Act.Request, response: Act.Response) -> Act.Response:
        theatre = self._ready()
        pixel = (request.x, request.y)
        if request.action == "lead":
            response.id = self.walkers.lead(request.id, pixel, nanoseconds(request.stamp))
            response.success, response.message = True, f"{response.id} comes"
            return response
        id, done = theatre.act(request.id, request.action, request.name, pixel, nanoseconds(request.stamp), theatre.now)
        self._took_effect("act", id, done, pixel, request.action)
        response.success, response.id, response.message = True, id, f"{id or 'all'}: {done}"
        return response

    def _remove(self, request: Remove.Request, response: Remove.Response) -> Remove.Response:
        gone = self.dismiss(request.id, "removed")
        if request.id and not gone:
            raise ValueError(f"there is no character '{request.id}'")
        response.success, response.message = True, f"removed {', '.join(gone) or 'nobody: there was none'}"
        return response

    def _took_effect(
        self, kind: str, id: str, name: str, pixel: tuple[float, float], message: str, **more: Any
    ) -> None:
        at = [float(v) for v in pixel] if np.isfinite(pixel).all() else []
        fields = {"id": id, "name": name, "pixel": at, "success": True, "message": message, **more}
        self._stage.event(stamp_from(self._ready().now), kind, **fields)
