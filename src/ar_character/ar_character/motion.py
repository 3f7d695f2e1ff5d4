"""From movements in a character's own terms (crouch, lean, step, look) to rotations of its joints.

A clip describes what hips, feet, arms and eyes do; legs are solved backward from the feet, so that feet stay where
they are put whatever the body does. Lengths are in units of the visible leg (`Layout.lift`), angles in radians.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from ar_character.anchors import SIDES
from ar_character.face import LID_TRAVEL, LOWER_TRAVEL
from ar_character.mesh import Array
from ar_character.rig import Rig
from ar_character.skeleton import Layout
from ar_character.turns import about_x, about_y, about_z, aligned, euler, quaternions

Tracks = dict[tuple[str, str], Array]  # (joint, "translation" | "rotation" | "scale") -> (n, 3) or (n, 4)
STRAIGHT = 0.9995  # of its length: as far as a leg stretches
MOUTH_OPEN = 2.6  # scale of the mouth's height when wide open


@dataclass
class Motion:
    """One clip over n moments. Everything starts at rest; sides are ordered L, R.

    time (n,) s; hips (n, 3), feet (2, n, 3): offsets from rest; *_turn: rotations about x (forward), y (to its left),
    z (to its right); bend: of the whole spine; squash (n,): stretch > 0 keeps the volume; raise_, swing, twist, elbow,
    wrist (2, n) of the arms; gaze (n, 2): to its left, up; blink (n,) 0 open, 1 shut; brows (n,), mouth (n,) 0..1;
    legs (n,): 0 drawn into the body, which then lies on the ground, 1 out; shoes, arms, face (n,): their scale.
    """

    time: Array
    hips: Array
    hips_turn: Array
    bend: Array
    head_turn: Array
    squash: Array
    feet: Array
    feet_turn: Array
    raise_: Array
    swing: Array
    twist: Array
    elbow: Array
    wrist: Array
    gaze: Array
    blink: Array
    brows: Array
    mouth: Array
    legs: Array
    shoes: Array
    arms: Array
    face: Array

    @staticmethod
    def still(duration: float, rate: float = 24.0) -> Motion:
        """`duration` seconds of rest."""
        n = round(duration * rate) + 1
        z, o = np.zeros, np.ones
        return Motion(
            np.linspace(0, duration, n), z((n, 3)), z((n, 3)), z((n, 3)), z((n, 3)), z(n), z((2, n, 3)), z((2, n, 3)),
            z((2, n)), z((2, n)), z((2, n)), z((2, n)), z((2, n)), z((n, 2)), z(n), z(n), z(n), o(n), o(n), o(n), o(n),
        )  # fmt: skip

    @staticmethod
    def joined(motions: Sequence[Motion]) -> Motion:
        """One after the other; what is solved at once is solved quickly."""
        sides = ("feet", "feet_turn", "raise_", "swing", "twist", "elbow", "wrist")
        names = [f.name for f in fields(Motion)]
        return Motion(*(np.concatenate([getattr(m, name) for m in motions], int(name in sides)) for name in names))


@dataclass(frozen=True)
class Higher:
    """By how much hips (n,), and hands (2, n) beyond them, are higher than a motion has them, metres."""

    hips: Array
    hands: Array

    @property
    def most(self) -> float:
        """The largest of all."""
        return float(max(self.hips.max(), self.hands.max()))


def solve(motion: Motion, layout: Layout, rig: Rig, higher: Higher | None = None) -> Tracks:
    """What each joint does, rotations as matrices (n, 3, 3)."""
    if layout.own_legs:  # they are out from the beginning
        out = np.ones_like(motion.time)
        little = np.where(motion.hips < 0, [1.0, 0.6, 1.0], 1.0)  # and have no knees to speak of nor soles to roll on
        motion = replace(motion, legs=out, shoes=out, hips=little * motion.hips, feet_turn=0.35 * motion.feet_turn)
    if layout.own_arms:
        motion = replace(motion, arms=np.ones_like(motion.time))
    n, unit = len(motion.time), layout.leg
    tracks: Tracks = {}

    drawn_in = np.column_stack([np.zeros(n), motion.legs - 1, np.zeros(n)])
    hips_at = rig.at("hips") + (motion.hips + drawn_in) * unit
    lying = 1 - np.clip(motion.legs, 0, 1)
    roll = motion.hips_turn[:, 2] * (1 - lying * (1 - layout.flexibility))
    if layout.own_legs:  # the wider they stand, the less it sways
        roll = roll * float(np.clip(0.8 * layout.leg / layout.base, 0.1, 1.0))
    lean = motion.hips_turn[:, 0] * layout.flexibility  # what is wide is deep
    hips_R = euler(np.column_stack([lean, motion.hips_turn[:, 1], roll]))
    hips_at[:, 1] += lying * layout.base * np.abs(np.sin(roll))  # without legs it rocks on its edges
    hips_at[:, 1] -= (1 - lying) ** 2 * _beyond_reach(motion, layout, rig, hips_at, hips_R)
    if higher is not None:
        hips_at[:, 1] += higher.hips
    tracks["hips", "translation"] = hips_at
    tracks["hips", "rotation"] = hips_R
    bend = motion.bend * layout.flexibility
    tracks["spine1", "rotation"] = euler(0.4 * bend)
    tracks["spine2", "rotation"] = euler(0.6 * bend)
    tracks["head", "rotation"] = euler(motion.head_turn * layout.flexibility)
    tall = 1 + motion.squash
    tracks["spine1", "scale"] = np.column_stack([tall**-0.5, tall, tall**-0.5])

    lowering = float(np.clip(1.5 * (layout.arm_room - 1), 0, 1))
    for i, (side, sign) in enumerate(SIDES):
        upper, lower = f"arm_{side}_1", f"arm_{side}_2"
        raise_ = np.where(motion.raise_[i] < 0, lowering * motion.raise_[i], motion.raise_[i])
        swing, twist = -motion.swing[i], motion.twist[i] * sign
        if layout.own_arms:
            raise_, swing = _own_raise(raise_, layout, i), 0.5 * swing
        raise_ = sign * np.maximum(raise_, _least_raise(layout, rig, i, hips_at, hips_R, bend))
        if higher is not None:
            raise_ = raise_ + sign * higher.hands[i] / (
                0.5 * float(np.linalg.norm(rig.at(f"hand_{side}") - rig.at(upper)))
            )
        tracks[upper, "rotation"] = about_x(swing) @ about_z(raise_) @ about_y(twist)
        tracks[upper, "scale"] = np.repeat(motion.arms[:, None], 3, 1)
        tracks[lower, "rotation"] = about_z(0.75 * sign * motion.elbow[i]) @ about_x(-0.66 * motion.elbow[i])
        tracks[f"hand_{side}", "rotation"] = about_z(sign * motion.wrist[i])
        _solve_leg(tracks, motion, layout, rig, i, hips_at, hips_R)

        tracks[f"eye_{side}", "scale"] = np.repeat(motion.face[:, None], 3, 1)
        tracks[f"lid_{side}", "rotation"] = about_x(LID_TRAVEL * motion.blink)
        tracks[f"lower_lid_{side}", "rotation"] = about_x(LOWER_TRAVEL * motion.blink)
        tracks[f"pupil_{side}", "rotation"] = about_y(motion.gaze[:, 0]) @ about_x(-motion.gaze[:, 1])
        rise = layout.eye_radius * (0.28 * motion.brows - 0.10 * motion.blink)
        tracks[f"brow_{side}", "translation"] = rig.local(f"brow_{side}") + rise[:, None] * [0.0, 1.0, 0.0]
        tracks[f"brow_{side}", "scale"] = np.repeat(np.clip(motion.face, 0, 1)[:, None], 3, 1)
    if "mouth" in rig.names:
        wide = np.clip(motion.face, 0, 1)
        opened = 1 + (MOUTH_OPEN - 1) * motion.mouth
        tracks["mouth", "scale"] = np.column_stack([wide * (1 - 0.12 * motion.mouth), wide * opened, wide])
    return tracks


def channels(tracks: Tracks, rig: Rig, lengths: Sequence[int]) -> list[Tracks]:
    """The tracks of motions of these lengths that were solved joined, as glTF channels; joints that rest are left out."""
    starts = np.cumsum([0, *lengths[:-1]])
    turning = [key for key in tracks if key[1] == "rotation"]
    turns = quaternions(np.array([tracks[key] for key in turning]), starts.tolist())
    values = tracks | dict(zip(turning, turns, strict=True))
    moves = {key: _moves(key, value, rig, starts) for key, value in tracks.items()}
    return [
        {key: value[start : start + n] for key, value in values.items() if moves[key][i]}
        for i, (start, n) in enumerate(zip(starts, lengths, strict=True))
    ]


def _own_raise(raise_: Array, layout: Layout, i: int) -> Array:
    """(n,) for an arm that already points somewhere: as far as it does not go into the body or the ground."""
    x, y, _ = layout.wrists[i] - layout.shoulders[i]
    raised = float(np.arctan2(abs(x), -y))  # 0 hangs, pi points up
    room = (layout.wrists[i, 1] - 0.2 * layout.object_height) / max(float(np.hypot(x, y)), 1e-9)
    return np.asarray(np.clip(raise_, -float(np.clip(0.35 * room, 0, 0.4)), max(0.25, 2.3 - raised)))


def _least_raise(layout: Layout, rig: Rig, i: int, hips_at: Array, hips_R: Array, bend: Array) -> Array:
    """(n,) how far an arm must be raised so that its hand stays over the ground."""
    side, sign = SIDES[i]
    shoulder, wrist = rig.at(f"arm_{side}_1"), rig.at(f"hand_{side}")
    torso = hips_R @ euler(0.8 * bend)
    high = hips_at[:, 1] + np.einsum("ni,i->n", torso[:, 1], shoulder - rig.at("hips"))
    reach = float(np.linalg.norm(wrist - shoulder)) + (0.0 if layout.own_arms else 3.6 * layout.arm_radius)
    hangs = float(np.arctan2(abs(wrist[0] - shoulder[0]), shoulder[1] - wrist[1]))
    roll = np.arctan2(torso[:, 1, 0], torso[:, 0, 0])
    return np.asarray(np.arccos(np.clip((high - 0.05 * layout.size) / reach, -0.9, 1.0)) - hangs - sign * roll)


def _leg_scale(motion: Motion, layout: Layout, root: Array) -> Array:
    """(n,) so that the sole of a leg drawn in is just where the body stands."""
    return np.asarray(1 + (motion.legs - 1) * layout.lift / root[1])


def _leg_reach(motion: Motion, layout: Layout, rig: Rig, i: int, hips_at: Array, hips_R: Array) -> Array:
    """(n, 3) from a leg's root to where its ankle shall be."""
    side = SIDES[i][0]
    root, ankle = rig.at(f"leg_{side}_1"), rig.at(f"foot_{side}")
    socket = hips_at + np.einsum("nij,j->ni", hips_R, root - rig.at("hips"))
    target = ankle * [1, 0, 1] + motion.feet[i] * layout.leg
    target[:, 1] += ankle[1] * _leg_scale(motion, layout, root) * np.maximum(motion.shoes, 1)
    if not layout.own_legs:
        target[:, 1] += _toe_room(motion, layout, i)
    return np.asarray(target - socket)


