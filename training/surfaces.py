"""Flat things that are no object: ornaments as on cloth, printed pages, and how they come to lie in a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Rng = np.random.Generator

MOTIFS = ("diamond", "square", "disk", "cross", "ring", "triangle")


def colour(rng: Rng, like: NDArray[np.float64] | None = None, spread: float = 30.0) -> tuple[float, ...]:
    """A random colour, or one near `like`."""
    base = rng.uniform(5, 250, 3) if like is None else like + rng.normal(0, spread, 3)
    return tuple(float(v) for v in np.clip(base, 0, 255))


def motif(picture: Pixels, kind: str, at: tuple[float, float], reach: float, ink: tuple[float, ...], line: int) -> None:
    """One small figure around `at`; `line` -1: filled."""
    x, y = at
    if kind in ("disk", "ring"):
        cv2.circle(picture, (round(x), round(y)), max(1, round(reach)), ink, line, cv2.LINE_AA)
        return
    if kind == "cross":
        for dx, dy in ((reach, 0), (0, reach)):
            ends = (round(x - dx), round(y - dy)), (round(x + dx), round(y + dy))
            cv2.line(picture, *ends, ink, max(1, abs(line)), cv2.LINE_AA)
        return
    shapes = {
        "diamond": [(0, -1), (1, 0), (0, 1), (-1, 0)],
        "square": [(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)],
        "triangle": [(0, -1), (0.9, 0.7), (-0.9, 0.7)],
    }
    corners = (np.array(shapes[kind]) * reach + at).round().astype(np.int32)
    if line < 0:
        cv2.fillPoly(picture, [corners], ink, cv2.LINE_AA)
    else:
        cv2.polylines(picture, [corners], True, ink, line, cv2.LINE_AA)


def ornament(rng: Rng, size: int) -> Pixels:
    """Stripes and rows of a small figure on a plain ground, `(size, size, 3)`."""
    ground = rng.uniform(20, 250, 3)
    out = np.empty((size, size, 3), np.uint8)
    out[:] = ground
    inks = [colour(rng) for _ in range(3)]
    y = 0.0
    while y < size:
        height = float(rng.uniform(0.02, 0.16)) * size
        ink = inks[int(rng.integers(3))]
        roll = rng.random()
        if roll < 0.35:
            cv2.rectangle(out, (0, round(y)), (size, round(y + rng.uniform(0.2, 0.8) * height)), ink, -1)
        elif roll < 0.85:
            kind = str(rng.choice(MOTIFS))
            line = -1 if rng.random() < 0.4 else max(1, round(0.08 * height))
            step = height * float(rng.uniform(0.9, 2.5))
            for x in np.arange(step / 2, size, max(3.0, step)):
                motif(out, kind, (float(x), y + height / 2), 0.4 * height, ink, line)
                if rng.random() < 0.5:
                    motif(out, kind, (float(x), y + height / 2), 0.2 * height, inks[0], line)
        y += height
    weave = rng.normal(0, rng.uniform(1, 8), (size, size, 1))
    return np.clip(out + weave, 0, 255).astype(np.uint8)


def page(rng: Rng, size: int, photo: Pixels | None = None) -> Pixels:
    """Printed matter: a headline, columns of lines that look like text, a grid as of a crossword, perhaps a `photo`."""
    out = np.empty((size, size, 3), np.uint8)
    out[:] = colour(rng, np.array([225.0] * 3), 18)
    ink = colour(rng, np.array([40.0] * 3), 25)
    columns = int(rng.integers(1, 4))
    for column in range(columns):
        x0, x1 = (np.array([column + 0.08, column + 0.92]) * size / columns).round().astype(int)
        y = size * 0.06
        while y < size * 0.94:
            roll, width = rng.random(), int(x1 - x0)
            if roll < 0.1:  # a headline
                tall = rng.uniform(0.05, 0.1) * size
                _text(out, rng, (int(x0), int(x1)), y, tall, ink)
                y += 1.5 * tall
            elif roll < 0.2:
                y += _grid(out, rng, (int(x0), int(x1)), y, ink)
            elif roll < 0.32 and photo is not None:
                tall = int(rng.uniform(0.3, 0.8) * width)
                part = cv2.resize(photo, (width, tall), interpolation=cv2.INTER_AREA)[: max(0, size - int(y))]
                out[int(y) : int(y) + len(part), x0:x1] = part
                y += tall + 0.03 * size
            else:
                tall = rng.uniform(0.012, 0.03) * size
                for _ in range(int(rng.integers(3, 12))):
                    _text(out, rng, (int(x0), int(x1)), y, tall, ink)
                    y += 1.7 * tall
                y += tall
    return out


def _text(out: Pixels, rng: Rng, columns: tuple[int, int], y: float, tall: float, ink: tuple[float, ...]) -> None:
    """A line of words: dashes of the height of letters."""
    x, last = float(columns[0]), columns[1] - (0 if rng.random() < 0.8 else (columns[1] - columns[0]) * rng.random())
    while x < last:
        wide = tall * float(rng.uniform(1, 5))
        corner = (round(min(x + wide, last)), round(y + tall))
        cv2.rectangle(out, (round(x), round(y)), corner, ink, -1 if tall < 6 else max(1, round(tall / 5)))
        x += wide + 0.5 * tall


def _grid(out: Pixels, rng: Rng, columns: tuple[int, int], y: float, ink: tuple[float, ...]) -> float:
    """A square grid with some cells filled; its height."""
    n = int(rng.integers(4, 12))
    cell = (columns[1] - columns[0]) / n
    for row in range(n):
        for column in range(n):
            a = (round(columns[0] + column * cell), round(y + row * cell))
            b = (round(columns[0] + (column + 1) * cell), round(y + (row + 1) * cell))
            cv2.rectangle(out, a, b, ink, -1 if rng.random() < 0.25 else 1)
    return n * cell + 0.03 * out.shape[0]


def laid(picture: Pixels, pattern: Pixels, rng: Rng, most: float = 1.0) -> Pixels:
    """`pattern (h, w, 3)` as a flat thing in perspective somewhere on `picture (S, S, 3)`, up to `most` of it long."""
    size = picture.shape[0]
    h, w = pattern.shape[:2]
    centre = rng.uniform(0, size, 2)
    angle, long, short = rng.uniform(0, np.pi), rng.uniform(0.3, most) * size, rng.uniform(0.15, 0.5 * most) * size
    axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) * [[long / 2], [short / 2]]
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) @ axes * [1, rng.uniform(0.4, 1)] + centre
    corners += rng.normal(0, 0.03 * size, (4, 2))
    source = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    flat = cv2.warpPerspective(np.ascontiguousarray(pattern), matrix, (size, size), flags=cv2.INTER_AREA)
    covered = cv2.fillConvexPoly(np.zeros((size, size), np.uint8), corners.astype(np.int32), 255)
    out = picture.copy()
    cv2.copyTo(cv2.convertScaleAbs(flat, alpha=rng.uniform(0.6, 1.0), beta=rng.uniform(0, 40)), covered, out)
    return out
