"""How a value goes from here to there: slow at both ends, past its mark, behind what it hangs on. Times are arrays (n,)."""

from __future__ import annotations

import numpy as np

from ar_character.mesh import Array
from ar_character.motion import Motion


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
