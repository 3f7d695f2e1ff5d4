"""The embedded scene's truth agrees with itself and with the clip's pictures."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ar_camera import embedded
from ar_camera.embedded import EmbeddedScene
from ar_core.geometry import inverse, transform

REST = (6.6, 7.6)


@cache
def scene() -> EmbeddedScene:
    return embedded.load()


@cache
def pictures() -> NDArray[np.uint8]:
    """All frames of the clip, (n, H, W, 3)."""
    capture = cv2.VideoCapture(str(scene().clip))
    frames = []
    while True:
        more, frame = capture.read()
        if not more:
            return np.array(frames)
        frames.append(frame)


def corners(bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 8 corners of a box."""
    return np.array([(bounds[i, 0], bounds[j, 1], bounds[k, 2]) for i in (0, 1) for j in (0, 1) for k in (0, 1)])


def grey(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)


def test_clip_has_a_truth_for_every_frame() -> None:
    s = scene()
    assert pictures().shape == (len(s.stamps), s.intrinsics.height, s.intrinsics.width, 3)
    assert 12 <= len(s.stamps) / 30 <= 15
    np.testing.assert_allclose(s.stamps, np.arange(len(s.stamps)) / 30, atol=1e-6)


def test_sizes_ship() -> None:
    assert scene().clip.stat().st_size <= 6e6
    assert sum(file.stat().st_size for file in embedded.DATA.iterdir()) <= 10e6


def test_poses_are_rigid_and_smooth() -> None:
    T = scene().T_map_camera
    np.testing.assert_allclose(
        T[:, :3, :3] @ T[:, :3, :3].transpose(0, 2, 1), np.tile(np.eye(3), (len(T), 1, 1)), atol=1e-9
    )
    speed = np.linalg.norm(np.diff(T[:, :3, 3], axis=0), axis=1) * 30
    assert speed.max() < 0.35
    assert np.abs(np.diff(speed)).max() < 0.05  # m/s from frame to frame: a hand, not a jump


def test_slides_sideways_from_the_start() -> None:
    T = scene().T_map_camera
    move = transform(inverse(T[0]), T[9:31:7, :3, 3])  # 0.3 s to 1 s, in the first camera
    assert (move[:, 0] > 0.015).all()
    assert move[-1, 0] > 0.08
    assert abs(move[-1, 0]) > 2 * abs(move[-1, 1])


def test_rests_for_a_second() -> None:
    s = scene()
    still = (s.stamps >= REST[0] - 1e-6) & (s.stamps <= REST[1] + 1e-6)
    assert still.sum() == 31
    assert (s.T_map_camera[still] == s.T_map_camera[still][0]).all()
    shown = pictures()[still].astype(np.float32)
    assert np.abs(shown[0] - shown[-1]).mean() < 4  # grain alone
    moved = np.abs(pictures()[60].astype(np.float32) - pictures()[80]).mean()
    assert np.abs(shown[0] - shown[-1]).mean() < 0.3 * moved


@pytest.mark.parametrize("frame", range(0, 390, 39))
def test_objects_project_into_their_masks(frame: int) -> None:
    s = scene()
    for name, thing in s.objects.items():
        v, u = np.nonzero(s.mask(frame, name))
        if not len(u):
            continue
        box = s.intrinsics.project(corners(thing.bounds), s.T_map_camera[frame])
        assert box[:, 0].min() - 1 <= u.min(), name
        assert u.max() <= box[:, 0].max() + 1, name
        assert box[:, 1].min() - 1 <= v.min(), name
        assert v.max() <= box[:, 1].max() + 1, name


def test_prominent_object_is_whole_large_and_in_the_middle() -> None:
    s = scene()
    shares = []
    for frame in range(0, len(s.stamps), 13):
        mask = s.mask(frame, s.prominent) > 127
        v, u = np.nonzero(mask)
        assert min(u.min(), v.min()) > 0
        assert u.max() < s.intrinsics.width - 1
        assert v.max() < s.intrinsics.height - 1
        assert abs(u.mean() - s.intrinsics.cx) < 0.25 * s.intrinsics.width
        shares.append(mask.mean())
        thing = s.objects[s.prominent]
        middle = thing.base + np.array([0, 0, thing.height / 2])
        x, y = s.intrinsics.project(middle[None], s.T_map_camera[frame])[0]
        assert mask[round(y), round(x)]
    assert np.median(shares) > 0.04


