"""Plane SLAM as a node.

In: ``camera/image_raw`` (+ ``camera/camera_info``). Out, with the frame's stamp: ``slam/pose``, ``slam/odometry`` and
``/tf`` (map → odom → camera) while the camera is known, ``slam/status`` for every frame; latched: ``slam/plane`` when it
changes, its outline once more as ``slam/plane_outline``, it and all other planes as ``slam/planes``, and ``slam/points`` now
and then. Services (`services`):
``slam/reset``, ``slam/pause``, ``slam/resume``, ``slam/save_map``, ``slam/load_map``, ``slam/set_mode``,
``slam/set_scale``, ``slam/hit_test``.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from geometry_msgs.msg import PolygonStamped, PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

from ar_core import qos
from ar_core.geometry import Intrinsics, inverse
from ar_core.parameters import parameter
from ar_core.stage import Frame, Stage, run
from ar_interfaces.msg import PlaneStamped, TrackingStatus
from ar_slam import messages
from ar_slam.map_io import SavedMap, read_map, write_map
from ar_slam.markers import Finder
from ar_slam.planes import outline
from ar_slam.services import Services
from ar_slam.slam import Options, Result, Slam, State

POINTS_EVERY = 2.0  # seconds
PLANE_EVERY = 1.0
SNAPSHOT_EVERY = 3.0


@dataclass(frozen=True)
class Parameters:
    """Parameters of the SLAM node."""

    camera_height: float = parameter(
        0.40, "metres of the camera over the plane at first: the scale", minimum=0.02, maximum=20.0
    )
    pitch_down_deg: float = parameter(35.0, "how far the camera looks down at first", minimum=5.0, maximum=90.0)
    points: int = parameter(200, "points followed from frame to frame", minimum=60, maximum=1000)
    max_width: int = parameter(960, "wider pictures are made smaller", minimum=160, maximum=8192)
    new_map_after: float = parameter(
        6.0, "seconds lost until a new map is begun; 0: never", minimum=0.0, maximum=3600.0
    )
    map_frame: str = parameter("map", "frame of poses, plane and points")
    odom_frame: str = parameter("odom", "frame in which the camera never jumps")
    camera_frame: str = parameter("", "the camera's optical frame; empty: the pictures' own")
    publish_tf: bool = parameter(True, "publish map → odom → camera on /tf")
    marker_size: float = parameter(
        0.0, "metres along the side of a printed ArUco marker: the scale; 0: none", minimum=0.0, maximum=10.0
    )
    marker_dictionary: str = parameter("DICT_4X4_50", "which markers, by OpenCV's name")
    map_path: str = parameter("", "a saved map to start in")
    snapshots: str = parameter("", "folder in which the map is kept, and found after a restart; empty: not kept")


class PlaneSlam(Stage[Parameters]):
    """Feeds pictures to `Slam` and publishes what it says."""

    def on_start(self) -> None:
        """Topics and services, and the map to start in, if there is one."""
        cv2.setNumThreads(1)
        p = self.parameters
        self.pose = self.advertise(PoseWithCovarianceStamped, "slam/pose")
        self.odometry = self.advertise(Odometry, "slam/odometry")
        self.tf = self.advertise(TFMessage, "/tf", qos.reliable(100))
        self.status = self.advertise(TrackingStatus, "slam/status")
        self.plane = self.advertise(PlaneStamped, "slam/plane", qos.latched())
        self.outline = self.advertise(PolygonStamped, "slam/plane_outline", qos.latched())
        self.planes = self.advertise(MarkerArray, "slam/planes", qos.latched())
        self.cloud = self.advertise(PointCloud2, "slam/points", qos.latched())
        self.snapshot = Path(p.snapshots) / "slam_map.npz" if p.snapshots else None
        self.served = Services(self, p.map_frame)
        self.served.resume = self._map_to_start_in()
        self.shown: dict[str, tuple[float, Any]] = {}
        self.writer = ThreadPoolExecutor(1, thread_name_prefix="snapshot")
        self.writing: Future[None] | None = None
        self.options = Options(
            camera_height=p.camera_height,
            pitch_down_deg=p.pitch_down_deg,
            points=p.points,
            new_map_after=p.new_map_after,
            deterministic=bool(self.lockstep),
            marker_size=p.marker_size,
            marker_dictionary=p.marker_dictionary,
        )
        if p.marker_size > 0:
            Finder(p.marker_dictionary)  # says at once what is wrong with it
        self.watch_camera()

    def on_stop(self) -> None:
        """End the threads."""
        if self.served.slam is not None:
            self.served.slam.close()
        self.writer.shutdown(wait=True)

    def process(self, frame: Frame) -> None:
        """One picture: pose, status, and now and then the map."""
        slam = self._slam_for(frame.intrinsics)
        if self.served.paused:
            reason = "paused: slam/resume goes on"
            self.publish(self.status, TrackingStatus(
                header=frame.header, state=int(State.LOST), reason=reason, map_id=slam.map_id
            ))  # fmt: skip
            self.notes["state"] = reason
            return
        grey = np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY), np.uint8)
        if grey.shape != slam.size[::-1]:
            grey = np.asarray(cv2.resize(grey, slam.size, interpolation=cv2.INTER_AREA), np.uint8)
        result = slam.process(grey, frame.stamp * 1e-9)
        self.served.remember(frame.stamp, result)
        self._publish_pose(frame.header, result)
        self.publish(self.status, messages.status(frame.header, result))
        self._publish_map(frame.header, slam, result)
        self._keep(slam, result)
        self.items = result.inliers
        self.notes["state"] = f"{result.state.name.lower()} {result.reason}".strip()
        self.notes["map"] = f"{result.map_id}: {result.points} points"

    # ---- the algorithm's life

    def _slam_for(self, camera: Intrinsics) -> Slam:
        """The running SLAM; a new one when the camera has another calibration than before."""
        served = self.served
        before, resume = served.slam, served.resume
        if before is not None and camera == served.camera:
            return before
        shrink = min(1.0, self.parameters.max_width / camera.width)
        working = camera.scaled(round(camera.width * shrink), round(camera.height * shrink)) if shrink < 1 else camera
        slam = Slam(working, self.options)
        if before is not None:
            slam.map_id += before.map_id
            before.close()
            self.get_logger().info("the camera's calibration has changed: beginning a new map")
        if resume is not None:
            try:
                slam.load(resume)
                self.get_logger().info(f"looking for the camera in map {slam.map_id}: {len(resume.X)} points")
            except ValueError as error:
                self.warn_once(str(error))
            served.resume = None
        served.slam, served.camera = slam, camera
        return slam

    def _map_to_start_in(self) -> SavedMap | None:
        """The snapshot of a process before this one, or the map asked for."""
        given = self.parameters.map_path
        for path in (self.snapshot, Path(given) if given else None):
            if path is not None and path.exists():
                try:
                    return read_map(path)
                except (ValueError, OSError) as error:
                    self.get_logger().warning(str(error))
        if given and not Path(given).exists():
            self.get_logger().warning(f"{given}: there is no such map; beginning a new one")
        return None

    def _keep(self, slam: Slam, result: Result) -> None:
        """Every few seconds, write the map to the snapshot file, in a thread of its own."""
        path = self.snapshot
        if path is None or not self._due("snapshot", result, SNAPSHOT_EVERY, (result.map_id, result.map_version)):
            return
        if self.writing is not None and not self.writing.done():
            return
        if self.writing is not None and self.writing.exception() is not None:
            self.warn_once(f"{path}: the map cannot be kept: {self.writing.exception()}")
        saved = slam.save()
        if saved is not None and result.state == State.TRACKING:
            self.writing = self.writer.submit(write_map, path, saved)
        else:
            self.shown.pop("snapshot", None)

    def _due(self, what: str, result: Result, every: float, content: Any) -> bool:
        """Whether something has changed since it was last shown, and that was long enough ago."""
        last = self.shown.get(what)
        if last is not None and (last[1] == content or 0 <= result.stamp - last[0] < every):
            return False
        self.shown[what] = (result.stamp, content)
        return True

    # ---- what is published

    def _publish_pose(self, header: Header, result: Result) -> None:
        T, p = result.T_map_camera, self.parameters
        if T is None or result.covariance is None:
            return
        T_odom_camera = inverse(result.T_map_odom) @ T
        camera_frame = p.camera_frame or header.frame_id
        in_map, in_odom = (Header(stamp=header.stamp, frame_id=frame) for frame in (p.map_frame, p.odom_frame))
        self.publish(self.pose, messages.pose(in_map, T, result.covariance))
        covariance = messages.turned(result.covariance, result.T_map_odom)
        self.publish(self.odometry, messages.odometry(in_odom, camera_frame, T_odom_camera, covariance))
        if p.publish_tf:
            map_to_odom = messages.transform(in_map, p.odom_frame, result.T_map_odom)
            odom_to_camera = messages.transform(in_odom, camera_frame, T_odom_camera)
            self.publish(self.tf, TFMessage(transforms=[map_to_odom, odom_to_camera]))

    def _publish_map(self, header: Header, slam: Slam, result: Result) -> None:
        """The plane at once when it is another one, its outline and the points now and then."""
        if result.T_map_camera is None:
            return
        in_map = Header(stamp=header.stamp, frame_id=self.parameters.map_frame)
        kind = (result.map_id, result.plane_assumed)
        another = self.shown.get("kind", (0.0, None))[1] != kind
        if another or self._due("plane", result, PLANE_EVERY, (kind, result.map_version)):
            self.shown["kind"] = (result.stamp, kind)
            seen = outline(slam.points_on_plane())
            self.publish(self.plane, messages.plane(in_map, result, seen))
            self.publish(self.outline, messages.polygon(in_map, seen))
            self.planes.publish(messages.surfaces(in_map, result, seen))
        if result.points and self._due("points", result, POINTS_EVERY, (result.map_id, result.map_version)):
            self.publish(self.cloud, messages.cloud(in_map, slam.points()[0]))


def make() -> PlaneSlam:
    """The node."""
    return PlaneSlam("slam", Parameters)


def main() -> None:
    """Entry point."""
    run(make)


if __name__ == "__main__":
    main()
