"""Who is on stage: a character with its home, and the views it was seen in."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from math import hypot
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Plane, hit_plane, pose, transform

from .behaviour import Behaviour
from .emission import Emission
from .feet import Foot
from .hole import Table
from .layout import Body
from .model import Model
from .plane_view import View

Array = NDArray[Any]


@dataclass(frozen=True)
class Entrance:
    """A character that is to appear: ``stamp`` of the picture it was made from, height in metres, and where it stands:
    T_map_character with its map, or the pixels (n, 2) of that picture where its object touches the table."""

    id: str
    stamp: int
    height: float
    footprint: Array
    T_map_character: Array | None = None
    map_id: int = 0


@dataclass
class Actor:
    """A character on stage. spot and ahead: (3,) its home and where it looks there; origin (3,): where its object stood; all in
    map ``map_id``; born: stamp."""

    id: str
    body: Body
    behaviour: Behaviour
    spot: Array
    ahead: Array
    origin: Array
    map_id: int
    born: int
    scale: float = 1.0
    radius: float = 0.0  # of the room it takes up, in the metres of its file
    feet: tuple[Foot, ...] = ()
    emission: Emission | None = None
    gaze: tuple[float, Array] | None = None  # until when, and at what point of map
    table: Table | None = None  # what is seen where its object stood
    study: Future[Table] | None = None
    level: Array | None = None  # the light when it was photographed

    def home(self, plane: Plane) -> Array:
        """T_map_home (4, 4), standing on the plane as it is known now."""
        z = np.asarray(plane.normal)
        x = self.ahead - z * float(z @ self.ahead)
        x = x / max(float(np.linalg.norm(x)), 1e-9)
        origin = self.spot + z * (plane.distance - float(z @ self.spot))
        return pose(np.column_stack([x, np.cross(z, x), z]), origin)

    @property
    def height(self) -> float:
        """Metres, in the map as it is now."""
        return self.behaviour.traits.height * self.scale

    def seconds(self, stamp: int) -> float:
        return max(0.0, (stamp - self.born) / 1e9)


@dataclass(frozen=True)
class Seen:
    """A view that was drawn, the map it is in and what the plane's known extent was, (n, 3) in map; sure: that it is in
    this map was told with this very picture."""

    view: View
    map_id: int
    extent: Array = field(default_factory=lambda: np.zeros((0, 3)))
    sure: bool = True


def stride_of(model: Model, height: float) -> float:
    """Metres per cycle of the walk, as the file's extras tell it."""
    clips = model.extras.get("clips")
    walk = clips.get("walk", {}) if isinstance(clips, dict) else {}
    stride = walk.get("stride_m", model.extras.get("stride_m", 0.0)) if isinstance(walk, dict) else 0.0
    return float(stride) if isinstance(stride, int | float) and stride > 0 else 0.5 * height


def own_clips(model: Model) -> dict[str, bool]:
    """Clips that the file's extras call a pastime, and whether they are loops."""
    clips = model.extras.get("clips")
    told = clips if isinstance(clips, dict) else {}
    mine = {name: clip for name, clip in told.items() if isinstance(clip, dict) and clip.get("pastime") is True}
    return {name: clip.get("loop") is True for name, clip in mine.items() if name in model.clips}


def standing_place(entrance: Entrance, view: View) -> Array:
    """(3,): the middle of where its object touches the table in this view; ValueError when that is not on the table."""
    feet = np.asarray(entrance.footprint, np.float64).reshape(-1, 2)
    if len(feet) == 0:
        feet = np.array([[0.5 * view.intrinsics.width, 0.7 * view.intrinsics.height]])
    hits = hit_plane(feet, view.intrinsics, view.T_map_camera, view.plane)
    hits = hits[np.isfinite(hits).all(1)]
    if len(hits) == 0:  # it hangs on a wall: let it stand in the middle of what is seen of the table
        centre = np.array([[0.5 * view.intrinsics.width, 0.75 * view.intrinsics.height]])
        hits = hit_plane(centre, view.intrinsics, view.T_map_camera, view.plane)
        if not np.isfinite(hits).all():
            raise ValueError(
                f"character {entrance.id}: its footprint does not lie on the table, nor is the table in view"
            )
    return np.asarray(0.5 * (hits.min(0) + hits.max(0)))


def towards_camera(spot: Array, view: View) -> Array:
    """(3,): on the plane, from a spot of it to the camera."""
    d = view.T_map_camera[:3, 3] - spot
    d = d - view.plane.normal * float(view.plane.normal @ d)
    if float(np.linalg.norm(d)) < 1e-6:  # straight from above: towards the lower edge of the picture
        d = -view.T_map_camera[:3, 1]
    return np.asarray(d / np.linalg.norm(d))


def inside(T_home_map: Array, extent: Array, place: tuple[float, float]) -> bool:
    """Is the place inside the convex outline (n, 3) of map, seen from the home's frame?"""
    p = transform(T_home_map, extent)[:, :2] - np.array(place)
    q = np.roll(p, -1, axis=0)
    cross = p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]
    return bool((cross >= 0).all() or (cross <= 0).all()) or hypot(*place) < 1e-9
