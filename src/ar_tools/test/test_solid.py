"""Characters to be printed: one closed surface, of the right size, on their feet."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ar_character.character import build_character
from ar_character.mesh import is_closed, volume, weld
from ar_render.gltf import read_glb
from ar_tools.solid import Solid, obj, solid, stl, write
from ar_tools.union import united

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


def test_it_is_one_surface(printed: tuple[Solid, float]) -> None:
    """As somebody reads the STL, who knows corners only by where they are: two-manifold, closed, all in one piece."""
    shape, _ = printed
    assert shape.pieces == 1
    assert shape.told == "one closed surface"
    records = np.frombuffer(stl(shape), [("n", "<f4", 3), ("p", "<f4", (3, 3)), ("a", "<u2")], offset=84)
    corners, joined = np.unique(records["p"].reshape(-1, 3), axis=0, return_inverse=True)
    faces = joined.reshape(-1, 3)
    assert is_closed(faces)
    links = coo_matrix((np.ones(faces.size), (faces.ravel(), np.roll(faces, 1, axis=1).ravel())), (len(corners),) * 2)
    assert connected_components(links, directed=False)[0] == 1


def test_its_volume_lies_between_that_of_the_body_and_of_all_shells(monkeypatch: pytest.MonkeyPatch) -> None:
    model = read_glb(build_character(SHAPES["mug"][0](), 0.1).glb)
    one = solid(model)
    shells: list[float] = []

    def told(parts: list[tuple[np.ndarray, np.ndarray]]) -> None:
        shells.extend(volume(*part) for part in parts)
        raise ValueError("not today")

    monkeypatch.setattr("ar_tools.solid.united", told)
    many = solid(model)
    assert len(shells) == many.shells == one.shells
    assert max(shells) < volume(one.vertices, one.faces) < sum(shells)
    assert many.told == f"{len(shells)} closed shells that overlap, not united: not today"
    assert is_closed(many.faces)
    assert volume(many.vertices, many.faces) == pytest.approx(sum(shells))
    assert many.vertices[:, 2].min() == 0


def test_without_the_library_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "manifold3d", None)
    with pytest.raises(ValueError, match=r"manifold3d is missing .*pip install manifold3d"):
        united([])


CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
AROUND = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
FACES = np.array([row for a, b, c, d in AROUND for row in ((a, b, c), (a, c, d))])


def test_blocks_that_overlap_become_one() -> None:
    vertices, faces, pieces = united([(20 * CORNERS, FACES), (20 * CORNERS + [10, 0, 0], FACES)])
    assert pieces == 1
    assert is_closed(faces)
    assert volume(vertices, faces) == pytest.approx(30 * 20 * 20, rel=3e-3)


def test_what_hovers_gets_a_root_and_what_is_far_stays_apart() -> None:
    block, brow, moon = 20 * CORNERS, 2 * CORNERS + [9, 9, 22], 2 * CORNERS + [9, 9, 40]
    vertices, faces, pieces = united([(block, FACES), (brow, FACES), (moon, FACES)])
    assert pieces == 2
    assert is_closed(faces)
    assert volume(vertices, faces) == pytest.approx(8000 + 2 * 2 * 4 + 8, abs=40)


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
