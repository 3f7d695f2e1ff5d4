"""From the messages of bags, ROS 1 or 2, to pictures and calibrations."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Intrinsics

DEEP = {"mono16", "16UC1", "32FC1"}  # one number per pixel, of a range that only the pictures know
NAMELESS = {"8UC1", "8UC3"}  # as OpenCV has them: grey; blue, green, red
DEPTH = {"16UC1", "32FC1"}  # nobody's first choice to look at


class Decoder:
    """Makes (H, W, 3) uint8 bgr8 of Image and CompressedImage messages; deep ones in the range that the first one has."""

    def __init__(self) -> None:
        from cv_bridge import CvBridge

        self._bridge = CvBridge()
        self._range: tuple[float, float] | None = None

    def __call__(self, message: Any) -> NDArray[np.uint8]:
        """The picture; ValueError, in words, if there is none in the message."""
        name = str(getattr(message, "encoding", getattr(message, "format", "?")))[:40]
        try:
            if hasattr(message, "format"):
                return np.asarray(self._bridge.compressed_imgmsg_to_cv2(message, "bgr8"), np.uint8)
            if message.encoding in DEEP:
                return self._shallow(np.asarray(self._bridge.imgmsg_to_cv2(message, "passthrough")))
            if message.encoding in NAMELESS:
                plain = np.asarray(self._bridge.imgmsg_to_cv2(message, "passthrough"), np.uint8)
                return plain if plain.ndim == 3 else np.asarray(cv2.cvtColor(plain, cv2.COLOR_GRAY2BGR), np.uint8)
            return np.asarray(self._bridge.imgmsg_to_cv2(message, "bgr8"), np.uint8)
        except Exception as error:  # whatever OpenCV or numpy makes of damaged sizes
            raise ValueError(f"'{name}': {' '.join(str(error).split())[:120]}") from None

    def _shallow(self, image: NDArray[Any]) -> NDArray[np.uint8]:
        values = np.nan_to_num(image.astype(np.float32), posinf=0, neginf=0)
        if self._range is None:
            low, high = np.percentile(values, [0.5, 99.5])
            self._range = float(low), max(float(high), float(low) + 1e-6)
        low, high = self._range
        grey = np.clip((values - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
        return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)


def intrinsics_of(message: Any) -> Intrinsics:
    """The calibration of a CameraInfo message; ValueError, in words, if it has none that can be used."""
    k = message.k if hasattr(message, "k") else message.K
    d = message.d if hasattr(message, "d") else message.D
    if not np.any(k):
        raise ValueError("says that the camera is not calibrated")
    try:
        return Intrinsics.of_model(message.distortion_model, k, d, message.width, message.height)
    except ValueError as error:
        raise ValueError(f"cannot be used: {error}") from None


def stamp_of(message: Any, log_time: int) -> int:
    """Nanoseconds of the header, or of the recording where the driver has left it empty."""
    stamp = message.header.stamp
    return int(stamp.sec) * 10**9 + int(stamp.nanosec) or log_time
