"""Finding the camera again in a map it has lost: by what the points look like, confirmed by the keyframes' templates."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array
from ar_slam.flow import Grey, Pixels
from ar_slam.keyframes import Features, Keyframe, Map
from ar_slam.pose import INLIER_PX, ransac_pose, refine_pose
from ar_slam.tracking import Tracked, Tracker

NEAR_PX = 6.0  # a feature this near to a map point in a keyframe describes it
ALIKE_BITS = 64  # of 256 in which descriptors of the same thing may differ
LIBRARY = 6000  # descriptors that are searched at most


def describe(image: Grey, ids: NDArray[np.int_], uv: Pixels) -> Features:
    """What the points ids (n,) at uv (n, 2) look like in a keyframe's picture. Some 15 ms: best done beside the tracking."""
    keypoints, descriptors = cv2.ORB.create(1000).detectAndCompute(image, None)
    if descriptors is None or len(ids) == 0:
        return Features(np.zeros((0, 32), np.uint8), np.zeros(0, int))
    p = np.array([k.pt for k in keypoints], np.float32)
    d = np.hypot(p[:, 0, None] - uv[None, :, 0], p[:, 1, None] - uv[None, :, 1])
    nearest = d.argmin(1)
    near = d[np.arange(len(p)), nearest] < NEAR_PX
    return Features(descriptors[near], ids[nearest[near]])


@dataclass(frozen=True)
class Library:
    """All descriptors of a map: descriptors (m, 32), the points (m,) and the keyframes' indices (m,) they belong to.

    keys: its points' numbering, and its keyframes.
    """

    keys: tuple[int, ...]
    descriptors: NDArray[np.uint8]
    ids: NDArray[np.int_]
    keyframe: NDArray[np.int_]


class Relocaliser:
    """Matches a picture against everything the map remembers, then asks the keyframes that most matches speak for."""

    def __init__(self, K: Array) -> None:
        self.K = K
        self._orb = cv2.ORB.create(1000)
        self._library: Library | None = None

    def find(self, grey: Grey, m: Map, tracker: Tracker) -> Tracked | None:
        """The camera's pose in the map, agreed to by at least 20 points of a keyframe; None where none is recognised."""
        if not m.keyframes:
            return None
        found = self._by_features(grey, m, tracker)
        if found is not None:
            return found
        thumb = thumbnail(grey)
        alike = np.array([float((_thumbnail_of(kf) * thumb).sum()) for kf in m.keyframes])
        for index in np.argsort(-alike, kind="stable")[:2]:
            if alike[index] > 0.75:
                kf = m.keyframes[index]
                found = self._confirm(grey, tracker, int(index), kf.R, kf.t, wide=True)
                if found is not None:
                    return found
        return None

    def _by_features(self, grey: Grey, m: Map, tracker: Tracker) -> Tracked | None:
        keypoints, descriptors = self._orb.detectAndCompute(grey, None)
        library = self._all(m)
        if descriptors is None or len(keypoints) < 20 or len(library.ids) < 20:
            return None
        pixels = np.array([p.pt for p in keypoints])
        query, entry = match(np.asarray(descriptors, np.uint8), library)
        query, entry = query[m.mapped(library.ids[entry])], entry[m.mapped(library.ids[entry])]
        votes = np.bincount(library.keyframe[entry], minlength=len(m.keyframes))
        for index in np.argsort(-votes, kind="stable")[:3]:
            if votes[index] < 6:
                break
            seen = np.isin(library.ids[entry], m.keyframes[index].ids)
            found = self._from_matches(grey, m, tracker, int(index), pixels[query[seen]], library.ids[entry[seen]])
            if found is not None:
                return found
        return None

    def _all(self, m: Map) -> Library:
        """The map's descriptors; put together anew when its keyframes are others."""
        keys = (m.numbering, *(kf.key for kf in m.keyframes))
        if self._library is None or self._library.keys != keys:
            for kf in m.keyframes:
                if kf.features is None:
                    kf.features = describe(kf.image, kf.ids, kf.uv)
            features = [kf.features for kf in m.keyframes if kf.features is not None]
            descriptors = np.concatenate([f.descriptors for f in features])
            ids = np.concatenate([f.ids for f in features])
            keyframe = np.repeat(np.arange(len(features)), [len(f.ids) for f in features])
            if len(ids) > LIBRARY:
                keep = np.sort(np.random.default_rng(0).permutation(len(ids))[:LIBRARY])
                descriptors, ids, keyframe = descriptors[keep], ids[keep], keyframe[keep]
            self._library = Library(keys, descriptors, ids, keyframe)
        return self._library

    def _from_matches(
        self, grey: Grey, m: Map, tracker: Tracker, index: int, uv: Array, ids: NDArray[np.int_]
    ) -> Tracked | None:
        if len(ids) < 8:
            return None
        start = ransac_pose(self.K, m.X[ids], uv, threshold_px=NEAR_PX + 1, iterations=200)
        if start is None:
            return None
        agree = start[2]
        fit = refine_pose(self.K, start[0], start[1], m.X[ids[agree]], uv[agree], scale_px=4.0)
        nearest = [*(i for i, _ in m.rank(self.K, tracker.size, fit.R, fit.t)[:1]), index]
        for candidate in dict.fromkeys(nearest):
            found = self._confirm(grey, tracker, candidate, fit.R, fit.t)
            if found is not None:
                return found
        return None

    def _confirm(
        self, grey: Grey, tracker: Tracker, index: int, R: Array, t: Array, wide: bool = False
    ) -> Tracked | None:
        """Whether the keyframe's own texture is where the pose says; twice, the second time more strictly."""
        found: Tracked | None = None
        for again in range(2):
            radius, levels = (5.0, 2) if again else ((60.0, 4) if wide else (14.0, 2))
            tracker.forget_templates()
            found = tracker.search(grey, R, t, index, radius, levels, window=21)
            if found is None:
                return None
            R, t = found.fit.R, found.fit.t
        assert found is not None
        enough = found.fit.count >= max(20, 0.5 * len(found.ids)) and found.fit.rms < 0.65 * INLIER_PX
        return found if enough else None


