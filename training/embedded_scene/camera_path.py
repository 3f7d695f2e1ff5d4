"""A hand-held camera around a table top: where it is at every frame. Pure numpy.

Poses are ``T_map_camera (4, 4) float64``: map z up with the table at z = 0, metres; camera_optical_frame x right,
y down, z forward. The path is periodic, so that a clip can loop without a jump.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vec = NDArray[np.float64]


@dataclass(frozen=True)
class Move:
    """One reach of the arm: ``amount`` added between ``start`` and ``end`` seconds, with least jerk."""

    start: float
    end: float
    amount: float


@dataclass(frozen=True)
class CameraPath:
    """Base values (degrees, metres), the moves on each of them, the rest and the strength of the tremble."""

    period: float
    base: dict[str, float]
    moves: dict[str, tuple[Move, ...]]
    rest: tuple[float, float]
    seed: int = 0
    tremble_m: float = 0.0011
    tremble_deg: float = 0.16

    def value(self, name: str, t: float) -> float:
        """A coordinate at time ``t``: its base plus all moves so far, repeated with the period."""
        total = self.base[name]
        for move in self.moves.get(name, ()):
            for lap in (-self.period, 0.0, self.period):
                total += move.amount * minimum_jerk((t - lap - move.start) / (move.end - move.start))
        return total

    def pose(self, t: float) -> Vec:
        """``T_map_camera`` at ``t`` seconds."""
        azimuth, elevation = np.radians(self.value("azimuth", t)), np.radians(self.value("elevation", t))
        target = np.array([self.value(axis, t) for axis in ("x", "y", "z")])
        back = np.array([np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation)])
        pose = look_at(target + self.value("distance", t) * back, target)
        shift, turn = self._tremble(t)
        pose[:3, :3] = pose[:3, :3] @ rotation(turn)
        pose[:3, 3] += shift
        return pose

    def source_frame(self, frame: int, fps: int) -> int:
        """The frame that is rendered for ``frame``: itself, or the middle of the rest (one pose, one picture)."""
        first, last = int(np.ceil(self.rest[0] * fps - 1e-6)), int(np.floor(self.rest[1] * fps + 1e-6))
        return (first + last) // 2 if first <= frame <= last else frame

    def _tremble(self, t: float) -> tuple[Vec, Vec]:
        """Smooth noise of 0.3-9 Hz as a Fourier series of the period; nothing at all during the rest."""
        rng = np.random.default_rng(self.seed)
        k = np.arange(4, int(9 * self.period))
        frequency = k / self.period
        power = frequency**-1.3 + 0.02 * np.exp(-(((frequency - 7.5) / 1.5) ** 2))
        power /= np.sqrt((power**2).sum() / 2)
        phase = rng.uniform(0, 2 * np.pi, (6, len(k)))
        weight = power * rng.normal(1, 0.3, (6, len(k)))
        noise = (weight * np.sin(2 * np.pi * k * t / self.period + phase)).sum(1)
        calm = 1 - minimum_jerk((t - self.rest[0] + 0.7) / 0.7) + minimum_jerk((t - self.rest[1]) / 0.7)
        return calm * self.tremble_m * noise[:3], calm * np.radians(self.tremble_deg) * noise[3:]


def minimum_jerk(s: float) -> float:
    """The hand's position profile, 0 to 1 for ``s`` in 0..1 (Flash & Hogan 1985); constant outside."""
    s = min(max(s, 0.0), 1.0)
    return s**3 * (10 - 15 * s + 6 * s * s)


def look_at(eye: Vec, target: Vec, roll: float = 0.0) -> Vec:
    """``T_map_camera`` of an upright camera at ``eye`` whose axis passes through ``target``; ``roll`` in radians."""
    z = (target - eye) / np.linalg.norm(target - eye)
    x = np.cross(z, (0.0, 0.0, 1.0))
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([x, np.cross(z, x), z], 1) @ rotation(np.array([0.0, 0.0, roll]))
    pose[:3, 3] = eye
    return pose


def rotation(vector: Vec) -> Vec:
    """Rotation matrix of a rotation vector (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    if angle == 0.0:
        return np.eye(3)
    x, y, z = vector / angle
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k)


def hand_held(seed: int = 0) -> CameraPath:
    """Slide in from the left, orbit to the right and back, rest from 6.6 to 7.6 s, come close, return. 13 s.

    Seed 0 is the shipped clip; other seeds change every amount by up to a quarter and the tremble altogether.
    """
    rng = np.random.default_rng(seed)

    def vary(amount: float) -> float:
        return amount * (1.0 if seed == 0 else float(rng.uniform(0.75, 1.25)))

    out, far = vary(58.0), vary(-36.0)
    near, low = vary(-0.135), vary(-7.0)
    lift = vary(5.0)
    side = vary(0.05)
    return CameraPath(
        period=13.0,
        base={"azimuth": -30.0, "elevation": 35.0, "distance": 0.500, "x": -0.035, "y": 0.03, "z": 0.030},
        moves={
            "azimuth": (Move(-0.9, 4.0, out), Move(3.6, 6.5, far), Move(8.9, 12.9, -out - far)),
            "elevation": (Move(1.5, 4.5, -lift), Move(4.3, 6.5, lift), Move(7.6, 9.6, low), Move(9.8, 12.6, -low)),
            "distance": (Move(2.6, 5.6, -0.035), Move(7.6, 9.7, near), Move(10.0, 12.8, 0.035 - near)),
            "x": (Move(-0.4, 2.4, side), Move(10.2, 12.9, -side)),
            "y": (Move(7.6, 9.6, -0.025), Move(10.0, 12.4, 0.025)),
            "z": (Move(7.6, 9.6, 0.014), Move(10.0, 12.4, -0.014)),
        },
        rest=(6.6, 7.6),
        seed=seed,
    )
