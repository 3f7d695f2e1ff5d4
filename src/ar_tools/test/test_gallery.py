"""The gallery: what its machine checks say of a good character and of spoiled ones, and the whole command.

Its folder's conftest.py reads bags (rosbags): not for the environment without ROS.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from ar_character.character import build_character
from ar_render.context import NoContextError, create_context
from ar_render.gltf import read_glb
from ar_render.model import Model
from ar_tools.gallery import find_pictures, gallery, read_cutout
from ar_tools.gallery_checks import check, holes


def cup(seed: int = 0) -> np.ndarray:
    """(200, 220, 4) RGBA: a cup with a handle."""
    mask = cv2.rectangle(np.zeros((200, 220), np.uint8), (40, 30), (140, 180), 255, -1)
    mask = cv2.ellipse(mask, (140, 100), (50, 45), 0, -90, 90, 255, 20)
    colour = np.random.default_rng(seed).integers(40, 220, 3).astype(np.uint8)
    return np.dstack([np.broadcast_to(colour, (200, 220, 3)), mask])


@pytest.fixture(scope="module")
def good() -> Model:
    return read_glb(build_character(cup(), 0.1).glb)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """For pictures, and for what comes of them; skips where they cannot be drawn."""
    try:
        create_context().close()
    except NoContextError as error:
        pytest.skip(f"no OpenGL: {error}")
    (tmp_path / "images").mkdir()
    return tmp_path / "images", tmp_path / "out"


def spoiled(model: Model, **changes: object) -> Model:
    body = replace(model.primitives[0], **changes)  # type: ignore[arg-type]
    return replace(model, primitives=(body, *model.primitives[1:]))


def test_a_good_character_has_nothing_wrong(good: Model) -> None:
    assert check(good) == []
    assert holes(good) == 1


def test_what_is_wrong_is_said(good: Model) -> None:
    body = good.primitives[0]
    assert "body: not closed" in check(spoiled(good, triangles=body.triangles[1:]))
    turned = body.triangles.copy()
    turned[7] = turned[7][::-1]
    assert "body: 1 triangles flipped" in check(spoiled(good, triangles=turned))
    flat = body.positions.copy()
    flat[body.triangles[5]] = flat[body.triangles[5][0]]
    assert any("without area" in line for line in check(spoiled(good, positions=flat)))
    aside = check(spoiled(good, positions=body.positions + np.float32([0.2, 0, 0])))
    assert "leg_L_1 is rooted outside of the body" in aside
    sunk = tuple(replace(p, positions=p.positions - np.float32([0, 0.002, 0])) for p in good.primitives)
    assert any("at rest its soles are -2.00 mm" in line for line in check(replace(good, primitives=sunk)))
    clips = {name: dict(facts) for name, facts in good.extras["clips"].items()}
    clips["walk"]["stride_m"] *= 1.15
    assert any("feet slide" in line for line in check(replace(good, extras={**good.extras, "clips": clips})))


def test_pictures_are_found_and_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder"):
        find_pictures(tmp_path / "none")
    with pytest.raises(ValueError, match="no pictures"):
        find_pictures(tmp_path)
    rgba = cup()
    cv2.imwrite(str(tmp_path / "b.png"), cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))
    cv2.imwrite(str(tmp_path / "a_texture.png"), cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGR))
    cv2.imwrite(str(tmp_path / "a_mask.png"), rgba[..., 3])
    (tmp_path / "c.png").write_bytes(b"no picture")
    found = find_pictures(tmp_path)
    assert [p.name for p in found] == ["a_texture.png", "b.png", "c.png"]
    for path in found[:2]:
        assert np.array_equal(read_cutout(path), rgba)
    with pytest.raises(ValueError, match="not a colour picture"):
        read_cutout(found[2])


def test_the_command_leaves_sheets_and_a_report(folders: tuple[Path, Path]) -> None:
    images, out = folders
    for seed in (1, 2):
        cv2.imwrite(str(images / f"cup{seed}.png"), cv2.cvtColor(cup(seed), cv2.COLOR_RGBA2BGRA))
    options = argparse.Namespace(images=str(images), out=str(out), height=0.1, theme="plain")
    assert gallery(options) == 0
    report = json.loads((out / "report.json").read_text())
    assert report["characters"] == 2
    assert report["wrong"] == 0
    assert report["entries"][0]["sha256"] != report["entries"][1]["sha256"]
    sheet = cv2.imread(str(out / "sheet_01.png"))
    assert sheet is not None
    assert sheet.shape == (400, 13 * 200, 3)
    tiles = sheet[:200].reshape(200, 13, 200, 3).swapaxes(0, 1)
    assert all(np.any(a != b) for a, b in pairwise(tiles[1:8])), "every turn looks different"
    assert {p.name for p in out.glob("*.glb")} == {"cup1.glb", "cup2.glb"}
    (images / "cup3.png").write_bytes((images / "cup2.png").read_bytes())
    (images / "nothing.png").write_bytes(b"")
    assert gallery(options) == 1
    wrong = {e["name"]: e["wrong"] for e in json.loads((out / "report.json").read_text())["entries"] if e["wrong"]}
    assert wrong == {"cup3": ["the same file as cup2"], "nothing": ["not a colour picture that can be decoded"]}


def test_a_theme_is_worn_and_shown(folders: tuple[Path, Path]) -> None:
    images, out = folders
    cv2.imwrite(str(images / "cup.png"), cv2.cvtColor(cup(1), cv2.COLOR_RGBA2BGRA))
    options = argparse.Namespace(images=str(images), out=str(out), height=0.1, theme="olympics")
    assert gallery(options) == 0
    sheet = cv2.imread(str(out / "sheet_01.png"))
    assert sheet is not None
    assert sheet.shape == (200, 15 * 200, 3), "two more: standing, and a clip of the theme's own"
    assert b"prop_torch" in (out / "cup.glb").read_bytes()
    with pytest.raises(ValueError, match="no theme of ours"):
        gallery(argparse.Namespace(images=str(images), out=str(out), height=0.1, theme="circus"))
