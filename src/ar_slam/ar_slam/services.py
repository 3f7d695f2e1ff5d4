"""What can be asked of the SLAM node: its services. Part of the shell.

What changes what comes after it is said on ``events``, and asked again by a replay: reset, pause, resume, set_mode (``name``: the
mode) and set_scale (``name``: "factor 1.25", or "camera_height 0.4" in metres; a distance becomes its factor).
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

from std_msgs.msg import Header
from std_srvs.srv import Trigger

from ar_core.conversions import nanoseconds, pose_message, stamp_from
from ar_core.geometry import Intrinsics
from ar_core.stage import Stage
from ar_interfaces.srv import HitTest, MapFile, SetMode, SetScale
from ar_slam.hit_test import checked_factor, factor_of_distance, hit_test
from ar_slam.map_io import SavedMap, read_map, write_map, write_point_cloud
from ar_slam.results import CAMERA_HEIGHT, KNOWN_SIZE, Result
from ar_slam.slam import Slam

REMEMBERED = 90  # pictures whose poses a pixel may be asked for
MODES = ("mapping", "localisation")


class Services:
    """Answers for a stage, in its worker thread: between two pictures."""

    def __init__(self, stage: Stage[Any], map_frame: str) -> None:
        self.map_frame = map_frame
        self.slam: Slam | None = None
        self.camera: Intrinsics | None = None  # as its pictures are; the SLAM's may be smaller
        self.resume: SavedMap | None = None  # a map to start in, as soon as there is a picture
        self.paused = False
        self._recent: OrderedDict[int, Result] = OrderedDict()
        self._stage, self._log = stage, stage.get_logger()
        stage.serve(Trigger, "slam/reset", self._reset, asked_by="director")
        stage.serve(Trigger, "slam/pause", self._pause, asked_by="director")
        stage.serve(Trigger, "slam/resume", self._go_on, asked_by="director")
        stage.serve(SetMode, "slam/set_mode", self._set_mode, asked_by="director")
        stage.serve(SetScale, "slam/set_scale", self._set_scale, asked_by="director")
        stage.serve(MapFile, "slam/save_map", self._save_map)
        stage.serve(MapFile, "slam/load_map", self._load_map)
        stage.serve(HitTest, "slam/hit_test", self._hit_test)

    def remember(self, stamp: int, result: Result) -> None:
        """What was known after the picture of a stamp in nanoseconds."""
        self._recent[stamp] = result
        while len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)

    def _reset(self, request: Any, response: Any) -> Any:
        if self.slam is not None:
            self.slam.reset()
        return self._done(response, "reset", "a new map is begun")

    def _pause(self, request: Any, response: Any) -> Any:
        self.paused = True
        return self._done(response, "pause", "no poses until slam/resume; the map is kept")

    def _go_on(self, request: Any, response: Any) -> Any:
        if self.paused and self.slam is not None:
            self.slam.lose()  # the camera may be anywhere by now
        self.paused = False
        return self._done(response, "resume", "looking for the camera")

    def _save_map(self, request: Any, response: Any) -> Any:
        saved = None if self.slam is None else self.slam.save()
        if saved is None:
            raise ValueError("there is no map yet: move the camera sideways until slam/status says tracking")
        path = Path(request.path)
        try:
            if path.suffix in (".ply", ".pcd", ".xyz"):
                response.message = f"{write_point_cloud(path, saved.X, saved.flat)} points in {path}"
            else:
                write_map(path, saved)
                response.message = f"map {saved.map_id}, {len(saved.X)} points, in {path}"
        except OSError as error:
            raise ValueError(f"the map cannot be written: {error}") from None
        response.success = True
        return response

    def _load_map(self, request: Any, response: Any) -> Any:
        try:
            saved = read_map(Path(request.path))
        except OSError as error:
            raise ValueError(f"the map cannot be read: {error}") from None
        if self.slam is None:
            self.resume = saved
        else:
            self.slam.load(saved)
        response.success = True
        response.message = f"map {saved.map_id} with {len(saved.X)} points: looking for the camera"
        return response

    def _set_mode(self, request: Any, response: Any) -> Any:
        if request.mode not in MODES:
            raise ValueError(f"mode {request.mode!r}: there are {' and '.join(MODES)}")
        self._running().localise_only(request.mode == MODES[1])
        return self._done(response, "set_mode", f"{request.mode} from now on", request.mode)

    def _set_scale(self, request: Any, response: Any) -> Any:
        slam, value = self._running(), float(request.value)
        if not value > 0:
            raise ValueError(f"scale: {value:g} is not positive")
        source, asked = KNOWN_SIZE, ""
        if request.kind == SetScale.Request.FACTOR:
            factor = checked_factor(value)
        elif request.kind == SetScale.Request.CAMERA_HEIGHT:
            seen, source = self._seen_at(0)[1], CAMERA_HEIGHT
            if seen.T_map_camera is None:
                raise ValueError(f"the camera is lost: {seen.reason}")
            factor, asked = checked_factor(value / float(seen.T_map_camera[2, 3])), f"{CAMERA_HEIGHT} {value!r}"
        elif request.kind == SetScale.Request.DISTANCE:
            seen = self._seen_at(nanoseconds(request.stamp))[1]
            a, b = self._pixel(slam, request.x, request.y), self._pixel(slam, request.x2, request.y2)
            factor = factor_of_distance(value, a, b, slam.intrinsics, seen, slam.points_on_plane())
        else:
            raise ValueError(f"scale: kind {request.kind} is none of FACTOR (0), CAMERA_HEIGHT (1), DISTANCE (2)")
        slam.rescale(factor, source)
        self._log.info(f"every length is {factor:.4g} times what it was; map {slam.map_id}")
        response.factor, response.map_id = factor, slam.map_id
        said = f"every length is {factor:.4g} times what it was"
        return self._done(response, "set_scale", said, asked or f"factor {factor!r}")

    def _hit_test(self, request: Any, response: Any) -> Any:
        slam = self._running()
        stamp, seen = self._seen_at(nanoseconds(request.stamp))
        pixel = self._pixel(slam, request.x, request.y)
        hit = hit_test(pixel, slam.intrinsics, seen, slam.points_on_plane())
        if isinstance(hit, str):
            raise ValueError(hit)
        response.success, response.message, response.map_id = True, hit.doubt, seen.map_id
        response.plane, response.inside = hit.plane, hit.inside
        response.pose.header = Header(stamp=stamp_from(stamp), frame_id=self.map_frame)
        response.pose.pose.pose = pose_message(hit.T_map_place)
        response.pose.pose.covariance = hit.covariance.ravel().tolist()
        return response

    def _done(self, response: Any, kind: str, message: str, name: str = "") -> Any:
        """It took effect: for who asked, and for everybody else."""
        newest = next(reversed(self._recent), 0)
        self._stage.event(stamp_from(newest), kind, name=name, success=True, message=message)
        response.success, response.message = True, message
        return response

    def _running(self) -> Slam:
        if self.slam is None:
            raise ValueError("no picture of a camera has come yet")
        return self.slam

    def _pixel(self, slam: Slam, x: float, y: float) -> tuple[float, float]:
        """A pixel of the camera's picture in that of the SLAM."""
        assert self.camera is not None
        sx, sy = slam.size[0] / self.camera.width, slam.size[1] / self.camera.height
        return (x + 0.5) * sx - 0.5, (y + 0.5) * sy - 0.5

    def _seen_at(self, stamp: int) -> tuple[int, Result]:
        """The stamp, and what was known after that picture; zero: the newest. ValueError where nothing fits the map."""
        if not self._recent:
            raise ValueError("no picture of a camera has come yet")
        at = stamp or next(reversed(self._recent))
        if at not in self._recent:
            raise ValueError(f"no picture of the last {REMEMBERED} has the stamp {at * 1e-9:.9f}")
        seen = self._recent[at]
        if seen.map_id != self._running().map_id:
            raise ValueError("the map has been replaced since that picture: ask for a newer one")
        return at, seen
