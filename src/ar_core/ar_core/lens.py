"""How lenses bend rays, by the models that sensor_msgs/CameraInfo names.

``plumb_bob`` (k1, k2, p1, p2, k3) and ``rational_polynomial`` (three more) bend what a pinhole sees; ``equidistant``
(k1, k2, k3, k4; Kannala and Brandt 2006, OpenCV's fisheye) tells how far from the centre a ray at an angle to the axis falls,
and holds for lenses that see nearly all that is in front of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PLUMB_BOB, RATIONAL, EQUIDISTANT = "plumb_bob", "rational_polynomial", "equidistant"
MODELS = (PLUMB_BOB, RATIONAL, EQUIDISTANT)
COUNTS = {PLUMB_BOB: 5, RATIONAL: 8, EQUIDISTANT: 4}  # coefficients that a calibration file has


def checked(model: str, d: tuple[float, ...]) -> tuple[bool, tuple[float, ...]]:
    """Whether the lens is a fisheye, and its coefficients; ValueError for a model, or coefficients, that nobody here knows.

    An empty name means plumb bob; one with eight coefficients is taken as rational, as OpenCV takes it.
    """
    if model and model not in MODELS:
        raise ValueError(f"distortion model '{model[:40]}' is not supported ({', '.join(MODELS)} are)")
    fisheye = model == EQUIDISTANT
    most = COUNTS[EQUIDISTANT if fisheye else RATIONAL]
    if any(d[most:]):
        raise ValueError(f"distortion model '{model}' has {len(d)} coefficients; {most} are known")
    return fisheye, d[:most]


def distort(x: Array, y: Array, d: tuple[float, ...]) -> tuple[Array, Array]:
    """OpenCV's plumb-bob (5) and rational (8) model on normalised coordinates."""
    k1, k2, p1, p2, k3, k4, k5, k6 = (*d[:8], *([0.0] * (8 - len(d[:8]))))
    r2 = x * x + y * y
    radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    return (
        x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
        y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
    )


def straighten(x: Array, y: Array, d: tuple[float, ...]) -> tuple[Array, Array]:
    """The inverse of ``distort``."""
    u, v = x, y
    for _ in range(30):  # fixed point; cv2.undistortPoints stops after 5 steps, up to 0.1 px early
        ud, vd = distort(u, v, d)
        u, v = u + x - ud, v + y - vd
    return u, v


def distort_equidistant(x: Array, y: Array, d: tuple[float, ...]) -> tuple[Array, Array]:
    """The equidistant model on normalised coordinates."""
    r = np.hypot(x, y)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.where(r > 1e-12, _reach(np.arctan(r), d)[0] / r, 1.0)
    return x * scale, y * scale


def straighten_equidistant(x: Array, y: Array, d: tuple[float, ...]) -> tuple[Array, Array]:
    """The inverse of ``distort_equidistant``; NaN for what comes from beside the camera or behind it."""
    reach = np.hypot(x, y)
    angle = np.minimum(reach, np.pi / 2)
    for _ in range(20):  # Newton
        there, slope = _reach(angle, d)
        angle = angle - (there - reach) / np.where(np.abs(slope) > 1e-6, slope, 1.0)
    found = (np.abs(_reach(angle, d)[0] - reach) < 1e-9) & (angle >= 0) & (angle < np.radians(89.5))
    angle = np.where(found, angle, np.nan)
    scale = np.where(reach > 1e-12, np.tan(angle) / np.maximum(reach, 1e-12), 1.0)
    return x * scale, y * scale


def _reach(angle: Array, d: tuple[float, ...]) -> tuple[Array, Array]:
    """How far from the centre a ray at that angle falls, in focal lengths, and the derivative."""
    k1, k2, k3, k4 = (*d[:4], *([0.0] * (4 - len(d[:4]))))
    a2 = angle * angle
    there = angle * (1 + a2 * (k1 + a2 * (k2 + a2 * (k3 + a2 * k4))))
    slope = 1 + a2 * (3 * k1 + a2 * (5 * k2 + a2 * (7 * k3 + a2 * 9 * k4)))
    return there, slope
