"""Sizes from headers, against the encoder's own pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ar_web.jpeg import jpeg_size
from ar_web.portraits import SIDE, portrait


def encoded(width: int, height: int, *options: int, channels: int = 3) -> bytes:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
    return cv2.imencode(".jpg", image, list(options))[1].tobytes()


@pytest.mark.parametrize("size", [(640, 480), (1, 1), (333, 17), (1920, 1080)])
@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 4)])
def test_size(size: tuple[int, int], options: tuple[int, ...]) -> None:
    assert jpeg_size(encoded(*size, *options)) == size
    assert jpeg_size(encoded(*size, *options, channels=1)) == size


def test_damaged_pictures_are_named() -> None:
    good = encoded(64, 48)
    with pytest.raises(ValueError, match="truncated"):
        jpeg_size(good[:-20])
    with pytest.raises(ValueError, match="not begin like a JPEG"):
        jpeg_size(cv2.imencode(".png", np.zeros((4, 4), np.uint8))[1].tobytes())
    with pytest.raises(ValueError, match="not begin like a JPEG"):
        jpeg_size(b"")
    with pytest.raises(ValueError, match="no frame header"):
        jpeg_size(b"\xff\xd8" + bytes(100) + b"\xff\xd9")
    at = good.index(b"\xff\xc0") + 5
    with pytest.raises(ValueError, match="megapixels"):
        jpeg_size(good[:at] + b"\xff\xff\xff\xff" + good[at + 4 :])
    with pytest.raises(ValueError, match="0 pixels"):
        jpeg_size(good[:at] + bytes(4) + good[at + 4 :])


def test_any_bytes_give_a_size_or_one_clear_line() -> None:
    rng = np.random.default_rng(1)
    good = bytearray(encoded(64, 48))
    for _ in range(500):
        data = good.copy()
        for at in rng.integers(2, 200, 6):
            data[at] = rng.integers(0, 256)
        outcome: str | int
        try:
            outcome = min(jpeg_size(bytes(data)))
        except ValueError as error:
            outcome = str(error)
        assert outcome.startswith("picture: ") if isinstance(outcome, str) else outcome > 0


def test_portrait_is_trimmed_small_and_keeps_its_colour_up_to_the_edge() -> None:
    cutout = np.zeros((500, 700, 4), np.uint8)
    cutout[..., :3] = (0, 255, 0)  # what shines through where alpha is not respected
    cv2.circle(cutout, (400, 250), 200, (40, 80, 200, 255), -1)
    image = cv2.imdecode(np.frombuffer(portrait(cutout), np.uint8), cv2.IMREAD_UNCHANGED)
    assert image.shape == (SIDE, SIDE, 4)
    visible = image[image[..., 3] > 8][:, :3].astype(int)
    assert np.abs(visible - (40, 80, 200)).max() <= 2
    with pytest.raises(ValueError, match="transparent"):
        portrait(np.zeros((9, 9, 4), np.uint8))
