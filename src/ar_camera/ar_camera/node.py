"""The camera as a node: pictures of a source go out at their own pace, each with its calibration.

Topics: ``camera/image_raw``, ``camera/camera_info``, ``camera/image_raw/compressed`` (encoded only while somebody listens).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from ar_camera.sources import Picture, Source, limited, open_source
from ar_core import qos
from ar_core.conversions import camera_info_message, image_from, image_message, intrinsics_from, nanoseconds, stamp_from
from ar_core.parameters import parameter
from ar_core.stage import GUESSED, Stage, run
from ar_interfaces.msg import StageReport

RETRY_S = 1.0
LATE_S = 0.5
STUCK_S = 1.5


@dataclass(frozen=True)
class Parameters:
    """Parameters of the camera node."""

    source: str = parameter("embedded", "embedded, a V4L2 device, a video, a folder of images, a bag, or topic:/name")
    camera_info: str = parameter("", "calibration file (camera_info YAML); empty: the source's own, or none")
    fps: float = parameter(30.0, "pictures per second of a folder, asked of a device", minimum=0.1, maximum=240.0)
    max_width: int = parameter(960, "wider pictures are made smaller", minimum=64, maximum=8192)
    loop: bool = parameter(True, "start a recorded source over at its end")
    pace: str = parameter("realtime", "a recorded source's pace", choices=("realtime", "consumers"))
    window: int = parameter(3, "pictures on their way at most, with pace consumers", minimum=1, maximum=100)
    follow: str = parameter("render/report", "whose reports are waited for, with pace consumers")
    frame_id: str = parameter("camera_optical_frame", "frame of the pictures")
    wait_for: tuple[str, ...] = parameter((), "topics that must have a publisher before the first picture goes out")
    wait_s: float = parameter(60.0, "how long to wait for them", minimum=0.0, maximum=3600.0)
    quality: int = parameter(85, "JPEG quality of the compressed topic", minimum=1, maximum=100)


class Camera(Stage[Parameters]):
    """Publishes what a source gives."""

    def on_start(self) -> None:
        """Open the source and the topics; a device that is not there yet is tried again while running."""
        p = self.parameters
        self.image = self.advertise(Image, "camera/image_raw", qos.reliable(5))
        self.info = self.advertise(CameraInfo, "camera/camera_info", qos.reliable(5))
        self.compressed = self.advertise(CompressedImage, "camera/image_raw/compressed", qos.reliable(2))
        self.on_the_way: OrderedDict[int, float] = OrderedDict()
        self.waiting_since = self.missing_since = time.monotonic()
        self.missing: list[str] = []
        self.states: dict[str, str] = {}  # of the stages that are waited for
        if p.wait_for:
            self.listen(DiagnosticArray, "/diagnostics", self._on_diagnostics, qos.reliable(20))
        self.offset = 0.0  # media time of the current round's first picture
        self.frames = 0
        self.last_stamp = Time()
        if p.source.startswith("topic:"):
            self._relay(p.source.removeprefix("topic:"))
            return
        self.source: Source = open_source(p.source, p.camera_info, p.fps)
        self.pictures: Iterator[Picture] = self.source.pictures()
        self.last_seconds, self.period = 0.0, 1 / p.fps
        self.started: tuple[float, int] | None = None  # monotonic seconds and wall-clock nanoseconds at media time 0
        if p.pace == "consumers":
            self.listen(StageReport, p.follow, self._on_report)

    def on_worker_start(self) -> None:
        """The worker thread is the capture loop: each picture is a job that queues the next."""
        if not self.parameters.source.startswith("topic:"):
            self.submit(self._next)

    def _next(self) -> None:
        if self._all_are_there() and self._there_is_room():
            picture = next(self.pictures, None)
            if picture is None:
                if not self._start_over():
                    return
            else:
                self._show(limited(picture, self.parameters.max_width))
        else:
            time.sleep(0.005)
        self.submit(self._next)

    def _show(self, picture: Picture) -> None:
        media = self.offset + picture.seconds
        now = time.monotonic()
        if self.started is None:
            self.started = (now - media, time.time_ns() - int(media * 1e9))
        due = self.started[0] + media
        if self.source.live:
            due = now
        elif self.parameters.pace == "realtime":
            if now - due > LATE_S:  # the machine stood still: go on from here rather than hurry
                self.started = (now - media, self.started[1])
                due = now
            time.sleep(max(0.0, due - now))
        if picture.seconds > self.last_seconds:
            self.period = picture.seconds - self.last_seconds
        self.last_seconds = picture.seconds
        stamp = self.started[1] + int(media * 1e9)
        self._publish(picture, Header(stamp=stamp_from(stamp), frame_id=self.parameters.frame_id), max(due, now))

    def _publish(self, picture: Picture, header: Header, captured: float) -> None:
        cpu, started = time.thread_time(), time.monotonic()
        height, width = picture.image.shape[:2]
        self._published = []
        self.publish(self.info, camera_info_message(picture.intrinsics, width, height, header))
        self.publish(self.image, image_message(picture.image, header))
        if self.compressed.get_subscription_count():
            quality = [cv2.IMWRITE_JPEG_QUALITY, self.parameters.quality]
            jpeg = cv2.imencode(".jpg", picture.image, quality)[1].tobytes()
            self.publish(
                self.compressed, CompressedImage(header=header, format="bgr8; jpeg compressed bgr8", data=jpeg)
            )
        self.frames += 1
        self.last_stamp = header.stamp
        self.notes["calibration"] = "camera_info" if picture.intrinsics else GUESSED
        if self.parameters.pace == "consumers":
            self.on_the_way[nanoseconds(header.stamp)] = started
        finished = time.monotonic()
        self.statistics.publish(captured, finished)
        self.report(header, captured, started, finished, (time.thread_time() - cpu) * 1e3)

    # ---- beginning and end

    def _all_are_there(self) -> bool:
        if self.frames or not self.parameters.wait_for:
            return True
        missing = [topic for topic in self.parameters.wait_for if not self._is_served(topic)]
        now = time.monotonic()
        if missing != self.missing:
            self.missing, self.missing_since = missing, now
        waited = now - self.waiting_since
        # After a restart the others run already, and their discovery may be slow: do not wait for what does not come.
        stuck = len(missing) < len(self.parameters.wait_for) and now - self.missing_since > STUCK_S
        if missing and waited < self.parameters.wait_s and not stuck:
            self.notes["waiting"] = f"for {', '.join(missing)}"
            time.sleep(0.05)
            return False
        if missing:
            self.get_logger().warning(f"nobody publishes {', '.join(missing)} after {waited:.0f} s: starting without")
        self.notes.pop("waiting", None)
        return True

    def _is_served(self, topic: str) -> bool:
        """Whether somebody publishes the topic and, being a stage of ours, is active."""
        nodes = [info.node_name for info in self.get_publishers_info_by_topic(topic)]
        stages = [node for node in nodes if self.count_publishers(f"{node}/report")]
        return bool(nodes) and all(self.states.get(node) == "active" for node in stages)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            self.states[status.name.removeprefix("tsukumo: ")] = values.get("state", "")

    def _there_is_room(self) -> bool:
        if self.parameters.pace != "consumers" or len(self.on_the_way) < self.parameters.window:
            return True
        stamp, sent = next(iter(self.on_the_way.items()))
        if time.monotonic() - sent > 5.0:
            self.warn_once(f"no report on {self.parameters.follow} for a picture within 5 s: going on without it")
            self.on_the_way.pop(stamp, None)
            return True
        return False

    def _start_over(self) -> bool:
        """The source ended: False if that is the end."""
        if self.source.live or self.frames == 0:
            message = f"{self.source.name} gives no pictures; trying again every {RETRY_S:g} s (unplugged, busy, no permission?)"
            self.notes["source"] = message
            self.warn_once(message)
            time.sleep(RETRY_S)
        elif not self.parameters.loop:
            self.get_logger().info(f"end of {self.source.name} after {self.frames} pictures")
            self.event(self.last_stamp, "ended", name=self.source.name)
            return False
        for name in getattr(self.source, "unreadable", []):
            self.warn_once(f"source {self.source.name}: cannot decode {name}; left out")
        if not self.source.live:
            self.offset += self.last_seconds + self.period
            self.last_seconds = 0.0
            self.event(self.last_stamp, "starts over", name=self.source.name)
        self.pictures = self.source.pictures()
        return True

    def _on_report(self, report: StageReport) -> None:
        self.on_the_way.pop(nanoseconds(report.header.stamp), None)

    # ---- a ROS topic as the source

    def _relay(self, topic: str) -> None:
        """Pictures of any driver, whatever encoding and quality of service, become ours; stamps are kept."""
        self.relayed_info: CameraInfo | None = None
        base = topic.removesuffix("/compressed").rsplit("/", 1)[0]
        self.listen(CameraInfo, f"{base}/camera_info", self._keep_info, qos.sensor())
        kind = CompressedImage if topic.endswith("/compressed") else Image
        self.listen(kind, topic, self._relay_one, qos.sensor())

    def _keep_info(self, message: CameraInfo) -> None:
        self.relayed_info = message

    def _relay_one(self, message: Image | CompressedImage) -> None:
        captured = time.monotonic()
        if isinstance(message, CompressedImage):
            from cv_bridge import CvBridge

            image = CvBridge().compressed_imgmsg_to_cv2(message, "bgr8")
        else:
            image = image_from(message)
        intrinsics = intrinsics_from(self.relayed_info) if self.relayed_info else None
        header = Header(stamp=message.header.stamp, frame_id=message.header.frame_id or self.parameters.frame_id)
        self._publish(limited(Picture(image, 0.0, intrinsics), self.parameters.max_width), header, captured)


def main() -> None:
    """Entry point."""
    run(lambda: Camera("camera", Parameters))
