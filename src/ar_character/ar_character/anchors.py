"""Where eyes, mouth, arms and legs go on a shape: wherever there is room for them, near where they look right.

Everything is in px of the outline's raster, v down; `room` is the outline's field.
"""

from __future__ import annotations

import numpy as np

from ar_character.mesh import Array
from ar_character.outline import FloatImage, sample
from ar_character.torso import Torso

SIDES = (("L", 1.0), ("R", -1.0))
EYE_DISTANCE = 1.07  # of an eye from the middle, in its radii
EYE_LEAST, ON_HEAD, EYE_MOST = 0.070, 0.045, 0.122  # radius, in sizes; at least, at least on a head, at most


def place_eyes(
    torso: Torso, room: FloatImage, size: float, neck: float | None, top_share: float
) -> tuple[float, float, float]:
    """Middle between the eyes (u, v) and their radius, px: on the head if there is one, else in the upper third.

    top_share: the part of the height that shows the thing's top side, where eyes would look at the ceiling.
    """
    top, bottom = float(torso.rows[0]), float(torso.rows[-1])
    wanted, least = 0.70, EYE_LEAST
    if neck is None:
        top += top_share * (bottom - top)
    if neck is not None:
        bottom, wanted, least = neck, 0.52, ON_HEAD
    best: tuple[float, float, float, float] | None = None
    for v in np.linspace(top + 0.06 * (bottom - top), top + 0.7 * (bottom - top), 28):
        left, right = torso.at(v)
        u = 0.5 * (left + right)
        radius = float(np.clip(0.175 * (right - left), least * size, EYE_MOST * size))
        space = sample(room, np.array([[u - EYE_DISTANCE * radius, v], [u + EYE_DISTANCE * radius, v]]))
        fits = float(np.clip(space.min() / (0.9 * radius), -1, 1))
        brows = sample(
            room,
            np.array([[u - EYE_DISTANCE * radius, v - 1.3 * radius], [u + EYE_DISTANCE * radius, v - 1.3 * radius]]),
        )
        fits += 1.2 * float(
            np.clip(brows.min() / (0.6 * radius) - 0.2, -1, 0)
        )  # brows over the top would be seen from behind
        if top_share > 0:  # neither eyes nor brows look out of an opening
            fits -= max(0.0, (top - (v - 1.6 * radius)) / radius)
        height = (bottom - v) / max(bottom - top, 1)
        score = radius / (EYE_MOST * size) + fits - 2.5 * (height - wanted) ** 2
        if best is None or score > best[0]:
            best = (score, u, float(v), radius)
    assert best is not None
    return best[1:]


def place_legs(room: FloatImage, bottom: float, size: float, radius: float) -> tuple[Array, float]:
    """Roots (2, 2) L, R of the legs: low in the body, apart, each with room for a leg; half the base's width; px."""
    solid = room > 0
    height = solid.any(1).sum()
    _, u = np.nonzero(solid[max(0, int(bottom - 0.09 * height)) : int(bottom) + 2])
    left, right = np.percentile(u, [4, 96])
    apart = float(np.clip(0.27 * (right - left), 0.15 * size, 0.25 * size))
    heavy = float(np.nonzero(solid)[1].mean())  # legs stand on both sides of what they carry
    middle = float(np.clip(0.5 * (left + right), heavy - 0.6 * apart, heavy + 0.6 * apart))
    offsets = np.arange(0.03 * size, max(0.5 * (right - left), 0.45 * size), 2.0)
    roots = [_leg_root(room, middle, side * offsets, side * apart, bottom, size, radius) for _, side in SIDES]
    if roots[0] is None or roots[1] is None:  # a shape with no room for legs: both from its thickest place
        row, column = np.unravel_index(int(np.argmax(room)), room.shape)
        roots = [(float(column) + 0.5 * side, float(row)) for _, side in SIDES]
    return np.array(roots, float), 0.5 * float(right - left)


def _leg_root(
    room: FloatImage, middle: float, offsets: Array, wanted: float, bottom: float, size: float, radius: float
) -> tuple[float, float] | None:
    """Lowest place with room for a leg, not far from where it is wanted; a thin base takes one too, at a price."""
    best: tuple[float, float, float] | None = None
    for u in middle + offsets:
        if not 0 <= round(u) < room.shape[1]:
            continue
        for need in (0.95, 0.6, 0.3):
            fits = np.flatnonzero(room[:, round(u)] >= need * radius)
            if len(fits):
                rise, aside = bottom - float(fits[-1]), abs(u - middle - wanted)
                crowded = max(0.0, 1 - abs(u - middle) / (1.25 * radius))  # legs would stand in each other
                cost = (1.4 * aside + 1.2 * rise) / size + 0.5 * (0.95 - need) + 0.25 * crowded
                if best is None or cost < best[0]:
                    best = (cost, float(u), float(fits[-1]))
    return best[1:] if best else None


def place_shoulders(torso: Torso, room: FloatImage, below_face: float, radius: float) -> Array:
    """Roots (2, 2) L, R of the arms, px: at the torso's sides, below the face."""
    top, bottom = float(torso.rows[0]), float(torso.rows[-1])
    v = float(np.clip(below_face, top + 0.2 * (bottom - top), top + 0.78 * (bottom - top)))
    out = []
    for _, side in SIDES:
        left, right = torso.outer(v)
        middle, end = 0.5 * (left + right), right if side > 0 else left
        steps = np.linspace(end, middle, 40)
        space = sample(room, np.column_stack([steps, np.full(40, v)]))
        fits = np.flatnonzero(space >= min(0.9 * radius, 0.98 * float(space.max())))
        out.append((float(steps[fits[0]]), v))
    return np.array(out)


def mouth_width(room: FloatImage, u: float, v: float, eye_r: float) -> float:
    """The widest smile that fits below the eyes, px; 0 where none does."""
    for width in (2.0, 1.6, 1.2):
        corners = np.array([[u + s * 0.6 * width * eye_r, v + d * 0.5 * eye_r] for s in (-1, 0, 1) for d in (0, 1)])
        if float(sample(room, corners).min()) > 0.25 * eye_r:
            return width * eye_r
    return 0.0
