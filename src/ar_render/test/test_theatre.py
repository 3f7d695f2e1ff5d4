from dataclasses import replace

import numpy as np
import pytest
from glb import box_glb, doll_glb
from table_scene import CAMERA, looking, photograph, texture

from ar_core.geometry import Plane, inverse, pose, transform
from ar_render.actors import Entrance, Seen
from ar_render.clearing import carried, plausible
from ar_render.context import Context
from ar_render.gltf import read_glb
from ar_render.plane_view import View
from ar_render.scene import Renderer
from ar_render.theatre import Theatre

MS = 1_000_000
NOWHERE = (float("nan"), float("nan"))


@pytest.fixture
def theatre(context: Context) -> Theatre:
    return Theatre(Renderer(context, CAMERA.width, CAMERA.height), seed=5, synchronous=True)


def entrance(view: View, id: str = "mug", at: tuple[float, float, float] = (0, 0, 0), stamp: int = 0) -> Entrance:
    return Entrance(id, stamp, 0.12, view.intrinsics.project(np.array([at]), view.T_map_camera))


def picture(view: View) -> tuple[np.ndarray, np.ndarray]:
    with_block, _, mask = photograph(view, texture())
    return with_block, mask


def test_without_pose_or_character_the_picture_is_the_cameras(theatre: Theatre) -> None:
    view = looking(0.3)
    before, mask = picture(view)
    assert theatre.draw(before, 0, None) is before
    assert np.array_equal(theatre.draw(before, 33 * MS, Seen(view, 0), mask), before)
    assert theatre.shown == []


def test_it_stands_where_its_object_stood_and_looks_at_the_camera(theatre: Theatre) -> None:
    view = looking(0.3)
    before, mask = picture(view)
    theatre.enter(entrance(view, at=(0.02, -0.03, 0)), read_glb(doll_glb()))
    after = theatre.draw(before, 0, Seen(view, 0), mask)
    home = theatre.actors["mug"].home(view.plane)
    assert home[:3, 3] == pytest.approx([0.02, -0.03, 0], abs=1e-9)
    to_camera = view.T_map_camera[:3, 3] - home[:3, 3]
    assert home[:3, 0] @ to_camera / np.hypot(*to_camera[:2]) == pytest.approx(1.0)
    assert theatre.shown == ["mug"]
    assert (after != before).any()


def test_the_footprint_is_seen_with_the_pose_of_its_own_picture(theatre: Theatre) -> None:
    views = [looking(0.3), looking(0.5)]
    for i, view in enumerate(views):
        theatre.draw(picture(view)[0], i * 33 * MS, Seen(view, 0))
    theatre.enter(entrance(views[0], stamp=0), read_glb(doll_glb()))
    theatre.draw(picture(views[1])[0], 66 * MS, Seen(views[1], 0))
    assert theatre.actors["mug"].spot == pytest.approx([0, 0, 0], abs=1e-9)


def test_the_same_pictures_give_the_same_pictures(context: Context) -> None:
    def run() -> list[np.ndarray]:
        theatre = Theatre(Renderer(context, CAMERA.width, CAMERA.height), seed=5, synchronous=True)
        out = []
        for i in range(8):
            view = looking(0.3 + 0.05 * i)
            before, mask = picture(view)
            if i == 1:
                theatre.enter(entrance(view, stamp=33 * MS), read_glb(doll_glb()))
            if i == 5:
                theatre.act("mug", "poke", "", NOWHERE, 0, theatre.now)
            out.append(theatre.draw(before, i * 600 * MS, Seen(view, 0), mask))
        return out

    for a, b in zip(run(), run(), strict=True):
        assert np.array_equal(a, b)


def test_a_still_camera_changes_nothing_outside_of_figure_shadow_and_hole(theatre: Theatre) -> None:
    view = looking(0.3)
    before, mask = picture(view)
    theatre.enter(entrance(view), read_glb(doll_glb()))
    changed = np.zeros(before.shape[:2], bool)
    for i in range(8):
        changed |= (theatre.draw(before, i * 900 * MS, Seen(view, 0), mask) != before).any(2)
    _, x = np.nonzero(changed)
    assert changed.mean() < 0.35
    assert x.min() > 20
    assert x.max() < CAMERA.width - 20


