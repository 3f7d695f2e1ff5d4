"""The other planes there are: box tops, walls, shelves, a floor, found among the map's points that are not on the ground.

One after the other by seeded RANSAC over neighbouring points; a surface is a connected patch of points with hardly any other
point close to it on either side, which tells it from a plane that happens to cut through clutter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array
from ar_slam.planes import least_squares_plane
from ar_slam.pose import Mask

MOST = 8  # surfaces
POINTS = 700  # among which they are looked for, at most
LEAST = 16  # points that make a surface
TRIES = 300
MISSES = 3  # times that nothing is found before it is left at that
NEIGHBOURS = 12
TOLERANCE = 0.012  # of the camera height: points this near to a plane are on it; the farther off, the more
LINK = 0.12  # of the camera height: points this near to each other belong together
TILT_DEG = 1.4  # by which its points leave it open how it is tilted, at most
OWN = 0.75  # share of the points close to a patch that have to be on it
SAME_DEG, SAME = 15.0, 0.06  # a surface is one that was known, turned by less and off by less (of the camera height)


@dataclass(frozen=True, eq=False)
class Surface:
    """A patch of the plane normal @ x == distance in ``map``, normal towards the camera; outline (k, 3) convex, on it.

    id: 1, 2, ...; it stays the same as long as the surface is found again. deviation in metres, by which its middle is known
    to be off its plane, and tilt in radians, by its points' scatter.
    """

    id: int
    normal: Array
    distance: float
    outline: Array
    deviation: float
    tilt: float

    def transformed(self, scale: float, T: Array) -> Surface:
        """After its map went through x -> T (4, 4) of scale * x."""
        normal = T[:3, :3] @ self.normal
        outline = scale * self.outline @ T[:3, :3].T + T[:3, 3]
        return replace(
            self,
            normal=normal,
            distance=scale * self.distance + float(normal @ T[:3, 3]),
            outline=outline,
            deviation=scale * self.deviation,
        )

    def contains(self, p: Array) -> bool:
        """Whether a point p (3,) of its plane is within its outline."""
        axes = _axes(self.normal)
        outline = ((self.outline - self.outline[0]) @ axes.T).astype(np.float32)
        x, y = (p - self.outline[0]) @ axes.T
        return cv2.pointPolygonTest(outline, (float(x), float(y)), False) >= 0


def find_surfaces(
    X: Array, centre: Array, camera_height: float, known: tuple[Surface, ...] = ()
) -> tuple[Surface, ...]:
    """Surfaces among points X (n, 3), metres, of a map with the ground z = 0, seen from around centre (3,).

    known: those found before; what is found again keeps its id. The same points give the same surfaces, bit for bit.
    """
    rng = np.random.default_rng(0)
    rest = X[np.abs(X[:, 2]) > 2 * TOLERANCE * camera_height]
    if len(rest) > POINTS:
        rest = rest[np.sort(rng.permutation(len(rest))[:POINTS])]
    distance = np.linalg.norm(rest - centre, axis=1)
    tolerance = TOLERANCE * np.maximum(camera_height, distance)
    link = LINK * np.maximum(camera_height, distance)
    apart = np.sqrt(sum((x[:, None] - x[None]) ** 2 for x in rest.T))
    left = np.ones(len(rest), bool)
    found: list[Surface] = []
    misses = 0
    while len(found) < MOST and left.sum() >= LEAST and misses < MISSES:
        patch = _largest(rng, rest, apart, tolerance, link, left)
        if patch is None:
            misses += 1
            continue
        left &= ~patch
        surface = _surface(rest, patch, tolerance, centre)
        if surface is not None:
            found.append(surface)
    return _named(found, known, camera_height)


def _largest(
    rng: np.random.Generator, X: Array, apart: Array, tolerance: Array, link: Array, left: Mask
) -> Mask | None:
    """The points (n,) of the largest connected patch that one of some random planes through neighbours has."""
    index = np.flatnonzero(left)
    near = apart[np.ix_(index, index)]
    order = np.argsort(near, axis=1, kind="stable")[:, 1 : NEIGHBOURS + 1]
    seed = rng.integers(0, len(index), TRIES)
    pick = np.stack([rng.permutation(order.shape[1])[:2] for _ in range(TRIES)])
    a, b, c = X[index[seed]], X[index[order[seed, pick[:, 0]]]], X[index[order[seed, pick[:, 1]]]]
    normals = np.cross(b - a, c - a)
    length = np.linalg.norm(normals, axis=1)
    longest = np.maximum(np.linalg.norm(b - a, axis=1), np.linalg.norm(c - a, axis=1))
    solid = length > 0.3 * longest**2
    normals, a, seed = normals[solid] / length[solid, None], a[solid], seed[solid]
    if len(normals) == 0:
        return None
    on = np.abs(X[index] @ normals.T - (normals * a).sum(1)) < tolerance[index][:, None]
    around = near[:, seed] < 4 * link[index][seed]
    best = int(np.argmax((on & around).sum(0)))
    start = int(index[seed[best]])
    normal, distance = normals[best], float(normals[best] @ a[best])
    patch = np.zeros(len(X), bool)
    for _ in range(3):
        patch = _connected(start, left & (np.abs(X @ normal - distance) < tolerance), apart, link)
        if patch.sum() < LEAST:
            return None
        normal, distance = least_squares_plane(X[patch], 1.0 / tolerance[patch] ** 2, normal)
        start = int(np.flatnonzero(patch)[np.argmin(np.abs(X[patch] @ normal - distance))])
    return patch


def _connected(start: int, among: Mask, apart: Array, link: Array) -> Mask:
    """Those of the points among (n,) that can be reached from one of them in steps no longer than link (n,)."""
    index = np.flatnonzero(among | (np.arange(len(among)) == start))
    near = apart[np.ix_(index, index)] < link[index][:, None]
    reached: NDArray[np.bool_] = index == start
    while True:
        more = reached | near[reached].any(0)
        if more.sum() == reached.sum():
            break
        reached = more
    out = np.zeros(len(among), bool)
    out[index[reached]] = True
    return out


def _surface(X: Array, patch: Mask, tolerance: Array, centre: Array) -> Surface | None:
    """The patch as a surface; None where it is a line, or there is as much beside it as on it."""
    P = X[patch]
    normal, distance = least_squares_plane(P, 1.0 / tolerance[patch] ** 2, centre - P.mean(0))
    axes = _axes(normal)
    flat = (P - P.mean(0)) @ axes.T
    narrow = float(np.sqrt(np.linalg.eigvalsh(np.cov(flat.T))[0]))
    deviation = float(np.std(P @ normal - distance)) / np.sqrt(len(P) - 3)
    if narrow < 1.5 * float(np.median(tolerance[patch])) or deviation > np.radians(TILT_DEG) * narrow:
        return None
    hull = cv2.convexHull(flat.astype(np.float32)).reshape(-1, 2)
    all_flat = ((X - P.mean(0)) @ axes.T).astype(np.float32)
    over = np.array([cv2.pointPolygonTest(hull, (float(x), float(y)), False) >= 0 for x, y in all_flat])
    close = over & (np.abs(X @ normal - distance) < 5 * tolerance)
    if patch.sum() < OWN * close.sum():
        return None
    on = P.mean(0) - normal * (float(normal @ P.mean(0)) - distance)
    return Surface(0, normal, distance, on + hull.astype(np.float64) @ axes, deviation, deviation / narrow)


def plane_frame(normal: Array, origin: Array) -> Array:
    """T_map_plane (4, 4): z along the normal (3,), at an origin (3,)."""
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = np.column_stack([*_axes(normal), normal]), origin
    return T


def _axes(normal: Array) -> Array:
    """Two directions (2, 3) that span the plane with this normal, right-handed with it."""
    helper = np.eye(3)[int(np.argmin(np.abs(normal)))]
    x = np.cross(helper, normal)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(normal, x)])


def _named(found: list[Surface], known: tuple[Surface, ...], camera_height: float) -> tuple[Surface, ...]:
    """What was found, with the ids of those known that it is again, and new ids for the others."""
    free = list(known)
    following = max((s.id for s in known), default=0) + 1
    out = []
    for surface in found:
        middle = surface.outline.mean(0)
        again = None
        for old in free:
            off = abs(float(old.normal @ middle) - old.distance)
            turned = float(old.normal @ surface.normal)
            beside = np.linalg.norm(middle - old.outline.mean(0))
            reach = float(np.linalg.norm(old.outline - old.outline.mean(0), axis=1).max())
            if turned > np.cos(np.radians(SAME_DEG)) and off < SAME * camera_height and beside < max(reach, 1e-9):
                again = old
                break
        if again is not None:
            free.remove(again)
            out.append(replace(surface, id=again.id))
        else:
            out.append(replace(surface, id=following))
            following += 1
    return tuple(out)
