"""The page's node in a process of its own, and the stages it listens to, played by one node of the test."""

from __future__ import annotations

import asyncio
import os
import re
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

pytest.importorskip("rclpy", reason="graph test: no ROS here")
pytest.importorskip("ar_interfaces", reason="graph test: ar_interfaces is not built")

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from ar_core import qos
from ar_core.conversions import image_message
from ar_interfaces.msg import Character, Event, SegmentedObject, TrackingStatus

DOMAIN = str(1 + os.getpid() % 100)  # others may test on this machine too
DEADLINE_S = 60.0
START = 1_763_712_000_000_000_000


@dataclass
class Process:
    """A web node, its address, and what it printed so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """As it was printed."""
        return until(lambda: next((m[1] for line in self.lines if (m := re.search(r"open (http://\S+)", line))), ""))

    def warnings(self, word: str) -> list[str]:
        """The warnings that contain it."""
        return [line for line in self.lines if "WARN" in line and word in line]


def until(condition: Callable[[], Any]) -> Any:
    """What the condition gives once it holds."""
    end = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)
    return value


async def meanwhile(condition: Callable[[], Any]) -> Any:
    """The same beside coroutines."""
    return await asyncio.to_thread(until, condition)


class Graph:
    """The stages the page listens to, played by one node."""

    def __init__(self) -> None:
        self.context = rclpy.Context()
        self.context.init(domain_id=int(DOMAIN))
        self.node = rclpy.create_node("played", context=self.context)
        publisher = self.node.create_publisher
        self.picture = publisher(CompressedImage, "render/image/compressed", qos.reliable(2))
        self.status = publisher(TrackingStatus, "slam/status", qos.reliable(5))
        self.detections = publisher(Detection2DArray, "detections", qos.reliable(5))
        self.model = publisher(Character, "character/model", qos.latched(16))
        self.object = publisher(SegmentedObject, "segment/object", qos.latched(16))
        self.events = publisher(Event, "events", qos.reliable(50))
        self.diagnostics = publisher(DiagnosticArray, "/diagnostics", qos.reliable(5))
        self.asked: list[Any] = []
        self.figures: dict[str, str] = {}  # the page's own diagnostics
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self.read, qos.reliable(20))
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self.executor.spin)
        self.thread.start()

    def serve(self, kind: type, name: str, **answer: Any) -> None:
        """A service that notes what it is asked and gives that answer."""

        def handle(request: Any, response: Any) -> Any:
            self.asked.append(request)
            for key, value in answer.items():
                setattr(response, key, value)
            return response

        self.node.create_service(kind, name, handle)

    def read(self, message: DiagnosticArray) -> None:
        """Keep what the page says about itself."""
        for status in message.status:
            if status.name == "tsukumo: web":
                self.figures = {v.key: v.value for v in status.values}

    def rejected(self, words: str) -> int:
        """How many messages the page has refused with these words."""
        return sum(int(n) for key, n in self.figures.items() if key.startswith("rejected: ") and words in key)

    def awaken(self, id: str) -> bytes:
        """What follows an awakening: cut-out and character. Returns the .glb."""
        glb = b"glTF" + struct.pack("<II", 2, 16) + b"abcd"
        cutout = np.full((40, 30, 4), (200, 80, 40, 255), np.uint8)
        self.object.publish(SegmentedObject(id=id, cutout=image_message(cutout, Header(), "rgba8")))
        self.model.publish(Character(id=id, kind="object", glb=glb, height=0.12, clips=["idle", "hop"]))
        return glb

    def close(self) -> None:
        """The stages are gone."""
        self.executor.shutdown()
        self.thread.join()
        self.node.destroy_node()
        self.context.shutdown()


async def hear(
    socket: aiohttp.ClientWebSocketResponse,
    wanted: Callable[[dict[str, Any]], bool],
    pictures: list[bytes] | None = None,
) -> dict[str, Any]:
    """The first JSON message that is wanted; pictures on the way are acknowledged."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            message = await socket.receive()
            if message.type is aiohttp.WSMsgType.BINARY:
                if pictures is not None:
                    pictures.append(message.data)
                await socket.send_json({"type": "seen"})
                continue
            assert message.type is aiohttp.WSMsgType.TEXT, message
            body: dict[str, Any] = message.json()
            if wanted(body):
                return body


def answer(number: int) -> Callable[[dict[str, Any]], bool]:
    """The answer to that wish."""
    return lambda body: body["type"] == "answer" and body["number"] == number


def state(condition: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], bool]:
    """A state for which that holds."""
    return lambda body: body["type"] == "state" and bool(condition(body))


async def repeating(action: Callable[[], Awaitable[None]], wanted: Awaitable[Any], pause: float = 0.05) -> Any:
    """Do it again and again until what is wanted has come: the other process may not have been listening yet."""
    task = asyncio.ensure_future(wanted)
    while not task.done():
        await action()
        await asyncio.wait([task], timeout=pause)
    return task.result()


def starter() -> Iterator[Callable[..., Process]]:
    """``start("port:=0", …)``: a web node with these parameters; all are gone afterwards."""
    started: list[Process] = []

    def start(*parameters: str) -> Process:
        arguments = [a for p in parameters for a in ("-p", p)]
        process = subprocess.Popen(
            [sys.executable, "-c", "from ar_web.node import main; main()", "--ros-args", *arguments],
            env={**os.environ, "ROS_DOMAIN_ID": DOMAIN, "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        one = Process(process)
        threading.Thread(target=lambda: one.lines.extend(process.stdout or ()), daemon=True).start()
        started.append(one)
        return one

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
