"""What a character does while nobody asks for more, and how it answers: sitting, sleeping, looking about, a poke, a meal."""

from __future__ import annotations

import numpy as np

from ar_character.easing import blinks, bump, ease, lag, overshoot
from ar_character.motion import Motion
from ar_character.moves import TAU, eased


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
