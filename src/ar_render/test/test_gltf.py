import json
import struct

import numpy as np
import pytest
from glb import BOX, Glb, box_glb, card_glb, doll_glb

from ar_render.gltf import read_glb


def test_reads_hierarchy_skin_clips_pictures_and_extras() -> None:
    model = read_glb(doll_glb(0.2))
    assert model.names == ("doll", "root", "spine1", "head")
    assert model.parents.tolist() == [-1, -1, 1, 2]
    assert set(model.clips) == {"idle", "walk", "awaken", "hop"}
    assert model.clips["walk"].duration == pytest.approx(0.8)
    assert model.extras["height_m"] == 0.2
    assert model.images[0].shape == (4, 4, 4)
    assert model.images[0][0, 0].tolist() == [200, 60, 40, 255]
    primitive = model.primitives[0]
    assert primitive.weights.sum(1) == pytest.approx(1.0, abs=1e-6)
    assert model.triangles == len(primitive.triangles) == 2 * 12 * 16
    assert np.allclose(
        model.skin(model.global_matrices(model.rest)), np.eye(4), atol=1e-7
    )  # the rest pose moves nothing


def test_a_node_without_a_skin_moves_as_it_is_placed() -> None:
    data = box_glb()
    model = read_glb(data)
    assert model.primitives[0].positions == pytest.approx(BOX * 0.1)
    assert model.primitives[0].material.unlit
    assert np.allclose(model.skin(model.global_matrices(model.rest)), np.eye(4)[None])


def test_missing_normals_point_outwards() -> None:
    primitive = read_glb(box_glb()).primitives[0]
    outwards = primitive.positions - primitive.positions.mean(0)
    assert (np.sum(primitive.normals * outwards, axis=1) > 0.05).all()


def test_every_truncation_is_one_clear_error() -> None:
    data = doll_glb()
    for length in [*range(0, 200, 7), *range(200, len(data), 997)]:
        with pytest.raises(ValueError, match=r"^mug: .*(truncated|not a \.glb|corrupt)"):
            read_glb(data[:length], "mug")


def test_flipped_bytes_give_a_model_or_a_valueerror() -> None:
    data, rng = doll_glb(), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        broken = bytearray(data)
        for at in rng.integers(12, len(data), 4):
            broken[at] = rng.integers(256)
        try:
            read_glb(bytes(broken))
        except ValueError:
            refused += 1
    assert refused > 50


def change(data: bytes, edit: object) -> bytes:
    size = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + size])
    edit(document)  # type: ignore[operator]
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    rest = data[20 + size :]
    return (
        struct.pack("<4sII", b"glTF", 2, 20 + len(text) + len(rest))
        + struct.pack("<I4s", len(text), b"JSON")
        + text
        + rest
    )


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda d: d.update(extensionsRequired=["KHR_draco_mesh_compression"]), "KHR_draco_mesh_compression"),
        (lambda d: d["nodes"][3].update(children=[1]), "circle|hierarchy"),
        (lambda d: d["nodes"][1].update(children=[1]), "hierarchy"),
        (lambda d: d["nodes"][1].update(rotation=[0, 0, 0, 0]), "rotation"),
        (lambda d: d["skins"][0].update(joints=[1, 2, 9]), "joint that does not exist"),
        (lambda d: d["skins"][0].update(joints=[1, 2]), "names joint 2 of 2"),
        (lambda d: d["accessors"][0].update(count=10_000_000), "runs past its block"),
        (lambda d: d["bufferViews"][0].update(byteLength=1 << 40), "runs past the end"),
        (lambda d: d["buffers"][0].update(uri="mesh.bin"), "another file"),
        (lambda d: d["accessors"][0].update(sparse={}), "sparse"),
        (lambda d: d.update(meshes=[{"primitives": []}]), "no mesh"),
        (lambda d: d["meshes"][0]["primitives"][0].update(mode=1), "only triangles"),
        (lambda d: d["materials"][0]["pbrMetallicRoughness"].update(baseColorTexture={"index": 7}), "corrupt"),
        (lambda d: d["animations"][0]["channels"][0]["target"].update(node=44), "moves node 44"),
        (lambda d: d.pop("bufferViews"), "KeyError"),
        (lambda d: d.update(nodes=5), "TypeError"),
    ],
)
def test_what_is_wrong_is_said(edit: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_glb(change(doll_glb(), edit))


def test_values_that_are_not_numbers_are_refused() -> None:
    glb = Glb()
    primitive = {"attributes": {"POSITION": glb.add([[0, 0, 0], [np.nan, 0, 0], [0, 1, 0]])}}
    glb.document["meshes"].append({"primitives": [primitive]})
    glb.document["nodes"].append({"mesh": 0})
    with pytest.raises(ValueError, match="NaN"):
        read_glb(glb.bytes())


def test_a_picture_that_does_not_decode_is_refused() -> None:
    data = card_glb(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match=r"picture 0 .* does not decode"):
        read_glb(data.replace(b"\x89PNG", b"\x00PNG"))
