"""The characters of a picture: where each stands, what it does now, and the picture with all of them in it.

This is the node without ROS: stamps are integers of nanoseconds, poses are (4, 4) matrices.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Plane, hit_plane

from . import memory
from .actors import Actor, Entrance, Seen, own_clips, standing_place, stride_of, towards_camera
from .behaviour import Behaviour, Errand, Traits
from .clearing import Clearing, carried
from .emission import Emission
from .errands import apart, called, girth, send, strolls, under
from .feet import find_feet, passing_phase
from .layout import Body, Contents, Figure
from .light import LightMeter
from .model import Model
from .particles import Particles, awakening
from .posing import figure_of
from .scene import Renderer
from .views import Views

Array = NDArray[Any]


class Theatre:
    """All characters, drawn with one renderer. Use from the renderer's thread."""

    def __init__(self, renderer: Renderer, seed: int = 0, *, synchronous: bool = False) -> None:
        self.renderer, self.seed = renderer, seed
        self.actors: OrderedDict[str, Actor] = OrderedDict()
        self.meter = LightMeter()
        self.clearing = Clearing(self.meter, synchronous=synchronous)
        self.shown: list[str] = []
        self.now, self.plane = 0, Plane.ground()
        self._begins_again = False
        self._waiting: OrderedDict[str, tuple[Entrance, Body]] = OrderedDict()
        self._views = Views()
        self.figures: list[tuple[str, Figure]] = []
        self._kept: dict[str, dict[str, Any]] = {}

    # ---- who is there

    def enter(self, entrance: Entrance, model: Model) -> None:
        """A character shall appear with the next picture whose pose is known; it replaces one with the same id."""
        if not (np.isfinite(entrance.height) and entrance.height > 0):
            raise ValueError(f"character {entrance.id}: height {entrance.height!r} m is not positive")
        body = self.renderer.load(model)
        old = self.actors.get(entrance.id)
        if old is not None:  # the same character, told again or made better: it goes on where it is
            self.renderer.unload(old.body)
            old.body, old.emission = body, Emission.of(model, entrance.height, old.feet, old.behaviour.seed)
            return
        if entrance.id in self._waiting:
            self.renderer.unload(self._waiting[entrance.id][1])
        self._waiting[entrance.id] = (entrance, body)

    def remove(self, id: str = "") -> list[str]:
        """Take one character away, or all; says which."""
        gone = [i for i in (*self.actors, *self._waiting) if id in ("", i)]
        for i in gone:
            actor = self.actors.pop(i, None)
            body = self._waiting.pop(i)[1] if actor is None else actor.body
            if actor is not None:
                actor.behaviour.halt(actor.seconds(self.now), "it is gone")
            self.renderer.unload(body)
        return gone

    def place(self, id: str, pixel: tuple[float, float], stamp: int) -> str:
        """Put a character (the newest without id) on the table under a pixel of the picture with this stamp (0: newest)."""
        actor = self._actor(id)
        seen = self._views.of(stamp)
        v = seen.view
        spot = hit_plane(np.array([pixel], np.float64), v.intrinsics, v.T_map_camera, v.plane)[0]
        if not np.isfinite(spot).all():
            raise ValueError(f"pixel ({pixel[0]:.0f}, {pixel[1]:.0f}) does not show the table")
        if actor.map_id != seen.map_id and not self._carry_over(actor, seen):
            actor.origin = spot
        actor.spot, actor.map_id = spot, seen.map_id
        actor.ahead = towards_camera(spot, v)
        actor.behaviour.go_home(actor.seconds(self.now), "it was put elsewhere")
        return actor.id

    def walk_to(self, id: str, T_map_goal: Array) -> tuple[Actor, Errand]:
        """Send a character (the newest without id) to a pose of map; ValueError when it cannot get there (see ``send``)."""
        actor = self._actor(id)
        return actor, send(actor, self._views.of(0), self.now, T_map_goal)

    def led(self, id: str, pixel: tuple[float, float], stamp: int) -> Array:
        """T_map_goal (4, 4): the table under a pixel, for a character that comes straight from where it is."""
        return under(self._actor(id), self._views.of(stamp), self.now, pixel)

    def act(self, id: str, action: str, name: str, pixel: tuple[float, float], stamp: int, now: int) -> tuple[str, str]:
        """Let a character do something from stamp ``now`` on: the one meant is ``id``, else the one at the pixel, else all.

        Returns its id and what it does; ValueError when there is none or it cannot.
        """
        if action not in ("clip", "poke", "look_at", "feed", "call", "hold", "stop"):
            raise ValueError(f"unknown action '{action}'; there are clip, poke, look_at, feed, call, hold, lead, stop")
        aimed = bool(np.isfinite(pixel).all())
        chosen = [self._actor(id)] if id else list(self.actors.values())
        if not id and aimed and action != "look_at":
            found = self.pick(pixel)
            if not found:
                raise ValueError(f"no character at ({pixel[0]:.0f}, {pixel[1]:.0f})")
            chosen = [self.actors[found]]
        if not chosen:
            raise ValueError("there is no character yet")
        done = ""
        for actor in chosen:
            if action == "call":
                done = called(actor, self._views.of(0), now)
            elif action == "stop":
                done = actor.behaviour.halt(actor.seconds(now), "it was told to stop")
            elif action in ("look_at", "hold"):
                seen = self._views.of(stamp)
                target = seen.view.T_map_camera[:3, 3]
                if aimed and action == "look_at":
                    v = seen.view
                    hit = hit_plane(np.array([pixel], np.float64), v.intrinsics, v.T_map_camera, v.plane)[0]
                    target = hit if np.isfinite(hit).all() else target
                actor.gaze, done = (actor.seconds(now) + 4.0, target), action
            else:
                done = actor.behaviour.react(actor.seconds(now), action, name)
        return (chosen[0].id if len(chosen) == 1 else ""), done

    def pick(self, pixel: tuple[float, float]) -> str:
        """Id of the character that the newest picture shows at the pixel; empty for none."""
        if not self.figures or not self._views:
            return ""
        i = self.renderer.pick(pixel, self._views.of(0).view, [f for _, f in self.figures])
        return self.figures[i][0] if i >= 0 else ""

    # ---- the picture

    def draw(
        self, picture: Array, stamp: int, seen: Seen | None, mask: Array | None = None, mask_stamp: int | None = None
    ) -> Array:
        """The picture (H, W, 3) uint8 bgr8 with everybody in it; without a pose it is the camera's.

        mask (H, W) uint8 shows the objects that came alive, as they were seen at mask_stamp (this picture's, if None).
        """
        self.figures, self.shown, self.now = [], [], stamp
        if self._begins_again:
            for actor in self.actors.values():
                actor.born += stamp
            self._begins_again = False
        if seen is None:
            return picture
        self.plane = seen.view.plane
        if seen.sure:
            self._views.remember(stamp, seen)
            self.clearing.watch(picture, stamp, seen)
        while self._waiting:
            id, (entrance, body) = self._waiting.popitem(last=False)
            try:
                self.actors[id] = self._appear(entrance, body, stamp, seen)
            except ValueError:  # there is no place for it
                self.renderer.unload(body)
                raise
        here = [a for a in self.actors.values() if a.map_id == seen.map_id or self._carry_over(a, seen)]
        spot, height = (here[0].spot, here[0].height) if here else (None, 1.0)
        light = self.meter.measure(picture, stamp, mask, spot, height, seen.view)
        clouds = []
        for actor in here:
            t = actor.seconds(stamp)
            figure = figure_of(actor, t, seen, light)
            self.figures.append((actor.id, figure))
            clouds.append(awakening(t, actor.home(seen.view.plane), actor.height, actor.behaviour.seed))
            if actor.emission is not None:
                clouds.append(actor.emission.step(t, figure, actor.behaviour.stance(t), seen.view.plane))
        self.shown = [i for i, _ in self.figures]
        contents = Contents([f for _, f in self.figures], Particles.merged(clouds, seen.view), light)
        begun = self.renderer.begin(seen.view, contents)
        if mask is not None:
            fresh = mask_stamp is None or mask_stamp == stamp
            mask = mask if fresh else carried(mask, self._views.exactly(mask_stamp or 0), here, seen)
            picture = self.clearing.clear(picture, mask, here, stamp, seen, fresh)
        return self.renderer.finish(picture, begun)

    def move_to(self, renderer: Renderer) -> None:
        """Go on with another renderer (the pictures' size changed)."""
        self.renderer = renderer
        for actor in self.actors.values():
            actor.body = renderer.load(actor.body.model)
        self._waiting = OrderedDict((i, (e, renderer.load(b.model))) for i, (e, b) in self._waiting.items())

    def forget_views(self) -> None:
        """The stamps start over: nothing that is joined by stamp is valid; who is there stays and goes on."""
        for actor in self.actors.values():
            actor.born -= self.now  # the next picture's stamp is added when it comes
        self._views.forget()
        self.now, self._begins_again = 0, True

    def _appear(self, entrance: Entrance, body: Body, stamp: int, seen: Seen) -> Actor:
        model = body.model
        stride = stride_of(model, entrance.height)
        feet = find_feet(model, stride)
        durations = {name: clip.duration for name, clip in model.clips.items()}
        traits = Traits(entrance.height, stride, durations, passing_phase(feet), own=own_clips(model))
        kept = self._kept.pop(entrance.id, None)
        if kept is not None:
            behaviour = Behaviour(traits, kept["seed"])
            behaviour.resume(kept["plan"], kept["base"])
            spot, ahead, origin = (np.array(kept[key], np.float64) for key in ("spot", "ahead", "origin"))
            map_id, scale = kept["map_id"], kept["scale"]
            if map_id != seen.map_id and self._views.last_in(map_id) is None:  # nobody can say where that was
                (spot, ahead, map_id), scale = self._entrance_place(entrance, seen), 1.0
                origin = spot
            actor = Actor(entrance.id, body, behaviour, spot, ahead, origin, map_id, kept["born"], scale)
        else:
            seed = self.seed + sum(entrance.id.encode())
            spot, ahead, map_id = self._entrance_place(entrance, seen)
            actor = Actor(entrance.id, body, Behaviour(traits, seed), spot, ahead, spot.copy(), map_id, stamp)
        actor.feet, actor.emission = feet, Emission.of(model, entrance.height, feet, actor.behaviour.seed)
        actor.radius = girth(model, entrance.height)
        actor.behaviour.allowed = lambda x, y: bool(self._views) and strolls(actor, self._views.of(0), x, y)
        actor.behaviour.free = lambda: apart(actor, self.actors.values(), self.plane)
        return actor

    def _entrance_place(self, entrance: Entrance, seen: Seen) -> tuple[Array, Array, int]:
        T, known = entrance.T_map_character, entrance.map_id == seen.map_id or self._views.last_in(entrance.map_id)
        if T is not None and (known or len(entrance.footprint) == 0):
            return T[:3, 3], T[:3, 0], entrance.map_id
        then = self._views.near(entrance.stamp) or seen
        view = then.view
        spot = standing_place(entrance, view)
        return spot, towards_camera(spot, view), then.map_id

    def _carry_over(self, actor: Actor, seen: Seen) -> bool:
        """The map was replaced: put the actor where it was in the picture. False when that cannot be known."""
        old = self._views.last_in(actor.map_id)
        if old is None or not seen.sure:
            return False
        v, w = old.view, seen.view
        before = np.stack([actor.home(v.plane)[:3, 3], actor.origin])
        pixels = v.intrinsics.project(before, v.T_map_camera)
        after = hit_plane(pixels, w.intrinsics, w.T_map_camera, w.plane)
        if not np.isfinite(after).all():
            return False
        far = float(np.linalg.norm(before[0] - v.T_map_camera[:3, 3]))
        actor.scale *= float(np.linalg.norm(after[0] - w.T_map_camera[:3, 3])) / max(far, 1e-9)
        actor.ahead = w.T_map_camera[:3, :3] @ v.T_map_camera[:3, :3].T @ actor.ahead
        actor.spot, actor.origin, actor.map_id = after[0], after[1], seen.map_id
        actor.emission = actor.emission and actor.emission.afresh()
        return True

    # ---- what survives

    def state(self) -> list[dict[str, Any]]:
        """Where each stands and what happened to it, to be kept outside of the process."""
        return [memory.of(actor) for actor in self.actors.values()]

    def restore(self, state: Sequence[dict[str, Any]]) -> None:
        """Who enters again finds its place of before."""
        self._kept = memory.checked(state)

    def _actor(self, id: str) -> Actor:
        if id in self.actors:
            return self.actors[id]
        if id or not self.actors:
            raise ValueError(f"there is no character '{id}'" if id else "there is no character yet")
        return next(reversed(self.actors.values()))
