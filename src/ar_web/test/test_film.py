"""Films of the shown pictures, by what OpenCV decodes of their files."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ar_web.film import FPS, WAITING, Film, Limits
from ar_web.state import Picture

PERIOD = 1_000_000_000 // FPS
START = 1_763_712_000_123_456_789
PLENTY = Limits(spare=0)


def image(i: int) -> NDArray[np.uint8]:
    """A ground with a disc that is elsewhere in every picture."""
    ground = np.full((120, 160, 3), (90, 120, 150), np.uint8)
    return np.asarray(cv2.circle(ground, (20 + 3 * (i % 40), 60), 14, (40, 60, 220), -1), np.uint8)


def picture(i: int, stamp: int) -> Picture:
    return Picture(stamp, cv2.imencode(".jpg", image(i), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes())


def filmed(path: Path, shown: list[Picture], limits: Limits = PLENTY) -> Film:
    """The film of these pictures, at its end; each is taken before the next is shown."""
    film = Film(path, limits, lambda: None)
    for i, one in enumerate(shown):
        film.add(one)
        if i % WAITING == WAITING - 1:
            drain(film)
    film.end()
    film.join()
    return film


def drain(film: Film) -> None:
    while film.running and not film._queue.empty():
        threading.Event().wait(0.001)


def numbers(path: Path) -> list[int]:
    """Which picture each picture of the file shows; asserts that it is shown well."""
    capture = cv2.VideoCapture(str(path))
    truth = [image(i).astype(float) for i in range(40)]
    found = []
    while (read := capture.read())[0]:
        errors = [np.mean((read[1] - one) ** 2) for one in truth]
        found.append(int(np.argmin(errors)))
        assert 10 * np.log10(255**2 / min(errors)) > 30
    return found


def test_every_picture_once_at_the_pace_of_the_stamps(tmp_path: Path) -> None:
    film = filmed(tmp_path / "a.mp4", [picture(i, START + i * PERIOD) for i in range(40)])
    assert film.finished
    assert film.word == ""
    assert numbers(film.path) == list(range(40))
    assert film.seconds == pytest.approx(40 / FPS)
    assert film.size == film.path.stat().st_size > 0


def test_a_picture_stands_until_the_next_is_due_and_a_fast_camera_is_thinned(tmp_path: Path) -> None:
    slow = filmed(tmp_path / "slow.mp4", [picture(i, START + 3 * i * PERIOD) for i in range(5)])
    assert numbers(slow.path) == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4]
    fast = filmed(tmp_path / "fast.mp4", [picture(i, START + i * PERIOD // 2) for i in range(20)])
    assert len(numbers(fast.path)) == pytest.approx(10, abs=1)


def test_long_gaps_are_shortened_and_clocks_that_jump_go_on(tmp_path: Path) -> None:
    stamps = [START, START + 3600 * 10**9, START + 3600 * 10**9 + PERIOD, START - 10**12, START - 10**12 + PERIOD]
    film = filmed(tmp_path / "a.mp4", [picture(i, stamp) for i, stamp in enumerate(stamps)])
    assert numbers(film.path) == [0] * (FPS + 1) + [1, 2, 3, 4]


def test_damaged_pictures_are_left_out(tmp_path: Path) -> None:
    shown = [picture(i, START + i * PERIOD) for i in range(6)]
    shown[3] = Picture(shown[3].stamp, b"\xff\xd8 nothing \xff\xd9")
    assert numbers(filmed(tmp_path / "a.mp4", shown).path) == [0, 1, 2, 2, 4, 5]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(seconds=2.0, spare=0), "it may be 2 seconds long"),
        (Limits(size=10_000, spare=0), "it may have 0 MB"),
        (Limits(spare=2**62), "the disk is nearly full"),
    ],
)
def test_a_limit_ends_it_in_words_and_the_file_is_whole(tmp_path: Path, limits: Limits, words: str) -> None:
    film = Film(tmp_path / "a.mp4", limits, lambda: None)
    i = 0
    while film.running:
        film.add(picture(i % 40, START + i * PERIOD))
        i += 1
        drain(film)
    film.join()
    assert words in film.word
    assert numbers(film.path) == [i % 40 for i in range(film.pictures)]
    if limits.seconds == 2.0:
        assert film.pictures == 2 * FPS


def test_another_size_ends_it_in_words(tmp_path: Path) -> None:
    small = cv2.imencode(".jpg", image(0)[:60])[1].tobytes()
    film = filmed(tmp_path / "a.mp4", [picture(0, START), Picture(START + PERIOD, small)])
    assert film.word == "The recording ended: the picture is of another size now, 160x60."
    assert numbers(film.path) == [0]


def test_a_killed_encoder_is_said_and_what_there_is_can_be_watched(tmp_path: Path) -> None:
    film = Film(tmp_path / "a.mp4", PLENTY, lambda: None)
    i = 0
    while film.size < 8000 or i < 3 * FPS:
        film.add(picture(i % 40, START + i * PERIOD))
        i += 1
        drain(film)
    assert film._writer.process is not None
    film._writer.process.kill()
    while film.running:
        film.add(picture(i % 40, START + i * PERIOD))
        i += 1
        drain(film)
    film.join()
    assert film.word == "The recording ended: it was ended by signal 9."
    found = numbers(film.path)
    assert len(found) >= FPS
    assert found == [i % 40 for i in range(len(found))]
