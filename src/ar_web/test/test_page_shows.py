"""What the page shows, in a real browser, over a graph that exists only in the test."""

from __future__ import annotations

from typing import Any

import pytest
from page_tools import Open, asked, needs_browser, show
from playwright.sync_api import expect

from ar_web.stages import figures
from ar_web.state import Tracking

pytestmark = needs_browser


def test_words_before_the_first_picture_then_for_every_state(open_page: Open, graph: Any) -> None:
    page = open_page()
    headline = page.locator("#headline")
    graph.board.watched(True, graph.seconds)
    graph.tell()
    expect(headline).to_have_text("Waiting for the camera")
    expect(page.locator("#picture")).to_be_hidden()
    show(graph, page)
    expect(page.locator("#picture")).to_be_visible()
    for state, words, mood in (
        (Tracking.INITIALISING, "Show me a table", "looking"),
        (Tracking.TRACKING, "I can see the table", "awake"),
        (Tracking.LOST, "I am lost", "lost"),
        (Tracking.RELOCALISED, "There we are again", "awake"),
        (Tracking.STATIC, "The camera is still", "awake"),
        (Tracking.WEAK, "I can barely hold on", "looking"),
    ):
        graph.lasting(state, "few points")
        expect(headline).to_have_text(words)
        expect(page.locator("body")).to_have_attribute("data-mood", mood)
    assert page.locator(".bubble").get_attribute("aria-live") == "polite"


def test_outlines_lie_on_the_objects_and_can_be_switched_off(open_page: Open, graph: Any) -> None:
    page = open_page()
    show(graph, page)
    graph.all_well()
    graph.detect()
    expect(page.locator("#outlines path")).to_have_count(2)  # a dark line under a light one
    rims = [(x - r - 0.5, y - r - 0.5, x + r - 0.5, y + r - 0.5) for x, y, r in graph.discs.values()]
    around = [f(rim[i] for rim in rims) for i, f in enumerate((min, min, max, max))]
    drawn = page.locator("#outlines path").first.evaluate(
        "p => { const b = p.getBBox(); return [b.x, b.y, b.width, b.height] }"
    )
    left, top, right, bottom = around
    assert drawn == pytest.approx([left + 0.5, top + 0.5, right - left, bottom - top], abs=0.6)
    assert page.locator("#overlay").bounding_box() == page.locator("#picture").bounding_box()
    expect(page.locator("#outlines")).to_have_css("opacity", "1")
    page.locator("#hints").click()
    expect(page.locator("#outlines")).to_have_css("opacity", "0")
    page.reload()
    show(graph, page, 60)
    expect(page.locator("#outlines")).to_have_css("opacity", "0")  # remembered


def test_friends_act_can_be_taken_home_and_sleep(open_page: Open, graph: Any) -> None:
    page = open_page()
    graph.all_well()
    show(graph, page)
    page.get_by_role("button", name="Surprise me").click()
    card = page.locator(".friend")
    expect(card).to_have_count(1)
    expect(card).to_contain_text("12 cm tall")
    expect(card.get_by_role("img")).to_have_attribute("alt", portrait_text(card))
    assert card.locator("img").evaluate("i => i.decode().then(() => i.naturalWidth)") > 0
    assert card.locator(".deed").all_inner_texts() == ["Walk", "Hop", "Dance"]
    card.get_by_role("button", name="dance").click()
    assert asked(graph, page, "act") == [("act", "mug", "dance")]
    with page.expect_download() as download:
        card.get_by_role("link").click()
    assert download.value.suggested_filename == f"tsukumo-{card.locator('h3').inner_text().lower()}.glb"
    with open(download.value.path(), "rb") as file:
        assert file.read() == graph.glb
    card.get_by_role("button", name="Let it sleep").click()
    expect(card).to_have_count(0)
    assert asked(graph, page, "remove") == [("remove", "mug")]
    expect(page.locator("#nobody")).to_be_visible()


def portrait_text(card: Any) -> str:
    return f"{card.locator('h3').inner_text()}, cut out of the picture"


def test_stages_strip_and_table(open_page: Open, graph: Any) -> None:
    page = open_page()
    graph.show()
    graph.all_well()
    values = {"state": "active", "rate_hz": "11.2", "latency_p50_ms": "40", "latency_p99_ms": "80"}
    graph.board.stage(figures("segment", "", {**values, "skipped: a newer frame came first": "1204"}), graph.seconds)
    graph.board.stage(figures("character", "", {**values, "rate_hz": "0", "latency_p99_ms": "2073"}), graph.seconds)
    graph.board.stage(figures("slam", "map file is damaged", {"state": "unconfigured"}), graph.seconds)
    graph.tell()
    chips = page.locator(".chip")
    expect(chips).to_have_count(6)
    expect(chips.nth(2)).to_contain_text("11/s · 40 ms")
    expect(chips.nth(3)).to_contain_text("cannot start")
    widths = "bars => bars.map(bar => bar.getBoundingClientRect().width)"
    bodies, bars = (page.locator(f".chip .{part}").evaluate_all(widths) for part in ("body", "bar"))
    assert bodies[2] / bars[2] == pytest.approx(40 / 80, abs=0.01)  # the scale reaches to the longest, 80 ms
    assert bodies[5] / bars[5] == pytest.approx(11 / 80, abs=0.01)
    assert bodies[4] == 0  # made one body once, in two seconds: ready, and no measure for the others
    page.locator("#pulse summary").click()
    graph.tell()
    expect(page.locator("#ledger")).to_contain_text("1204 × a newer frame came first")
    expect(page.locator("#ledger")).to_contain_text("map file is damaged")
    expect(page.locator("#tracking")).to_contain_text("171 of 214 points held")
    page.locator("#reset").click()
    asked(graph, page, "reset")


def test_notices_come_and_go_and_the_table_tells_what_happened(open_page: Open, graph: Any) -> None:
    page = open_page()
    graph.show()
    graph.board.notices("camera", ["The camera is not calibrated."])
    graph.board.happening("awaken", "", False, "too small to be cut out")
    graph.board.happening("act", "mug", True, "poke")
    graph.all_well()
    expect(page.locator("#notices li")).to_have_text(["The camera is not calibrated."])
    page.locator("#pulse summary").click()
    expect(page.locator("#lately li")).to_have_text(["act · mug · poke", "awaken · refused: too small to be cut out"])
    assert page.locator(".toast").count() == 0  # others' doings do not shout
    graph.board.notices("camera", [])
    graph.tell()
    expect(page.locator("#notices li")).to_have_count(0)


def test_names_from_the_graph_are_text_not_markup(open_page: Open, graph: Any) -> None:
    page = open_page()
    graph.show()
    evil = "<img src=x onerror=alert(1)>"
    graph.board.notices("camera", [evil])
    graph.wake(evil)
    graph.all_well(Tracking.LOST, evil)
    expect(page.locator("#notices")).to_have_text(evil)
    expect(page.locator("#hint")).to_contain_text(evil)
    expect(page.locator(".friend")).to_have_count(1)
    assert page.locator("img[src=x]").count() == 0
