"""Lantern, crescent and star."""

from __future__ import annotations

import numpy as np

from ar_character.workshop.tools import Solid, ball, flat, lathe, slab, torus, tube

GOLD, DARK, LIGHT = "#d99a2b", "#8a5a14", "#f3c45a"


def lantern() -> list[Solid]:
    """A six-sided lantern of brass with coloured glass; the origin is its ring, from which it hangs."""
    brass = [
        lathe([(0.30, -1.52), (0.34, -1.48), (0.34, -1.42), (0.26, -1.36)], [DARK, GOLD, GOLD, DARK], 24, 0.22),
        lathe(
            [(0.20, -1.36), (0.22, -1.30), (0.37, -1.22), (0.39, -1.16), (0.36, -1.14)],
            [DARK, GOLD, GOLD, LIGHT, GOLD],
            24,
            0.22,
        ),
        lathe(
            [(0.34, -0.62), (0.41, -0.60), (0.41, -0.55), (0.33, -0.50), (0.27, -0.38), (0.16, -0.28), (0.10, -0.25)],
            [DARK, GOLD, LIGHT, GOLD, GOLD, LIGHT, GOLD],
            24,
            0.22,
        ),
        lathe(
            [(0.09, -0.25), (0.12, -0.22), (0.12, -0.18), (0.06, -0.14), (0.04, -0.10)],
            [GOLD, LIGHT, GOLD, GOLD, LIGHT],
            16,
            0.22,
        ),
        torus(0.085, 0.022, [GOLD], 20, 8, 0.2).turned("x", 90).moved(0, -0.01),
    ]
    panes, colours = [], ("#ffc14d", "#ff7a4d", "#4dd0c8")
    bar = tube([(0, -1.16, 0.34), (0, -0.60, 0.38)], 0.028, GOLD, 6, 0.22)
    stud = ball((0.03, 0.03, 0.03), LIGHT, 0.2, 8, 5).moved(0, -0.57, 0.41)
    for k in range(6):
        brass += [bar.turned("y", 60 * k), stud.turned("y", 60 * k)]
        colour = colours[k % 3]
        sheet = [(0.02, -0.29), (0.17, -0.27), (0.185, 0.27), (0.02, 0.29)]
        pane = (
            lathe(sheet, ["#fff6d8", colour, colour, "#fff6d8"], 4, 0.3, True).turned("y", 45).scaled(1.15, 0.98, 0.14)
        )
        panes += [flat(pane).moved(0, -0.88, 0.285).turned("y", 60 * k + 30)]
    return [*brass, *panes]


def crescent() -> list[Solid]:
    """A golden moon with a star between its horns; upright in the xy plane."""
    t = np.radians(np.linspace(42, 318, 25))
    wide = np.sin((t - t[0]) / (t[-1] - t[0]) * np.pi) ** 0.75
    path = [(0.5 * np.cos(a), 0.5 * np.sin(a), 0.0) for a in t]
    moon = tube(path, 0.022 + 0.115 * wide, "#ffd25e", 12, 0.22).scaled(1, 1, 0.72).turned("z", -28)
    a = np.pi / 2 + np.arange(10) * np.pi / 5
    r = np.where(np.arange(10) % 2, 0.105, 0.23)
    star = slab(
        np.column_stack([r * np.cos(a), r * np.sin(a)]),
        0.13,
        0.035,
        np.array([[1, 0.96, 0.78], [1, 0.84, 0.42]]),
        "#e2a030",
        0.2,
    )
    return [moon.shaded(0.2), star.turned("z", 8).moved(0.24, 0.10)]


MESHES = {"lantern": lantern, "crescent": crescent}
