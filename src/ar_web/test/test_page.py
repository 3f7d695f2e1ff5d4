"""The page in a real browser, with real clicks and taps, over a graph that exists only in the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ar_web.serving import Serving
from ar_web.stages import figures
from ar_web.state import Tracking

playwright = pytest.importorskip("playwright.sync_api", reason="browser test: playwright is not installed")
from playwright.sync_api import Browser, Page, expect  # noqa: E402

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="browser test: no Chromium (apt install chromium)"),
]

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, graph: Any) -> Iterator[Open]:
    """``open_page(viewport=…, touch=…)``: the page of ``graph`` in a fresh browser context; it may log no error."""
    serving = Serving(graph.hub, graph, "127.0.0.1", 0, "")
    contexts, complaints = [], []

    def opened(viewport: dict[str, int] = DESK, touch: bool = False, **options: Any) -> Page:
        options.setdefault("reduced_motion", "reduce")
        context = browser.new_context(viewport=viewport, has_touch=touch, is_mobile=touch, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.goto(serving.address.url)
        return page

    yield opened
    for context in contexts:
        context.close()
    serving.stop()
    assert complaints == []


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
    graph.show()
    graph.all_well()
    expect(page.locator("#headline")).to_have_text("I can see the table")
    serving.stop()
    expect(page.locator("#headline")).to_have_text("The line is cut")
    page.mouse.click(*on_picture(page, 200, 250, graph.size))
    expect(page.locator(".toast.refused")).to_contain_text("Not connected")
    again = Serving(graph.hub, graph, "127.0.0.1", serving.address.port, "")
    expect(page.locator("#headline")).to_have_text("I can see the table", timeout=10_000)
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
    expect(page.locator("h1")).to_have_text("Who is there?", timeout=10_000)
    context.close()
    serving.stop()


def wait(page: Page, condition: Callable[[], bool]) -> None:
    """Let the browser go on until it holds."""
    for _ in range(1000):
        if condition():
            return
        page.wait_for_timeout(10)
    raise AssertionError("it never came to hold")


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
    page.locator("#help-open").click()
    assert page.evaluate(CONTRAST) == []


def test_everything_that_can_be_pressed_has_a_name_and_a_size_for_fingers(open_page: Open, graph: Any) -> None:
    page = open_page(PHONE, touch=True)
    graph.wake("mug")
    show(graph, page)
    graph.all_well()
    expect(page.locator(".friend")).to_have_count(1)
    for control in page.locator("button:visible, a[href]:visible:not(.skip)").all():
        box = control.bounding_box()
        name = control.get_attribute("aria-label") or control.inner_text().strip()
        assert name
        assert box["height"] >= 44, name
        assert box["width"] >= 44, name
