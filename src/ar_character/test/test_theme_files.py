"""A theme of a user's own, written here from nothing, and broken ones, each a clear line."""

from __future__ import annotations

import contextlib
import json
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ar_character.character import build_character
from ar_character.gltf import read_accessor, read_glb
from ar_character.theme import find, load, named
from ar_character.theme_mesh import read_mesh
from ar_character.workshop.tools import ball, write

sys.path.insert(0, str(Path(__file__).parent))
from glb_player import Player
from shapes_of_things import HEIGHT, SHAPES

CUBE = """
v -1 0 -1 1 0 0
v 1 0 -1 1 0 0
v 1 0 1 1 0 0
v -1 0 1 1 0 0
v 0 2 0 1 1 0
f 1 2 3 4
f 2 1 5
f 3 2 5
f 4 3 5
f 1 4 5
"""
HAT = """
about: a pointed hat
props:
  hat: {mesh: hat.obj, place: crown, size: 0.5, points: {tip: [0, 2, 0]}}
particles:
  sparkle: {from: hat.tip, sprite: star, rate: 5, size: 0.05, colours: ["#ff0000"]}
motions:
  nod: {loop: true, duration: 1.0, keys: {head_x: [[0, 0], [0.5, 0.3], [1, 0]]}}
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "hats"
    folder.mkdir()
    (folder / "hat.obj").write_text(CUBE)
    (folder / "theme.yaml").write_text(HAT)
    return folder


def test_a_theme_of_a_users_own(pack: Path) -> None:
    theme = load(str(pack))
    player = Player(build_character(SHAPES["mug"][0](), HEIGHT, theme=theme).glb)
    assert player.extras["theme"] == "hats"
    assert player.extras["clips"]["nod"] == {"loop": True, "duration_s": 1.0, "stride_m": 0.0, "pastime": True}
    (emitter,) = player.extras["emitters"]
    assert (emitter["joint"], emitter["sprite"], emitter["colours"]) == ("prop_hat", "star", [[1.0, 0.0, 0.0]])
    primitive = player.document["meshes"][0]["primitives"][-1]
    points = player.values(primitive["attributes"]["POSITION"])
    colours = player.values(primitive["attributes"]["COLOR_0"])
    assert colours[:, 0].min() > 0.99
    assert colours[:, 2].max() < 0.01
    body = player.values(player.document["meshes"][0]["primitives"][0]["attributes"]["POSITION"])
    assert points[:, 1].min() == pytest.approx(body[:, 1].max(), abs=0.05 * HEIGHT), "the hat stands on the crown"
    assert np.abs(np.array(emitter["at"]) - [0, np.ptp(points[:, 1]), 0]).max() < 1e-5, "it sparkles at its tip"
    still, nodding = (player.joint("prop_hat", "nod", t) for t in (0.0, 0.5))
    assert nodding[1, 2] < still[1, 2] - 0.1, "the head bows, and the hat with it"
    assert named(str(pack)) == str(pack / "theme.yaml")


def test_twice_as_large_a_body_wears_twice_as_large_a_hat(pack: Path) -> None:
    sizes = []
    for height in (0.1, 0.2):
        player = Player(build_character(SHAPES["mug"][0](), height, theme=load(str(pack))).glb)
        primitive = player.document["meshes"][0]["primitives"][-1]
        sizes.append(np.ptp(player.values(primitive["attributes"]["POSITION"]), axis=0))
    assert np.allclose(2 * sizes[0], sizes[1], rtol=1e-3)


def test_a_glb_with_placed_nodes_and_materials(tmp_path: Path) -> None:
    """Colours of materials, vertex colours and nodes' places count; what shines is unlit."""
    write(tmp_path / "b.glb", [ball((1, 1, 1), "#ff8800", 0.25, shines=True)])
    document, blob = read_glb((tmp_path / "b.glb").read_bytes())
    document["nodes"][0] |= {"translation": [0, 5, 0], "scale": [2, 2, 2], "rotation": [0, 0, 1, 0]}
    document["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"] = [0.5, 1, 1, 1]
    (tmp_path / "c.glb").write_bytes(_glb(document, blob))
    (piece,) = read_mesh(tmp_path / "c.glb").pieces
    assert piece.surface.unlit
    assert piece.surface.roughness == 0.25
    assert np.allclose(piece.vertices.mean(0), [0, 5, 0], atol=0.2)
    assert np.ptp(piece.vertices[:, 1]) == pytest.approx(4.0, abs=1e-4)
    assert np.allclose(piece.colours[0], [0.5, 0.246, 0.0], atol=0.01)


def _glb(document: dict[str, Any], blob: bytes) -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(blob))
    return head + struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(blob), b"BIN\0") + blob


