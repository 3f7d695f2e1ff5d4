"""The whole character, judged by what is in its .glb: an independent player poses it."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from ar_character.character import Character, build_character
from ar_character.clips import STANCE
from ar_character.gltf import read_accessor, read_glb
from ar_character.inflate import inflate
from ar_character.mesh import euler_number, is_closed, weld
from ar_character.skeleton import plan

sys.path.insert(0, str(Path(__file__).parent))
from glb_player import Player
from shapes_of_things import HEIGHT, SHAPES, bear, character_of, disc, mug, painted

MOVING = ["disc", "mug", "tall_box", "flat_box", "stick", "bear", "two_holes"]


@cache
def made(name: str) -> tuple[Character, Player]:
    return character_of(name), Player(character_of(name).glb)


@pytest.mark.parametrize("name", SHAPES)
def test_sizes(name: str) -> None:
    character, player = made(name)
    assert character.object_height == HEIGHT
    assert 0.2 <= (character.height - HEIGHT) / HEIGHT <= 0.45
    assert character.triangles < 11000
    body = body_vertices(player)
    assert np.isclose(np.ptp(body[:, 1]), HEIGHT, atol=1e-6)
    assert np.isclose(body[:, 1].max(), character.height, atol=1e-6)
    feet = np.array([player.joint(f"foot_{side}")[:3, 3] for side in "LR"])
    assert np.allclose(feet[:, [0, 2]].mean(0), 0, atol=1e-6), "the origin is between the feet"
    assert feet[0, 0] > 0 > feet[1, 0], "the left foot is on its left"


@pytest.mark.parametrize("name", SHAPES)
def test_body_in_the_file_is_closed_and_has_the_shapes_holes(name: str) -> None:
    character, player = made(name)
    primitive = player.document["meshes"][0]["primitives"][0]
    faces = player.values(primitive["indices"]).reshape(-1, 3).astype(int)
    welded = weld(body_vertices(player), faces)
    assert is_closed(welded)
    assert euler_number(welded) == 2 - 2 * character.holes == 2 - 2 * (SHAPES[name][1] or 0)


@pytest.mark.parametrize("name", SHAPES)
def test_limbs_are_rooted_inside_the_body(name: str) -> None:
    rgba = SHAPES[name][0]()
    outline, _, shell = inflate(rgba[..., 3])
    layout = plan(outline, shell, HEIGHT)
    outer, *holes = outline.polygons()
    for root in layout.frame.raster(np.concatenate([layout.shoulders, layout.leg_roots])):
        point = tuple(float(v) for v in root)
        assert cv2.pointPolygonTest(outer.astype(np.float32), point, False) >= 0
        assert all(cv2.pointPolygonTest(hole.astype(np.float32), point, False) < 0 for hole in holes)


def test_a_mugs_arm_is_not_rooted_in_its_handle() -> None:
    outline, _, shell = inflate(mug()[..., 3])
    layout = plan(outline, shell, HEIGHT)
    body_right_edge = 14 + (200 - 40) * 256 / 243  # raster px of the mug's wall
    assert layout.frame.raster(layout.shoulders)[:, 0].max() < body_right_edge


@pytest.mark.parametrize("name", ["tall_box", "disc", "mug", "bear"])
def test_eyes_look_out_of_the_upper_part(name: str) -> None:
    _, player = made(name)
    lift = made(name)[0].height - HEIGHT
    for side in "LR":
        assert 0.55 < (player.joint(f"eye_{side}")[1, 3] - lift) / HEIGHT < 0.95


def test_the_face_keeps_off_the_top_side() -> None:
    """With the upper 40 % seen as a lid, brows and eyes stay below it."""
    player = Player(build_character(SHAPES["tall_box"][0](), HEIGHT, top_share=0.4).glb)
    lift = player.extras["height_m"] - HEIGHT
    assert player.joint("brow_L")[1, 3] < lift + 0.6 * HEIGHT
    assert player.joint("eye_L")[1, 3] > lift + 0.3 * HEIGHT


def test_the_face_goes_on_the_head_where_there_is_one() -> None:
    outline, _, shell = inflate(bear()[..., 3])
    layout = plan(outline, shell, HEIGHT)
    neck = layout.lift + HEIGHT * (350 - 180) / (350 - 27)
    assert layout.eyes[:, 1].min() > neck > layout.shoulders[:, 1].max()


@pytest.mark.parametrize("name", SHAPES)
def test_feet_stand_on_the_ground_at_rest_and_idle(name: str) -> None:
    _, player = made(name)
    assert abs(player.vertices()[:, 1].min()) < 1e-6
    for moment in np.linspace(0, player.duration("idle"), 13):
        assert abs(player.vertices("idle", float(moment))[:, 1].min()) < 5e-5
        for side in "LR":
            moved = player.joint(f"foot_{side}", "idle", float(moment))[:3, 3] - player.joint(f"foot_{side}")[:3, 3]
            assert np.abs(moved).max() < 1e-4


@pytest.mark.parametrize("name", MOVING)
def test_walking_feet_do_not_slide(name: str) -> None:
    character, player = made(name)
    duration, stride = player.duration("walk"), player.extras["clips"]["walk"]["stride_m"]
    assert np.isclose(stride, character.strides["walk"], atol=1e-6)
    assert stride > 0.2 * (character.height - HEIGHT)
    for side, start in (("L", 0.0), ("R", 0.5)):
        moments = (start + np.linspace(0.002, STANCE - 0.02, 40)) * duration
        feet = []
        for moment in moments:
            foot = player.joint(f"foot_{side}", "walk", float(moment % duration))[:3, 3]
            feet.append(foot + np.array([0, 0, stride * moment / duration]))
        feet = np.array(feet)
        assert np.ptp(feet, axis=0).max() < 3e-4, "a standing foot moves on the ground"
        assert np.abs(feet[:, 1] - player.joint(f"foot_{side}")[1, 3]).max() < 5e-4


@pytest.mark.parametrize("name", ["mug", "stick", "flat_box", "star"])
def test_nothing_goes_through_the_ground(name: str) -> None:
    _, player = made(name)
    for clip in player.clips:
        for moment in np.linspace(0, player.duration(clip), 17):
            feet = [player.joint(f"foot_{s}", clip, float(moment))[1, 3] for s in "LR"]
            assert min(feet) > -1e-4
            assert player.vertices(clip, float(moment))[:, 1].min() > -0.01 * HEIGHT, clip


@pytest.mark.parametrize("name", MOVING)
def test_loops_are_closed_and_awakening_ends_where_idle_begins(name: str) -> None:
    _, player = made(name)
    for clip, facts in player.extras["clips"].items():
        assert np.isclose(facts["duration_s"], player.duration(clip), atol=1e-5)
        if facts["loop"]:
            for sampler in player.clips[clip]["samplers"]:
                values = player.values(sampler["output"])
                assert np.array_equal(values[0], values[-1]) or np.array_equal(values[0], -values[-1])
    end = player.vertices("awaken", player.duration("awaken"))
    assert np.abs(end - player.vertices("idle", 0.0)).max() < 0.005 * HEIGHT


@pytest.mark.parametrize("name", MOVING)
def test_awakening_begins_as_the_thing_itself(name: str) -> None:
    """At its first moment the object stands on the ground where it stood, and legs, arms and face are in it."""
    _, player = made(name)
    rest, start = body_vertices(player), player.vertices("awaken", 0.0)[: len(body_vertices(player))]
    lift = made(name)[0].height - HEIGHT
    assert np.abs(start - (rest - [0, lift, 0])).max() < 1e-5
    everything = player.vertices("awaken", 0.0)
    assert everything[:, 1].min() > -0.01 * HEIGHT
    assert everything[:, 1].max() < HEIGHT * 1.01


def test_blinking_shuts_the_lids() -> None:
    _, player = made("disc")
    pole = player.joint("lid_L", "idle", 0.70)[:3, :3]
    assert np.degrees(np.arccos((np.trace(pole) - 1) / 2)) > 75


def test_weights_sum_to_one() -> None:
    for name in SHAPES:
        _, player = made(name)
        for primitive in player.document["meshes"][0]["primitives"]:
            weights = player.values(primitive["attributes"]["WEIGHTS_0"])
            assert np.array_equal(np.round(weights * 255).sum(1), np.full(len(weights), 255))


def test_joints_have_the_promised_names() -> None:
    _, player = made("mug")
    for name in ("root", "hips", "spine1", "spine2", "head", "mouth"):
        assert name in player.names
    for side in "LR":
        for name in ("eye", "lid", "pupil", "brow", "hand", "foot"):
            assert f"{name}_{side}" in player.names
        for name in ("arm", "leg"):
            assert {f"{name}_{side}_1", f"{name}_{side}_2"} <= set(player.names)
    live = player.extras["live"]
    assert {*live["gaze"], *live["lids"], *live["springs"], live["head"], *live["mouth"]} <= set(player.names)
    assert np.isclose(player.extras["height_m"], made("mug")[0].height, atol=1e-6)


def test_same_input_same_bytes() -> None:
    first, second, other = (build_character(mug(), height).glb for height in (HEIGHT, HEIGHT, 0.2))
    same, unlike = first == second, first != other
    assert same, differences(first, second)
    assert unlike


def differences(first: bytes, second: bytes) -> list[str]:
    """Which accessors differ, in how many values, by how much."""
    (document, blob), (other_document, other_blob) = read_glb(first), read_glb(second)
    if document["accessors"] != other_document["accessors"]:
        return ["the accessors' sizes or bounds differ"]
    found = []
    for number, accessor in enumerate(document["accessors"]):
        by = np.abs(read_accessor(document, blob, number) - read_accessor(document, other_blob, number))
        if by.any():
            found.append(
                f"{number} {accessor['type']}: {np.count_nonzero(by)} of {by.size} values, up to {by.max():.2g}"
            )
    return found


def test_the_same_bytes_on_another_processor() -> None:
    """As far as it can be had on one machine: with the vector units of the last ten years switched off."""
    code = "import shapes_of_things as s, hashlib; print(hashlib.sha256(s.character_of('mug').glb).hexdigest())"
    old = {"OPENCV_CPU_DISABLE": "AVX2,AVX512-SKX,FMA3", "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX"}
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    digests = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            env={**os.environ, **disabled, "PYTHONPATH": path},
            capture_output=True, text=True, check=True,
        ).stdout
        for disabled in ({}, old)
    }  # fmt: skip
    assert len(digests) == 1


def test_the_back_shows_no_label() -> None:
    """The front's texture has the label's edges, the back's none, but the same colours at the rim."""
    mask = cv2.circle(np.zeros((300, 300), np.uint8), (150, 150), 120, 255, -1)
    plain = painted(mask)
    plain[..., :3] = (200, 80, 60)
    cv2.putText(plain, "LABEL", (75, 160), 0, 1.5, (255, 255, 255, 255), 4)
    plain[..., 3] = mask
    player = Player(build_character(plain, HEIGHT).glb)
    view = player.document["bufferViews"][player.document["images"][0]["bufferView"]]
    jpeg = np.frombuffer(player.blob, np.uint8)[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
    image = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)[..., ::-1].astype(float)
    primitive = player.document["meshes"][0]["primitives"][0]
    uv = player.values(primitive["attributes"]["TEXCOORD_0"]) * [image.shape[1], image.shape[0]]
    normals = player.values(primitive["attributes"]["NORMAL"])
    shown = image[np.clip(uv[:, 1].astype(int), 0, None), np.clip(uv[:, 0].astype(int), 0, None)]
    front, back = shown[normals[:, 2] > 0.3], shown[normals[:, 2] < -0.3]
    assert (front.min(1) > 180).sum() > 20, "the label is on the front"
    assert (back.min(1) > 120).sum() == 0, "and not on the back"
    assert np.abs(back - [200, 80, 60]).max() < 40


