"""Rendered sequences, made once for all tests, and what the SLAM said to them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[3] / "tests"))

import cv2
import numpy as np
import pytest

from ar_core.geometry import Intrinsics
from ar_slam.slam import Options, Result, Slam, State

cv2.setNumThreads(1)
SEED = 11  # not one that anything was tuned on


@dataclass(frozen=True)
class Seen:
    """A sequence as grey pictures with the truth: stamps (n,), pictures (n, H, W) uint8, poses (n, 4, 4)."""

    intrinsics: Intrinsics
    stamps: np.ndarray
    pictures: np.ndarray
    poses: np.ndarray

    @property
    def options(self) -> Options:
        """With the true height of the camera, so that metres can be compared."""
        return Options(camera_height=float(self.poses[0][2, 3]), deterministic=True)


@dataclass(frozen=True)
class Tracked:
    """A sequence and the results."""

    seen: Seen
    results: list[Result]

    @property
    def states(self) -> list[State]:
        return [r.state for r in self.results]

    @property
    def first(self) -> int:
        """The first picture that was tracked."""
        return self.states.index(State.TRACKING)


@cache
def seen(name: str, seed: int, seconds: float) -> Seen:
    from sequences import make

    sequence = make(name, seed, seconds=seconds)
    rows = [(s, cv2.cvtColor(p, cv2.COLOR_BGR2GRAY), T) for s, p, T in sequence]
    stamps, pictures, poses = zip(*rows, strict=True)
    return Seen(sequence.intrinsics, np.array(stamps), np.array(pictures), np.array(poses))


@cache
def tracked(name: str, seed: int, seconds: float) -> Tracked:
    s = seen(name, seed, seconds)
    slam = Slam(s.intrinsics, s.options)
    results = [slam.process(picture, float(stamp)) for stamp, picture in zip(s.stamps, s.pictures, strict=True)]
    slam.close()
    return Tracked(s, results)


@pytest.fixture(scope="session")
def see():
    return lambda name, seed=SEED, seconds=4.0: seen(name, seed, seconds)


@pytest.fixture(scope="session")
def track():
    return lambda name, seed=SEED, seconds=4.0: tracked(name, seed, seconds)
