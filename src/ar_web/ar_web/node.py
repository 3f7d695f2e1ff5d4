"""The page as a node: gathers what the stages say, and passes on what visitors wish.

Pictures are taken from ``render/image/compressed``, which the renderer encodes only while somebody listens: this
process never touches pixels, and subscribes only while a page is being looked at. Tracking and detections likewise. While
the camera is calibrated its own pictures are shown.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from sensor_msgs.msg import CompressedImage
from vision_msgs.msg import Detection2DArray

from ar_core import qos
from ar_core.conversions import image_from, nanoseconds
from ar_core.folders import recordings_folder
from ar_core.parameters import parameter
from ar_core.stage import Stage, run
from ar_interfaces.msg import CalibrationStatus, Character, Event, RecordStatus, SegmentedObject, TrackingStatus
from ar_web.album import Album
from ar_web.board import Board, tracking_of
from ar_web.film import Limits
from ar_web.hub import Hub, Model
from ar_web.jpeg import jpeg_size
from ar_web.portraits import portrait
from ar_web.serving import Serving
from ar_web.stages import PREFIX, figures
from ar_web.state import Bag, Calibrating, Calibration, DetectedObject, Friend, Picture, TrackingState, to_json
from ar_web.wishes import Wishes

TICK_S = 0.25
MAX_OBJECTS = 64
NOT_CALIBRATED = "The camera is not calibrated: its focal length is guessed, so sizes are rough."


@dataclass(frozen=True)
class Parameters:
    """Parameters of the page."""

    host: str = parameter("127.0.0.1", "address to serve on; 0.0.0.0: all of this machine's, then with a token")
    port: int = parameter(8080, "port to serve on; 0 takes a free one", minimum=0, maximum=65535)
    token: str = parameter("", "what visitors must show; empty: none on loopback, a new one at each start beyond")
    recordings: str = parameter("", "folder of what visitors record; empty: ~/.local/share/tsukumo/recordings")
    recording_minutes: float = parameter(10.0, "longest recording", minimum=0.1, maximum=600.0)
    recording_mb: float = parameter(1000.0, "largest recording", minimum=1.0, maximum=100000.0)


class Web(Stage[Parameters]):
    """Serves the page while active."""

    def on_start(self) -> None:
        """Topics that are always listened to, and the services."""
        p = self.parameters
        limits = Limits(p.recording_minutes * 60, round(p.recording_mb * 1e6))
        self.hub, self.board = Hub(Album(recordings_folder(p.recordings), limits)), Board()
        self.wishes = Wishes(self)
        self.watched: list[Any] = []
        self.listen(Character, "character/model", self.on_model, qos.latched(16))
        self.listen(SegmentedObject, "segment/object", self.on_object, qos.latched(16))
        self.listen(Event, "events", self.on_event)
        self.listen(CalibrationStatus, "camera/calibration", self.on_calibration, qos.latched())
        self.calibrating = self.of_camera = False
        self.listen(RecordStatus, "record/status", self.on_record, qos.latched())
        self.listen(DiagnosticArray, "/diagnostics", self.on_diagnostics, qos.reliable(20))
        self.ticker = self.create_timer(TICK_S, self.tick)

    def on_stop(self) -> None:
        """Nobody looks any more."""
        self.destroy_timer(self.ticker)
        self.ignore()

    def on_worker_start(self) -> None:
        """Open the port; OSError or ValueError say what to do."""
        p = self.parameters
        self.serving = Serving(self.hub, self.wishes, p.host, p.port, p.token)
        print(f"Tsukumo: open {self.serving.address.url}", flush=True)

    def on_worker_stop(self) -> None:
        """Close the port, and the film that is being recorded."""
        self.serving.stop()
        self.hub.album.close()

    # ---- only while somebody looks

    def tick(self) -> None:
        """Four times a second: follow who looks, tell them how things are."""
        others = self.watched and self.calibrating != self.of_camera  # other pictures than those are to be shown
        if others or bool(self.hub.watchers) != bool(self.watched):
            self.ignore()
            if self.hub.watchers:
                self.watch()
            self.board.watched(bool(self.hub.watchers), time.monotonic())
        self.tell()

    def watch(self) -> None:
        """Subscribe to what is made for the page, and to what comes with every frame."""
        self.of_camera = self.calibrating
        pictures = "camera/image_raw/compressed" if self.of_camera else "render/image/compressed"
        self.watched = [
            self.listen(CompressedImage, pictures, self.on_picture, qos.sensor(2)),
            self.listen(TrackingStatus, "slam/status", self.on_status, qos.sensor(1), rides=True),
            self.listen(Detection2DArray, "detections", self.on_detections, qos.sensor(1), rides=True),
        ]

    def ignore(self) -> None:
        """Unsubscribe: the renderer stops encoding."""
        while self.watched:
            self.unlisten(self.watched.pop())

    def tell(self) -> None:
        """Hand the pages the newest state."""
        self.hub.state.set(to_json("state", self.board.state(time.monotonic())))

    # ---- what the graph says

    def on_picture(self, message: CompressedImage) -> None:
        """Pass the picture on as it is."""
        jpeg = message.data.tobytes()
        size = jpeg_size(jpeg)
        stamp = nanoseconds(message.header.stamp)
        self.hub.show(Picture(stamp, jpeg))
        self.board.picture(size, (time.time_ns() - stamp) * 1e-6, time.monotonic())

    def on_status(self, message: TrackingStatus) -> None:
        """Where the camera is known to be."""
        state = tracking_of(message.state)
        status = TrackingState(state, message.reason[:200], message.scale_source, message.points, message.inliers)
        self.board.tracking(status, time.monotonic())

    def on_detections(self, message: Detection2DArray) -> None:
        """What could be awakened."""
        objects = [vars(detected(d)) for d in message.detections[:MAX_OBJECTS]]
        self.hub.objects.set(to_json("objects", {"objects": objects}))

    def on_model(self, message: Character) -> None:
        """A character, with its file."""
        glb = message.glb.tobytes()
        if glb[:4] != b"glTF" or int.from_bytes(glb[8:12], "little") != len(glb):
            raise ValueError(f"character '{message.id[:40]}': {len(glb)} bytes that are no complete .glb file")
        height = message.height if math.isfinite(message.height) else 0.0
        clips = tuple(message.clips[:16])
        name = self.board.friend(Friend(message.id, "", message.kind, height, clips, len(glb), False, message.placed))
        self.hub.models[message.id] = Model(name, glb)
        self.tell()

    def on_object(self, message: SegmentedObject) -> None:
        """The cut-out becomes the character's portrait."""
        self.hub.portraits[message.id] = portrait(image_from(message.cutout, "bgra8"))
        self.board.portrait(message.id)

    def on_event(self, message: Event) -> None:
        """Something took effect."""
        if message.kind == "remove" and message.success:
            for id in [message.id] if message.id else list(self.hub.models):
                self.hub.models.pop(id, None)
                self.hub.portraits.pop(id, None)
            self.board.farewell(message.id)
        if message.kind != "walk_to":  # a finger that leads gives three a second
            self.board.happening(message.kind, message.id, message.success, message.message[:300])
        self.tell()

    def on_record(self, message: RecordStatus) -> None:
        """How the recorder of topics does."""
        m = message
        if not math.isfinite(m.seconds):
            raise ValueError(f"a bag that is recorded since {m.seconds} s")
        self.board.bag(Bag(m.recording, m.path[:400], m.messages, m.size, m.seconds, m.message[:300]))
        self.tell()

    def on_calibration(self, message: CalibrationStatus) -> None:
        """How the calibration of the camera does."""
        status = calibration(message)
        self.board.calibration(status)
        self.hub.calibration.set(to_json("calibration", status))
        self.calibrating = status.running
        self.tell()

    def on_diagnostics(self, message: DiagnosticArray) -> None:
        """How the stages do; the camera's say whether its calibration is a guess."""
        for status in message.status:
            if not status.name.startswith(PREFIX):
                continue
            name = status.name.removeprefix(PREFIX)
            values = {v.key: v.value for v in status.values}
            problem = status.message if status.level == DiagnosticStatus.ERROR else ""
            self.board.stage(figures(name, problem, values), time.monotonic())
            if name == "camera":
                how = values.get("calibration", "")
                self.board.notices("camera", [NOT_CALIBRATED] if "guessed" in how else [])
                if how:
                    self.board.calibrated("guessed" not in how)


