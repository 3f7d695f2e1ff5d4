"""What the page's tests do with a page in a real browser; the browser and the page come from conftest's fixtures."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="browser test: playwright is not installed")
from playwright.sync_api import Page, expect

DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
Open = Callable[..., Page]
expect.set_options(timeout=30_000)  # ms after which it hangs: a busy machine is no failure
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="browser test: no Chromium (apt install chromium)"),
]


def on_picture(page: Page, x: float, y: float, size: tuple[int, int]) -> tuple[float, float]:
    """Where the picture's pixel (x, y) is on the screen, by what object-fit: contain means, not by the page's code."""
    box = page.locator("#picture").bounding_box()
    assert box is not None
    scale = min(box["width"] / size[0], box["height"] / size[1])
    left = box["x"] + (box["width"] - scale * size[0]) / 2
    top = box["y"] + (box["height"] - scale * size[1]) / 2
    return left + (x + 0.5) * scale, top + (y + 0.5) * scale


def show(graph: Any, page: Page, shade: int = 120) -> int:
    """A new picture, waited for until the page has drawn it."""
    stamp = graph.show(shade)
    page.wait_for_function(
        "shade => { const context = document.querySelector('#picture').getContext('2d');"
        " return Math.abs(context.getImageData(2, 2, 1, 1).data[0] - shade) < 3 }",
        arg=shade,
    )
    return int(stamp)


def asked(graph: Any, page: Page, kind: str) -> list[tuple[Any, ...]]:
    """What was asked of the graph, once that kind of wish is among it."""
    for _ in range(1000):
        wishes = [wish for wish in graph.asked if wish[0] == kind]
        if wishes:
            return wishes
        page.wait_for_timeout(10)
    raise AssertionError(f"{kind} was never asked, only {graph.asked}")


def wait(page: Page, condition: Callable[[], bool]) -> None:
    """Let the browser go on until it holds."""
    for _ in range(1000):
        if condition():
            return
        page.wait_for_timeout(10)
    raise AssertionError("it never came to hold")
