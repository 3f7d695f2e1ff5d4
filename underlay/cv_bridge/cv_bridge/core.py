"""``CvBridge``: between sensor_msgs images and numpy arrays, with the public Python API of ROS 2's cv_bridge.

Encodings are those of ``sensor_msgs/image_encodings.hpp``. Colour conversion goes through OpenCV as in the original; an
image asked for in the encoding that it has is a view of the message's memory.
"""

from __future__ import annotations

import array
import re
import sys
from typing import Any

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image

_CV_DEPTHS = {
    "uint8": "8U",
    "int8": "8S",
    "uint16": "16U",
    "int16": "16S",
    "int32": "32S",
    "float32": "32F",
    "float64": "64F",
}
_DTYPES = {depth: name for name, depth in _CV_DEPTHS.items()}
_COLOURS = {
    "mono8": ("uint8", 1), "mono16": ("uint16", 1),
    "bgr8": ("uint8", 3), "rgb8": ("uint8", 3), "bgra8": ("uint8", 4), "rgba8": ("uint8", 4),
    "bgr16": ("uint16", 3), "rgb16": ("uint16", 3), "bgra16": ("uint16", 4), "rgba16": ("uint16", 4),
}  # fmt: skip
# ROS names the colours of the first row, OpenCV those of the second row's second and third pixel.
_BAYER = {"bayer_rggb": "BayerBG", "bayer_bggr": "BayerRG", "bayer_gbrg": "BayerGR", "bayer_grbg": "BayerGB"}
_YUV = {"yuv422": "UYVY", "uyvy": "UYVY", "yuv422_yuy2": "YUY2", "yuyv": "YUY2"}
_SEMI_PLANAR = {"nv21": "NV21", "nv12": "NV12"}


class CvBridgeError(TypeError):
    """An image cannot be converted as asked."""


class CvBridge:
    """Converts between ROS image messages and numpy arrays."""

    def __init__(self) -> None:
        self.cvtype_to_name = {
            getattr(cv2, f"CV_{depth}C{n}"): f"{depth}C{n}" for depth in _DTYPES for n in (1, 2, 3, 4)
        }
        self.numpy_type_to_cvtype = dict(_CV_DEPTHS)
        self.cvdepth_to_numpy_depth = {getattr(cv2, f"CV_{depth}"): name for depth, name in _DTYPES.items()}

    def dtype_with_channels_to_cvtype2(self, dtype: Any, n_channels: int) -> str:
        """``8UC3`` for (uint8, 3)."""
        return f"{self.numpy_type_to_cvtype[np.dtype(dtype).name]}C{n_channels}"

    def encoding_to_cvtype2(self, encoding: str) -> int:
        """OpenCV's type number of an encoding; CvBridgeError for one that is not known."""
        dtype, channels = self.encoding_to_dtype_with_channels(encoding)
        return int(getattr(cv2, f"CV_{_CV_DEPTHS[dtype]}C{channels}"))

    def cvtype2_to_dtype_with_channels(self, cvtype: int) -> tuple[str, int]:
        """(dtype name, channels) of OpenCV's type number."""
        return self.cvdepth_to_numpy_depth[cvtype & 7], (cvtype >> 3) + 1

    def encoding_to_dtype_with_channels(self, encoding: str) -> tuple[str, int]:
        """(dtype name, channels) of an encoding; CvBridgeError for one that is not known."""
        if encoding in _COLOURS:
            return _COLOURS[encoding]
        if generic := re.fullmatch(r"(8U|8S|16U|16S|32S|32F|64F)C([1-9][0-9]*)?", encoding):
            return _DTYPES[generic[1]], int(generic[2] or 1)
        if bayer := re.fullmatch(r"bayer_(?:rggb|bggr|gbrg|grbg)(8|16)", encoding):
            return f"uint{bayer[1]}", 1
        if encoding in _YUV:
            return "uint8", 2
        if encoding in _SEMI_PLANAR or encoding == "nv24":
            return "uint8", 1
        raise CvBridgeError(f"Unrecognized image encoding [{encoding}]")

    def imgmsg_to_cv2(self, img_msg: Image, desired_encoding: str = "passthrough") -> np.ndarray:
        """The array (H, W) or (H, W, C) of an Image message; a view of its memory unless it must be converted."""
        dtype_name, channels = self.encoding_to_dtype_with_channels(img_msg.encoding)
        dtype = np.dtype(dtype_name).newbyteorder(">" if img_msg.is_bigendian else "<")
        height, width = img_msg.height, img_msg.width
        if img_msg.encoding in _SEMI_PLANAR:
            height = height * 3 // 2
        shape = (height, width) if channels == 1 else (height, width, channels)
        strides = (img_msg.step, dtype.itemsize * channels, dtype.itemsize)[: len(shape)]
        if width and img_msg.step < width * channels * dtype.itemsize:
            raise CvBridgeError(f"step {img_msg.step} is less than a row of {width} pixels {img_msg.encoding}")
        if len(img_msg.data) < height * img_msg.step:
            raise TypeError("buffer is too small for requested array")
        image: np.ndarray = np.ndarray(shape=shape, dtype=dtype, buffer=img_msg.data, strides=strides)
        if not dtype.isnative:
            image = image.astype(dtype.newbyteorder("="))
        return _converted(image, img_msg.encoding, desired_encoding)

    def compressed_imgmsg_to_cv2(
        self, cmprs_img_msg: CompressedImage, desired_encoding: str = "passthrough"
    ) -> np.ndarray:
        """The array of a CompressedImage (whatever OpenCV decodes), bgr8 or mono8 unless another encoding is asked for."""
        image = cv2.imdecode(np.frombuffer(cmprs_img_msg.data, np.uint8), cv2.IMREAD_ANYCOLOR)
        if image is None:
            raise CvBridgeError(f"cannot decode a compressed image of format '{cmprs_img_msg.format}'")
        return _converted(image, "mono8" if image.ndim == 2 else "bgr8", desired_encoding)

    def cv2_to_imgmsg(self, cvim: np.ndarray, encoding: str = "passthrough", header: Any = None) -> Image:
        """An Image message of an array (H, W) or (H, W, C)."""
        if not isinstance(cvim, np.ndarray | np.generic):
            raise TypeError("Your input type is not a numpy array")
        channels = 1 if cvim.ndim == 2 else cvim.shape[2]
        cvtype = self.dtype_with_channels_to_cvtype2(cvim.dtype, channels)
        if encoding != "passthrough":
            dtype, wanted = self.encoding_to_dtype_with_channels(encoding)
            if self.dtype_with_channels_to_cvtype2(dtype, wanted) != cvtype:
                raise CvBridgeError(f"encoding specified as {encoding}, but image has incompatible type {cvtype}")
        message = Image(
            height=cvim.shape[0], width=cvim.shape[1], encoding=cvtype if encoding == "passthrough" else encoding
        )
        if header is not None:
            message.header = header
        big = cvim.dtype.byteorder == ">" or (cvim.dtype.byteorder == "=" and sys.byteorder == "big")
        message.is_bigendian = int(big)
        data = array.array("B")
        data.frombytes(np.ascontiguousarray(cvim).tobytes())
        message.data = data
        message.step = len(data) // message.height if message.height else 0
        return message

    def cv2_to_compressed_imgmsg(self, cvim: np.ndarray, dst_format: str = "jpg") -> CompressedImage:
        """A CompressedImage, encoded by OpenCV."""
        if not isinstance(cvim, np.ndarray | np.generic):
            raise TypeError("Your input type is not a numpy array")
        ok, data = cv2.imencode(f".{dst_format}", cvim)
        if not ok:
            raise CvBridgeError(f"cannot encode as {dst_format}")
        message = CompressedImage(format=dst_format)
        message.data = array.array("B", data.tobytes())
        return message


