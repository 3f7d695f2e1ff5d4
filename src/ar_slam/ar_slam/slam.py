"""Plane SLAM, picture by picture: an assumed plane at first, a measured map as soon as the camera moves sideways.

    slam = Slam(intrinsics)
    for stamp, grey in pictures:
        result = slam.process(grey, stamp)

The map frame has z up, the plane things stand on as z = 0, its origin under the first camera, and metres that rest on the
assumed height of the camera over the plane.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array, Intrinsics, Plane, inverse, upright_camera
from ar_slam import mapping
from ar_slam.background import Background
from ar_slam.bundle import Adjusted
from ar_slam.flow import Grey, Pixels
from ar_slam.initialisation import Strictness
from ar_slam.instant import Instant
from ar_slam.keyframes import Map, Window, local_window
from ar_slam.map_io import SavedMap, restored, saved
from ar_slam.planes import outline
from ar_slam.pose import pose_covariance, project, refine_pose
from ar_slam.relocalisation import Features, Relocaliser, describe
from ar_slam.tracking import Ids, Tracked, Tracker


class State(IntEnum):
    """The numbers of ar_interfaces/TrackingStatus."""

    INITIALISING = 0
    STATIC = 1
    TRACKING = 2
    WEAK = 3
    LOST = 4
    RELOCALISED = 5


@dataclass(frozen=True)
class Options:
    """camera_height in metres over the plane and pitch_down_deg of the first picture: the scale, and the assumed plane.

    points: how many are followed. deterministic: the same pictures give the same result bit for bit, at the price of waiting
    for the mapping thread. new_map_after: seconds lost after which a new map is begun (0: never).
    """

    camera_height: float = 0.40
    pitch_down_deg: float = 35.0
    points: int = 200
    keyframes: int = 80
    deterministic: bool = False
    static_after: float = 0.4
    new_map_after: float = 6.0
    strictness: Strictness = field(default_factory=Strictness)


@dataclass(frozen=True)
class Result:
    """What is known after a picture.

    T_map_camera (4, 4), None when LOST; T_map_odom (4, 4) carries the jumps of the map, so that
    inverse(T_map_odom) @ T_map_camera is smooth; covariance (6, 6) in ROS order, metres and radians. plane_assumed: nothing
    was measured yet. points in the map, inliers of them seen now, inlier_ratio of those looked for.
    """

    stamp: float
    state: State
    reason: str
    T_map_camera: Array | None
    T_map_odom: Array
    covariance: Array | None
    plane: Plane
    plane_assumed: bool
    map_id: int
    map_version: int
    points: int = 0
    inliers: int = 0
    inlier_ratio: float = 0.0
    scale_source: str = "camera_height"


class Slam:
    """See the module's text. Not for several threads at once."""

    def __init__(self, intrinsics: Intrinsics, options: Options | None = None) -> None:
        self.intrinsics, self.options = intrinsics, options or Options()
        self.K = intrinsics.K
        self.size = (intrinsics.width, intrinsics.height)
        self._unit = max(1.0, intrinsics.width / 640)  # what is said in pixels is meant for pictures 640 wide
        self._undistort = _undistortion(intrinsics)
        self._background = Background(self.options.deterministic)
        self._tracker: Tracker
        self._relocaliser: Relocaliser
        self._lost_frames = 0
        self._lost_since: float | None = None
        self._candidate = False  # recognised in the last picture, to be confirmed by the next
        self._last_keyframe = 0
        self.map_id = 0
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next picture is a first one, in a new map."""
        self._background.drop()
        self.map: Map | None = None
        self.frame = 0
        self.T_map_odom = np.eye(4)
        self._T_odom_camera: Array | None = None
        self._stamp: float | None = None
        self._assume_plane(upright_camera(self.options.camera_height, self.options.pitch_down_deg))

    def close(self) -> None:
        """End the mapping thread."""
        self._background.close()

    def process(self, grey: Grey, stamp: float) -> Result:
        """Take in the next picture, (H, W) uint8 of the intrinsics' size, taken at stamp in seconds. ValueError for others."""
        grey = self._checked(grey)
        self.frame += 1
        gap = 0.0 if self._stamp is None else stamp - self._stamp
        self._stamp = stamp
        if self.map is not None and not 0 <= gap < 0.5:
            self._tracker.velocity[:] = 0
        self._take_background()
        fault = picture_fault(grey)
        if self.map is None:
            return self._before_map(grey, stamp, fault)
        return self._in_map(grey, stamp, fault)

    # -- before there is a map

    def _assume_plane(self, T_map_camera: Array) -> None:
        self.map_id += 1
        self.map = None
        self.plane_assumed = True
        self._instant = Instant(self.K, T_map_camera)
        self._still_since: float | None = None
        self._moving_since: float | None = None
        self._why = "move the camera sideways"

    def _before_map(self, grey: Grey, stamp: float, fault: str) -> Result:
        instant = self._instant
        fault = fault or instant.step(grey)
        if fault:
            return self._lost(stamp, fault)
        if instant.still_frames == 0:
            self._still_since = None
        elif self._still_since is None:
            self._still_since = stamp
        still = self._still_since is not None and stamp - self._still_since >= self.options.static_after
        if still:
            self._moving_since = None
        else:
            self._moving_since = stamp if self._moving_since is None else self._moving_since
            self._try_to_initialise(stamp)
        T = mapping.camera_pose(instant.R, instant.t)
        reason = "the camera stands still" if still else self._why
        tracks = instant.tracks
        n = 0 if tracks is None else len(tracks.ids)
        covariance = np.diag([0.1, 0.1, 0.1, 0.1, 0.1, 0.1]) ** 2
        return self._result(stamp, State.STATIC if still else State.INITIALISING, reason, T, covariance, n, 1.0)

    def _strictness(self, stamp: float) -> Strictness:
        """What a first map has to fulfil: half as much blur and noise again is let pass after six seconds of motion."""
        waited = stamp - (self._moving_since if self._moving_since is not None else stamp)
        patience = 1 + 0.5 * float(np.clip((waited - 2) / 4, 0, 1))
        wanted = self.options.strictness
        return replace(wanted, rms_px=wanted.rms_px * self._unit * patience)

    def _try_to_initialise(self, stamp: float) -> None:
        instant, tracks = self._instant, self._instant.tracks
        if self._background.busy or tracks is None or tracks.age < 4 or self.frame % 2:
            return
        unit = self._unit
        if instant.parallax_px < 1.5 * unit:
            if instant.motion_px > 40 * unit:
                self._why = "the camera only turns: move it sideways"
            return
        if instant.motion_px < 12 * unit:
            return
        up = tracks.R0 @ np.array([0.0, 0.0, 1.0])
        views = instant.views()
        args = (self.K, views, self._strictness(stamp), up, self.options.camera_height)
        self._background.submit("begin", self.frame, tracks.ids.copy(), mapping.begin_map, *args)

    def _begin_map(self, ids: Ids, first: mapping.FirstMap) -> None:
        """Take over a first map made of an earlier picture's tracks ids (n,); those that live on give the pose now."""
        tracks = self._instant.tracks
        if tracks is None:
            return
        row = {int(i): int(k) for i, k in zip(ids, first.ids, strict=True) if k >= 0}
        alive = np.array([row.get(int(i), -1) for i in tracks.ids])
        known = alive >= 0
        if known.sum() < 25:
            return
        kf = first.map.keyframes[-1]
        uv = tracks.now[known]
        fit = refine_pose(self.K, kf.R, kf.t, first.map.X[alive[known]], uv.astype(np.float64), iterations=12)
        # On a busy machine the map comes many pictures late, and tracks drift meanwhile: templates put the pose right at once.
        if fit.count < 0.55 * known.sum() or fit.rms > 2.0 * self._unit:
            return
        assert self._instant.previous is not None
        self._enter(first.map)
        self.map_id += 1
        self.plane_assumed = not first.plane_found
        self._tracker.place(self._instant.previous, fit.R, fit.t, alive[known][fit.inliers], uv[fit.inliers])
        self._carry_jump(mapping.camera_pose(fit.R, fit.t))

    # -- in the map

    def _in_map(self, grey: Grey, stamp: float, fault: str) -> Result:
        found = None
        if not fault:
            found = self._track(grey)
        if found is None:
            if self._lost_since is None or fault:  # a covered lens is no reason to begin a new map
                self._lost_since = stamp
            self._lost_frames += 1
            self._tracker.velocity[:] = 0
            if 0 < self.options.new_map_after < stamp - self._lost_since and not self._candidate:
                self._background.drop()
                self._assume_plane(upright_camera(self.options.camera_height, self.options.pitch_down_deg))
                return self._before_map(grey, stamp, fault)
            if self._candidate:
                return self._lost(stamp, "a known place: to be confirmed by the next picture")
            return self._lost(stamp, fault or "nothing of the map is recognised")
        tracker = self._tracker
        T = mapping.camera_pose(tracker.R, tracker.t)
        if self._lost_frames:
            self._carry_jump(T)
            state, reason = State.RELOCALISED, f"found again after {self._lost_frames} pictures"
            self._lost_frames, self._lost_since = 0, None
        else:
            if tracker.jumped:
                self._carry_jump(T)
            state, reason = self._quality(found)
            self._grow(grey, found)
        return self._result(
            stamp,
            state,
            reason,
            T,
            pose_covariance(found.fit),
            found.fit.count,
            found.fit.count / max(1, len(found.ids)),
        )

    def _track(self, grey: Grey) -> Tracked | None:
        """From the last pose, while there is one; else from a candidate of the frame before; else look for a candidate."""
        tracker = self._tracker
        assert self.map is not None
        if self._lost_frames == 0:
            return tracker.step(grey)
        if self._candidate:
            self._candidate = False
            tracker.unconfirmed = 2
            found = tracker.step(grey)
            if found is not None and found.matched >= 15 and tracker.unconfirmed == 0:
                return found
        found = self._relocaliser.find(grey, self.map, tracker)
        if found is not None:
            good = found.fit.inliers
            tracker.place(grey, found.fit.R, found.fit.t, found.ids[good], found.uv[good])
            self._candidate = True
        return None

    def _quality(self, found: Tracked) -> tuple[State, str]:
        fit = found.fit
        if fit.count < 30:
            return State.WEAK, f"only {fit.count} points of the map are seen"
        if self._tracker.unconfirmed > 30:
            return State.WEAK, "no keyframe confirms the pose"
        return State.TRACKING, ""

    def _grow(self, grey: Grey, found: Tracked) -> None:
        m, tracker = self.map, self._tracker
        assert m is not None
        if self.frame % 2:
            return
        height = mapping.FLAT_HEIGHT * self.options.camera_height
        m.triangulate(self.K, tracker.R, tracker.t, tracker.ids, tracker.uv, height)
        if mapping.wants_keyframe(m, tracker, found, self.frame - self._last_keyframe, self.options.points):
            mapping.add_keyframe(m, tracker, found, grey, self.options.points, self.options.keyframes)
            self._last_keyframe = self.frame
            window = None if self._background.busy else local_window(m)
            if window is not None:
                newest = m.keyframes[-1]
                args = (self.K, window, self.options.camera_height, newest.image, newest.ids, newest.uv)
                self._background.submit("adjust", self.frame, (window, newest), _improve, *args)

    # -- both

    def _take_background(self) -> None:
        done = self._background.take(self.frame)
        if done is None:
            return
        kind, context, result = done
        if kind == "begin" and self.map is None:
            if isinstance(result, str):
                self._why = result
            else:
                self._begin_map(context, result)
        elif kind == "adjust" and self.map is not None:
            window, newest = context
            adjusted, newest.features = result
            tracker = self._tracker
            before = mapping.camera_pose(tracker.R, tracker.t)
            mapping.apply(self.map, tracker, window, adjusted, self.options.camera_height)
            self.T_map_odom = mapping.camera_pose(tracker.R, tracker.t) @ inverse(before) @ self.T_map_odom

    def _carry_jump(self, T_map_camera: Array) -> None:
        """The pose jumped in the map: odometry goes on from where it was."""
        if self._T_odom_camera is not None:
            self.T_map_odom = T_map_camera @ inverse(self._T_odom_camera)

    def _lost(self, stamp: float, reason: str) -> Result:
        return self._result(stamp, State.LOST, reason, None, None, 0, 0.0)

    def _result(
        self,
        stamp: float,
        state: State,
        reason: str,
        T: Array | None,
        covariance: Array | None,
        inliers: int,
        ratio: float,
    ) -> Result:
        if T is not None:
            self._T_odom_camera = inverse(self.T_map_odom) @ T
        m = self.map
        return Result(
            stamp,
            state,
            reason,
            T,
            self.T_map_odom.copy(),
            covariance,
            Plane.ground(),
            self.plane_assumed,
            self.map_id,
            0 if m is None else m.version,
            0 if m is None else m.count,
            inliers,
            ratio,
        )

    def save(self) -> SavedMap | None:
        """The map as it is, to be written (`map_io.write_map`) by whatever thread; None while there is none."""
        if self.map is None:
            return None
        height = self.options.camera_height
        return saved(self.map, self.map_id, self.plane_assumed, height, self.K, self.size)

    def load(self, s: SavedMap) -> None:
        """Take over a saved map with its id; the camera is lost in it until it is recognised.

        ValueError where it was made by a camera of another size or focal length.
        """
        if s.size != self.size or abs(s.K[0, 0] / self.K[0, 0] - 1) > 0.02 or abs(s.K[1, 1] / self.K[1, 1] - 1) > 0.02:
            raise ValueError(
                f"the map was made with a camera of {s.size[0]}x{s.size[1]}, focal length {s.K[0, 0]:.0f};"
                f" this one has {self.size[0]}x{self.size[1]}, {self.K[0, 0]:.0f}"
            )
        self.reset()
        self.options = replace(self.options, camera_height=s.camera_height)
        self.map_id, self.plane_assumed = s.map_id, s.plane_assumed
        self._enter(restored(s))
        self._lost_frames, self._lost_since = 1, None

    def _enter(self, m: Map) -> None:
        """Begin to track in a map."""
        self.map = m
        self._tracker = Tracker(m, self.K, self.size)
        self._relocaliser = Relocaliser(self.K)
        self._lost_frames = 0
        self._lost_since = None
        self._candidate = False
        self._last_keyframe = self.frame - 10

    def points(self) -> tuple[Array, Array]:
        """The map's points: (n, 3) in ``map``, and (n,) bool whether they lie on the plane."""
        if self.map is None:
            return np.zeros((0, 3)), np.zeros(0, bool)
        mapped = self.map.status == 1
        return self.map.X[mapped], self.map.flat[mapped]

    def plane_outline(self) -> Array:
        """Convex outline (k, 3) of what was seen of the plane."""
        X, flat = self.points()
        return outline(X[flat])

    def reprojection(self, T_map_camera: Array, X: Array) -> Array:
        """Pixels (n, 2), undistorted, of points X (n, 3) in ``map``."""
        T = inverse(T_map_camera)
        return project(self.K, T[:3, :3], T[:3, 3], X)[0]

    def _checked(self, grey: Grey) -> Grey:
        if not isinstance(grey, np.ndarray) or grey.dtype != np.uint8 or grey.ndim != 2:
            shape = getattr(grey, "shape", None)
            raise ValueError(
                f"slam: the picture is {getattr(grey, 'dtype', type(grey))} {shape}; (H, W) uint8 grey is needed"
            )
        if grey.shape != (self.size[1], self.size[0]):
            raise ValueError(
                f"slam: the picture is {grey.shape[1]}x{grey.shape[0]}, its calibration {self.size[0]}x{self.size[1]}"
            )
        if self._undistort is not None:
            return np.asarray(cv2.remap(grey, *self._undistort, cv2.INTER_LINEAR), np.uint8)
        return np.ascontiguousarray(grey)


def _improve(K: Array, window: Window, height: float, image: Grey, ids: Ids, uv: Pixels) -> tuple[Adjusted, Features]:
    """What the mapping thread does with a new keyframe."""
    return mapping.adjust(K, window, height), describe(image, ids, uv)


def picture_fault(grey: Grey) -> str:
    """What makes a picture (H, W) useless, in words, or an empty string."""
    few = grey[::8, ::8]
    level, spread = float(few.mean()), float(few.std())
    if level < 24 and spread < 8:
        return "too dark: is the lens covered?"
    if spread < 3:
        return "the picture is blank"
    return ""


def _undistortion(intrinsics: Intrinsics) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Maps for cv2.remap that take the lens distortion out; None where there is none."""
    if not any(intrinsics.distortion):
        return None
    size = (intrinsics.width, intrinsics.height)
    K = intrinsics.K
    maps = cv2.initUndistortRectifyMap(K, np.array(intrinsics.distortion), None, K, size, cv2.CV_16SC2)
    return np.asarray(maps[0]), np.asarray(maps[1])