def _toe_room(motion: Motion, layout: Layout, i: int) -> Array:
    """(n,) how much higher a foot must be than the motion has it, so that neither toe nor heel of a tilted shoe sinks in."""
    pitch = motion.feet_turn[i, :, 0]
    beyond = np.where(pitch > 0, 0.193, 0.083) * np.abs(np.sin(pitch)) - 0.088 * (1 - np.cos(pitch))
    return np.asarray(np.maximum(beyond * layout.size * motion.shoes - motion.feet[i, :, 1] * layout.leg, 0))


def _beyond_reach(motion: Motion, layout: Layout, rig: Rig, hips_at: Array, hips_R: Array) -> Array:
    """(n,) how far the hips must come down so that both feet get where they shall be."""
    down = np.zeros(len(motion.time))
    for i, (side, _) in enumerate(SIDES):
        joints = np.array([rig.at(name) for name in (f"leg_{side}_1", f"leg_{side}_2", f"foot_{side}")])
        length = np.linalg.norm(np.diff(joints, axis=0), axis=1).sum() * _leg_scale(motion, layout, joints[0])
        reach = _leg_reach(motion, layout, rig, i, hips_at, hips_R)
        level = np.minimum(np.hypot(reach[:, 0], reach[:, 2]), 0.95 * length)
        down = np.maximum(down, -reach[:, 1] - np.sqrt((STRAIGHT * length) ** 2 - level**2))
    return down


