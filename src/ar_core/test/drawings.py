"""Doodles drawn by script on a sheet of paper that lies on a table: in perspective, in uneven light, with noise; and what
they enclose, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

FIGURES = ("ghost", "fish", "cat", "star", "person", "cup")
SHEET = 900, 1200
INKS = {"pen": (40, 35, 35), "blue": (150, 60, 40), "pencil": (125, 125, 128), "crayon": (188, 172, 228)}


@dataclass(frozen=True)
class Drawing:
    """`picture (480, 640, 3) bgr8`, `mask (480, 640) uint8`: 255 inside of the figure, its outline included."""

    picture: np.ndarray
    mask: np.ndarray


def outline(name: str) -> list[np.ndarray]:
    """Closed curves `(n, 2)` in [-1, 1], y down; the first ones make the silhouette together."""
    t = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    ring = np.column_stack([np.cos(t), np.sin(t)])
    if name == "ghost":
        top = np.column_stack(
            [0.6 * np.cos(np.linspace(np.pi, 2 * np.pi, 50)), 0.9 * np.sin(np.linspace(np.pi, 2 * np.pi, 50))]
        )
        hem = np.column_stack([np.linspace(0.6, -0.6, 60), 0.75 + 0.12 * np.sin(np.linspace(0, 6 * np.pi, 60))])
        return [np.vstack([top, hem])]
    if name == "fish":
        return [ring * [0.65, 0.4] + [-0.15, 0], np.array([[0.42, 0], [0.9, -0.4], [0.8, 0], [0.9, 0.4]])]
    if name == "cat":
        ears = [np.array([[s * 0.55, -0.35], [s * 0.5, -0.95], [s * 0.1, -0.55]]) for s in (-1, 1)]
        return [ring * [0.7, 0.6], *ears]
    if name == "star":
        k = np.arange(10)
        r = np.where(k % 2, 0.4, 0.95)
        return [np.column_stack([r * np.sin(k * np.pi / 5), -r * np.cos(k * np.pi / 5)])]
    if name == "person":
        body = np.array([[-0.3, -0.3], [0.3, -0.3], [0.8, 0.1], [0.7, 0.22], [0.3, 0.0], [0.35, 0.9], [0.1, 0.9], [0.0, 0.35],
                         [-0.1, 0.9], [-0.35, 0.9], [-0.3, 0.0], [-0.7, 0.22], [-0.8, 0.1]])  # fmt: skip
        return [body, ring * 0.32 + [0, -0.58]]
    handle = ring * [0.28, 0.3] + [0.55, 0.0]
    return [np.array([[-0.55, -0.6], [0.5, -0.6], [0.42, 0.7], [-0.45, 0.7]]), handle]


def drawing(
    name: str, seed: int, ink: str = "pen", shade: float = 0.35, noise: float = 4.0, gap: bool = False
) -> Drawing:
    """A figure on paper on a table; `shade`: so much darker is the light's far side; `gap`: the outline does not quite close."""
    rng = np.random.default_rng(seed)
    paper = np.full((*SHEET, 3), (236, 240, 241), np.uint8)
    inside = np.zeros(SHEET, np.uint8)
    centre = np.array([SHEET[1] * rng.uniform(0.42, 0.58), SHEET[0] * rng.uniform(0.44, 0.56)])
    size, turn = SHEET[0] * rng.uniform(0.28, 0.36), rng.normal(0, 0.15)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])

    def placed(curve: np.ndarray) -> np.ndarray:
        return (wobbly(curve, rng) @ rotation.T * size + centre).astype(np.int32)

    for curve in outline(name):
        points = placed(curve)
        cv2.fillPoly(inside, [points], 255)
        cv2.polylines(inside, [points], True, 255, 9)
        shown = points[1:] if gap else points
        cv2.polylines(paper, [shown], not gap, INKS[ink], 9, cv2.LINE_AA)
    for s in (-1, 1):  # eyes
        cv2.circle(
            paper, tuple((centre + size * np.array([s * 0.17, -0.25])).astype(int)), 12, INKS[ink], 5, cv2.LINE_AA
        )
    corners = np.array([[60, 40], [590, 55], [620, 440], [25, 450]]) + rng.normal(0, 14, (4, 2))
    source = np.array([[0, 0], [SHEET[1], 0], [SHEET[1], SHEET[0]], [0, SHEET[0]]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    picture = table(rng)
    covered = cv2.warpPerspective(np.full(SHEET, 255, np.uint8), matrix, (640, 480), flags=cv2.INTER_AREA)
    flat = cv2.warpPerspective(paper, matrix, (640, 480), flags=cv2.INTER_AREA)
    picture = np.where(covered[..., None] > 127, flat, picture).astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1:1:480j, -1:1:640j]
    picture *= (1 - shade * (0.5 + 0.35 * (np.cos(angle) * x + np.sin(angle) * y)))[..., None]
    picture = cv2.GaussianBlur(picture, (0, 0), 0.8) + rng.normal(0, noise, picture.shape)
    mask = cv2.warpPerspective(inside, matrix, (640, 480), flags=cv2.INTER_LINEAR)
    return Drawing(np.clip(picture, 0, 255).astype(np.uint8), np.where(mask > 127, np.uint8(255), np.uint8(0)))


def coloured_in(d: Drawing, seed: int) -> np.ndarray:
    """The drawing's picture with wax rubbed over its inside, in yellow and orange: it takes blue and green, not red, in rough
    strokes between which paper shows; a few pixels go over the outline. The dark lines stay dark."""
    rng = np.random.default_rng(seed)
    strokes = np.zeros((480, 640), np.float32)
    for _ in range(1500):
        x, y = rng.uniform(0, (640, 480))
        dx, dy = 30 * np.array([np.cos(1.2), np.sin(1.2)]) + rng.normal(0, 4, 2)
        cv2.line(strokes, (round(x), round(y)), (round(x + dx), round(y + dy)), float(rng.uniform(0.5, 1)), 2)
    strokes *= rng.uniform(0.6, 1.0, strokes.shape).astype(np.float32)
    strokes[cv2.dilate(d.mask, np.ones((3, 3), np.uint8)) == 0] = 0
    top = np.arange(480)[:, None] < 240
    taken = np.where(top[..., None], (0.75, 0.1, 0.0), (0.85, 0.5, 0.03))  # of blue, green, red
    return np.clip(d.picture * (1 - strokes[..., None] * taken), 0, 255).astype(np.uint8)


def wobbly(curve: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As a hand draws it: more points on the way, each a little beside the line."""
    closed = np.vstack([curve, curve[:1]])
    way = np.r_[0, np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))]
    at = np.linspace(0, way[-1], 90, endpoint=False)
    points = np.column_stack([np.interp(at, way, closed[:, k]) for k in (0, 1)])
    drift = np.cumsum(rng.normal(0, 0.006, points.shape), 0)
    return points + drift - np.linspace(0, 1, len(points))[:, None] * drift[-1]


def table(rng: np.random.Generator) -> np.ndarray:
    """Brown, with a grain, `(480, 640, 3)`."""
    grain = cv2.resize(rng.normal(0, 12, (60, 6)).astype(np.float32), (640, 480), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.array([60.0, 95, 130]) + grain[..., None], 0, 255).astype(np.uint8)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Of two masks `(H, W) uint8`."""
    union = np.count_nonzero((a > 127) | (b > 127))
    return np.count_nonzero((a > 127) & (b > 127)) / union if union else 1.0
