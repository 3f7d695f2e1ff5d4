"""A character as it is drawn: posed as its stance says, on its feet, looking at who watches, as light as the table now is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .actors import Actor, Seen
from .animation import Pose, blend
from .behaviour import Stance
from .feet import plant
from .gaze import look
from .layout import Figure
from .light import Light
from .model import Model


def figure_of(actor: Actor, t: float, seen: Seen, light: Light) -> Figure:
    """The figure of an actor, t seconds after it awoke."""
    stance = actor.behaviour.stance(t)
    model, plane = actor.body.model, seen.view.plane
    x, y, heading = stance.place
    c, s = np.cos(heading), np.sin(heading)
    local = np.array([[c, -s, 0, x], [s, c, 0, y], [0, 0, 1, stance.lift], [0, 0, 0, 1.0]])
    local[:3, 3] *= actor.scale
    T = actor.home(plane) @ local
    nodes = model.global_matrices(posed(model, stance))
    if stance.walk is not None and actor.feet:
        nodes = plant(model, nodes, actor.feet, stance.walk, actor.behaviour.traits.stride, stance.walking)
    target = seen.view.T_map_camera[:3, 3]
    attention = stance.attention
    if actor.gaze is not None and t < actor.gaze[0]:
        target, attention = actor.gaze[1], 1.0
    if actor.level is None:
        actor.level = light.level
    r, g, b = np.clip(light.level / actor.level, 0.4, 2.5)
    figure = Figure(actor.body, T, nodes, actor.scale, (float(r), float(g), float(b)))
    return replace(figure, globals=look(model, nodes, figure.to_model(target), attention))


def posed(model: Model, stance: Stance) -> Pose:
    """The model's pose for the clips of a stance; clips it does not have leave it at rest."""
    out: Pose | None = None
    for name, time, weight in stance.layers:
        clip = model.clips.get(name) or model.clips.get("idle")
        sampled = clip.sample(model.rest, time) if clip else model.rest
        out = sampled if out is None else blend(out, sampled, weight)
    return out if out is not None else model.rest
