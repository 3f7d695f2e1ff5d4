"""The character stage as a node: every segmented object comes alive once.

In: ``segment/object`` (latched), ``slam/pose``, ``slam/plane``, ``slam/status``, ``camera/camera_info``.
Out: ``character/model`` (latched, the newest 8). One report per object.

An object waits for the pose with its own frame's stamp, or for poses before and after it where tracking left that frame
out. When none has come within `patience_s` of image time, it comes alive without a place: the size is then that of an
object at an assumed distance, and a warning says why.
"""

from __future__ import annotations

import array
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geometry_msgs.msg import PoseWithCovarianceStamped
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo

from ar_character.character import build_character
from ar_character.guest import Guest, load_guest
from ar_character.placement import ASSUMED_DISTANCE, Placement, assumed_height, place
from ar_character.seats import Seat, Seats
from ar_character.store import Store
from ar_character.theme import PLAIN, Theme, load
from ar_core import qos
from ar_core.conversions import image_from, intrinsics_from, matrix_from, nanoseconds, plane_from, pose_message
from ar_core.parameters import parameter
from ar_core.stage import Frame, Stage, run
from ar_core.voice import one_line
from ar_interfaces.msg import Character, PlaneStamped, SegmentedObject, StageReport, TrackingStatus

KEPT = 8  # characters that late joiners and a restarted process get
DEEP = 30  # messages that may wait for the next look at them
NO_CLOCK_S = 3.0  # without any image time, patience ends by the machine's clock


@dataclass(frozen=True)
class Parameters:
    """Parameters of the character node."""

    patience_s: float = parameter(
        1.0, "image time that an object waits for its frame's pose", minimum=0.0, maximum=30.0
    )
    snapshots: str = parameter("", "folder in which awakened characters survive the process; empty: nowhere")
    guest: str = parameter(
        "", "an adopted .glb that takes the place of whatever awakens; empty: the thing itself awakens"
    )
    theme: str = parameter("plain", "what characters wear and do: plain, band, …, or a folder with a theme.yaml")


@dataclass(frozen=True)
class Waiting:
    """An object whose pose has not come yet, and when it arrived (CLOCK_MONOTONIC s)."""

    message: SegmentedObject
    stamp: int
    since: float