def _solve_leg(tracks: Tracks, motion: Motion, layout: Layout, rig: Rig, i: int, hips_at: Array, hips_R: Array) -> None:
    """Two-bone inverse kinematics: the foot where the motion wants it, the knee to the front."""
    side = SIDES[i][0]
    upper, lower, foot = f"leg_{side}_1", f"leg_{side}_2", f"foot_{side}"
    thigh, shin = rig.local(lower), rig.local(foot)
    scale = _leg_scale(motion, layout, rig.at(upper))
    a, b = np.linalg.norm(thigh) * scale, np.linalg.norm(shin) * scale
    foot_R = euler(motion.feet_turn[i])
    reach = _leg_reach(motion, layout, rig, i, hips_at, hips_R)
    distance = np.linalg.norm(reach, axis=1)
    length = np.clip(distance, 0.15 * (a + b), STRAIGHT * (a + b))
    down = reach / np.maximum(distance, 1e-9)[:, None]
    along = (a**2 - b**2 + length**2) / (2 * length)
    out = np.sqrt(np.maximum(a**2 - along**2, 0))
    forward = hips_R[:, :, 2] + 0.18 * SIDES[i][1] * hips_R[:, :, 0]
    pole = forward - down * np.einsum("ni,ni->n", forward, down)[:, None]
    pole /= np.linalg.norm(pole, axis=1, keepdims=True)
    knee = down * along[:, None] + pole * out[:, None]
    upper_R = aligned(knee, pole) @ aligned(thigh[None], np.array([[0.18 * SIDES[i][1], 0, 1.0]])).transpose(0, 2, 1)
    lower_R = aligned(down * length[:, None] - knee, pole) @ aligned(
        shin[None], np.array([[0.18 * SIDES[i][1], 0, 1.0]])
    ).transpose(0, 2, 1)
    tracks[upper, "rotation"] = hips_R.transpose(0, 2, 1) @ upper_R
    tracks[lower, "rotation"] = upper_R.transpose(0, 2, 1) @ lower_R
    tracks[foot, "rotation"] = lower_R.transpose(0, 2, 1) @ foot_R
    tracks[upper, "scale"] = np.repeat(scale[:, None], 3, 1)
    tracks[foot, "scale"] = np.repeat(motion.shoes[:, None], 3, 1)


def _moves(key: tuple[str, str], value: Array, rig: Rig, starts: Array) -> Array:
    """From each start on, whether a track leaves the pose of rest."""
    rest = {"translation": rig.local(key[0]), "rotation": np.eye(3), "scale": np.ones(3)}[key[1]]
    off = np.abs(value - rest).reshape(len(value), -1).max(1)
    return np.asarray(np.maximum.reduceat(off, starts) >= 1e-7)
