"""What a picture costs the SLAM: rendered sequences, ours against OpenCV's ORB + matching + solvePnPRansac for each picture.

    python -m benchmarks.slam [--sequences clean loop boxes fast bare] [--seed 0] [--seconds 4]

Both see the same pictures in turn, on one core. Printed is CPU time per picture of the tracking thread, median and 95th
percentile, the mapping thread's share on top (mean), and the ratio of the medians. The peer does less than is needed: it
looks for 500 features, matches them to those of one picture whose places on the table it is told, and solves for the pose.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import cv2
import numpy as np
from sequences import make

from ar_core.geometry import Array, Intrinsics, Plane, hit_plane
from ar_slam.slam import Options, Slam, State

AGAIN = 30  # pictures after which the peer takes another one to match to


class Peer:
    """ORB of a picture against ORB of a known one, and the pose from that."""

    def __init__(self, intrinsics: Intrinsics) -> None:
        self.intrinsics = intrinsics
        self.orb = cv2.ORB.create(500)
        self.matcher = cv2.BFMatcher(cv2.NORM_HAMMING)
        self.known: tuple[Any, Array] | None = None

    def learn(self, grey: Any, T_map_camera: Array) -> None:
        """Take this picture to match to; what it shows is on the table."""
        keypoints, descriptors = self.orb.detectAndCompute(grey, None)
        X = hit_plane(np.array([k.pt for k in keypoints]), self.intrinsics, T_map_camera, Plane.ground())
        there = np.isfinite(X).all(1)
        self.known = np.asarray(descriptors)[there], X[there]

    def __call__(self, grey: Any) -> bool:
        assert self.known is not None
        keypoints, descriptors = self.orb.detectAndCompute(grey, None)
        pairs = [p for p in self.matcher.knnMatch(descriptors, self.known[0], k=2) if len(p) == 2]
        good = [a for a, b in pairs if a.distance < 0.8 * b.distance]
        if len(good) < 8:
            return False
        uv = np.array([keypoints[m.queryIdx].pt for m in good])
        X = self.known[1][[m.trainIdx for m in good]]
        return bool(cv2.solvePnPRansac(X, uv, self.intrinsics.K, None, reprojectionError=3.0)[0])


def cost_ms(job: Callable[[], Any]) -> tuple[float, float, Any]:
    """CPU milliseconds of this thread and of all, and what the job returned."""
    thread, process = time.thread_time(), time.process_time()
    out = job()
    return 1e3 * (time.thread_time() - thread), 1e3 * (time.process_time() - process), out


def bench(name: str, seed: int, seconds: float) -> str:
    sequence = make(name, seed, seconds=seconds)
    pictures = [(s, cv2.cvtColor(p, cv2.COLOR_BGR2GRAY), T) for s, p, T in sequence]
    slam = Slam(sequence.intrinsics, Options(camera_height=float(pictures[0][2][2, 3]), deterministic=True))
    peer, ours, theirs, whole, states, solved = Peer(sequence.intrinsics), [], [], 0.0, [], 0
    for k, (stamp, grey, T) in enumerate(pictures):
        if k % AGAIN == 0:
            peer.learn(grey, T)
        thread, process, result = cost_ms(lambda g=grey, s=stamp: slam.process(g, s))  # type: ignore[misc]
        ours.append(thread)
        whole += process
        states.append(result.state)
        thread, process, ok = cost_ms(lambda g=grey: peer(g))  # type: ignore[misc]
        theirs.append(thread)
        solved += ok
    slam.close()
    tracked = np.mean([s == State.TRACKING for s in states])
    a, b = np.median(ours), np.median(theirs)
    return (
        f"{name:16s} {a:5.2f} / {np.percentile(ours, 95):5.2f} ms, mapping {(whole - sum(ours)) / len(ours):5.2f} ms more;"
        f" ORB + PnP {b:5.2f} / {np.percentile(theirs, 95):5.2f} ms; ratio {a / b:.2f};"
        f" tracked {100 * tracked:.0f} %, ORB + PnP solved {100 * solved / len(ours):.0f} %"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", nargs="+", default=["clean", "loop", "boxes", "fast", "bare"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    for name in options.sequences:
        print(bench(name, options.seed, options.seconds), flush=True)


if __name__ == "__main__":
    main()
