"""Where on a body of any shape a hand, a mouth, a chest or a crown is: what props and gestures of themes refer to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ar_character.inflate import Shell
from ar_character.mesh import Array
from ar_character.outline import FloatImage
from ar_character.rig import Rig
from ar_character.skeleton import Layout, Surface

WIDEST = 0.60  # half a body's width, in sizes: what is wider wears a ring like a hat


@dataclass(frozen=True)
class Spot:
    """at (3,): a place in rest, moving with a joint; unit: metres that a shift by 1 from here means."""

    joint: str
    at: Array
    unit: float


class Places:
    """The named places of one character."""

    def __init__(self, layout: Layout, rig: Rig, shell: Shell, room: FloatImage) -> None:
        self.layout, self.rig, self.room = layout, rig, room
        self.surface = Surface(shell)
        points = self.points = layout.frame.points(shell.vertices)
        eyes = layout.eyes.mean(0)
        near = np.abs(points[:, 0] - eyes[0]) < 0.22 * layout.size
        self.top = np.array([eyes[0], float(points[near, 1].max()), 0.0])
        self.bottom = float(points[near, 1].min())

    def spot(self, name: str) -> Spot:
        """A place of `theme.PLACES`."""
        layout, rig, size = self.layout, self.rig, self.layout.size
        kind, _, side = name.partition("_")
        if kind == "hand":
            elbow, wrist = rig.at(f"arm_{side}_2"), rig.at(f"hand_{side}")
            if layout.own_arms:
                u, v = layout.own_arms["LR".index(side)].line[3]
                return Spot(f"hand_{side}", self.on_front(0.35 * wrist + 0.65 * layout.frame.point(u, v)), size)
            along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
            palm = wrist + layout.arm_radius * (1.45 * along + np.array([0.0, 0.0, 0.75]))
            return Spot(f"hand_{side}", palm, size)
        if kind == "shoulder":
            joint = rig.names[rig.parents[rig.index(f"arm_{side}_1")]]
            return Spot(joint, rig.at(f"arm_{side}_1"), self.reach(side))
        mouth = layout.mouth.copy()
        if name == "mouth":
            return Spot("head", self.on_front(mouth), size)
        if name in ("chest", "back"):
            least = 0.25 * size if name == "chest" else self.bottom + 0.22 * size
            at = np.array([mouth[0], max(mouth[1] - 0.36 * size, least), 0.0])
            front = self.on_front(at)
            return Spot("spine2", front if name == "chest" else front * [1, 1, -1], size)
        if name == "crown":
            return Spot("head", self.top, size)
        return Spot("root", np.zeros(3), size)

    def reach(self, side: str) -> float:
        """Metres from the shoulder to the palm of a stretched arm."""
        rig = self.rig
        bones = np.linalg.norm(rig.local(f"arm_{side}_2")) + np.linalg.norm(rig.local(f"hand_{side}"))
        return float(bones) + (0.0 if self.layout.own_arms else 1.45 * self.layout.arm_radius)

    def over(self, x: float) -> float:
        """How high the body's top is at x, metres; its highest place where there is no body."""
        near = np.abs(self.points[:, 0] - x) < 0.05 * self.layout.size
        return float(self.points[near, 1].max()) if near.any() else float(self.top[1])

    def on_front(self, point: Array) -> Array:
        """(3,) the point of the body's front before a point."""
        frame = self.layout.frame
        depth = float(self.surface.depth(frame.raster(point[None]))[0]) * frame.scale
        return np.array([point[0], point[1], max(depth, 0.0)])

    def clear_of_front(self, points: Array) -> float:
        """How far (metres, along z) points (n, 3) must go so that none of them is in the body, seen from the front."""
        frame = self.layout.frame
        raster = frame.raster(points)
        at = np.round(raster).astype(int)
        height, width = self.room.shape
        inside = (at[:, 0] >= 0) & (at[:, 0] < width) & (at[:, 1] >= 0) & (at[:, 1] < height)
        inside[inside] = self.room[at[inside, 1], at[inside, 0]] > 0
        if not inside.any():
            return 0.0
        need = self.surface.depth(raster[inside]) * frame.scale - points[inside, 2]
        return float(np.percentile(need, 97))

    def around(self, y: float) -> tuple[Array, float, float, bool]:
        """The body's cross-section at a height: its middle (3,), half its width and depth; whether a ring can go around it
        (else these are those of a ring that lies on top)."""
        frame, size = self.layout.frame, self.layout.size
        u, v = frame.raster(np.array([[self.top[0], y, 0.0]]))[0]
        row = self.room[int(np.clip(round(float(v)), 0, self.room.shape[0] - 1))] > 0
        outside = np.flatnonzero(~row)
        left = float(max(outside[outside <= u], default=-1))
        right = float(min(outside[outside >= u], default=len(row)))
        half = 0.5 * (right - left) * frame.scale
        if not 0.08 * size < half < WIDEST * size:
            return self.top, 0.26 * size, 0.26 * size, False
        middle = np.array([frame.point(0.5 * (left + right), v)[0], y, 0.0])
        return middle, half, max(float(self.on_front(middle)[2]), 0.25 * half), True
