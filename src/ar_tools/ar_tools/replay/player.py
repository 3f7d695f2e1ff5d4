"""The node that takes the part of the camera, the director, and the stages that are not live: it plays a bag to the others."""

from __future__ import annotations

import contextlib
import importlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Point, Quaternion
from rclpy.action.client import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import try_shutdown
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from ar_core import qos
from ar_core.conversions import camera_info_message, nanoseconds, stamp_from
from ar_core.readiness import Readiness
from ar_core.waiting import Waiter, take_all
from ar_interfaces.action import WalkTo
from ar_interfaces.msg import StageReport
from ar_interfaces.srv import Act, Awaken, Place, Remove, SetMode, SetScale
from ar_tools import contract
from ar_tools.replay.plan import IMAGE, INFO, Plan, PlannedFrame
from ar_tools.replay.requests import Request

# What each stage is known to be there by.
OUTPUTS = {
    "detect": "detections",
    "segment": "segment/mask",
    "slam": "slam/pose",
    "character": "character/model",
    "render": "render/image",
}
SERVICES = {
    "segment/awaken": Awaken,
    "slam/reset": Trigger,
    "slam/pause": Trigger,
    "slam/resume": Trigger,
    "slam/set_mode": SetMode,
    "slam/set_scale": SetScale,
    "render/act": Act,
    "render/place": Place,
    "render/remove": Remove,
}
WALK_TO = "render/walk_to"


@contextlib.contextmanager
def ros() -> Iterator[None]:
    """ROS as long as it is needed; signals stay the caller's."""
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        yield
    finally:
        try_shutdown()


