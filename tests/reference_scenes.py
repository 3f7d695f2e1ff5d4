"""What the reference pictures show: a few characters of drawn things, in poses, on a table, with their shadows.

After a change that is meant to be seen: look at what comes of it, then write the references anew with

    .venv/bin/python tests/reference_scenes.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_character.character import build_character
from ar_character.theme import load
from ar_core.geometry import Intrinsics, Plane, pose, upright_camera
from ar_render.context import Context, create_context
from ar_render.gltf import read_glb
from ar_render.layout import Contents, Figure
from ar_render.light import Light
from ar_render.model import Model
from ar_render.particles import Particles, awakening
from ar_render.plane_view import View
from ar_render.scene import Renderer

Picture = NDArray[np.uint8]
FOLDER = Path(__file__).parent / "references"
WIDTH, HEIGHT = 200, 168
TALL = 0.1  # metres
WARM = Light(sun=np.array([0.62, 0.54, 0.45]), sky=np.array([0.44, 0.48, 0.55]))


def coloured(mask: Picture, base: tuple[int, int, int], stripe: tuple[int, int, int]) -> Picture:
    """RGBA of a mask (h, w): stripes, shaded from the left."""
    h, w = mask.shape
    y, x = np.mgrid[0:h, 0:w]
    rgb = np.where((((x + y) // 22) % 3 == 0)[..., None], np.array(stripe), np.array(base))
    return np.dstack([(rgb * (1.1 - 0.35 * x / w)[..., None]).clip(0, 255).astype(np.uint8), mask])


def mug() -> Picture:
    mask = cv2.rectangle(np.zeros((300, 320), np.uint8), (40, 40), (200, 280), 255, -1)
    return coloured(cv2.ellipse(mask, (200, 150), (70, 60), 0, -90, 90, 255, 26), (70, 150, 190), (235, 225, 200))


def bear() -> Picture:
    mask = cv2.ellipse(np.zeros((360, 300), np.uint8), (150, 260), (110, 90), 0, 0, 360, 255, -1)
    for centre, radius in (((150, 110), 75), ((90, 55), 28), ((210, 55), 28)):
        cv2.circle(mask, centre, radius, 255, -1)
    return coloured(mask, (170, 110, 60), (190, 135, 85))


def star() -> Picture:
    angle = np.arange(10) * np.pi / 5 - np.pi / 2
    radius = np.where(np.arange(10) % 2, 75, 140)
    points = np.stack([150 + radius * np.cos(angle), 150 + radius * np.sin(angle)], 1)
    mask = cv2.fillPoly(np.zeros((300, 300), np.uint8), [np.round(points).astype(np.int32)], 255)
    return coloured(mask, (220, 60, 70), (245, 200, 60))


# name: the thing, what it wears, the clip and its moment in seconds, how far it turns, whether it awakens just now
SCENES: dict[str, tuple[Callable[[], Picture], str, str, float, float, bool]] = {
    "mug_walks": (mug, "plain", "walk", 0.225, 0.5, False),
    "bear_plays": (bear, "band", "wave", 1.25, -0.3, False),
    "star_awakens": (star, "plain", "idle", 0.4, 0.0, True),
}


@cache
def model_of(name: str) -> Model:
    """The character of a scene."""
    thing, theme, *_ = SCENES[name]
    return read_glb(build_character(thing(), TALL, theme=load(theme)).glb)


def table() -> Picture:
    """(HEIGHT, WIDTH, 3): a table that grows lighter towards the front, of boards."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    shade = 95 + 90 * y // HEIGHT - 22 * ((x // 40) % 2)
    return np.stack([0.72 * shade, 0.88 * shade, shade], -1).astype(np.uint8)


def taken(context: Context, name: str, model: Model | None = None, light: Light = WARM) -> Picture:
    """The scene's picture (HEIGHT, WIDTH, 3) bgr8, as the product draws it; of another model or in another light."""
    _, _, clip, moment, turn, awakens = SCENES[name]
    model = model or model_of(name)
    context.make_current()
    renderer = Renderer(context, WIDTH, HEIGHT)
    view = View(Intrinsics.from_field_of_view(WIDTH, HEIGHT, 31.0), upright_camera(0.24, 26.0), Plane.ground())
    c, s = np.cos(np.pi + turn), np.sin(np.pi + turn)
    T = pose(np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]), np.array([0.36, 0.0, 0.0]))
    nodes = model.global_matrices(model.clips[clip].sample(model.rest, moment))
    particles: Particles | None = awakening(0.6, T, TALL, 7) if awakens else None
    contents = Contents([Figure(renderer.load(model), T, nodes)], particles, replace(light, blur=0.4))
    return renderer.draw(table(), view, contents)


def reference(name: str) -> Picture:
    """The picture as it was when somebody looked at it last."""
    picture = cv2.imread(str(FOLDER / f"{name}.png"))
    assert picture is not None, f"{FOLDER / name}.png is missing: see {__file__}"
    return np.asarray(picture, np.uint8)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    context = create_context()
    for name in SCENES:
        cv2.imwrite(str(FOLDER / f"{name}.png"), taken(context, name), [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
