"""What this machine can do, measured in the same run: figures of different machines are compared as ratios to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

REPEATS = 15


@dataclass(frozen=True)
class Yardstick:
    """memcpy_gb_s: of one picture of 640x480, cold; workload_ms: CPU time of a fixed mix of what the stages do."""

    memcpy_gb_s: float
    workload_ms: float


def measure() -> Yardstick:
    """About a third of a second on one core."""
    picture = 640 * 480 * 3
    return Yardstick(round(picture / memcpy_ms(picture) / 1e6, 3), round(_workload_ms(), 3))


def memcpy_ms(size: int) -> float:
    """Milliseconds to copy so many bytes that are in no cache (each copy takes other memory), as the median."""
    copies = max(REPEATS, min(200, 64_000_000 // max(1, size)))
    source = np.ones((copies, max(1, size)), np.uint8)
    target = np.zeros_like(source)
    return _median([_seconds(lambda i=i: np.copyto(target[i], source[i])) for i in range(copies)]) * 1e3  # type: ignore[misc]


def _workload_ms() -> float:
    """Blur, resize and corners of a picture, small matrices: one thread, the median of some."""
    picture = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
    matrices = np.random.default_rng(2).normal(size=(200, 6, 6))
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)

    def work() -> None:
        grey = cv2.cvtColor(cv2.GaussianBlur(picture, (5, 5), 1.5), cv2.COLOR_BGR2GRAY)
        cv2.resize(picture, (320, 240), interpolation=cv2.INTER_AREA)
        cv2.goodFeaturesToTrack(grey, 200, 0.01, 8)
        np.linalg.svd(matrices)

    try:
        work()
        return _median([_seconds(work, time.thread_time) for _ in range(REPEATS)]) * 1e3
    finally:
        cv2.setNumThreads(threads)


def _seconds(job: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    job()
    return clock() - start


def _median(values: list[float]) -> float:
    return float(np.median(values))
