"""The stand-in's behaviour against arithmetic done by hand; encodings, row padding and both byte orders."""

import array

import cv2
import numpy as np
import pytest
from cv_bridge import CvBridge, CvBridgeError
from sensor_msgs.msg import CompressedImage, Image

bridge = CvBridge()
rng = np.random.default_rng(0)


def message(pixels: np.ndarray, encoding: str, pad: int = 0, big: bool = False) -> Image:
    raw = pixels.astype(pixels.dtype.newbyteorder(">" if big else "<"))
    rows = raw.reshape(raw.shape[0], -1).view(np.uint8)
    rows = np.hstack([rows, np.full((len(rows), pad), 0xAB, np.uint8)])
    return Image(
        height=pixels.shape[0], width=pixels.shape[1], encoding=encoding, step=rows.shape[1], is_bigendian=int(big),
        data=array.array("B", rows.tobytes()),
    )  # fmt: skip


@pytest.mark.parametrize("pad", [0, 5])
@pytest.mark.parametrize(
    ("encoding", "dtype", "channels"),
    [("bgr8", np.uint8, 3), ("rgba8", np.uint8, 4), ("mono8", np.uint8, 1), ("mono16", np.uint16, 1), ("32FC1", np.float32, 1),
     ("16SC2", np.int16, 2), ("64FC3", np.float64, 3), ("8UC3", np.uint8, 3)],
)  # fmt: skip
def test_passthrough_keeps_every_value(encoding: str, dtype: type, channels: int, pad: int) -> None:
    shape = (6, 8) if channels == 1 else (6, 8, channels)
    pixels = rng.integers(0, 100, shape).astype(dtype)
    for big in (False, True):
        assert np.array_equal(bridge.imgmsg_to_cv2(message(pixels, encoding, pad * 8, big)), pixels)


def test_bgr8_as_bgr8_is_a_view_of_the_message() -> None:
    m = message(rng.integers(0, 255, (4, 4, 3), np.uint8), "bgr8")
    image = bridge.imgmsg_to_cv2(m, "bgr8")
    m.data[0] = (m.data[0] + 1) % 256
    assert image[0, 0, 0] == m.data[0]


def test_colours_to_bgr8() -> None:
    bgr = rng.integers(0, 255, (6, 8, 3), np.uint8)
    alpha = np.full((6, 8, 1), 7, np.uint8)
    assert np.array_equal(bridge.imgmsg_to_cv2(message(bgr[..., ::-1].copy(), "rgb8"), "bgr8"), bgr)
    assert np.array_equal(bridge.imgmsg_to_cv2(message(np.dstack([bgr, alpha]), "bgra8"), "bgr8"), bgr)
    assert np.array_equal(bridge.imgmsg_to_cv2(message(np.dstack([bgr[..., ::-1], alpha]), "rgba8"), "bgr8"), bgr)
    grey = bgr[..., 0].copy()
    assert np.array_equal(bridge.imgmsg_to_cv2(message(grey, "mono8"), "bgr8"), np.dstack([grey] * 3))
    deep = grey.astype(np.uint16) * 257
    assert np.array_equal(bridge.imgmsg_to_cv2(message(deep, "mono16", big=True), "mono8"), grey)


@pytest.mark.parametrize(("pattern", "red", "blue"), [("rggb", (0, 0), (1, 1)), ("bggr", (1, 1), (0, 0)),
                                                      ("gbrg", (1, 0), (0, 1)), ("grbg", (0, 1), (1, 0))])  # fmt: skip
def test_bayer_names_the_first_row(pattern: str, red: tuple[int, int], blue: tuple[int, int]) -> None:
    mosaic = np.full((16, 16), 50, np.uint8)  # green
    mosaic[red[0] :: 2, red[1] :: 2] = 200
    mosaic[blue[0] :: 2, blue[1] :: 2] = 10
    image = bridge.imgmsg_to_cv2(message(mosaic, f"bayer_{pattern}8"), "bgr8")
    assert np.array_equal(image[4:-4, 4:-4], np.broadcast_to(np.uint8([10, 50, 200]), (8, 8, 3)))


def test_yuv_grey_stays_grey() -> None:
    packed = np.zeros((4, 8, 2), np.uint8)
    packed[..., 0], packed[..., 1] = 128, 126  # U or V, Y
    assert np.abs(bridge.imgmsg_to_cv2(message(packed, "yuv422"), "bgr8").astype(int) - 128).max() <= 1
    assert (
        np.abs(bridge.imgmsg_to_cv2(message(packed[..., ::-1].copy(), "yuv422_yuy2"), "bgr8").astype(int) - 128).max()
        <= 1
    )
    semi = np.vstack([np.full((4, 8), 126, np.uint8), np.full((2, 8), 128, np.uint8)])
    m = message(semi, "nv12")
    m.height = 4
    assert np.abs(bridge.imgmsg_to_cv2(m, "bgr8").astype(int) - 128).max() <= 1


def test_round_trips_and_compressed() -> None:
    pixels = cv2.GaussianBlur(rng.integers(0, 255, (32, 40, 3), np.uint8), (0, 0), 4)
    assert np.array_equal(bridge.imgmsg_to_cv2(bridge.cv2_to_imgmsg(pixels, "bgr8"), "bgr8"), pixels)
    assert bridge.cv2_to_imgmsg(pixels).encoding == "8UC3"
    assert np.array_equal(bridge.compressed_imgmsg_to_cv2(bridge.cv2_to_compressed_imgmsg(pixels, "png")), pixels)
    jpeg = bridge.compressed_imgmsg_to_cv2(bridge.cv2_to_compressed_imgmsg(pixels), "rgb8")
    assert np.abs(jpeg[..., ::-1].astype(int) - pixels).mean() < 3


def test_the_originals_errors() -> None:
    with pytest.raises(CvBridgeError, match="Unrecognized image encoding"):
        bridge.imgmsg_to_cv2(message(np.zeros((2, 2), np.uint8), "purple8"))
    with pytest.raises(CvBridgeError, match="not a color format"):
        bridge.imgmsg_to_cv2(message(np.zeros((2, 2), np.float32), "32FC1"), "bgr8")
    with pytest.raises(CvBridgeError, match="incompatible type"):
        bridge.cv2_to_imgmsg(np.zeros((2, 2), np.uint8), "bgr8")
    with pytest.raises(TypeError):
        bridge.cv2_to_imgmsg([[1]])
    truncated = message(np.zeros((4, 4, 3), np.uint8), "bgr8")
    truncated.data = truncated.data[:10]
    with pytest.raises(TypeError, match="buffer is too small"):
        bridge.imgmsg_to_cv2(truncated, "bgr8")
    with pytest.raises(CvBridgeError, match="cannot decode"):
        bridge.compressed_imgmsg_to_cv2(CompressedImage(data=b"nonsense"))
    assert issubclass(CvBridgeError, TypeError)