def test_a_tap_on_it_pokes_it_and_one_beside_does_not(theatre: Theatre) -> None:
    view = looking(0.3)
    theatre.enter(entrance(view), read_glb(doll_glb()))
    theatre.draw(picture(view)[0], 0, Seen(view, 0))
    u, v = CAMERA.project(np.array([[0, 0, 0.06]]), view.T_map_camera)[0]
    assert theatre.pick((u, v)) == "mug"
    assert theatre.act("", "poke", "", (u, v), 0, 2000 * MS) == ("mug", "hop")
    with pytest.raises(ValueError, match=r"no character at \(5, 5\)"):
        theatre.act("", "poke", "", (5, 5), 0, 2000 * MS)
    with pytest.raises(ValueError, match="no clip 'fly'"):
        theatre.act("mug", "clip", "fly", NOWHERE, 0, 2000 * MS)
    with pytest.raises(ValueError, match="no character 'cat'"):
        theatre.act("cat", "poke", "", NOWHERE, 0, 2000 * MS)
    with pytest.raises(ValueError, match="unknown action 'sing'"):
        theatre.act("", "sing", "", NOWHERE, 0, 2000 * MS)


def test_place_puts_it_under_the_pixel(theatre: Theatre) -> None:
    view = looking(0.3)
    theatre.enter(entrance(view), read_glb(doll_glb()))
    with pytest.raises(ValueError, match="no character yet"):
        theatre.place("", (100, 100), 0)
    theatre.draw(picture(view)[0], 0, Seen(view, 0))
    u, v = CAMERA.project(np.array([[0.1, 0.05, 0.0]]), view.T_map_camera)[0]
    assert theatre.place("", (u, v), 0) == "mug"
    assert theatre.actors["mug"].spot == pytest.approx([0.1, 0.05, 0], abs=1e-9)
    assert theatre.actors["mug"].origin == pytest.approx([0, 0, 0], abs=1e-9)  # its object is where it was
    with pytest.raises(ValueError, match="does not show the table"):
        theatre.place("mug", (160, -4000), 0)


def test_remove_brings_the_object_back(theatre: Theatre) -> None:
    view = looking(0.3)
    before, mask = picture(view)
    theatre.enter(entrance(view), read_glb(doll_glb()))
    assert not np.array_equal(theatre.draw(before, 0, Seen(view, 0), mask), before)
    assert theatre.remove("mug") == ["mug"]
    assert np.array_equal(theatre.draw(before, 33 * MS, Seen(view, 0), mask), before)
    assert theatre.remove() == []


def test_when_the_map_is_replaced_it_stays_where_it_was_in_the_picture(theatre: Theatre) -> None:
    view = looking(0.3)
    theatre.enter(entrance(view, at=(0.03, 0.02, 0)), read_glb(doll_glb()))
    theatre.draw(picture(view)[0], 0, Seen(view, 0))
    actor = theatre.actors["mug"]
    foot = CAMERA.project(actor.home(view.plane)[None, :3, 3], view.T_map_camera)[0]
    top = CAMERA.project((actor.home(view.plane)[:3, 3] + [0, 0, actor.height])[None], view.T_map_camera)[0]
    # The new map: turned, moved, and 1.7 times as large.
    T = pose(np.array([[0, -1.0, 0], [1, 0, 0], [0, 0, 1]]), np.array([1.0, -2.0, 0.5]))
    camera = view.T_map_camera.copy()
    camera[:3, 3] *= 1.7
    other = View(CAMERA, T @ camera, Plane(np.array([0, 0, 1.0]), 0.5))
    theatre.draw(picture(view)[0], 33 * MS, Seen(other, 1))
    assert theatre.shown == ["mug"]
    home = actor.home(other.plane)
    assert CAMERA.project(home[None, :3, 3], other.T_map_camera)[0] == pytest.approx(foot, abs=1e-6)
    assert CAMERA.project((home[:3, 3] + [0, 0, actor.height])[None], other.T_map_camera)[0] == pytest.approx(
        top, abs=0.1
    )
    assert actor.scale == pytest.approx(1.7)
    looks = inverse(other.T_map_camera)[:3, :3] @ home[:3, 0]
    before = inverse(view.T_map_camera)[:3, :3] @ np.array([*(view.T_map_camera[:2, 3] - [0.03, 0.02]), 0.0])
    assert looks @ before / np.linalg.norm(before) == pytest.approx(1.0)


