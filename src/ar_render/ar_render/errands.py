"""Where a character may go, and where it is sent: on the table, and not into one another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import atan2, hypot, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Plane, hit_plane, inverse, pose, transform

from .actors import Actor, Seen, inside, towards_camera
from .behaviour import Errand
from .model import Model
from .paths import Place

Array = NDArray[Any]
_FARTHEST = 100.0  # heights that it may be sent, where nothing is known of the table's edge
_EDGE = 0.5  # heights by which a goal may lie outside of what is known of the table; it is then brought to its edge


def strolls(actor: Actor, seen: Seen, x: float, y: float) -> bool:
    """Is this place of the actor's home frame on the known table and well inside of the picture?"""
    if seen.map_id != actor.map_id:
        return False
    v, T = seen.view, actor.home(seen.view.plane)
    foot = transform(T, np.array([[x, y, 0.0], [x, y, actor.behaviour.traits.height]]) * actor.scale)
    uv = v.intrinsics.project(foot, v.T_map_camera)
    size = np.array([v.intrinsics.width, v.intrinsics.height])
    if not (np.isfinite(uv).all() and (uv > 0.04 * size).all() and (uv < 0.96 * size).all()):
        return False
    return len(seen.extent) < 3 or inside(inverse(T), seen.extent, (x * actor.scale, y * actor.scale))


def goal_of(actor: Actor, seen: Seen, point: Array, ahead: Array | None = None) -> Place:
    """A point (3,) of map, and where to look there (3,) if that matters, as a place of the actor's home frame.

    ValueError when it is not on the table as far as that is known.
    """
    if seen.map_id != actor.map_id:
        raise ValueError(f"'{actor.id}' has no place in the present map yet")
    T = inverse(actor.home(seen.view.plane))
    x, y, z = (float(v) for v in transform(T, point[None])[0] / actor.scale)
    height = actor.behaviour.traits.height
    if abs(z) > height:
        raise ValueError(f"the goal is {abs(z) * actor.scale:.2f} m {'above' if z > 0 else 'below'} the table")
    if not hypot(x, y) <= _FARTHEST * height:
        most = _FARTHEST * height * actor.scale
        raise ValueError(f"the goal is {hypot(x, y) * actor.scale:.4g} m away; at most {most:.4g} m make sense")
    (x, y), far = nearest(outline(T, actor, seen), (x, y))
    if far > _EDGE * height:
        raise ValueError(f"the goal is {far * actor.scale:.2f} m beyond what is known of the table")
    if ahead is None:
        return x, y, nan
    u, v, _ = (float(c) for c in T[:3, :3] @ ahead)
    return x, y, nan if hypot(u, v) < 1e-6 else atan2(v, u)


def on_table(actor: Actor, seen: Seen) -> Callable[[float, float], bool]:
    """Whether a way may lead over a place of the actor's home frame: on the table, but for a turn at its edge."""
    shape = outline(inverse(actor.home(seen.view.plane)), actor, seen)
    margin = _EDGE * actor.behaviour.traits.height
    x, y, _ = actor.behaviour.foreseen(float("inf"))
    margin = max(margin, nearest(shape, (x, y))[1] + 1e-6)  # who stands off the table may come back
    return lambda x, y: nearest(shape, (x, y))[1] <= margin


def send(actor: Actor, seen: Seen, now: int, T_map_goal: Array) -> Errand:
    """Let it walk to a pose (4, 4) of map, +x of which is where it shall look; ValueError when it cannot get there."""
    goal = goal_of(actor, seen, T_map_goal[:3, 3], T_map_goal[:3, 0])
    return actor.behaviour.walk_to(actor.seconds(now), goal, on_table(actor, seen))


def called(actor: Actor, seen: Seen, now: int) -> str:
    """Somebody calls it: it looks at the camera, comes a little nearer if it can, and waves. What it does, in a word."""
    plane, behaviour = seen.view.plane, actor.behaviour
    T = standing(actor, plane, now)
    ahead = towards_camera(T[:3, 3], seen.view)
    greeting = next((clip for clip in ("wave", "hop", "idle") if behaviour.traits.has(clip)), "")
    actor.gaze = (actor.seconds(now) + 4.0, seen.view.T_map_camera[:3, 3])
    for far in (1.0, 0.6):
        try:
            goal = goal_of(actor, seen, T[:3, 3] + far * actor.height * ahead, ahead)
            place = (goal[0], goal[1])
            if strolls(actor, seen, *place):
                errand = behaviour.walk_to(actor.seconds(now), goal, on_table(actor, seen), greeting)
                actor.gaze = (errand.arrival + 4.0, seen.view.T_map_camera[:3, 3])
                return "come"
        except ValueError:  # not there, then
            continue
    return behaviour.react(actor.seconds(now), "clip", greeting) if greeting else "look_at"