class Search:
    """The way back into a map: a place is recognised in one picture and has to be confirmed by the next.

    candidate: whether the last picture was recognised.
    """

    def __init__(self, K: Array) -> None:
        self.candidate = False
        self._relocaliser = Relocaliser(K)

    def __call__(self, grey: Grey, m: Map, tracker: Tracker) -> Tracked | None:
        """The camera in the next picture, once it is certain; the tracker is placed there."""
        followed: Tracked | None = None
        if self.candidate:
            self.candidate = False
            tracker.unconfirmed = 2
            followed = tracker.step(grey)
            if followed is not None and followed.matched >= 15 and tracker.unconfirmed == 0:
                return followed
        found = self._relocaliser.find(grey, m, tracker)
        if found is None:
            return None
        good = found.fit.inliers
        tracker.place(grey, found.fit.R, found.fit.t, found.ids[good], found.uv[good])
        if followed is not None and tracker.agrees(followed.fit, found):
            return found
        self.candidate = True
        return None


def match(descriptors: NDArray[np.uint8], library: Library) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Which of a picture's descriptors (n, 32) look like which entries of the library.

    Lowe's ratio test, but against the next different point: the same one may well be in the library many times.
    """
    distance, entry = cv2.batchDistance(
        descriptors, library.descriptors, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=min(6, len(library.ids))
    )
    ids = library.ids[entry]
    other = ids != ids[:, :1]
    second = np.where(other.any(1), distance[np.arange(len(ids)), other.argmax(1)], 256)
    good = (distance[:, 0] < ALIKE_BITS) & (distance[:, 0] < 0.85 * second)
    return np.flatnonzero(good), entry[good, 0].astype(int)


def thumbnail(grey: Grey) -> NDArray[np.float32]:
    """(20, 40) float32 of mean 0 and length 1: the picture, small and blurred."""
    small = cv2.GaussianBlur(cv2.resize(grey, (40, 20), interpolation=cv2.INTER_AREA), (0, 0), 1.5).astype(np.float32)
    small -= small.mean()
    return np.asarray(small / max(1e-6, float(np.linalg.norm(small))), np.float32)


def _thumbnail_of(kf: Keyframe) -> NDArray[np.float32]:
    if kf.thumbnail is None:
        kf.thumbnail = thumbnail(kf.image)
    return kf.thumbnail
