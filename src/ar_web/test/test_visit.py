"""The websocket: pictures out, wishes in."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

import aiohttp
import pytest

from ar_web.hub import Answer, tap


async def receive(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next JSON message of that type."""
    while True:
        message = await socket.receive()
        assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
        if message.type is aiohttp.WSMsgType.TEXT and (body := json.loads(message.data))["type"] == kind:
            return body


async def picture(socket: aiohttp.ClientWebSocketResponse) -> tuple[int, bytes]:
    """The next picture: stamp and JPEG."""
    while (message := await socket.receive()).type is not aiohttp.WSMsgType.BINARY:
        assert message.type is aiohttp.WSMsgType.TEXT, message
    return struct.unpack(">q", message.data[:8])[0], message.data[8:]


async def until(condition: Any) -> None:
    """Let the server go on until it holds."""
    while not condition():
        await asyncio.sleep(0.001)


async def test_pictures_carry_the_stamp_in_front(visit: Any, graph: Any) -> None:
    stamp = graph.show()
    async with visit() as session, session.ws_connect("/live") as socket:
        assert await picture(socket) == (stamp, graph.hub.pictures.value.jpeg)


async def test_a_slow_page_skips_and_gets_the_newest(visit: Any, graph: Any) -> None:
    async with visit() as session, session.ws_connect("/live") as socket:
        first = graph.show()
        assert (await picture(socket))[0] == first
        second = graph.show()
        assert (await picture(socket))[0] == second
        for _ in range(50):  # nothing was acknowledged: two are under way, the rest is skipped
            last = graph.show()
        await socket.send_json({"type": "seen"})
        assert (await picture(socket))[0] == last
        for _ in range(50):
            last = graph.show()
        await socket.send_json({"type": "seen"})
        await socket.send_json({"type": "seen"})
        assert (await picture(socket))[0] == last


async def test_saying_seen_too_often_opens_no_flood(visit: Any, graph: Any) -> None:
    async with visit() as session, session.ws_connect("/live") as socket:
        for _ in range(100):
            await socket.send_json({"type": "seen"})
        await socket.send_json({"type": "reset", "number": 1})
        await receive(socket, "answer")  # all of the above was heard
        stamps = []
        for _ in range(2):
            graph.show()
            stamps.append((await picture(socket))[0])
        for _ in range(10):
            last = graph.show()
        await socket.send_json({"type": "seen"})
        assert (await picture(socket))[0] == last


async def test_a_slow_page_does_not_hold_up_a_fast_one(visit: Any, graph: Any) -> None:
    async with visit() as session, session.ws_connect("/live"), session.ws_connect("/live") as fast:
        for _ in range(30):  # the first page never reads nor says seen
            stamp = graph.show()
            assert (await picture(fast))[0] == stamp
            await fast.send_json({"type": "seen"})


async def test_hidden_and_closed_pages_cost_nothing(visit: Any, graph: Any) -> None:
    hub = graph.hub
    async with visit() as session:
        async with session.ws_connect("/live") as socket:
            await until(lambda: hub.watchers == 1)
            for _ in range(3):
                await socket.send_json({"type": "watch", "on": False})
            await until(lambda: hub.watchers == 0)
            graph.show()
            for _ in range(3):
                await socket.send_json({"type": "watch", "on": True})
            await until(lambda: hub.watchers == 1)
            assert (await picture(socket))[0] == graph.stamp  # the newest from while it was hidden
        await until(lambda: hub.watchers == 0)


async def test_state_and_outlines_come_at_once_and_on_change(visit: Any, graph: Any) -> None:
    graph.show()
    graph.all_well()
    graph.detect()
    async with visit() as session, session.ws_connect("/live") as socket:
        state = await receive(socket, "state")
        assert state["speech"]["headline"] == "I can see the table"
        assert state["friends"] == []
        graph.wake("mug")
        state = await receive(socket, "state")
        assert [f["id"] for f in state["friends"]] == ["mug"]
        graph.detect()
        objects = (await receive(socket, "objects"))["objects"]
        assert {o["id"]: o["box"] for o in objects} == {
            id: [x - r, y - r, 2 * r, 2 * r] for id, (x, y, r) in graph.discs.items()
        }


async def test_a_tap_pokes_or_awakens_at_the_pixel_of_the_picture_seen(visit: Any, graph: Any) -> None:
    async with visit() as session, session.ws_connect("/live") as socket:
        stamp = graph.show()
        message = {"type": "tap", "stamp": str(stamp), "x": 201.5, "y": 249.25}
        await socket.send_json({**message, "number": 1})
        assert await receive(socket, "answer") == {
            "type": "answer",
            "number": 1,
            "ok": True,
            "message": "",
            "id": "mug",
        }
        assert graph.asked == [("poke", stamp, 201.5, 249.25), ("awaken_at", stamp, 201.5, 249.25)]
        graph.asked.clear()
        await socket.send_json({**message, "number": 2})
        assert (await receive(socket, "answer"))["message"] == "mug: hop"
        assert graph.asked == [("poke", stamp, 201.5, 249.25)]
        await socket.send_json({**message, "number": 3, "x": 5, "y": 5})
        answer = await receive(socket, "answer")
        assert (answer["ok"], answer["message"]) == (False, "Only the table is there.")


