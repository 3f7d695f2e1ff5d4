"""Rendered sequences with exact ground truth: a table with printed marks and boxes, seen by a moving camera.

Everything follows from a seed and a trajectory, so that anyone can make unseen ones:

    sequence = make("boxes", seed=7)
    for stamp, picture, T_map_camera in sequence: ...

`python -m sequences NAME FOLDER [--seed N] [--views FILE]`, run from the folder `tests`, writes one as rgb.txt, groundtruth.txt
and camera.yaml, which `tsukumo eval slam FOLDER` reads.
"""

from sequences.catalogue import CATALOGUE, Sequence, kidnapped, make
from sequences.scene import Scene, render
from sequences.splice import Spliced
from sequences.trajectory import Trajectory, held, through

__all__ = ["CATALOGUE", "Scene", "Sequence", "Spliced", "Trajectory", "held", "kidnapped", "make", "render", "through"]
