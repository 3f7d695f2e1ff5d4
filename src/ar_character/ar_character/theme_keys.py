"""Movements of the body that a theme adds to a clip: values at moments, eased from one to the next."""

from __future__ import annotations

from copy import deepcopy

import numpy as np

from ar_character.easing import ease
from ar_character.mesh import Array
from ar_character.motion import Motion
from ar_character.theme_parts import Motion as ThemeMotion

FIELDS = {
    "hips_x": ("hips", 0), "hips_y": ("hips", 1), "hips_z": ("hips", 2),
    "lean": ("hips_turn", 0), "turn": ("hips_turn", 1), "roll": ("hips_turn", 2),
    "bend_x": ("bend", 0), "bend_y": ("bend", 1), "bend_z": ("bend", 2),
    "head_x": ("head_turn", 0), "head_y": ("head_turn", 1), "head_z": ("head_turn", 2),
    "gaze_x": ("gaze", 0), "gaze_y": ("gaze", 1),
}  # fmt: skip


def with_keys(motion: Motion, change: ThemeMotion) -> Motion:
    """A copy of a motion with the theme's movements added: eased from row to row."""
    out = deepcopy(motion)
    for channel, rows in change.keys.items():
        value = _eased_through(out.time, rows)
        if channel in FIELDS:
            name, column = FIELDS[channel]
            getattr(out, name)[:, column] += value
        elif channel[-2:] in ("_L", "_R"):
            name = {"raise": "raise_"}.get(channel[:-2], channel[:-2])
            getattr(out, name)["LR".index(channel[-1])] += value
        else:
            getattr(out, channel)[:] += value
    out.blink, out.mouth = np.clip(out.blink, 0, 1), np.clip(out.mouth, 0, 1.3)
    out.squash = np.clip(out.squash, -0.4, 0.5)
    return out


def _eased_through(time: Array, rows: tuple[tuple[float, ...], ...]) -> Array:
    at, value = np.array(rows).T
    k = np.clip(np.searchsorted(at, time, side="right") - 1, 0, max(len(at) - 2, 0))
    if len(at) == 1:
        return np.full(len(time), value[0])
    share = ease((time - at[k]) / (at[k + 1] - at[k]))
    return np.asarray(value[k] + (value[k + 1] - value[k]) * share)
