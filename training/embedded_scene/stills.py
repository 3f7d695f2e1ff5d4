"""Random pictures of the scene with masks: ``python -m training.embedded_scene.stills --out DIR --count 60``.

For each picture another arrangement, light and viewpoint; every sixth time other surfaces too. Leaves
``NNNN.png`` (8-bit RGB), ``NNNN_labels.png`` (labels as in ``scene.LABELS``, through the pixels' centres) in ``DIR``.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"
import cv2

from . import scene
from .camera_path import look_at
from .develop import develop
from .render import TRUTH_SCALE, beauty_settings, truth_settings

#: Pictures that share the drawn surfaces, which take longer to draw than a picture.
EACH = 6


def random_pose(rng: np.random.Generator) -> NDArray[np.float64]:
    """``T_map_camera`` of somebody who points a phone at a table: 0.3-0.8 m away, 15-60 degrees above, a little askew."""
    azimuth, elevation = np.radians(rng.uniform(-75, 75)), np.radians(rng.uniform(15, 60))
    target = np.array([rng.normal(0, 0.05), rng.normal(0.03, 0.05), rng.uniform(0, 0.06)])
    back = np.array([np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation)])
    return look_at(target + rng.uniform(0.3, 0.8) * back, target, float(rng.normal(0, 0.06)))


def vary_light(rng: np.random.Generator, base: dict[str, float]) -> None:
    """Each lamp and the dim light all round stronger or weaker by up to three times; all of it a stop up or down."""
    for name, energy in base.items():
        bpy.data.lights[name].energy = energy * float(np.exp(rng.uniform(-1.1, 1.1)))
    world = bpy.context.scene.world.node_tree.nodes["Background"]
    world.inputs["Strength"].default_value = 0.13 * float(np.exp(rng.uniform(-0.7, 1.1)))
    bpy.context.scene.view_settings.exposure = 0.5 + float(rng.normal(0, 0.35))


def pose_scene(seed: int, labelled: dict[str, bpy.types.Object]) -> np.random.Generator:
    """Arrange things and camera as ``seed`` says."""
    rng = np.random.default_rng(seed)
    scene.place(labelled, scene.arrangement(seed))
    for name, reach in (("runner", 0.04), ("newspaper", 0.10)):
        labelled[name].location = (*(np.array(labelled[name]["home"][:2]) + rng.normal(0, reach, 2)), 0.0)
        labelled[name].rotation_euler = (0, 0, labelled[name]["home"][2] + rng.normal(0, 0.3))
    scene.animate(random_pose(rng)[None])
    bpy.context.scene.frame_set(0)
    return rng


def shoot(seeds: list[int], out: Path, samples: int, threads: int) -> None:
    """Pictures and labels of some seeds, all with the surfaces of the first."""
    labelled = scene.build(seeds[0])
    for name in ("runner", "newspaper"):
        labelled[name]["home"] = [*labelled[name].location[:2], labelled[name].rotation_euler[2]]
    beauty_settings(samples, threads)
    s = bpy.context.scene
    s.render.use_motion_blur = False
    energies = {light.name: light.energy for light in bpy.data.lights}
    for seed in seeds:
        rng = pose_scene(seed, labelled)
        vary_light(rng, energies)
        s.cycles.seed = seed
        s.render.filepath = str(out / f"{seed:04d}.raw.png")
        bpy.ops.render.render(write_still=True)
    truth_settings(threads)
    for seed in seeds:
        pose_scene(seed, labelled)
        s.render.filepath = str(out / "part.exr")
        bpy.ops.render.render(write_still=True)
        raw = out / f"{seed:04d}.raw.png"
        picture, exr = cv2.imread(str(raw)), cv2.imread(str(out / "part.exr"), cv2.IMREAD_UNCHANGED)
        if picture is None or exr is None:
            raise ValueError(f"{out}: the render of seed {seed} cannot be read")
        middle = TRUTH_SCALE // 2
        labels = np.rint(exr[middle::TRUTH_SCALE, middle::TRUTH_SCALE, 2]).astype(np.uint8)
        cv2.imwrite(str(out / f"{seed:04d}_labels.png"), labels)
        cv2.imwrite(str(out / f"{seed:04d}.png"), develop(picture.astype(np.float32), frame=0, seed=seed))
        raw.unlink()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--first", type=int, default=1, help="seed of the first picture (0 is the shipped clip's)")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--samples", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for first in range(options.first, options.first + options.count, EACH):
        seeds = list(range(first, min(first + EACH, options.first + options.count)))
        if not all((options.out / f"{seed:04d}.png").exists() for seed in seeds):
            shoot(seeds, options.out, options.samples, options.threads)


if __name__ == "__main__":
    main()
