"""What is asked of the SLAM, and what it answers to a picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from ar_core.geometry import Array, Plane
from ar_slam.initialisation import Strictness
from ar_slam.surfaces import Surface

CAMERA_HEIGHT, KNOWN_SIZE, MARKER = "camera_height", "known_size", "marker"  # where the scale is from


class State(IntEnum):
    """The numbers of ar_interfaces/TrackingStatus."""

    INITIALISING = 0
    STATIC = 1
    TRACKING = 2
    WEAK = 3
    LOST = 4
    RELOCALISED = 5


@dataclass(frozen=True)
class Options:
    """camera_height in metres over the plane and pitch_down_deg of the first picture: the scale, and the assumed plane.

    points: how many are followed. deterministic: the same pictures give the same result bit for bit, at the price of waiting
    for the mapping thread. new_map_after: seconds lost after which a new map is begun (0: never). marker_size: metres along the
    side of a printed ArUco marker of a dictionary, from which the scale is taken where one is seen (0: none is looked for).
    """

    camera_height: float = 0.40
    pitch_down_deg: float = 35.0
    points: int = 200
    keyframes: int = 80
    deterministic: bool = False
    static_after: float = 0.4
    new_map_after: float = 6.0
    marker_size: float = 0.0
    marker_dictionary: str = "DICT_4X4_50"
    strictness: Strictness = field(default_factory=Strictness)


@dataclass(frozen=True)
class Result:
    """What is known after a picture.

    T_map_camera (4, 4), None when LOST; T_map_odom (4, 4) carries the jumps of the map, so that
    inverse(T_map_odom) @ T_map_camera is smooth; covariance (6, 6) in ROS order, metres and radians. plane_assumed: nothing
    was measured yet. points in the map, inliers of them seen now, inlier_ratio of those looked for; surfaces: the
    planes there are beside plane.
    """

    stamp: float
    state: State
    reason: str
    T_map_camera: Array | None
    T_map_odom: Array
    covariance: Array | None
    plane: Plane
    plane_assumed: bool
    map_id: int
    map_version: int
    points: int = 0
    inliers: int = 0
    inlier_ratio: float = 0.0
    scale_source: str = CAMERA_HEIGHT
    surfaces: tuple[Surface, ...] = ()
