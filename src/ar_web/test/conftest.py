"""A graph that exists only in a test: a table with coloured discs, answered wishes, a state as a real one has it."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest

from ar_web.album import Album
from ar_web.board import Board
from ar_web.hub import Hub, Model
from ar_web.server import start
from ar_web.serving import Serving
from ar_web.stages import figures
from ar_web.state import Answer, Calibration, DetectedObject, Friend, Picture, Tracking, TrackingState, to_json

sys.path.append(str(Path(__file__).parent))  # what test files share lies here; last: tests/ has a conftest
HANG_S = 60.0  # no test takes so long
WIDTH, HEIGHT = 640, 480
DISCS = {"mug": (200, 250, 50), "apple": (430, 300, 35)}  # id → x, y, radius in pixels
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
GLB = b"glTF\x02\x00\x00\x00\x0c\x00\x00\x00"


def jpeg(shade: int = 120) -> bytes:
    """A JPEG of the table; ``shade`` tells pictures apart."""
    image = np.full((HEIGHT, WIDTH, 3), shade, np.uint8)
    for x, y, r in DISCS.values():
        cv2.circle(image, (x, y), r, (60, 140, 230), -1)
    return cv2.imencode(".jpg", image)[1].tobytes()


def png() -> bytes:
    """An RGBA cut-out of a disc."""
    image = np.zeros((100, 100, 4), np.uint8)
    cv2.circle(image, (50, 50), 46, (60, 140, 230, 255), -1)
    return cv2.imencode(".png", image)[1].tobytes()


def stage_values(rate: float = 29.7, p50: float = 6.0, **more: str) -> dict[str, str]:
    """The diagnostics of a stage that does well."""
    return {
        "state": "active",
        "rate_hz": f"{rate}",
        "latency_p50_ms": f"{p50}",
        "latency_p99_ms": f"{2 * p50}",
        "cpu_percent": "14",
        "rss_mb": "120",
        **more,
    }


def friend(id: str = "mug", **changes: Any) -> Friend:
    """A character as the graph would announce it."""
    values: dict[str, Any] = {
        "id": id,
        "name": "",
        "kind": "object",
        "height": 0.124,
        "clips": ("idle", "walk", "hop", "dance"),
        "size": len(GLB),
        "portrait": False,
        "placed": True,
    }
    return Friend(**{**values, **changes})


@dataclass
class FakeGraph:
    """Implements ``Actions`` over its own ``hub``; ``asked`` lists what was asked of it, in order."""

    hub: Hub
    board: Board = field(default_factory=Board)
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    stamp: int = 1_763_712_000_123_456_789  # more digits than a JavaScript number holds
    silent: bool = False  # the cutting-out stage does not answer
    calibrates: bool = True  # what is asked of the calibration is done
    glb: bytes = GLB
    discs: dict[str, tuple[int, int, int]] = field(default_factory=lambda: dict(DISCS))
    size: tuple[int, int] = (WIDTH, HEIGHT)

    def show(self, shade: int = 120) -> int:
        """A new picture; returns its stamp."""
        self.stamp += 33_333_333
        self.hub.show(Picture(self.stamp, jpeg(shade)))
        self.board.picture((WIDTH, HEIGHT), 61.0, self.seconds)
        return self.stamp

    @property
    def seconds(self) -> float:
        """The graph's clock follows its pictures."""
        return self.stamp * 1e-9

    def all_well(self, tracking: Tracking = Tracking.TRACKING, reason: str = "") -> None:
        """All stages run; the camera is tracked."""
        self.board.watched(True, self.seconds)
        for name, p50 in zip(
            ("camera", "detect", "segment", "slam", "character", "render"), (1, 9, 14, 4, 0, 11), strict=True
        ):
            self.board.stage(figures(name, "", stage_values(p50=p50, rate=29.7 if p50 else 0)), self.seconds)
        self.board.tracking(TrackingState(tracking, reason, "camera_height", 214, 171), self.seconds)
        self.tell()

    def detect(self) -> None:
        """Both discs are found."""
        objects = [DetectedObject(id, "object", 0.9, (x - r, y - r, 2 * r, 2 * r)) for id, (x, y, r) in DISCS.items()]
        self.hub.objects.set(to_json("objects", {"objects": [vars(o) for o in objects]}))

    def wake(self, id: str = "mug") -> None:
        """The character ``id`` is there."""
        self.hub.models[id] = Model(self.board.friend(friend(id)), GLB)
        self.hub.portraits[id] = png()
        self.board.portrait(id)
        self.tell()

    def tell(self) -> None:
        """Give the pages the newest state."""
        self.hub.state.set(to_json("state", self.board.state(self.seconds)))

    def lasting(self, tracking: Tracking, reason: str = "") -> None:
        """The camera has been in that state for a while."""
        for _ in range(90):
            self.show()
            self.board.tracking(TrackingState(tracking, reason), self.seconds)
        self.all_well(tracking, reason)

    def calibration(self, calibration: Calibration) -> None:
        """The camera is being calibrated, or has been."""
        self.board.calibration(calibration)
        self.hub.calibration.set(to_json("calibration", calibration))
        self.tell()

    def remove_all(self) -> None:
        """Everyone is a thing again."""
        self.hub.models.clear()
        self.board.farewell("")
        self.tell()

    # ---- Actions

    async def poke(self, stamp: int, x: float, y: float) -> Answer:
        self.asked.append(("poke", stamp, x, y))
        id = self._disc(x, y)
        if id in self.hub.models:
            return Answer(True, f"{id}: hop", id)
        return Answer(False, "nobody stands there")

    async def awaken_at(self, stamp: int, x: float, y: float) -> Answer:
        self.asked.append(("awaken_at", stamp, x, y))
        if self.silent:
            await asyncio.Event().wait()
        id = self._disc(x, y)
        if not id:
            return Answer(False, "Only the table is there.")
        self.wake(id)
        return Answer(True, "", id)

    async def awaken(self, stamp: int, detection: str) -> Answer:
        self.asked.append(("awaken", stamp, detection))
        self.wake("mug")
        return Answer(True, "", "mug")

    async def act(self, id: str, clip: str) -> Answer:
        self.asked.append(("act", id, clip))
        return Answer(True, "")

    async def ask(self, action: str, id: str, stamp: int, x: float, y: float) -> Answer:
        self.asked.append((action, id, stamp, x, y))
        id = id or self._disc(x, y)
        return Answer(True, f"{id}: {action}", id) if id in self.hub.models else Answer(False, "nobody stands there")

    async def remove(self, id: str) -> Answer:
        self.asked.append(("remove", id))
        self.hub.models.pop(id, None)
        self.board.farewell(id)
        self.tell()
        return Answer(True, "")

    async def bag(self, on: bool) -> Answer:
        self.asked.append(("bag", on))
        return Answer(True, "")

    async def calibrate(self, action: str, model: str, square_mm: float) -> Answer:
        self.asked.append(("calibrate", action, model, square_mm))
        return Answer(self.calibrates, "" if self.calibrates else "too few views: 3 of at least 8; go on a little")

    async def reset(self) -> Answer:
        self.asked.append(("reset",))
        return Answer(True, "")

    def _disc(self, x: float, y: float) -> str:
        return next((id for id, (u, v, r) in DISCS.items() if (x - u) ** 2 + (y - v) ** 2 <= r * r), "")


