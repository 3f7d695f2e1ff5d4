"""Guitar, drum, sticks, microphone and headphones."""

from __future__ import annotations

import numpy as np

from ar_character.mesh import Array
from ar_character.workshop.tools import Solid, ball, lathe, rgb, slab, torus, tube

GOLD, CREAM, INK = "#e0a83c", "#fff3dc", "#2b2024"


def _figure_eight(count: int = 40) -> Array:
    """(n, 2) outline of a guitar's body, counter-clockwise: wide below, a waist, narrower above."""
    y = np.array([-0.50, -0.47, -0.36, -0.18, 0.00, 0.12, 0.22, 0.34, 0.44, 0.48])
    x = np.array([0.00, 0.22, 0.35, 0.385, 0.31, 0.245, 0.25, 0.275, 0.20, 0.00])
    s = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    t = np.linspace(0, s[-1], count // 2 + 1)
    from scipy.interpolate import PchipInterpolator

    right = np.column_stack([PchipInterpolator(s, x)(t), PchipInterpolator(s, y)(t)])
    left = right[-2:0:-1] * [-1, 1]
    return np.concatenate([right, left])


def guitar() -> list[Solid]:
    """A small sunburst guitar; its neck goes up, its strings to the front; the origin is in the middle of its body."""
    burst = np.array([rgb("#f7c04a"), rgb("#f0a030"), rgb("#d2601e"), rgb("#7c2412")])
    out = [slab(_figure_eight(), 0.17, 0.045, burst, "#5a1a10", 0.28)]
    out.append(torus(0.108, 0.014, [CREAM], 28, 6).turned("x", 90).moved(0, 0.02, 0.086))
    out.append(lathe([(0.1, 0), (0.1, 0.006), (0.02, 0.006)], "#1d0f0a", 24, 0.9).turned("x", 90).moved(0, 0.02, 0.082))
    bridge = np.array([[-0.16, -0.03], [0.16, -0.03], [0.16, 0.03], [-0.16, 0.03]])
    out.append(slab(_rounded(bridge, 0.02), 0.05, 0.008, INK, INK, 0.4).moved(0, -0.25, 0.095))
    neck = np.array([[-0.05, 0.0], [0.05, 0.0], [0.04, 0.72], [-0.04, 0.72]])
    out.append(slab(_rounded(neck, 0.025), 0.06, 0.009, "#4a2416", "#6b3a22", 0.4).moved(0, 0.34, 0.085))
    head = np.array([[-0.05, 0.0], [0.05, 0.0], [0.095, 0.08], [0.075, 0.25], [-0.075, 0.25], [-0.095, 0.08]])
    out.append(
        slab(_rounded(head, 0.025), 0.05, 0.009, "#d8702a", "#5a1a10", 0.3).turned("x", -10).moved(0, 1.06, 0.08)
    )
    peg = ball((0.028, 0.022, 0.02), CREAM, 0.25, 8, 5)
    out += [peg.moved(side * 0.115, y, 0.07) for side in (-1, 1) for y in (1.14, 1.23)]
    out += [tube([(-0.04, y, 0.117), (0.04, y, 0.117)], 0.008, GOLD, 5, 0.2) for y in (0.52, 0.68, 0.84)]
    strings = ([(x * 1.5, -0.25, 0.128), (x, 1.05, 0.128)] for x in (-0.027, -0.009, 0.009, 0.027))
    return out + [tube(string, 0.0045, "#fff8e8", 4, 0.2) for string in strings]


def drum() -> list[Solid]:
    """A marching drum; the origin is in its middle."""
    h, r = 0.22, 0.40
    shell = lathe(
        [(r, -h), (r, -0.4 * h), (r, 0.4 * h), (r, h)], ["#8f1320", "#d42436", "#ea3b48", "#c01f30"], 32, 0.25
    )
    out = [shell, *(torus(r + 0.014, 0.034, [GOLD], 36, 8, 0.2).moved(0, y) for y in (-h, h))]
    for y, turn in ((h, 0), (-h, 180)):
        skin = lathe(
            [(r, 0), (r, 0.03), (0.75 * r, 0.036), (0.05, 0.038)],
            ["#e9dfcc", "#fffaf0", "#fffaf0", "#fffdf8"],
            32,
            0.6,
        )
        out.append(skin.turned("x", turn).moved(0, y))
    up, knob = np.array([0, h - 0.05, 0]), ball((0.03, 0.03, 0.03), GOLD, 0.2, 8, 5)
    for a in np.arange(8) * 2 * np.pi / 8:
        high, low = ((r + 0.02) * np.array([np.sin(t), 0, np.cos(t)]) for t in (a, a + np.pi / 8))
        far = (r + 0.02) * np.array([np.sin(a + np.pi / 4), 0, np.cos(a + np.pi / 4)])
        bottom = 1.03 * low - up
        out += [tube([high + up, bottom], 0.013, CREAM, 5), tube([bottom, far + up], 0.013, CREAM, 5)]
        out += [knob.moved(*bottom)]
    return out


def stick() -> list[Solid]:
    """A drum stick; the origin is where it is held, it goes up."""
    wood = ["#b9772f", "#d79a4b", "#e3b06a", "#efc889", "#f5d9a8"]
    return [
        tube(
            [(0, -0.18, 0), (0, 0.1, 0), (0, 0.45, 0), (0, 0.7, 0), (0, 0.78, 0)],
            [0.035, 0.034, 0.028, 0.018, 0.016],
            wood,
            8,
        ),
        ball((0.034, 0.046, 0.034), "#fff0d0", 0.4, 10, 6).moved(0, 0.8),
    ]


def microphone() -> list[Solid]:
    """A microphone; the origin is where it is held, its head is up."""
    handle = lathe(
        [(0.055, -0.34), (0.06, -0.3), (0.062, -0.05), (0.075, 0.2), (0.09, 0.3)],
        ["#17171c", "#2a2a33", "#3a3a46", "#2a2a33", "#17171c"],
        18,
        0.35,
    )
    ring = lathe([(0.10, 0.29), (0.125, 0.30), (0.125, 0.345), (0.10, 0.355)], GOLD, 20, 0.15)
    grille = ball((0.145, 0.155, 0.145), "#b9bdc8", 0.3, 18, 12).moved(0, 0.46)
    bands = [torus(0.147, 0.008, ["#7d828f"], 24, 5).moved(0, 0.46)]
    bands += [
        torus(0.148, 0.006, ["#8b909c"], 24, 5).turned("x", 90).turned("y", a).moved(0, 0.46) for a in (0, 60, 120)
    ]
    light = ball((0.016, 0.02, 0.016), "#ff5a4a", 0.4, 8, 5, True).moved(0, 0.08, 0.068)
    return [handle, ring, grille, *bands, light]


def headphones() -> list[Solid]:
    """A bow over the top and a cup at either side, radius 1 around y; to be laid around a head."""
    a = np.linspace(0.05, np.pi - 0.05, 15)
    bow = [(1.08 * np.cos(t), 0.05 + 0.9 * np.sin(t), 0.0) for t in a]
    out = [
        tube(bow, 0.06, "#2b2b36", 8, 0.3),
        tube([(x, y + 0.035, 0) for x, y, _ in bow[2:-2]], 0.045, "#ff4f6d", 8, 0.4),
    ]
    for side in (-1, 1):
        cup = lathe(
            [(0.24, 0), (0.27, 0.04), (0.27, 0.12), (0.2, 0.18), (0.04, 0.2)],
            ["#1d1d25", "#2b2b36", "#ff4f6d", "#ff7a8e", "#ffd0d8"],
            20,
            0.3,
        )
        pad = torus(0.19, 0.07, ["#1b1b20"], 20, 8, 0.8)
        out += [s.turned("z", -90 * side).moved(side * x) for s, x in ((cup, 1.1), (pad, 1.08))]
    return out


def _rounded(corners: Array, radius: float, steps: int = 4) -> Array:
    """A convex outline (n, 2) with round corners."""
    out = []
    for i, p in enumerate(corners):
        a, b = corners[i - 1] - p, corners[(i + 1) % len(corners)] - p
        a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
        out += [p + radius * ((1 - t) ** 2 * a + t**2 * b) for t in np.linspace(0, 1, steps)]
    return np.array(out)


MESHES = {"guitar": guitar, "drum": drum, "stick": stick, "microphone": microphone, "headphones": headphones}