def test_a_plane_that_is_refined_carries_it_along(theatre: Theatre) -> None:
    view = looking(0.3)
    theatre.enter(entrance(view), read_glb(doll_glb()))
    theatre.draw(picture(view)[0], 0, Seen(view, 0))
    lower = Plane(np.array([0.02, 0, 1.0]) / np.hypot(0.02, 1.0), -0.004)
    home = theatre.actors["mug"].home(lower)
    assert home[:3, 3] @ lower.normal == pytest.approx(lower.distance)
    assert home[:3, 2] == pytest.approx(lower.normal)
    assert np.linalg.det(home) == pytest.approx(1.0)


def test_after_a_restart_the_same_one_stands_and_does_the_same(context: Context) -> None:
    view = looking(0.3)
    first = Theatre(Renderer(context, CAMERA.width, CAMERA.height), seed=5, synchronous=True)
    first.enter(entrance(view, at=(0.03, 0.02, 0)), read_glb(doll_glb()))
    for i in range(20):
        first.draw(picture(view)[0], i * 1000 * MS, Seen(view, 0))
    state = first.state()
    second = Theatre(Renderer(context, CAMERA.width, CAMERA.height), seed=99, synchronous=True)
    second.restore(state)
    second.enter(replace(entrance(view), footprint=np.zeros((0, 2))), read_glb(doll_glb()))
    for i in range(20, 24):
        first.draw(picture(view)[0], i * 1000 * MS, Seen(view, 0))
        second.draw(picture(view)[0], i * 1000 * MS, Seen(view, 0))
    a, b = first.actors["mug"], second.actors["mug"]
    assert b.home(view.plane) == pytest.approx(a.home(view.plane))
    assert b.behaviour.stance(23.5) == a.behaviour.stance(23.5)


@pytest.mark.parametrize("state", [[{"id": "mug"}], [{"id": 3, "spot": [0, 0, 0]}]])
def test_a_broken_state_is_refused_in_words(theatre: Theatre, state: list[dict[str, object]]) -> None:
    with pytest.raises(ValueError, match="the kept state has no proper"):
        theatre.restore(state)


def test_the_same_character_told_again_goes_on(theatre: Theatre) -> None:
    view = looking(0.3)
    theatre.enter(entrance(view), read_glb(doll_glb()))
    theatre.draw(picture(view)[0], 0, Seen(view, 0))
    theatre.enter(entrance(view, at=(0.2, 0.2, 0)), read_glb(doll_glb()))
    theatre.draw(picture(view)[0], 4000 * MS, Seen(view, 0))
    assert theatre.actors["mug"].spot == pytest.approx([0, 0, 0], abs=1e-9)
    assert theatre.actors["mug"].born == 0


def test_a_height_that_is_none_is_refused(theatre: Theatre) -> None:
    with pytest.raises(ValueError, match="height nan m is not positive"):
        theatre.enter(Entrance("mug", 0, float("nan"), np.zeros((0, 2))), read_glb(box_glb()))


def test_an_older_mask_moves_with_the_object(theatre: Theatre) -> None:
    theatre.enter(entrance(looking(0.3)), read_glb(doll_glb()))
    then, now = looking(0.3), looking(0.45, distance=0.5)
    theatre.draw(picture(then)[0], 0, Seen(then, 0))
    actor = theatre.actors["mug"]
    moved = carried(picture(then)[1], Seen(then, 0), [actor], Seen(now, 0))
    true = picture(now)[1]
    stale = picture(then)[1]

    def iou(a: np.ndarray, b: np.ndarray) -> float:
        return float(((a > 127) & (b > 127)).sum() / ((a > 127) | (b > 127)).sum())

    assert iou(moved, true) > 0.85 > iou(stale, true)


def test_two_characters_share_the_picture(theatre: Theatre) -> None:
    view = looking(0.3)
    before, mask = picture(view)
    theatre.enter(entrance(view), read_glb(doll_glb()))
    theatre.enter(entrance(view, "duck", (0.0, 0.15, 0)), read_glb(doll_glb()))
    theatre.draw(before, 0, Seen(view, 0), mask)
    assert theatre.shown == ["mug", "duck"]
    pixels = CAMERA.project(transform(np.eye(4), np.array([[0, 0, 0.06], [0, 0.15, 0.06]])), view.T_map_camera)
    assert [theatre.pick(tuple(p)) for p in pixels] == ["mug", "duck"]


