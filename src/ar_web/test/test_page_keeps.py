"""Recording, snapshots and the bag on the page, in a real browser; the film is decoded and compared with what was sent."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from page_tools import PHONE, Open, asked, needs_browser, show, wait
from playwright.sync_api import expect

from ar_web.film import Limits
from ar_web.state import Bag

pytestmark = needs_browser


def psnr(one: Any, other: Any) -> float:
    """Decibels."""
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


def test_record_stop_download_delete(open_page: Open, graph: Any) -> None:
    page, other = open_page(), open_page(PHONE, touch=True)
    graph.all_well()
    show(graph, page)
    button = page.locator("#film")
    expect(button).to_have_text("Record")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(other.locator("#film")).to_have_attribute("aria-label", "Stop recording")  # everybody sees it
    sent = []
    for i in range(75):
        graph.show(60 + 2 * i)
        sent.append(cv2.imdecode(np.frombuffer(graph.hub.pictures.value.jpeg, np.uint8), cv2.IMREAD_COLOR))
        if i % 30 == 29:  # no faster than the film can be written
            wait(page, lambda i=i: graph.hub.album._film.pictures == i + 1)
    wait(page, lambda: graph.hub.album._film.pictures == 75)
    expect(button).to_have_text("0:02")
    expect(other.locator("#film")).to_have_text("0:02")
    other.locator("#film").tap()  # and anybody may end it
    expect(page.locator(".keepsake h3")).to_have_text("Film · 0:02")
    expect(other.locator(".keepsake h3")).to_have_text("Film · 0:02")
    expect(button).to_have_text("Record")
    folder = str(graph.hub.album.folder)
    expect(page.locator("#where")).to_have_text(f"Recordings are in {folder}")
    expect(page.locator(".keepsake img")).to_be_visible()
    with page.expect_download() as download:
        page.locator(".keepsake .download").click()
    assert download.value.suggested_filename.endswith(".mp4")
    capture = cv2.VideoCapture(str(download.value.path()))
    assert capture.get(cv2.CAP_PROP_FPS) == 30
    film = []
    while (read := capture.read())[0]:
        film.append(read[1])
    assert len(film) == len(sent)
    assert min(psnr(a, b) for a, b in zip(film, sent, strict=True)) > 30
    page.locator(".discard").click()
    expect(page.locator(".discard")).to_have_text("Sure?")
    assert len(list(graph.hub.album.folder.iterdir())) == 1
    page.locator(".discard").click()
    expect(page.locator(".keepsake")).to_have_count(0)
    expect(other.locator("#album")).to_be_hidden()
    assert list(graph.hub.album.folder.iterdir()) == []


def test_snapshots_by_click_and_key_stay_in_memory(open_page: Open, graph: Any) -> None:
    page = open_page()
    graph.all_well()
    show(graph, page, 90)
    page.locator("#snapshot").click()
    expect(page.locator(".keepsake h3")).to_have_text("Snapshot")
    expect(page.locator("#toasts")).to_contain_text("Kept.")
    first = graph.hub.pictures.value.jpeg
    show(graph, page, 150)
    page.keyboard.press("s")
    expect(page.locator(".keepsake")).to_have_count(2)
    with page.expect_download() as download:
        page.locator(".keepsake .download").nth(1).click()  # the newest is on top
    with open(download.value.path(), "rb") as file:
        assert file.read() == first
    expect(page.locator("#where")).to_contain_text("in memory")
    assert not graph.hub.album.folder.exists()
    page.reload()
    expect(page.locator(".keepsake")).to_have_count(2)
    page.locator("#help-open").click()
    expect(page.locator("#folder")).to_have_text(str(graph.hub.album.folder))


def test_a_limit_is_said_on_every_page(open_page: Open, graph: Any) -> None:
    graph.hub.album.limits = Limits(seconds=0.5, spare=0)
    page, other = open_page(), open_page()
    graph.all_well()
    show(graph, page)
    page.keyboard.press("r")
    expect(page.locator("#film")).to_have_attribute("aria-pressed", "true")
    for _ in range(30):
        graph.show()
    for each in (page, other):
        expect(each.locator("#film-word")).to_contain_text(
            "it may be 0.5 seconds long. What was recorded until then is"
        )
        expect(each.locator(".keepsake")).to_have_count(1)


def test_why_there_is_no_recording_is_said(open_page: Open, graph: Any) -> None:
    graph.hub.album.folder.write_text("in the way")
    page = open_page()
    graph.all_well()
    show(graph, page)
    page.locator("#film").click()
    expect(page.locator("#film-word")).to_contain_text("Recording is not possible: the folder")
    expect(page.locator(".toast.refused")).to_contain_text("cannot be written")
    expect(page.locator("#film")).to_have_attribute("aria-pressed", "false")


def test_the_bag_switch_is_there_where_topics_are_recorded(open_page: Open, graph: Any) -> None:
    page = open_page()
    graph.all_well()
    show(graph, page)
    bag = page.locator("#bag")
    expect(bag).to_be_hidden()
    graph.board.bag(Bag(False))
    graph.tell()
    bag.click()
    assert asked(graph, page, "bag") == [("bag", True)]
    graph.board.bag(Bag(True, "/data/bag-1", 1200, 34_000_000, 71.0))
    graph.tell()
    expect(bag).to_have_text("Bag 1:11")
    expect(page.locator("#bag-word")).to_have_text("Recording 1200 messages, 34.0 MB, in /data/bag-1")
    bag.click()
    wait(page, lambda: graph.asked == [("bag", True), ("bag", False)])
    graph.board.bag(Bag(False, "/data/bag-1", 1300, 36_000_000, 75.0, "the disk is full"))
    graph.tell()
    expect(page.locator("#bag-word")).to_have_text("Recorded 1300 messages, 36.0 MB, in /data/bag-1. the disk is full")


@pytest.mark.parametrize("width", [360, 390])
def test_nothing_sticks_out_of_a_phone(open_page: Open, graph: Any, width: int) -> None:
    page = open_page({"width": width, "height": 720}, touch=True)
    graph.all_well()
    show(graph, page)
    graph.board.bag(Bag(True, "/home/somebody/.local/share/tsukumo/recordings/bag-20260101", 1, 1, 700.0))
    graph.tell()
    page.locator("#film").tap()
    page.locator("#snapshot").tap()
    expect(page.locator(".keepsake")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for control in page.locator(".keeper:visible, .keepsake .round").all():
        box = control.bounding_box()
        assert box["height"] >= 44
        assert box["width"] >= 44
        assert control.evaluate("b => b.scrollWidth <= b.clientWidth")
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width
