"""Shows the themes on what `cutouts.py` draws: every character in a clip of its theme's own, with its particles.

python docs/gallery/themes.py FOLDER OUT.jpg
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from ar_character.character import build_character
from ar_character.theme import load
from ar_render.context import create_context
from ar_render.gltf import read_glb
from ar_tools.gallery import read_cutout
from ar_tools.gallery_studio import Studio

SIDE = 300
THEMES = {
    "band": ("mug", "carton", "rocket", "duck"),
    "ramadan": ("mug", "carton", "star", "monster"),
    "olympics": ("mug", "apple", "rocket", "monster"),
    "beast": ("mug", "carton", "duck", "robot"),
}


def main(folder: Path, out: Path) -> None:
    context = create_context()
    studio, rows = Studio(context, SIDE), []
    for theme, names in THEMES.items():
        row = []
        for number, name in enumerate(names):
            character = build_character(read_cutout(folder / f"{name}.png"), 0.1, theme=load(theme, number))
            row.append(studio.effects(read_glb(character.glb, name))[-1][SIDE // 6 :])
        rows.append(np.concatenate(row, axis=1))
    context.close()
    cv2.imwrite(str(out), np.concatenate(rows), [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
