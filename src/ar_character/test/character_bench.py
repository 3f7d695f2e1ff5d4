"""The node of characters and a peer that plays the rest of the graph: an object on a table, and the camera that sees it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rclpy
from geometry_msgs.msg import PoseWithCovarianceStamped, Vector3
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header

from ar_character.node import CharacterStage, Parameters
from ar_core import qos
from ar_core.conversions import camera_info_message, image_message, pose_message, stamp_from
from ar_core.geometry import Intrinsics, upright_camera
from ar_core.rehearsal import Rehearsal
from ar_interfaces.msg import Character, PlaneStamped, SegmentedObject, StageReport, TrackingStatus

sys.path.insert(0, str(Path(__file__).parent))
from shapes_of_things import painted

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
CAMERA = Intrinsics(600, 600, 319.5, 239.5, 640, 480)
POSE = upright_camera(0.3, 30.0)
AWAY = 0.3 / np.tan(np.radians(30))


def seen_cylinder() -> tuple[np.ndarray, RegionOfInterest]:
    """The cut-out of a can, 8 cm wide and 10 cm high, that stands where the camera looks, and where it lies."""
    a = np.linspace(0, 2 * np.pi, 200)
    rims = [np.column_stack([AWAY + 0.04 * np.cos(a), 0.04 * np.sin(a), np.full(200, z)]) for z in (0.0, 0.1)]
    hull = cv2.convexHull(CAMERA.project(np.concatenate(rims), POSE).astype(np.float32))
    mask = cv2.fillConvexPoly(np.zeros((480, 640), np.uint8), np.round(hull).astype(np.int32), 255)
    x, y, w, h = cv2.boundingRect(mask)
    return painted(mask[y : y + h, x : x + w]), RegionOfInterest(x_offset=x, y_offset=y, width=w, height=h)


class Bench(Rehearsal):
    """The node under test and a peer that plays the rest of the graph."""

    def __init__(self, snapshots: Path | None = None, theme: str = "plain", guest: str = "") -> None:
        super().__init__(CharacterStage("character", Parameters), rclpy.create_node("bench"))
        self.node.parameters = Parameters(snapshots=str(snapshots or ""), theme=theme, guest=guest)
        self.models: list[Character] = []
        self.reports: list[StageReport] = []
        self.object = self.peer.create_publisher(SegmentedObject, "segment/object", qos.latched(8))
        self.pose = self.peer.create_publisher(PoseWithCovarianceStamped, "slam/pose", qos.reliable(10))
        self.plane = self.peer.create_publisher(PlaneStamped, "slam/plane", qos.latched())
        self.status = self.peer.create_publisher(TrackingStatus, "slam/status", qos.reliable(10))
        self.info = self.peer.create_publisher(CameraInfo, "camera/camera_info", qos.reliable(10))
        self.peer.create_subscription(Character, "character/model", self.models.append, qos.latched(8))
        self.peer.create_subscription(StageReport, "character/report", self.reports.append, qos.reliable(50))
        self.begin(self.object, self.pose, self.plane, self.status, self.info)

    def send_camera(self, stamp: int) -> None:
        self.info.publish(camera_info_message(CAMERA, 640, 480, Header(stamp=stamp_from(stamp))))
        self.until(lambda: self.node.seats.camera is not None and self.node.now == stamp)

    def send_plane(self, map_id: int, distance: float = 0.0) -> None:
        self.plane.publish(PlaneStamped(normal=Vector3(x=0.0, y=0.0, z=1.0), distance=distance, map_id=map_id))
        self.until(lambda: map_id in self.node.seats.planes)

    def send_pose(self, stamp: int, map_id: int = 3) -> None:
        self.status.publish(
            TrackingStatus(header=Header(stamp=stamp_from(stamp)), state=TrackingStatus.TRACKING, map_id=map_id)
        )
        self.until(lambda: stamp in self.node.seats.maps)
        message = PoseWithCovarianceStamped(header=Header(stamp=stamp_from(stamp), frame_id="map"))
        message.pose.pose = pose_message(POSE)
        self.pose.publish(message)

    def ready(self) -> None:
        """All is known of the camera at START."""
        self.send_camera(START)
        self.send_plane(3)
        self.send_pose(START)

    def send_object(self, id: str, stamp: int, **changes: Any) -> None:
        rgba, roi = seen_cylinder()
        header = Header(stamp=stamp_from(stamp), frame_id="camera_optical_frame")
        message = SegmentedObject(header=header, id=id, kind="object", image_width=640, image_height=480, roi=roi)
        message.cutout = image_message(rgba, header, "rgba8")
        for name, value in changes.items():
            setattr(message.cutout, name, value)
        self.object.publish(message)