# ---- broken ones


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("mesh: hat.obj", "mesh: cap.obj", r"props\.hat\.mesh: cap\.obj: cannot be read"),
        ("mesh: hat.obj", "mesh: theme.yaml", r"props\.hat\.mesh: theme\.yaml: a mesh is a \.glb or an \.obj"),
        ("place: crown", "place: tail", r"props\.hat\.place: there is no 'tail'; there are .*crown"),
        ("size: 0.5,", "size: huge,", r"props\.hat\.size: 'huge' is no number"),
        ("size: 0.5,", "size: .nan,", r"props\.hat\.size: nan is no number"),
        ("size: 0.5,", "size: 500,", r"props\.hat\.size: 500 is not between 0\.01 and 5"),
        ("size: 0.5,", "", r"props\.hat\.size: is missing"),
        ("size: 0.5,", "size: 0.5, sise: 1,", r"props\.hat\.sise: unknown key; there are .*size"),
        ("[0, 2, 0]}", "[0, 2]}", r"props\.hat\.points\.tip: \[0, 2\] is not a list of 3 numbers"),
        ("from: hat.tip", "from: hat.brim", r"particles\.sparkle\.from: there is no 'hat\.brim'; there are .*hat\.tip"),
        ("sprite: star", "sprite: banana", r"particles\.sparkle\.sprite: 'banana' is none of dust"),
        ("#ff0000", "red", r"particles\.sparkle\.colours: 'red' is no colour"),
        ("rate: 5", "rate: -5", r"particles\.sparkle\.rate: -5 is not between"),
        ("head_x:", "antenna:", r"motions\.nod\.keys\.antenna: no movement of the body"),
        ("[0.5, 0.3]", "[0, 0.3]", r"motions\.nod\.keys\.head_x: the rows .* go on in time"),
        ("loop: true", "loop: perhaps", r"motions\.nod\.loop: 'perhaps' is neither true nor false"),
        ("about: a pointed hat", "about: [", r"theme\.yaml: is not YAML in line"),
        ("about: a pointed hat", "colour: blue", r"theme\.yaml: colour: unknown key"),
    ],
)
def test_what_is_broken_is_named_with_file_and_key(pack: Path, old: str, new: str, words: str) -> None:
    text = (pack / "theme.yaml").read_text()
    assert old in text
    (pack / "theme.yaml").write_text(text.replace(old, new))
    with pytest.raises(ValueError, match=words) as error:
        load(str(pack))
    assert str(pack / "theme.yaml") in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("mesh", "words"),
    [
        ("", "has no triangles"),
        ("v 0 0 0\nv 0 0 0\nv 0 0 0\nf 1 2 3", "has no triangles"),
        ("v 0 0\nf 1 1 1", "line 1"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9", "does not exist"),
        ("v 0 0 0\nv 1 0 0\nv 0 nan 0\nf 1 2 3", "no numbers"),
    ],
)
def test_broken_meshes(pack: Path, mesh: str, words: str) -> None:
    (pack / "hat.obj").write_text(mesh)
    with pytest.raises(ValueError, match=words):
        load(str(pack))


def test_damaged_glb_meshes(tmp_path: Path) -> None:
    whole = (find("band")[0].parent / "stick.glb").read_bytes()
    rng, refused = np.random.default_rng(4), 0
    for n in range(60):
        data = bytearray(whole)
        for _ in range(4):
            data[int(rng.integers(12, min(len(data), 900)))] = int(rng.integers(256))
        (tmp_path / "x.glb").write_bytes(bytes(data[: len(data) if n % 3 else int(rng.integers(len(data)))]))
        with contextlib.suppress(ValueError):
            read_mesh(tmp_path / "x.glb")
            continue
        refused += 1
    assert refused >= 20, "a third of them is cut short"


def test_unknown_themes_and_members(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"theme 'circus': no theme of ours .*band.* and no folder with a theme\.yaml"):
        load("circus")
    with pytest.raises(ValueError, match=r"members: there is no 'bassist'; there are guitarist, drummer, singer"):
        load("band:bassist")
    with pytest.raises(ValueError, match="no folder"):
        load(str(tmp_path))
    first, second, third, again = (load("band", n) for n in range(4))
    assert first is not None
    assert again is not None
    assert [t.member for t in (first, second, third, again) if t] == ["guitarist", "drummer", "singer", "guitarist"]


def test_values_of_accessors_are_read(tmp_path: Path) -> None:
    """The colours that are written are those that are read: linear, 16 bit."""
    document, blob = read_glb((find("band")[0].parent / "stick.glb").read_bytes())
    colours = read_accessor(document, blob, document["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"])
    assert colours.min() >= 0
    assert colours.max() <= 1
    assert (colours[:, 3] == 1).all()


