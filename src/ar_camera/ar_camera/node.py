"""The camera as a node: pictures of a source go out at their own pace, each with its calibration.

Topics: ``camera/image_raw``, ``camera/camera_info``, ``camera/image_raw/compressed`` (encoded only while somebody listens),
``camera/calibration`` (latched: how the guided calibration does). Services (`calibrating`): ``camera/calibrate``,
``camera/set_camera_info``.

A recorded source goes out in real time, or as fast as the stages in `follow` report its pictures; in lock-step always so,
with stamps that are the same in every run. A camera that was restarted goes on where a camera would be that had not died.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from ar_camera.calibrating import Calibrating
from ar_camera.resume import Begun, keep, recall
from ar_camera.sources import Picture, Source, limited, open_source
from ar_core import qos
from ar_core.conversions import camera_info_message, image_from, image_message, intrinsics_from, nanoseconds, stamp_from
from ar_core.parameters import parameter
from ar_core.readiness import Readiness
from ar_core.stage import GUESSED, Stage, run
from ar_interfaces.msg import CalibrationStatus, StageReport

RETRY_S = 1.0
LATE_S = 0.5
UNREPORTED_S = 30.0
FIRST_STAMP = 10**9  # in lock-step: the same in every run


@dataclass(frozen=True)
class Parameters:
    """Parameters of the camera node."""

    source: str = parameter("embedded", "embedded, a V4L2 device, a video, a folder of images, a bag, or topic:/name")
    camera_info: str = parameter(
        "", "calibration file (camera_info YAML); empty: the source's own, or what was found before"
    )
    topic: str = parameter("", "topic of a bag's pictures; empty: the one with the most")
    fps: float = parameter(30.0, "pictures per second of a folder, asked of a device", minimum=0.1, maximum=240.0)
    max_width: int = parameter(960, "wider pictures are made smaller", minimum=64, maximum=8192)
    loop: bool = parameter(True, "start a recorded source over at its end")
    pace: str = parameter("realtime", "a recorded source's pace", choices=("realtime", "consumers"))
    window: int = parameter(3, "pictures on their way at most, with pace consumers", minimum=1, maximum=100)
    follow: tuple[str, ...] = parameter(
        ("detect", "segment", "slam", "character", "render", "director"),
        "stages whose reports are waited for, in lock-step",
    )
    recorder: str = parameter("", "a recorder whose reports are waited for too, in lock-step")
    frame_id: str = parameter("camera_optical_frame", "frame of the pictures")
    wait_for: tuple[str, ...] = parameter((), "topics that must have a publisher before the first picture goes out")
    wait_s: float = parameter(60.0, "how long to wait for them", minimum=0.0, maximum=3600.0)
    snapshots: str = parameter("", "folder that keeps where the source is, for after a restart; empty: nowhere")
    quality: int = parameter(85, "JPEG quality of the compressed topic", minimum=1, maximum=100)


class Camera(Stage[Parameters]):
    """Publishes what a source gives."""

    def on_start(self) -> None:
        """Open the source and the topics; a device that is not there yet is tried again while running."""
        p = self.parameters
        self.image = self.advertise(Image, "camera/image_raw", qos.reliable(5))
        self.info = self.advertise(CameraInfo, "camera/camera_info", qos.reliable(5))
        self.compressed = self.advertise(CompressedImage, "camera/image_raw/compressed", qos.reliable(2))
        self.on_the_way: OrderedDict[int, tuple[float, set[str]]] = OrderedDict()  # when sent, who has not reported yet
        self.lock = threading.Lock()
        status = self.advertise(CalibrationStatus, "camera/calibration", qos.latched())
        self.calibrating = Calibrating(self, status, p.camera_info, p.source)
        self.paced = bool(self.lockstep) or p.pace == "consumers"
        self.window = self.lockstep or p.window
        self.followed = (*p.follow, *filter(None, [p.recorder])) if self.lockstep else ("render",)
        self.waiting_since = time.monotonic()
        links = [self.image.topic_name, self.info.topic_name, *(["camera/report"] if self.lockstep else [])]
        self.readiness = Readiness(self, p.wait_for, links, p.follow if self.lockstep else ())
        self.ready = not p.wait_for
        if p.wait_for:
            self.listen(DiagnosticArray, "/diagnostics", self.readiness.hear, qos.reliable(20))
        self.offset = 0.0  # media time of the current round's first picture
        self.frames = 0
        self.last_stamp = Time()
        if p.source.startswith("topic:"):
            self._relay(p.source.removeprefix("topic:"))
            return
        self.source: Source = open_source(p.source, p.camera_info, p.fps, p.topic)
        self.pictures: Iterator[Picture] = self.source.pictures()
        self.last_seconds, self.period = 0.0, 1 / p.fps
        self.started: tuple[float, int] | None = None  # monotonic seconds and wall-clock nanoseconds at media time 0
        self.snapshot = (
            Path(p.snapshots) / "camera.json" if p.snapshots and not (self.paced or self.source.live) else None
        )
        self._resume()
        if self.paced:
            for stage in self.followed:
                self.listen(StageReport, f"{stage}/report", partial(self._on_report, stage), qos.reliable(200))

    def on_worker_stop(self) -> None:
        """A calibration that is under way ends."""
        self.calibrating.stop()

    def _resume(self) -> None:
        """After a restart: the others run already, and the source is where it would be."""
        now = time.time_ns()
        begun = recall(self.snapshot, self.parameters.source, now) if self.snapshot else None
        if begun is not None:
            self.started = (time.monotonic() - (now - begun.stamp) * 1e-9, begun.stamp)
            self.offset, self.ready = begun.offset, True
            self.get_logger().info("going on after a restart")

    def _keep(self) -> None:
        if self.snapshot is not None and self.started is not None:
            try:
                keep(self.snapshot, Begun(self.parameters.source, self.started[1], self.offset))
            except OSError as error:
                self.warn_once(f"snapshot {self.snapshot} cannot be written: {error}")

    def on_worker_start(self) -> None:
        """The worker thread is the capture loop: each picture is a job that queues the next."""
        if not self.parameters.source.startswith("topic:"):
            self.submit(self._next)

    def _next(self) -> None:
        if self._all_are_there() and self._there_is_room():
            picture = next(self.pictures, None)
            self._say_notices()
            if picture is None:
                if not self._start_over():
                    return
            else:
                self._show(limited(picture, self.parameters.max_width))
        else:
            time.sleep(0.005)
        self.submit(self._next)

    def _show(self, picture: Picture) -> None:
        if picture.seconds > self.last_seconds:
            self.period = picture.seconds - self.last_seconds
        self.last_seconds = picture.seconds
        media = self.offset + picture.seconds
        now = time.monotonic()
        if self.started is None:
            self.started = (now - media, FIRST_STAMP if self.lockstep else time.time_ns() - int(media * 1e9))
            self._keep()
        due = self.started[0] + media
        if self.source.live:
            due = now
        elif not self.paced:
            if not self.frames and now - due > self.period:  # after a restart: not yet where the source would be
                return
            if now - due > LATE_S:  # the machine stood still: go on from here rather than hurry
                self.started = (now - media, self.started[1])
                due = now
            time.sleep(max(0.0, due - now))
        stamp = self.started[1] + int(media * 1e9)
        self._publish(picture, Header(stamp=stamp_from(stamp), frame_id=self.parameters.frame_id), max(due, now))

    def _publish(self, picture: Picture, header: Header, captured: float) -> None:
        cpu, started = time.thread_time(), time.monotonic()
        height, width = picture.image.shape[:2]
        self._published = []
        if self.paced:
            with self.lock:
                self.on_the_way[nanoseconds(header.stamp)] = (started, set(self.followed))
        calibration = self.calibrating.camera(width, height) or picture.intrinsics
        self.publish(self.info, camera_info_message(calibration, width, height, header))
        self.publish(self.image, image_message(picture.image, header))
        if self.compressed.get_subscription_count():
            quality = [cv2.IMWRITE_JPEG_QUALITY, self.parameters.quality]
            jpeg = cv2.imencode(".jpg", picture.image, quality)[1].tobytes()
            self.publish(
                self.compressed, CompressedImage(header=header, format="bgr8; jpeg compressed bgr8", data=jpeg)
            )
        self.calibrating.show(nanoseconds(header.stamp), picture.image)
        self.frames += 1
        self.last_stamp = header.stamp
        self.notes["calibration"] = "camera_info" if calibration else GUESSED
        finished = time.monotonic()
        self.statistics.publish(captured, finished)
        self.report(header, captured, started, finished, (time.thread_time() - cpu) * 1e3)

    # ---- beginning and end

    def _all_are_there(self) -> bool:
        if self.ready:
            return True
        missing, waited = self.readiness.missing() or self._silent(), time.monotonic() - self.waiting_since
        if missing and waited < self.parameters.wait_s:
            self.notes["waiting"] = f"for {missing}"
            time.sleep(0.02)
            return False
        if missing:
            self.get_logger().warning(f"after {waited:.0f} s still waiting for {missing}: starting without")
        self.notes["waiting"] = ""
        self.ready = True
        return True

    def _silent(self) -> str:
        """Whose reports would be waited for in vain."""
        silent = [stage for stage in self.followed if not self.count_publishers(f"{stage}/report")]
        return "reports of " + ", ".join(silent) if self.paced and silent else ""

    def _there_is_room(self) -> bool:
        with self.lock:
            if len(self.on_the_way) < self.window:
                return True
            stamp, (sent, waited_for) = next(iter(self.on_the_way.items()))
            if time.monotonic() - sent < UNREPORTED_S:
                return False
            del self.on_the_way[stamp]
        names = ", ".join(sorted(waited_for))
        self.warn_once(f"no report of a picture by {names} within {UNREPORTED_S:g} s: going on without it")
        return True

    def _say_notices(self) -> None:
        """What the source has found to be not as it should be: each once."""
        notices = getattr(self.source, "notices", None)
        while notices:
            self.warn_once(notices.pop(0))

    def _start_over(self) -> bool:
        """The source ended: False if that is the end."""
        if self.source.live or (self.frames == 0 and self.last_seconds == 0.0):
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
            self._keep()
        self.pictures = self.source.pictures()
        return True

    def _on_report(self, stage: str, report: StageReport) -> None:
        stamp = nanoseconds(report.header.stamp)
        with self.lock:
            _, waited_for = self.on_the_way.get(stamp, (0.0, set()))
            waited_for.discard(stage)
            if not waited_for:
                self.on_the_way.pop(stamp, None)

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


def make() -> Camera:
    """The node."""
    return Camera("camera", Parameters)


def main() -> None:
    """Entry point."""
    run(make)