async def test_the_other_wishes(visit: Any, graph: Any) -> None:
    async with visit() as session, session.ws_connect("/live") as socket:
        for number, wish in enumerate(
            [
                {"type": "awaken", "stamp": "5", "detection": "apple"},
                {"type": "act", "id": "mug", "clip": "dance"},
                {"type": "remove", "id": "mug"},
                {"type": "reset"},
            ]
        ):
            await socket.send_json({**wish, "number": number})
            answer = await receive(socket, "answer")
            assert (answer["number"], answer["ok"]) == (number, True)
    assert graph.asked == [("awaken", 5, "apple"), ("act", "mug", "dance"), ("remove", "mug"), ("reset",)]


async def test_silence_of_the_graph_ends_in_words(visit: Any, graph: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ar_web.visit.TIMEOUT_S", 0.05)
    graph.silent = True
    async with visit() as session, session.ws_connect("/live") as socket:
        await socket.send_json({"type": "tap", "number": 1, "stamp": "0", "x": 1, "y": 1})
        answer = await receive(socket, "answer")
        assert not answer["ok"]
        assert "No answer" in answer["message"]


async def test_impatience_is_answered_too(visit: Any, graph: Any) -> None:
    graph.silent = True
    async with visit() as session, session.ws_connect("/live") as socket:
        for number in range(6):
            await socket.send_json({"type": "tap", "number": number, "stamp": "0", "x": 1, "y": 1})
        answers = [await receive(socket, "answer") for _ in range(2)]
        assert [a["number"] for a in answers] == [4, 5]
        assert all("busy" in a["message"] for a in answers)


async def test_an_action_that_breaks_is_answered_and_the_page_lives(
    visit: Any, graph: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> Answer:
        raise RuntimeError("out of paper")

    monkeypatch.setattr(graph, "reset", broken)
    async with visit() as session, session.ws_connect("/live") as socket:
        await socket.send_json({"type": "reset", "number": 1})
        assert "out of paper" in (await receive(socket, "answer"))["message"]
        await socket.send_json({"type": "act", "number": 2, "id": "mug", "clip": "hop"})
        assert (await receive(socket, "answer"))["ok"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("garbage", None),
        ('{"type":"tap","number":3,"x":NaN,"y":1,"stamp":"0"}', 3),
        ('{"type":"fly","number":4}', 4),
        ("x" * 5000, None),
        ("[" * 4000, None),
    ],
)
async def test_a_bad_message_gets_one_answer_and_nobody_dies(
    visit: Any, graph: Any, text: str, number: int | None
) -> None:
    async with visit() as session, session.ws_connect("/live") as socket:
        await receive(socket, "album")  # told at the beginning
        await socket.send_str(text)
        error = await receive(socket, "error")
        assert error["number"] == number
        assert 0 < len(error["message"]) < 200
        await socket.send_json({"type": "reset", "number": 9})
        answer = json.loads((await socket.receive()).data)  # nothing else in between
        assert (answer["type"], answer["number"]) == ("answer", 9)


async def test_binary_and_huge_messages(visit: Any, graph: Any) -> None:
    async with visit() as session:
        async with session.ws_connect("/live") as socket, session.ws_connect("/live") as other:
            await socket.send_bytes(b"\x00" * 100)
            assert "text is needed" in (await receive(socket, "error"))["message"]
            await socket.send_str("x" * 200_000)  # beyond reading: this page is cut off with the code for it
            message = await socket.receive()
            assert message.type is aiohttp.WSMsgType.CLOSE
            assert message.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
            await other.send_json({"type": "reset", "number": 1})
            assert (await receive(other, "answer"))["ok"]
        await until(lambda: graph.hub.watchers == 0)


async def test_too_many_pages_are_told_so(visit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ar_web.server.MAX_VISITS", 2)
    async with (
        visit() as session,
        session.ws_connect("/live"),
        session.ws_connect("/live"),
        session.get("/live") as answer,
    ):
        assert answer.status == 503
        assert "close one" in await answer.text()


async def test_stopping_says_goodbye(graph: Any) -> None:
    from ar_web.server import start

    runner, address = await start(graph.hub, graph, "127.0.0.1", 0)
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{address.url}live") as socket:
        assert (await socket.receive_json())["type"] == "album"
        assert graph.hub.watchers == 1
        stopping = asyncio.create_task(runner.cleanup())
        message = await socket.receive()
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == aiohttp.WSCloseCode.GOING_AWAY
        await stopping
    assert graph.hub.watchers == 0


class Partial:
    """Actions of a graph in which some stages are not running."""

    def __init__(self, poked: Answer, awakened: Answer) -> None:
        self.poked, self.awakened = poked, awakened

    async def poke(self, stamp: int, x: float, y: float) -> Answer:
        return self.poked

    async def awaken_at(self, stamp: int, x: float, y: float) -> Answer:
        return self.awakened


@pytest.mark.parametrize(
    ("poked", "awakened", "expected"),
    [
        (Answer(True, "hop"), Answer(False, "table"), "hop"),
        (Answer(False, "nobody"), Answer(True, "awake"), "awake"),
        (Answer(False, "nobody"), Answer(False, "table"), "table"),
        (Answer(False, "no renderer", reached=False), Answer(True, "awake"), "awake"),
        (Answer(False, "no renderer", reached=False), Answer(False, "table"), "table"),
        (Answer(False, "nobody"), Answer(False, "no segmenter", reached=False), "no segmenter"),
        (Answer(False, "no renderer", reached=False), Answer(False, "no segmenter", reached=False), "no segmenter"),
    ],
)
async def test_what_a_tap_answers(poked: Answer, awakened: Answer, expected: str) -> None:
    assert (await tap(Partial(poked, awakened), 0, 1, 1)).message == expected  # type: ignore[arg-type]
