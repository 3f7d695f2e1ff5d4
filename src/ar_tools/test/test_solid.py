"""Characters to be printed: closed, of the right size, on their feet."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ar_character.character import build_character
from ar_character.mesh import is_closed, volume, weld
from ar_render.gltf import read_glb
from ar_tools.solid import Solid, obj, solid, stl, write

sys.path.append(str(Path(__file__).parents[2] / "ar_character" / "test"))
from shapes_of_things import SHAPES


@pytest.fixture(scope="module", params=["mug", "bear", "two_holes"])
def printed(request: pytest.FixtureRequest) -> tuple[Solid, float]:
    """One character, and how high it is in metres."""
    character = build_character(SHAPES[request.param][0](), 0.1)
    return solid(read_glb(character.glb)), character.height


def test_it_is_closed_and_full(printed: tuple[Solid, float]) -> None:
    shape, _ = printed
    assert is_closed(shape.faces)
    assert shape.left_out == 0
    assert shape.shells > 10
    assert volume(shape.vertices, shape.faces) > 20_000  # mm³
    assert np.isfinite(shape.vertices).all()


def test_it_stands_on_its_feet_in_millimetres(printed: tuple[Solid, float]) -> None:
    shape, height = printed
    assert shape.vertices[:, 2].min() == 0
    assert shape.size[2] == pytest.approx(1000 * height, abs=5)  # brows may stand out at the top
    feet = shape.vertices[shape.vertices[:, 2] < 3]
    assert np.ptp(feet[:, 0]) > 5
    assert abs(feet[:, 0].mean()) < 5
    face = shape.vertices[(shape.colours < 0.2).all(1)]  # pupils look to -y
    assert face[:, 1].mean() < shape.vertices[:, 1].mean()


def test_files_say_the_same(printed: tuple[Solid, float], tmp_path: Path) -> None:
    shape, _ = printed
    for name in ("a.stl", "A.OBJ"):
        write(tmp_path / name, shape)
    data = (tmp_path / "a.stl").read_bytes()
    assert data == stl(shape)
    assert len(data) == 84 + 50 * len(shape.faces)
    assert int.from_bytes(data[80:84], "little") == len(shape.faces)
    records = np.frombuffer(data, [("n", "<f4", 3), ("p", "<f4", (3, 3)), ("a", "<u2")], offset=84)
    corners = records["p"].reshape(-1, 3)
    assert np.allclose(corners, shape.vertices[shape.faces].reshape(-1, 3), atol=1e-4)
    assert not data.startswith(b"solid")  # that would be the text form
    lines = obj(shape).splitlines()
    assert (tmp_path / "A.OBJ").read_text().splitlines() == lines
    vertices = np.array([line.split()[1:] for line in lines if line.startswith("v ")], float)
    faces = np.array([line.split()[1:] for line in lines if line.startswith("f ")], int) - 1
    assert np.allclose(vertices[:, :3], shape.vertices, atol=1e-4)
    assert (vertices[:, 3:] >= 0).all()
    assert (vertices[:, 3:] <= 1).all()
    assert np.array_equal(faces, shape.faces)


def test_an_stl_is_closed_for_who_joins_its_corners(printed: tuple[Solid, float]) -> None:
    """A slicer knows corners only by where they are: every edge there is still matched by one that runs the other way."""
    shape, _ = printed
    records = np.frombuffer(stl(shape), [("n", "<f4", 3), ("p", "<f4", (3, 3)), ("a", "<u2")], offset=84)
    faces = weld(records["p"].reshape(-1, 3).astype(float), np.arange(3 * len(records)).reshape(-1, 3), 1e-5)
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    assert np.array_equal(np.unique(directed, axis=0), np.unique(directed[:, ::-1], axis=0))