def under(actor: Actor, seen: Seen, now: int, pixel: tuple[float, float]) -> Array:
    """T_map_goal (4, 4): the table under a pixel, looking the way it would come straight from where it is."""
    v = seen.view
    spot = hit_plane(np.array([pixel], np.float64), v.intrinsics, v.T_map_camera, v.plane)[0]
    if not np.isfinite(spot).all():
        raise ValueError(f"pixel ({pixel[0]:.0f}, {pixel[1]:.0f}) does not show the table")
    here, z = standing(actor, v.plane, now), v.plane.normal
    x = spot - here[:3, 3]
    x = x - z * float(z @ x)
    far = float(np.linalg.norm(x))
    x = here[:3, 0] if far < 1e-6 else x / far
    return pose(np.column_stack([x, np.cross(z, x), z]), spot)


def standing(actor: Actor, plane: Plane, now: int) -> Array:
    """T_map_character (4, 4) as it stands now: z up, +x is where it looks."""
    x, y, heading = actor.behaviour.stance(actor.seconds(now)).place
    c, s = np.cos(heading), np.sin(heading)
    local = np.array([[c, -s, 0, x * actor.scale], [s, c, 0, y * actor.scale], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    return np.asarray(actor.home(plane) @ local)


def apart(actor: Actor, everybody: Iterable[Actor], plane: Plane) -> Callable[[float, float, float], bool]:
    """Whether nobody else will be at a place of its home frame at a time, by what all plan now; who stands too near already
    may leave."""
    homes = [(one, one.home(plane)) for one in everybody if one is not actor and one.map_id == actor.map_id]
    own = actor.home(plane)

    def spot(one: Actor, T: Array, place: Place) -> Array:
        return np.asarray(T[:3, :2] @ place[:2] * one.scale + T[:3, 3])

    def free(x: float, y: float, time: float) -> bool:
        there, here = spot(actor, own, (x, y, 0.0)), spot(actor, own, actor.behaviour.foreseen(time))
        stamp = actor.born + round(time * 1e9)
        for one, T in homes:
            that = spot(one, T, one.behaviour.foreseen(one.seconds(stamp)))
            room = actor.radius * actor.scale + one.radius * one.scale
            if float(np.linalg.norm(there - that)) < min(room, 0.99 * float(np.linalg.norm(here - that))):
                return False
        return True

    return free


def girth(model: Model, height: float) -> float:
    """Half of how much room a model takes up, metres: nearly all of it is that near to its axis at rest."""
    skin = model.skin(model.global_matrices(model.rest))
    ways = []
    for p in model.primitives:
        points = np.concatenate([p.positions, np.ones((len(p.positions), 1))], 1)
        posed = np.einsum("nk,nkij,nj->ni", p.weights, skin[p.joints], points)
        ways.append(np.hypot(posed[:, 0], posed[:, 2]))
    return float(np.clip(np.quantile(np.concatenate(ways), 0.9), 0.15 * height, 0.6 * height))


def outline(T_home_map: Array, actor: Actor, seen: Seen) -> Array:
    """What is known of the table, (n, 2) in the actor's home frame; no points: nothing is."""
    return (
        np.asarray(transform(T_home_map, seen.extent)[:, :2] / actor.scale)
        if len(seen.extent) > 2
        else np.zeros((0, 2))
    )


def nearest(shape: Array, place: tuple[float, float]) -> tuple[tuple[float, float], float]:
    """The place of a convex outline (n, 2) that is nearest to this one, and how far that is: 0 inside, or without outline."""
    if len(shape) == 0:
        return place, 0.0
    p, edge = np.array(place) - shape, np.roll(shape, -1, axis=0) - shape
    side = edge[:, 0] * p[:, 1] - edge[:, 1] * p[:, 0]
    if (side >= 0).all() or (side <= 0).all():
        return place, 0.0
    share = np.clip((p * edge).sum(1) / np.maximum((edge * edge).sum(1), 1e-18), 0, 1)
    feet = shape + share[:, None] * edge
    far = np.hypot(*(feet - np.array(place)).T)
    i = int(np.argmin(far))
    return (float(feet[i, 0]), float(feet[i, 1])), float(far[i])
