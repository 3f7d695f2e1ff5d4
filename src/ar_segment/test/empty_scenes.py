"""Pictures in which there is nothing to awaken, made up here: bare tables, walls, darkness, blur."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

Picture = np.ndarray
WIDTH, HEIGHT = 640, 480


def _grain(rng: np.random.Generator, rows: int, columns: int, strength: float) -> Picture:
    """Smooth noise of `rows` x `columns` bumps over the whole picture, `(H, W, 1) float32`."""
    noise = rng.normal(0, strength, (rows, columns)).astype(np.float32)
    return cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)[..., None]


def _camera(light: Picture, rng: np.random.Generator) -> Picture:
    """What a camera makes of it: noise, 8 bits."""
    return np.clip(light + rng.normal(0, 2.5, light.shape), 0, 255).astype(np.uint8)


def black(rng: np.random.Generator) -> Picture:
    return np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def dark(rng: np.random.Generator) -> Picture:
    """A covered lens: noise only."""
    return _camera(np.full((HEIGHT, WIDTH, 3), 6.0), rng)


def overexposed(rng: np.random.Generator) -> Picture:
    return np.full((HEIGHT, WIDTH, 3), 255, np.uint8)


def wall(rng: np.random.Generator) -> Picture:
    """Plaster, lit from a side."""
    falloff = np.linspace(0.75, 1.1, WIDTH)[None, :, None] * np.linspace(1.05, 0.9, HEIGHT)[:, None, None]
    return _camera(np.array([188, 198, 205.0]) * falloff + _grain(rng, 120, 160, 3), rng)


def bricks(rng: np.random.Generator) -> Picture:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    course = y // 40
    joint = (y % 40 < 4) | ((x + 40 * (course % 2)) % 80 < 4)
    shade = rng.normal(0, 9, (HEIGHT // 40 + 1, WIDTH // 80 + 2))[course, (x + 40 * (course % 2)) // 80]
    colour = np.array([70, 85, 150.0]) + shade[..., None] + _grain(rng, 120, 160, 4)
    return _camera(np.where(joint[..., None], 165.0, colour), rng)


def wood(rng: np.random.Generator) -> Picture:
    """A table of boards seen from above: grain along the boards, dark joints."""
    grain = _grain(rng, 160, 6, 8) + _grain(rng, 60, 3, 8)
    joint = (np.arange(HEIGHT) % 120 < 3)[:, None, None] * -45.0
    return _camera(np.array([90, 130, 170.0]) + grain + joint, rng)


def table_and_wall(rng: np.random.Generator) -> Picture:
    """The far edge of a table before a wall."""
    picture = wood(rng)
    picture[:190] = wall(rng)[:190]
    cv2.line(picture, (0, 190), (WIDTH, 184), (50, 70, 90), 3, cv2.LINE_AA)
    return picture


def cloth(rng: np.random.Generator) -> Picture:
    """A chequered tablecloth."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    u, v = (x * 0.9 + y * 0.4) / 45, (y * 0.9 - x * 0.4) / 45
    tone = 150 + 50 * (np.floor(u) % 2) + 40 * (np.floor(v) % 2)
    return _camera(tone[..., None] * np.array([0.75, 0.8, 1.0]) + _grain(rng, 6, 8, 5), rng)


def out_of_focus(rng: np.random.Generator) -> Picture:
    """A colourful scene of which nothing can be made out."""
    patches = rng.uniform(30, 220, (10, 14, 3)).astype(np.float32)
    scene = cv2.resize(patches, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    return _camera(cv2.GaussianBlur(scene, (0, 0), 60), rng)


def shaken(rng: np.random.Generator) -> Picture:
    """A table in a fast pan: 120 pixels of motion blur."""
    return _camera(cv2.blur(cloth(rng), (120, 1)).astype(np.float64), rng)


EMPTY: tuple[Callable[[np.random.Generator], Picture], ...] = (
    black, dark, overexposed, wall, bricks, wood, table_and_wall, cloth, out_of_focus, shaken,
)  # fmt: skip


def empty(make: Callable[[np.random.Generator], Picture], seed: int = 0) -> Picture:
    """`(480, 640, 3) uint8`, the same every time."""
    return make(np.random.default_rng(seed))