def _converted(image: np.ndarray, have: str, want: str) -> np.ndarray:
    if want in ("passthrough", have):
        return image
    if want not in _COLOURS:
        raise CvBridgeError(f"[{want}] is not a color format. but [{have}] is. The conversion does not make sense")
    image, have = _to_plain_colour(image, have)
    if have not in _COLOURS:
        raise CvBridgeError(f"[{have}] is not a color format. but [{want}] is. The conversion does not make sense")
    (source, bits), (target, wanted_bits) = (re.fullmatch(r"([a-z]+)(\d+)", e).groups() for e in (have, want))  # type: ignore[union-attr]
    if source != target:
        names = {"mono": "GRAY", "bgr": "BGR", "rgb": "RGB", "bgra": "BGRA", "rgba": "RGBA"}
        image = cv2.cvtColor(image, getattr(cv2, f"COLOR_{names[source]}2{names[target]}"))
    if bits == "16" and wanted_bits == "8":
        image = cv2.convertScaleAbs(image, alpha=255 / 65535)
    elif bits == "8" and wanted_bits == "16":
        image = image.astype(np.uint16) * 257
    return image


def _to_plain_colour(image: np.ndarray, encoding: str) -> tuple[np.ndarray, str]:
    """Undo Bayer and YUV layouts."""
    if encoding.startswith("bayer_"):
        pattern, bits = encoding[:10], encoding[10:]
        return cv2.cvtColor(image, getattr(cv2, f"COLOR_{_BAYER[pattern]}2BGR")), f"bgr{bits}"
    if encoding in _YUV:
        return cv2.cvtColor(image, getattr(cv2, f"COLOR_YUV2BGR_{_YUV[encoding]}")), "bgr8"
    if encoding in _SEMI_PLANAR:
        return cv2.cvtColor(image, getattr(cv2, f"COLOR_YUV2BGR_{_SEMI_PLANAR[encoding]}")), "bgr8"
    return image, encoding
