import cv2
import numpy as np
from table_scene import block, looking, photograph, texture

from ar_core.geometry import Intrinsics
from ar_render.glimpses import Glimpse, reduced
from ar_render.hole import Table
from ar_render.plane_view import View

BOX = np.array([[x, y, z] for x in (-0.1, 0.1) for y in (-0.1, 0.1) for z in (0, 0.1)])


def test_a_part_shows_the_same_places_at_its_own_pixels() -> None:
    view = looking(0.4)
    picture, _, mask = photograph(view, texture())
    part = reduced(Glimpse(picture, mask, view, 7), BOX, 0.5)
    assert part.picture.shape[:2] == part.mask.shape == (part.view.intrinsics.height, part.view.intrinsics.width)
    assert part.picture.size < 0.2 * picture.size
    assert part.picture.base is None
    assert part.mask.base is None
    assert part.stamp == 7
    places = [
        np.argwhere(m > 127).mean(0) for m in (part.mask, block(part.view))
    ]  # the other, rendered by its own camera
    assert np.abs(places[0] - places[1]).max() < 0.2


def test_a_table_is_learned_from_parts_as_from_whole_pictures() -> None:
    whole, parts = Table((0.0, 0.0), 0.1, 0), Table((0.0, 0.0), 0.1, 0)
    for azimuth in (0.0, 0.6):
        glimpse = Glimpse(*(p for p in photograph(looking(azimuth), texture())[::2]), looking(azimuth), 0)
        whole, parts = whole.learned([glimpse]), parts.learned([parts.of_use(glimpse)])
    assert np.mean(whole.known == parts.known) > 0.97
    both = (whole.known > 1) & (parts.known > 1)
    assert np.sqrt(np.square(whole.last[both].astype(float) - parts.last[both]).mean()) < 4


def test_where_the_box_reaches_behind_the_camera_all_is_kept() -> None:
    view = looking(0.4)
    picture, _, mask = photograph(view, texture())
    part = reduced(Glimpse(picture, mask, view, 0), 20 * BOX, 1.0)
    assert np.array_equal(part.picture, picture)
    assert part.picture is not picture


def test_a_box_outside_of_the_picture_leaves_a_picture_that_can_be_used() -> None:
    view = View(Intrinsics(300, 300, 20, 15, 40, 30), looking(0.4).T_map_camera, looking(0.4).plane)
    part = reduced(
        Glimpse(np.zeros((30, 40, 3), np.uint8), np.zeros((30, 40), np.uint8), view, 0),
        BOX + np.array([0, 0.5, 0]),
        0.5,
    )
    assert part.mask.size > 0
    assert cv2.countNonZero(part.mask) == 0
