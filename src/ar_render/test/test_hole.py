from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
from table_scene import SIDE, N, block, looking, photograph, texture

from ar_render.clearing import seen_before, stature
from ar_render.glimpses import Glimpse
from ar_render.hole import ONCE, TWICE, Table, fill
from ar_render.plane_view import View, plane_axes
from ar_render.table import generous


def psnr(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(((a[where].astype(float) - b[where]) ** 2).mean(), 1e-9)))


def filled(picture: np.ndarray, mask: np.ndarray, *more: object) -> np.ndarray:
    out = picture.copy()
    result = fill(picture, mask, *more)  # type: ignore[arg-type]
    assert result is not None
    cut, (x0, y0, x1, y1) = result
    out[y0:y1, x0:x1] = cut
    return out


def empty_table() -> Table:
    return Table((0.0, 0.0), 0.1, 0)


def taught(table: Table, picture: np.ndarray, mask: np.ndarray, view: View, before: Sequence[Glimpse] = ()) -> Table:
    return table.learned((*before, Glimpse(picture, mask, view, 0)))


def test_the_block_is_gone_and_the_table_goes_on() -> None:
    cloth = texture()
    view = looking(0.3)
    picture, bare, mask = photograph(view, cloth)
    after = filled(picture, mask, view, taught(empty_table(), picture, mask, view))
    assert psnr(picture, bare, mask > 0) < 12
    assert psnr(after, bare, mask > 0) > 26
    far = cv2.dilate(mask, np.ones((61, 61))) == 0
    assert np.array_equal(after[far], picture[far])


def test_what_another_view_shows_is_shown_as_it_is() -> None:
    blotches = np.random.default_rng(1).normal(0, 1, (N, N, 3)).astype(np.float32)
    cloth = np.clip(128 + 900 * cv2.GaussianBlur(blotches, (0, 0), 12), 0, 255).astype(
        np.uint8
    )  # nothing to guess from
    table = empty_table()
    for azimuth in (2.4, 1.6, 0.9):  # what stood behind the block from here was seen from there
        view = looking(azimuth)
        picture, _, mask = photograph(view, cloth)
        assert table.can_learn(view)
        table = taught(table, picture, mask, view)
        assert not table.can_learn(view)
    view = looking(0.3)
    picture, bare, mask = photograph(view, cloth)
    first = filled(picture, mask, view, taught(empty_table(), picture, mask, view))
    informed = filled(picture, mask, view, table)
    assert psnr(informed, bare, mask > 0) > psnr(first, bare, mask > 0) + 2
    assert psnr(informed, bare, mask > 0) > 21
    assert (table.known == TWICE).mean() > 0.5


def test_what_was_learned_does_not_jump_into_the_picture() -> None:
    looks = []
    for azimuth in (0.3, 0.9):
        picture, _, mask = photograph(looking(azimuth), texture(), 1.0 + azimuth / 4)
        looks.append(taught(looks[-1] if looks else empty_table(), picture, mask, looking(azimuth)))
    older, newer = looks
    before, after = older.colours.astype(int), newer.colours.astype(int)
    assert np.abs(after - before).max() > 20
    newer.follow(older, 10**9)
    shown = []
    for ms in (0, 100, 200, 300, 400):
        newer.turn(10**9 + ms * 10**6)
        shown.append(newer.colours.astype(int))
    assert np.array_equal(shown[0], before)
    assert all(np.abs(b - a).max() <= np.abs(after - before).max() / 3 + 2 for a, b in pairwise(shown))
    assert np.array_equal(shown[3], after)
    assert np.array_equal(shown[4], after)
    newer.follow(older, 10**9)
    newer.turn(0)  # the clock started over
    assert np.array_equal(newer.colours, after)


def test_what_was_seen_before_it_came_alive_counts() -> None:
    blotches = np.random.default_rng(1).normal(0, 1, (N, N, 3)).astype(np.float32)
    cloth = np.clip(128 + 900 * cv2.GaussianBlur(blotches, (0, 0), 12), 0, 255).astype(np.uint8)
    view = looking(0.3)
    picture, bare, mask = photograph(view, cloth)
    before = []
    for azimuth in (0.9, 1.6, 2.4):
        then, _, hidden = photograph(looking(azimuth), cloth)
        before.append(Glimpse(then, hidden, looking(azimuth), 0))
    alone = filled(picture, mask, view, taught(empty_table(), picture, mask, view))
    informed = filled(picture, mask, view, taught(empty_table(), picture, mask, view, before))
    assert psnr(informed, bare, mask > 0) > psnr(alone, bare, mask > 0) + 2
    assert psnr(informed, bare, mask > 0) > 21


