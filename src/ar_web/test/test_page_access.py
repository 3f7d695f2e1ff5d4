"""The page for every eye and finger: contrast, names and sizes, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from page_tools import DESK, PHONE, Open, needs_browser, on_picture, show
from playwright.sync_api import expect

from ar_web.state import Bag, Tracking

pytestmark = needs_browser


# Texts whose contrast with what is behind them is under WCAG's AA; gradients count as --ground-deep, the worse end.
CONTRAST = """() => {
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (text) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = text; pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const over = (top, under) => under.map((v, i) => (top[i] * top[3] + v * (255 - top[3])) / 255);
  const ground = rgba(getComputedStyle(document.documentElement).getPropertyValue('--ground-deep')).slice(0, 3);
  const behind = (element) =>
    element ? over(rgba(getComputedStyle(element).backgroundColor), behind(element.parentElement)) : ground;
  const poor = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
    const style = getComputedStyle(element), back = behind(element), size = parseFloat(style.fontSize);
    const [a, b] = [light(over(rgba(style.color), back)), light(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) poor.push(`${element.className || element.tagName}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE])
def test_text_has_contrast_of_at_least_aa(open_page: Open, graph: Any, scheme: str, viewport: dict[str, int]) -> None:
    page = open_page(viewport, color_scheme=scheme)
    assert page.evaluate(CONTRAST) == []
    show(graph, page)
    graph.board.notices("camera", ["The camera is not calibrated."])
    graph.all_well(Tracking.LOST, "too dark")
    expect(page.locator("#headline")).to_have_text("I am lost")
    page.mouse.click(*on_picture(page, 600, 400, graph.size))
    expect(page.locator(".toast.refused")).to_be_visible()
    assert page.evaluate(CONTRAST) == []
    graph.wake("mug")
    expect(page.locator(".toast.awake")).to_be_visible()
    page.locator("#pulse summary").click()
    graph.tell()
    assert page.evaluate(CONTRAST) == []
    graph.board.bag(Bag(True, "/data/bag", 12, 34_000_000, 56.0, "slow"))
    graph.tell()
    page.locator("#snapshot").click()
    page.locator("#film").click()
    page.locator(".discard").click()
    expect(page.locator("#film")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(CONTRAST) == []
    page.locator("#help-open").click()
    assert page.evaluate(CONTRAST) == []


def test_everything_that_can_be_pressed_has_a_name_and_a_size_for_fingers(open_page: Open, graph: Any) -> None:
    page = open_page(PHONE, touch=True)
    graph.wake("mug")
    graph.board.bag(Bag(False))
    show(graph, page)
    graph.all_well()
    expect(page.locator(".friend")).to_have_count(1)
    page.locator("#snapshot").tap()
    expect(page.locator(".keepsake")).to_have_count(1)
    for control in page.locator("button:visible, a[href]:visible:not(.skip)").all():
        box = control.bounding_box()
        name = control.get_attribute("aria-label") or control.inner_text().strip()
        assert name
        assert box["height"] >= 44, name
        assert box["width"] >= 44, name
