"""MakeHuman's files are read as they are meant; small ones written here."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from training.humans import fitted, read_obj, read_target

OBJ = """# a square of two groups
v 0 0 0
v 2 0 0
v 2 2 0
v 0 2 0
v 1 1 3
vt 0 0
vt 1 0
vt 1 1
vt 0 1
g body
f 1/1 2/2 3/3 4/4
g helper
f 1/1 2/2 5/3
"""


def test_a_square_becomes_two_triangles_with_its_texture(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text(OBJ)
    vertices, groups = read_obj(tmp_path / "a.obj")
    assert vertices.shape == (5, 3)
    body = groups["body"]
    assert [list(body.at[t]) for t in body.triangles] == [[0, 1, 2], [0, 2, 3]]
    assert {int(v): tuple(body.uv[k]) for k, v in enumerate(body.at)}[2] == (1.0, 1.0)
    assert sorted(groups["helper"].at) == [0, 1, 4]


def test_a_target_says_which_vertices_move(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "t.target.gz", "wt") as file:
        file.write("# a comment\n4 .5 0 -1\n1 0 .25 0\n")
    at, moves = read_target(tmp_path / "t.target.gz")
    assert at.tolist() == [4, 1]
    assert moves.tolist() == [[0.5, 0.0, -1.0], [0.0, 0.25, 0.0]]


def test_hair_follows_the_body_and_its_offsets_the_bodys_size(tmp_path: Path) -> None:
    """One vertex in the middle of a triangle, .5 before it, on a body that is twice as wide as it was meant for: the offset in
    x doubles, the others stay. A vertex with one number sits on that one."""
    (tmp_path / "h.mhclo").write_text(
        "name hair\nx_scale 0 1 1.0\ny_scale 0 3 2.0\nz_scale 0 4 3.0\nverts 0\nmaterial x.mhmat\n"
        "0 1 3 .25 .25 .5 .1 .2 .5\n2\nweights ignored\n"
    )
    (tmp_path / "b.obj").write_text(OBJ)
    body = read_obj(tmp_path / "b.obj")[0]
    assert np.allclose(fitted(tmp_path / "h.mhclo", body), [[0.5 + 0.2, 1.0 + 0.2, 0.5], [2, 2, 0]])