class CharacterStage(Stage[Parameters]):
    """Makes characters of segmented objects."""

    def on_start(self) -> None:
        """Topics, and what came alive before a restart."""
        self.seats = Seats()
        self.now: int | None = None
        self.waiting: list[Waiting] = []
        self.known: set[str] = set()
        self.made = 0
        self.theme = self.parameters.theme
        try:
            load(self.theme)
        except ValueError as error:  # a kiosk must come up
            self.get_logger().error(f"{error}; characters are plain")
            self.theme = PLAIN
        self.guest: Guest | None = None
        if self.parameters.guest:
            try:
                self.guest = load_guest(Path(self.parameters.guest))
            except (ValueError, OSError) as error:
                self.get_logger().error(f"guest: {error}; things awaken as they are")
        self.lock = threading.Lock()
        self.models = self.advertise(Character, "character/model", qos.latched(KEPT))
        self.store = Store(Path(self.parameters.snapshots) / "character", KEPT) if self.parameters.snapshots else None
        self._recall()
        # What comes with every picture is looked at when there is an object.
        self.listen(PoseWithCovarianceStamped, "slam/pose", self._on_pose, qos.reliable(DEEP), stage="slam", rides=True)
        self.listen(PlaneStamped, "slam/plane", self._on_plane, qos.latched(2), stage="slam")
        self.listen(TrackingStatus, "slam/status", self._on_status, qos.reliable(DEEP), stage="slam", rides=True)
        self.listen(SegmentedObject, "segment/object", self._on_object, qos.latched(KEPT), stage="segment")
        if self.lockstep:
            self.watch_camera(pictures=False)
        else:
            self.listen(CameraInfo, "camera/camera_info", self._on_camera_info_only, qos.sensor(1), rides=True)
            self.ticker = self.create_timer(0.25, self._settle)

    def on_stop(self) -> None:
        """The timer goes."""
        if not self.lockstep:
            self.destroy_timer(self.ticker)

    def process(self, frame: Frame) -> None:
        """In lock-step only: objects come alive with a frame, not in between."""
        self.seats.camera, self.now = frame.intrinsics, frame.stamp
        self._settle()

    # ---- what arrives

    def _on_object(self, message: SegmentedObject) -> None:
        if not message.id:
            raise ValueError("an object without an id")
        if message.id in self.known:  # latched: it comes again whenever somebody restarts
            return
        self.known.add(message.id)
        with self.lock:
            self.waiting.append(Waiting(message, nanoseconds(message.header.stamp), time.monotonic()))
        if not self.lockstep:
            self._settle()

    def _on_pose(self, message: PoseWithCovarianceStamped) -> None:
        stamp = nanoseconds(message.header.stamp)
        self.seats.add_pose(stamp, matrix_from(message.pose.pose))
        self._time_is(stamp)

    def _on_status(self, message: TrackingStatus) -> None:
        stamp = nanoseconds(message.header.stamp)
        self.seats.add_state(stamp, int(message.map_id), message.reason)
        self._time_is(stamp)

    def _on_plane(self, message: PlaneStamped) -> None:
        self.seats.add_plane(int(message.map_id), plane_from(message))

    def _on_camera_info_only(self, message: CameraInfo) -> None:
        self.seats.camera = intrinsics_from(message)
        self._time_is(nanoseconds(message.header.stamp))

    def _time_is(self, stamp: int) -> None:
        self.now = stamp
        if self.waiting and not self.lockstep:
            self._settle()

    # ---- who can come alive

    def _settle(self) -> None:
        """Hand every object over whose pose is there, or whose patience has ended."""
        if not self.waiting or self._state != "active":
            return
        with self.lock:
            ready = [w for w in self.waiting if self.seats.view(w.stamp) is not None or self._in_vain(w)]
            self.waiting = [w for w in self.waiting if w not in ready]
            self.pending = bool(self.waiting)
        for one in ready:
            seat = self.seats.at(one.stamp, int(one.message.image_width), int(one.message.image_height))
            self.submit(lambda one=one, seat=seat: self._awaken(one, seat))  # type: ignore[misc]

    def _in_vain(self, one: Waiting) -> bool:
        if self.now is None:
            return time.monotonic() - one.since > NO_CLOCK_S
        if abs(self.now - one.stamp) <= self.parameters.patience_s * 1e9:
            return False
        return bool(self.lockstep) or time.monotonic() - one.since > 0.1

    # ---- in the worker thread

    def _awaken(self, one: Waiting, seat: Seat) -> None:
        if self.lockstep:  # part of a frame, which is reported when it is done
            self._make(one, seat)
            return
        started, cpu = time.monotonic(), time.thread_time()
        self._published, self.items = [], 0
        reason = self._make(one, seat)
        finished = time.monotonic()
        if not reason:
            self.statistics.publish(one.since, finished)
        cpu_ms = (time.thread_time() - cpu) * 1e3
        outcome = StageReport.FAILED if reason else StageReport.PUBLISHED
        self.report(one.message.header, one.since, started, finished, cpu_ms, outcome, reason)

    def _make(self, one: Waiting, seat: Seat) -> str:
        """Build and publish a character; what went wrong in words, or nothing."""
        self.notes["characters"] = str(len(self.known))
        try:
            message = self._character(one.message, seat)
            self.publish(self.models, message)
            self.items = 1
            if self.store is not None:
                self.store.add(serialize_message(message))
        except Exception as error:  # every object gets its report
            reason = str(error) if isinstance(error, ValueError | OSError) else one_line(error)
            self.statistics.skip(reason)
            self.complain(f"object {one.message.id}", error)
            return reason
        return ""

    def _character(self, found: SegmentedObject, seat: Seat) -> Character:
        rgba = image_from(found.cutout, "rgba8")
        if (found.roi.width, found.roi.height) != (rgba.shape[1], rgba.shape[0]):
            raise ValueError(
                f"the cut-out is {rgba.shape[1]}x{rgba.shape[0]}, its region {found.roi.width}x{found.roi.height}"
            )
        height = assumed_height(rgba[..., 3], seat.intrinsics)
        placement = self._placement(found, rgba, seat)
        if placement:
            height = placement.object_height
        if self.guest is not None:
            message = Character(id=found.id, kind=found.kind, height=height, object_height=height)
            message.glb, message.clips = array.array("B", self.guest.sized(height)), list(self.guest.clips)
        else:
            theme: Theme | None = load(self.theme, self.made)  # members of a theme take turns
            made = build_character(rgba, height, placement.top_share if placement else 0.0, theme=theme)
            message = Character(id=found.id, kind=found.kind, height=made.height, object_height=made.object_height)
            message.glb, message.clips = array.array("B", made.glb), list(made.clips)
        self.made += 1
        message.header.stamp, message.header.frame_id = found.header.stamp, "map"
        message.placed, message.map_id = placement is not None, seat.map_id
        if placement is not None:
            message.pose = pose_message(placement.T_map_character)
            message.footprint = [float(v) for v in placement.footprint]
        return message

    def _placement(self, found: SegmentedObject, rgba: Any, seat: Seat) -> Placement | None:
        why = seat.why
        if seat.T_map_camera is not None:
            try:
                corner = (float(found.roi.x_offset), float(found.roi.y_offset))
                placement = place(rgba[..., 3], corner, seat.intrinsics, seat.T_map_camera, seat.plane)
            except ValueError as error:
                why = str(error)
            else:
                if placement.note:
                    self.get_logger().warning(f"object {found.id}: {placement.note}")
                return placement
        self.get_logger().warning(
            f"object {found.id} has no place: {why}; its size is that of an object {ASSUMED_DISTANCE:g} m away"
        )
        return None

    # ---- after a restart

    def _recall(self) -> None:
        if self.store is None:
            return
        try:
            entries, damaged = self.store.read()
        except OSError as error:
            self.warn_once(f"snapshots {self.store.folder} cannot be read: {error}; starting without them")
            return
        for name in damaged:
            self.warn_once(f"snapshot {self.store.folder / name} is damaged; left out")
        for entry in entries:
            message = deserialize_message(entry, Character)
            self.known.add(message.id)
            self.made += 1
            self.models.publish(message)


def make() -> CharacterStage:
    """The node."""
    return CharacterStage("character", Parameters)


def main() -> None:
    """Entry point."""
    run(make)
