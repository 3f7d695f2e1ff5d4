"""The renderer as a node: the camera's picture with the characters in it.

In: ``camera/image_raw``, ``camera/camera_info``, ``slam/pose``, ``slam/plane``, ``slam/status``, ``segment/mask``,
``character/model`` (latched). Out: ``render/image`` and ``render/image/compressed`` (encoded only while somebody listens),
with the camera frame's stamp, ``render/markers`` (while somebody listens), and ``events``. Services: ``render/place``,
``render/act``, ``render/remove``; action: ``render/walk_to``.

A picture goes out for every picture that comes in: without a pose, a mask or a character it is the camera's.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from geometry_msgs.msg import PoseWithCovarianceStamped
from sensor_msgs.msg import CompressedImage, Image
from visualization_msgs.msg import MarkerArray

from ar_core import qos
from ar_core.conversions import (
    image_from,
    image_message,
    matrix_from,
    nanoseconds,
    plane_from,
    tracking_state_from,
)
from ar_core.geometry import Plane
from ar_core.parameters import parameter
from ar_core.stage import Frame, Stage, run
from ar_interfaces.msg import Character, PlaneStamped, TrackingStatus
from ar_render.actors import Entrance, Seen
from ar_render.context import create_context
from ar_render.detail import Budget, Detail, choices
from ar_render.gltf import read_glb
from ar_render.joining import Joined, Joiner
from ar_render.markers import Markers
from ar_render.memory import Snapshot
from ar_render.plane_view import View
from ar_render.scene import Renderer
from ar_render.services import Services
from ar_render.theatre import Theatre

MAPS = 8  # the newest, of which the plane is remembered
MOST = 16  # characters; who came first makes room


@dataclass(frozen=True)
class Parameters:
    """Parameters of the render node."""

    api: str = parameter(
        "gl", "OpenGL interface; the other one is tried when this one is missing", choices=("gl", "gles")
    )
    threads: int = parameter(1, "threads that draw where there is no graphics card (llvmpipe)", minimum=0, maximum=16)
    samples: int = parameter(
        4, "multisampling of the character's edges while the machine has time for it; 0 is off", minimum=0, maximum=8
    )
    frame_budget_ms: float = parameter(
        0.0,
        "what drawing the characters of a picture may take; multisampling and detail follow; 0: as fine as can be",
        minimum=0.0,
        maximum=1000.0,
    )
    wait_ms: float = parameter(40.0, "how long a picture waits for its pose and mask", minimum=0.0, maximum=5000.0)
    hide_s: float = parameter(
        0.5, "how long after tracking was lost characters are still shown", minimum=0.0, maximum=60.0
    )
    mask_age_s: float = parameter(1.0, "how old a mask may be", minimum=0.0, maximum=60.0)
    seed: int = parameter(0, "what characters do follows from it", minimum=0, maximum=1_000_000)
    quality: int = parameter(85, "JPEG quality of the compressed topic", minimum=1, maximum=100)
    snapshots: str = parameter("", "folder that keeps where characters stand, for after a restart; empty: nowhere")


class Render(Stage[Parameters]):
    """Joins pictures, poses, masks and characters, and publishes the result."""

    def on_start(self) -> None:
        """Topics and services; OpenGL waits for the worker thread."""
        cv2.setNumThreads(1)  # the stages are the parallelism; OpenCV's own threads spin while they wait
        p = self.parameters
        wait = 0.0 if self.lockstep else p.wait_ms / 1e3
        self.joiner = Joiner(wait, p.hide_s, p.mask_age_s)
        self.planes: dict[int, tuple[Plane, np.ndarray]] = {}
        self.arrivals: deque[Character] = deque(maxlen=16)
        self.theatre: Theatre | None = None
        self.joins: Counter[str] = Counter()
        budget = 0.0 if self.lockstep else p.frame_budget_ms / 1e3  # two runs give the same pictures
        self.budget = Budget(budget, choices(p.samples))
        self.detail = self.budget.detail
        self.snapshot = Snapshot(Path(p.snapshots) / "render.json") if p.snapshots else None
        self.image = self.advertise(Image, "render/image")
        self.compressed = self.advertise(CompressedImage, "render/image/compressed", qos.reliable(2))
        self.markers, self.markers_out = Markers(), self.advertise(MarkerArray, "render/markers", qos.reliable(2))
        self.listen(PoseWithCovarianceStamped, "slam/pose", self._on_pose, stage="slam")
        self.listen(PlaneStamped, "slam/plane", self._on_plane, qos.latched(), stage="slam")
        self.listen(TrackingStatus, "slam/status", self._on_status, stage="slam")
        self.listen(Image, "segment/mask", self._on_mask, qos.sensor(2), stage="segment")
        self.listen(Character, "character/model", self.arrivals.append, qos.latched(16), stage="character")
        self.served = Services(self, self._ready)
        self.hold(lambda stamp: self.joiner.complete(stamp, self._wants_mask()), wait)
        self.watch_camera()

    def on_worker_start(self) -> None:
        """OpenGL lives in this thread."""
        os.environ.setdefault("LP_NUM_THREADS", str(self.parameters.threads))
        self.gl = create_context(self.parameters.api)  # type: ignore[arg-type]
        self.notes["renderer"] = f"{self.gl.renderer} ({self.gl.api}, {self.gl.backend})"

    def on_worker_stop(self) -> None:
        """The context goes, and all that lies in it."""
        self.served.walkers.close(f"{self.get_name()} stops")
        if self.theatre is not None:
            self.theatre.clearing.close()
        self.theatre = None
        self.gl.close()

    def process(self, frame: Frame) -> None:
        """One picture in, one picture out."""
        theatre = self._theatre(frame)
        self._admit(theatre)
        joined = self.joiner.join(frame.stamp, frame.received, want_mask=self._wants_mask())
        self.joins[joined.how] += 1
        picture = frame.image
        before = set(theatre.actors)
        try:
            mask = self._mask(frame, joined)
            picture = theatre.draw(frame.image, frame.stamp, self._seen(frame, joined), mask, joined.mask_stamp)
        except Exception as error:  # whatever happens, the picture goes on
            self.complain("drawing", error)
        for id in theatre.actors.keys() - before:
            self.event(frame.header.stamp, "place", id=id, success=True, message="came alive where its object stood")
        for id in list(theatre.actors)[:-MOST]:
            self.served.dismiss(id, "it made room for another")
        self._guarded("render/walk_to", self.served.walkers.follow, theatre)
        self.publish(self.image, image_message(picture, frame.header))
        if self.markers_out.get_subscription_count() > 0 and self.markers.due(frame.stamp):
            self._guarded("render/markers", self._publish_markers, frame)
        if self.compressed.get_subscription_count() > 0:
            self._publish_compressed(picture, frame)
        if theatre.shown:
            self.budget.took(theatre.renderer.took)
        self._refine(theatre.renderer)
        self.items = len(theatre.shown)
        self.notes["poses"] = ", ".join(f"{how} {n}" for how, n in self.joins.most_common())
        self.notes["characters"] = f"{len(theatre.shown)} shown of {len(theatre.actors)}"
        self._keep(theatre)

    def on_time_jump(self) -> None:
        """The pictures start over."""
        self.joiner.forget()
        if self.theatre is not None:
            self.theatre.forget_views()

    # ---- what belongs to a picture

    def _wants_mask(self) -> bool:
        return self.theatre is not None and bool(self.theatre.actors)

    def _seen(self, frame: Frame, joined: Joined) -> Seen | None:
        if joined.pose is None:
            return None
        newest = max(self.planes, default=0)
        map_id = newest if joined.map_id is None else joined.map_id
        plane, extent = self.planes.get(map_id) or self.planes.get(newest) or (Plane.ground(), np.zeros((0, 3)))
        return Seen(View(frame.intrinsics, joined.pose, plane), map_id, extent, joined.sure)

    def _mask(self, frame: Frame, joined: Joined) -> np.ndarray | None:
        if joined.mask is None:
            return None
        if joined.mask.shape != frame.image.shape[:2]:
            self.warn_once("segment/mask: not of the picture's size; the object stays in the picture")
            return None
        return joined.mask

    def _theatre(self, frame: Frame) -> Theatre:
        height, width = frame.image.shape[:2]
        now = self.theatre.renderer if self.theatre is not None else None
        if now is None or (now.width, now.height) != (width, height):
            now = Renderer(self.gl, width, height, samples=self.parameters.samples)
            now.refine(self.detail)
        if self.theatre is None:
            self.theatre = Theatre(now, self.parameters.seed, synchronous=bool(self.lockstep))
            self._recall(self.theatre)
        elif self.theatre.renderer is not now:
            self.theatre.move_to(now)
        return self.theatre

    def _refine(self, renderer: Renderer) -> None:
        """Draw the next pictures as finely as there is time for."""
        detail = self.budget.detail
        if self.pressed and detail.samples:
            detail = Detail(0)
        if detail != self.detail:
            renderer.refine(detail)
        self.detail = detail
        self.notes["detail"] = str(detail)
        self.notes["short of time"] = "no multisampling" if detail != self.budget.detail else ""

    def _admit(self, theatre: Theatre) -> None:
        while self.arrivals:
            self._guarded("character/model", partial(_enter, theatre), self.arrivals.popleft())

    def _publish_markers(self, frame: Frame) -> None:
        """A view of it, no part of the result: no report names it."""
        self.markers_out.publish(self.markers.of(self._ready().figures, frame.header))

    def _publish_compressed(self, picture: np.ndarray, frame: Frame) -> None:
        ok, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, self.parameters.quality])
        if ok:
            self.publish(
                self.compressed,
                CompressedImage(header=frame.header, format="bgr8; jpeg compressed bgr8", data=data.tobytes()),
            )

    # ---- topics

    def _on_pose(self, message: PoseWithCovarianceStamped) -> None:
        self.joiner.add_pose(nanoseconds(message.header.stamp), matrix_from(message.pose.pose))
        self.nudge()

    def _on_plane(self, message: PlaneStamped) -> None:
        plane = plane_from(message)
        extent = np.array([[p.x, p.y, p.z] for p in message.extent]).reshape(-1, 3)
        if not np.isfinite(extent).all():
            raise ValueError("plane with NaN or infinite extent")
        others = [(id, known) for id, known in self.planes.items() if id != message.map_id]
        self.planes = dict([*others, (message.map_id, (plane, extent))][-MAPS:])

    def _on_status(self, message: TrackingStatus) -> None:
        lost = tracking_state_from(message) == TrackingStatus.LOST
        self.joiner.add_status(nanoseconds(message.header.stamp), lost, message.map_id)
        self.nudge()

    def _on_mask(self, message: Image) -> None:
        self.joiner.add_mask(nanoseconds(message.header.stamp), image_from(message, "mono8"))
        self.nudge()

    def _ready(self) -> Theatre:
        if self.theatre is None:
            raise ValueError("there was no picture yet")
        return self.theatre

    # ---- what survives the process

    def _keep(self, theatre: Theatre) -> None:
        if self.snapshot is not None:
            self.snapshot.keep(theatre.state())

    def _recall(self, theatre: Theatre) -> None:
        if self.snapshot is None or not self.snapshot.exists:
            return
        try:
            state = self.snapshot.read()
            theatre.restore(state)
            self.get_logger().info(f"{len(state)} characters will stand where they stood before")
        except (ValueError, OSError, TypeError, AttributeError, KeyError) as error:
            self.warn_once(f"snapshot {self.snapshot.path} cannot be read: {error}; starting without it")


def _enter(theatre: Theatre, message: Character) -> None:
    theatre.enter(_entrance(message), read_glb(bytes(message.glb), f"character {message.id}"))


def _entrance(message: Character) -> Entrance:
    footprint = np.array(message.footprint, np.float64)
    if len(footprint) % 2 or not np.isfinite(footprint).all():
        raise ValueError(f"character {message.id}: footprint is not a list of pixels")
    placed = matrix_from(message.pose) if message.placed else None
    stamp = nanoseconds(message.header.stamp)
    return Entrance(message.id, stamp, float(message.height), footprint.reshape(-1, 2), placed, message.map_id)


def make() -> Render:
    """The node."""
    return Render("render", Parameters)


def main() -> None:
    """Entry point."""
    run(make)
