"""Write a sequence as a TUM folder: rgb.txt, groundtruth.txt, camera.yaml, rgb/*.png."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from ar_core.camera_info import write_camera_info
from ar_core.geometry import quaternion_from_rotation
from sequences.catalogue import CATALOGUE, Sequence, kidnapped, make
from sequences.splice import Spliced
from sequences.trajectory import through


def main() -> None:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=(*CATALOGUE, "kidnap"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--views",
        type=Path,
        help="a path of the camera's: lines of seconds azimuth elevation distance x y, as `through` has",
    )
    parser.add_argument("--tremor", type=float, default=0.002, help="metres by which a hand trembles along that path")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    (folder / "rgb").mkdir(parents=True, exist_ok=True)
    if arguments.name == "kidnap":
        sequence: Sequence | Spliced = kidnapped(arguments.seed)
    elif arguments.views is not None:
        views = [tuple(row) for row in np.loadtxt(arguments.views, ndmin=2).tolist()]
        path = through(views, arguments.tremor)
        sequence = make(arguments.name, arguments.seed, trajectory=path, seconds=views[-1][0])
    else:
        sequence = make(arguments.name, arguments.seed)
    with (folder / "rgb.txt").open("w") as pictures, (folder / "groundtruth.txt").open("w") as truth:
        for stamp, picture, T in sequence:
            cv2.imwrite(str(folder / "rgb" / f"{stamp:010.6f}.png"), picture)
            pictures.write(f"{stamp:.6f} rgb/{stamp:010.6f}.png\n")
            if T is None:
                continue
            values = (*T[:3, 3], *quaternion_from_rotation(T[:3, :3]))
            truth.write(f"{stamp:.6f} " + " ".join(f"{v:.9f}" for v in values) + "\n")
    camera = sequence.own.intrinsics if isinstance(sequence, Spliced) else sequence.intrinsics
    write_camera_info(folder / "camera.yaml", camera)


if __name__ == "__main__":
    main()
