"""Clicks, taps and keys on the page in a real browser, over a graph that exists only in the test."""

from __future__ import annotations

from typing import Any

import pytest
from page_tools import DESK, PHONE, Open, asked, needs_browser, on_picture, show
from playwright.sync_api import expect

pytestmark = needs_browser


@pytest.mark.parametrize("viewport", [DESK, {"width": 1900, "height": 620}, {"width": 700, "height": 1000}])
@pytest.mark.parametrize("pixel", [(200.0, 250.0), (3.0, 440.0), (600.0, 2.0)])
def test_a_click_awakens_at_the_pixel_with_the_stamp(
    open_page: Open, graph: Any, viewport: dict[str, int], pixel: tuple[float, float]
) -> None:
    page = open_page(viewport)
    graph.all_well()
    stamp = show(graph, page)
    page.mouse.click(*on_picture(page, *pixel, graph.size))
    ((_, seen, x, y),) = asked(graph, page, "awaken_at")
    assert seen == stamp
    assert (x, y) == pytest.approx(
        pixel, abs=0.6 * graph.size[0] / page.locator("#picture").bounding_box()["width"] + 0.01
    )


def test_letterboxed_taps_map_and_bars_do_nothing(open_page: Open, graph: Any) -> None:
    page = open_page()
    graph.all_well()
    show(graph, page)
    # A frame that is not of the picture's shape: bars beside, then above and below.
    for width, height in ((1200, 300), (300, 700)):
        page.locator("#frame").evaluate(
            "(f, [w, h]) => { f.style.width = `${w}px`; f.style.height = `${h}px`; f.style.aspectRatio = 'auto';"
            " f.style.position = 'fixed'; f.style.left = f.style.top = 0 }",
            [width, height],
        )
        graph.asked.clear()
        page.mouse.click(4, 4)  # on a bar
        page.mouse.click(*on_picture(page, 430, 300, graph.size))
        (awakened,) = asked(graph, page, "awaken_at")
        assert awakened[2:] == pytest.approx((430, 300), abs=1.5)
        assert len([wish for wish in graph.asked if wish[0] == "poke"]) == 1
        graph.remove_all()


def test_the_picture_alone(open_page: Open, graph: Any) -> None:
    page = open_page()
    graph.all_well()
    show(graph, page)
    graph.all_well()
    page.keyboard.press("f")
    expect(page.locator("#friends-title")).to_be_hidden()
    box = page.locator("#picture").bounding_box()
    assert box["height"] == pytest.approx(page.evaluate("innerHeight"), abs=1)
    assert box["width"] / box["height"] == pytest.approx(640 / 480, abs=0.01)
    page.mouse.click(*on_picture(page, 430, 300, graph.size))
    assert asked(graph, page, "awaken_at")[0][2:] == pytest.approx((430, 300), abs=1.0)
    expect(page.locator(".toast.awake")).to_be_visible()
    page.locator("#theatre").click()
    expect(page.locator("#friends-title")).to_be_visible()


def test_touch_on_a_phone_awakens_then_makes_jump(open_page: Open, graph: Any) -> None:
    page = open_page(PHONE, touch=True, device_scale_factor=3)
    graph.all_well()
    show(graph, page)
    page.touchscreen.tap(*on_picture(page, 200, 250, graph.size))
    expect(page.locator(".friend h3")).to_have_count(1)
    name = page.locator(".friend h3").inner_text()
    expect(page.locator("#toasts")).to_contain_text(f"{name} is awake")
    stamp = show(graph, page, 90)
    graph.asked.clear()
    page.touchscreen.tap(*on_picture(page, 200, 250, graph.size))
    expect(page.locator("#toasts")).to_contain_text(f"{name} jumps!")
    (poked,) = graph.asked
    assert poked[:2] == ("poke", stamp)
    assert poked[2:] == pytest.approx((200, 250), abs=1.0)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_stamp_is_that_of_the_finger_coming_down(open_page: Open, graph: Any) -> None:
    page = open_page()
    graph.all_well()
    seen = show(graph, page, 100)
    page.mouse.move(*on_picture(page, 200, 250, graph.size))
    page.mouse.down()
    assert show(graph, page, 180) > seen
    page.mouse.up()
    assert asked(graph, page, "poke")[0][1] == seen


def test_dragging_is_no_tap(open_page: Open, graph: Any) -> None:
    page = open_page()
    graph.all_well()
    show(graph, page)
    page.mouse.move(*on_picture(page, 200, 250, graph.size))
    page.mouse.down()
    page.mouse.move(*on_picture(page, 320, 250, graph.size))
    page.mouse.up()
    page.mouse.click(*on_picture(page, 5, 5, graph.size))
    assert asked(graph, page, "poke")[0][2:] == pytest.approx((5, 5), abs=1.0)
    assert len(graph.asked) == 2  # poke and awaken of the click alone


def test_refusals_are_said_in_the_graphs_words(open_page: Open, graph: Any) -> None:
    page = open_page()
    graph.all_well()
    show(graph, page)
    page.mouse.click(*on_picture(page, 600, 400, graph.size))
    expect(page.locator(".toast.refused")).to_have_text("Only the table is there.")


def test_keyboard_alone(open_page: Open, graph: Any) -> None:
    page = open_page()
    graph.all_well()
    stamp = show(graph, page)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.locator("#overlay").focus()
    page.keyboard.press("Enter")  # lights the middle, taps nothing yet
    for key, times in (("ArrowLeft", 7), ("ArrowDown", 1)):
        for _ in range(times):
            page.keyboard.press(key)
    expect(page.locator("#light")).to_have_class("light on")
    page.keyboard.press("Enter")
    assert asked(graph, page, "poke") == [("poke", stamp, 320 - 7 * 16 - 0.5, 240 + 16 - 0.5)]
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    expect(page.locator("#help")).to_contain_text("Pictures stay in the memory")
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("o")
    expect(page.locator("#hints")).to_have_attribute("aria-pressed", "false")
