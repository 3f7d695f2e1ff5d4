"""The video writer, by what OpenCV decodes of its files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ar_core.video import VideoWriter

FPS = 30


def picture(i: int, size: tuple[int, int] = (160, 120)) -> NDArray[np.uint8]:
    """A smooth ground with a disc that is elsewhere in every picture."""
    u, v = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    image = np.stack([200 * u, 60 + 100 * v, 180 - 100 * u], axis=-1).astype(np.uint8)
    return np.asarray(cv2.circle(image, (20 + 2 * i, 60), 14, (40, 60, 220), -1), np.uint8)


def decoded(path: Path) -> list[NDArray[np.uint8]]:
    capture = cv2.VideoCapture(str(path))
    images = []
    while (read := capture.read())[0]:
        images.append(np.asarray(read[1], np.uint8))
    return images


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Decibels."""
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


def write_on(writer: VideoWriter) -> None:
    while True:
        writer.write(picture(0))


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("size", [(160, 120), (161, 121)])
def test_every_picture_is_in_the_file(tmp_path: Path, encoded: bool, size: tuple[int, int]) -> None:
    with VideoWriter(tmp_path / "a.mp4", FPS) as writer:
        for i in range(45):
            if encoded:
                jpeg = cv2.imencode(".jpg", picture(i, size), [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
                writer.write_jpeg(jpeg.tobytes())
            else:
                writer.write(picture(i, size))
    images = decoded(tmp_path / "a.mp4")
    assert len(images) == 45
    assert images[0].shape[:2] == (120, 160)  # yuv420p: even sizes
    assert min(psnr(im, picture(i, size)[:120, :160]) for i, im in enumerate(images)) > 32
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # plays while it is being loaded
    assert data.count(b"moof") == 0
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


def test_a_killed_encoder_leaves_what_it_had(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    writer = VideoWriter(path, FPS)
    before = 0
    for i in range(10 * FPS):
        writer.write(picture(i % 60))
        if path.exists() and path.stat().st_size > before > 0:  # it has written more than the header: a second is whole
            break
        before = path.stat().st_size if path.exists() else 0
    assert writer.process is not None
    writer.process.kill()
    with pytest.raises(RuntimeError, match=r"a\.mp4 could not be written: it was ended by signal 9"):
        write_on(writer)
    with pytest.raises(RuntimeError, match="signal 9"):
        writer.close()
    images = decoded(path)
    assert len(images) >= FPS
    assert min(psnr(im, picture(i % 60)) for i, im in enumerate(images)) > 32


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").symlink_to("/dev/full")
    writer = VideoWriter(tmp_path / "a.mp4", FPS)
    with pytest.raises(RuntimeError, match=r"^a\.mp4 could not be written: the disk is full$"):
        write_on(writer)


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", FPS) as writer:
        writer.write(picture(0))
        with pytest.raises(RuntimeError, match="a picture of"):
            writer.write(picture(0, (80, 60)))


def test_without_ffmpeg_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="apt-get install ffmpeg"):
        VideoWriter(tmp_path / "a.mp4", FPS)
