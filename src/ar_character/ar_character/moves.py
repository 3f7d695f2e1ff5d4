"""The motions that every character has: standing, walking, hopping, dancing, waving, coming alive."""

from __future__ import annotations

import numpy as np

from ar_character.easing import appear, blinks, bump, closed, ease, lag, overshoot
from ar_character.mesh import Array
from ar_character.motion import Motion

TAU = 2 * np.pi
STANCE = 0.60  # part of a walk's cycle that a foot stands
STEP = 0.40  # how far before and behind the hips a foot stands, in leg lengths


def idle() -> Motion:
    """Breathing, weight from foot to foot, a look to either side, blinks."""
    m = Motion.still(6.0)
    t = m.time
    breath, sway = TAU * t / 3, TAU * t / 6
    m.squash[:] = 0.014 * np.sin(breath)
    m.hips[:, 1] = -0.035 + 0.018 * np.sin(breath - 0.3)
    m.hips[:, 0] = 0.06 * np.sin(sway)
    m.hips_turn[:, 2] = -0.02 * np.sin(sway)
    m.bend[:, 2] = 0.05 * np.sin(sway - 0.5)
    m.bend[:, 0] = 0.015 * np.sin(breath - 0.8)
    m.raise_[:] = -0.12 + 0.07 * np.sin(breath - 0.9)
    m.raise_[0] += 0.05 * np.sin(sway - 0.8)
    m.raise_[1] -= 0.05 * np.sin(sway - 0.8)
    m.elbow[:] = 0.18 + 0.07 * np.sin(breath - 1.5)
    m.wrist[:] = -0.1 + 0.12 * np.sin(breath - 2.1)
    left, right, up = bump(t, 1.3, 2.6), bump(t, 3.3, 4.6), bump(t, 4.9, 5.6)
    m.gaze[:, 0] = 0.55 * left - 0.55 * right
    m.gaze[:, 1] = 0.12 * left + 0.25 * up
    m.head_turn[:, 1] = lag(0.22 * left - 0.22 * right, t, 0.12, loop=True)
    m.head_turn[:, 2] = lag(-0.06 * left + 0.06 * right, t, 0.16, loop=True)
    m.blink[:] = blinks(t, [0.7, 2.75, 4.75, 5.05])
    m.brows[:] = 0.25 * left + 0.25 * right + 0.7 * up
    return closed(m)


def walk() -> Motion:
    """A bouncy step; while a foot stands it moves straight back at the speed of the ground."""
    m = Motion.still(0.9, 40 / 0.9)  # so that feet leave and touch the ground on a key
    phase = m.time / m.time[-1]
    for i, start in enumerate((0.0, 0.5)):
        p = (phase - start) % 1.0
        swing = np.clip((p - STANCE) / (1 - STANCE), 0, 1)
        m.feet[i, :, 2] = np.where(p < STANCE, STEP * (1 - 2 * p / STANCE), STEP * (2 * ease(swing) - 1))
        m.feet[i, :, 1] = 0.34 * np.sin(np.pi * swing) ** 1.2
        m.feet_turn[i, :, 0] = 0.55 * np.sin(np.pi * swing) * (1 - 1.75 * swing)
    middle = 0.5 * STANCE  # when the left foot bears all the weight
    over_left, twice = np.cos(TAU * (phase - middle)), np.cos(2 * TAU * (phase - middle))
    m.hips[:, 1] = -0.13 + 0.06 * twice
    m.hips[:, 0] = 0.13 * over_left
    m.hips_turn[:, 2] = 0.05 * over_left - 0.11 * np.cos(TAU * (phase - middle - 0.06))
    m.hips_turn[:, 0] = 0.05
    forward = np.sin(TAU * (phase - middle - 0.5))  # which leg is ahead: +1 left
    m.hips_turn[:, 1] = -0.10 * forward
    m.bend[:, 1] = 0.20 * np.sin(TAU * (phase - middle - 0.53))
    m.bend[:, 2] = 0.10 * np.cos(TAU * (phase - middle - 0.08))
    m.head_turn[:, 1] = -0.08 * np.sin(TAU * (phase - middle - 0.56))
    m.squash[:] = 0.030 * np.cos(2 * TAU * (phase - middle - 0.05))
    m.raise_[:] = -0.48 + 0.05 * twice
    for i, sign in enumerate((1.0, -1.0)):
        m.swing[i] = -0.75 * sign * np.sin(TAU * (phase - middle - 0.5 - 0.03))
        m.elbow[i] = 0.45 - 0.25 * sign * np.sin(TAU * (phase - middle - 0.5 - 0.10))
        m.wrist[i] = 0.15 * sign * np.sin(TAU * (phase - middle - 0.5 - 0.18))
    m.mouth[:] = 0.12
    m.brows[:] = 0.25
    return closed(m)


