"""One picture on its way through a stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from ar_core.conversions import image_from, intrinsics_from
from ar_core.geometry import Intrinsics


class Skip(Exception):  # noqa: N818 - not an error: a frame that is left out, and why
    """Raised by ``process`` for a frame that gets no result; the text says why."""


@dataclass(frozen=True)
class Frame:
    """One picture of the camera.

    image: (H, W, 3) uint8 bgr8, read-only; stamp: nanoseconds; received: CLOCK_MONOTONIC seconds.
    """

    header: Header
    stamp: int
    image: NDArray[np.uint8]
    intrinsics: Intrinsics
    received: float


@dataclass(frozen=True)
class Arrival:
    """A picture's (or only its calibration's) message as it came, not yet looked into: what is skipped costs nothing."""

    message: Image | CameraInfo
    stamp: int
    received: float

    def frame(self, calibration: Intrinsics | None) -> Frame:
        """The picture, with its calibration scaled to its size, or a guessed one; ValueError for a bad message."""
        if isinstance(self.message, CameraInfo):
            nothing = np.empty((0, 0, 3), np.uint8)
            known = intrinsics_from(self.message)
            known = known or Intrinsics.from_field_of_view(max(self.message.width, 1), max(self.message.height, 1))
            return Frame(self.message.header, self.stamp, nothing, known, self.received)
        image = image_from(self.message)
        image.flags.writeable = False
        height, width = image.shape[:2]
        if calibration is None:
            intrinsics = Intrinsics.from_field_of_view(width, height)
        elif (calibration.width, calibration.height) != (width, height):
            intrinsics = calibration.scaled(width, height)
        else:
            intrinsics = calibration
        return Frame(self.message.header, self.stamp, image, intrinsics, self.received)
