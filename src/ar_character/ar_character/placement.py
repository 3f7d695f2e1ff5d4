"""Where a cut-out object stands and how high it is, from one picture, a pose and the plane.

The object is taken for something upright on a round foot. Its lowest pixel is the front of the foot; how wide the mask
is there says how large the foot is, hence how far behind that pixel its centre lies. The height is that of the vertical
line on the centre whose top is seen at the top of the mask: a figure of that height ends where the object ended in the
picture. (Seen from above, the far edge of a flat top counts: a can 8 cm wide and 10 cm high is 12 cm at 30 degrees.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array, Intrinsics, Plane, hit_plane, pose

SMALLEST, LARGEST = 0.01, 3.0  # metres that an object on a table or floor may be high
THINNEST, SLIMMEST = 0.12, 12.0  # height in widths
ASSUMED_DISTANCE = 0.6  # metres to an object when nobody knows where the camera is
CIRCLE = np.stack([np.cos(np.arange(0, 2 * np.pi, np.pi / 32)), np.sin(np.arange(0, 2 * np.pi, np.pi / 32))], 1)


@dataclass(frozen=True)
class Placement:
    """T_map_character (4, 4): origin where the foot's centre touches the plane, z away from it, x toward the camera.

    object_height, foot_radius: metres; footprint (2,): the origin in pixels of the picture; top_share: the part
    of the mask's height that shows the object's top side; note: why the height is not
    what was measured, empty if it is.
    """

    T_map_character: Array
    object_height: float
    foot_radius: float
    footprint: Array
    top_share: float
    note: str = ""


def place(
    alpha: NDArray[np.uint8], corner: tuple[float, float], intrinsics: Intrinsics, T_map_camera: Array, plane: Plane
) -> Placement:
    """Place an object: alpha (h, w) uint8 of its cut-out, whose top left pixel is pixel `corner` of the picture.

    Raises ValueError where alpha is empty, the camera is not above the plane, or the object is not in front of it.
    """
    camera = T_map_camera[:3, 3]
    above = float(plane.normal @ camera - plane.distance)
    if not np.isfinite(T_map_camera).all() or above <= 1e-6:
        raise ValueError(
            f"placement: the camera is {above:.3f} m above the plane; is the plane's normal turned around?"
        )
    view = _View(alpha, corner, intrinsics, T_map_camera, plane)
    radius, centre, roundness = _foot(view)
    height, width = _height(view, centre)
    height, note = _sane(height, width)
    toward = camera - centre
    toward -= plane.normal * float(plane.normal @ toward)
    length = float(np.linalg.norm(toward))
    x = toward / length if length > 1e-9 else _any_across(plane.normal)
    T = pose(np.column_stack([x, np.cross(plane.normal, x), plane.normal]), centre)
    return Placement(
        T,
        height,
        radius,
        intrinsics.project(centre[None], T_map_camera)[0],
        _top_share(view, centre + height * plane.normal, roundness),
        note,
    )


def assumed_height(alpha: NDArray[np.uint8], intrinsics: Intrinsics) -> float:
    """Height (metres) of an object at `ASSUMED_DISTANCE`, for when there is no pose; ValueError if alpha is empty."""
    rows = np.flatnonzero((alpha > 127).any(1))
    if not len(rows):
        raise ValueError("placement: the cut-out is empty")
    return float(np.clip((rows[-1] + 1 - rows[0]) / intrinsics.fy * ASSUMED_DISTANCE, SMALLEST, LARGEST))


class _View:
    """The mask, turned so that the plane's normal points up in it, and the same without handles.

    Positions (column, row) are px of the turned mask.
    """

    def __init__(
        self,
        alpha: NDArray[np.uint8],
        corner: tuple[float, float],
        intrinsics: Intrinsics,
        T_map_camera: Array,
        plane: Plane,
    ) -> None:
        self.intrinsics, self.T_map_camera, self.plane = intrinsics, T_map_camera, plane
        v, u = np.nonzero(_largest(alpha))
        if not len(u):
            raise ValueError("placement: the cut-out is empty")
        low = int(np.argmax(v))
        self.to_picture = np.array([[1.0, 0, corner[0]], [0, 1, corner[1]]])
        ground = self.hit(float(u[low]), v[low] + 0.5)
        reach = 0.02 * float(np.linalg.norm(ground - T_map_camera[:3, 3]))
        foot, tip = intrinsics.project(np.stack([ground, ground + reach * plane.normal]), T_map_camera)
        angle = float(np.arctan2(tip[0] - foot[0], foot[1] - tip[1]))  # 0: up in the picture
        if not np.isfinite(angle) or np.hypot(*(tip - foot)) < 0.2:
            angle = 0.0  # seen from straight above the vertical has no direction: the picture's own will do
        self.mask = self._turn(alpha, angle)
        rows = np.flatnonzero(self.mask.any(1))
        if not len(rows):
            raise ValueError("placement: the cut-out is empty")
        self.body = _without_handles(self.mask)
        self.top, self.bottom = float(rows[0]) - 0.5, float(rows[-1]) + 0.5

    def _turn(self, alpha: NDArray[np.uint8], angle: float) -> NDArray[np.bool_]:
        if abs(angle) < 0.005:
            return _largest(alpha)
        h, w = alpha.shape
        c, s = np.cos(angle), np.sin(angle)
        side = int(np.ceil(np.hypot(h, w))) + 2
        back = np.array([[c, -s], [s, c]])  # turned px to px of the cut-out
        shift = np.array([(w - 1) / 2, (h - 1) / 2]) - back @ np.full(2, (side - 1) / 2)
        to_cutout = np.column_stack([back, shift])
        self.to_picture = np.column_stack([back, shift + self.to_picture[:, 2]])
        return _largest(cv2.warpAffine(alpha, to_cutout, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP))

    def ray(self, column: float, row: float) -> Array:
        """(3,) direction in map of a position's ray."""
        pixel = self.to_picture @ [column, row, 1.0]
        return np.asarray(self.T_map_camera[:3, :3] @ self.intrinsics.rays(pixel[None])[0])

    def hit(self, column: float, row: float) -> Array:
        """(3,) where a position's ray meets the plane."""
        pixel = self.to_picture @ [column, row, 1.0]
        point = hit_plane(pixel[None], self.intrinsics, self.T_map_camera, self.plane)[0]
        if not np.isfinite(point).all():
            raise ValueError(
                f"placement: the object's foot at pixel ({pixel[0]:.0f}, {pixel[1]:.0f}) is above the plane's horizon; "
                "it does not stand on it"
            )
        return np.asarray(point)

    def seen(self, points: Array) -> Array:
        """(n, 2) positions of points (n, 3) in map."""
        pixels = self.intrinsics.project(points, self.T_map_camera)
        return np.asarray((pixels - self.to_picture[:, 2]) @ self.to_picture[:, :2])

    def run(self, row: float, column: float | None = None) -> tuple[float, float]:
        """Ends of the mask without handles in a row: of the piece nearest to a column, or of all of it."""
        i = int(np.clip(round(row), self.top + 0.5, self.bottom - 0.5))
        return _ends(self.body[i] if self.body[i].any() else self.mask[i], column)

    def widest(self, centre: Array, radius: float) -> tuple[float, float]:
        """Width in px of a circle around centre parallel to the plane, and the row where it is widest."""
        a = _any_across(self.plane.normal)
        circle = self.seen(centre + radius * (CIRCLE @ np.stack([a, np.cross(self.plane.normal, a)])))
        row = circle[[circle[:, 0].argmin(), circle[:, 0].argmax()], 1].mean()
        return float(np.ptp(circle[:, 0])), float(row)


