"""The page's node among real topics and services, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
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
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header
from std_srvs.srv import Trigger
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

from ar_core import qos
from ar_core.conversions import image_message, nanoseconds, stamp_from
from ar_interfaces.msg import Character, Event, SegmentedObject, TrackingStatus
from ar_interfaces.srv import Act, Awaken, Remove

pytestmark = pytest.mark.graph
DOMAIN = str(1 + os.getpid() % 100)  # others may test on this machine too
DEADLINE_S = 30.0
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


@pytest.fixture
def start_node() -> Iterator[Callable[..., Process]]:
    """``start_node("port:=0", …)``: a web node with these parameters."""
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


@pytest.fixture
def played() -> Iterator[Graph]:
    """A graph of played stages."""
    graph = Graph()
    yield graph
    graph.close()


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


async def test_from_topic_to_page_and_from_tap_to_service(
    start_node: Callable[..., Process], played: Graph, jpeg: bytes
) -> None:
    web = start_node("port:=0")
    played.serve(Act, "render/act", success=False, message="no character there")
    played.serve(Awaken, "segment/awaken", success=True, id="object-1")
    played.serve(Remove, "render/remove", success=True)
    assert played.picture.get_subscription_count() == 0  # nobody looks: the renderer need not encode
    async with (
        aiohttp.ClientSession(await meanwhile(lambda: web.url)) as session,
        session.ws_connect("/live") as socket,
    ):
        await meanwhile(lambda: played.picture.get_subscription_count() and played.status.get_subscription_count())
        stamp = START
        pictures: list[bytes] = []

        async def show() -> None:
            nonlocal stamp
            stamp += 33_333_333
            header = Header(stamp=stamp_from(stamp))
            played.picture.publish(CompressedImage(header=header, format="bgr8; jpeg compressed bgr8", data=jpeg))
            played.status.publish(TrackingStatus(header=header, state=TrackingStatus.TRACKING, points=200, inliers=150))

        tracked = await repeating(show, hear(socket, state(lambda s: s["tracking"]["points"] == 200), pictures))
        assert tracked["picture_size"] == [640, 480]
        assert tracked["delay_ms"] is None  # stamps of long ago
        seen = [struct.unpack(">q", p[:8])[0] for p in pictures]
        assert seen
        assert all((s - START) % 33_333_333 == 0 and START < s <= stamp for s in seen)
        assert all(p[8:] == jpeg for p in pictures)

        await socket.send_json({"type": "tap", "number": 1, "stamp": str(stamp), "x": 12.5, "y": 34.5})
        assert (await hear(socket, answer(1)))["ok"]
        poke, awaken = played.asked
        assert (poke.action, poke.x, poke.y, nanoseconds(poke.stamp)) == ("poke", 12.5, 34.5, stamp)
        assert (awaken.prompt, awaken.x, awaken.y, nanoseconds(awaken.stamp)) == (
            Awaken.Request.PIXEL,
            12.5,
            34.5,
            stamp,
        )

        glb = played.awaken("object-1")
        told = await hear(socket, state(lambda s: s["friends"] and s["friends"][0]["portrait"]))
        (friend,) = told["friends"]
        assert (friend["id"], friend["clips"], friend["size"]) == ("object-1", ["idle", "hop"], len(glb))
        async with session.get("/character/object-1.glb") as file:
            assert await file.read() == glb
        async with session.get("/portrait/object-1.png") as file:
            assert file.content_type == "image/png"

        played.asked.clear()
        await socket.send_json({"type": "act", "number": 2, "id": "object-1", "clip": "hop"})
        await hear(socket, answer(2))
        (act,) = played.asked
        assert (act.id, act.action, act.name) == ("object-1", "clip", "hop")
        assert np.isnan([act.x, act.y]).all()

        box = Detection2D(id="7", results=[ObjectHypothesisWithPose()])
        box.bbox.center.position.x, box.bbox.center.position.y, box.bbox.size_x, box.bbox.size_y = (
            100.0,
            80.0,
            40.0,
            20.0,
        )
        played.detections.publish(Detection2DArray(detections=[box]))
        objects = (await hear(socket, lambda body: body["type"] == "objects"))["objects"]
        assert [(o["id"], o["box"]) for o in objects] == [("7", [80.0, 70.0, 40.0, 20.0])]

        values = {"state": "active", "rate_hz": "29.9", "calibration": "guessed from a field of view of 68 degrees"}
        status = DiagnosticStatus(name="tsukumo: camera", message="active")
        status.values = [KeyValue(key=k, value=v) for k, v in values.items()]
        played.diagnostics.publish(DiagnosticArray(status=[status]))
        told = await hear(socket, state(lambda s: s["notices"]))
        assert "not calibrated" in told["notices"][0]
        assert (told["stages"][0]["alive"], told["stages"][0]["rate"]) == (True, 29.9)

        played.events.publish(Event(kind="remove", id="object-1", success=True, message="removed"))
        await hear(socket, state(lambda s: not s["friends"]))
        async with session.get("/character/object-1.glb") as file:
            assert file.status == 404
    await meanwhile(lambda: played.picture.get_subscription_count() == 0)
    web.process.send_signal(signal.SIGINT)
    assert await meanwhile(lambda: web.process.poll() is not None)
    assert web.process.returncode == 0


async def test_bad_messages_are_warned_of_once_each_and_nobody_dies(
    start_node: Callable[..., Process], played: Graph, jpeg: bytes
) -> None:
    web = start_node("port:=0")
    async with (
        aiohttp.ClientSession(await meanwhile(lambda: web.url)) as session,
        session.ws_connect("/live") as socket,
    ):
        await meanwhile(lambda: played.detections.get_subscription_count() and played.status.get_subscription_count())
        box = Detection2D(id="7")
        box.bbox.size_x = float("nan")
        bad: list[tuple[Any, Any, str]] = [
            (played.picture, CompressedImage(data=jpeg[:-100]), "truncated"),
            (played.picture, CompressedImage(), "not begin like a JPEG"),
            (played.status, TrackingStatus(state=77), "unknown state"),
            (played.detections, Detection2DArray(detections=[box]), "not finite"),
            (played.model, Character(id="x", glb=b"glTF and then nothing"), "no complete .glb"),
            (played.object, SegmentedObject(id="x"), "empty pictures"),
        ]
        for publisher, message, words in bad:

            async def again(publisher: Any = publisher, message: Any = message) -> None:
                publisher.publish(message)

            await repeating(again, meanwhile(lambda words=words: web.warnings(words)))

        async def good() -> None:
            played.picture.publish(CompressedImage(header=Header(stamp=stamp_from(START)), data=jpeg))

        told = await repeating(good, hear(socket, state(lambda s: s["picture_size"])))
        assert told["friends"] == []
        for publisher, message, words in bad:

            async def more(publisher: Any = publisher, message: Any = message) -> None:
                publisher.publish(message)

            await repeating(more, meanwhile(lambda words=words: played.rejected(words) >= 3))
            assert len(web.warnings(words)) == 1, words
    assert web.process.poll() is None


async def test_without_stages_a_tap_is_answered_in_words(start_node: Callable[..., Process]) -> None:
    web = start_node("port:=0")
    async with (
        aiohttp.ClientSession(await meanwhile(lambda: web.url)) as session,
        session.ws_connect("/live") as socket,
    ):
        told = await hear(socket, state(lambda s: s["speech"]["mood"] == "asleep"))
        assert told["speech"]["headline"] == "Waiting for the camera"
        for number, wish in enumerate(
            [{"type": "tap", "stamp": "0", "x": 1, "y": 1}, {"type": "reset"}, {"type": "remove", "id": "x"}]
        ):
            await socket.send_json({**wish, "number": number})
            refused = await hear(socket, answer(number))
            assert not refused["ok"]
            assert "not running" in refused["message"]


async def test_a_stage_that_does_not_answer_is_named(start_node: Callable[..., Process], played: Graph) -> None:
    web = start_node("port:=0")
    hung = threading.Event()

    def hang(request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        hung.wait(60)
        return response

    played.node.create_service(Trigger, "slam/reset", hang)
    async with (
        aiohttp.ClientSession(await meanwhile(lambda: web.url)) as session,
        session.ws_connect("/live") as socket,
    ):

        async def ask() -> None:
            await socket.send_json({"type": "reset", "number": 1})

        # Until the service is discovered the answer is "not running"; then the stage is the one that is silent.
        refused = await repeating(
            ask, hear(socket, lambda b: b["type"] == "answer" and "No answer" in b["message"]), 0.5
        )
        assert "'slam'" in refused["message"]
        hung.set()


def test_a_taken_port_is_one_clear_line_and_the_node_stays(start_node: Callable[..., Process], played: Graph) -> None:
    first = start_node("port:=0")
    port = first.url.rsplit(":", 1)[1].strip("/")
    second = start_node(f"port:={port}")
    line = until(lambda: next((line for line in second.lines if "ERROR" in line), ""))
    assert f"port {port} on 127.0.0.1 is taken" in line
    assert second.process.poll() is None
    second.process.send_signal(signal.SIGINT)
    until(lambda: second.process.poll() is not None)
    assert second.process.returncode == 0


async def repeating(action: Callable[[], Awaitable[None]], wanted: Awaitable[Any], pause: float = 0.05) -> Any:
    """Do it again and again until what is wanted has come: the other process may not have been listening yet."""
    task = asyncio.ensure_future(wanted)
    while not task.done():
        await action()
        await asyncio.wait([task], timeout=pause)
    return task.result()
