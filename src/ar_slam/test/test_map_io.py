"""Maps that come back."""

from __future__ import annotations

import numpy as np
import pytest

from ar_core.geometry import Intrinsics
from ar_slam.map_io import read_map, restored, write_map
from ar_slam.slam import Options, Slam, State


@pytest.fixture(scope="module")
def mapped(see):
    """A SLAM that knows a table."""
    s = see("boxes")
    slam = Slam(s.intrinsics, s.options)
    results = [slam.process(s.pictures[k], float(s.stamps[k])) for k in range(90)]
    yield slam, results, s
    slam.close()


def test_a_respawned_slam_relocalises_into_the_same_map(mapped, tmp_path):
    slam, results, s = mapped
    write_map(tmp_path / "deep" / "map.npz", slam.save())
    other = Slam(s.intrinsics, s.options)
    other.load(read_map(tmp_path / "deep" / "map.npz"))
    again = [other.process(s.pictures[k], 100 + float(s.stamps[k])) for k in range(82, 90)]
    other.close()
    assert again[0].state == State.LOST
    found = [r.state for r in again].index(State.RELOCALISED)
    assert found <= 2
    assert again[-1].state == State.TRACKING
    assert again[-1].map_id == results[-1].map_id
    apart = again[-1].T_map_camera[:3, 3] - results[-1].T_map_camera[:3, 3]
    assert np.linalg.norm(apart) < 0.003


def test_a_map_file_is_small_and_whole(mapped, tmp_path):
    slam, _, _ = mapped
    path = tmp_path / "map.npz"
    write_map(path, slam.save())
    write_map(path, slam.save())
    assert [p.name for p in tmp_path.iterdir()] == ["map.npz"]
    assert path.stat().st_size < 200_000 * len(slam.map.keyframes)
    m = restored(read_map(path))
    assert m.count == slam.map.count
    for a, b in zip(m.keyframes, slam.map.keyframes, strict=True):
        np.testing.assert_array_equal(a.R, b.R)
        seen = slam.map.mapped(b.ids)
        np.testing.assert_array_equal(m.X[a.ids], slam.map.X[b.ids[seen]])
        assert np.abs(a.image.astype(int) - b.image).mean() < 4


@pytest.mark.parametrize("damage", ["cut", "text", "foreign"])
def test_a_damaged_map_is_refused_in_words(mapped, tmp_path, damage):
    slam, _, _ = mapped
    path = tmp_path / "map.npz"
    write_map(path, slam.save())
    if damage == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "text":
        path.write_text("not a map")
    else:
        np.savez(path, a=np.zeros(3))
    with pytest.raises(ValueError, match="not a map of this program, or a damaged one"):
        read_map(path)


def test_a_map_whose_surfaces_do_not_fit_together_is_refused(mapped, tmp_path):
    slam, _, _ = mapped
    path = tmp_path / "map.npz"
    write_map(path, slam.save())
    with np.load(path) as z:
        arrays = dict(z)
    fit = {"surfaces": np.zeros((1, 7)), "outlines": np.zeros((4, 3)), "corners": np.array([4])}
    for name, value in (("surfaces", np.zeros((1, 3))), ("outlines", np.zeros((4, 2))), ("corners", np.array([3]))):
        np.savez(path, **{**arrays, **fit, name: value})
        with pytest.raises(ValueError, match="the map's parts do not fit together"):
            read_map(path)


def test_a_map_of_another_camera_is_refused(mapped):
    slam, _, _ = mapped
    other = Slam(Intrinsics(700, 700, 319.5, 239.5, 640, 480), Options())
    with pytest.raises(ValueError, match="focal length 525; this one has 640x480, 700"):
        other.load(slam.save())
    other.close()