def test_a_mask_that_took_the_table_along_is_cut_to_the_object(theatre: Theatre) -> None:
    view = looking(0.3)
    before, mask = picture(view)
    theatre.enter(entrance(view), read_glb(doll_glb()))
    theatre.draw(before, 0, Seen(view, 0))
    actor = theatre.actors["mug"]
    assert np.array_equal(plausible(mask, actor, view), mask)
    everything = np.full_like(mask, 255)
    cut = plausible(everything, actor, view)
    assert (cut[mask > 0] == 255).all()
    assert (cut > 0).mean() < 0.25


def test_what_it_gives_off_is_drawn_and_is_the_same_twice(context: Context) -> None:
    """A doll whose file tells of a fountain over its head: it is seen there, and two runs give the same bytes."""
    view = looking(0.3)
    before, mask = picture(view)
    doll = read_glb(doll_glb())
    fountain = {
        "joint": doll.names[-1], "sprite": "star", "rate": 60, "life": [1, 1], "size": [0.02, 0.02], "glow": 1,
        "colours": [[1, 0, 1]], "go": [0, 0.15, 0], "at": [0, 0.03, 0],
    }  # fmt: skip
    runs = []
    for told in ([], [fountain], [fountain]):
        theatre = Theatre(Renderer(context, CAMERA.width, CAMERA.height), seed=5, synchronous=True)
        theatre.enter(entrance(view), replace(doll, extras={**doll.extras, "emitters": told}))
        runs.append([theatre.draw(before, i * 33 * MS, Seen(view, 0), mask) for i in range(20)])
    assert all(np.array_equal(a, b) for a, b in zip(runs[1], runs[2], strict=True))
    changed = (np.abs(runs[1][-1].astype(int) - runs[0][-1]) > 40).any(2)  # more than another noise
    high = float(doll.global_matrices(doll.rest)[-1, 1, 3])
    _, there = CAMERA.project(np.array([[0.0, 0.0, high]]), view.T_map_camera)[0]
    assert changed.sum() > 100
    assert np.median(np.nonzero(changed)[0]) < there, "over its joint"


@pytest.mark.parametrize("again", [5 * 10**9, 1_800_000_000 * 10**9], ids=["a recording", "a clock that was set"])
def test_when_the_stamps_start_over_everybody_goes_on(theatre: Theatre, again: int) -> None:
    """Asked before a picture has come, and drawn before its pose is known: the age stays what it was."""
    start, view = 1_700_000_000 * 10**9, looking(0.3)
    before, mask = picture(view)
    theatre.enter(entrance(view, stamp=start), read_glb(doll_glb()))
    for i in range(2):
        theatre.draw(before, start + i * 9000 * MS, Seen(view, 0), mask)
    actor = theatre.actors["mug"]
    ages = []
    theatre.forget_views()
    ages.append(actor.seconds(theatre.now))
    theatre.act("mug", "poke", "", NOWHERE, 0, theatre.now)
    theatre.draw(before, again, None)
    ages.append(actor.seconds(theatre.now))
    theatre.act("mug", "feed", "", NOWHERE, 0, theatre.now)
    for i in range(3):
        theatre.draw(before, again + (i + 1) * 100 * MS, Seen(view, 0, sure=i > 0), mask)
        ages.append(actor.seconds(theatre.now))
    assert ages == pytest.approx([9.0, 9.0, 9.1, 9.2, 9.3])
    assert theatre.shown == ["mug"]


def test_nothing_is_left_on_the_graphics_card(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of who was told twice before a pose was known, and of who finds no place to stand."""
    view, freed = looking(0.3), []
    unload = theatre.renderer.unload
    monkeypatch.setattr(theatre.renderer, "unload", lambda body: (freed.append(body), unload(body)))
    for _ in range(3):
        theatre.enter(entrance(view), read_glb(doll_glb()))
    assert len(freed) == 2
    up = pose(view.T_map_camera[:3, :3] @ np.diag([1.0, -1.0, -1.0]), view.T_map_camera[:3, 3])
    with pytest.raises(ValueError, match="nor is the table in view"):
        theatre.draw(picture(view)[0], 0, Seen(View(CAMERA, up, view.plane), 0))
    assert len(freed) == 3
    theatre.draw(picture(view)[0], 33 * MS, Seen(view, 0))
    assert theatre.shown == []