def test_what_stands_behind_stays_whole() -> None:
    cloth = texture()
    poster = np.random.default_rng(2).integers(40, 216, (12, 12, 3)).astype(np.uint8)
    poster = cv2.resize(poster, (240, 240), interpolation=cv2.INTER_CUBIC)
    corners = np.array([[-0.09, -0.06, 0.12], [-0.09, 0.06, 0.12], [-0.09, 0.06, 0.0], [-0.09, -0.06, 0.0]])

    def photographed(azimuth: float) -> tuple[View, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """View, picture with block and poster, picture without the block, mask of the block, where the poster is."""
        view = looking(azimuth, elevation=0.45)
        uv = view.intrinsics.project(corners, view.T_map_camera).astype(np.float32)
        H = cv2.getPerspectiveTransform(np.array([[0, 0], [239, 0], [239, 239], [0, 239]], np.float32), uv)
        there = cv2.warpPerspective(np.full((240, 240), 255, np.uint8), H, (320, 240)) > 128
        picture, bare, mask = photograph(view, cloth)
        bare = np.where(there[..., None], cv2.warpPerspective(poster, H, (320, 240)), bare)
        return view, np.where(mask[..., None] > 128, picture, bare), bare, mask, there

    table = empty_table()
    for azimuth in (-0.5, -0.25, 0.0, 0.25, 0.5):
        view, picture, _, mask, _ = photographed(azimuth)
        table = taught(table, picture, mask, view)
    assert table.cards
    view, picture, bare, mask, there = photographed(0.1)
    hidden = (mask > 0) & there
    assert hidden.sum() > 300
    with_cards = filled(picture, mask, view, table)
    without = filled(picture, mask, view, replace(table, cards=()))
    assert psnr(with_cards, bare, hidden) > psnr(without, bare, hidden) + 1.5
    assert psnr(with_cards, bare, hidden) > 16.3


def test_how_tall_the_object_is_its_mask_tells() -> None:
    for azimuth in (0.0, 0.4, 0.8):
        for elevation in (0.3, 0.6, 0.8):
            view = looking(azimuth, elevation)
            assert 0.08 < stature(block(view), np.zeros(3), view) < 0.125  # of 0.10


def test_a_mask_is_where_the_object_was_in_an_earlier_view() -> None:
    view, then = looking(0.3), looking(0.7)
    hidden = seen_before(block(view), np.zeros(3), view, then)
    truth = block(then)
    assert (generous(hidden)[truth > 0] > 0).mean() > 0.99
    assert np.count_nonzero(hidden) < 1.3 * np.count_nonzero(truth)


def test_a_camera_that_got_brighter_is_followed() -> None:
    cloth = texture()
    view = looking(0.3)
    picture, _, mask = photograph(view, cloth)
    table = taught(empty_table(), picture, mask, view)
    lighter, bare, mask = photograph(looking(0.35), cloth, 1.15)
    assert psnr(filled(lighter, mask, looking(0.35), table), bare, mask > 0) > 24


def test_things_that_stand_on_the_table_are_not_taken_for_it() -> None:
    cloth = texture()
    table = empty_table()
    for azimuth in (0.0, 0.35, 0.7, 1.05):
        view = looking(azimuth)
        picture, _, mask = photograph(view, cloth)
        foot, top = view.intrinsics.project(np.array([[0.0, 0.15, 0.0], [0.0, 0.15, 0.12]]), view.T_map_camera)
        cv2.line(
            picture, tuple(np.round(foot).astype(int).tolist()), tuple(np.round(top).astype(int).tolist()), (0, 0, 0), 9
        )
        table = taught(table, picture, mask, view)
    black = (table.last.max(2) < 40) & (table.known >= ONCE)
    texel = table.texel_from_plane() @ np.array([*(plane_axes(view.plane)[:2, :3] @ [0, 0.15, 0]), 1.0])
    y, x = np.mgrid[0 : black.shape[0], 0 : black.shape[1]]
    away = np.hypot(x - texel[0], y - texel[1]) * 2 * table.half / black.shape[0] > 0.06
    assert (black & away).mean() < 0.01  # its picture, thrown far over the table, was seen through


def test_without_a_table_the_surroundings_are_drawn_in() -> None:
    cloth = np.full((N, N, 3), (120, 150, 180), np.uint8)
    view = looking(0.3)
    picture, bare, mask = photograph(view, cloth)
    assert psnr(filled(picture, mask, None, None), bare, mask > 0) > 30
    assert fill(picture, np.zeros_like(mask), None, None) is None


def test_the_shadow_that_the_object_took_along_is_found_and_goes() -> None:
    y, x = np.mgrid[0:N, 0:N]
    px, py = (x + 0.5) / N * SIDE - SIDE / 2, (y + 0.5) / N * SIDE - SIDE / 2
    cloth = np.full((N, N, 3), (150, 165, 180), np.uint8)
    shaded = cloth.copy()
    lying = (np.abs(px) < 0.03) & (py > 0) & (py < 0.11)  # the lamp stands at -y
    shaded[lying] = (105, 116, 126)
    shaded = cv2.GaussianBlur(shaded, (0, 0), 6)
    view = looking(0.2, elevation=0.9)
    picture, _, mask = photograph(view, shaded)
    _, bare, _ = photograph(view, cloth)
    table = taught(empty_table(), picture, mask, view)
    assert table.lamp is not None
    axes = plane_axes(view.plane)
    found = np.cos(table.lamp[0]) * axes[0, :3] + np.sin(table.lamp[0]) * axes[1, :3]
    assert found @ [0, 1, 0] > 0.9
    assert 0.2 < table.lamp[1] < 0.8
    after = filled(picture, mask, view, table)
    dark = (bare.astype(int).sum(2) - picture.astype(int).sum(2) > 60) & (mask == 0)
    assert dark.sum() > 300
    assert psnr(after, bare, dark) > psnr(picture, bare, dark) + 8
