"""A set of pictures with masks that is free of research data: `python -m training.clean --data DATA --out out/clean`.

Leaves `duts_tr/{images,masks}` in the layout of a saliency set and `cutouts/`, so that `training.segment --data out/clean`
runs on it as it is. What it is made of: cut-outs under MIT and Apache-2.0, drawn surfaces and things, photographs that may
be used for everything, as backgrounds and skins: scikit-image's in the public domain or CC0, and frames of a desk of
TUM RGB-D (CC BY 4.0).

The last 500 pictures by file name show cut-outs, photographs and a part of the desk that no other picture shows.
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np

from training import made, surfaces, synth
from training.store import N_VALIDATION, Pixels
from training.synth import Rng, Scene

SIDE = 288
PHOTOGRAPHS = (
    "astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "grass.png", "gravel.png",
    "hubble_deep_field.jpg", "moon.png", "rocket.jpg", "clock_motion.png",
)  # fmt: skip
"""Of scikit-image: public domain or CC0 (its `skimage/data/_fetchers.py` says where each comes from)."""

HELD_OUT = 5
"""Every fifth cut-out and the last fifth of the photographs belong to the validation pictures."""


@dataclass(frozen=True)
class Materials:
    """`photographs` (any size, BGR), `cutouts` (BGRA)."""

    photographs: list[Pixels]
    cutouts: list[Pixels]


def photographs(data: Path) -> list[Pixels]:
    """scikit-image's, then the desk in the order of time."""
    out = []
    for name in PHOTOGRAPHS:
        picture = cv2.imread(str(files("skimage") / "data" / name), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError(f"scikit-image's {name} cannot be read: pip install scikit-image")
        out.append(picture)
    desk = sorted((data / "slam" / "tum_fr1_rpy_first_half" / "rgb").iterdir())[::4]
    return out + [cv2.imread(str(path), cv2.IMREAD_COLOR) for path in desk]


def place(materials: Materials, rng: Rng) -> Pixels:
    """What things are put before, `(SIDE, SIDE, 3)`: a photograph's part, drawn nature, a table, a bare surface."""
    roll = rng.random()
    if roll < 0.4:
        picture = made.part_of(materials.photographs, rng, SIDE)
    elif roll < 0.7:
        picture = made.outdoors(rng, SIDE)
    else:
        picture = synth.table(rng, SIDE) if roll < 0.93 else synth.procedural(rng, SIDE)
        for _ in range(int(rng.integers(0, 3))):
            pattern = surfaces.ornament(rng, SIDE) if rng.random() < 0.5 else surfaces.page(rng, SIDE)
            picture = surfaces.laid(picture, pattern, rng, 1.5)
    if rng.random() < 0.25:  # another place beside or behind it
        other = made.part_of(materials.photographs, rng, SIDE) if rng.random() < 0.5 else made.outdoors(rng, SIDE)
        picture = made.joined(picture, other, rng)
    if rng.random() < 0.4:  # out of focus
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.7, 5)))
    return made.recoloured(picture, rng, 0.5)


def thing(materials: Materials, rng: Rng) -> Pixels:
    """Something to be found, BGRA: a cut-out, or a thing that is drawn, with a real surface."""
    if rng.random() < 0.5:
        cutout = materials.cutouts[int(rng.integers(len(materials.cutouts)))]
        return made.bent(made.recoloured(cutout, rng, 0.5), rng)
    roll = rng.random()
    if roll < 0.45:
        skin = made.part_of(materials.photographs, rng, 200)
    elif roll < 0.6:
        cutout = materials.cutouts[int(rng.integers(len(materials.cutouts)))]
        skin = np.asarray(cv2.resize(np.ascontiguousarray(cutout[..., :3]), (200, 200), interpolation=cv2.INTER_AREA))
    elif roll < 0.75:
        skin = surfaces.ornament(rng, 200)
    else:
        skin = synth.procedural(rng, 200)
    return made.figure(made.recoloured(skin, rng, 0.8), rng)


def picture(materials: Materials, rng: Rng) -> Pixels:
    """A picture with its mask, `(h, w, 4)`: mostly one thing, sometimes two or three of which all count, small ones aside."""
    scene = Scene(place(materials, rng), [])
    for _ in range(int(rng.integers(0, 3)) if rng.random() < 0.35 else 0):  # clutter: of no account
        at = (float(rng.uniform(0, 1)), float(rng.uniform(0, 1)))
        scene = synth.paste(scene, thing(materials, rng), rng, float(rng.uniform(0.06, 0.16)), at, True)
    if scene.masks and rng.random() < 0.5:
        scene = Scene(cv2.GaussianBlur(scene.bgr, (0, 0), float(rng.uniform(0.5, 3))), [])
    clutter = len(scene.masks)
    many = int(rng.choice([1, 2, 3], p=[0.75, 0.18, 0.07]))
    extent = float(np.clip(np.exp(rng.normal(np.log(0.62), 0.4)), 0.2, 1.25)) / many**0.4
    columns = (rng.permutation(many) + 0.5) / many
    for column in columns:
        at = (float(np.clip(column + rng.normal(0, 0.08), 0.1, 0.9)), float(np.clip(rng.normal(0.53, 0.1), 0.2, 0.85)))
        shadow = rng.random() < 0.45
        scene = synth.paste(scene, thing(materials, rng), rng, extent * float(rng.uniform(0.85, 1.15)), at, shadow)
    mask = np.maximum.reduce(scene.masks[clutter:])
    height = int(SIDE * rng.uniform(0.66, 1.0))
    top = (SIDE - height) // 2
    both = np.dstack([scene.bgr, mask])[top : top + height]
    return np.ascontiguousarray(np.rot90(both) if rng.random() < 0.25 else both)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="where `cutouts/` and `slam/` are")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=7000)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(17)
    shots, cutouts = photographs(args.data), synth.load_cutouts(args.data / "cutouts")
    last = len(shots) - len(shots) // HELD_OUT
    seen = Materials(shots[:last], [c for k, c in enumerate(cutouts) if k % HELD_OUT])
    unseen = Materials(shots[last:], cutouts[::HELD_OUT])
    for kind in ("images", "masks"):
        (args.out / "duts_tr" / kind).mkdir(parents=True, exist_ok=True)

    def write(name: str, both: Pixels) -> None:
        cv2.imwrite(str(args.out / "duts_tr" / "images" / f"{name}.jpg"), both[..., :3], [cv2.IMWRITE_JPEG_QUALITY, 92])
        cv2.imwrite(str(args.out / "duts_tr" / "masks" / f"{name}.png"), both[..., 3])

    for k in range(args.count):
        write(f"a{k:05d}", picture(seen, rng))
    for k in range(N_VALIDATION):
        write(f"z{k:05d}", picture(unseen, rng))
    (args.out / "cutouts").mkdir(exist_ok=True)
    for k, path in enumerate(sorted((args.data / "cutouts").iterdir())):
        if k % HELD_OUT:
            shutil.copy(path, args.out / "cutouts" / path.name)


if __name__ == "__main__":
    main()
