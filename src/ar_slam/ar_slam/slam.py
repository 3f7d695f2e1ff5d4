"""Plane SLAM, picture by picture: an assumed plane at first, a measured map as soon as the camera moves sideways.

    slam = Slam(intrinsics)
    for stamp, grey in pictures:
        result = slam.process(grey, stamp)

The map frame has z up, the plane things stand on as z = 0, its origin under the first camera, and metres that rest on the
assumed height of the camera over the plane.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ar_core.geometry import Array, Intrinsics, Plane, inverse
from ar_slam import mapping
from ar_slam.background import Background
from ar_slam.beginning import Beginning
from ar_slam.flow import Grey
from ar_slam.improving import Improver
from ar_slam.keyframes import Map
from ar_slam.map_io import SavedMap, restored, saved
from ar_slam.markers import Finder, MarkerScale
from ar_slam.pictures import Rectifier, picture_fault
from ar_slam.pose import pose_covariance
from ar_slam.relocalisation import Search
from ar_slam.results import CAMERA_HEIGHT, MARKER, Options, Result, State
from ar_slam.tracking import Tracked, Tracker, quality

__all__ = ["Options", "Result", "Slam", "State"]

LOCKSTEP_DELAY = 4  # frames after which a background result takes effect, where that must not depend on the machine


class Slam:
    """See the module's text. Not for several threads at once.

    background: where the long work is done; by default a thread whose results are taken as soon as they are there, or, with
    options.deterministic, LOCKSTEP_DELAY frames later.
    """

    def __init__(
        self, intrinsics: Intrinsics, options: Options | None = None, background: Background | None = None
    ) -> None:
        self.intrinsics, self.options = intrinsics, options or Options()
        self.K = intrinsics.K
        self.size = (intrinsics.width, intrinsics.height)
        self._rectify = Rectifier(intrinsics)
        lockstep = (lambda frame: frame + LOCKSTEP_DELAY) if self.options.deterministic else None
        self._background = background or Background(lockstep)
        self._tracker: Tracker
        self._search: Search
        self._improver = Improver(self.K, self._background)
        self._lost_frames = 0
        self._lost_since: float | None = None
        self.map_id = 0
        size = self.options.marker_size
        self._markers = MarkerScale(Finder(self.options.marker_dictionary), size) if size > 0 else None
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next picture is a first one, in a new map."""
        self.frame = 0
        self.T_map_odom = np.eye(4)
        self._T_odom_camera: Array | None = None
        self._stamp: float | None = None
        self._begin()

    def _begin(self) -> None:
        """A new map, of which nothing is known yet."""
        self._background.drop()
        self.map_id += 1
        self.map: Map | None = None
        self.plane_assumed = True
        self.scale_source = CAMERA_HEIGHT
        self.localising = False
        if self._markers is not None:
            self._markers.sightings.clear()
        self._beginning = Beginning(self.K, self.size, self.options)

    def close(self) -> None:
        """End the mapping thread."""
        self._background.close()

    def process(self, grey: Grey, stamp: float) -> Result:
        """Take in the next picture, (H, W) uint8 of the intrinsics' size, taken at stamp in seconds. ValueError for others."""
        grey = self._rectify(grey)
        self.frame += 1
        gap = 0.0 if self._stamp is None else stamp - self._stamp
        self._stamp = stamp
        fault = picture_fault(grey)
        if self.map is None:
            return self._before_map(grey, stamp, fault)
        if not 0 <= gap < 0.5:
            self._tracker.velocity[:] = 0
        self._take_adjusted()
        return self._in_map(grey, stamp, fault)

    # -- before there is a map

    def _before_map(self, grey: Grey, stamp: float, fault: str) -> Result:
        beginning = self._beginning
        fault = fault or beginning.step(grey, stamp)
        if fault:
            return self._lost(stamp, fault)
        instant = beginning.instant
        T = mapping.camera_pose(instant.R, instant.t)
        done = self._background.take(self.frame)
        if done is not None:
            first: mapping.FirstMap | str = done[2]
            begun = beginning.answer(first, stamp)
            if begun is not None and not isinstance(first, str):
                tracker, found = begun
                self.map_id += 1
                self.plane_assumed = not first.plane_found
                self._enter(tracker)
                self._T_odom_camera = inverse(self.T_map_odom) @ T  # goes on from the assumed pose to the measured one
                self._carry_jump(mapping.camera_pose(tracker.R, tracker.t))
                return self._known(grey, stamp, found)
        attempt = None if self._background.busy else beginning.attempt(stamp)
        if attempt is not None:
            args = (self.K, attempt.views, attempt.strictness, attempt.up, attempt.camera_height)
            self._background.submit("begin", self.frame, None, mapping.begin_map, *args)
        state = State.STATIC if beginning.still else State.INITIALISING
        reason = "the camera stands still" if beginning.still else beginning.why
        n = 0 if instant.tracks is None else len(instant.tracks.X)
        return self._result(stamp, state, reason, T, np.diag([0.1] * 6) ** 2, n, 1.0)

    # -- in the map

    def _in_map(self, grey: Grey, stamp: float, fault: str) -> Result:
        found = None
        if not fault:
            tracker = self._tracker
            found = self._search(grey, tracker.map, tracker) if self._lost_frames else tracker.step(grey)
        if found is None:
            if self._lost_since is None or fault:  # a covered lens is no reason to begin a new map
                self._lost_since = stamp
            self._lost_frames += 1
            self._tracker.velocity[:] = 0
            given_up = 0 < self.options.new_map_after < stamp - self._lost_since
            if given_up and not self._search.candidate and not self.localising:
                self._begin()
                return self._before_map(grey, stamp, fault)
            if self._search.candidate:
                return self._lost(stamp, "a known place: to be confirmed by the next picture")
            return self._lost(stamp, fault or "nothing of the map is recognised")
        return self._known(grey, stamp, found)

    def _known(self, grey: Grey, stamp: float, found: Tracked) -> Result:
        """The camera was found in the map."""
        tracker = self._tracker
        T = mapping.camera_pose(tracker.R, tracker.t)
        if self._lost_frames:
            self._carry_jump(T)
            state, reason = State.RELOCALISED, f"found again after {self._lost_frames} pictures"
            self._lost_frames, self._lost_since = 0, None
        else:
            if tracker.jumped:
                self._carry_jump(T)
            state, reason = quality(found, tracker.unconfirmed)
            if not self.localising:
                mapping.grow(tracker, found, grey, self.options)
                self._adjust()
        ratio = found.fit.count / max(1, len(found.ids))
        return self._result(stamp, state, reason, T, pose_covariance(found.fit), found.fit.count, ratio)

    def _adjust(self) -> None:
        """Have the map put right around its newest keyframe, beside the tracking."""
        finder = self._markers.find if self._markers and self.scale_source == CAMERA_HEIGHT else None
        self._improver.start(self.frame, self._tracker.map, self.options.camera_height, finder)

    def _take_adjusted(self) -> None:
        tracker = self._tracker
        before = mapping.camera_pose(tracker.R, tracker.t)
        sightings = self._improver.take(self.frame, tracker, self.options.camera_height)
        if sightings is None:
            return
        self.T_map_odom = mapping.camera_pose(tracker.R, tracker.t) @ inverse(before) @ self.T_map_odom
        if self._markers is not None and self.scale_source == CAMERA_HEIGHT:
            factor = self._markers.factor(sightings, tracker.map.keyframes, self.K)
            if factor is not None:
                self.rescale(factor, MARKER)

    # -- both

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
        version, count, surfaces = (0, 0, ()) if m is None else (m.version, m.count, m.surfaces)
        return Result(
            stamp, state, reason, T, self.T_map_odom.copy(), covariance, Plane.ground(), self.plane_assumed, self.map_id,
            version, count, inliers, ratio, self.scale_source, surfaces,
        )  # fmt: skip

    def save(self) -> SavedMap | None:
        """The map as it is, to be written (`map_io.write_map`) by whatever thread; None while there is none."""
        if self.map is None:
            return None
        about = (self.map_id, self.plane_assumed, self.options.camera_height, self.scale_source)
        return saved(self.map, *about, self.K, self.size)

    def load(self, s: SavedMap) -> None:
        """Take over a saved map with its id; the camera is lost in it until it is recognised.

        ValueError where it was made by a camera of another size or focal length.
        """
        s.check_camera(self.K, self.size)
        self.reset()
        self.options = replace(self.options, camera_height=s.camera_height)
        self.map_id, self.plane_assumed, self.scale_source = s.map_id, s.plane_assumed, s.scale_source
        self._enter(Tracker(restored(s), self.K, self.size))
        self._improver.key = self._tracker.map.keyframes[-1].key
        self._lost_frames, self._lost_since = 1, None

    def lose(self) -> None:
        """Forget where the camera is, but not the map: it is looked for with the next picture."""
        if self.map is not None:
            self._lost_frames, self._lost_since, self._search.candidate = max(1, self._lost_frames), None, False

    def rescale(self, factor: float, source: str) -> None:
        """Every length is factor times what it was, the camera's height too. The map gets another id: who put something
        into it carries that over by where the picture shows it. What was being computed in the old scale is dropped.
        """
        self._background.drop()
        self.options = replace(self.options, camera_height=factor * self.options.camera_height)
        self.map_id += 1
        self.scale_source = source
        if self.map is None:
            self._beginning.options = self.options
            instant = self._beginning.instant
            instant.rescale(factor)
            self._carry_jump(mapping.camera_pose(instant.R, instant.t))
            return
        tracker = self._tracker
        self.map.transform(factor, np.eye(4))
        tracker.t = factor * tracker.t
        tracker.velocity[:3] *= factor
        tracker.forget_templates()
        self._improver.key = 0
        self._carry_jump(mapping.camera_pose(tracker.R, tracker.t))

    def localise_only(self, only: bool) -> None:
        """Whether the map stays as it is from now on; ValueError where there is none."""
        if only and self.map is None:
            raise ValueError("there is no map to stay in: move the camera sideways until slam/status says tracking")
        self.localising = only
        if self.map is not None:
            self._tracker.fixed = only
            if only:
                self._background.drop()

    def _enter(self, tracker: Tracker) -> None:
        """Begin to track in a map."""
        self.map = tracker.map
        self._tracker = tracker
        self._search = Search(self.K)
        self._improver.key = 1  # the two keyframes of a first map are adjusted already
        self._lost_frames = 0
        self._lost_since = None

    def points(self) -> tuple[Array, Array]:
        """The map's points: (n, 3) in ``map``, and (n,) bool whether they lie on the plane."""
        return (self.map or Map()).points()

    def points_on_plane(self) -> Array:
        """Those of the map's points (n, 3) that lie on the plane."""
        X, flat = self.points()
        return np.asarray(X[flat])
