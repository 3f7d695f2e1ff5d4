"""The node ``window``: the finished pictures on this machine's own display; a click is a tap, as on the page.

Its exit code is 0 when somebody closed it (or pressed Escape), which ends the command that started it, and 1 where no window
can be opened: then that is said in one line, and everything else goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.utilities import ok, try_shutdown
from sensor_msgs.msg import Image

from ar_core import qos
from ar_core.conversions import image_from, nanoseconds
from ar_core.running import check_middleware
from ar_render.window import Array, NoWindowError, Window
from ar_web.hub import tap
from ar_web.wishes import Wishes

NAME = "window"
SIZE = (960, 720)
IDLE_S = 0.2


class Pane(Protocol):
    """What is needed of a window."""

    def show(self, picture: Array) -> None: ...
    def clicks(self, wait_s: float) -> list[tuple[float, float]]: ...


class Onlooker(Node):
    """Keeps the newest picture, and what was tapped in it."""

    def __init__(self, arrived: Callable[[], None]) -> None:
        super().__init__(NAME)
        self._arrived = arrived
        self._newest: tuple[int, Array] | None = None
        self._shown = 0  # stamp of what is seen: a click belongs to that picture
        self._wishes = Wishes(self)
        self._refused = False
        self.create_subscription(Image, "render/image", self.on_picture, qos.sensor(1))

    def on_picture(self, message: Image) -> None:
        """The newest picture; one that cannot be read is said once."""
        try:
            self._newest = nanoseconds(message.header.stamp), image_from(message)
        except ValueError as error:
            if not self._refused:
                self.get_logger().warning(f"render/image: {error}")
            self._refused = True
        self._arrived()

    def turn(self, pane: Pane) -> None:
        """Show what has come, pass on what was clicked; waits for either."""
        clicked = pane.clicks(IDLE_S)
        for pixel in clicked:
            threading.Thread(target=self.tap, args=(self._shown, *pixel), daemon=True).start()
        newest, self._newest = self._newest, None
        if newest is not None:
            self._shown = newest[0]
            pane.show(newest[1])

    def tap(self, stamp: int, x: float, y: float) -> None:
        """Whoever is at the pixel of that picture jumps, or awakens; a refusal is said."""
        answer = asyncio.run(tap(self._wishes, stamp, x, y))
        if not answer.ok:
            self.get_logger().warning(answer.message)


def main() -> None:
    """Entry point."""
    check_middleware()
    try:
        window = Window("Tsukumo", *SIZE)
    except NoWindowError as error:
        sys.exit(f"WARN: no window: {error}; going on without it")
    rclpy.init()
    node = Onlooker(window.wake)
    spinning = threading.Thread(target=_spin, args=(node,), daemon=True)
    spinning.start()
    try:
        while ok() and not window.closed:
            node.turn(window)
    except KeyboardInterrupt:
        pass
    finally:
        window.close()
        try_shutdown()
        spinning.join(2)


def _spin(node: Any) -> None:
    with contextlib.suppress(ExternalShutdownException):
        rclpy.spin(node)