def _foot(view: _View) -> tuple[float, Array, float]:
    """Radius of the foot, its centre (3,) on the plane, and how much the object is a ball (0..1)."""
    middle = 0.5 * sum(view.run(view.bottom - 0.5))
    front = view.hit(middle, view.bottom)
    away = front - view.T_map_camera[:3, 3]
    metres_per_px = float(np.linalg.norm(away)) / view.intrinsics.fx
    steep = float(np.arcsin(np.clip(-(view.plane.normal @ away) / np.linalg.norm(away), 0, 1)))
    lower = [view.run(row, middle) for row in np.linspace(0.5 * (view.top + view.bottom), view.bottom, 12)]
    radius = 0.5 * max(right - left for left, right in lower) * metres_per_px
    for _ in range(14):  # from above: the largest foot that is as wide as the mask at the height of its centre
        drawn, row = view.widest(_behind(view, middle, radius), radius)
        left, right = view.run(row, middle)
        middle = 0.5 * (left + right)
        radius *= float(np.clip((right - left) / max(drawn, 1e-9), 0.5, 2.0))
    rise = view.bottom - view.widest(_behind(view, middle, radius), radius)[1]
    roundness, width = _roundness(view.body, rise)
    ball = 0.5 * width * metres_per_px
    # A ball touches the plane in one point, which lies R tan(a / 2) behind where the ray past its lower edge arrives.
    radius += roundness * (ball * float(np.tan(steep / 2)) - radius)
    return radius, _behind(view, middle, radius), roundness


def _behind(view: _View, column: float, radius: float) -> Array:
    """Centre (3,) of a circle on the plane whose nearest point is seen in the mask's lowest row."""
    front = view.hit(column, view.bottom)
    away = front - view.T_map_camera[:3, 3]
    away = away - view.plane.normal * float(view.plane.normal @ away)
    length = float(np.linalg.norm(away))
    return np.asarray(front + (radius / length * away if length > 1e-9 else 0.0))


