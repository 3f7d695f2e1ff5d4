import numpy as np
import pytest
from glb import doll_glb

from ar_render.animation import Clip, Pose, Track, blend, matrices, multiply, slerp, topological
from ar_render.gltf import read_glb


def about(axis: list[float], angle: float) -> np.ndarray:
    return np.array([*(np.array(axis) * np.sin(angle / 2)), np.cos(angle / 2)])


REST = Pose(np.zeros((2, 3)), np.tile([0.0, 0, 0, 1], (2, 1)), np.ones((2, 3)))


def test_translation_is_linear_between_keys_and_held_beyond() -> None:
    track = Track(
        "translation",
        np.array([1]),
        np.array([1.0, 2.0, 4.0]),
        np.array([[[0, 0, 0]], [[1, 2, 3]], [[5, 0, 0]]], float),
    )
    clip = Clip("c", 4.0, (track,))
    for time, expected in ((0, [0, 0, 0]), (1.25, [0.25, 0.5, 0.75]), (2, [1, 2, 3]), (3, [3, 1, 1.5]), (9, [5, 0, 0])):
        pose = clip.sample(REST, time)
        assert pose.translation[1] == pytest.approx(expected, abs=1e-12)
        assert not pose.translation[0].any()
    assert clip.sample(REST, 4.0 + 1.25, loop=True).translation[1] == pytest.approx([0.25, 0.5, 0.75])


def test_steps_keep_their_value_until_the_next_key() -> None:
    track = Track("scale", np.array([0]), np.array([0.0, 1.0]), np.array([[[1, 1, 1]], [[2, 2, 2]]], float), step=True)
    assert Clip("c", 1.0, (track,)).sample(REST, 0.999).scale[0] == pytest.approx([1, 1, 1])
    assert Clip("c", 1.0, (track,)).sample(REST, 1.0).scale[0] == pytest.approx([2, 2, 2])


def test_rotations_turn_at_constant_speed_the_short_way() -> None:
    a, b = about([0, 0, 1], 0.2), about([0, 0, 1], 1.8)
    for s in np.linspace(0, 1, 7):
        assert slerp(a[None], b[None], s)[0] == pytest.approx(about([0, 0, 1], 0.2 + 1.6 * s), abs=1e-12)
        assert np.abs(slerp(a[None], -b[None], s)[0] @ about([0, 0, 1], 0.2 + 1.6 * s)) == pytest.approx(1, abs=1e-12)
    assert slerp(a[None], a[None], 0.3)[0] == pytest.approx(a)


def test_blend_reaches_both_ends_exactly() -> None:
    other = Pose(np.ones((2, 3)), np.tile(about([1, 0, 0], 1.0), (2, 1)), 2 * np.ones((2, 3)))
    assert blend(REST, other, 0.0) is REST
    assert blend(REST, other, 1.0) is other
    half = blend(REST, other, 0.5)
    assert half.rotation[0] == pytest.approx(about([1, 0, 0], 0.5))
    assert half.translation == pytest.approx(0.5 * np.ones((2, 3)))


def test_matrices_scale_then_turn_then_move() -> None:
    pose = Pose(np.array([[1.0, 2, 3]]), about([0, 0, 1], np.pi / 2)[None], np.array([[2.0, 3, 4]]))
    assert matrices(pose)[0] @ [1, 1, 1, 1] == pytest.approx([1 - 3, 2 + 2, 3 + 4, 1])


def test_quaternion_product_is_the_product_of_turns() -> None:
    a, b = about([0, 1, 0], 0.7), about([1, 0, 0], -0.4)
    turn = [matrices(Pose(np.zeros((1, 3)), q[None], np.ones((1, 3))))[0] for q in (a, b, multiply(a, b))]
    assert turn[0] @ turn[1] == pytest.approx(turn[2])


def test_children_follow_their_parents() -> None:
    model = read_glb(doll_glb(0.2))
    pose = model.rest.copy()
    pose.rotation[model.node("spine1")] = about([0, 0, 1], np.pi / 2)
    nodes = model.global_matrices(pose)
    assert nodes[model.node("head")][:3, 3] == pytest.approx([-0.1, 0.1, 0])
    assert [level.tolist() for level in model.levels] == [[0, 1], [2], [3]]


def test_a_hierarchy_in_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="circle"):
        topological(np.array([1, 0, -1]))
