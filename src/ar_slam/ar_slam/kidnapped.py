"""How well the camera is found again: a map is made of one part of a recording, single pictures of the rest are shown to it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from ar_core.geometry import Array, Intrinsics
from ar_slam import evaluation
from ar_slam.recordings import Recording
from ar_slam.slam import Options, Slam, State

MAPPED_SHARE = 0.6  # of the recording, from its beginning
TRIALS = 40  # at most
WRONG_M, WRONG_DEG = 0.05, 5.0


@dataclass(frozen=True)
class Trials:
    """tried pictures, how many of them were found, how many of these in a wrong place; ms: median CPU time of looking."""

    tried: int
    found: int
    wrong: int
    ms: float


def trials(
    recording: Recording, intrinsics: Intrinsics, options: Options, reference: list[Array | None]
) -> Trials | None:
    """None where the first part gives no map, or nothing is known of the rest.

    reference: for each picture the true pose, or that of an uninterrupted run; None where it is not known. A picture counts
    as found when it and the next one, which confirms it, are recognised.
    """
    begin = int(MAPPED_SHARE * len(reference))
    shown = [k for k in range(begin, len(reference) - 1) if reference[k + 1] is not None]
    shown = shown[:: max(2, -(-len(shown) // TRIALS))]  # the one after each confirms it
    wanted = {k + d for k in shown for d in (0, 1)}
    slam = Slam(intrinsics, replace(options, new_map_after=0.0))
    estimated: list[Array] = []
    true: list[Array] = []
    found = wrong = 0
    spent: list[float] = []
    for k, (stamp, grey) in enumerate(recording):
        if k >= begin:
            if slam.map is None or len(true) < 20:
                break
            if k in shown:
                slam.lose()
                if not spent:
                    slam.process(grey, stamp)  # what the map looks like is put together when it is first asked for
                    slam.lose()
            if k in wanted:
                begun = time.thread_time()
                result = slam.process(grey, stamp)
                if k in shown:
                    spent.append(1e3 * (time.thread_time() - begun))
                if k - 1 in shown and result.state == State.RELOCALISED and result.T_map_camera is not None:
                    found += 1
                    wrong += int(_is_wrong(result.T_map_camera, reference[k], estimated, true))
            continue
        result, T = slam.process(grey, stamp), reference[k]
        if result.state == State.TRACKING and result.T_map_camera is not None and T is not None:
            estimated.append(result.T_map_camera)
            true.append(T)
    slam.close()
    return Trials(len(spent), found, wrong, float(np.median(spent))) if spent else None


def _is_wrong(T: Array, truth: Array | None, estimated: list[Array], true: list[Array]) -> bool:
    """Whether a pose is off by more than WRONG_M or WRONG_DEG, once the map is brought to the true one."""
    assert truth is not None
    to_true = evaluation.align(evaluation.centres(estimated), evaluation.centres(true), True)
    off = float(np.linalg.norm(to_true(T[None, :3, 3])[0] - truth[:3, 3]))
    turned = evaluation.rotation_errors_deg([*estimated, T], [*true, truth])[-1]
    return off > WRONG_M or turned > WRONG_DEG
