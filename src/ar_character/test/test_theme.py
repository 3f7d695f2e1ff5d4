"""Themes: ours on many shapes, a user's written here from nothing, and broken ones, each a clear line."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ar_character.character import build_character
from ar_character.gltf import read_accessor, read_glb
from ar_character.theme import find, load, named, ours
from ar_character.theme_mesh import read_mesh
from ar_character.workshop.__main__ import THEMES
from ar_character.workshop.tools import write

sys.path.insert(0, str(Path(__file__).parent))
from glb_player import Player
from shapes_of_things import HEIGHT, SHAPES, character_of
from test_gltf import check_clip, check_primitive

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


def every_member() -> list[str]:
    out = []
    for name in ours():
        members = yaml.safe_load(find(name)[0].read_text()).get("members", {})
        out += [f"{name}:{member}" for member in members] or [name]
    return out


def test_plain_is_no_theme() -> None:
    assert load("plain") is None
    assert load("") is None
    assert build_character(SHAPES["mug"][0](), HEIGHT, theme=load("plain")).glb == character_of("mug").glb
    assert "band:singer" in every_member()


@pytest.mark.parametrize("shape", ["mug", "tall_box", "flat_box", "tiny"])
@pytest.mark.parametrize("name", every_member())
def test_ours_on_many_shapes(name: str, shape: str) -> None:
    theme, plain = load(name), character_of(shape)
    assert theme is not None
    made = build_character(SHAPES[shape][0](), HEIGHT, theme=theme)
    if shape == "mug":
        assert made.glb == build_character(SHAPES[shape][0](), HEIGHT, theme=load(name)).glb
    assert made.height == plain.height
    assert plain.triangles < made.triangles < plain.triangles + 9000
    document, blob = read_glb(made.glb)
    for primitive in document["meshes"][0]["primitives"][:3]:
        check_primitive(document, blob, primitive)
    for clip in document["animations"]:
        check_clip(document, blob, clip)
    player = Player(made.glb)
    for prop in theme.props:
        assert f"prop_{prop.name}" in player.names
    for emitter in player.extras["emitters"]:
        assert emitter["joint"] in player.names
        assert np.isfinite([*emitter["at"], *emitter["size"], *emitter["go"]]).all()
    bare = len(Player(plain.glb).vertices())
    for clip in player.clips:
        for moment in np.linspace(0.25, 0.75, 2) * player.duration(clip):
            points = player.vertices(clip, float(moment))[bare:]
            assert np.isfinite(points).all()
            assert points[:, 1].min() > -0.02 * HEIGHT, f"{clip} at {moment:.2f} s: into the ground"
            assert np.abs(points).max() < 6 * HEIGHT


@pytest.mark.parametrize("name", every_member())
def test_loops_close_with_what_they_hold(name: str) -> None:
    player = Player(build_character(SHAPES["mug"][0](), HEIGHT, theme=load(name)).glb)
    for clip, told in player.extras["clips"].items():
        if told["loop"]:
            ends = [player.vertices(clip, t) for t in (0.0, player.duration(clip))]
            assert np.abs(ends[0] - ends[1]).max() < 0.01 * HEIGHT, clip


def test_hands_are_where_they_play() -> None:
    """The guitarist's right palm is near the strings all the time, the left one at the neck; without a theme they are not."""
    player = Player(build_character(SHAPES["mug"][0](), HEIGHT, theme=load("band:guitarist")).glb)

    def apart(clip: str, moment: float) -> tuple[float, float]:
        right, left, guitar = (player.joint(j, clip, moment)[:3, 3] for j in ("hand_R", "hand_L", "prop_guitar"))
        return float(np.linalg.norm(right - guitar)), float(np.linalg.norm(left - guitar))

    for moment in np.linspace(0, player.duration("play"), 9):
        right, left = apart("play", float(moment))
        assert right < 0.35 * HEIGHT
        assert left < 0.70 * HEIGHT
    assert apart("wave", 1.2)[0] > 0.6 * HEIGHT


def test_what_hangs_hangs() -> None:
    """A hanging or upright prop keeps its up while the arm goes round."""
    player = Player(build_character(SHAPES["mug"][0](), HEIGHT, theme=load("ramadan")).glb)
    for moment in np.linspace(0, player.duration("wave"), 7):
        up = player.joint("prop_lantern", "wave", float(moment))[:3, 1]
        assert up[1] / np.linalg.norm(up) > 0.6


