"""The map: points, and the keyframes that see them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array
from ar_slam.bundle import Index
from ar_slam.flow import Grey, Pixels
from ar_slam.pose import Mask, project, rays, reprojection_errors
from ar_slam.shelf import SHELF
from ar_slam.surfaces import Surface

DEAD, CANDIDATE, MAPPED = -1, 0, 1
ALIVE = 0.8  # share of the points that are not dead, below which these are forgotten
SAMPLES = 30  # points by which a keyframe's view is compared


@dataclass(frozen=True)
class Features:
    """Descriptors (n, 32) uint8 of the map points ids (n,) as a keyframe shows them (ORB, Rublee et al. 2011)."""

    descriptors: NDArray[np.uint8]
    ids: NDArray[np.int_]


@dataclass
class Keyframe:
    """A picture whose camera R, t is part of the map, and the points ids (n,) seen in it at uv (n, 2)."""

    key: int
    image: Grey
    R: Array
    t: Array
    ids: NDArray[np.int_]
    uv: Pixels
    features: Features | None = None  # what relocalisation remembers of it
    thumbnail: NDArray[np.float32] | None = None

    @property
    def centre(self) -> Array:
        """Where the camera was (3,)."""
        return np.asarray(-self.R.T @ self.t)


@dataclass
class Map:
    """Points X (n, 3) with their state, and keyframes.

    status (n,): DEAD, CANDIDATE (seen, depth unknown) or MAPPED; flat (n,): lies on the plane z = 0; first_key (n,) and
    first_uv (n, 2): the keyframe that found the point, and where; hits, misses (n,): how it did since. surfaces: the planes
    there are beside z = 0.
    """

    X: Array = field(default_factory=lambda: np.zeros((0, 3)))
    status: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    flat: Mask = field(default_factory=lambda: np.zeros(0, bool))
    first_key: NDArray[np.int_] = field(default_factory=lambda: np.zeros(0, int))
    first_uv: Pixels = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    hits: NDArray[np.int_] = field(default_factory=lambda: np.zeros(0, int))
    misses: NDArray[np.int_] = field(default_factory=lambda: np.zeros(0, int))
    keyframes: list[Keyframe] = field(default_factory=list)
    surfaces: tuple[Surface, ...] = ()
    version: int = 0  # grows with every change of keyframes or points
    numbering: int = 0  # grows whenever points get other numbers
    _next_key: int = 0

    def add_points(self, uv: Pixels, key: int, X: Array | None = None, flat: Mask | None = None) -> NDArray[np.int_]:
        """New points first seen at uv (n, 2) in a keyframe: candidates, or MAPPED with X (n, 3). Returns their ids."""
        n, start = len(uv), len(self.X)
        known = X is not None
        self.X = np.concatenate([self.X, X if X is not None else np.zeros((n, 3))])
        self.status = np.concatenate([self.status, np.full(n, MAPPED if known else CANDIDATE, np.int8)])
        self.flat = np.concatenate([self.flat, flat if flat is not None else np.zeros(n, bool)])
        self.first_key = np.concatenate([self.first_key, np.full(n, key)])
        self.first_uv = np.concatenate([self.first_uv, uv.astype(np.float32)])
        self.hits = np.concatenate([self.hits, np.zeros(n, int)])
        self.misses = np.concatenate([self.misses, np.zeros(n, int)])
        return np.arange(start, start + n)

    def add_keyframe(self, image: Grey, R: Array, t: Array, ids: NDArray[np.int_], uv: Pixels) -> Keyframe:
        """Remember this picture and what is seen in it."""
        kf = Keyframe(self._next_key, SHELF.keep(image), R, t, ids.copy(), uv.astype(np.float32))
        self._next_key += 1
        self.keyframes.append(kf)
        self.version += 1
        return kf

    def mapped(self, ids: NDArray[np.int_]) -> Mask:
        """Which of the points ids (n,) have a place in space."""
        return np.asarray(self.status[ids] == MAPPED)

    @property
    def count(self) -> int:
        """Number of points with a place in space."""
        return int((self.status == MAPPED).sum())

    def points(self) -> tuple[Array, Array]:
        """Points with a place in space: (n, 3), and (n,) bool whether they lie on the plane."""
        mapped = self.status == MAPPED
        return self.X[mapped], self.flat[mapped]

    def transform(self, scale: float, T: Array) -> None:
        """Move the whole map: x -> T (4, 4) of scale * x."""
        A, b = T[:3, :3], T[:3, 3]
        self.X = scale * self.X @ A.T + b
        for kf in self.keyframes:
            kf.R, kf.t = transformed_camera(kf.R, kf.t, scale, T)
        self.surfaces = tuple(s.transformed(scale, T) for s in self.surfaces)
        self.version += 1

    def triangulate(self, K: Array, R: Array, t: Array, ids: NDArray[np.int_], uv: Pixels, flat_height: float) -> None:
        """Place those candidates among ids (n,), seen at uv (n, 2) from R, t, that have parallax enough."""
        waiting = self.status[ids] == CANDIDATE
        if not waiting.any():
            return
        ids, u1 = ids[waiting], uv[waiting].astype(np.float64)
        by_key = {kf.key: i for i, kf in enumerate(self.keyframes)}
        place = np.array([by_key.get(int(k), -1) for k in self.first_key[ids]])
        self.status[ids[place < 0]] = DEAD
        ids, u1, place = ids[place >= 0], u1[place >= 0], place[place >= 0]
        if len(ids) == 0:
            return
        R0 = np.array([kf.R for kf in self.keyframes])[place]
        t0 = np.array([kf.t for kf in self.keyframes])[place]
        u0 = self.first_uv[ids].astype(np.float64)
        c0 = -np.matmul(np.swapaxes(R0, 1, 2), t0[:, :, None])[:, :, 0]
        b = -R.T @ t - c0
        d0 = np.matmul(np.swapaxes(R0, 1, 2), rays(K, u0)[:, :, None])[:, :, 0]
        d1 = rays(K, u1) @ R
        d0 /= np.linalg.norm(d0, axis=1)[:, None]
        d1 /= np.linalg.norm(d1, axis=1)[:, None]
        cosine = (d0 * d1).sum(1)
        sine2 = np.maximum(1 - cosine**2, 1e-9)
        along0 = ((b * d0).sum(1) - (b * d1).sum(1) * cosine) / sine2
        along1 = ((b * d0).sum(1) * cosine - (b * d1).sum(1)) / sine2
        X = 0.5 * (c0 + along0[:, None] * d0 - R.T @ t + along1[:, None] * d1)
        e1 = reprojection_errors(K, R, t, X, u1)
        Xc0 = np.matmul(R0, X[:, :, None])[:, :, 0] + t0
        p0 = Xc0[:, :2] / np.where(np.abs(Xc0[:, 2:]) < 1e-9, 1e-9, Xc0[:, 2:]) * (K[0, 0], K[1, 1]) + (
            K[0, 2],
            K[1, 2],
        )
        e0 = np.hypot(*(p0 - u0).T)
        wide = cosine < np.cos(np.radians(2.0))
        ok = wide & (along0 > 0) & (along1 > 0) & (e0 < 1.2) & (e1 < 1.2)
        new, bad = ids[ok], ids[wide & ~ok]
        self.X[new], self.status[new], self.hits[new] = X[ok], MAPPED, 0
        self.flat[new] = np.abs(X[ok, 2]) < flat_height
        self.misses[bad] += 1
        self.status[bad[self.misses[bad] > 3]] = DEAD

    def rank(self, K: Array, size: tuple[int, int], R: Array, t: Array) -> list[tuple[int, float]]:
        """Indices of the keyframes that show what the camera R, t sees, from about there, with a score; best first."""
        if not self.keyframes:
            return []
        sample, count = self._samples()
        Rk = np.array([kf.R for kf in self.keyframes])
        tk = np.array([kf.t for kf in self.keyframes])
        X = self.X[sample]  # (k, SAMPLES, 3)
        p, z = project(K, R, t, X.reshape(-1, 3))
        seen = (z > 0) & (p[:, 0] > 0) & (p[:, 1] > 0) & (p[:, 0] < size[0]) & (p[:, 1] < size[1])
        a = X + R.T @ t
        b = X + np.matmul(np.swapaxes(Rk, 1, 2), tk[:, :, None])[:, :, 0][:, None]
        la, lb = np.linalg.norm(a, axis=2), np.linalg.norm(b, axis=2)
        cosine = (a * b).sum(2) / np.maximum(la * lb, 1e-12)
        value = (
            seen.reshape(cosine.shape)
            * np.clip(cosine - 0.6, 0, 1)
            * np.minimum(la, lb)
            / np.maximum(np.maximum(la, lb), 1e-12)
        )
        upright = 0.3 + 0.7 * np.clip(Rk[:, 0] @ R[0], 0, 1)
        score = count * value.mean(1) * upright * (Rk[:, 2] @ R[2] > 0.5) * (count >= 12)
        order = np.argsort(-score, kind="stable")
        return [(int(i), float(score[i])) for i in order if score[i] > 0]

    def _samples(self) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
        """For each keyframe SAMPLES ids of mapped points it sees, and their number; kept until the map changes."""
        cached = getattr(self, "_sample_cache", None)
        if cached is not None and cached[0] == self.version:
            return cached[1], cached[2]
        sample = np.zeros((len(self.keyframes), SAMPLES), int)
        count = np.zeros(len(self.keyframes), int)
        for i, kf in enumerate(self.keyframes):
            ids = kf.ids[self.status[kf.ids] == MAPPED]
            count[i] = len(ids)
            if len(ids):
                sample[i] = ids[np.linspace(0, len(ids) - 1, SAMPLES).astype(int)]
        self._sample_cache = (self.version, sample, count)
        return sample, count

    def forget_dead(self) -> NDArray[np.int_] | None:
        """Forget the points that are dead, once they are many; the new numbers (n,) of all points, -1 for these."""
        keep = self.status != DEAD
        if keep.sum() > ALIVE * len(keep):
            return None
        number = np.where(keep, np.cumsum(keep) - 1, -1)
        self.X, self.status, self.flat = self.X[keep], self.status[keep], self.flat[keep]
        self.first_key, self.first_uv = self.first_key[keep], self.first_uv[keep]
        self.hits, self.misses = self.hits[keep], self.misses[keep]
        for kf in self.keyframes:
            alive = keep[kf.ids]
            kf.ids, kf.uv = number[kf.ids[alive]], kf.uv[alive]
            if kf.features is not None:
                alive = keep[kf.features.ids]
                kf.features = Features(kf.features.descriptors[alive], number[kf.features.ids[alive]])
        self.version += 1
        self.numbering += 1
        return number

    def drop_redundant(self, limit: int) -> None:
        """Beyond limit keyframes, forget the most crowded one; never of the first two or the last three."""
        while len(self.keyframes) > limit:
            c = np.array([kf.centre for kf in self.keyframes])
            z = np.array([kf.R[2] for kf in self.keyframes])
            reach = max(1e-6, float(np.median(np.linalg.norm(c - np.median(c, 0), axis=1))))
            d = np.linalg.norm(c[:, None] - c[None], axis=2) / reach + 1 - z @ z.T
            d[np.diag_indices(len(d))] = np.inf
            crowded = np.sort(d, axis=1)[:, :2].sum(1)
            crowded[:2] = crowded[-3:] = np.inf
            self.keyframes.pop(int(np.argmin(crowded)))
            self.version += 1


@dataclass(frozen=True)
class Window:
    """What one local bundle adjustment works on: copies, so that it may run beside the tracking."""

    keys: list[int]
    R: Array
    t: Array
    fixed: Mask
    ids: NDArray[np.int_]
    X: Array
    flat: Mask
    camera: Index
    point: Index
    uv: Array
    images: list[Grey]  # of the keyframes


def local_window(m: Map, free: int = 7, held: int = 5) -> Window | None:
    """The keyframes that see most of the newest one's points, `free` of them; `held` more that see theirs stay fixed.

    While the map is young all its keyframes are free, also the first: what two near views said at first is not final.
    """
    if len(m.keyframes) < 2:
        return None
    seen = np.zeros(len(m.X), bool)
    newest = m.keyframes[-1]
    seen[newest.ids[m.mapped(newest.ids)]] = True
    shared = np.array([int(seen[kf.ids].sum()) for kf in m.keyframes])
    young = len(m.keyframes) <= free + held
    order = [int(i) for i in np.argsort(-shared, kind="stable") if shared[i] >= 15][: free + held if young else free]
    if len(order) < 2:
        return None
    wanted = np.zeros(len(m.X), bool)
    for i in order:
        wanted[m.keyframes[i].ids] = True
    wanted &= m.status == MAPPED
    shared = np.array([0 if i in order else int(wanted[kf.ids].sum()) for i, kf in enumerate(m.keyframes)])
    anchors = [] if young else [int(i) for i in np.argsort(-shared, kind="stable")[:held] if shared[i] >= 10]
    chosen = order + anchors
    fixed = np.r_[np.zeros(len(order), bool), np.ones(len(anchors), bool)]
    frames = [m.keyframes[i] for i in chosen]
    camera = np.concatenate([np.full(len(kf.ids), a) for a, kf in enumerate(frames)])
    ids = np.concatenate([kf.ids for kf in frames])
    uv = np.concatenate([kf.uv for kf in frames]).astype(np.float64)
    ok = wanted[ids]
    camera, ids, uv = camera[ok], ids[ok], uv[ok]
    ok = np.bincount(ids, minlength=len(m.X))[ids] > 1
    camera, ids, uv = camera[ok], ids[ok], uv[ok]
    if len(ids) < 60:
        return None
    used, point = np.unique(ids, return_inverse=True)
    R, t, images = np.array([kf.R for kf in frames]), np.array([kf.t for kf in frames]), [kf.image for kf in frames]
    return Window([kf.key for kf in frames], R, t, fixed, used, m.X[used], m.flat[used], camera, point, uv, images)


def transformed_camera(R: Array, t: Array, scale: float, T: Array) -> tuple[Array, Array]:
    """The camera R, t after its map went through x -> T of scale * x."""
    Rn = R @ T[:3, :3].T
    return Rn, scale * t - Rn @ T[:3, 3]
