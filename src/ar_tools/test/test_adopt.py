"""Artists' rigged files as characters; whatever cannot be one is refused in a line."""

from __future__ import annotations

import argparse
import contextlib
import json
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ar_character.guest import load_guest
from ar_core.glb import chunks, container
from ar_render.gltf import read_glb
from ar_render.proxy import skin_vertices
from ar_tools.adopt import adopt
from ar_tools.adopt_limits import picture_size
from ar_tools.awaken import awaken

sys.path.append(str(Path(__file__).parent))
from artists_glb import CLIPS, HEIGHT, STRIDE, figure


def points(glb: bytes, clip: str = "", time: float = 0.0) -> np.ndarray:
    """All vertices (n, 3), at rest or at a time of a clip."""
    model = read_glb(glb)
    pose = model.clips[clip].sample(model.rest, time) if clip else model.rest
    skin = model.skin(model.global_matrices(pose))
    return np.concatenate([skin_vertices(p.positions, p.joints, p.weights, skin) for p in model.primitives])


@pytest.mark.parametrize("up", ["y", "z"])
def test_it_stands_on_its_feet_at_the_wanted_height(up: str) -> None:
    out = adopt(figure(up=up).bytes(), 0.12, up)
    at = points(out.glb, "idle")
    assert at[:, 1].min() == pytest.approx(0, abs=1e-6)
    assert np.ptp(at[:, 1]) == pytest.approx(0.12, abs=1e-6)
    assert at[:, 0].min() == pytest.approx(-at[:, 0].max(), abs=1e-6)
    toes = at[at[:, 1] < 0.005]
    assert toes[:, 2].max() == pytest.approx(at[:, 2].max())  # toes reach furthest to the front
    turned = points(adopt(figure(up=up).bytes(), 0.12, up, 90.0).glb, "idle")
    assert np.ptp(turned[:, 0]) == pytest.approx(np.ptp(at[:, 2]), abs=1e-6)


def test_its_clips_go_by_our_names() -> None:
    out = adopt(figure().bytes(), 0.12)
    assert out.renamed == {"idle": CLIPS[0], "walk": CLIPS[1], "hop": CLIPS[2]}
    assert out.clips == ("idle", "walk", "hop", "Armature|Run", "Spin")
    model = read_glb(out.glb)
    assert list(model.clips) == list(out.clips)
    assert model.extras["height_m"] == 0.12
    assert model.extras["clips"]["walk"]["loop"]
    assert model.extras["live"] == {"head": "Head", "gaze": []}
    before, after = (chunks(data)[1] for data in (figure().bytes(), out.glb))
    assert before == after  # meshes, clips and pictures, to the byte
    assert out.notes == ()
    document, _ = chunks(out.glb)
    (scene,) = document["scenes"]
    assert [document["nodes"][i]["name"] for i in scene["nodes"]] == ["tsukumo_root", "Figure"]
    own = adopt(figure(("idle", "Walking", "walk", "wave_hello", "Hit_React")).bytes(), 0.12)
    assert own.renamed == {"idle": "idle", "walk": "walk", "wave": "wave_hello", "poked": "Hit_React"}
    assert own.clips == ("idle", "Walking", "walk", "wave", "poked")


def test_the_stride_is_what_its_feet_do() -> None:
    out = adopt(figure().bytes(), 0.12)
    scale = 0.12 / (np.ptp(points(figure().bytes())[:, 1]))
    assert read_glb(out.glb).extras["clips"]["walk"]["stride_m"] == pytest.approx(STRIDE * scale, rel=0.02)
    assert scale == pytest.approx(0.12 / HEIGHT, rel=0.02)


def test_a_walk_that_travels_is_left_and_said() -> None:
    out = adopt(figure(travels=True).bytes(), 0.12)
    assert "walk" not in out.clips
    assert len(out.clips) == len(CLIPS)
    (note,) = out.notes
    assert "'Armature|WalkCycle' carries the body 0.04 m along" in note


def test_without_a_walk_it_stays_and_says_so() -> None:
    out = adopt(figure(("Spin",)).bytes(), 0.3)
    assert out.clips == ("Spin",)
    assert "stays where it is" in " ".join(out.notes)


def document_of(change: Callable[[dict[str, Any]], object]) -> bytes:
    """The figure with something in its document changed."""
    document, blob = chunks(figure().bytes())
    change(document)
    return container(document, blob)


def without_skin(document: dict[str, Any]) -> None:
    del document["nodes"][-1]["skin"]