def test_what_sits_on_the_head_follows_it() -> None:
    """A laurel goes round the head, and turns with it."""
    plain = Player(character_of("tall_box").glb)
    player = Player(build_character(SHAPES["tall_box"][0](), HEIGHT, theme=load("olympics")).glb)
    body = plain.values(plain.document["meshes"][0]["primitives"][0]["attributes"]["POSITION"])
    number = player.joints.index(player.names.index("prop_laurel"))
    leaves = []
    for primitive in player.document["meshes"][0]["primitives"][3:]:
        a = primitive["attributes"]
        points, joints = player.values(a["POSITION"]), player.values(a["JOINTS_0"])
        leaves.append(points[joints[:, 0] == number])
    wreath = np.concatenate(leaves)
    there = body[np.abs(body[:, 1] - wreath[:, 1].mean()) < 0.03 * HEIGHT]
    for axis in (0, 2):
        assert wreath[:, axis].min() < there[:, axis].min()
        assert wreath[:, axis].max() > there[:, axis].max()
    assert body[:, 1].max() - 0.3 * HEIGHT < wreath[:, 1].mean() < body[:, 1].max()
    at_rest = np.linalg.inv(player.joint("head")) @ player.joint("prop_laurel")
    nodding = np.linalg.inv(player.joint("head", "look", 1.1)) @ player.joint("prop_laurel", "look", 1.1)
    assert np.allclose(at_rest, nodding, atol=1e-6)


def test_the_beast_breathes_while_its_mouth_is_open() -> None:
    player = Player(build_character(SHAPES["mug"][0](), HEIGHT, theme=load("beast")).glb)
    (breath,) = (e for e in player.extras["emitters"] if e["name"] == "breath")
    start, stop = breath["window"]
    wide = [np.linalg.norm(player.joint("mouth", "beast", t)[:3, 1]) for t in (0.2, start + 0.1, stop - 0.1)]
    assert min(wide[1:]) > 2 * wide[0]
    assert breath["clips"] == ["beast"]
    assert breath["go"][2] > 0.1, "forward, out of the mouth"


def test_a_tail_is_soft() -> None:
    """Its skin goes smoothly from joint to joint, and its tip swings wider than its root."""
    player = Player(build_character(SHAPES["mug"][0](), HEIGHT, theme=load("beast")).glb)
    chain = [
        player.joints.index(player.names.index(n)) for n in ("prop_tail", *(f"prop_tail_{i}" for i in range(1, 5)))
    ]
    shared = np.zeros(5)
    for primitive in player.document["meshes"][0]["primitives"][3:]:
        a = primitive["attributes"]
        joints, weights = player.values(a["JOINTS_0"]), player.values(a["WEIGHTS_0"])
        mine = np.isin(joints[:, 0], chain)
        for i, joint in enumerate(chain):
            w = np.where(joints[mine] == joint, weights[mine], 0).sum(1)
            shared[i] += ((w > 0.1) & (w < 0.9)).sum()
    assert (shared > 0).all(), "every joint shares vertices with its neighbours"
    swings = []
    for name in ("prop_tail", "prop_tail_4"):
        turned = [
            player.joint(name, "idle", t)[:3, :3] @ [0, 0, 1] for t in np.linspace(0, player.duration("idle"), 24)
        ]
        swings.append(np.ptp([np.arctan2(x, z) for x, _, z in turned]))
    assert swings[1] > 1.5 * swings[0] > 0.1


def test_props_appear_when_the_arms_are_out() -> None:
    player = Player(build_character(SHAPES["mug"][0](), HEIGHT, theme=load("band:guitarist")).glb)
    size = [np.linalg.norm(player.joint("prop_guitar", "awaken", t)[:3, 0]) for t in (0.0, 2.0, 4.4)]
    assert size[0] < 0.05
    assert size[1] < 0.05
    assert size[2] > 0.9


def test_the_committed_meshes_are_what_the_workshop_makes(tmp_path: Path) -> None:
    for theme, meshes in THEMES.items():
        for name, make in meshes.items():
            write(tmp_path / f"{name}.glb", make())
            made, kept = read_mesh(tmp_path / f"{name}.glb"), read_mesh(find(theme)[0].parent / f"{name}.glb")
            assert made.vertices.shape == kept.vertices.shape, f"{theme}/{name}: python -m ar_character.workshop"
            assert np.abs(made.vertices - kept.vertices).max() < 1e-4
            for piece in kept.pieces:
                a, b, c = (piece.vertices[piece.faces[:, k]] for k in range(3))
                crossed = np.cross(b - a, c - a)
                outward = piece.normals[piece.faces].sum(1)
                assert (np.einsum("ij,ij->i", crossed, outward) > 0).all(), f"{theme}/{name}: turned inside out"
                assert np.linalg.norm(crossed, axis=1).min() > 1e-7 * kept.longest**2, f"{theme}/{name}: no area"


# ---- a user's


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
    from ar_character.workshop.tools import ball

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
    import struct

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
