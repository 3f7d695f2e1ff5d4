"""Recording through the node: from the topic to a file that outlives the process, and the bag's recorder."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest
from played_graph import START, Graph, Process, answer, hear, meanwhile, repeating, state
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from ar_core import qos
from ar_core.conversions import stamp_from
from ar_interfaces.msg import RecordStatus
from ar_interfaces.srv import RecordBag

pytestmark = pytest.mark.graph


def pictures(film: Path) -> int:
    """How many can be decoded."""
    capture, n = cv2.VideoCapture(str(film)), 0
    while capture.read()[0]:
        n += 1
    return n


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
async def test_a_film_goes_on_without_a_page_and_is_whole_however_the_process_ends(
    start_node: Callable[..., Process], played: Graph, tmp_path: Path, sign: signal.Signals
) -> None:
    folder = tmp_path / "films"
    web = start_node("port:=0", f"recordings:={folder}")
    shown = 0

    async def show() -> None:
        nonlocal shown
        image = np.full((120, 160, 3), 60 + shown % 100, np.uint8)
        stamp = stamp_from(START + shown * 33_333_333)
        jpeg = cv2.imencode(".jpg", image)[1].tobytes()
        played.picture.publish(CompressedImage(header=Header(stamp=stamp), format="jpeg", data=jpeg))
        shown += 1

    url = await meanwhile(lambda: web.url)
    async with aiohttp.ClientSession(url) as session:
        async with session.ws_connect("/live") as socket:
            await socket.send_json({"type": "film", "number": 1, "on": True})
            assert (await hear(socket, answer(1)))["ok"]
        # The page has gone: the film alone keeps the subscription.
        async with session.ws_connect("/live") as socket:
            await socket.send_json({"type": "watch", "on": False})
            long_enough: Callable[[dict[str, Any]], bool] = lambda b: b["type"] == "album" and b["film"]["seconds"] >= 2  # noqa: E731
            told = await repeating(show, hear(socket, long_enough), 0.01)
            assert told["film"]["size"] > 0
    web.process.send_signal(sign)
    await meanwhile(lambda: web.process.poll() is not None)
    assert web.process.returncode == (0 if sign == signal.SIGINT else -sign)
    (film,) = folder.iterdir()
    await meanwhile(lambda: pictures(film) >= 60)  # the encoder comes to its end by itself


async def test_the_recorder_of_topics_is_asked_and_its_status_shown(
    start_node: Callable[..., Process], played: Graph
) -> None:
    web = start_node("port:=0")
    status = played.node.create_publisher(RecordStatus, "record/status", qos.latched())
    status.publish(RecordStatus())
    played.serve(RecordBag, "record/start", success=True, path="/data/bag-1")
    played.serve(Trigger, "record/stop", success=False, message="nothing is being recorded")
    async with (
        aiohttp.ClientSession(await meanwhile(lambda: web.url)) as session,
        session.ws_connect("/live") as socket,
    ):
        told = await hear(socket, state(lambda s: s["bag"]))
        assert told["bag"]["recording"] is False

        async def ask() -> None:
            await socket.send_json({"type": "bag", "number": 1, "on": True})

        assert (await repeating(ask, hear(socket, lambda b: b["type"] == "answer" and b["ok"]), 0.5))["number"] == 1
        assert (played.asked[0].path, played.asked[0].topics) == ("", [])  # where, is the recorder's to say
        status.publish(RecordStatus(recording=True, path="/data/bag-1", messages=7, size=9000, seconds=1.5))
        told = await hear(socket, state(lambda s: s["bag"]["recording"]))
        assert (told["bag"]["path"], told["bag"]["messages"], told["bag"]["size"]) == ("/data/bag-1", 7, 9000)
        await socket.send_json({"type": "bag", "number": 2, "on": False})
        refused = await hear(socket, answer(2))
        assert (refused["ok"], refused["message"]) == (False, "nothing is being recorded")


async def test_without_a_recorder_of_topics_the_answer_says_so(start_node: Callable[..., Process]) -> None:
    web = start_node("port:=0")
    async with (
        aiohttp.ClientSession(await meanwhile(lambda: web.url)) as session,
        session.ws_connect("/live") as socket,
    ):
        await socket.send_json({"type": "bag", "number": 1, "on": True})
        refused = await hear(socket, answer(1))
        assert not refused["ok"]
        assert "'record' is not running" in refused["message"]
