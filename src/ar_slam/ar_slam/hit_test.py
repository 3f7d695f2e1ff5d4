"""What a pixel shows of the planes there are: a place, how well it is known, or in words why there is none."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ar_core.geometry import Array, Intrinsics, pose
from ar_slam.planes import outline
from ar_slam.results import Result, State
from ar_slam.surfaces import Surface

PIXEL_PX = 0.5  # by which a finger or a detector is off at least
FAR = 30.0  # camera heights: what is farther away is the horizon
LENGTHS = (1e-3, 1e3)  # factors of scale that make sense


@dataclass(frozen=True)
class Hit:
    """A place on a plane.

    T_map_place (4, 4): z is the plane's normal, x points along the plane to the camera. covariance (6, 6) in ROS order, of
    the place in ``map``, metres and radians: from the camera's pose, the points that make the plane, and half a pixel.
    plane: "ground", "assumed" where nothing is measured yet, or "surface 3" of another plane by its id. inside: within the
    outline of what was seen of it.
    doubt: what speaks against relying on it, in words, or empty.
    """

    T_map_place: Array
    covariance: Array
    plane: str
    inside: bool
    doubt: str


def hit_test(pixel: tuple[float, float], intrinsics: Intrinsics, seen: Result, X: Array) -> Hit | str:
    """The place that a pixel (x, y) of a picture shows, in words why there is none.

    It is on the first plane along the ray that was seen there; on z = 0 where none was. seen: what was known after that
    picture; X (n, 3): the map's points on z = 0.
    """
    u, v = pixel
    w, h = intrinsics.width, intrinsics.height
    if not (np.isfinite(pixel).all() and -0.5 <= u <= w - 0.5 and -0.5 <= v <= h - 0.5):
        return f"pixel {u:g}, {v:g} is outside of the picture of {w}x{h}"
    T, C = seen.T_map_camera, seen.covariance
    if T is None or C is None:
        return f"the camera is lost: {seen.reason}"
    centre, normal = T[:3, 3], seen.plane.normal
    rays = intrinsics.rays(np.array([[u, v], [u - 0.5, v], [u + 0.5, v], [u, v - 0.5], [u, v + 0.5]])) @ T[:3, :3].T
    d, turn = rays[0], np.column_stack([rays[2] - rays[1], rays[4] - rays[3]])
    if not np.isfinite(rays).all():
        return "this pixel shows what is beside the camera: point nearer to the middle"
    s = _along(normal, seen.plane.distance, centre, d)
    height = float(normal @ centre) - seen.plane.distance
    ground_seen = s > 0 and np.isfinite(s) and _inside(centre + s * d, X)
    others = sorted(
        (_along(o.normal, o.distance, centre, d), i) for i, o in enumerate(seen.surfaces) if o.normal @ d < 0
    )
    for r, i in others:
        if r > 0 and (r < s or not ground_seen) and seen.surfaces[i].contains(centre + r * d):
            return _on_surface(seen, T, C, d, turn, r, seen.surfaces[i])
    if s <= 0 or s * float(np.linalg.norm(d)) > FAR * abs(height):
        return "this pixel shows what is above the horizon of the plane: point lower"
    p = centre + s * d
    inside = _inside(p, X)
    covariance, spread = _covariance(T, C, d, turn, s, normal, *plane_uncertainty(X, p))
    doubts = []
    if seen.plane_assumed:
        doubts.append("the plane is assumed: move the camera sideways to measure it")
    elif not inside:
        doubts.append("beyond what was seen of the plane")
    doubts += _doubts(seen, spread, height)
    plane = "assumed" if seen.plane_assumed else "ground"
    return Hit(_upright(p, normal, centre, T), covariance, plane, inside, "; ".join(doubts))


def _on_surface(seen: Result, T: Array, C: Array, d: Array, turn: Array, s: float, on: Surface) -> Hit:
    p = T[:3, 3] + s * d
    lift = on.deviation**2 + (on.tilt * float(np.linalg.norm(p - on.outline.mean(0)))) ** 2
    covariance, spread = _covariance(T, C, d, turn, s, on.normal, lift, on.tilt**2)
    doubts = _doubts(seen, spread, s * float(np.linalg.norm(d)))
    return Hit(_upright(p, on.normal, T[:3, 3], T), covariance, f"surface {on.id}", True, "; ".join(doubts))


def _along(normal: Array, distance: float, centre: Array, d: Array) -> float:
    """How many d (3,) it is from a centre (3,) to a plane; infinite where they are parallel."""
    along = float(normal @ d)
    return (distance - float(normal @ centre)) / along if abs(along) > 1e-9 else np.inf


def _doubts(seen: Result, spread: float, reach: float) -> list[str]:
    """What speaks against a place that is known to within spread metres, at a reach of so many."""
    doubts = [f"tracking is weak: {seen.reason}"] if seen.state == State.WEAK else []
    return [*doubts, f"known to {100 * spread:.0f} cm only"] if spread > 0.1 * abs(reach) else doubts


def _covariance(
    T: Array, C: Array, d: Array, turn: Array, s: float, normal: Array, lift: float, tilt: float
) -> tuple[Array, float]:
    """Covariance (6, 6) of a place centre + s d on the plane, and its largest deviation in metres.

    turn (3, 2): by what d changes a pixel to the right, and down; lift, tilt: variances of the plane's height there, and of
    its tilt.
    """
    onto = np.eye(3) - np.outer(d, normal) / float(normal @ d)  # what moves the ray moves the place along the plane
    J = np.zeros((3, 6))
    J[:, :3] = onto
    J[:, 3:] = -s * onto @ _cross(d)
    by_pixel = s * onto @ turn * PIXEL_PX
    by_plane = d / float(normal @ d)
    out = np.zeros((6, 6))
    out[:3, :3] = J @ C @ J.T + by_pixel @ by_pixel.T + lift * np.outer(by_plane, by_plane)
    out[3, 3] = out[4, 4] = tilt
    return out, float(np.sqrt(np.linalg.eigvalsh(out[:3, :3])[-1]))


def plane_uncertainty(X: Array, p: Array) -> tuple[float, float]:
    """Variances of the plane's height at a place p (3,), square metres, and of its tilt, square radians.

    Of a plane fitted to points X (n, 3) near z = 0, with the noise that they show; zero where there are too few to tell.
    """
    if len(X) < 6:
        return 0.0, 0.0
    centre = X[:, :2].mean(0)
    A = np.column_stack([np.ones(len(X)), X[:, :2] - centre])
    noise = float(np.var(X[:, 2])) * len(X) / (len(X) - 3)
    D = noise * np.linalg.pinv(A.T @ A)
    at = np.array([1.0, *(p[:2] - centre)])
    return float(at @ D @ at), float(np.linalg.eigvalsh(D[1:, 1:])[-1])


def _inside(p: Array, X: Array) -> bool:
    hull = outline(X)
    if len(hull) < 3:
        return False
    return cv2.pointPolygonTest(hull[:, :2].astype(np.float32), (float(p[0]), float(p[1])), False) >= 0


def _upright(p: Array, normal: Array, centre: Array, T: Array) -> Array:
    """A frame at p: z along the normal, x along the plane to the camera (of one that looks straight down: its lower edge)."""
    x = centre - p
    x -= normal * float(normal @ x)
    if np.linalg.norm(x) < 1e-6:
        x = T[:3, 1] - normal * float(normal @ T[:3, 1])
    x /= np.linalg.norm(x)
    return pose(np.column_stack([x, np.cross(normal, x), normal]), p)


def _cross(a: Array) -> Array:
    return np.array([[0, -a[2], a[1]], [a[2], 0, -a[0]], [-a[1], a[0], 0]])


def factor_of_distance(
    metres: float, a: tuple[float, float], b: tuple[float, float], intrinsics: Intrinsics, seen: Result, X: Array
) -> float:
    """By what the map is to be scaled, so that what pixels a and b show on the plane is so many metres apart.

    ValueError, in words, where one of them shows nothing of it, or both the same.
    """
    ends = []
    for pixel in (a, b):
        hit = hit_test(pixel, intrinsics, seen, X)
        if isinstance(hit, str):
            raise ValueError(hit)
        ends.append(hit.T_map_place[:3, 3])
    apart = float(np.linalg.norm(ends[0] - ends[1]))
    if np.hypot(a[0] - b[0], a[1] - b[1]) < 10:
        raise ValueError("the two pixels are less than 10 px apart: choose two that are farther from each other")
    return checked_factor(metres / apart)


def checked_factor(factor: float) -> float:
    """A factor of scale; ValueError, in words, for one that cannot be meant."""
    if not (np.isfinite(factor) and LENGTHS[0] <= factor <= LENGTHS[1]):
        raise ValueError(f"scale: a factor of {factor:g} cannot be meant ({LENGTHS[0]:g} to {LENGTHS[1]:g} can)")
    return factor
