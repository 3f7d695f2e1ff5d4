"""What hands do with who is awake, in a real browser, over a graph that exists only in the test."""

from __future__ import annotations

from typing import Any

import pytest
from page_tools import DESK, PHONE, Open, asked, needs_browser, on_picture, show, wait
from playwright.sync_api import Page, expect

pytestmark = needs_browser


def awake(page: Page, graph: Any) -> str:
    """The mug is awake; its name."""
    graph.all_well()
    show(graph, page)
    graph.wake("mug")
    expect(page.locator(".friend")).to_have_count(1)
    return str(page.locator(".friend h3").inner_text())


def drag(page: Page, graph: Any, *pixels: tuple[float, float]) -> None:
    """A drag with the mouse over these pixels of the picture."""
    page.mouse.move(*on_picture(page, *pixels[0], graph.size))
    page.mouse.down()
    for pixel in pixels[1:]:
        page.mouse.move(*on_picture(page, *pixel, graph.size), steps=4)
    page.mouse.up()


def test_a_character_follows_the_mouse_that_took_hold_of_it(open_page: Open, graph: Any) -> None:
    page = open_page()
    awake(page, graph)
    stamp = show(graph, page, 90)
    drag(page, graph, (200, 250), (300, 330), (380, 400))
    led = asked(graph, page, "lead")
    page.wait_for_function("() => !document.querySelector('.goal')")
    ((_, id, seen, x, y),) = asked(graph, page, "hold")
    assert (id, seen) == ("", stamp)
    assert (x, y) == pytest.approx((200, 250), abs=1.5)
    assert {one[1:3] for one in led} == {("mug", stamp)}
    last = asked(graph, page, "lead")[-1]
    assert last[3:] == pytest.approx((380, 400), abs=1.5)
    assert not [one for one in graph.asked if one[0] in ("poke", "awaken_at")]


def test_a_drag_that_begins_elsewhere_leads_nobody(open_page: Open, graph: Any) -> None:
    page = open_page()
    awake(page, graph)
    drag(page, graph, (430, 300), (300, 330))  # from the apple, which sleeps
    drag(page, graph, (600, 60), (200, 250))  # from the table
    page.mouse.click(*on_picture(page, 5, 5, graph.size))
    asked(graph, page, "awaken_at")
    assert [one[0] for one in graph.asked] == ["hold", "hold", "poke", "awaken_at"]
    expect(page.locator(".goal")).to_have_count(0)
    expect(page.locator(".toast.refused")).to_have_text("Only the table is there.")  # of the click alone


@pytest.mark.parametrize("to", [(320.0, 260.0), (210.0, 400.0)])
def test_a_finger_leads_too_and_the_page_stays(open_page: Open, graph: Any, to: tuple[float, float]) -> None:
    page = open_page(PHONE, touch=True, device_scale_factor=3)
    awake(page, graph)
    touch = page.context.new_cdp_session(page)

    def finger(kind: str, *pixel: float) -> None:
        points = [dict(zip("xy", on_picture(page, *pixel, graph.size), strict=True))] if pixel else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    finger("touchStart", 200, 250)
    for share in (0.3, 0.6, 1.0):
        finger("touchMove", *(a + share * (b - a) for a, b in zip((200, 250), to, strict=True)))
    finger("touchEnd")
    asked(graph, page, "lead")
    page.wait_for_function("() => !document.querySelector('.goal')")
    assert asked(graph, page, "lead")[-1][3:] == pytest.approx(to, abs=1.5)
    assert page.evaluate("scrollY") == 0
    assert len([one for one in graph.asked if one[0] == "hold"]) == 1


def test_food_is_dragged_to_somebody_or_given_to_the_newest(open_page: Open, graph: Any) -> None:
    page = open_page()
    graph.all_well()
    show(graph, page)
    food = page.locator("#food")
    expect(food).to_be_hidden()
    name = awake(page, graph)
    expect(food).to_be_visible()
    stamp = show(graph, page, 90)
    box = food.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(*on_picture(page, 205, 255, graph.size), steps=5)
    expect(food).to_have_class("food held")
    page.mouse.up()
    ((_, id, seen, x, y),) = asked(graph, page, "feed")
    assert (id, seen) == ("", stamp)
    assert (x, y) == pytest.approx((205, 255), abs=1.5)
    expect(page.locator("#toasts")).to_contain_text(f"{name} eats.")
    expect(food).to_have_class("food")
    page.wait_for_function(
        "x => Math.abs(document.querySelector('#food').getBoundingClientRect().x - x) < 1", arg=box["x"]
    )
    graph.asked.clear()
    food.focus()
    page.keyboard.press("Enter")
    ((_, id, *_),) = asked(graph, page, "feed")
    assert id == "mug"


def test_who_is_called_by_name_hears(open_page: Open, graph: Any) -> None:
    page = open_page(DESK)
    graph.all_well()
    show(graph, page)
    field = page.get_by_label("Call somebody by name")
    expect(field).to_be_hidden()
    name = awake(page, graph)
    graph.wake("apple")
    expect(page.locator(".friend")).to_have_count(2)
    field.fill(name.upper()[:3])
    field.press("Enter")
    assert asked(graph, page, "call")[0][1] == "mug"
    expect(page.locator("#toasts")).to_contain_text(f"{name}!")
    expect(field).to_have_value("")
    page.locator(".friend h3").nth(1).get_by_role("button").click()
    wait(page, lambda: len(asked(graph, page, "call")) == 2)
    assert [one[1] for one in graph.asked] == ["mug", "apple"]
    field.fill("fors Nobody")  # keys of shortcuts: none of them may fire
    field.press("Enter")
    expect(page.locator(".toast.refused")).to_have_text("Nobody here is called fors Nobody.")
    assert page.locator("#names option").count() == 2
    assert len(asked(graph, page, "call")) == 2
    assert {one[0] for one in graph.asked} == {"call"}
    expect(page.locator("body")).not_to_have_class("theatre")
