"""Puts a theme on a character: props become parts with joints of their own, gestures become channels, particles become extras."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import ConvexHull

from ar_character.clips import Clip, all_clips
from ar_character.easing import appear, ease
from ar_character.gestures import Posed, aim, mixed, pendulum, reach
from ar_character.inflate import Shell
from ar_character.mesh import Array, Part, bound_to
from ar_character.motion import Motion, Tracks
from ar_character.moves import eased
from ar_character.outline import FloatImage
from ar_character.places import Places, Spot
from ar_character.rig import Rig
from ar_character.skeleton import Layout
from ar_character.theme import Theme
from ar_character.theme_keys import with_keys
from ar_character.theme_mesh import Surface
from ar_character.theme_parts import Emitter, Prop
from ar_character.turns import about_x, about_y, about_z, quaternions

APPEARS = 2.75  # s into the awaken clip: when the arms are out
GONE = 0.004  # of its size, while a prop has not appeared


class Dressing:
    """A theme on one body.

    rig: with the props' joints; parts: what is drawn of them; materials: glTF materials by the parts' names of them.
    """

    def __init__(self, theme: Theme, layout: Layout, rig: Rig, shell: Shell, room: FloatImage) -> None:
        self.theme, self.layout, self.rig = theme, layout, rig
        self.places = Places(layout, rig, shell, room)
        self.parts: list[Part] = []
        self.materials: dict[str, dict[str, Any]] = {}
        self._props: dict[str, tuple[Prop, Array, Array]] = {}  # turn (3, 3) and hull (n, 3) around its joint, at rest
        self._points: dict[str, Spot] = {}
        self._held: dict[str, Array] = {}  # where props are in the frames above them, if not where they are at rest
        for prop in theme.props:
            self._put_on(prop)

    # ---- shape

    def _put_on(self, prop: Prop) -> None:
        spot, size = self.spot(prop.place), self.layout.size
        R = _euler(np.radians(prop.turn))
        scale = prop.size * size / (1.0 if prop.ring else prop.mesh.longest)
        at = spot.at + np.array(prop.at) * size
        points = np.array([*prop.mesh.vertices, *prop.points.values()]) * scale
        if prop.ring:
            points = self._ring(points, scale, at := np.array([spot.at[0], at[1], 0.0]))
            middle, _, _, goes_round = self.places.around(float(at[1]))
            at = middle if goes_round else spot.at
        points = points @ R.T
        if prop.place == "crown" and not prop.ring:
            at[1] += self.places.over(float(at[0])) - spot.at[1]
        if prop.place == "chest":
            at[1] -= self._over_the_mouth(points + at)
        if prop.place in ("chest", "back"):
            sign = 1.0 if prop.place == "chest" else -1.0
            facing = (points + at) * [1, 1, sign]
            at = at + np.array([0, 0, sign * self.places.clear_of_front(facing)])
        joint = f"prop_{prop.name}"
        rig = self.rig
        low = float((points + at)[:, 1].min())
        if low < 0:  # nobody is seen at rest, but files are: there it is held higher, in clips as it should be
            self._held[joint] = at - rig.at(spot.joint)
            at = at - np.array([0, low, 0])
        self.rig = Rig((*rig.names, joint), (*rig.parents, rig.index(spot.joint)), np.vstack([rig.rest, at]))
        bound = self._chain(prop, joint, points[: len(prop.mesh.vertices)]) if prop.soft else None
        start = 0
        for piece in prop.mesh.pieces:
            n = len(piece.vertices)
            vertices = points[start : start + n] + at
            normals = piece.normals @ R.T
            material = self._material(piece.surface)
            follows = {k: w[start : start + n] for k, w in bound.items()} if bound else bound_to(joint, n)
            part = Part(vertices, normals, np.zeros((n, 2)), piece.faces, follows, material, piece.colours)
            self.parts.append(part)
            start += n
        self._props[prop.name] = (prop, R, points[ConvexHull(points[:start], qhull_options="QJ").vertices])
        self._points[prop.name] = Spot(joint, at, size)
        for name, point in zip(prop.points, points[start:], strict=True):
            self._points[f"{prop.name}.{name}"] = Spot(joint, at + point, size)

    def _chain(self, prop: Prop, joint: str, points: Array) -> dict[str, Array]:
        """Joints along a soft prop, from its root to where it is farthest; and how much each moves its points (n, 3)."""
        away = np.linalg.norm(points, axis=1)
        end = points[away > 0.9 * away.max()].mean(0)
        names, at = [joint, *(f"{joint}_{i}" for i in range(1, prop.soft + 1))], self.rig.at(joint)
        for i in range(1, prop.soft + 1):
            rig, place = self.rig, at + end * (i / (prop.soft + 1))
            self.rig = Rig(
                (*rig.names, names[i]), (*rig.parents, rig.index(names[i - 1])), np.vstack([rig.rest, place])
            )
        along = np.clip(points @ end / float(end @ end), 0, 1) * (prop.soft + 1) - 0.5
        along = np.clip(along, 0, prop.soft)
        return {name: np.clip(1 - np.abs(along - i), 0, 1) for i, name in enumerate(names)}

    def _over_the_mouth(self, points: Array) -> float:
        """How far (metres) something on the chest must come down to leave the mouth free, as far as the ground lets it."""
        mouth, size = self.layout.mouth, self.layout.size
        before = np.abs(points[:, 0] - mouth[0]) < 0.14 * size
        if not before.any():
            return 0.0
        over = float(points[before, 1].max()) - (float(mouth[1]) - 0.08 * size)
        return float(np.clip(over, 0, max(float(points[:, 1].min()) - 0.02 * size, 0)))

    def _ring(self, points: Array, scale: float, at: Array) -> Array:
        """A mesh around y whose radius is 1 laid around the body, as thick as its scale says."""
        _, wide, deep, _ = self.places.around(float(at[1]))
        radius = np.hypot(points[:, 0], points[:, 2])
        along = points[:, [0, 2]] / np.maximum(radius, 1e-9)[:, None]
        on_body = along * [wide, deep] * np.minimum(radius / scale, 1)[:, None]
        flat = on_body + along * np.maximum(radius - scale, 0)[:, None]
        return np.column_stack([flat[:, 0], points[:, 1], flat[:, 1]])

    def _material(self, surface: Surface) -> str:
        name = f"prop_{len(self.materials)}"
        made: dict[str, Any] = {
            "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": surface.roughness},
            **({"doubleSided": True} if surface.double_sided else {}),
            **({"extensions": {"KHR_materials_unlit": {}}} if surface.unlit else {}),
        }
        known = next((key for key, value in self.materials.items() if value == made), None)
        if known is None:
            self.materials[name] = made
        return known or name

    def spot(self, name: str) -> Spot:
        """A place on the body, a prop or a point of one."""
        return self._points[name] if name in self._points else self.places.spot(name)

    # ---- motion

    def clips(self, clips: tuple[Clip, ...]) -> tuple[Clip, ...]:
        """The clips, those that the theme changes and those it adds."""
        changed = {m.name: m for m in self.theme.motions}
        out = [
            Clip(c.name, with_keys(c.motion, changed[c.name]), c.loop, c.stride) if c.name in changed else c
            for c in clips
        ]
        plain = {c.name: c for c in all_clips()}
        for motion in self.theme.motions:
            if motion.own:
                if motion.base == "rest":
                    still = Motion.still(motion.duration)
                    out.append(Clip(motion.name, eased(with_keys(still, motion)), motion.loop))
                else:
                    out.append(Clip(motion.name, with_keys(plain[motion.base].motion, motion), motion.loop))
        return tuple(out)

    def animate(self, clip: Clip, tracks: Tracks) -> Tracks:
        """The tracks of a clip that is solved, with hands where the theme wants them and with the props' own."""
        time = clip.motion.time
        motion = next((m for m in self.theme.motions if m.name == clip.name), None)
        tracks = dict(tracks)
        if motion is not None and not self.layout.own_arms:
            for side, gesture in motion.hands.items():
                posed = Posed(tracks, self.rig, len(time))
                spot = self.spot(gesture.to)
                target = posed.point(spot.joint, spot.at + np.array(gesture.at) * spot.unit)
                turn = np.pi * (gesture.beats * time / time[-1] + gesture.phase)
                wave = np.abs(np.sin(turn)) if gesture.strike else np.sin(2 * turn)
                way = posed.turned(spot.joint) @ (np.array(gesture.stroke) * spot.unit)
                share = np.full(len(time), gesture.share)
                if clip.name == "awaken":
                    share *= ease((time - APPEARS) / 0.7)
                palm = 1.45 * self.layout.arm_radius
                tracks |= reach(posed, side, target + wave[:, None] * way, share, palm)
        for prop, R, points in self._props.values():
            self._carry(tracks, clip, prop, R, points)
        return tracks

    def _carry(self, tracks: Tracks, clip: Clip, prop: Prop, R: Array, points: Array) -> None:
        """The channels of a prop's own joint: it hangs, aims, spins, appears, and is not pushed into the ground."""
        time, joint, rest = clip.motion.time, f"prop_{prop.name}", self.rig.at(f"prop_{prop.name}")
        if joint in self._held:
            tracks[joint, "translation"] = np.tile(self._held[joint], (len(time), 1))
        posed = Posed(tracks, self.rig, len(time))
        above = posed.turned(posed.parent(joint))
        turn = np.tile(np.eye(3), (len(time), 1, 1))
        if prop.hold in ("upright", "hang"):
            turn = above.transpose(0, 2, 1)
        if prop.hold == "hang":
            length = float(np.ptp(points[:, 1]))
            turn = turn @ pendulum(posed.point(joint, rest), time, 1.6 * length, clip.loop)
        if prop.hold == "aim":
            spot = self.spot(prop.aim)
            there = posed.point(spot.joint, spot.at) - posed.point(joint, rest)
            turn = aim(np.einsum("nji,nj->ni", above, there), R[:, 1])
        cycles = round(prop.spin * float(time[-1])) or (int(np.sign(prop.spin)) if clip.loop else 0)
        if cycles:
            angle = 2 * np.pi * cycles * time / time[-1]
            turn = turn @ R @ about_y(angle) @ R.T
        if prop.flap[0]:  # a soft one in a wave that runs out to its end
            beats = max(1, round(prop.flap[1] * float(time[-1])))
            wide = np.radians(prop.flap[0]) * (1.0 if prop.at[0] >= 0 else -1.0) / (1 + 0.5 * prop.soft)
            waves = [wide * np.sin(2 * np.pi * beats * time / time[-1] - 0.7 * i) for i in range(prop.soft + 1)]
            turn = turn @ about_y(waves[0])
            for i, wave in enumerate(waves[1:], 1):
                tracks[f"{joint}_{i}", "rotation"] = quaternions(about_y(wave))
        if np.abs(turn - np.eye(3)).max() > 1e-7:
            tracks[joint, "rotation"] = quaternions(turn)
            if clip.loop:
                tracks[joint, "rotation"] = _looped(tracks[joint, "rotation"])
        if clip.name == "awaken":
            shown = np.maximum(appear(time, APPEARS, 0.4), GONE)
            tracks[joint, "scale"] = np.repeat(shown[:, None], 3, 1)
        posed = Posed(tracks, self.rig, len(time))
        world = posed.world(joint)
        lowest = (world[:, 1, :3] @ points.T).min(1) + world[:, 1, 3]
        if lowest.min() < 0:
            up = np.zeros((len(time), 3))
            up[:, 1] = np.maximum(-lowest, 0)
            linear = posed.world(posed.parent(joint))[:, :3, :3]
            held = self._held.get(joint, self.rig.local(joint))
            tracks[joint, "translation"] = held + np.linalg.solve(linear, up[..., None])[..., 0]

    # ---- what the renderer shall know

    def extras(self) -> dict[str, Any]:
        """`theme`, and `emitters` in metres and in the frames of joints."""
        named = self.theme.name + (f":{self.theme.member}" if self.theme.member else "")
        return {"theme": named, "emitters": [self._emitter(e) for e in self.theme.emitters]}

    def pastimes(self) -> set[str]:
        """Clips of the theme's own that are done while nobody asks for more."""
        return {m.name for m in self.theme.motions if m.own and m.pastime}

    def _emitter(self, e: Emitter) -> dict[str, Any]:
        spot, size = self.spot(e.at), self.layout.size
        offset = spot.at + np.array(e.shift) * size - self.rig.at(spot.joint)

        def metres(values: Any) -> list[float]:
            return [round(float(v) * size, 6) for v in values]

        return {
            "name": e.name,
            "joint": spot.joint,
            "at": [round(float(v), 6) for v in offset],
            "area": metres(e.area),
            "sprite": e.sprite,
            "rate": e.rate,
            "life": list(e.life),
            "size": metres(e.size),
            "grow": e.grow,
            "colours": [[round(c, 4) for c in colour] for colour in e.colours],
            "fade": [[round(c, 4) for c in colour] for colour in e.fade],
            "opacity": e.opacity,
            "glow": e.glow,
            "go": metres(e.go),
            "spread": round(float(np.radians(e.spread)), 6),
            "gravity": round(e.gravity * size, 6),
            "drag": e.drag,
            "swirl": e.swirl,
            "tumble": e.tumble,
            "follow": e.follow,
            "clips": list(e.clips),
            "window": list(e.window),
        }


def _looped(q: Array) -> Array:
    """Quaternions (n, 4) that end where they began: what is missing is spread over the last tenth."""
    n = max(2, len(q) // 10)
    end = q.copy()
    share = np.zeros(len(q))
    share[-n:] = ease(np.arange(1, n + 1) / n)
    first = np.tile(q[0], (len(q), 1))
    return mixed(end, first, share)


def _euler(angles: Array) -> Array:
    x, y, z = (np.array([a]) for a in angles)
    return np.asarray((about_y(y) @ about_z(z) @ about_x(x))[0])
