"""The map put right around its newest keyframe, in the mapping thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ar_core.geometry import Array
from ar_slam import mapping
from ar_slam.background import Background
from ar_slam.bundle import Adjusted
from ar_slam.keyframes import MAPPED, Features, Keyframe, Map, Window, local_window
from ar_slam.markers import Finder, Sighting
from ar_slam.pose import Mask
from ar_slam.relocalisation import describe
from ar_slam.surfaces import Surface, find_surfaces
from ar_slam.tracking import Tracker

SURFACES_EVERY = 3  # keyframes: a search costs as much as three pictures


@dataclass(frozen=True)
class Around:
    """What else there is in a map, as copies: all points X (n, 3), which of them have a place (n,), and its surfaces."""

    X: Array
    mapped: Mask
    surfaces: tuple[Surface, ...]

    @staticmethod
    def of(m: Map) -> Around:
        """Of a map as it is now."""
        return Around(m.X.copy(), m.status == MAPPED, m.surfaces)


@dataclass(frozen=True)
class Improved:
    """The window adjusted, what its newest keyframe is recognised by, the markers in it, and the surfaces there are."""

    adjusted: Adjusted
    features: Features
    sightings: list[Sighting]
    surfaces: tuple[Surface, ...]


def improve(
    K: Array, window: Window, height: float, newest: Keyframe, finder: Finder | None, around: Around
) -> Improved:
    """K (3, 3); height: of the camera over the plane, metres; finder: of markers, where any are looked for."""
    sightings = [] if finder is None else finder(newest.key, newest.image)
    adjusted = mapping.adjust(K, window, height)
    around.X[window.ids] = adjusted.X
    centre = np.median(-np.matmul(np.swapaxes(adjusted.R, 1, 2), adjusted.t[:, :, None])[:, :, 0], axis=0)
    surfaces = around.surfaces
    if newest.key % SURFACES_EVERY == 0:
        surfaces = find_surfaces(around.X[around.mapped], centre, height, around.surfaces)
    return Improved(adjusted, describe(newest.image, newest.ids, newest.uv), sightings, surfaces)


class Improver:
    """Has a map put right beside the tracking. key: of the last keyframe around which that was done."""

    def __init__(self, K: Array, background: Background) -> None:
        self.K, self.key = K, 0
        self._background = background

    def start(self, frame: int, m: Map, height: float, finder: Finder | None) -> None:
        """Begin, where there is a new keyframe and the last work is done."""
        newest = m.keyframes[-1]
        if self._background.busy or newest.key == self.key:
            return
        self.key = newest.key
        window = local_window(m)
        if window is not None:
            args = (self.K, window, height, newest, finder, Around.of(m))
            self._background.submit("adjust", frame, (window, newest), improve, *args)

    def take(self, frame: int, tracker: Tracker, height: float) -> list[Sighting] | None:
        """Take over what is done by now, into the map and the tracker; the markers seen, None where nothing is done."""
        done = self._background.take(frame)
        if done is None:
            return None
        window, newest = done[1]
        improved: Improved = done[2]
        newest.features, tracker.map.surfaces = improved.features, improved.surfaces
        mapping.apply(tracker.map, tracker, window, improved.adjusted, height)
        tracker.forget_dead()
        return improved.sightings