def hop() -> Motion:
    """Crouch, spring, fly, land soft."""
    m = Motion.still(1.1, 28)
    t = m.time
    crouch, land = bump(t, 0.0, 0.36, 0.2, 0.1), bump(t, 0.68, 1.02, 0.07, 0.26)
    air = np.clip((t - 0.32) / 0.40, 0, 1)
    height = 4 * air * (1 - air)
    m.hips[:, 1] = -0.30 * crouch - 0.26 * land + 0.95 * height
    late = np.clip((t - 0.34) / 0.365, 0, 1)
    m.feet[:, :, 1] = 0.86 * 4 * late * (1 - late)
    m.feet_turn[:, :, 0] = 0.55 * np.sin(np.pi * late) * (1 - 0.9 * late)
    fast = bump(t, 0.28, 0.46, 0.07, 0.12)
    m.squash[:] = -0.13 * lag(crouch, t, 0.04) + 0.15 * fast - 0.15 * lag(land, t, 0.03) + 0.03 * bump(t, 0.9, 1.1)
    m.hips_turn[:, 0] = 0.16 * crouch - 0.10 * fast + 0.12 * land
    m.bend[:, 0] = 0.12 * lag(crouch, t, 0.07) - 0.15 * lag(fast, t, 0.06) + 0.10 * lag(land, t, 0.06)
    up = bump(t, 0.26, 0.78, 0.14, 0.18)
    m.raise_[:] = -0.25 * crouch + 1.25 * lag(up, t, 0.05) - 0.2 * land
    m.swing[:] = -0.65 * lag(crouch, t, 0.05)
    m.elbow[:] = 0.4 * crouch + 0.15 * up + 0.25 * land
    m.wrist[:] = 0.45 * (up - lag(up, t, 0.09)) * 2
    m.mouth[:] = 0.75 * lag(up, t, 0.03)
    m.brows[:] = 1.0 * up - 0.3 * crouch
    m.blink[:] = 0.9 * bump(t, 0.70, 0.84, 0.05, 0.1)
    m.gaze[:, 1] = 0.25 * up
    return closed(eased(m))


def dance() -> Motion:
    """Side to side, knees on every beat, arms in turn."""
    m = Motion.still(2.4, 24)
    t = m.time
    beat = TAU * t / 0.6  # one per step
    side = np.sin(TAU * t / 1.2)  # +1 over the left foot
    wide = np.sign(side) * np.abs(side) ** 0.7
    late = np.sin(TAU * (t - 0.07) / 1.2)
    later = np.sin(TAU * (t - 0.14) / 1.2)
    turn = np.sin(TAU * t / 2.4)
    m.hips[:, 0] = 0.24 * wide
    m.hips[:, 1] = -0.14 - 0.09 * np.cos(beat)
    m.hips_turn[:, 2] = 0.12 * late
    m.hips_turn[:, 1] = 0.22 * turn
    m.bend[:, 2] = -0.40 * later
    m.bend[:, 1] = 0.15 * turn
    m.head_turn[:, 2] = 0.24 * np.sin(TAU * (t - 0.2) / 1.2)
    m.squash[:] = 0.045 * np.cos(beat - 0.5 + np.pi)
    for i, sign in enumerate((1.0, -1.0)):
        free = np.clip(-sign * side, 0, 1)
        m.feet[i, :, 1] = 0.22 * free**1.3
        m.feet[i, :, 0] = sign * 0.10 * free
        m.feet_turn[i, :, 0] = 0.45 * free
        m.raise_[i] = 0.55 + 0.75 * sign * np.sin(TAU * (t - 0.10) / 1.2)
        m.elbow[i] = 0.75 + 0.40 * sign * np.sin(TAU * (t - 0.22) / 1.2)
        m.wrist[i] = 0.40 * sign * np.sin(TAU * (t - 0.33) / 1.2)
        m.swing[i] = 0.30
    m.gaze[:, 0] = 0.30 * late
    m.mouth[:] = 0.55 + 0.25 * np.cos(beat)
    m.brows[:] = 0.5 + 0.4 * np.cos(beat - 0.4)
    m.blink[:] = blinks(t, [0.9, 2.1])
    return closed(m)


