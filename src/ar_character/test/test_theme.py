"""Themes that ship, on many shapes: what characters wear is where it belongs, and does what it should."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from ar_character.character import build_character
from ar_character.gltf import read_glb
from ar_character.theme import find, load, ours
from ar_character.theme_mesh import read_mesh
from ar_character.workshop.__main__ import THEMES
from ar_character.workshop.tools import write

sys.path.insert(0, str(Path(__file__).parent))
from glb_player import Player
from shapes_of_things import HEIGHT, SHAPES, character_of
from test_gltf import check_clip, check_primitive


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
