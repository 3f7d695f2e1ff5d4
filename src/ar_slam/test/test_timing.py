"""A slow or busy machine: pictures are left out, and what is computed beside the tracking comes late."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ar_slam import evaluation
from ar_slam.background import Background
from ar_slam.recordings import Recording, open_recording
from ar_slam.slam import Options, Slam, State

CLIP = Path(__file__).parents[2] / "ar_camera" / "ar_camera" / "data" / "embedded"
KNOWN = (State.TRACKING, State.WEAK, State.RELOCALISED)

pytestmark = pytest.mark.skipif(not (CLIP / "clip.mp4").exists(), reason="the embedded clip is not beside this package")


@cache
def clip() -> tuple[Recording, list, list]:
    recording = open_recording(CLIP)
    stamps, pictures = zip(*recording, strict=True)
    return recording, list(stamps), list(pictures)


def schedule(rng: np.random.Generator, most: int, count: int) -> list[int]:
    """Numbers of the pictures that are processed: up to `most` are left out between two of them."""
    steps = 1 + (rng.integers(0, most + 1, count) if most < 2 or rng.random() < 0.5 else np.full(count, most))
    numbers = np.cumsum(np.r_[0, steps])
    return [int(k) for k in numbers[numbers < count]]


class Late(Background):
    """Hands each result over `low` to `high` pictures of the clip after it was asked for."""

    def __init__(self, rng: np.random.Generator, shown: list[int], low: int, high: int) -> None:
        def due(frame: int) -> int:
            late = int(rng.integers(low, high + 1))
            return max(frame + 1, 1 + int(np.searchsorted(shown, shown[frame - 1] + late)))

        super().__init__(due)


@pytest.mark.parametrize(
    ("seed", "most_left_out", "low", "high"),
    [(1, 0, 36, 40), (2, 1, 30, 40), (3, 2, 40, 40), (4, 2, 0, 40), (5, 2, 10, 25), (6, 0, 0, 3), (7, 1, 0, 40)],
)
def test_a_late_first_map_begins_in_time_and_right(seed, most_left_out, low, high):
    recording, stamps, pictures = clip()
    rng = np.random.default_rng(seed)
    shown = schedule(rng, most_left_out, 240)
    truth = recording.truth[1]
    options = Options(camera_height=float(truth[0][2, 3]))
    slam = Slam(recording.intrinsics, options, Late(rng, shown, low, high))
    results = [slam.process(pictures[k], stamps[k]) for k in shown]
    slam.close()
    states = [r.state for r in results]
    first = states.index(State.TRACKING)
    assert results[first].stamp <= 2.5
    assert set(states[:first]) == {State.INITIALISING}
    assert all(r.reason for r in results[:first])
    assert set(states[first:]) == {State.TRACKING}
    estimated = [r.T_map_camera for r in results[first:]]
    true = [truth[k] for k in shown[first:]]
    errors = 1e3 * evaluation.absolute_errors(estimated, true, with_scale=True)
    assert np.sqrt(np.mean(errors**2)) <= 5.0
    for begin in (0, 10):  # put down as soon as there is a map, or a little later
        anchor = evaluation.anchor_errors(estimated[begin:], true[begin:], recording.intrinsics)
        assert np.nanpercentile(anchor, 95) <= 3.0


def test_a_first_map_that_does_not_fit_the_pictures_after_it_is_refused():
    recording, stamps, pictures = clip()
    elsewhere = [np.ascontiguousarray(p[::-1]) for p in pictures[40:]]  # another scene, all at once

    class LateOnce(Background):
        """The first result comes 30 pictures late, the others at once."""

        def __init__(self) -> None:
            self.late = 30
            super().__init__(lambda frame: frame + self.late)

        def take(self, frame: int):
            done = super().take(frame)
            self.late = 1 if done is not None else self.late
            return done

    slam = Slam(recording.intrinsics, Options(), LateOnce())
    shown = [*pictures[:20], *elsewhere[:40]]
    results = [slam.process(p, stamps[k]) for k, p in enumerate(shown)]
    slam.close()
    refused = [r.reason for r in results if "first map" in r.reason]
    assert refused
    assert not any(r.state in KNOWN for r in results[: 1 + [r.reason for r in results].index(refused[0])])


POSES = """
import hashlib, sys
from ar_slam.recordings import open_recording
from ar_slam.slam import Options, Slam
import cv2
from pathlib import Path
cv2.setNumThreads(int(sys.argv[2]))
recording, digest = open_recording(Path(sys.argv[1])), hashlib.sha256()
slam = Slam(recording.intrinsics, Options(deterministic=True))
for (stamp, grey), _ in zip(recording, range(70)):
    result = slam.process(grey, stamp)
    digest.update(result.state.name.encode() + (b"" if result.T_map_camera is None else result.T_map_camera.tobytes()))
print(result.state.name, digest.hexdigest())
slam.close()
"""


def test_in_lockstep_the_poses_are_the_same_bits_with_any_number_of_threads():
    def run(threads: int) -> str:
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        arguments = [sys.executable, "-c", POSES, str(CLIP), str(threads)]
        return subprocess.run(arguments, env=environment, check=True, capture_output=True, text=True).stdout

    one, four = run(1), run(4)
    assert one.startswith("TRACKING ")
    assert one == four
