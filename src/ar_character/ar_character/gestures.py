"""Arms that reach for something, and props that hang, stand upright or aim: added to the tracks of a clip that is solved."""

from __future__ import annotations

import numpy as np

from ar_character.easing import lag
from ar_character.mesh import Array
from ar_character.motion import Tracks
from ar_character.rig import Rig
from ar_character.turns import aligned, quaternions, rotations

STRETCH = 1.22  # how far an arm grows for what it cannot quite reach


class Posed:
    """Where the joints are at every moment of a clip: forward kinematics of its tracks, each joint when it is asked for."""

    def __init__(self, tracks: Tracks, rig: Rig, count: int) -> None:
        self.tracks, self.rig, self.count = tracks, rig, count
        self._known: dict[str, tuple[Array, Array]] = {}

    def world(self, joint: str) -> Array:
        """(n, 4, 4) of a joint, in the character's frame."""
        return self._both(joint)[0]

    def turned(self, joint: str) -> Array:
        """(n, 3, 3) rotations of a joint, without any scale."""
        return self._both(joint)[1]

    def point(self, joint: str, rest: Array) -> Array:
        """(n, 3): where a point (3,) of the rest pose is that moves with a joint."""
        world = self.world(joint)
        return np.asarray(world[:, :3, :3] @ (rest - self.rig.at(joint)) + world[:, :3, 3])

    def parent(self, joint: str) -> str:
        """The joint above."""
        return self.rig.names[self.rig.parents[self.rig.index(joint)]]

    def _both(self, joint: str) -> tuple[Array, Array]:
        if joint not in self._known:
            n = self.count
            local = np.tile(np.eye(4), (n, 1, 1))
            turn = self.tracks.get((joint, "rotation"))
            R = np.tile(np.eye(3), (n, 1, 1)) if turn is None else turn if turn.ndim == 3 else rotations(turn)
            local[:, :3, :3] = R * self.tracks.get((joint, "scale"), np.ones((n, 3)))[:, None, :]
            local[:, :3, 3] = self.tracks.get((joint, "translation"), self.rig.local(joint))
            if self.rig.parents[self.rig.index(joint)] >= 0:
                world, above = self._both(self.parent(joint))
                local, R = world @ local, above @ R
            self._known[joint] = (local, R)
        return self._known[joint]


def reach(posed: Posed, side: str, target: Array, share: Array, palm: float) -> Tracks:
    """Channels of an arm whose palm, `palm` metres beyond the wrist, is at a target (n, 3), as far as it can be.

    share (n,) 0..1: how much of the arm's pose that is; the rest stays what it was.
    """
    rig, sign = posed.rig, 1.0 if side == "L" else -1.0
    upper, lower, hand = f"arm_{side}_1", f"arm_{side}_2", f"hand_{side}"
    bone, fore = rig.local(lower), rig.local(hand)
    longer = fore * (1 + palm / np.linalg.norm(fore))
    a, b = float(np.linalg.norm(bone)), float(np.linalg.norm(longer))
    above = posed.world(posed.parent(upper))
    here = np.linalg.solve(above, np.concatenate([target, np.ones((len(target), 1))], 1)[..., None])[:, :3, 0]
    to = here - rig.local(upper)
    distance = np.maximum(np.linalg.norm(to, axis=1), 1e-9)
    grown = np.clip(distance / (0.985 * (a + b)), 1.0, STRETCH)
    length = np.clip(distance / grown, abs(a - b) + 0.12 * (a + b), 0.985 * (a + b))
    straight = to / distance[:, None]
    along = (a**2 - b**2 + length**2) / (2 * length)
    out = np.sqrt(np.maximum(a**2 - along**2, 0))
    pole = np.array([0.80 * sign, -0.55, -0.12]) - 1e-3 * straight  # elbows go outward and down
    pole = pole - straight * np.einsum("ni,ni->n", pole, straight)[:, None]
    pole /= np.maximum(np.linalg.norm(pole, axis=1, keepdims=True), 1e-6)
    elbow = straight * along[:, None] + pole * out[:, None]
    line = bone + longer
    bent = bone - line * float(bone @ line) / float(line @ line)
    upper_R = aligned(elbow, pole) @ aligned(bone[None], bent[None]).transpose(0, 2, 1)
    fore_R = aligned(straight * length[:, None] - elbow, pole) @ aligned(longer[None], bent[None]).transpose(0, 2, 1)
    out_tracks: Tracks = {}
    still = np.tile([0.0, 0.0, 0.0, 1.0], (len(target), 1))
    turns = {upper: upper_R, lower: upper_R.transpose(0, 2, 1) @ fore_R}
    for joint, R in turns.items():
        out_tracks[joint, "rotation"] = mixed(posed.tracks.get((joint, "rotation"), still), quaternions(R), share)
    out_tracks[hand, "rotation"] = mixed(posed.tracks.get((hand, "rotation"), still), still, share)
    if (grown > 1).any():
        size = posed.tracks.get((upper, "scale"), np.ones((len(target), 3)))
        out_tracks[upper, "scale"] = size * (1 + share * (grown - 1))[:, None]
    return out_tracks


def aim(direction: Array, rest: Array) -> Array:
    """(n, 3, 3): the shortest turns that take a direction (3,) to directions (n, 3)."""
    a = rest / np.linalg.norm(rest)
    b = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
    half = a + b
    flat = np.linalg.norm(half, axis=1) < 1e-3
    half[flat] = np.cross(a, [0.31, 0.42, 0.85]) + a * 1e-3
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    cross, cosine = np.cross(a, half), half @ a
    return rotations(np.column_stack([cross, cosine]))


def pendulum(place: Array, time: Array, length: float, loop: bool) -> Array:
    """(n, 3, 3) turns of what hangs `length` metres under places (n, 3): it comes after, and swings out."""
    behind = np.column_stack([lag(place[:, k] - place[0, k], time, 0.16, loop) + place[0, k] for k in (0, 2)])
    off = np.clip((behind - place[:, [0, 2]]) / max(length, 1e-6), -0.9, 0.9)
    q = np.column_stack([-0.5 * off[:, 1], np.zeros(len(off)), 0.5 * off[:, 0], np.ones(len(off))])
    return rotations(q / np.linalg.norm(q, axis=1, keepdims=True))


def mixed(a: Array, b: Array, share: Array) -> Array:
    """Unit quaternions (n, 4), a share (n,) of the way from a to b each on the near side of the one before."""
    b = b * np.where((a * b).sum(1, keepdims=True) < 0, -1.0, 1.0)
    q = a + (b - a) * share[:, None]
    q /= np.maximum(np.linalg.norm(q, axis=1, keepdims=True), 1e-9)
    turns = np.where((q[1:] * q[:-1]).sum(1) < 0, -1.0, 1.0)
    return np.asarray(q * np.cumprod(np.concatenate([[1.0], turns]))[:, None])
