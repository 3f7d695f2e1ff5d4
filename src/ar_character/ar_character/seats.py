"""What is known of the camera when an object was seen: its pose, the plane things stand on, and which map both are in.

Stamps are integers of nanoseconds.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeVar

from ar_core.geometry import Array, Intrinsics, Plane, interpolate

KEPT = 300  # newest poses and states that are remembered: an object may be cut out of a frame some seconds old
BETWEEN_NS = 500_000_000  # poses further apart say nothing about a frame between them

T = TypeVar("T")


@dataclass(frozen=True)
class Seat:
    """What is known of the camera at an object's frame; without a pose, `why`."""

    intrinsics: Intrinsics
    T_map_camera: Array | None
    plane: Plane
    map_id: int
    why: str = ""


class Seats:
    """The newest poses, tracking states and planes, by stamp and by map; camera: its calibration, once that has come."""

    def __init__(self) -> None:
        self.poses: OrderedDict[int, Array] = OrderedDict()
        self.maps: OrderedDict[int, int] = OrderedDict()
        self.planes: OrderedDict[int, Plane] = OrderedDict()
        self.camera: Intrinsics | None = None
        self._reason = "no pose has been published"

    def add_pose(self, stamp: int, T_map_camera: Array) -> None:
        """Where the camera was."""
        _remember(self.poses, stamp, T_map_camera)

    def add_state(self, stamp: int, map_id: int, reason: str) -> None:
        """Which map that is in, and why there may be no pose."""
        _remember(self.maps, stamp, map_id)
        self._reason = reason or "tracking left it out"

    def add_plane(self, map_id: int, plane: Plane) -> None:
        """The plane of a map as it is known now."""
        self.planes.pop(map_id, None)
        _remember(self.planes, map_id, plane)

    def view(self, stamp: int) -> tuple[Array, int] | None:
        """The pose at a stamp and which map it belongs to; a SLAM without status costs the patience."""
        told = [s for s in self.poses.copy() if s in self.maps]
        before, after = (
            max((s for s in told if s <= stamp), default=None),
            min((s for s in told if s >= stamp), default=None),
        )
        if before is None or after is None or after - before > BETWEEN_NS or self.maps[before] != self.maps[after]:
            return None
        share = (stamp - before) / (after - before) if after > before else 0.0
        return interpolate(self.poses[before], self.poses[after], share), self.maps[before]

    def at(self, stamp: int, width: int, height: int) -> Seat:
        """All that is known of the camera at a stamp, for a picture of this size."""
        intrinsics = self.camera
        if intrinsics is None:
            intrinsics = Intrinsics.from_field_of_view(max(width, 1), max(height, 1))
        elif (intrinsics.width, intrinsics.height) != (width, height) and min(width, height) > 0:
            intrinsics = intrinsics.scaled(width, height)
        view = self.view(stamp)
        T_map_camera = self.poses.get(stamp) if view is None else view[0]
        map_id = self.maps.get(stamp, next(reversed(self.planes), 0)) if view is None else view[1]
        plane = self.planes.get(map_id) or next(reversed(self.planes.values()), Plane.ground())
        why = f"no pose for its frame ({self._reason})" if T_map_camera is None else ""
        return Seat(intrinsics, T_map_camera, plane, map_id, why)


def _remember(kept: OrderedDict[int, T], key: int, value: T) -> None:
    kept[key] = value
    while len(kept) > KEPT:
        kept.popitem(last=False)