Visit = Callable[..., AbstractAsyncContextManager[aiohttp.ClientSession]]


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Coroutine tests run in an event loop of their own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters

    async def run() -> None:
        async with asyncio.timeout(HANG_S):
            await pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})

    asyncio.run(run())
    return True


@pytest.fixture(name="jpeg")
def one_picture() -> bytes:
    """A picture of 640 x 480."""
    return jpeg()


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[FakeGraph]:
    """A graph without anything going on yet, that would keep films in the test's own folder."""
    graph = FakeGraph(Hub(Album(tmp_path / "recordings")))
    yield graph
    graph.hub.album.close()


@pytest.fixture
def visit(graph: FakeGraph) -> Visit:
    """``async with visit(host=…, token=…) as session``: the served page, and a client whose URLs are relative to it."""

    @asynccontextmanager
    async def open_page(host: str = "127.0.0.1", token: str = "") -> AsyncIterator[aiohttp.ClientSession]:
        runner, address = await start(graph.hub, graph, host, 0, token)
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of addresses too
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{address.port}", cookie_jar=jar) as session:
                yield session
        finally:
            await runner.cleanup()

    return open_page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, for all tests of a file."""
    from page_tools import CHROMIUM
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any, graph: Any) -> Iterator[Callable[..., Any]]:
    """``open_page(viewport=…, touch=…)``: the page of ``graph`` in a fresh browser context; it may log no error."""
    from page_tools import DESK

    serving = Serving(graph.hub, graph, "127.0.0.1", 0, "")
    contexts, complaints = [], []

    def opened(viewport: dict[str, int] | None = None, touch: bool = False, **options: Any) -> Any:
        options.setdefault("reduced_motion", "reduce")
        context = browser.new_context(viewport=viewport or DESK, has_touch=touch, is_mobile=touch, **options)
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


@pytest.fixture
def start_node() -> Iterator[Any]:
    """``start_node("port:=0", …)``: a web node with these parameters, in a process of its own."""
    from played_graph import starter

    yield from starter()


@pytest.fixture
def played() -> Iterator[Any]:
    """A graph of played stages."""
    from played_graph import Graph

    graph = Graph()
    yield graph
    graph.close()
