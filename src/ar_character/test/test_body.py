"""The body: closed, as many holes as the shape, sound triangles, as thick as it is wide."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ar_character.inflate import ROUNDNESS, inflate
from ar_character.mesh import euler_number, face_areas, is_closed, volume
from ar_character.outline import count_holes, trace
from ar_character.weights import heat_weights

sys.path.insert(0, str(Path(__file__).parent))
from shapes_of_things import SHAPES, disc, mug, painted, ring, stick


@pytest.mark.parametrize("name", SHAPES)
def test_body_is_closed_and_has_the_shapes_holes(name: str) -> None:
    draw, holes = SHAPES[name]
    outline, sheet, shell = inflate(draw()[..., 3])
    assert is_closed(shell.faces)
    assert euler_number(shell.faces) == 2 - 2 * outline.holes
    assert holes is None or outline.holes == holes
    upright = shell.vertices * [1, -1, 1]
    assert volume(upright, shell.faces) > 0
    assert face_areas(upright, shell.faces).min() > 0.01 * outline.spacing**2
    a, b, c = (sheet.points[sheet.faces[:, k]] * [1, -1] for k in range(3))
    turned = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert turned.min() > 0.01 * outline.spacing**2, "a flipped or degenerate triangle in the sheet"
    assert 1500 < len(shell.faces) < 6500


@pytest.mark.parametrize("name", ["disc", "ring", "star", "mug"])
def test_every_vertex_of_the_rim_lies_on_the_outline(name: str) -> None:
    outline, sheet, _ = inflate(SHAPES[name][0]()[..., 3])
    assert np.abs(outline.distance(sheet.points[sheet.boundary])).max() < 0.4


def test_a_disc_becomes_a_cushion_of_known_height() -> None:
    outline, _, shell = inflate(disc()[..., 3])
    radius = 128.0  # on the working raster
    assert np.isclose(outline.field.max(), radius, atol=3.0)
    assert np.isclose(shell.vertices[:, 2].max(), ROUNDNESS * radius / 2, rtol=0.03)
    assert np.isclose(shell.vertices[:, 2].min(), -ROUNDNESS * radius / 2, rtol=0.03)


def test_thickness_follows_the_shape() -> None:
    _, _, shell = inflate(mug()[..., 3])
    x, _, z = shell.vertices.T
    handle = x > np.quantile(x, 0.97)
    assert z[handle].max() < 0.4 * z.max()


def test_thin_parts_are_thickened_and_small_holes_closed() -> None:
    outline = trace(stick()[..., 3])
    assert (outline.field > 0).sum(1).max() >= 1.0 * outline.spacing
    pin = ring()[..., 3].copy()
    pin[:] = np.where(np.hypot(*(np.mgrid[0:300, 0:300] - 150)) < 130, 255, 0)
    pin[150, 150] = 0
    assert trace(pin).holes == 0


def test_count_holes() -> None:
    mask = np.ones((9, 9), bool)
    assert count_holes(mask) == 0
    mask[2, 2] = mask[5:7, 5:7] = False
    assert count_holes(mask) == 2


def test_heat_weights_sum_to_one_and_are_largest_near_their_bone() -> None:
    _, sheet, _ = inflate(SHAPES["tall_box"][0]()[..., 3])
    top, bottom = sheet.points[:, 1].min(), sheet.points[:, 1].max()
    x = sheet.points[:, 0].mean()
    joints = np.array([[x, bottom], [x, 0.5 * (top + bottom)], [x, top]])
    weights = heat_weights(sheet, np.stack([joints[:-1], joints[1:]], 1))
    assert np.allclose(weights.sum(1), 1)
    assert weights.min() >= 0
    assert weights[sheet.points[:, 1].argmax(), 0] > 0.95
    assert weights[sheet.points[:, 1].argmin(), 1] > 0.95


@pytest.mark.parametrize(
    ("alpha", "words"),
    [
        (np.zeros((50, 50), np.uint8), "empty"),
        (np.pad(np.full((1, 1), 255, np.uint8), 20), "covers 1 px"),
        (np.pad(np.full((3, 5), 255, np.uint8), 20), "covers 15 px"),
    ],
)
def test_no_shape_is_a_clear_error(alpha: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        inflate(painted(alpha)[..., 3])