def only_morphs(document: dict[str, Any]) -> None:
    for clip in document["animations"]:
        for channel in clip["channels"]:
            channel["target"]["path"] = "weights"


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def with_picture(data: bytes) -> bytes:
    document, blob = chunks(figure().bytes())
    document["bufferViews"].append({"buffer": 0, "byteOffset": len(blob), "byteLength": len(data)})
    document["images"][0]["bufferView"] = len(document["bufferViews"]) - 1
    blob += data + b"\0" * (-len(data) % 4)
    document["buffers"][0]["byteLength"] = len(blob)
    return container(document, blob)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a .glb"),
        (b"solid nothing at all, a text", "not a .glb"),
        (figure().bytes()[:-100], "truncated"),
        (document_of(lambda d: d.update(extensionsRequired=["KHR_draco_mesh_compression"])), "Draco"),
        (document_of(lambda d: d.update(extensionsUsed=["EXT_meshopt_compression"])), "meshopt"),
        (document_of(lambda d: d.update(extensionsRequired=["KHR_of_tomorrow"])), "KHR_of_tomorrow"),
        (document_of(without_skin), "no skin"),
        (document_of(only_morphs), "morph targets only"),
        (document_of(lambda d: d.pop("animations")), "no clips"),
        (document_of(lambda d: d["nodes"][-1].pop("mesh")), "no mesh"),
        (document_of(lambda d: d["accessors"][0].update(count=10**9)), "1000000000 vertices, at most"),
        (document_of(lambda d: d["nodes"].extend([{}] * 5000)), "nodes, at most"),
        (document_of(lambda d: d["skins"][0].update(joints=[1] * 400)), "400 joints, at most 256"),
        (document_of(lambda d: d["meshes"][0].update(primitives=d["meshes"][0]["primitives"] * 50_000)), "vertices, at most"),
        (document_of(lambda d: d["buffers"][0].update(uri="other.bin")), "another file"),
        (document_of(lambda d: d["images"].__setitem__(0, {"uri": "skin.png"})), "picture in another file"),
        (document_of(lambda d: d["nodes"][1].update(children=[0])), "corrupt"),
        (document_of(lambda d: d["animations"][0].pop("channels")), "corrupt"),
        (with_picture(bomb(30_000, 30_000)), "30000x30000 pixels"),
        (with_picture(b"GIF89a" + bytes(40)), "neither PNG nor JPEG"),
        (with_picture(bomb(64, 64)), "does not decode"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused_in_a_line(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        adopt(data, 0.12, what="fox.glb")
    assert str(refused.value).startswith("fox.glb: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("height", [0.0, -1.0, float("nan"), 1e6])
def test_a_height_that_is_none_is_refused(height: float) -> None:
    with pytest.raises(ValueError, match="cannot be shown"):
        adopt(figure().bytes(), height)


def test_no_byte_of_it_brings_anything_down() -> None:
    """Bits that tip over: a character, or one line."""
    data, rng = figure().bytes(), np.random.default_rng(4)
    json_end = 20 + struct.unpack_from("<I", data, 12)[0]
    for i in range(150):
        broken = bytearray(data)
        for at in rng.integers(12, json_end if i % 3 else len(data), 3):
            broken[at] ^= 1 << int(rng.integers(8))
        with contextlib.suppress(ValueError):  # in words; anything else would be a fault of ours
            assert adopt(bytes(broken), 0.12).clips


def test_the_command_and_the_guest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fox.glb").write_bytes(figure().bytes())
    options = argparse.Namespace(
        photo=str(tmp_path / "fox.glb"), output=str(tmp_path / "ready.glb"), height=0.2, up="y", turn=0.0
    )
    assert awaken(options) == 0
    assert "ready.glb: 20.0 cm, idle (Armature|Idle_01), walk (Armature|WalkCycle)" in capsys.readouterr().out
    guest = load_guest(tmp_path / "ready.glb")
    small = guest.sized(0.05)
    assert np.ptp(points(small, "idle")[:, 1]) == pytest.approx(0.05, abs=1e-6)
    assert points(small, "idle")[:, 1].min() == pytest.approx(0, abs=1e-6)
    stride, half = (read_glb(glb).extras["clips"]["walk"]["stride_m"] for glb in (guest.sized(0.2), guest.sized(0.1)))
    assert half == pytest.approx(stride / 2, abs=1e-6)
    with pytest.raises(ValueError, match="not adopted yet; run: tsukumo awaken"):
        load_guest(tmp_path / "fox.glb")
    (tmp_path / "bad.glb").write_bytes(b"glTF")
    with pytest.raises(ValueError, match=r"not a \.glb"):
        load_guest(tmp_path / "bad.glb")


def test_sizes_of_pictures() -> None:
    import cv2

    picture = np.zeros((30, 50, 3), np.uint8)
    for kind in (".png", ".jpg"):
        assert picture_size(cv2.imencode(kind, picture)[1].tobytes()) == (50, 30)
    assert picture_size(b"") is None
    assert picture_size(b"\xff\xd8\xff\xe0\x00\x10") is None
    assert json.dumps(picture_size(bomb(7, 9))) == "[7, 9]"