@pytest.mark.parametrize("seed", range(12))
def test_any_blot_comes_alive(seed: int) -> None:
    """Blots with arms, holes and specks: closed, planted, finite, whatever the shape."""
    rng = np.random.default_rng(seed)
    noise = rng.random((200, 260)).astype(np.float32)
    mask = (cv2.GaussianBlur(noise, (0, 0), rng.uniform(3, 22)) > np.quantile(noise, 0.5)).astype(np.uint8) * 255
    for _ in range(4):
        a, b = rng.integers(0, 200, (2, 2)).tolist()
        cv2.line(mask, a, b, 255, int(rng.integers(2, 14)))
    character = build_character(painted(mask, seed), HEIGHT)
    player = Player(character.glb)
    for clip, moment in ((None, 0.0), ("idle", 1.0), ("walk", 0.3), ("awaken", 1.5)):
        vertices = player.vertices(clip, moment)
        assert np.isfinite(vertices).all()
        assert np.abs(vertices).max() < 20 * HEIGHT
    assert abs(player.vertices()[:, 1].min()) < 1e-6
    body = player.document["meshes"][0]["primitives"][0]
    faces = player.values(body["indices"]).reshape(-1, 3).astype(int)
    points = body_vertices(player)
    corners = points[faces]
    signed = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert signed > 0


@pytest.mark.parametrize(
    ("rgba", "height", "words"),
    [
        (np.zeros((40, 40, 4), np.uint8), 0.1, "empty"),
        (np.pad(np.full((1, 1, 4), 255, np.uint8), ((9, 9), (9, 9), (0, 0))), 0.1, "covers 1 px"),
        (np.zeros((40, 40, 3), np.uint8), 0.1, "expected .H, W, 4. uint8 RGBA, got uint8 .40, 40, 3."),
        (np.zeros((40, 40, 4), np.float32), 0.1, "got float32"),
        (np.zeros((0, 40, 4), np.uint8), 0.1, "is not a size"),
        (disc(), float("nan"), "object height nan m"),
        (disc(), 0.0, "object height 0.0 m"),
        (disc(), 1e4, "is not between"),
    ],
)
def test_bad_input_is_a_clear_error(rgba: np.ndarray, height: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build_character(rgba, height)


def body_vertices(player: Player) -> np.ndarray:
    primitive = player.document["meshes"][0]["primitives"][0]
    assert player.document["materials"][primitive["material"]]["name"] == "body"
    return player.values(primitive["attributes"]["POSITION"]).astype(float)
