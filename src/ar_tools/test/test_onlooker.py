"""The window's node without a window: what it shows, what a click asks. It speaks ROS (rclpy)."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import rclpy
from std_msgs.msg import Header

from ar_core.conversions import image_message, stamp_from
from ar_tools import graph
from ar_tools.onlooker import Onlooker
from ar_web.state import Answer


class Pane:
    """Stands for a window: remembers what was shown, hands out clicks."""

    def __init__(self) -> None:
        self.closed = False
        self.shown: list[np.ndarray] = []
        self.pending: list[tuple[float, float]] = []

    def show(self, picture: np.ndarray) -> None:
        self.shown.append(picture)

    def clicks(self, wait_s: float) -> list[tuple[float, float]]:
        clicked, self.pending = self.pending, []
        return clicked


class Asked:
    """Stands for the graph's services: who was poked, what was to awaken; a character stands left of column 100."""

    def __init__(self) -> None:
        self.wishes: list[tuple[str, int, float, float]] = []
        self.done = threading.Event()

    async def poke(self, stamp: int, x: float, y: float) -> Answer:
        self.wishes.append(("poke", stamp, x, y))
        if x < 100:
            self.done.set()
        return Answer(x < 100, "there is nobody")

    async def awaken_at(self, stamp: int, x: float, y: float) -> Answer:
        self.wishes.append(("awaken", stamp, x, y))
        self.done.set()
        return Answer(False, "nothing stands out here")


@pytest.fixture
def onlooker() -> Iterator[Onlooker]:
    rclpy.init()
    node = Onlooker(lambda: None)
    yield node
    node.destroy_node()
    rclpy.shutdown()


def picture(shade: int) -> np.ndarray:
    return np.full((48, 64, 3), shade, np.uint8)


def test_the_newest_picture_is_shown_and_a_click_belongs_to_what_was_seen(onlooker: Onlooker) -> None:
    pane, asked = Pane(), Asked()
    onlooker._wishes = asked  # type: ignore[assignment]
    for stamp, shade in ((1, 10), (2, 20)):
        onlooker.on_picture(image_message(picture(shade), Header(stamp=stamp_from(stamp * 10**9))))
    onlooker.turn(pane)
    assert [int(p[0, 0, 0]) for p in pane.shown] == [20], "who comes late sees the newest only"
    onlooker.turn(pane)
    assert len(pane.shown) == 1, "nothing new, nothing drawn"
    onlooker.on_picture(image_message(picture(30), Header(stamp=stamp_from(3 * 10**9))))
    pane.pending = [(120.0, 8.0)]  # clicked before that one was seen
    onlooker.turn(pane)
    assert asked.done.wait(60)
    assert asked.wishes == [("poke", 2 * 10**9, 120.0, 8.0), ("awaken", 2 * 10**9, 120.0, 8.0)]
    asked.wishes.clear()
    asked.done.clear()
    pane.pending = [(50.0, 9.0)]
    onlooker.turn(pane)
    assert asked.done.wait(60)
    assert asked.wishes == [("poke", 3 * 10**9, 50.0, 9.0)]


def test_a_picture_that_cannot_be_read_changes_nothing(onlooker: Onlooker) -> None:
    pane = Pane()
    broken = image_message(picture(1), Header())
    broken.width = 10**6
    onlooker.on_picture(broken)
    onlooker.turn(pane)
    assert not pane.shown


def test_a_window_is_asked_for_only_where_there_is_a_display(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    assert graph.window_argument(True) == {"window": "true"}
    assert graph.window_argument(False) == {}
    assert capsys.readouterr().err == ""
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert graph.window_argument(True) == {}
    said = capsys.readouterr().err
    assert said.startswith("tsukumo: no window: neither DISPLAY nor WAYLAND_DISPLAY is set")
    assert said.count("\n") == 1
    file = graph.project_root() / "launch" / "tsukumo.launch.yaml"
    assert "window" not in [p.name for p in graph.processes(file, {})]
    (window,) = (p for p in graph.processes(file, {"window": "true"}) if p.name == "window")
    assert not window.respawn, "who closes it means it"
