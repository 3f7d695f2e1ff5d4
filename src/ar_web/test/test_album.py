"""What visitors keep: in memory and in the folder, and what the network may ask of it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from ar_web.album import MAX_FILMS, MAX_SNAPSHOTS, Album
from ar_web.film import Limits
from ar_web.state import Picture


@pytest.fixture
def album(tmp_path: Path) -> Any:
    album = Album(tmp_path / "kept", Limits(spare=0))
    yield album
    album.close()


def told(album: Album) -> dict[str, Any]:
    assert album.news.value is not None
    body: dict[str, Any] = json.loads(album.news.value)
    return body


def film(album: Album, jpeg: bytes, pictures: int = 20) -> str:
    """Record one; its name."""
    assert album.film(True).ok
    for i in range(pictures):
        album.show(Picture(10**18 + i * 33_333_333, jpeg))
    assert album.film(False).ok
    album.close()
    (name, *_) = [item["name"] for item in told(album)["kept"] if item["kind"] == "film"]
    return str(name)


def test_snapshots_stay_in_memory_and_the_oldest_goes(album: Album, jpeg: bytes) -> None:
    assert not album.snapshot(None).ok
    names = [album.snapshot(Picture(i, jpeg + bytes([i]))).id for i in range(MAX_SNAPSHOTS + 2)]
    assert len(set(names)) == len(names)
    assert not album.folder.exists()
    assert album.snapshot_named(names[0]) is None
    assert album.snapshot_named(names[-1]) == jpeg + bytes([MAX_SNAPSHOTS + 1])
    assert len(told(album)["kept"]) == MAX_SNAPSHOTS
    assert album.discard(names[-1]).ok
    assert album.snapshot_named(names[-1]) is None
    assert not album.discard(names[-1]).ok


def test_a_film_is_one_for_everybody_and_is_offered_when_it_is_whole(album: Album, jpeg: bytes) -> None:
    album.tell()
    assert told(album)["film"] is None
    assert album.film(True).ok
    assert album.film(True).ok  # another visitor: it goes on
    assert album.filming
    assert told(album)["film"] == {"seconds": 0, "size": 0, "finishing": False}
    assert told(album)["kept"] == []
    for i in range(40):
        album.show(Picture(10**18 + i * 33_333_333, jpeg))
    assert album.film(False).ok
    assert album.film(False).ok
    assert not album.filming
    album.close()
    (kept,) = told(album)["kept"]
    assert told(album)["film"] is None
    assert (kept["kind"], kept["seconds"]) == ("film", pytest.approx(40 / 30, abs=0.01))
    path = album.film_named(kept["name"])
    assert path is not None
    assert path.parent == album.folder
    assert path.stat().st_size == kept["size"]
    small = album.thumbnail(kept["name"])
    assert small is not None
    assert small.startswith(b"\xff\xd8")
    assert album.discard(kept["name"]).ok
    assert list(album.folder.iterdir()) == []


def test_films_of_before_are_offered_and_nothing_else_of_the_folder(album: Album, jpeg: bytes, tmp_path: Path) -> None:
    name = film(album, jpeg)
    secret = tmp_path / "secret.mp4"
    shutil.copy(album.folder / name, secret)
    (album.folder / "tsukumo-20260101-000000-000.mp4").symlink_to(secret)
    (album.folder / "tsukumo-20260101-000001-000.mp4").mkdir()
    (album.folder / "mine.mp4").write_bytes(b"private")
    again = Album(album.folder)
    again.tell()
    assert [item["name"] for item in told(again)["kept"]] == [name]
    for asked in (
        "mine.mp4",
        "tsukumo-20260101-000000-000.mp4",
        "../secret.mp4",
        str(secret),
        "",
        ".",
        "..",
        "a\0b",
        name + "/",
    ):
        assert again.film_named(asked) is None
        assert again.thumbnail(asked) is None
        assert not again.discard(asked).ok
    assert secret.exists()
    assert (album.folder / "mine.mp4").exists()


def test_a_strangers_file_is_listed_without_a_thumbnail_and_only_the_newest_are(album: Album) -> None:
    album.folder.mkdir()
    for i in range(MAX_FILMS + 5):
        (album.folder / f"tsukumo-20260101-{i:06d}-000.mp4").write_bytes(b"no film")
    album.tell()
    kept = told(album)["kept"]
    assert [item["name"] for item in kept[:2]] == [f"tsukumo-20260101-{MAX_FILMS + i:06d}-000.mp4" for i in (4, 3)]
    assert len(kept) == MAX_FILMS
    assert kept[0]["seconds"] is None
    assert album.thumbnail(kept[0]["name"]) is None


def test_without_pictures_there_is_no_film_and_it_is_said(album: Album) -> None:
    assert album.film(True).ok
    album.film(False)
    album.close()
    assert told(album)["word"] == "Nothing was recorded: no picture came."
    assert told(album)["kept"] == []
    assert list(album.folder.iterdir()) == []


def test_a_limit_is_told_and_the_next_recording_clears_it(tmp_path: Path, jpeg: bytes) -> None:
    album = Album(tmp_path, Limits(seconds=0.5, spare=0))
    assert album.film(True).ok
    for i in range(40):
        album.show(Picture(10**18 + i * 33_333_333, jpeg))
    album.close()
    assert (
        told(album)["word"] == "The recording ended: it may be 0.5 seconds long. What was recorded until then is kept."
    )
    assert len(told(album)["kept"]) == 1
    album.film(True)
    assert told(album)["word"] == ""
    album.close()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, jpeg: bytes) -> None:
    (tmp_path / "file").write_text("in the way")
    album = Album(tmp_path / "file" / "kept")
    answer = album.film(True)
    assert not answer.ok
    assert "Not a directory" in answer.message
    assert str(tmp_path / "file" / "kept") in answer.message
    assert told(album)["word"] == answer.message
    assert not album.filming
    assert album.snapshot(Picture(1, jpeg)).ok  # needs no folder


def test_without_the_encoder_it_says_what_to_install(
    album: Album, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    answer = album.film(True)
    assert "apt-get install ffmpeg" in answer.message
    assert list(album.folder.iterdir()) == []


def test_a_disk_that_takes_nothing_leaves_no_ruin(album: Album, jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is the device on which there is never any room."""
    touch = Path.touch
    monkeypatch.setattr(Path, "touch", lambda self, **_: self.symlink_to("/dev/full") or touch(self.parent / "noted"))
    assert album.film(True).ok
    film = album._film
    assert film is not None
    stamp = 10**18
    while film.running:
        album.show(Picture(stamp := stamp + 33_333_333, jpeg))
        os.sched_yield()
    album.close()
    assert told(album)["word"] == "The recording ended: the disk is full. Nothing of it could be kept."
    assert [file.name for file in album.folder.iterdir()] == ["noted"]
