"""Torch, medal, laurel and hoop."""

from __future__ import annotations

import numpy as np

from ar_character.workshop.tools import Solid, ball, lathe, slab, torus, tube

GOLD, LIGHT, DARK = "#e6ac2f", "#ffd873", "#9c6b14"


def torch() -> list[Solid]:
    """A torch with its fire; the origin is where it is held, it burns above."""
    handle = lathe(
        [(0.035, -0.36), (0.055, -0.34), (0.06, -0.1), (0.075, 0.15), (0.10, 0.36), (0.135, 0.50), (0.14, 0.53), (0.11, 0.54),
         (0.09, 0.46)],
        [DARK, GOLD, "#f7f2e8", "#fffdf6", "#f7f2e8", GOLD, LIGHT, DARK, "#3a2208"], 20, 0.25,
    )  # fmt: skip
    rings = [torus(r, 0.014, [GOLD], 22, 6, 0.2).moved(0, y) for r, y in ((0.066, -0.02), (0.078, 0.16), (0.108, 0.38))]
    drop = [(0.02, 0.0), (0.085, 0.05), (0.105, 0.13), (0.085, 0.24), (0.045, 0.35), (0.012, 0.44)]
    fire = lathe(drop, ["#fff3b0", "#ffe27a", "#ffb733", "#ff8a1f", "#ff6a12", "#ff5a10"], 14, 0.9, True).moved(0, 0.47)
    core = lathe([(0.6 * r, 0.55 * y) for r, y in drop], "#fffbe0", 12, 0.9, True).moved(0.0, 0.49, 0.07)
    return [handle, *rings, fire, core]


def medal() -> list[Solid]:
    """A gold medal on a short ribbon; its back is flat, it looks to the front; the origin is its upper edge."""
    strips = []
    for x, colour in ((-0.14, "#1f78d1"), (0.0, "#fffaf0"), (0.14, "#e63946")):
        outline = np.array([[-0.07, -0.62], [0.07, -0.62], [0.07, 0.0], [-0.07, 0.0]])
        strips.append(slab(outline, 0.07, 0.015, colour, colour, 0.7).moved(x, 0.0, 0.04))
    bar = tube([(-0.24, 0, 0), (0.24, 0, 0)], 0.05, GOLD, 10, 0.22).moved(0, 0, 0.04)
    disc = lathe([(0.30, -0.04), (0.35, -0.03), (0.37, 0.0), (0.35, 0.045), (0.315, 0.05), (0.30, 0.035), (0.0, 0.03)],
                 [DARK, GOLD, LIGHT, LIGHT, GOLD, DARK, GOLD], 32, 0.18).turned("x", 90)  # fmt: skip
    a = np.pi / 2 + np.arange(10) * np.pi / 5
    r = np.where(np.arange(10) % 2, 0.095, 0.22)
    star = slab(np.column_stack([r * np.cos(a), r * np.sin(a)]), 0.07, 0.03, LIGHT, GOLD, 0.15).moved(0, 0, 0.055)
    loop = torus(0.06, 0.02, [GOLD], 16, 6, 0.2).turned("x", 90).moved(0, 0.40, 0)
    return [*strips, bar, *(s.moved(0, -1.0, 0.06) for s in (disc, star, loop))]


def laurel() -> list[Solid]:
    """A wreath of leaves around y with radius 1, open at the front; to be laid around a head."""
    out = [torus(1.04, 0.035, ["#8a6a1c"], 40, 6, 0.5)]
    greens = ("#3f9b4f", "#57b35c", "#2f8547")
    n = 11
    for side in (-1, 1):
        for k in range(n):
            angle = np.radians(14 + 152 * k / (n - 1))  # from the front round to the back
            for row, lift in ((0, 0.10), (1, -0.06)):
                leaf = ball((0.078, 0.215, 0.038), greens[(k + row) % 3], 0.45, 6, 5)
                leaf = leaf.turned("z", 62 - 22 * row).turned("x", -12)
                leaf = leaf.scaled(-side, 1, 1)
                leaf = leaf.moved(0, lift, 1.10 + 0.03 * row).turned("y", side * float(np.degrees(angle)))
                out.append(leaf)
    berries = [
        ball((0.05, 0.05, 0.05), LIGHT, 0.2, 8, 6).moved(0, y, 1.12).turned("y", s * a)
        for s in (-1, 1)
        for a, y in ((24, -0.02), (58, 0.05), (96, 0.0))
    ]
    return [*out, *berries]


def hoop() -> list[Solid]:
    """A gymnast's hoop of many colours, upright; the origin is where it is held, at its lower edge."""
    colours = ["#e63946", "#ffb703", "#06d6a0", "#118ab2", "#8338ec", "#fb5607"]
    return [torus(0.5, 0.035, colours, 42, 8, 0.25).turned("x", 90).moved(0, 0.5, 0)]


MESHES = {"torch": torch, "medal": medal, "laurel": laurel, "hoop": hoop}
