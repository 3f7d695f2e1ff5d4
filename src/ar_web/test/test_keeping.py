"""Recording and snapshots through the server: every page sees the same, downloads pass the same gate as all else."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest
import yarl

TOKEN = "a-token-of-16-chars"


async def wish(socket: aiohttp.ClientWebSocketResponse, type: str, **fields: Any) -> dict[str, Any]:
    """The answer to a wish; other messages are passed over."""
    await socket.send_json({"type": type, "number": 1, **fields})
    return await heard(socket, "answer", lambda _: True)


async def heard(socket: aiohttp.ClientWebSocketResponse, kind: str, wanted: Any) -> dict[str, Any]:
    while True:
        message = await socket.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            await socket.send_json({"type": "seen"})
            continue
        body: dict[str, Any] = message.json()
        if body["type"] == kind and wanted(body):
            return body


async def test_a_snapshot_is_kept_for_all_pages_and_only_in_memory(visit: Any, graph: Any) -> None:
    async with visit() as session, session.ws_connect("/live") as one, session.ws_connect("/live") as other:
        refused = await wish(one, "snapshot")
        assert not refused["ok"]
        assert "no picture" in refused["message"]
        graph.show(77)
        assert (await wish(one, "snapshot"))["ok"]
        album = await heard(other, "album", lambda a: a["kept"])
        (kept,) = album["kept"]
        async with session.get(f"/kept/{kept['name']}") as answer:
            assert answer.content_type == "image/jpeg"
            assert answer.headers["Content-Disposition"] == f'attachment; filename="{kept["name"]}"'
            assert await answer.read() == graph.hub.pictures.value.jpeg
        async with session.get(f"/kept/{kept['name']}/thumbnail") as answer:
            small = cv2.imdecode(np.frombuffer(await answer.read(), np.uint8), cv2.IMREAD_COLOR)
            assert small is not None
            assert small.shape == (120, 160, 3)
        assert not graph.hub.album.folder.exists()
        assert (await wish(other, "discard", name=kept["name"]))["ok"]
        await heard(one, "album", lambda a: not a["kept"])
        async with session.get(f"/kept/{kept['name']}") as answer:
            assert answer.status == 404


async def test_a_film_begun_on_one_page_is_ended_on_another_and_downloaded_in_parts(visit: Any, graph: Any) -> None:
    async with visit() as session:
        async with session.ws_connect("/live") as one, session.ws_connect("/live") as other:
            assert (await wish(one, "film", on=True))["ok"]
            assert (await heard(other, "album", lambda a: a["film"]))["film"]["finishing"] is False
            await one.send_json({"type": "watch", "on": False})
            await other.send_json({"type": "watch", "on": False})
            while graph.hub.watchers != 1:  # the film alone looks on
                await asyncio.sleep(0)
            for shade in range(60, 180, 4):
                graph.show(shade)
            assert (await wish(other, "film", on=False))["ok"]
            (kept,) = (await heard(one, "album", lambda a: a["kept"]))["kept"]
            assert graph.hub.watchers == 0
        url = f"/kept/{kept['name']}"
        async with session.get(url) as answer:
            assert (answer.status, answer.content_type) == (200, "video/mp4")
            whole = await answer.read()
        assert len(whole) == kept["size"]
        async with session.get(url, headers={"Range": "bytes=100-199"}) as answer:
            assert answer.status == 206
            assert await answer.read() == whole[100:200]


async def test_a_disk_or_folder_that_does_not_serve_is_answered_in_words(visit: Any, graph: Any) -> None:
    graph.hub.album.folder.write_text("a file in the way")
    async with visit() as session, session.ws_connect("/live") as socket:
        answer = await wish(socket, "film", on=True)
        assert not answer["ok"]
        assert "File exists" in answer["message"]
        assert (await heard(socket, "album", lambda a: a["word"]))["word"] == answer["message"]


@pytest.mark.parametrize(
    "name",
    ["..%2F..%2Fsecret.mp4", "%2Fetc%2Fpasswd", "%2e%2e", "%00", "tsukumo-20260101-000000-000.mp4", "secret.mp4"],
)
async def test_names_from_the_network_are_never_paths(visit: Any, graph: Any, name: str) -> None:
    folder = graph.hub.album.folder
    folder.mkdir()
    (folder / "secret.mp4").write_bytes(b"secret")
    (folder.parent / "secret.mp4").write_bytes(b"secret")
    async with visit() as session:
        for path in (f"/kept/{name}", f"/kept/{name}/thumbnail"):
            async with session.get(yarl.URL(path, encoded=True)) as answer:
                assert answer.status == 404
                assert b"secret" not in (await answer.read()).replace(b"secret.mp4", b"")


async def test_downloads_need_the_token_the_host_and_the_origin(visit: Any, graph: Any) -> None:
    graph.show()
    name = graph.hub.album.snapshot(graph.hub.pictures.value).id
    paths = (f"/kept/{name}", f"/kept/{name}/thumbnail")
    async with visit(host="0.0.0.0", token=TOKEN) as session:
        for path in paths:
            async with session.get(path) as answer:
                assert answer.status == 401
            for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
                async with session.get(path, headers=headers) as answer:
                    assert answer.status == 403
        async with session.get(f"/?token={TOKEN}"):
            pass
        for path in paths:
            async with session.get(path) as answer:
                assert answer.status == 200


@pytest.mark.parametrize("message", [{"type": "film"}, {"type": "film", "on": 1}, {"type": "bag", "on": "yes"},
                                     {"type": "discard"}, {"type": "discard", "name": 3}])  # fmt: skip
async def test_bad_wishes_are_refused_in_words(visit: Any, graph: Any, message: dict[str, Any]) -> None:
    async with visit() as session, session.ws_connect("/live") as socket:
        await socket.send_json({**message, "number": 5})
        error = await heard(socket, "error", lambda _: True)
        assert error["number"] == 5
    assert not graph.hub.album.filming


async def test_the_bag_is_the_graphs_to_record(visit: Any, graph: Any) -> None:
    async with visit() as session, session.ws_connect("/live") as socket:
        assert (await wish(socket, "bag", on=True))["ok"]
        assert (await wish(socket, "bag", on=False))["ok"]
    assert graph.asked == [("bag", True), ("bag", False)]
