"""Brings together what belongs to one picture: the pose with its very stamp, the mask, and whether tracking is lost.

Stamps are integers of nanoseconds. Filled from one thread and read from another.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from ar_core.geometry import interpolate

Array = NDArray[Any]
How = Literal["exact", "interpolated", "predicted", "held", "none"]

_SILENT_S = 1.0  # a source that gave nothing for so long is not waited for
_TRY_AGAIN = 15  # pictures
_PREDICT_NS = 150_000_000
_HOLD_NS = 500_000_000


@dataclass(frozen=True)
class Joined:
    """T_map_camera (4, 4) or None, how it was come by, and the map it is in (None: tracking never told);
    sure: the map is the one that was told with this very stamp. mask (H, W) uint8 or None, its age in seconds, its stamp."""

    pose: Array | None
    how: How
    map_id: int | None = None
    sure: bool = True
    mask: Array | None = None
    mask_age: float = 0.0
    mask_stamp: int = 0


class Joiner:
    """Keeps the poses of the last half minute and the newest masks.

    wait: how long a picture waits for its pose and mask, seconds since it was received; hide: how long after tracking was
    lost the last pose still counts, seconds; stale: how old a mask may be, seconds.
    """

    def __init__(self, wait: float = 0.04, hide: float = 0.5, stale: float = 1.0) -> None:
        self.wait, self.hide, self.stale = wait, hide, stale
        self._condition = threading.Condition()
        self._stamps: list[int] = []
        self._poses: dict[int, Array] = {}
        self._masks: dict[int, Array] = {}
        self._lost: dict[int, bool] = {}
        self._maps: dict[int, int] = {}
        self._lost_since: int | None = None
        self._joined = 0
        self._luck = {"pose": 1.0, "status": 1.0, "mask": 1.0}  # how often each came in time of late
        self._heard = {"pose": -1e9, "status": -1e9, "mask": -1e9}
        self._newest = {
            "pose": -1,
            "status": -1,
            "mask": -1,
        }  # stamps: stages keep the order, what is older was left out

    def add_pose(self, stamp: int, T_map_camera: Array) -> None:
        with self._condition:
            if stamp not in self._poses:
                insort(self._stamps, stamp)
            self._poses[stamp] = T_map_camera
            while len(self._stamps) > 1000:
                del self._poses[self._stamps.pop(0)]
            self._hear("pose", stamp)

    def add_mask(self, stamp: int, mask: Array) -> None:
        with self._condition:
            self._masks[stamp] = mask
            while len(self._masks) > 8:
                del self._masks[min(self._masks)]
            self._hear("mask", stamp)

    def add_status(self, stamp: int, lost: bool, map_id: int) -> None:
        with self._condition:
            self._lost[stamp], self._maps[stamp] = lost, map_id
            while len(self._lost) > 100:
                oldest = min(self._lost)
                del self._lost[oldest], self._maps[oldest]
            if not lost:
                self._lost_since = None
            elif self._lost_since is None:
                self._lost_since = stamp
            self._hear("status", stamp)

    def forget(self) -> None:
        """The stamps start over."""
        with self._condition:
            self._stamps.clear()
            for kept in (self._poses, self._masks, self._lost, self._maps):
                kept.clear()
            self._lost_since = None
            self._newest = dict.fromkeys(self._newest, -1)

    def join(self, stamp: int, received: float, want_mask: bool) -> Joined:
        """What belongs to the picture with this stamp; waits for it at most until ``wait`` after it was received."""
        with self._condition:
            self._joined += 1
            while self._awaited(stamp, want_mask, now := time.monotonic()) and now < received + self.wait:
                self._condition.wait(received + self.wait - now)
            for kind, there in self._there(stamp).items():
                if kind != "mask" or want_mask:
                    self._luck[kind] += 0.2 * (there - self._luck[kind])
            pose, how = self._pose(stamp)
            told = max((s for s in self._maps if s <= stamp), default=None)
            map_id, sure = (None, True) if told is None else (self._maps[told], told == stamp)
            key = max((s for s in self._masks if s <= stamp), default=None)
            if key is None or stamp - key > self.stale * 1e9:
                return Joined(pose, how, map_id, sure)
            return Joined(pose, how, map_id, sure, self._masks[key], (stamp - key) / 1e9, key)

    def complete(self, stamp: int, want_mask: bool) -> bool:
        """Whether nothing that belongs to the picture is waited for any more."""
        with self._condition:
            return not self._awaited(stamp, want_mask, time.monotonic())

    def pose_at(self, stamp: int) -> Array | None:
        """The pose at a stamp of the past, interpolated where need be."""
        with self._condition:
            return self._pose(stamp)[0]

    def _hear(self, kind: str, stamp: int) -> None:
        self._heard[kind], self._newest[kind] = time.monotonic(), max(stamp, self._newest[kind])
        self._condition.notify_all()

    def _there(self, stamp: int) -> dict[str, bool]:
        """What belongs to this stamp and has come."""
        lost = self._lost.get(stamp, False)
        return {"pose": stamp in self._poses or lost, "status": stamp in self._lost, "mask": stamp in self._masks}

    def _awaited(self, stamp: int, want_mask: bool, now: float) -> list[str]:
        """What is worth waiting for: nothing newer of it came, there was more of it a moment ago, and it mostly came in
        time, or is tried again."""
        try_again = self._joined % _TRY_AGAIN == 0
        return [
            kind
            for kind, there in self._there(stamp).items()
            if not there
            and (kind != "mask" or want_mask)
            and stamp > self._newest[kind]
            and now - self._heard[kind] < _SILENT_S
            and (self._luck[kind] > 0.3 or try_again)
        ]

    def _pose(self, stamp: int) -> tuple[Array | None, How]:
        if stamp in self._poses:
            return self._poses[stamp], "exact"
        i = bisect_left(self._stamps, stamp)
        if 0 < i < len(self._stamps):
            a, b = self._stamps[i - 1], self._stamps[i]
            if b - a < _HOLD_NS:
                return interpolate(self._poses[a], self._poses[b], (stamp - a) / (b - a)), "interpolated"
        if i == 0:
            return None, "none"
        last = self._stamps[i - 1]
        if self._lost_since is not None and stamp - self._lost_since > self.hide * 1e9:
            return None, "none"
        if i >= 2 and self._lost_since is None:
            before = self._stamps[i - 2]
            if stamp - last <= _PREDICT_NS and last - before <= _PREDICT_NS:
                s = min((stamp - before) / (last - before), 3.0)
                return interpolate(self._poses[before], self._poses[last], s), "predicted"
        if stamp - last <= self.hide * 1e9 or (self._lost_since is None and stamp - last <= 2 * _HOLD_NS):
            return self._poses[last], "held"
        return None, "none"
