"""Horns, wings and a tail."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ar_character.workshop.tools import Solid, ball, rgb, slab, tube

SKIN, EDGE, BONE = "#8e2f6b", "#5a1747", "#3d1033"


def horn() -> list[Solid]:
    """The left horn: it goes up, outward and comes in again; the origin is its root."""
    t = np.linspace(0, 1, 11)
    path = [(0.34 * np.sin(2.2 * s), 0.95 * s, 0.10 * np.sin(np.pi * s)) for s in t]
    shades = [
        "#5b3a2a",
        "#74503a",
        "#8d684c",
        "#a68362",
        "#bd9c78",
        "#d2b48e",
        "#e2c9a5",
        "#efdcbd",
        "#f7ead2",
        "#fdf5e6",
        "#ffffff",
    ]
    body = tube(path, [0.19, 0.185, 0.175, 0.16, 0.145, 0.125, 0.105, 0.085, 0.063, 0.042, 0.02], shades, 12, 0.35)
    rings = []
    for k in (1, 2, 3, 4):
        p, q = np.array(path[k]), np.array(path[k + 1])
        rings.append(tube([p, p + 0.35 * (q - p)], 0.203 - 0.018 * k, shades[k], 12, 0.4))
    return [body, *rings]


def wing() -> list[Solid]:
    """The left wing: skin between fingers, spread to +x; the origin is its root."""
    root, wrist = np.array([0.0, 0.0]), np.array([0.42, 0.52])
    tips = [np.array(p) for p in ((0.98, 0.92), (1.22, 0.30), (1.02, -0.26), (0.52, -0.50))]
    outline: list[np.ndarray] = [np.array([0.0, -0.16]), np.array([0.22, -0.34])]
    ends = [np.array([0.22, -0.34]), *tips[::-1]]
    for a, b in pairwise(ends):
        inward = 0.5 * (a + b) + 0.24 * (np.array([0.30, 0.10]) - 0.5 * (a + b))
        s = np.linspace(0, 1, 7)[1:, None]
        outline += list((1 - s) ** 2 * a + 2 * s * (1 - s) * inward + s**2 * b)
    s = np.linspace(0, 1, 5)[1:, None]
    outline += list((1 - s) * tips[0] + s * wrist) + list((1 - s) * wrist + s * np.array([0.0, 0.08]))
    shape = np.array(outline)
    table = np.array([rgb("#c95a9c"), rgb("#a83d83"), rgb(SKIN), rgb("#74245a")])
    skin = slab(shape, 0.035, 0.012, table, EDGE, 0.5)
    bones = [tube([(*root, 0), (0.20, 0.34, 0), (*wrist, 0)], [0.075, 0.06, 0.05], BONE, 8, 0.4)]
    for tip in tips:
        middle = 0.5 * (wrist + tip) + np.array([0.05, 0.05])
        bones.append(tube([(*wrist, 0), (*middle, 0.01), (*tip, 0)], [0.042, 0.032, 0.012], BONE, 7, 0.4))
    claw = tube([(*wrist, 0), (0.44, 0.62, 0.02), (0.50, 0.68, 0.03)], [0.04, 0.03, 0.008], "#f3e3c8", 7, 0.3)
    return [skin, *bones, claw]


def tail() -> list[Solid]:
    """A tail that ends in a spade; the origin is its root, it goes back and up."""
    t = np.linspace(0, 1, 14)
    path = [(0.0, -0.16 * np.sin(np.pi * s) + 0.62 * s**2, -0.95 * s + 0.16 * s**3) for s in t]
    body = tube(path, list(0.115 * (1 - 0.78 * t)), SKIN, 10, 0.45)
    spade = np.array(
        [
            [0.0, -0.10],
            [0.10, -0.05],
            [0.17, 0.06],
            [0.10, 0.16],
            [0.0, 0.32],
            [-0.10, 0.16],
            [-0.17, 0.06],
            [-0.10, -0.05],
        ]
    )
    tip = slab(spade, 0.07, 0.025, "#c95a9c", EDGE, 0.4).turned("x", -20).moved(0, 0.50, -0.80)
    spikes = []
    for k in (2, 4, 6, 8, 10):
        x, y, z = path[k]
        size = 0.085 * (1 - 0.05 * k)
        spikes.append(
            ball((0.3 * size, 1.25 * size, 0.8 * size), "#f3e3c8", 0.35, 8, 6).moved(
                x, y + 0.115 * (1 - 0.78 * t[k]), z
            )
        )
    return [body, tip, *spikes]


MESHES = {"horn": horn, "wing": wing, "tail": tail}
