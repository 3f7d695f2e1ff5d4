"""The planes beside the ground: found where they are, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ar_core.geometry import Intrinsics, Plane, inverse, pose, transform, upright_camera
from ar_slam import evaluation
from ar_slam.hit_test import Hit, hit_test
from ar_slam.map_io import read_map, write_map
from ar_slam.pose import rotation
from ar_slam.results import Result, State
from ar_slam.slam import Slam
from ar_slam.surfaces import Surface, find_surfaces, plane_frame

HEIGHT = 0.5
CENTRE = np.array([0.0, 0.0, HEIGHT])


def rectangle(rng, corner, u, v, n):
    """n points (n, 3) on a rectangle, a millimetre off."""
    corner, u, v = (np.array(a, float) for a in (corner, u, v))
    normal = np.cross(u, v)
    X = corner + rng.uniform(0, 1, (n, 1)) * u + rng.uniform(0, 1, (n, 1)) * v
    return X + 0.001 * rng.standard_normal((n, 1)) * normal / np.linalg.norm(normal)


def scene(rng):
    """Points of a table (z = 0), of a box's top and front, of a wall behind it; and a few that belong to nothing."""
    table = rectangle(rng, (0.3, -0.4, 0), (0.8, 0, 0), (0, 0.8, 0), 120)
    top = rectangle(rng, (0.6, -0.1, 0.12), (0.12, 0, 0), (0, 0.2, 0), 40)
    front = rectangle(rng, (0.6, -0.1, 0), (0, 0.2, 0), (0, 0, 0.12), 40)
    wall = rectangle(rng, (1.4, -0.5, 0.1), (0, 1.0, 0), (0, 0, 0.6), 80)
    stray = rng.uniform((0.3, -0.4, 0.2), (1.2, 0.4, 0.6), (25, 3))
    return np.vstack([table, top, front, wall, stray])


def off(s, normal, distance):
    """Metres between the middle of a surface and a plane."""
    return abs(s.outline.mean(0) @ np.array(normal, float) - distance)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def test_finds_a_box_and_a_wall_and_nothing_else(rng):
    found = find_surfaces(scene(rng), CENTRE, HEIGHT)
    true = {"top": ((0, 0, 1), 0.12), "front": ((-1, 0, 0), -0.6), "wall": ((-1, 0, 0), -1.4)}
    seen = set()
    for s in found:
        for name, (normal, distance) in true.items():
            if s.normal @ normal > np.cos(np.radians(2)) and off(s, normal, distance) < 0.003:
                seen.add(name)
                np.testing.assert_allclose(s.outline @ s.normal, s.distance, atol=1e-9)
    assert seen == set(true)
    assert len(found) == len(true)
    assert sorted(s.id for s in found) == [1, 2, 3]
    wall = max(found, key=lambda s: abs(s.distance))
    assert np.ptp(wall.outline[:, 1]) == pytest.approx(1.0, abs=0.1)
    assert np.ptp(wall.outline[:, 2]) == pytest.approx(0.6, abs=0.1)


def test_the_same_points_give_the_same_surfaces_and_those_known_keep_their_ids(rng):
    X = scene(rng)
    first, again = find_surfaces(X, CENTRE, HEIGHT), find_surfaces(X, CENTRE, HEIGHT)
    assert [s.outline.tobytes() for s in first] == [s.outline.tobytes() for s in again]
    known = tuple(replace(s, id=s.id + 10) for s in reversed(first))
    more = np.vstack([X, rectangle(rng, (0.5, 0.25, 0.2), (0.1, 0, 0), (0, 0.1, 0), 60)])
    later = find_surfaces(more + 0.0005 * rng.standard_normal(more.shape), CENTRE, HEIGHT, known)
    assert {s.id for s in later} == {11, 12, 13, 14}
    for s in first:
        same = next(o for o in later if o.id == s.id + 10)
        assert same.normal @ s.normal > np.cos(np.radians(3))
        assert off(same, s.normal, s.distance) < 0.003
    assert off(next(s for s in later if s.id == 14), (0, 0, 1), 0.2) < 0.003


def test_clutter_and_few_points_are_no_surface(rng):
    assert find_surfaces(rng.uniform((0.3, -0.4, 0.05), (1.2, 0.4, 0.6), (150, 3)), CENTRE, HEIGHT) == ()
    assert find_surfaces(rectangle(rng, (0.6, 0, 0.1), (0.1, 0, 0), (0, 0.1, 0), 10), CENTRE, HEIGHT) == ()
    assert find_surfaces(rectangle(rng, (0.3, 0, 0.1), (0.5, 0, 0), (0, 0.001, 0), 60), CENTRE, HEIGHT) == ()
    assert find_surfaces(np.zeros((0, 3)), CENTRE, HEIGHT) == ()


def test_a_surface_moves_with_its_map(rng):
    T = pose(rotation(np.array([0.1, -0.2, 0.7])), np.array([0.3, -0.1, 0.2]))
    for s in find_surfaces(scene(rng), CENTRE, HEIGHT):
        moved = s.transformed(1.5, T)
        np.testing.assert_allclose(moved.outline, transform(T, 1.5 * s.outline), atol=1e-12)
        np.testing.assert_allclose(moved.outline @ moved.normal, moved.distance, atol=1e-9)
        frame = plane_frame(s.normal, s.outline.mean(0))
        np.testing.assert_allclose(transform(inverse(frame), s.outline)[:, 2], 0, atol=1e-9)
        assert np.linalg.det(frame[:3, :3]) == pytest.approx(1)