def detected(message: Any) -> DetectedObject:
    """A vision_msgs/Detection2D as the page draws it; ValueError for a box that is none."""
    centre, width, height = message.bbox.center.position, message.bbox.size_x, message.bbox.size_y
    box = (centre.x - width / 2, centre.y - height / 2, width, height)
    if not all(map(math.isfinite, box)) or width < 0 or height < 0:
        raise ValueError(f"detection '{message.id[:40]}': its box is not finite, or of negative size")
    best = message.results[0].hypothesis if message.results else None
    return DetectedObject(message.id, best.class_id if best else "", best.score if best else 0.0, box)


def calibration(m: CalibrationStatus) -> Calibration:
    """A status as the page shows it; ValueError for one that cannot be right."""
    order = list(Calibrating)
    if m.state >= len(order) or (m.columns and len(m.covered) % m.columns) or not math.isfinite(m.progress):
        raise ValueError(f"calibration: unknown state {m.state}, or its parts do not fit")
    return Calibration(
        order[m.state], m.headline[:200], m.hint[:400], tuple(text[:100] for text in m.missing[:16]), m.progress, m.views,
        m.enough, (m.width, m.height), tuple(m.board[:8]), tuple(m.target[:4]), m.columns, tuple(m.covered[:256]),
        m.path[:400],
    )  # fmt: skip


def main() -> None:
    """Entry point."""
    run(lambda: Web("web", Parameters))
