"""The page's node among real topics and services, in a process of its own."""

from __future__ import annotations

import signal
import struct
import threading
from collections.abc import Callable
from typing import Any

import aiohttp
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from played_graph import START, Graph, Process, answer, hear, meanwhile, repeating, state, until
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header
from std_srvs.srv import Trigger
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

from ar_core.conversions import nanoseconds, stamp_from
from ar_interfaces.msg import Character, Event, SegmentedObject, TrackingStatus
from ar_interfaces.srv import Act, Awaken, Remove

pytestmark = pytest.mark.graph


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
        lead = {"type": "ask", "number": 3, "action": "lead", "id": "object-1", "stamp": str(START), "x": 12.5, "y": 9}
        await socket.send_json(lead)
        await hear(socket, answer(3))
        act = played.asked[-1]
        assert (act.id, act.action, act.x, act.y) == ("object-1", "lead", 12.5, 9.0)
        assert nanoseconds(act.stamp) == START

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
