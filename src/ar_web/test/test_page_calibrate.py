"""The guided calibration on the page, and the board on a screen, in a real browser over a graph that exists only in the test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from page_tools import DESK, PHONE, Open, asked, needs_browser, on_picture, show
from playwright.sync_api import expect

from ar_web.state import Calibrating, Calibration

pytestmark = needs_browser

LOOKING = Calibration(
    Calibrating.LOOKING,
    "Bring it to the upper left",
    "View 7 is kept.",
    ("closer to the camera", "3 more parts of the picture", "13 more views"),
    0.4,
    7,
    False,
    (640, 480),
    (200.0, 150.0, 420.0, 160.0, 410.0, 320.0, 190.0, 300.0),
    (0.0, 0.0, 128.0, 120.0),
    5,
    (False,) * 6 + (True,) * 8 + (False,) * 6,
)
DONE = replace(
    LOOKING,
    state=Calibrating.DONE,
    headline="The camera is calibrated",
    hint="The error is 0.21 px: very good (focal length 541 px, 20 views).",
    missing=(),
    progress=1.0,
    board=(),
    target=(),
    path="/home/somebody/.ros/camera_info/integrated_camera.yaml",
)


@pytest.mark.parametrize(("viewport", "touch"), [(DESK, False), (PHONE, True)], ids=["desk", "phone"])
def test_from_the_notice_to_the_file(open_page: Open, graph: Any, viewport: dict[str, int], touch: bool) -> None:
    page = open_page(viewport, touch=touch)
    show(graph, page)
    graph.all_well()
    expect(page.locator("#calibrate-notice")).to_be_hidden()
    graph.board.notices("camera", ["The camera is not calibrated: its focal length is guessed, so sizes are rough."])
    graph.board.calibrated(False)
    graph.tell()
    page.locator("#calibrate-notice").click()
    dialog = page.locator("#calibrate")
    expect(dialog).to_contain_text("host:=0.0.0.0")  # a phone cannot open a page that is served to this machine only
    assert page.locator("#calibrate a").get_attribute("href") == "/board.html"
    dialog.get_by_label("very wide (fisheye)").check()
    page.locator("#square").fill("12.5")
    page.locator("#calibrate-begin").click()
    assert asked(graph, page, "calibrate") == [("calibrate", "begin", "equidistant", 12.5)]
    expect(dialog).to_be_hidden()
    graph.calibration(LOOKING)
    expect(page.locator("#headline")).to_have_text("Bring it to the upper left")
    expect(page.locator("#hint")).to_have_text("View 7 is kept.")
    expect(page.locator("#missing li")).to_have_text(list(LOOKING.missing))
    expect(page.locator("#calibration-views")).to_have_text("7 views kept, 40 % of what is needed")
    expect(page.locator("#calibration-bar")).to_have_attribute("aria-valuenow", "40")
    expect(page.locator("#calibrate-finish")).to_be_hidden()
    expect(page.locator("#friends-title")).to_be_hidden()
    expect(page.locator("#guides .covered")).to_have_count(8)
    target = page.locator("#guides .target").evaluate(
        "r => { const b = r.getBBox(); return [b.x, b.y, b.width, b.height] }"
    )
    assert target == pytest.approx([0, 0, 128, 120])
    outline = page.locator("#guides .board").evaluate(
        "p => { const b = p.getBBox(); return [b.x, b.y, b.width, b.height] }"
    )
    assert outline == pytest.approx([190.5, 150.5, 230, 170], abs=0.01)
    graph.asked.clear()
    page.mouse.click(*on_picture(page, 200, 250, graph.size))  # nobody is to be awakened now
    graph.calibration(replace(LOOKING, views=9, enough=True))
    page.locator("#calibrate-finish").click()
    assert asked(graph, page, "calibrate") == [("calibrate", "finish", "", 0.0)]
    assert [wish[0] for wish in graph.asked] == ["calibrate"]
    graph.calibration(DONE)
    expect(page.locator("#hint")).to_have_text(DONE.hint)
    expect(page.locator("#calibration-path")).to_have_text(f"Written to {DONE.path}. The camera uses it from now on.")
    expect(page.locator("#guides > *")).to_have_count(0)
    expect(page.locator("#calibrate-again")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    page.locator("#calibrate-close").click()
    assert asked(graph, page, "calibrate")[-1] == ("calibrate", "cancel", "", 0.0)
    graph.calibration(Calibration())
    graph.board.calibrated(True)
    graph.tell()
    expect(page.locator("#calibration")).to_be_hidden()
    expect(page.locator("#calibrate-notice")).to_be_hidden()
    expect(page.locator("#headline")).to_have_text("I can see the table")


def test_what_is_refused_and_what_fails_is_said(open_page: Open, graph: Any) -> None:
    page = open_page()
    show(graph, page)
    graph.all_well()
    page.locator("#pulse summary").click()
    page.locator("#calibrate-open").click()
    graph.calibrates = False
    page.locator("#calibrate-begin").click()
    expect(page.locator(".toast.refused")).to_have_text("too few views: 3 of at least 8; go on a little")
    expect(page.locator("#calibrate")).to_be_visible()
    page.keyboard.press("Escape")
    graph.calibration(
        replace(LOOKING, state=Calibrating.FAILED, headline="That did not work", hint="no camera explains it")
    )
    expect(page.locator("#headline")).to_have_text("That did not work")
    expect(page.locator("#hint")).to_have_text("no camera explains it")
    expect(page.locator("body")).to_have_attribute("data-mood", "lost")
    expect(page.locator("#calibrate-again")).to_be_visible()


@pytest.mark.parametrize(("width", "height"), [(844, 390), (390, 844)])
def test_the_board_fills_a_screen_in_whole_pixels_and_is_measured_with_a_card(
    open_page: Open, graph: Any, width: int, height: int
) -> None:
    page = open_page({"width": width, "height": height}, touch=True, device_scale_factor=3)
    page.goto(page.url + "board.html")
    page.wait_for_function("document.querySelector('#board').style.width !== ''")
    box = page.locator("#board").bounding_box()
    long, short = max(box["width"], box["height"]), min(box["width"], box["height"])
    cell = 3 * long / 64  # device pixels
    assert cell == pytest.approx(round(cell), abs=1e-3)
    assert 390 - 48 / 3 < short <= 390
    assert (box["width"] > box["height"]) == (width > height)  # turned, where the screen is upright
    page.locator("#whole").click()
    expect(page.locator(".tools")).to_be_hidden()
    picture = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    shades = np.bincount(picture.ravel(), minlength=256)
    assert shades[0] + shades[255] == picture.size  # no pixel is between black and white: the edges are where they are
    assert shades[0] > 0.2 * picture.size
    page.mouse.click(width / 2, height / 2)
    page.locator("#measure-open").click()
    page.locator("#scale").fill("6.3")
    mm = 85.6 if width > height else 53.98
    assert page.locator("#card").bounding_box()["width"] == pytest.approx(mm * 6.3, abs=0.1)
    page.locator("#measured").click()
    square = f"{8 * cell / 3 / 6.3:.1f} mm"
    expect(page.locator("#board-size")).to_contain_text(f"A square is {square} wide")
    page.reload()
    expect(page.locator("#board-size")).to_contain_text(f"A square is {square} wide")  # remembered
    page.locator("#whole").click()
    expect(page.locator("#caption")).to_have_text(square)
