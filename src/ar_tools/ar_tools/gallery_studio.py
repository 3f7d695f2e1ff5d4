"""A photographer's table: takes pictures of one character, round about and in its poses, through the product's renderer."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Intrinsics, Plane, pose
from ar_render.actors import own_clips
from ar_render.behaviour import Stance
from ar_render.context import Context
from ar_render.emission import Emission
from ar_render.layout import Body, Contents, Figure
from ar_render.light import Light
from ar_render.model import Model
from ar_render.particles import Particles
from ar_render.plane_view import View
from ar_render.scene import Renderer

from .gallery_checks import vertices

Array = NDArray[Any]

TURNS = 6
"""Pictures of the turntable, from the front round to its left."""
POSES = {"walk": 0.225, "hop": 0.5, "dance": 0.3, "wave": 1.25, "sit": 2.0, "sleep": 5.0}
"""The moments, s, at which clips are taken; a character without such a clip is taken in its sleep."""
_FINER = 2  # pixels drawn per pixel of the picture, each way
_TILT = 0.24  # radians from above
_TABLE, _WALL = (196, 206, 214), (226, 231, 235)  # BGR


class Studio:
    """Pictures of ``side`` x ``side`` pixels."""

    def __init__(self, context: Context, side: int) -> None:
        self.side = side
        n = side * _FINER
        self._renderer = Renderer(context, n, n, samples=0)
        self._intrinsics = Intrinsics(2.6 * n, 2.6 * n, (n - 1) / 2, (n - 1) / 2, n, n)

    def turntable(self, model: Model) -> list[Array]:
        """``TURNS`` pictures (side, side, 3) BGR of a character that stands."""
        angles = 2 * np.pi * np.arange(TURNS) / TURNS
        return self._take(model, [("idle", 0.0, float(a)) for a in angles])

    def poses(self, model: Model) -> list[Array]:
        """A picture for each of ``POSES``."""
        return self._take(model, [(name, t, 0.35 * (-1) ** i) for i, (name, t) in enumerate(POSES.items())])

    def effects(self, model: Model) -> list[Array]:
        """What a theme adds, with its particles: standing, and halfway through a clip of its own; none without a theme."""
        own = list(own_clips(model)) if "theme" in model.extras else []
        return self._take(model, [(name, 3.0, 0.2) for name in ("idle", own[0])], airy=True) if own else []

    def _take(self, model: Model, shots: list[tuple[str, float, float]], airy: bool = False) -> list[Array]:
        points = np.concatenate(vertices(model))
        across = 2 * float(np.hypot(points[:, 0], points[:, 2]).max())
        size = max(1.3 * float(points[:, 1].max()), 1.12 * across)
        body = self._renderer.load(model)
        try:
            return [self._shot(body, model, size * (1.25 if airy else 1), *shot, airy) for shot in shots]
        finally:
            self._renderer.unload(body)

    def _shot(
        self, body: Body, model: Model, size: float, clip: str, time: float, turn: float, airy: bool = False
    ) -> Array:
        view = self._view(size)
        c, s = np.cos(turn), np.sin(turn)
        T = pose(np.array([[-c, s, 0], [-s, -c, 0], [0, 0, 1.0]]), np.zeros(3))
        emission, particles = Emission.of(model, 1.0, (), 0), []
        for moment in np.arange(0.0, time, 1 / 30) if airy else ():
            figure = Figure(body, T, self._posed(model, clip, float(moment)))
            stance = Stance((0, 0, 0), ((clip, self._moment(model, clip, float(moment)), 1.0),))
            particles = [emission.step(float(moment), figure, stance, view.plane)]
        figure = Figure(body, T, self._posed(model, clip, time))
        light = Light(np.array([-0.45, 0.50, 0.74]), blur=0.0)
        contents = Contents([figure], Particles.merged(particles, view), light)
        whole = self._renderer.draw(self._backdrop(view), view, contents)
        return np.asarray(cv2.resize(whole, (self.side, self.side), interpolation=cv2.INTER_AREA))

    def _posed(self, model: Model, clip: str, time: float) -> Array:
        there = clip in model.clips
        pose_ = model.clips[clip].sample(model.rest, self._moment(model, clip, time)) if there else model.rest
        return model.global_matrices(pose_)

    def _moment(self, model: Model, clip: str, time: float) -> float:
        told = model.extras.get("clips", {}).get(clip, {})
        return time % model.clips[clip].duration if told.get("loop") and time > 0 else time

    def _view(self, size: float) -> View:
        """From -x, so far away that ``size`` metres fill the picture, looking at the middle of what stands there."""
        far = 2.6 * size
        forward = np.array([np.cos(_TILT), 0, -np.sin(_TILT)])
        right, down = np.array([0, -1.0, 0]), np.cross(forward, [0, -1.0, 0])
        eye = np.array([0, 0, 0.46 * size]) - far * forward
        return View(self._intrinsics, pose(np.column_stack([right, down, forward]), eye), Plane.ground())

    def _backdrop(self, view: View) -> Array:
        """A plain table that goes over into a plain wall."""
        n = self._intrinsics.height
        share = np.clip((np.arange(n) / n - 0.25) / 0.35, 0, 1)[:, None, None]
        colour = np.array(_WALL) + (np.array(_TABLE) - np.array(_WALL)) * share
        return np.broadcast_to(np.round(colour), (n, n, 3)).astype(np.uint8)
