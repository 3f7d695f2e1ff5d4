"""Point clouds for other programs, cleaned by Open3D."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from ar_slam.map_io import write_point_cloud


def test_a_point_cloud_is_cleaned_of_strays(tmp_path):
    open3d = pytest.importorskip("open3d")
    rng = np.random.default_rng(0)
    X = np.vstack([rng.uniform(0, 0.3, (400, 3)), [[5, 5, 5], [-4, 2, 9]]])
    n = write_point_cloud(tmp_path / "cloud.ply", X, X[:, 2] < 0.01)
    cloud = open3d.io.read_point_cloud(str(tmp_path / "cloud.ply"))
    assert len(cloud.points) == n
    assert 350 < n <= 400
    assert np.asarray(cloud.points).max() < 0.31


def test_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "open3d", None)
    with pytest.raises(ValueError, match=r"needs Open3D, which is missing .*pip install open3d-cpu"):
        write_point_cloud(tmp_path / "cloud.ply", np.zeros((3, 3)), np.zeros(3, bool))
