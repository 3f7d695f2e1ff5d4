"""The joints of a character. All have the same axes in rest: y up, z forward, so that a clip suits any shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ar_character.anchors import SIDES
from ar_character.mesh import Array
from ar_character.skeleton import Layout

KNEE_SLACK = 1.035  # how much longer a leg is than the way from its root to the ankle: knees are never quite straight


@dataclass(frozen=True)
class Rig:
    """names; parents (-1 for the root); rest positions (n, 3) in the character frame, metres. Parents come first."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    rest: Array

    def index(self, name: str) -> int:
        """Where a joint is in the lists; ValueError for a name the rig does not have."""
        return self.names.index(name)

    def at(self, name: str) -> Array:
        """(3,) rest position of a joint."""
        return np.asarray(self.rest[self.names.index(name)])

    def local(self, name: str) -> Array:
        """(3,) rest position relative to the parent."""
        i = self.names.index(name)
        parent = self.parents[i]
        return np.asarray(self.rest[i] - (self.rest[parent] if parent >= 0 else 0.0))


def build_rig(layout: Layout) -> Rig:
    """The joints of a layout."""
    joints: list[tuple[str, str, Array]] = [("root", "", np.zeros(3))]
    for name, parent, at in zip(
        ("hips", "spine1", "spine2", "head"), ("root", "hips", "spine1", "spine2"), layout.spine, strict=True
    ):
        joints.append((name, parent, at))
    r = layout.eye_radius
    for (side, sign), eye in zip(SIDES, layout.eyes, strict=True):
        joints.append((f"eye_{side}", "head", eye))
        joints.append((f"lid_{side}", f"eye_{side}", eye))
        joints.append((f"lower_lid_{side}", f"eye_{side}", eye))
        joints.append((f"pupil_{side}", f"eye_{side}", eye))
        joints.append((f"brow_{side}", "head", eye + r * np.array([0.06 * sign, 1.17, 0.48])))
    if layout.mouth_width > 0:
        joints.append(("mouth", "head", layout.mouth))
    for i, (side, sign) in enumerate(SIDES):
        shoulder = layout.shoulders[i]
        elbow, wrist = (layout.elbows[i], layout.wrists[i]) if layout.own_arms else arm_line(layout, shoulder, sign)
        parent = "spine2" if shoulder[1] >= layout.spine[2][1] else "spine1"
        joints.append((f"arm_{side}_1", parent, shoulder))
        joints.append((f"arm_{side}_2", f"arm_{side}_1", elbow))
        joints.append((f"hand_{side}", f"arm_{side}_2", wrist))
    for i, (side, _) in enumerate(SIDES):
        root, ankle = layout.leg_roots[i], layout.ankles[i]
        joints.append((f"leg_{side}_1", "hips", root))
        joints.append((f"leg_{side}_2", f"leg_{side}_1", knee(root, ankle)))
        joints.append((f"foot_{side}", f"leg_{side}_2", ankle))
    names = tuple(name for name, _, _ in joints)
    parents = tuple(names.index(parent) if parent else -1 for _, parent, _ in joints)
    return Rig(names, parents, np.array([at for _, _, at in joints]))


def arm_line(layout: Layout, shoulder: Array, sign: float) -> tuple[Array, Array]:
    """Elbow and wrist (3,) of an arm at rest: hanging outward, a little forward, the elbow bent."""
    half = 0.5 * layout.arm_length
    droop = 1.2 * float(np.clip(layout.arm_room, 0.0, 1.0)) ** 2 - 0.2  # low things hold their arms out
    upper = np.array([0.80 * sign, -0.58 * droop, 0.16])
    lower = np.array([0.60 * sign, -0.72 * droop, 0.34])
    elbow = shoulder + half * upper / np.linalg.norm(upper)
    return elbow, elbow + half * lower / np.linalg.norm(lower)


def knee(root: Array, ankle: Array) -> Array:
    """Where the knee (3,) is at rest: halfway, pushed forward by the leg's slack."""
    half = 0.5 * float(np.linalg.norm(ankle - root))
    forward = np.array([0.0, 0.0, 1.0])
    down = (ankle - root) / (2 * half)
    out = forward - down * float(forward @ down)
    return np.asarray(0.5 * (root + ankle) + out / np.linalg.norm(out) * half * np.sqrt(KNEE_SLACK**2 - 1))
