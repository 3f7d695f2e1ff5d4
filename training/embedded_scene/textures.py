"""The pictures on every surface, drawn in numpy: ``(H, W, 3) float32`` RGB in 0..1 (sRGB values, as on a screen).

Functions that also shape the surface return ``(colour, height)``; ``height`` is ``(H, W) float32`` in 0..1, for a bump.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from .noise import Field, fractal, mix, ramp, smooth

Colour = NDArray[np.float32]
RGB = tuple[float, float, float]


def wood(
    size_m: tuple[float, float],
    px_per_m: float,
    rng: np.random.Generator,
    plank_m: float = 0.13,
    light: RGB = (0.72, 0.53, 0.35),
    dark: RGB = (0.40, 0.25, 0.14),
    board_m: float = 1e9,
) -> tuple[Colour, Field]:
    """Boards along x: rings cut lengthwise, fibres, pores, gaps; boards end every ``board_m`` (parquet)."""
    width, height = int(size_m[0] * px_per_m), int(size_m[1] * px_per_m)
    colour = np.zeros((height, width, 3), np.float32)
    bump = np.zeros((height, width), np.float32)
    rows = max(1, round(size_m[1] / plank_m))
    edges = np.linspace(0, height, rows + 1).astype(int)
    board_px = int(min(board_m, size_m[0]) * px_per_m)
    for top, bottom in pairwise(edges):
        offset = 0 if board_m > size_m[0] else -int(rng.integers(0, board_px))
        for left in range(offset, width, board_px):
            a, b = max(left, 0), min(left + board_px, width)
            if b - a < 2:
                continue
            tint = float(rng.normal(0, 0.06))
            rgb, relief = _board((int(bottom - top), b - a), px_per_m, rng, light, dark)
            colour[top:bottom, a:b] = rgb * (1 + tint)
            bump[top:bottom, a:b] = relief
            for region in (np.s_[top : top + 2, a:b], np.s_[top:bottom, a : a + 2]):
                colour[region] *= 0.45
                bump[region] = 0.0
    return np.clip(colour, 0, 1), bump


def _board(
    shape: tuple[int, int], px_per_m: float, rng: np.random.Generator, light: RGB, dark: RGB
) -> tuple[Colour, Field]:
    height, width = shape
    mm = px_per_m / 1000.0
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y / px_per_m, x / px_per_m
    # A board is a lengthwise cut of a cone: rings are distances from a pith that lies somewhere below the board.
    pith = float(rng.uniform(-0.2, 1.2)) * height / px_per_m
    depth = float(rng.uniform(0.01, 0.05))
    bend = smooth(shape, (height * 2.0, 260 * mm), rng) * 0.006
    radius = np.hypot(y - pith + bend, depth + 0.05 * (x - x.mean()) + 0.002 * smooth(shape, (60 * mm, 300 * mm), rng))
    phase = radius / float(rng.uniform(0.0035, 0.006)) + 0.25 * smooth(shape, (12 * mm, 160 * mm), rng)
    ring = phase - np.floor(phase)
    late = np.asarray(ring**3 * (1 - ramp(np.asarray(ring, np.float32), 0.93, 1.0)), np.float32)
    fibre = fractal(shape, (1.6 * mm, 90 * mm), rng, 3, 0.7)
    cloud = fractal(shape, (40 * mm, 220 * mm), rng, 3)
    pores = ramp(smooth(shape, (1.1 * mm, 9 * mm), rng), 1.45, 2.0) * (0.35 + 0.65 * late)
    tone = np.clip(0.20 + 0.62 * late + 0.15 * fibre + 0.09 * cloud, 0, 1)
    rgb = mix(light, dark, np.asarray(tone, np.float32))
    rgb = mix(rgb, (0.16, 0.09, 0.05), np.asarray(0.9 * pores, np.float32))
    relief = np.clip(0.75 - 0.10 * late + 0.03 * fibre - 0.5 * pores, 0, 1)
    return rgb, np.asarray(relief, np.float32)


def table_top(size_m: tuple[float, float], px_per_m: float, rng: np.random.Generator) -> tuple[Colour, Field, Field]:
    """An oiled oak table that has been lived at: boards, scratches, a cup ring, dents. Colour, height, roughness."""
    colour, height = wood(size_m, px_per_m, rng)
    shape = height.shape
    mm = px_per_m / 1000.0
    rough = 0.47 + 0.05 * fractal(shape, (50 * mm, 70 * mm), rng, 4) + 0.04 * smooth(shape, (3 * mm, 40 * mm), rng)
    scratches = np.zeros(shape, np.float32)
    for _ in range(260):
        start = rng.uniform((0, 0), (shape[1], shape[0]))
        angle, length = rng.normal(0.2, 0.7), rng.exponential(22 * mm)
        bow = rng.normal(0, 0.1)
        points = [
            start + length * s * np.array([np.cos(angle + bow * s), np.sin(angle + bow * s)]) for s in (0, 0.5, 1)
        ]
        polyline = np.int32(np.array(points) * 16).reshape(-1, 1, 2)
        cv2.polylines(scratches, [polyline], False, float(rng.uniform(0.15, 0.8)), 1, cv2.LINE_AA, 4)
    dents = np.zeros(shape, np.float32)
    for _ in range(160):
        at = tuple(int(v) for v in rng.uniform((0, 0), (shape[1], shape[0])))
        cv2.ellipse(dents, at, (int(rng.uniform(1, 5)), int(rng.uniform(1, 3))), rng.uniform(0, 180), 0, 360, 1.0, -1)
    dents = np.asarray(cv2.GaussianBlur(dents, (0, 0), 1.0), np.float32)
    stain = np.zeros(shape, np.float32)
    for cx, cy in ((0.36, 0.22), (0.71, 0.78)):
        centre = (int(cx * shape[1]), int(cy * shape[0]))
        cv2.circle(stain, centre, int(38 * mm), float(rng.uniform(0.4, 0.6)), int(2.2 * mm), cv2.LINE_AA)
    stain *= ramp(fractal(shape, (18 * mm, 18 * mm), rng, 4), -1.2, 0.6)
    stain = np.asarray(cv2.GaussianBlur(stain, (0, 0), 0.8 * mm), np.float32)
    colour = mix(colour, (0.84, 0.70, 0.52), np.asarray(0.35 * scratches, np.float32))
    colour = mix(colour, (0.20, 0.12, 0.07), np.asarray(np.clip(0.7 * dents + 1.3 * stain, 0, 0.85), np.float32))
    height = np.clip(height - 0.35 * scratches - 0.8 * dents, 0, 1)
    rough = np.clip(rough + 0.25 * scratches - 0.15 * stain, 0.2, 0.9)
    return colour, np.asarray(height, np.float32), np.asarray(rough, np.float32)


def runner(size_m: tuple[float, float], px_per_m: float, rng: np.random.Generator) -> tuple[Colour, Field]:
    """A hand-woven linen runner: natural thread, indigo and rust stripes, rows of cross-stitched diamonds."""
    width, height = int(size_m[0] * px_per_m), int(size_m[1] * px_per_m)
    shape = (height, width)
    thread = max(3.0, 0.0011 * px_per_m)
    wobble_y = 0.8 * smooth(shape, (40, 300), rng)
    wobble_x = 0.8 * smooth(shape, (300, 40), rng)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    row, column = (y + wobble_y) / thread, (x + wobble_x) / thread
    over = (np.floor(row) + np.floor(column)) % 2
    round_y = 1 - (2 * (row - np.floor(row)) - 1) ** 2
    round_x = 1 - (2 * (column - np.floor(column)) - 1) ** 2
    relief = np.where(over > 0, round_y * (0.55 + 0.45 * round_x), round_x * (0.55 + 0.45 * round_y))
    weft = rng.normal(0, 1, int(row.max()) + 4)[np.clip(np.floor(row), 0, None).astype(int)]
    warp = rng.normal(0, 1, int(column.max()) + 4)[np.clip(np.floor(column), 0, None).astype(int)]
    slub = np.where(over > 0, weft, warp) + 0.8 * smooth(shape, (thread, 14 * thread), rng) * over
    tone = 0.80 + 0.045 * slub + 0.02 * fractal(shape, (300, 300), rng)
    base = np.stack([tone * 1.0, tone * 0.945, tone * 0.85], -1).astype(np.float32)
    # The pattern is woven: colour changes per thread, so edges step with the weave.
    u = np.abs((np.floor(row) * thread) / height - 0.5) * size_m[1]
    v = (np.floor(column) * thread) / width * size_m[0]
    indigo = ((u > 0.112) & (u < 0.124)) | ((u > 0.128) & (u < 0.1305)) | ((u > 0.058) & (u < 0.0605))
    diamond = np.abs((v % 0.034) / 0.034 - 0.5) * 2 + np.abs((u - 0.086) / 0.017)
    rust = (diamond < 0.88) & ~(diamond < 0.5) | (diamond < 0.2)
    lozenge = np.abs((v % 0.068) / 0.068 - 0.5) * 2 + np.abs((u - 0.0) / 0.03)
    rust |= (np.abs(lozenge - 0.8) < 0.08) | (lozenge < 0.16)
    indigo |= np.abs(lozenge - 0.5) < 0.07
    shade = (0.85 + 0.10 * slub)[..., None]
    base = np.where(indigo[..., None], np.array([0.17, 0.23, 0.40]) * shade, base)
    base = np.where(rust[..., None], np.array([0.63, 0.27, 0.17]) * shade, base)
    colour = base * (0.72 + 0.28 * relief)[..., None]
    return np.clip(colour, 0, 1).astype(np.float32), relief.astype(np.float32)


def mug_glaze(rng: np.random.Generator, glaze: RGB = (0.10, 0.33, 0.36)) -> tuple[Colour, Field, Field]:
    """Stoneware wrapped once around: cream speckled glaze, dipped below in a colour. Colour, height, roughness.

    Row 0 is the rim, the last row the foot; the left and right edges meet.
    """
    shape = (1024, 2048)

    def wrapped(cell: tuple[float, float], octaves: int) -> Field:
        field = fractal((shape[0], shape[1] + 256), cell, rng, octaves)
        fade = np.linspace(0, 1, 256, dtype=np.float32)
        field[:, :256] = field[:, :256] * fade + field[:, shape[1] :] * (1 - fade)
        return field[:, : shape[1]]

    y = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None]
    edge = 0.46 + 0.022 * wrapped((4000, 260), 4)[:1] + 0.012 * wrapped((4000, 60), 2)[:1]
    dipped = ramp(np.asarray((y - edge) * shape[0], np.float32), -5, 9)
    cream = mix((0.86, 0.80, 0.69), (0.77, 0.68, 0.55), ramp(wrapped((220, 340), 4), -1.5, 2.5))
    speckle = ramp(wrapped((5, 5), 1), 2.0, 2.6) + ramp(wrapped((11, 11), 1), 2.6, 3.1)
    cream = mix(cream, (0.33, 0.20, 0.11), np.clip(speckle, 0, 0.85))
    pooled = ramp(np.asarray((y - edge) * shape[0], np.float32), 8, 60)
    streak = wrapped((500, 28), 3)
    body = mix(
        tuple(min(1.0, 1.9 * c + 0.06) for c in glaze),
        glaze,
        np.asarray(np.clip(pooled + 0.12 * streak, 0, 1), np.float32),
    )
    body = mix(body, tuple(0.45 * c for c in glaze), ramp(wrapped((9, 9), 2), 1.7, 2.8) * 0.7)
    colour = mix(cream, body, dipped)
    rim = ramp(np.broadcast_to(y, shape).astype(np.float32) + 0.008 * wrapped((60, 80), 3), 0.03, 0.006)
    colour = mix(colour, (0.47, 0.29, 0.16), 0.8 * rim)
    foot = ramp(np.broadcast_to(y, shape).astype(np.float32) + 0.003 * wrapped((60, 80), 3), 0.945, 0.955)
    colour = mix(colour, (0.62, 0.47, 0.34), foot)
    throwing = 0.25 * np.sin(y * 95 + 1.5 * wrapped((400, 900), 2))
    height = 0.5 + throwing * 0.10 + 0.13 * dipped + 0.03 * wrapped((40, 40), 3) - 0.1 * np.clip(speckle, 0, 1)
    rough = (
        0.16
        + 0.10 * ramp(wrapped((120, 160), 4), 0.2, 2.0)
        + 0.55 * foot
        + 0.15 * (1 - dipped) * ramp(wrapped((60, 90), 3), 0.0, 2.0)
    )
    return colour, np.asarray(np.clip(height, 0, 1), np.float32), np.asarray(rough, np.float32)


def coffee(rng: np.random.Generator) -> Colour:
    """The surface of a cup of coffee from above: dark, a paler rim, bubbles that cling to one side."""
    n = 512
    y, x = (np.mgrid[0:n, 0:n].astype(np.float32) - n / 2) / (n / 2)
    r = np.asarray(np.hypot(x, y), np.float32)
    colour = mix((0.13, 0.065, 0.03), (0.36, 0.20, 0.09), ramp(r + 0.03 * fractal((n, n), (60, 60), rng), 0.80, 1.0))
    foam = np.zeros((n, n), np.float32)
    for _ in range(170):
        angle, radius = rng.normal(2.2, 0.7), 1 - abs(rng.normal(0, 0.07)) - 0.04
        at = (int(n / 2 * (1 + radius * np.cos(angle))), int(n / 2 * (1 + radius * np.sin(angle))))
        cv2.circle(foam, at, int(rng.uniform(2, 9)), float(rng.uniform(0.3, 0.8)), 2, cv2.LINE_AA)
    return mix(colour, (0.70, 0.50, 0.30), np.clip(foam, 0, 1))


def apple_skin(rng: np.random.Generator) -> tuple[Colour, Field]:
    """Apple skin, row 0 at the stem: red over yellow, green in the hollow, pale dots, a bruise. Colour, roughness."""
    shape = (768, 1536)
    y = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(0, 2 * np.pi, shape[1], dtype=np.float32)[None, :]
    streaks = fractal(shape, (420, 14), rng, 3, 0.6)
    cloud = fractal(shape, (220, 260), rng, 4)
    blush = 0.55 + 0.55 * np.cos(x - 2.2) + 0.40 * cloud + 0.20 * streaks
    yellow = mix((0.86, 0.70, 0.27), (0.72, 0.68, 0.25), ramp(cloud, -1, 1.5))
    red = mix((0.66, 0.10, 0.08), (0.45, 0.045, 0.06), ramp(cloud + 0.4 * streaks, -1, 2))
    colour = mix(
        yellow,
        red,
        np.asarray(
            ramp(np.asarray(blush, np.float32), -0.25, 0.65) * (0.72 + 0.28 * ramp(streaks, -1.5, 0.6)), np.float32
        ),
    )
    hollow = np.broadcast_to(y, shape) + 0.02 * streaks
    colour = mix(colour, (0.60, 0.58, 0.22), 0.9 * ramp(np.asarray(hollow, np.float32), 0.17, 0.05))
    colour = mix(colour, (0.48, 0.36, 0.16), 0.8 * ramp(np.asarray(hollow, np.float32), 0.075, 0.01))
    dots = np.zeros(shape, np.float32)
    for _ in range(700):
        at = (int(rng.uniform(0, shape[1])), int(shape[0] * rng.beta(2.2, 2.6)))
        cv2.circle(dots, at, int(rng.uniform(1, 2.6)), float(rng.uniform(0.3, 0.8)), -1, cv2.LINE_AA)
    colour = mix(colour, (0.88, 0.76, 0.52), 0.75 * dots)
    bruise = np.exp(-(((x - 4.4) / 0.12) ** 2 + ((y - 0.55) / 0.045) ** 2))
    colour = mix(colour, (0.36, 0.20, 0.10), np.asarray(0.6 * bruise, np.float32))
    rough = 0.30 + 0.05 * cloud + 0.12 * ramp(fractal(shape, (90, 90), rng, 4), 0.2, 2.0)
    return colour, np.asarray(np.clip(rough, 0.1, 0.8), np.float32)


def rug(rng: np.random.Generator) -> Colour:
    """A flat-woven rug seen from afar: concentric lozenges in faded red, ochre and navy."""
    n = 1024
    y, x = np.mgrid[0:n, 0:n].astype(np.float32) / n
    wear = fractal((n, n), (120, 120), rng, 5)
    lozenge = np.abs((x * 5) % 1 - 0.5) + np.abs((y * 4) % 1 - 0.5)
    band = np.asarray(np.floor(lozenge * 9 + 0.1 * smooth((n, n), (3, 9), rng)) % 4, np.int32)
    palette = np.array([(0.50, 0.16, 0.13), (0.72, 0.55, 0.32), (0.14, 0.17, 0.28), (0.76, 0.69, 0.57)], np.float32)
    colour = palette[band] * (0.92 + 0.06 * wear + 0.06 * smooth((n, n), (2, 14), rng))[..., None]
    return np.clip(colour, 0, 1).astype(np.float32)


def plaster(rng: np.random.Generator) -> tuple[Colour, Field]:
    """A painted wall: warm white with roller texture, cloudiness and a few scuffs."""
    shape = (1024, 1024)
    cloud = fractal(shape, (300, 300), rng, 5)
    colour = mix((0.80, 0.78, 0.73), (0.72, 0.70, 0.66), ramp(cloud, -2, 2))
    return colour, np.asarray(0.5 + 0.2 * fractal(shape, (7, 7), rng, 3), np.float32)
