import numpy as np
import pytest
from glb import doll_glb

from ar_render.gaze import about, descendants, look
from ar_render.gltf import read_glb


def test_the_head_turns_towards_the_target_and_not_too_far() -> None:
    model = read_glb(doll_glb(0.2))
    nodes = model.global_matrices(model.rest)
    head = model.node("head")
    for target in ([0.3, 0.2, 0.5], [-0.3, 0.4, 0.2], [0.5, 0.2, -0.5]):
        before = nodes[head][:3, 2] @ (np.array(target) - nodes[head][:3, 3])
        turned = look(model, nodes, np.array(target), 1.0)
        assert turned[head][:3, 2] @ (np.array(target) - nodes[head][:3, 3]) > before
        assert np.arccos(np.clip(turned[head][:3, 2] @ nodes[head][:3, 2], -1, 1)) <= 0.4 + 1e-9
        assert turned[head][:3, 3] == pytest.approx(nodes[head][:3, 3])
        assert np.array_equal(turned[model.node("spine1")], nodes[model.node("spine1")])


def test_no_attention_no_turn() -> None:
    model = read_glb(doll_glb())
    nodes = model.global_matrices(model.rest)
    assert look(model, nodes, np.array([1.0, 0, 0]), 0.0) is nodes
    assert look(model, nodes, nodes[model.node("head")][:3, 3] + [0, 0, 1], 1.0) == pytest.approx(nodes)


def test_what_hangs_on_a_joint_goes_with_it() -> None:
    model = read_glb(doll_glb())
    assert descendants(model, model.node("spine1")).tolist() == [2, 3]
    assert descendants(model, model.node("head")).tolist() == [3]


def test_a_turn_about_a_point_leaves_the_point() -> None:
    T = about(np.array([1.0, 2, 3]), np.array([0, 0, 1.0]), np.pi / 2)
    assert pytest.approx([1, 2, 3, 1]) == T @ [1, 2, 3, 1]
    assert pytest.approx([1, 3, 3, 1]) == T @ [2, 2, 3, 1]
