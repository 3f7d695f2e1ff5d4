"""The page when it is hidden, cut off, or refused, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from page_tools import DESK, PHONE, Open, needs_browser, on_picture, show, wait
from playwright.sync_api import Browser, expect

from ar_web.serving import Serving

pytestmark = needs_browser


def test_a_hidden_page_stops_looking_and_comes_back(open_page: Open, graph: Any) -> None:
    page = open_page()
    show(graph, page)
    assert graph.hub.watchers == 1
    hide = (
        "on => { Object.defineProperty(document, 'hidden', { value: on, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')) }"
    )
    page.evaluate(hide, True)
    wait(page, lambda: graph.hub.watchers == 0)
    page.evaluate(hide, False)
    wait(page, lambda: graph.hub.watchers == 1)
    show(graph, page, 222)


def test_the_server_goes_and_comes_back(browser: Browser, graph: Any) -> None:
    serving = Serving(graph.hub, graph, "127.0.0.1", 0, "")
    context = browser.new_context(viewport=DESK)
    page = context.new_page()
    page.goto(serving.address.url)
    show(graph, page)  # a tap is for the picture that is seen: there is one
    graph.all_well()
    expect(page.locator("#headline")).to_have_text("I can see the table")
    serving.stop()
    expect(page.locator("#headline")).to_have_text("The line is cut")
    page.mouse.click(*on_picture(page, 200, 250, graph.size))
    expect(page.locator(".toast.refused")).to_contain_text("Not connected")
    again = Serving(graph.hub, graph, "127.0.0.1", serving.address.port, "")
    expect(page.locator("#headline")).to_have_text("I can see the table")
    show(graph, page, 33)
    context.close()
    again.stop()


def test_a_damaged_picture_leaves_the_last_one_and_the_next_comes(open_page: Open, graph: Any) -> None:
    from ar_web.hub import Picture

    page = open_page()
    graph.all_well()
    show(graph, page, 40)
    for _ in range(5):
        graph.stamp += 1
        graph.hub.pictures.set(Picture(graph.stamp, b"\xff\xd8 not a picture \xff\xd9"))
        page.wait_for_timeout(5)
    show(graph, page, 210)


def test_the_token_link_in_a_browser(browser: Browser, graph: Any) -> None:
    serving = Serving(graph.hub, graph, "0.0.0.0", 0, "a-token-of-16-chars")
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    home = f"http://127.0.0.1:{serving.address.port}/"
    page.goto(home)
    expect(page.locator("h1")).to_have_text("Who is there?")
    graph.show()
    graph.all_well()
    page.goto(f"{home}?token=a-token-of-16-chars")
    expect(page.locator("#headline")).to_have_text("I can see the table")
    assert page.url == home
    page.goto(home)
    expect(page.locator("#headline")).to_have_text("I can see the table")
    context.close()
    serving.stop()


def test_a_new_token_and_too_many_pages_are_explained(
    browser: Browser, graph: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving = Serving(graph.hub, graph, "0.0.0.0", 0, "a-token-of-16-chars")
    port = serving.address.port
    context = browser.new_context(viewport=DESK)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}/?token=a-token-of-16-chars")
    wait(page, lambda: graph.hub.watchers == 1)
    monkeypatch.setattr("ar_web.server.MAX_VISITS", 1)
    second = context.new_page()
    second.goto(f"http://127.0.0.1:{port}/")
    expect(second.locator("#hint")).to_have_text("1 pages are open already: close one of them.")
    second.close()
    serving.stop()
    serving = Serving(graph.hub, graph, "0.0.0.0", port, "another-token-of-chars")
    expect(page.locator("h1")).to_have_text("Who is there?")
    context.close()
    serving.stop()
