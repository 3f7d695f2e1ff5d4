"""The topic contract stage by stage: what each hears, what it says and when. Types are in ``ar_tools.contract``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CAMERA = ("camera/image_raw", "camera/camera_info")
PICTURE = "the picture's"  # as frame: the same as in the picture's header


@dataclass(frozen=True)
class Output:
    """A topic that a stage publishes.

    each: a message for every picture (of which the stage does not report why there is none); frame: the frame_id, empty
    for any; encoding: of an image, which then has the picture's size; optional: the graph works without it.
    """

    each: bool = False
    frame: str = ""
    encoding: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Expected:
    """A stage: topics it hears, those it publishes, services that the graph cannot do without, and further ones."""

    hears: tuple[str, ...]
    says: Mapping[str, Output]
    serves: Mapping[str, str] = field(default_factory=dict)
    may_serve: Mapping[str, str] = field(default_factory=dict)

    @property
    def sees(self) -> bool:
        """Whether pictures drive it."""
        return "camera/image_raw" in self.hears

    @property
    def main(self) -> str:
        """The topic that it is there for."""
        return next(iter(self.says))


EXPECTED: dict[str, Expected] = {
    "detect": Expected(
        CAMERA,
        {"detections": Output(each=True, frame=PICTURE), "detect/label_info": Output(optional=True)},
    ),
    "segment": Expected(
        (*CAMERA, "detections"),
        {"segment/mask": Output(each=True, frame=PICTURE, encoding="mono8"), "segment/object": Output(frame=PICTURE)},
        {"segment/awaken": "ar_interfaces/srv/Awaken"},
    ),
    "slam": Expected(
        CAMERA,
        {
            "slam/pose": Output(frame="map"),
            "slam/status": Output(each=True),
            "slam/plane": Output(frame="map"),
            "slam/odometry": Output(optional=True),
            "slam/plane_outline": Output(frame="map", optional=True),
            "slam/points": Output(frame="map", optional=True),
            "/tf": Output(optional=True),
        },
    ),
    "character": Expected(
        ("camera/camera_info", "slam/pose", "slam/status", "slam/plane", "segment/object"),
        {"character/model": Output(frame="map")},
    ),
    "render": Expected(
        (*CAMERA, "slam/pose", "slam/status", "slam/plane", "segment/mask", "character/model"),
        {
            "render/image": Output(each=True, frame=PICTURE, encoding="bgr8"),
            "render/image/compressed": Output(each=True, frame=PICTURE),
        },
        may_serve={
            "render/act": "ar_interfaces/srv/Act",
            "render/place": "ar_interfaces/srv/Place",
            "render/remove": "ar_interfaces/srv/Remove",
        },
    ),
}