def test_the_example_in_the_documentation_is_a_theme(pack: Path) -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "themes.md").read_text()
    example = text.split("```yaml\n")[1].split("```")[0]
    (pack / "theme.yaml").write_text(example.replace("hat.glb", "hat.obj"))
    theme = load(str(pack))
    assert theme is not None
    assert ([p.name for p in theme.props], [m.name for m in theme.motions]) == (["hat"], ["nod"])
    assert [e.sprite for e in theme.emitters] == ["star"]


# ---- files from anywhere


@pytest.mark.parametrize("mesh", ["../hat.obj", "/etc/hat.obj", "a/../../hat.obj"])
def test_a_theme_reads_what_is_in_its_folder_only(pack: Path, mesh: str) -> None:
    (pack.parent / "hat.obj").write_text(CUBE)
    (pack / "theme.yaml").write_text(HAT.replace("hat.obj", mesh))
    with pytest.raises(ValueError, match=r"props\.hat\.mesh: '.*' lies outside of the theme's folder"):
        load(str(pack))


def test_what_is_no_file_is_not_read(pack: Path) -> None:
    """A device or a pipe gives bytes for ever, or none."""
    (pack / "hat.obj").unlink()
    (pack / "hat.obj").symlink_to("/dev/zero")
    with pytest.raises(ValueError, match=r"hat\.obj: is no file"):
        load(str(pack))
    with pytest.raises(ValueError, match=r"zero: a mesh is a \.glb or an \.obj"):
        read_mesh(Path("/dev/zero"))


@pytest.mark.parametrize("name", ["x" * 5000, "~nobody-of-that-name/hats", "a\0b"], ids=["long", "nobody's", "zero"])
def test_names_that_no_file_can_have(name: str) -> None:
    with pytest.raises(ValueError, match="no theme of ours"):
        load(name)


def test_aliases_that_stand_for_too_much_are_refused(pack: Path) -> None:
    """Nine lines that would be 10^9 values once they are written out, in a list, by merging, and one within itself."""
    lists = ["a0: &a0 [1, 1]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    merged = ["a0: &a0 {x: 1}"] + [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}" for i in range(1, 10)]
    for lines in ([*lists, "about: *a9"], [*merged, "props: *a9"], ["about: &a [*a]"]):
        (pack / "theme.yaml").write_text("\n".join(lines))
        with pytest.raises(ValueError, match=r"theme\.yaml: its aliases stand for too many values"):
            load(str(pack))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("1" + "0" * 400, r"size: .* is not between 0\.01 and 5"),
        ("2026-99-99", r"theme\.yaml: month must be"),
        ("[" * 3000, r"theme\.yaml: is not YAML: it is nested too deeply"),
        ("[" + "a, " * 5000 + "]", r"size: \[.{1,200}\] is no number"),
    ],
    ids=["large", "date", "deep", "long"],
)
def test_odd_values_are_one_short_line(pack: Path, value: str, words: str) -> None:
    (pack / "theme.yaml").write_text(HAT.replace("size: 0.5", f"size: {value}"))
    with pytest.raises(ValueError, match=words) as error:
        load(str(pack))
    assert len(str(error.value)) < 400 + len(str(pack))


def _changed(tmp_path: Path, change: Any) -> Path:
    document, blob = read_glb((find("band")[0].parent / "stick.glb").read_bytes())
    change(document)
    (tmp_path / "x.glb").write_bytes(_glb(document, blob))
    return tmp_path / "x.glb"


def test_few_bytes_that_stand_for_many_triangles_are_refused(tmp_path: Path) -> None:
    def ladder(document: dict[str, Any]) -> None:
        """Forty nodes, each twice the child of the one before: 2^40 sticks."""
        document["nodes"] = [{"children": [i + 1, i + 1]} for i in range(40)] + [{"mesh": 0}]
        document["scenes"] = [{"nodes": [0]}]

    def crowd(document: dict[str, Any]) -> None:
        document["nodes"] = [{"mesh": 0}] * 100_000
        document["scenes"] = [{"nodes": list(range(100_000))}]

    def endless(document: dict[str, Any]) -> None:
        for view in document["bufferViews"]:
            view["byteStride"] = 0
        for accessor in document["accessors"]:
            accessor["count"] = 10**11

    with pytest.raises(ValueError, match="node 40 has more than one parent"):
        read_mesh(_changed(tmp_path, ladder))
    with pytest.raises(ValueError, match="triangles; a prop may have 8000"):
        read_mesh(_changed(tmp_path, crowd))
    with pytest.raises(ValueError, match="accessor 0 has rows that overlap"):
        read_mesh(_changed(tmp_path, endless))


def test_every_member_is_read_once(pack: Path) -> None:
    """A kiosk awakens thousands of things; each wears the same meshes."""
    first = load("band", 0)
    assert first is not None
    assert load("band", 3) is first
    assert load("band", 3_000_000) is first