def test_depth_is_the_table() -> None:
    s = scene()
    for frame in s.depth_frames:
        v, u = np.nonzero(s.surface(frame, "table"))
        rays = s.intrinsics.rays(np.stack([u, v], 1)) * s.depth(frame)[v, u][:, None]
        height = transform(s.T_map_camera[frame], rays)[:, 2]
        assert len(height) > 50_000
        assert np.abs(height).max() < 1e-3


def test_masks_agree_with_the_labels_of_depth_frames() -> None:
    s = scene()
    for frame in s.depth_frames[::4]:
        for name in s.names:
            centre, covered = s.surface(frame, name) > 0, s.mask(frame, name)
            assert (covered[centre] > 0).all()
            assert not centre[covered == 0].any()
            assert abs((covered / 255.0).sum() - centre.sum()) <= 0.01 * centre.sum() + 3


def test_pictures_move_as_poses_and_depth_say() -> None:
    """A frame, carried over by depth and poses, lies on another within a tenth of a pixel."""
    s = scene()
    for first, second in ((60, 64), (120, 125), (270, 273), (360, 356)):
        size = (s.intrinsics.height, s.intrinsics.width)
        v, u = np.mgrid[0 : size[0], 0 : size[1]]
        points = s.intrinsics.rays(np.stack([u.ravel(), v.ravel()], 1)) * s.depth(first).reshape(-1, 1)
        there = s.intrinsics.project(transform(s.T_map_camera[first], points), s.T_map_camera[second]).astype(
            np.float32
        )
        x, y = there[:, 0].reshape(size), there[:, 1].reshape(size)
        carried = cv2.remap(grey(pictures()[second]), x, y, cv2.INTER_CUBIC)
        own = grey(pictures()[first])
        shifts = []
        for top in range(100, 400, 60):
            for left in range(60, 560, 60):
                cut = np.s_[top : top + 60, left : left + 60]
                flat = (
                    s.surface(first, "runner")[cut]
                    | s.surface(first, "table")[cut]
                    | s.surface(first, "newspaper")[cut]
                )
                if (flat > 0).mean() > 0.99 and own[cut].std() > 12:
                    shifts.append(
                        cv2.phaseCorrelate(own[cut], carried[cut], cv2.createHanningWindow((60, 60), cv2.CV_32F))[0]
                    )
        assert len(shifts) >= 5
        assert np.linalg.norm(np.median(shifts, axis=0)) < 0.1


def test_clean_plates_show_the_rest_of_the_frame() -> None:
    s = scene()
    assert len(s.plates) == 10
    for frame in s.plates:
        mask = s.mask(frame, s.prominent)
        v, u = np.nonzero(mask)
        # The window is on the left: the object's shadow, which leaves with it, falls to the right.
        far = np.ones(mask.shape, bool)
        far[v.min() - 20 :, u.min() - 30 :] = False
        signed = s.clean_plate(frame).astype(np.float32) - pictures()[frame]
        assert far.mean() > 0.25
        assert np.abs(signed[far]).mean() < 8  # the grain and compression of the clip too
        assert np.abs(cv2.GaussianBlur(signed, (0, 0), 4)[far]).mean() < 5  # what the object reflects, render noise
        assert np.abs(signed[mask > 127]).mean() > 40


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda s: s.mask(0, "teapot"), "no object 'teapot'"),
        (lambda s: s.mask(10_000, "mug"), "no frame 10000"),
        (lambda s: s.depth(1), "no depth of frame 1"),
        (lambda s: s.clean_plate(1), "no clean plate of frame 1"),
        (lambda _: embedded.load(embedded.DATA / "nowhere"), "nowhere"),
    ],
)
def test_what_is_not_there_is_said(ask, words) -> None:
    with pytest.raises(ValueError, match=words):
        ask(scene())