CAMERA = Intrinsics(525.0, 525.0, 319.5, 239.5, 640, 480)
T_MAP_CAMERA = upright_camera(HEIGHT, 25.0)


def square(number, normal, middle, half):
    frame = plane_frame(np.array(normal, float), np.array(middle, float))
    corners = half * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float)
    outline = transform(frame, corners)
    return Surface(number, frame[:3, 2], float(frame[:3, 2] @ outline[0]), outline, 0.001, 0.01)


def test_a_pixel_shows_the_nearest_plane_that_was_seen_there(rng):
    table = rectangle(rng, (0.3, -0.4, 0), (0.8, 0, 0), (0, 0.8, 0), 120)
    surfaces = (
        square(7, (-1, 0, 0), (1.4, 0, 0.4), 0.3),
        square(4, (0, 0, 1), (0.8, 0, 0.1), 0.06),
        square(5, (0, 0, -1), (0.6, 0, 0.2), 0.3),  # its back is to the camera
        square(9, (0, 0, 1), (0.8, 0, -0.7), 3.0),  # the floor, under the table
    )
    covariance = np.diag([0.002] * 3 + [0.001] * 3) ** 2
    ground = Plane.ground()
    seen = Result(1.0, State.TRACKING, "", T_MAP_CAMERA, np.eye(4), covariance, ground, False, 2, 5, surfaces=surfaces)

    def hit(point, seen=seen):
        pixel = CAMERA.project(np.array([point], float), T_MAP_CAMERA)[0]
        answer = hit_test((float(pixel[0]), float(pixel[1])), CAMERA, seen, table)
        assert isinstance(answer, Hit)
        return answer

    top = hit((0.82, 0.01, 0.1))
    assert (top.plane, top.inside, top.doubt) == ("surface 4", True, "")
    np.testing.assert_allclose(top.T_map_place[:3, 3], (0.82, 0.01, 0.1), atol=1e-9)
    np.testing.assert_allclose(top.T_map_place[:3, 2], (0, 0, 1), atol=1e-9)
    assert top.T_map_place[0, 0] < 0  # looks to the camera
    assert top.covariance[2, 2] > 0.001**2
    wall = hit((1.4, 0.1, 0.45))
    assert wall.plane == "surface 7"
    np.testing.assert_allclose(wall.T_map_place[:3, 2], (-1, 0, 0), atol=1e-9)
    beside = hit((0.6, 0.2, 0.0))
    assert (beside.plane, beside.inside) == ("ground", True)
    beyond = hit((3.0, 0.24, -0.7))  # z = 0 is before it, but nothing was seen of that there
    assert beyond.plane == "surface 9"
    alone = hit((3.0, 0.24, -0.7), replace(seen, surfaces=()))
    assert (alone.plane, alone.inside) == ("ground", False)


@pytest.fixture(scope="module")
def mapped(see):
    """A SLAM that has seen boxes on a table, and the similarity that takes its map to the true one."""
    s = see("covered")
    slam = Slam(s.intrinsics, s.options)
    results = [slam.process(s.pictures[k], float(s.stamps[k])) for k in range(90)]
    pairs = [(r.T_map_camera, T) for r, T in zip(results, s.poses, strict=False) if r.state == State.TRACKING]
    estimated, true = zip(*pairs, strict=True)
    yield slam, results, evaluation.align(evaluation.centres(estimated), evaluation.centres(true), True)
    slam.close()


def test_boxes_on_a_table_are_found_while_the_camera_goes_round_them(mapped):
    from sequences import make

    _, results, to_true = mapped
    faces = [(f.normal / np.linalg.norm(f.normal), f) for f in make("covered", 11).scene.faces]
    found = set()
    for s in results[-1].surfaces:
        normal, outline = to_true.R @ s.normal, to_true(s.outline)
        fits = [
            i
            for i, (n, f) in enumerate(faces)
            if np.degrees(np.arccos(np.clip(normal @ n, -1, 1))) < 6 and abs(n @ (outline.mean(0) - f.corner)) < 0.012
        ]
        assert fits, f"there is no plane {s.normal} at {s.distance}"
        found.update(fits[:1])
    assert len(found) >= 2
    assert len({tuple(np.round(faces[i][0]).astype(int)) for i in found}) >= 2  # a top and a side


def test_a_map_file_keeps_the_surfaces_and_older_files_are_read(mapped, tmp_path):
    slam, results, _ = mapped
    saved, path = slam.save(), tmp_path / "map.npz"
    write_map(path, saved)
    again = read_map(path).surfaces
    assert len(again) == len(results[-1].surfaces) > 0
    for a, b in zip(again, results[-1].surfaces, strict=True):
        assert (a.id, a.distance, a.deviation, a.tilt) == (b.id, b.distance, b.deviation, b.tilt)
        np.testing.assert_array_equal(a.outline, b.outline)
    other = Slam(slam.intrinsics, slam.options)
    other.load(read_map(path))
    assert [s.id for s in other.map.surfaces] == [s.id for s in again]
    other.close()
    with np.load(path) as z:
        arrays = {name: z[name] for name in z.files if name not in ("surfaces", "outlines", "corners")}
    for number, refused in ((2, False), (9, True)):
        meta = arrays["meta"].tobytes().replace(b'"format": 3', b'"format": %d' % number)
        np.savez(path, **{**arrays, "meta": np.frombuffer(meta, np.uint8)})
        if refused:
            with pytest.raises(ValueError, match="map format 9; this version reads 2 and 3"):
                read_map(path)
        else:
            assert read_map(path).surfaces == ()
            assert len(read_map(path).X) == len(saved.X)