class Player(Node):
    """Publishes frames as they are planned, and keeps count of who has reported them.

    `lockstep`: how many frames are on their way at most; 0: as many as come. `followed` report every frame.
    """

    def __init__(self, plan: Plan, live: Sequence[str], followed: Sequence[str], lockstep: int) -> None:
        super().__init__("player", enable_rosout=False, start_parameter_services=False)
        self.lockstep, self.followed = lockstep, followed
        self.on_the_way: OrderedDict[int, tuple[float, set[str]]] = OrderedDict()  # when sent, who has not reported yet
        self.asked = self.reported = 0
        self.answers: list[str] = []
        names = dict.fromkeys([IMAGE, INFO, *plan.topics])
        self._outputs = {
            name: self._advertise(name, latched=name in plan.topics and plan.latched(name)) for name in names
        }
        self._parts = ("camera", *plan.replaced, "director")
        self._reports = {
            stage: self.create_publisher(StageReport, f"{stage}/report", qos.deep(None)) for stage in self._parts
        }
        self._clock_output = self.create_publisher(Clock, "/clock", qos.reliable(10))
        asked_for = plan.services()  # a stage of somebody's own need not offer more
        self._clients_of = {
            name: self.create_client(kind, name) for name, kind in SERVICES.items() if name in asked_for
        }
        self._walk_to = ActionClient(self, WalkTo, WALK_TO) if WALK_TO in asked_for else None
        own = [publisher.topic_name for publisher in (*self._outputs.values(), *self._reports.values())]
        self.readiness = Readiness(self, [OUTPUTS[stage] for stage in live], own)
        self._inputs: list[tuple[Any, Callable[[Any], None]]] = []
        self._listen(DiagnosticArray, "/diagnostics", self.readiness.hear, qos.reliable(20))
        for stage in followed:
            self._listen(StageReport, f"{stage}/report", partial(self._on_report, stage), qos.reliable(200))
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)
        self._waiter = Waiter(self, self._executor)

    def missing(self) -> str:
        """What is not there yet, in words."""
        asleep = [name for name, client in self._clients_of.items() if not client.service_is_ready()]
        if self._walk_to is not None and not self._walk_to.server_is_ready():
            asleep.append(WALK_TO)
        return self.readiness.missing() or (f"the service {asleep[0]}" if asleep else "")

    @property
    def inputs(self) -> list[Any]:
        """The subscriptions that ``drain`` takes from."""
        return [subscription for subscription, _ in self._inputs]

    def drain(self) -> None:
        """Take and handle what has arrived."""
        take_all(self._inputs)

    def spin(self, seconds: float) -> None:
        """Handle what arrives within so many seconds; ends earlier when a stage has reported."""
        until, before = time.monotonic() + seconds, self.reported
        while (left := until - time.monotonic()) > 0 and self.reported == before:
            self._waiter.turn(left)
            self.drain()

    def waits_only_for(self, stage: str) -> bool:
        """Whether everybody else has reported the oldest frame."""
        return next(iter(self.on_the_way.values()), (0.0, set()))[1] == {stage}

    def overdue(self, seconds: float) -> str:
        """Who has not reported a frame that went out so long ago; empty if nobody."""
        sent, waited_for = next(iter(self.on_the_way.values()), (time.monotonic(), set()))
        return ", ".join(sorted(waited_for)) if time.monotonic() - sent > seconds else ""

    def send(self, frame: PlannedFrame) -> None:
        """Play one frame: what was asked and said at it, the picture, and the reports that name all that."""
        self.on_the_way[frame.stamp] = (time.monotonic(), set(self.followed))
        stamp = stamp_from(frame.stamp)
        published: dict[str, list[str]] = {stage: [] for stage in self._parts}
        self._clock_output.publish(Clock(clock=stamp))
        published["director"] = [self._ask(request) for request in frame.requests]
        for stage, messages in frame.said.items():
            for topic, data in messages:
                self._publish(topic, data, published[stage])
        self._publish(INFO, frame.info if frame.info is not None else self._guess(frame.image), published["camera"])
        # Reports name what is published with the frame. The picture goes last: when it arrives, all else is there.
        published["camera"].append(self._outputs[IMAGE].topic_name)
        for stage, publisher in self._reports.items():
            publisher.publish(StageReport(header=Header(stamp=stamp), stage=stage, published=published[stage]))
        self._outputs[IMAGE].publish(frame.image)

    def close(self) -> None:
        """Leave the graph."""
        self._waiter.close()
        self._executor.shutdown()
        self.destroy_node()

    def _listen(self, kind: type, topic: str, callback: Callable[[Any], None], profile: QoSProfile) -> None:
        self._inputs.append((self.create_subscription(kind, topic, callback, profile), callback))

    def _advertise(self, name: str, *, latched: bool) -> Publisher:
        kinds: Mapping[str, str] = {"/" + topic.removeprefix("/"): kind for topic, kind in contract.TOPICS.items()}
        package, _, kind = kinds[name].split("/")
        profile = qos.latched(8) if latched else qos.reliable(5)
        message_type = getattr(importlib.import_module(f"{package}.msg"), kind)
        return self.create_publisher(message_type, name, qos.deep(profile) if self.lockstep else profile)

    def _publish(self, name: str, message: bytes | CameraInfo, published: list[str]) -> None:
        self._outputs[name].publish(message)
        published.append(self._outputs[name].topic_name)

    def _guess(self, image: bytes) -> CameraInfo:
        """The calibration of an uncalibrated camera."""
        picture = deserialize_message(image, Image)
        return camera_info_message(None, picture.width, picture.height, picture.header)

    def _ask(self, request: Request) -> str:
        if self._walk_to is not None and request.service == WALK_TO:
            return self._send(self._walk_to, request)
        client = self._clients_of[request.service]
        message = SERVICES[request.service].Request(**request.fields)
        if hasattr(message, "stamp"):
            message.stamp = Time(sec=request.stamp // 10**9, nanosec=request.stamp % 10**9)
        client.call_async(message).add_done_callback(partial(self._on_answer, request.service))
        self.asked += 1
        return str(client.service_name)

    def _send(self, client: ActionClient, request: Request) -> str:
        goal = WalkTo.Goal(id=request.fields["id"])
        goal.goal.header = Header(stamp=stamp_from(request.stamp), frame_id="map")
        x, y, z, *turned = request.fields["pose"]
        goal.goal.pose.position = Point(x=x, y=y, z=z)
        goal.goal.pose.orientation = Quaternion(**dict(zip("xyzw", turned, strict=True)))
        client.send_goal_async(goal)
        self.asked += 1
        return self.resolve_service_name(WALK_TO)

    def _on_answer(self, service: str, future: Any) -> None:
        answer = future.result()
        self.answers.append(f"{service}: {answer.message or getattr(answer, 'id', '') or answer.success}")

    def _on_report(self, stage: str, report: StageReport) -> None:
        self.reported += 1
        stamp = nanoseconds(report.header.stamp)
        _, waited_for = self.on_the_way.get(stamp, (0.0, {""}))
        waited_for.discard(stage)
        if not waited_for:
            del self.on_the_way[stamp]
