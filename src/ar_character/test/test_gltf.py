"""The file format: structure checked here always, by the Khronos validator where node and the npm package are there."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ar_character.character import build_character
from ar_character.gltf import read_accessor, read_glb
from ar_character.theme import load, ours

sys.path.insert(0, str(Path(__file__).parent))
from shapes_of_things import HEIGHT, SHAPES, character_of

VALIDATE = """
const validator = require('gltf-validator'), fs = require('fs');
(async () => {
  for (const path of process.argv.slice(1)) {
    const issues = (await validator.validateBytes(new Uint8Array(fs.readFileSync(path)))).issues;
    console.log(path, issues.numErrors, issues.numWarnings, JSON.stringify(issues.messages.slice(0, 3)));
  }
})();
"""


@pytest.mark.parametrize("name", SHAPES)
def test_structure(name: str) -> None:
    glb = character_of(name).glb
    assert len(glb) % 4 == 0
    assert struct.unpack_from("<I", glb, 8)[0] == len(glb)
    document, blob = read_glb(glb)
    assert document["asset"]["version"] == "2.0"
    assert document["buffers"][0]["byteLength"] == len(blob)
    for view in document["bufferViews"]:
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= len(blob)
    for number, accessor in enumerate(document["accessors"]):
        values = read_accessor(document, blob, number)
        assert np.isfinite(values).all()
        if "min" in accessor:
            assert np.array_equal(values.min(0), np.float32(accessor["min"]))
            assert np.array_equal(values.max(0), np.float32(accessor["max"]))
    for primitive in document["meshes"][0]["primitives"]:
        check_primitive(document, blob, primitive)
    for clip in document["animations"]:
        check_clip(document, blob, clip)
    inverse = read_accessor(document, blob, document["skins"][0]["inverseBindMatrices"])
    assert len(inverse) == len(document["skins"][0]["joints"])
    image = document["bufferViews"][document["images"][0]["bufferView"]]
    assert blob[image["byteOffset"] :][:3] == b"\xff\xd8\xff"


def check_primitive(document: dict[str, Any], blob: bytes, primitive: dict[str, Any]) -> None:
    read = {name: read_accessor(document, blob, number) for name, number in primitive["attributes"].items()}
    indices = read_accessor(document, blob, primitive["indices"]).ravel()
    count = len(read["POSITION"])
    assert all(len(values) == count for values in read.values())
    assert indices.max() < count
    assert len(indices) % 3 == 0
    assert np.allclose(np.linalg.norm(read["NORMAL"], axis=1), 1, atol=1e-5)
    assert read["TEXCOORD_0"].min() >= 0
    assert read["TEXCOORD_0"].max() <= 1
    assert read["JOINTS_0"].max() < len(document["skins"][0]["joints"])
    assert (read["JOINTS_0"][read["WEIGHTS_0"] == 0] == 0).all()
    triangles = read["POSITION"][indices.reshape(-1, 3).astype(int)].astype(float)
    crossed = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    assert np.linalg.norm(crossed, axis=1).min() > 0, "a degenerate triangle"


def check_clip(document: dict[str, Any], blob: bytes, clip: dict[str, Any]) -> None:
    targets = [(c["target"]["node"], c["target"]["path"]) for c in clip["channels"]]
    assert len(set(targets)) == len(targets)
    for channel in clip["channels"]:
        sampler = clip["samplers"][channel["sampler"]]
        moments = read_accessor(document, blob, sampler["input"]).ravel()
        values = read_accessor(document, blob, sampler["output"])
        assert moments[0] == 0
        assert (np.diff(moments) > 0).all()
        assert len(values) == len(moments)
        if channel["target"]["path"] == "rotation":
            assert np.allclose(np.linalg.norm(values, axis=1), 1, atol=1e-5)
            assert ((values[1:] * values[:-1]).sum(1) > 0.3).all(), "a rotation that takes the long way round"
        if channel["target"]["path"] == "scale":
            assert values.min() > 0


def test_damaged_files_are_clear_errors() -> None:
    glb = character_of("mug").glb
    for data, words in (
        (b"", "does not begin"),
        (b"PNG" + glb[3:], "does not begin"),
        (glb[:5000], "cut short"),
        (glb[:12] + struct.pack("<I", 2**31) + glb[16:], "longer than the file"),
    ):
        with pytest.raises(ValueError, match=words):
            read_glb(data)
    document, blob = read_glb(glb)
    with pytest.raises(ValueError, match="beyond the binary chunk"):
        read_accessor(document, blob[:1000], len(document["accessors"]) - 1)


def test_khronos_validator_finds_nothing(tmp_path: Path) -> None:
    """Needs node and `npm install gltf-validator` in the project's root (or NODE_PATH)."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the Khronos validator cannot run")
    root = Path(__file__).resolve().parents[3]
    environment = {
        **os.environ,
        "NODE_PATH": os.pathsep.join([str(root / "node_modules"), os.environ.get("NODE_PATH", "")]),
    }
    if subprocess.run([node, "-e", "require('gltf-validator')"], env=environment, capture_output=True).returncode:
        pytest.skip("npm package gltf-validator is not installed")
    paths = []
    for name in SHAPES:
        paths.append(tmp_path / f"{name}.glb")
        paths[-1].write_bytes(character_of(name).glb)
    for theme in ours():
        paths.append(tmp_path / f"{theme}.glb")
        paths[-1].write_bytes(build_character(SHAPES["mug"][0](), HEIGHT, theme=load(theme)).glb)
    result = subprocess.run(
        [node, "-e", VALIDATE, *map(str, paths)], env=environment, capture_output=True, text=True, check=True
    )
    lines = result.stdout.splitlines()
    assert len(lines) == len(paths)
    for line in lines:
        _, errors, warnings, messages = line.split(" ", 3)
        assert (errors, warnings) == ("0", "0"), json.loads(messages)
