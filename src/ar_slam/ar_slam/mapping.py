"""When the map grows, and how it is put right: keyframes, local bundle adjustment, the plane kept at z = 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array, inverse
from ar_slam.bundle import Adjusted, bundle_adjust
from ar_slam.flow import Grey, Pixels, corners, remeasure
from ar_slam.initialisation import Strictness, initialise
from ar_slam.keyframes import DEAD, MAPPED, Keyframe, Map, Window, transformed_camera
from ar_slam.planes import fit_ground, flatten_correction, ground_from_plane, in_the_middle
from ar_slam.pose import angle_deg, rotation
from ar_slam.results import Options
from ar_slam.tracking import Tracked, Tracker

FLAT_HEIGHT = 0.012  # of the camera height: points this near to the plane count as on it
BAD_PX = 3.5
SHARED, TELLERS = 12, 3  # points, from which on one keyframe tells where they are in another, and keyframes that do so
FAR_DEG, FAR_CLOSER, FAR_TURNED_DEG = 7.0, 0.22, 12.0  # from a keyframe to the next: parallax, log of distance, turn
ABOUT = 2  # keyframes within half of that: where these show little, another one would not show more
YOUNG, YOUNG_DEG = 7, 3.0  # a map of fewer gets the next one sooner: what near views said at first is not final


@dataclass(frozen=True)
class FirstMap:
    """A map with the plane z = 0; its keyframes are the first and the last of the pictures it was made of."""

    map: Map
    plane_found: bool


def begin_map(
    K: Array, views: list[tuple[Pixels, Grey]], strictness: Strictness, up: Array, camera_height: float
) -> FirstMap | str:
    """A metric map from where tracks (n, 2) were in a few pictures; or, in words, why there is none yet.

    The dominant plane is z = 0, the first camera camera_height above it, the origin beneath. up (3,), in the first camera, is
    used where no plane is found. Takes some 100 ms.
    """
    (first, reference), (_, newest) = views[0], views[-1]
    seen = [first.astype(np.float64)]
    seen += [remeasure(reference, first, picture, uv)[0].astype(np.float64) for uv, picture in views[1:]]
    start = initialise(K, seen, strictness, up)
    if isinstance(start, str):
        return start
    good = start.good
    uv = [v[good] for v in seen]
    X = start.X[good]
    near = in_the_middle(uv[0], X[:, 2], (newest.shape[1], newest.shape[0]))
    depth = float(np.median(X[near, 2]))
    plane = fit_ground(X, near, np.zeros(3), up, 0.012 * depth)
    normal, distance = plane.normal, min(plane.distance, -0.1 * depth)
    scale = camera_height / -distance
    T = ground_from_plane(normal, distance * scale, np.zeros(3), np.array([0.0, 0.0, 1.0]))
    cameras = [transformed_camera(R, t, scale, T) for R, t in zip(start.R, start.t, strict=True)]
    X = scale * X @ T[:3, :3].T + T[:3, 3]
    n, v = len(X), len(uv)
    adjusted = bundle_adjust(
        K,
        np.array([R for R, _ in cameras]),
        np.array([t for _, t in cameras]),
        X,
        np.repeat(np.arange(v), n),
        np.tile(np.arange(n), v),
        np.concatenate(uv),
        np.zeros(v, bool),
        np.abs(X[:, 2]) < FLAT_HEIGHT * camera_height,
        _flat_weight(camera_height),
        iterations=30,
        scale_px=0.8 * max(1.0, newest.shape[1] / 640),
    )
    m = Map()
    ids = m.add_points(uv[0].astype(np.float32), 0, adjusted.X)
    for image, k in ((reference, 0), (newest, v - 1)):
        m.add_keyframe(image, adjusted.R[k], adjusted.t[k], ids, uv[k].astype(np.float32))
    flatten(m, camera_height)
    _stand_over_origin(m, camera_height)
    mark_flat(m, camera_height)
    return FirstMap(m, plane.measured)


def _stand_over_origin(m: Map, camera_height: float) -> None:
    """Scale and shift the map so that its first camera is camera_height over the origin."""
    centre = m.keyframes[0].centre
    scale = camera_height / float(centre[2])
    T = np.eye(4)
    T[:2, 3] = -scale * centre[:2]
    m.transform(scale, T)


def mark_flat(m: Map, camera_height: float) -> None:
    """Say which points lie on the plane."""
    m.flat = (m.status == MAPPED) & (np.abs(m.X[:, 2]) < FLAT_HEIGHT * camera_height)


def grow(tracker: Tracker, found: Tracked, grey: Grey, options: Options) -> bool:
    """Place new points of the map, and make the picture a keyframe where one is wanted; returns whether it is one now."""
    m = tracker.map
    if tracker.frame % 2:
        return False
    m.triangulate(tracker.K, tracker.R, tracker.t, tracker.ids, tracker.uv, FLAT_HEIGHT * options.camera_height)
    if not wants_keyframe(m, tracker, found, options.points):
        return False
    add_keyframe(m, tracker, found, grey, options.points, options.keyframes)
    return True


def wants_keyframe(m: Map, tracker: Tracker, found: Tracked, points: int) -> bool:
    """Whether the camera sees the map from far enough off every keyframe, or too little of it.

    points: how many are followed when all is well.
    """
    fit, since = found.fit, tracker.frame - tracker.keyframe_at
    if since < 5 or fit.rms > 1.6 or fit.count < 20:
        return False
    parallax, closer = between(m, m.keyframes, found)
    turned = np.degrees(np.arccos(np.clip(np.array([kf.R[2] for kf in m.keyframes]) @ fit.R[2], -1, 1)))
    far_deg = YOUNG_DEG if len(m.keyframes) < YOUNG else FAR_DEG
    off = np.maximum(np.maximum(parallax / far_deg, closer / FAR_CLOSER), turned / FAR_TURNED_DEG)
    nearest = int(np.argmin(off))
    if off[nearest] > 1:
        return True
    if (off < 0.5).sum() >= ABOUT:
        return False
    few = fit.count < 0.45 * points or len(tracker.ids) < 0.6 * points
    if few and (since >= 12 or fit.count < 45) and (parallax[nearest] > 2 or turned[nearest] > 3):
        return True
    return bool(len(tracker.ids) < 0.5 * points and since >= 20 and parallax[nearest] > 1)


def between(m: Map, keyframes: list[Keyframe], found: Tracked) -> tuple[Array, Array]:
    """Between keyframes (k,) and a tracked camera: parallax (k,) in degrees, and the logarithm (k,) of the change of distance.

    Medians over some of the points that the camera sees.
    """
    fit = found.fit
    seen = found.ids[fit.inliers]
    X = m.X[seen[:: max(1, len(seen) // 60)]]
    a, b = X + fit.R.T @ fit.t, X - np.array([kf.centre for kf in keyframes])[:, None]
    la, lb = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=2)
    cosine = np.clip((a * b).sum(2) / (la * lb), -1, 1)
    return np.degrees(np.arccos(np.median(cosine, axis=1))), np.abs(np.log(np.median(la) / np.median(lb, axis=1)))


def add_keyframe(m: Map, tracker: Tracker, found: Tracked, grey: Grey, points: int, limit: int) -> None:
    """Make the picture a keyframe, and look for new points in it."""
    waiting = m.status[tracker.ids] == 0
    good = found.fit.inliers
    ids = np.r_[found.ids[good], tracker.ids[waiting]]
    uv = np.vstack([found.uv[good], tracker.uv[waiting]]).astype(np.float32)
    kf = m.add_keyframe(grey, tracker.R.copy(), tracker.t.copy(), ids, uv)
    keep = m.status[tracker.ids] != DEAD
    tracker.ids, tracker.uv = tracker.ids[keep], tracker.uv[keep]
    new = corners(grey, points - len(tracker.ids), tracker.uv)
    if len(new) >= 4:
        new_ids = m.add_points(new, kf.key)
        kf.ids, kf.uv = np.r_[kf.ids, new_ids], np.vstack([kf.uv, new])
        tracker.ids, tracker.uv = np.r_[tracker.ids, new_ids], np.vstack([tracker.uv, new])
    m.drop_redundant(limit)
    tracker.keyframe_at = tracker.frame


def adjust(K: Array, window: Window, camera_height: float) -> Adjusted:
    """Bundle-adjust a window; points on the plane are drawn to it.

    Where its newest keyframe sees points is measured once more by those that saw them first, and written to the window: from
    keyframe to keyframe it would drift, by half a pixel after ten of them.
    """
    w = window
    _measure_by_the_first(w)
    return bundle_adjust(K, w.R, w.t, w.X, w.camera, w.point, w.uv, w.fixed, w.flat, _flat_weight(camera_height))


def _measure_by_the_first(w: Window) -> None:
    *others, newest = (int(a) for a in np.argsort(w.keys))
    row = np.full(len(w.ids), -1)  # of the newest's observations, by point
    row[w.point[w.camera == newest]] = np.flatnonzero(w.camera == newest)
    asked = row >= 0
    uv = w.uv.astype(np.float32)
    told = 0
    for a in others:
        there = np.flatnonzero((w.camera == a) & (row[w.point] >= 0))
        points = w.point[there]
        if told == TELLERS or asked[points].sum() < SHARED:
            continue
        told += 1
        at, found = remeasure(w.images[a], uv[there], w.images[newest], uv[row[points]], asked[points])
        w.uv[row[points[found]]] = at[found]
        asked[points[found]] = False


def _flat_weight(camera_height: float) -> float:
    """Squared pixels per squared metre: a point half a percent of the camera height off the plane weighs a pixel."""
    return 1.0 / (0.005 * camera_height) ** 2


def apply(m: Map, tracker: Tracker, window: Window, adjusted: Adjusted, camera_height: float) -> None:
    """Take over an adjusted window, and what was added to the map meanwhile along with it; lay the plane on z = 0 again."""
    by_key = {kf.key: kf for kf in m.keyframes}
    newest = int(np.argmax(window.keys))
    R_old, t_old = window.R[newest], window.t[newest]
    R_new, t_new = adjusted.R[newest], adjusted.t[newest]

    def carried(R: Array, t: Array) -> tuple[Array, Array]:
        dR = R @ R_old.T
        return dR @ R_new, dR @ (t_new - t_old) + t

    for kf in m.keyframes:
        if kf.key > window.keys[newest]:
            kf.R, kf.t = carried(kf.R, kf.t)
    tracker.R, tracker.t = carried(tracker.R, tracker.t)
    for a, key in enumerate(window.keys):
        if key in by_key:
            by_key[key].R, by_key[key].t = adjusted.R[a], adjusted.t[a]
    m.X[window.ids] = adjusted.X
    if window.keys[newest] in by_key:
        kf = by_key[window.keys[newest]]
        measured = window.camera == newest
        at = np.full((len(m.X), 2), np.nan, np.float32)
        at[window.ids[window.point[measured]]] = window.uv[measured]
        kf.uv = np.where(np.isnan(at[kf.ids]), kf.uv, at[kf.ids])
    bad = adjusted.errors > BAD_PX
    for a in np.unique(window.camera[bad]):
        kf_or_none = by_key.get(window.keys[int(a)])
        if kf_or_none is not None:
            keep = ~np.isin(kf_or_none.ids, window.ids[window.point[bad & (window.camera == a)]])
            kf_or_none.ids, kf_or_none.uv = kf_or_none.ids[keep], kf_or_none.uv[keep]
    seen = np.bincount(window.point[~bad], minlength=len(window.ids))
    m.status[window.ids[seen < 2]] = DEAD
    m.version += 1
    lay_flat(m, tracker, camera_height)
    if not window.fixed.any():
        hold_ground(m, tracker, window.ids[window.flat], window.X[window.flat])


def hold_ground(m: Map, tracker: Tracker, ids: NDArray[np.int_], X_before: Array) -> None:
    """Shift, turn and scale the whole map in the plane, so that the points ids (n,) on it lie where they did (n, 3).

    What somebody has put down on the table then stays where it was put, whatever else is put right.
    """
    there = m.flat[ids]
    before, now = X_before[there][:, :2], m.X[ids[there]][:, :2]
    if len(now) < 15:
        return
    weights = np.ones(len(now))
    for _ in range(4):
        w = weights / weights.sum()
        cb, cn = w @ before, w @ now
        b, n = (before - cb) @ [1, 1j], (now - cn) @ [1, 1j]  # a similarity of the plane is a complex factor
        factor = (w * b * n.conj()).sum() / (w * np.abs(n) ** 2).sum()
        r = np.abs(b - factor * n)
        weights = 1.0 / (1.0 + (r / max(1e-9, 2 * float(np.median(r)))) ** 2) ** 2
    scale, turn = float(np.abs(factor)), float(np.angle(factor))
    if not 0.8 < scale < 1.25:
        return
    T = np.eye(4)
    T[:3, :3] = rotation(np.array([0, 0, turn]))
    T[:2, 3] = cb - scale * T[:2, :2] @ cn
    m.transform(scale, T)
    tracker.R, tracker.t = transformed_camera(tracker.R, tracker.t, scale, T)


def lay_flat(m: Map, tracker: Tracker, camera_height: float) -> None:
    """Rotate and lift the whole map a little, so that the points on the plane are at z = 0."""
    correction = flatten(m, camera_height)
    if correction is not None:
        tracker.R, tracker.t = transformed_camera(tracker.R, tracker.t, 1.0, correction)
    mark_flat(m, camera_height)


def flatten(m: Map, camera_height: float) -> Array | None:
    """As `lay_flat`, the map alone; returns the motion (4, 4) that was made."""
    correction = flatten_correction(m.X[m.status == MAPPED], 2 * FLAT_HEIGHT * camera_height)
    if correction is None or angle_deg(correction[:3, :3]) > 3.0:
        return None
    m.transform(1.0, correction)
    return correction


def camera_pose(R: Array, t: Array) -> Array:
    """T_map_camera (4, 4) of a camera R, t."""
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = R, t
    return inverse(T)