def wave() -> Motion:
    """Hello with the right arm."""
    m = Motion.still(2.4, 24)
    t = m.time
    up = bump(t, 0.1, 2.15, 0.38, 0.42)
    shake = up * np.sin(TAU * 2.2 * (t - 0.4))
    m.raise_[1] = 1.55 * overshoot(up, t) + 0.12 * shake
    m.elbow[1] = 0.25 * up + 0.45 * shake
    m.wrist[1] = 0.35 * up * np.sin(TAU * 2.2 * (t - 0.4) - 0.8)
    m.swing[1] = 0.25 * up
    m.raise_[0] = -0.10 * up
    m.elbow[0] = 0.25 * up
    m.hips[:, 0] = 0.10 * up
    m.hips[:, 1] = 0.02 * np.abs(shake)
    m.hips_turn[:, 2] = -0.03 * up
    m.bend[:, 2] = -0.10 * lag(up, t, 0.1) + 0.025 * shake
    m.head_turn[:, 2] = 0.14 * lag(up, t, 0.12)
    m.squash[:] = -0.05 * bump(t, 0.05, 0.3, 0.12, 0.12) + 0.03 * bump(t, 0.25, 0.7, 0.15, 0.2)
    m.mouth[:] = 0.8 * lag(up, t, 0.06)
    m.brows[:] = 0.8 * up
    m.blink[:] = blinks(t, [0.25, 1.9])
    return closed(eased(m))


def awaken() -> Motion:
    """A thing trembles, opens its eyes, pulls its legs out from under itself, stretches, yawns and looks around."""
    m = Motion.still(4.4, 24)
    t = m.time
    rock = bump(t, 0.1, 1.05, 0.25, 0.2) * np.sin(TAU * 2.6 * (t - 0.1))
    eyes = appear(t, 0.85, 0.32)
    legs = appear(t, 1.35, 0.42, spring=0.10)
    arms = appear(t, 1.75, 0.38)
    push = bump(t, 1.05, 1.42, 0.2, 0.12)
    stretch = bump(t, 2.1, 3.05, 0.35, 0.3)
    m.face[:] = np.maximum(eyes, 0.01)
    m.legs[:] = legs
    m.shoes[:] = np.clip(appear(t, 1.30, 0.40), 0.02, 2)
    m.arms[:] = np.maximum(arms, 0.02)
    m.hips_turn[:, 2] = 0.10 * rock
    m.squash[:] = -0.03 * np.abs(rock) - 0.14 * push + 0.16 * bump(t, 1.38, 1.72, 0.12, 0.16)
    m.squash[:] += -0.08 * bump(t, 1.72, 2.0, 0.1, 0.14) + 0.09 * stretch - 0.05 * bump(t, 3.05, 3.35, 0.12, 0.16)
    m.bend[:, 2] = -0.10 * lag(rock, t, 0.06)
    m.bend[:, 0] = -0.10 * lag(stretch, t, 0.1)
    m.raise_[:] = 1.9 * lag(stretch, t, 0.06)
    m.elbow[:] = 0.25 * bump(t, 2.05, 2.5) + 0.12 * stretch
    m.swing[:] = 0.2 * stretch
    m.wrist[:] = 0.5 * (stretch - lag(stretch, t, 0.12))
    m.mouth[:] = bump(t, 2.25, 3.0, 0.25, 0.25)
    left, right = bump(t, 3.15, 3.65, 0.1, 0.12), bump(t, 3.68, 4.15, 0.1, 0.14)
    m.gaze[:, 0] = 0.6 * left - 0.6 * right
    m.head_turn[:, 1] = lag(0.24 * left - 0.24 * right, t, 0.08)
    shut = 1 - appear(t, 1.12, 0.22, spring=0)
    drowsy = 0.35 * (1 - appear(t, 1.5, 0.3, spring=0))
    m.blink[:] = np.clip(np.maximum.reduce([shut, drowsy, blinks(t, [1.62, 3.67]), 0.97 * stretch]), 0, 1)
    m.brows[:] = 0.9 * bump(t, 1.2, 1.7) - 0.3 * stretch + 0.5 * left + 0.5 * right
    return eased(m, ease((t - 3.0) / 0.7))


def eased(m: Motion, share: Array | float = 1.0) -> Motion:
    """The same movements on top of the pose with which idling begins, or of a share (n,) of it."""
    pose = idle()
    for name, value in vars(m).items():
        if name not in ("time", "legs", "shoes", "arms", "face"):
            per_side = len(value) != len(m.time)
            first = getattr(pose, name)[:, 0] if per_side else getattr(pose, name)[0]
            weight = np.broadcast_to(share, m.time.shape)
            for i, moments in enumerate(value if per_side else [value]):
                moments += np.multiply.outer(weight, first[i] if per_side else first)
    return m
