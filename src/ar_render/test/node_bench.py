"""For tests of the node over real topics: it, and a peer that plays the rest of the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from geometry_msgs.msg import PoseWithCovarianceStamped, Vector3
from glb import doll_glb
from rclpy.action import ActionClient
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from table_scene import CAMERA, looking, photograph, texture

from ar_core import qos
from ar_core.conversions import camera_info_message, image_from, image_message, nanoseconds, pose_message, stamp_from
from ar_core.pressure import Pressure
from ar_core.rehearsal import Rehearsal
from ar_interfaces.action import WalkTo
from ar_interfaces.msg import Character, Event, PlaneStamped, StageReport, TrackingStatus
from ar_interfaces.srv import Act, Place, Remove
from ar_render.node import Parameters, Render

START = 1_700_000_000_000_000_000
STEP = 33_000_000


class Bench(Rehearsal):
    """The node under test and a peer that plays the rest of the graph."""

    def __init__(self, **parameters: Any) -> None:
        super().__init__(Render("render", Parameters), rclpy.create_node("bench"))
        self.node._pressure = Pressure(Path("none"))  # however busy the machine is
        self.node.parameters = Parameters(**{"wait_ms": 5000.0, **parameters})
        self.pictures: list[Image] = []
        self.reports: list[StageReport] = []
        self.events: list[Event] = []
        p, q = self.peer, qos.reliable(50)
        self.image = p.create_publisher(Image, "camera/image_raw", q)
        self.info = p.create_publisher(CameraInfo, "camera/camera_info", q)
        self.pose = p.create_publisher(PoseWithCovarianceStamped, "slam/pose", q)
        self.plane = p.create_publisher(PlaneStamped, "slam/plane", qos.latched())
        self.status = p.create_publisher(TrackingStatus, "slam/status", q)
        self.mask = p.create_publisher(Image, "segment/mask", q)
        self.model = p.create_publisher(Character, "character/model", qos.latched(16))
        self.act = p.create_client(Act, "render/act")
        self.place = p.create_client(Place, "render/place")
        self.remove = p.create_client(Remove, "render/remove")
        self.walk_to = ActionClient(p, WalkTo, "render/walk_to")
        p.create_subscription(Image, "render/image", self.pictures.append, q)
        p.create_subscription(StageReport, "render/report", self.reports.append, q)
        p.create_subscription(Event, "events", self.events.append, q)
        self.begin(self.image, self.info, self.pose, self.plane, self.status, self.mask, self.model)
        self.until(lambda: self.node.image.get_subscription_count() > 0 and self.act.service_is_ready())
        self.view = looking(0.3)
        self.before, _, self.cover = photograph(self.view, texture())
        self.n = 0

    def header(self) -> Header:
        return Header(stamp=stamp_from(START + self.n * STEP), frame_id="camera_optical_frame")

    def track(self, state: int = TrackingStatus.TRACKING, map_id: int = 0) -> None:
        """Pose and status of the picture that comes next."""
        if state != TrackingStatus.LOST:
            message = PoseWithCovarianceStamped(header=self.header())
            message.pose.pose = pose_message(self.view.T_map_camera)
            self.pose.publish(message)
        self.status.publish(TrackingStatus(header=self.header(), state=state, map_id=map_id))

    def show(self, tracked: bool = True, masked: bool = True) -> np.ndarray:
        """One picture through the node."""
        if tracked:
            self.track()
        if masked:
            self.mask.publish(image_message(self.cover, self.header(), "mono8"))
        self.info.publish(camera_info_message(CAMERA, CAMERA.width, CAMERA.height, self.header()))
        self.image.publish(image_message(self.before, self.header()))
        stamp, self.n = START + self.n * STEP, self.n + 1
        self.until(lambda: self.pictures and nanoseconds(self.pictures[-1].header.stamp) == stamp)
        return image_from(self.pictures[-1])

    def awaken(self, **changes: Any) -> None:
        footprint = [float(v) for v in CAMERA.project(np.zeros((1, 3)), self.view.T_map_camera)[0]]
        message = Character(header=self.header(), id="mug", kind="object", height=0.12, footprint=footprint)
        message.glb = changes.pop("glb", doll_glb())
        for name, value in changes.items():
            setattr(message, name, value)
        self.model.publish(message)

    def send(self, goal: WalkTo.Goal, told: list[float] | None = None) -> Any:
        """A goal of ``render/walk_to``: its handle, and the future of its result."""
        self.until(self.walk_to.server_is_ready)
        tell = None if told is None else lambda message: told.append(message.feedback.distance)
        accepted = self.walk_to.send_goal_async(goal, feedback_callback=tell)
        self.until(accepted.done)
        return accepted.result(), accepted.result().get_result_async()

    def awakened(self) -> np.ndarray:
        self.plane.publish(PlaneStamped(normal=Vector3(x=0.0, y=0.0, z=1.0)))
        self.show()
        self.awaken()
        self.until(lambda: self.node.arrivals)
        return self.show()

    def call(self, client: Any, request: Any) -> Any:
        future = client.call_async(request)
        self.until(future.done)
        return future.result()
