"""The clips a character is born with. Each is a plain function from nothing but time; no recorded motion.

Weight comes from the old rules: anticipation, squash and stretch, overlapping action. Loops end on the pose they
began with; everything that is not a cycle begins and ends at rest, so that clips can follow each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ar_character.mesh import Array
from ar_character.motion import Motion

TAU = 2 * np.pi
STANCE = 0.60  # part of a walk's cycle that a foot stands
STEP = 0.40  # how far before and behind the hips a foot stands, in leg lengths


@dataclass(frozen=True)
class Clip:
    """A named motion; stride: the way a cycle covers along +z, in leg lengths (the clip itself stays in place)."""

    name: str
    motion: Motion
    loop: bool
    stride: float = 0.0


@cache
def all_clips() -> tuple[Clip, ...]:
    """Everything a plain character can do."""
    return (
        Clip("idle", idle(), True),
        Clip("awaken", awaken(), False),
        Clip("walk", walk(), True, 2 * STEP / STANCE),
        Clip("hop", hop(), True),
        Clip("dance", dance(), True),
        Clip("wave", wave(), True),
        Clip("sit", sit(), False),
        Clip("sleep", sleep(), False),
        Clip("poked", poked(), False),
        Clip("eat", eat(), False),
        Clip("look", look(), False),
    )


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


def sit() -> Motion:
    """Down on its bottom with the legs stretched out, a contented look around, and up again with a push of the arms."""
    m = Motion.still(6.0, 16)
    t = m.time
    down = ease((t - 0.15) / 0.55) * (1 - ease((t - 5.15) / 0.55))
    plump = np.exp(-5.0 * np.maximum(t - 0.68, 0)) * np.sin(TAU * 2.0 * np.maximum(t - 0.68, 0)) * (t > 0.68)
    lean = bump(t, 0.05, 0.75, 0.3, 0.3) + bump(t, 4.9, 5.6, 0.25, 0.3)
    m.hips[:, 1] = -0.62 * down
    m.hips[:, 2] = -0.35 * down
    m.hips_turn[:, 0] = -0.12 * down + 0.22 * lean
    m.feet[:, :, 2] = 0.42 * down
    m.feet[0, :, 0], m.feet[1, :, 0] = 0.16 * down, -0.16 * down
    m.feet_turn[:, :, 0] = -0.75 * down
    m.feet[:, :, 1] = 0.16 * down
    m.squash[:] = -0.16 * plump - 0.05 * bump(t, 0.02, 0.3) - 0.10 * bump(t, 4.95, 5.25, 0.12, 0.12)
    m.squash[:] += 0.08 * bump(t, 5.25, 5.65, 0.14, 0.2) + 0.012 * down * np.sin(TAU * t / 2.4)
    m.raise_[:] = 0.25 * lag(down, t, 0.12) + 0.5 * bump(t, 0.2, 0.75, 0.2, 0.2)
    m.swing[:] = -0.35 * lag(down, t, 0.1)
    m.elbow[:] = 0.25 * lag(down, t, 0.15)
    left, right = bump(t, 1.5, 2.6, 0.3, 0.3), bump(t, 3.0, 4.2, 0.3, 0.3)
    m.head_turn[:, 1] = lag(0.30 * left - 0.30 * right, t, 0.12)
    m.head_turn[:, 2] = lag(-0.08 * left + 0.08 * right, t, 0.16)
    m.gaze[:, 0] = 0.5 * left - 0.5 * right
    m.feet_turn[0, :, 1], m.feet_turn[1, :, 1] = (s * 0.25 * down * np.sin(TAU * t / 1.2) for s in (1, -1))
    m.mouth[:] = 0.35 * down + 0.4 * bump(t, 0.6, 1.0)
    m.brows[:] = 0.35 * down + 0.5 * bump(t, 0.55, 0.9)
    m.blink[:] = np.maximum(blinks(t, [1.4, 2.8, 4.6]), 0.9 * bump(t, 0.64, 0.8, 0.05, 0.1))
    return eased(m)


def sleep() -> Motion:
    """A yawn, down on its bottom, the head sinks, deep breaths with shut eyes; it wakes with a start."""
    m = Motion.still(9.0, 12)
    t = m.time
    yawn = bump(t, 0.1, 1.3, 0.4, 0.35)
    down = ease((t - 1.2) / 0.8) * (1 - ease((t - 8.3) / 0.5))
    nod = ease((t - 2.0) / 0.9) * (1 - ease((t - 7.95) / 0.16))
    start = bump(t, 7.95, 8.4, 0.08, 0.2)
    breath = nod * np.sin(TAU * (t - 2.4) / 2.6)
    m.hips[:, 1] = -0.62 * down + 0.10 * start
    m.hips[:, 2] = -0.35 * down
    m.feet[:, :, 2] = 0.42 * down
    m.feet[0, :, 0], m.feet[1, :, 0] = 0.16 * down, -0.16 * down
    m.feet_turn[:, :, 0] = -0.75 * down
    m.feet[:, :, 1] = 0.16 * down
    m.squash[:] = 0.06 * yawn - 0.07 * nod + 0.045 * breath + 0.12 * start
    m.hips_turn[:, 0] = -0.10 * yawn - 0.08 * down
    m.bend[:, 0] = -0.10 * yawn + 0.24 * lag(nod, t, 0.2) + 0.03 * breath
    m.bend[:, 2] = 0.10 * lag(nod, t, 0.3)
    m.head_turn[:, 0] = -0.12 * yawn + 0.28 * lag(nod, t, 0.2) - 0.08 * start
    m.head_turn[:, 2] = 0.18 * lag(nod, t, 0.3)
    m.raise_[0], m.raise_[1] = 1.1 * lag(yawn, t, 0.1), 1.7 * lag(yawn, t, 0.08)
    m.raise_[:] += 0.8 * start
    m.elbow[:] = 0.3 * yawn + 0.2 * nod
    m.mouth[:] = np.maximum(0.95 * yawn, 0.16 * nod * (1 + np.sin(TAU * (t - 2.4) / 2.6)))
    m.mouth[:] = np.maximum(m.mouth, 0.6 * start)
    drowsy = np.maximum(ease((t - 1.2) / 0.9) * (t < 7.9), 0.0)
    m.blink[:] = np.clip(np.maximum.reduce([0.9 * yawn, drowsy, blinks(t, [8.6])]) * (1 - start), 0, 1)
    m.brows[:] = -0.3 * yawn - 0.2 * nod + 1.0 * start
    return eased(m)


def poked() -> Motion:
    """Struck in the belly: doubled up, a wobble like jelly, then a laugh."""
    m = Motion.still(1.8, 28)
    t = m.time
    hit = bump(t, 0.0, 0.32, 0.07, 0.2)
    after = np.maximum(t - 0.2, 0)
    wobble = np.exp(-3.2 * after) * np.sin(TAU * 2.6 * after)
    laugh = bump(t, 0.55, 1.7, 0.2, 0.3)
    shake = laugh * np.sin(TAU * 5 * t)
    m.hips[:, 2] = -0.22 * hit
    m.hips[:, 1] = -0.16 * hit - 0.04 * laugh
    m.hips_turn[:, 0] = 0.22 * hit - 0.05 * laugh
    m.hips_turn[:, 2] = 0.07 * wobble
    m.bend[:, 0] = 0.26 * lag(hit, t, 0.05) - 0.10 * lag(laugh, t, 0.08) + 0.03 * shake
    m.bend[:, 2] = 0.20 * wobble
    m.head_turn[:, 2] = -0.16 * lag(wobble, t, 0.06)
    m.squash[:] = -0.16 * hit + 0.12 * wobble + 0.025 * shake
    m.swing[:] = 0.9 * lag(hit, t, 0.05)
    m.raise_[:] = 0.45 * lag(hit, t, 0.05) + 0.15 * laugh
    m.elbow[:] = 0.6 * hit + 0.7 * laugh + 0.1 * shake
    m.blink[:] = np.maximum(bump(t, 0.03, 0.36, 0.05, 0.12), 0.75 * laugh)
    m.mouth[:] = 0.45 * hit + 0.9 * laugh
    m.brows[:] = 1.0 * hit + 0.5 * laugh
    return eased(m)


def eat() -> Motion:
    """Leans down, snaps something up, chews with full cheeks, swallows and is pleased."""
    m = Motion.still(3.4, 24)
    t = m.time
    reach = bump(t, 0.1, 0.85, 0.35, 0.22)
    chew = bump(t, 0.85, 2.3, 0.1, 0.15)
    bite = chew * np.sin(TAU * 2.4 * (t - 0.85))
    gulp = bump(t, 2.3, 2.75, 0.12, 0.2)
    glad = bump(t, 2.6, 3.35, 0.2, 0.25)
    m.hips[:, 1] = -0.30 * reach - 0.06 * gulp
    m.hips[:, 2] = -0.08 * reach
    m.hips_turn[:, 0] = 0.26 * reach
    m.bend[:, 0] = 0.34 * lag(reach, t, 0.06) - 0.12 * gulp
    m.head_turn[:, 0] = 0.16 * reach - 0.14 * gulp
    m.head_turn[:, 2] = 0.08 * lag(bite, t, 0.05)
    m.squash[:] = -0.07 * chew + 0.05 * bite + 0.12 * gulp - 0.06 * bump(t, 0.0, 0.3) + 0.05 * glad
    m.raise_[:] = 0.5 * lag(reach, t, 0.06) + 0.35 * glad
    m.swing[:] = -0.6 * lag(reach, t, 0.06) + 0.35 * chew
    m.elbow[:] = 0.55 * chew + 0.35 * glad
    m.gaze[:, 1] = -0.5 * bump(t, 0.05, 0.9, 0.15, 0.2)
    snap = bump(t, 0.25, 0.72, 0.2, 0.06)
    m.mouth[:] = np.maximum.reduce([snap, 0.28 * chew * (1 + np.sin(TAU * 2.4 * (t - 0.85))), 0.7 * glad])
    m.brows[:] = 0.4 * reach + 0.25 * bite + 0.8 * gulp + 0.5 * glad
    m.blink[:] = np.maximum(0.9 * gulp, blinks(t, [0.95]))
    return eased(m)


def look() -> Motion:
    """A hand over the eyes, on its toes, to one side, to the other; a shrug."""
    m = Motion.still(4.0, 24)
    t = m.time
    peer = bump(t, 0.15, 3.2, 0.4, 0.35)
    left, right = bump(t, 0.5, 1.7, 0.35, 0.3), bump(t, 1.85, 3.1, 0.35, 0.3)
    shrug = bump(t, 3.2, 3.85, 0.15, 0.25)
    m.hips[:, 0] = 0.10 * left - 0.10 * right
    m.hips[:, 1] = 0.03 * peer
    m.hips_turn[:, 1] = lag(0.16 * left - 0.16 * right, t, 0.1)
    m.hips_turn[:, 0] = 0.10 * peer
    m.bend[:, 1] = lag(0.22 * left - 0.22 * right, t, 0.14)
    m.head_turn[:, 1] = lag(0.40 * left - 0.40 * right, t, 0.1)
    m.head_turn[:, 2] = lag(-0.10 * left + 0.10 * right, t, 0.16)
    m.gaze[:, 0] = 0.65 * left - 0.65 * right
    m.raise_[0] = 1.15 * overshoot(peer, t)
    m.elbow[0] = 1.5 * lag(peer, t, 0.08)
    m.wrist[0] = 0.3 * peer
    m.raise_[:] += 0.5 * lag(shrug, t, 0.05)
    m.elbow[:] += 0.5 * shrug
    m.squash[:] = 0.05 * peer - 0.06 * bump(t, 0.02, 0.3) + 0.06 * shrug - 0.04 * bump(t, 3.6, 3.9)
    m.brows[:] = 0.35 * peer + 0.9 * shrug
    m.mouth[:] = 0.3 * shrug
    m.blink[:] = np.maximum(blinks(t, [1.78, 3.2]), 0.22 * peer)
    return eased(m)


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


def closed(m: Motion) -> Motion:
    """The same motion with its last moment equal to its first, to the bit."""
    for name, value in vars(m).items():
        if name != "time":
            by_time = value if len(value) == len(m.time) else value.swapaxes(0, 1)
            by_time[-1] = by_time[0]
    return m


def ease(x: Array) -> Array:
    """0..1 to 0..1, slow at both ends."""
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x))


def bump(t: Array, start: float, stop: float, rise: float = 0.15, fall: float = 0.18) -> Array:
    """0, then 1 from start to stop, with soft edges inside that span."""
    return ease((t - start) / rise) * (1 - ease((t - stop + fall) / fall))


def appear(t: Array, start: float, duration: float, spring: float = 0.16) -> Array:
    """0 before start, 1 after, past it on the way (back ease-out)."""
    x = np.clip((t - start) / duration, 0, 1)
    return ease(x) + spring * np.sin(np.pi * x) * np.sin(np.pi * x**0.8) * (x > 0) * np.where(x > 0.35, 1, x / 0.35)


def blinks(t: Array, moments: list[float]) -> Array:
    """Shut for a moment at each of these times: quick down, slower up."""
    return np.max([ease((t - at + 0.10) / 0.09) * (1 - ease((t - at - 0.03) / 0.16)) for at in moments], axis=0)


def lag(x: Array, t: Array, seconds: float, loop: bool = False) -> Array:
    """x (n,) as something soft would follow it: a damped spring, fixed step, once round first where x is a loop."""
    dt = float(t[1] - t[0])
    steps = max(1, int(np.ceil(dt / (0.25 * seconds))))
    stiffness, damping = 1 / seconds**2, 2 * 0.7 / seconds
    out = np.empty_like(x)
    place, speed = float(x[0]), 0.0
    for _ in range(2 if loop else 1):
        for i, target in enumerate(x):
            out[i] = place
            for _ in range(steps):
                speed += (stiffness * (float(target) - place) - damping * speed) * dt / steps
                place += speed * dt / steps
    return out


def overshoot(x: Array, t: Array) -> Array:
    """x with a little follow-through."""
    return np.asarray(0.35 * x + 0.65 * lag(x, t, 0.09))