def _roundness(body: NDArray[np.bool_], rise: float) -> tuple[float, float]:
    """How much a body looks like a ball (1), not like a can whose foot rises so many px (0); and its width, px."""
    rows, columns = np.flatnonzero(body.any(1)), np.flatnonzero(body.any(0))
    height, width = float(np.ptp(rows)) + 1, float(np.ptp(columns)) + 1
    filled = float(body.sum()) / (height * width)
    can = 1 - (1 - np.pi / 4) * min(1.0, 2 * rise / height)
    share = float(np.clip((can - filled) / max(can - np.pi / 4, 0.03), 0, 1))
    step = int(np.clip(rise, 1, 0.3 * height))
    lower, upper = (float(np.ptp(_ends(body[row]))) for row in (rows[-1] - step, rows[0] + step))
    alike = max(0.0, 1 - 3 * abs(np.log(max(upper, 1) / max(lower, 1))))  # a cup is wider above, a ball is not
    contour = max(cv2.findContours(body.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=len)
    around = np.pi * (cv2.minEnclosingCircle(contour)[1] + 0.5) ** 2
    circular = float(np.clip((body.sum() / around - 0.82) / 0.06, 0, 1))  # a box seen over its corner is not
    return share * alike * circular, width


def _without_handles(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask opened with a disc of a fifth of its size; the mask itself where that would take away too much."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    size = int(0.2 * min(np.ptp(rows), np.ptp(columns))) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    border = cv2.copyMakeBorder(mask.astype(np.uint8), size, size, size, size, cv2.BORDER_CONSTANT)
    opened = _largest(255 * cv2.morphologyEx(border, cv2.MORPH_OPEN, kernel)[size:-size, size:-size])
    low = np.flatnonzero(opened.any(1))
    if opened.sum() < 0.75 * mask.sum() or low[-1] < rows[-1] - 0.04 * np.ptp(rows):
        return mask
    return opened


def _height(view: _View, centre: Array) -> tuple[float, float]:
    """Height over the foot's centre at which the mask ends, and the mask's greatest width there, metres."""
    camera = view.T_map_camera[:3, 3]
    ray = view.ray(0.5 * sum(view.run(view.top + 0.5)), view.top)
    widths = [right - left for left, right in (view.run(r) for r in np.linspace(view.top, view.bottom, 9)[1:-1])]
    width = max(widths) * float(np.linalg.norm(centre - camera)) / view.intrinsics.fx
    return max(_meeting_height(camera, ray, centre, view.plane.normal), 1e-4), width


def _top_share(view: _View, top: Array, roundness: float) -> float:
    """The part of the mask's height that shows the far and near rim of a flat top and what is between; a ball has none."""
    high = view.bottom - view.top
    middle = 0.5 * (view.top + view.bottom)
    away = top - view.T_map_camera[:3, 3]
    steepness = float(np.clip(-(view.plane.normal @ away) / np.linalg.norm(away), 0, 1))
    rise = 0.5 * high
    for _ in range(10):  # a circle's half width is seen steepness times as high
        left, right = view.run(min(view.top + rise, middle))
        rise = min(0.5 * steepness * (right - left), 0.5 * high)
    return float((1 - roundness) * min(2 * rise / high, 0.6))


def _meeting_height(camera: Array, ray: Array, foot: Array, up: Array) -> float:
    """Height over foot (3,) where the vertical line through it comes nearest to a ray from the camera."""
    normal = np.cross(ray, np.cross(up, ray))  # of the plane that holds the ray and is across to the vertical
    slope = float(normal @ up)
    return float(normal @ (camera - foot)) / slope if abs(slope) > 1e-9 else 0.0


def _sane(height: float, width: float) -> tuple[float, str]:
    """The height within what an object of this width can be, and why it was changed."""
    low, high = max(SMALLEST, THINNEST * width), min(LARGEST, SLIMMEST * width)
    sane = float(np.clip(height, min(low, high), max(low, high)))
    if abs(sane - height) <= 1e-9:
        return height, ""
    return sane, f"measured {height:.3f} m high at {width:.3f} m width, which cannot be: taken as {sane:.3f} m"


def _ends(row: NDArray[np.bool_], column: float | None = None) -> tuple[float, float]:
    """Outer edges of a row's pixels, of the piece nearest to a column where one is given."""
    step = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(np.int8), [0]])))
    starts, stops = step[::2] - 0.5, step[1::2] - 0.5
    if column is None:
        return float(starts[0]), float(stops[-1])
    k = int(np.argmin(np.maximum(np.maximum(starts - column, column - stops), 0.0)))
    return float(starts[k]), float(stops[k])


def _largest(alpha: NDArray[Any]) -> NDArray[np.bool_]:
    n, labels, stats, _ = cv2.connectedComponentsWithStats((np.asarray(alpha) > 127).astype(np.uint8), connectivity=8)
    return np.asarray(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))) if n > 1 else labels > 0


def _any_across(normal: Array) -> Array:
    """A unit vector (3,) in the plane."""
    a = np.cross(normal, [0.0, 0.0, 1.0] if abs(normal[2]) < 0.9 else [1.0, 0.0, 0.0])
    return np.asarray(a / np.linalg.norm(a))
