"""Between ROS messages and what the algorithms use. Part of the shell: everything that computes stays free of ROS.

Every ``*_from`` raises ValueError, in words, for a message that cannot be right.
"""

from __future__ import annotations

import array
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from cv_bridge import CvBridge, CvBridgeError
from geometry_msgs.msg import Point, Pose, Quaternion
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from ar_core.geometry import Array, Intrinsics, Plane, pose, quaternion_from_rotation, rotation_from_quaternion
from ar_core.lens import COUNTS
from ar_interfaces.msg import PlaneStamped, TrackingStatus

MAX_PIXELS = 64_000_000
# Drivers that name the memory layout instead of the colours mean these.
MEANT = {"8UC1": "mono8", "8UC3": "bgr8", "8UC4": "bgra8", "16UC1": "mono16"}
_bridge = CvBridge()


def nanoseconds(stamp: Time) -> int:
    """A stamp as one integer: the key by which images, poses and masks are joined."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def stamp_from(ns: int) -> Time:
    """The stamp of an integer number of nanoseconds."""
    return Time(sec=ns // 1_000_000_000, nanosec=ns % 1_000_000_000)


def image_from(message: Image, encoding: str = "bgr8") -> NDArray[np.uint8]:
    """The picture (H, W, 3) or (H, W) uint8 of a message; bgr8 asked for bgr8 is a view of the message's memory."""
    height, width, step, n = message.height, message.width, message.step, len(message.data)
    if height == 0 or width == 0:
        raise ValueError(f"image of size {width}x{height}: the driver sends empty pictures")
    if height * width > MAX_PIXELS:
        raise ValueError(f"image of {width}x{height} pixels is over the limit of {MAX_PIXELS // 1_000_000} megapixels")
    if n < step * height:
        raise ValueError(f"image is truncated: {n} bytes, but step {step} x height {height} = {step * height}")
    message.encoding = MEANT.get(message.encoding, message.encoding)
    try:
        return np.asarray(_bridge.imgmsg_to_cv2(message, encoding))
    except (CvBridgeError, TypeError, ValueError, KeyError, RuntimeError) as error:
        raise ValueError(f"image with encoding '{message.encoding}' cannot be read as {encoding}: {error}") from None


def image_message(image: NDArray[np.uint8], header: Header, encoding: str = "bgr8") -> Image:
    """An Image message of (H, W, C) or (H, W) uint8."""
    data = array.array("B")
    data.frombytes(np.ascontiguousarray(image).data)
    height, width = image.shape[:2]
    step = int(image.size // height)
    return Image(header=header, height=height, width=width, encoding=encoding, step=step, data=data)


def intrinsics_from(message: CameraInfo) -> Intrinsics | None:
    """The calibration; None if the message says that there is none (a zeroed K, as sensor_msgs/CameraInfo documents)."""
    if not any(message.k):
        return None
    try:
        return Intrinsics.of_model(message.distortion_model, message.k, message.d, message.width, message.height)
    except ValueError as error:
        raise ValueError(f"camera_info: {error}") from None


def camera_info_message(intrinsics: Intrinsics | None, width: int, height: int, header: Header) -> CameraInfo:
    """A CameraInfo for pictures of that size; None gives the zeroed matrices that stand for an uncalibrated camera."""
    message = CameraInfo(header=header, width=width, height=height)
    if intrinsics is not None:
        if (intrinsics.width, intrinsics.height) != (width, height):
            intrinsics = intrinsics.scaled(width, height)
        message.distortion_model = intrinsics.model
        message.d = list(intrinsics.distortion) or [0.0] * COUNTS[intrinsics.model]
        message.k = intrinsics.K.ravel()
        message.r = np.eye(3).ravel()
        message.p = np.column_stack([intrinsics.K, np.zeros(3)]).ravel()
    return message


def matrix_from(message: Pose) -> Array:
    """A pose message as a (4, 4) transform."""
    p, q = message.position, message.orientation
    t = np.array([p.x, p.y, p.z])
    if not np.isfinite(t).all():
        raise ValueError("pose with a NaN or infinite position")
    return pose(rotation_from_quaternion(np.array([q.x, q.y, q.z, q.w])), t)


def plane_from(message: PlaneStamped) -> Plane:
    """The plane of a message, its normal of length one."""
    normal = np.array([message.normal.x, message.normal.y, message.normal.z])
    length = float(np.linalg.norm(normal))
    if not (np.isfinite(length) and np.isfinite(message.distance) and abs(length - 1) < 0.01):
        raise ValueError(f"plane with normal {normal.tolist()} and distance {message.distance} is no plane")
    return Plane(normal / length, float(message.distance) / length)


def tracking_state_from(message: TrackingStatus) -> int:
    """One of the states that ``TrackingStatus`` names."""
    if message.state > TrackingStatus.RELOCALISED:
        raise ValueError(f"tracking status: unknown state {message.state}")
    return int(message.state)


def pose_message(T: Array) -> Pose:
    """A (4, 4) transform as a pose message."""
    x, y, z, w = (float(v) for v in quaternion_from_rotation(T[:3, :3]))
    return Pose(position=point_message(T[:3, 3]), orientation=Quaternion(x=x, y=y, z=z, w=w))


def point_message(p: Any) -> Point:
    """Three numbers as a point."""
    return Point(x=float(p[0]), y=float(p[1]), z=float(p[2]))
