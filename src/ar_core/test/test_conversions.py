import numpy as np
import pytest
from geometry_msgs.msg import Vector3
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from ar_core import conversions
from ar_core.geometry import Intrinsics, pose
from ar_interfaces.msg import PlaneStamped, TrackingStatus


def test_image_round_trip_is_exact_and_bgr8_is_not_copied() -> None:
    image = np.random.default_rng(0).integers(0, 255, (5, 7, 3), np.uint8)
    message = conversions.image_message(image, Header())
    back = conversions.image_from(message)
    assert np.array_equal(back, image)
    message.data[0] ^= 0xFF
    assert back[0, 0, 0] == image[0, 0, 0] ^ 0xFF


@pytest.mark.parametrize("encoding", ["8UC3", "bgr8"])
def test_layout_names_are_read_as_colours(encoding: str) -> None:
    image = np.full((2, 2, 3), 9, np.uint8)
    assert np.array_equal(conversions.image_from(conversions.image_message(image, Header(), encoding)), image)


@pytest.mark.parametrize(
    ("message", "word"),
    [
        (Image(height=4, width=4, step=12, encoding="bgr8", data=bytes(10)), "truncated"),
        (Image(height=0, width=0, encoding="bgr8"), "empty"),
        (Image(height=10_000, width=10_000, step=30_000, encoding="bgr8"), "megapixels"),
        (Image(height=2, width=2, step=6, encoding="purple", data=bytes(12)), "purple"),
        (Image(height=2, width=2, step=1, encoding="bgr8", data=bytes(12)), "step"),
        (Image(height=2, width=2, step=8, encoding="32FC1", data=bytes(16)), "32FC1"),
    ],
)
def test_every_bad_image_is_one_clear_value_error(message: Image, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        conversions.image_from(message)


def test_camera_info_round_trip_and_the_uncalibrated_one() -> None:
    camera = Intrinsics(500, 510, 320, 240, 640, 480, (0.1, -0.2, 0.0, 0.0, 0.0))
    assert conversions.intrinsics_from(conversions.camera_info_message(camera, 640, 480, Header())) == camera
    fisheye = Intrinsics(280, 281, 320, 240, 640, 480, (-0.03, 0.01, -0.004, 0.001), fisheye=True)
    message = conversions.camera_info_message(fisheye, 640, 480, Header())
    assert message.distortion_model == "equidistant"
    assert conversions.intrinsics_from(message) == fisheye
    smaller = conversions.camera_info_message(camera, 320, 240, Header())
    assert conversions.intrinsics_from(smaller) == camera.scaled(320, 240)
    assert conversions.intrinsics_from(conversions.camera_info_message(None, 640, 480, Header())) is None
    nan = conversions.camera_info_message(camera, 640, 480, Header())
    nan.k[0] = float("nan")
    with pytest.raises(ValueError, match="NaN"):
        conversions.intrinsics_from(nan)
    with pytest.raises(ValueError, match="fisheye"):
        conversions.intrinsics_from(CameraInfo(k=np.eye(3).ravel(), width=1, height=1, distortion_model="fisheye"))


def test_poses_and_stamps_round_trip() -> None:
    T = pose(np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), np.array([1.0, 2, 3]))
    assert np.allclose(conversions.matrix_from(conversions.pose_message(T)), T)
    broken = conversions.pose_message(T)
    broken.position.x = float("nan")
    with pytest.raises(ValueError, match="NaN"):
        conversions.matrix_from(broken)
    ns = 1_795_253_151_453_970_360
    assert conversions.nanoseconds(conversions.stamp_from(ns)) == ns


def test_planes_and_tracking_states_are_checked() -> None:
    message = PlaneStamped(normal=Vector3(z=1.004), distance=-0.502)
    plane = conversions.plane_from(message)
    assert np.allclose(plane.normal, (0, 0, 1))
    assert plane.distance == pytest.approx(-0.5)
    for broken in (PlaneStamped(), PlaneStamped(normal=Vector3(z=float("nan")))):
        with pytest.raises(ValueError, match="is no plane"):
            conversions.plane_from(broken)
    assert conversions.tracking_state_from(TrackingStatus(state=TrackingStatus.WEAK)) == 3
    with pytest.raises(ValueError, match="unknown state 200"):
        conversions.tracking_state_from(TrackingStatus(state=200))
