"""Draws what the gallery in this folder is made of: objects of the clip that ships, and a few doodles.

python docs/gallery/cutouts.py FOLDER; ./tsukumo gallery FOLDER --out OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_camera import embedded
from ar_segment.cutout import cut_out

Image = NDArray[np.uint8]
FRAME = 40


def clip_objects() -> dict[str, Image]:
    """RGBA of every object of the clip."""
    scene = embedded.load()
    clip = cv2.VideoCapture(str(scene.clip))
    clip.set(cv2.CAP_PROP_POS_FRAMES, FRAME)
    picture = np.asarray(clip.read()[1], np.uint8)
    clip.release()
    return {name: cut_out(picture, scene.mask(FRAME, name)).rgba for name in scene.names}


def crayon(outline: list[tuple[int, int]], colour: tuple[int, int, int], seed: int) -> tuple[Image, Image]:
    """A polygon with round corners on 480 x 480, filled with strokes: picture and mask."""
    mask = np.zeros((480, 480), np.uint8)
    cv2.fillPoly(mask, [np.array(outline, np.int32)], 255)
    mask = np.where(cv2.GaussianBlur(mask, (0, 0), 7) > 127, 255, 0).astype(np.uint8)
    rng = np.random.default_rng(seed)
    paper = np.full((480, 480, 3), 246, np.uint8)
    for y in range(-480, 960, 7):
        shade = tuple(int(np.clip(c + rng.normal(0, 12), 0, 255)) for c in colour)
        bend = rng.normal(0, 4, 2)
        cv2.line(paper, (0, int(y + 200 + bend[0])), (480, int(y - 60 + bend[1])), shade, 5, cv2.LINE_AA)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(paper, contours, -1, (60, 45, 40), 7, cv2.LINE_AA)
    return paper, mask


def doodles() -> dict[str, Image]:
    """RGBA of a monster with eyes, a robot, a walking table, a rocket and a star."""
    out = {}
    monster = [
        (150, 130),
        (330, 130),
        (350, 215),
        (455, 165),
        (465, 205),
        (355, 280),
        (340, 340),
        (345, 455),
        (265, 455),
        (262, 355),
        (218, 355),
        (215, 455),
        (135, 455),
        (140, 340),
        (125, 280),
        (15, 205),
        (25, 165),
        (130, 215),
    ]
    robot = [
        (150, 40),
        (330, 40),
        (330, 190),
        (300, 200),
        (370, 210),
        (370, 330),
        (330, 330),
        (330, 380),
        (320, 455),
        (255, 455),
        (255, 390),
        (225, 390),
        (225, 455),
        (160, 455),
        (150, 380),
        (150, 330),
        (110, 330),
        (110, 210),
        (180, 200),
        (150, 190),
    ]
    table = [
        (30, 170),
        (450, 170),
        (450, 235),
        (425, 235),
        (425, 430),
        (375, 430),
        (375, 235),
        (105, 235),
        (105, 430),
        (55, 430),
        (55, 235),
        (30, 235),
    ]
    rocket = [(240, 20), (310, 130), (320, 330), (390, 440), (300, 400), (180, 400), (90, 440), (160, 330), (170, 130)]
    angle = np.arange(10) * np.pi / 5 - np.pi / 2
    radius = np.where(np.arange(10) % 2, 95, 220)
    star = [(int(240 + r * np.cos(a)), int(245 + r * np.sin(a))) for r, a in zip(radius, angle, strict=True)]
    shapes = {
        "monster": (monster, (90, 160, 80)),
        "robot": (robot, (120, 140, 190)),
        "table": (table, (170, 110, 60)),
        "rocket": (rocket, (205, 80, 60)),
        "star": (star, (235, 190, 60)),
    }
    for seed, (name, (outline, colour)) in enumerate(shapes.items()):
        picture, mask = crayon(outline, colour, seed)
        if name == "monster":
            for x in (200, 280):
                cv2.circle(picture, (x, 200), 30, (250, 250, 250), -1, cv2.LINE_AA)
                cv2.circle(picture, (x, 200), 15, (30, 25, 30), -1, cv2.LINE_AA)
        out[name] = np.dstack([picture, mask])
    return out


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rgba in {**clip_objects(), **doodles()}.items():
        cv2.imwrite(str(folder / f"{name}.png"), cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
