"""What the mapping thread does with a new keyframe."""

from __future__ import annotations

from ar_core.geometry import Array
from ar_slam import mapping
from ar_slam.bundle import Adjusted
from ar_slam.keyframes import Keyframe, Window
from ar_slam.markers import Finder, Sighting
from ar_slam.relocalisation import Features, describe


def improve(
    K: Array, window: Window, height: float, newest: Keyframe, finder: Finder | None
) -> tuple[Adjusted, Features, list[Sighting]]:
    """The cameras and points around it adjusted, what it is recognised by, and the markers in it (none without a finder).

    K (3, 3); height: of the camera over the plane, metres.
    """
    sightings = [] if finder is None else finder(newest.key, newest.image)
    return mapping.adjust(K, window, height), describe(newest.image, newest.ids, newest.uv), sightings
