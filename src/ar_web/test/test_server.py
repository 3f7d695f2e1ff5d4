"""The page's server over a graph that exists only in the test."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from typing import Any

import pytest
import yarl

from ar_web.server import download_name, page_files, start
from ar_web.serving import Serving


async def test_the_page_and_nothing_else_of_the_package(visit: Any) -> None:
    async with visit() as session:
        for path, kind in (
            ("/", "text/html"),
            ("/app.js", "text/javascript"),
            ("/style.css", "text/css"),
            ("/lantern.svg", "image/svg+xml"),
        ):
            async with session.get(path) as answer:
                assert answer.status == 200
                assert answer.content_type == kind
                assert len(await answer.read()) > 300
        for path in (
            "/server.py",
            "/../server.py",
            "/%2e%2e/server.py",
            "/page/index.html",
            "/py.typed",
            "/index.html%00",
        ):
            async with session.get(path) as answer:
                assert answer.status == 404, path
        async with session.post("/") as answer:
            assert answer.status == 405


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """No CDN, no inline script or style (the policy would stop them), and every file it names is there."""
    files = {name: content.decode() for name, content in page_files().items()}
    html = files["index.html"]
    assert not re.search(r"(src|href)=\"(https?:)?//", html)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|javascript:", html)
    assert "@import" not in files["style.css"]
    assert "url(" not in re.sub(r"url\(#", "", files["style.css"])
    named = set(re.findall(r"(?:src|href)=\"/([^\"]+)\"", html))
    named |= {m for text in files.values() for m in re.findall(r"from \"\./([^\"]+)\"", text)}
    assert named <= set(files)
    assert named >= {"app.js", "style.css", "lantern.svg", "picture.js"}


async def test_snapshot_is_a_new_picture_with_its_stamp(visit: Any, graph: Any) -> None:
    graph.show(10)
    async with visit() as session:
        request = asyncio.create_task(session.get("/snapshot.jpg"))
        while not graph.hub.watchers:  # asking for a snapshot is looking
            await asyncio.sleep(0)
        stamp = graph.show(200)
        async with await request as answer:
            assert answer.content_type == "image/jpeg"
            assert answer.headers["X-Stamp"] == str(stamp)
            assert await answer.read() == graph.hub.pictures.value.jpeg
    assert graph.hub.watchers == 0


async def test_no_snapshot_without_a_camera(visit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ar_web.server.SNAPSHOT_TIMEOUT_S", 0.05)
    async with visit() as session, session.get("/snapshot.jpg") as answer:
        assert answer.status == 503
        assert "camera" in await answer.text()


async def test_state_and_health(visit: Any, graph: Any) -> None:
    async with visit() as session:
        async with session.get("/state.json") as answer:
            assert await answer.json() == {}
        graph.show()
        graph.all_well()
        async with session.get("/state.json") as answer:
            state = await answer.json()
        assert state["speech"]["headline"] == "I can see the table"
        assert len(state["stages"]) == 6
        async with session.get("/healthz") as answer:
            assert await answer.json() == {"ok": True, "pages": 0}


@pytest.mark.parametrize(
    ("id", "address"), [("mug", "mug"), ("a b/c.d", "a%20b%2Fc.d"), ("../../etc", "..%2F..%2Fetc")]
)
async def test_download(visit: Any, graph: Any, id: str, address: str) -> None:
    graph.wake(id)
    (friend,) = graph.board.state(0.0).friends
    async with visit() as session:
        url = yarl.URL(f"/character/{address}.glb", encoded=True)
        async with session.get(url) as answer:
            assert answer.status == 200
            assert answer.content_type == "model/gltf-binary"
            name = f"tsukumo-{friend.name.lower()}.glb"
            assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
            assert await answer.read() == graph.glb
        async with session.get(yarl.URL(f"/portrait/{address}.png", encoded=True)) as answer:
            assert answer.content_type == "image/png"
        graph.remove_all()
        async with session.get(url) as answer:
            assert answer.status == 404


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Koro", "tsukumo-koro.glb"),
        ("Koro 25", "tsukumo-koro-25.glb"),
        ('"; rm', "tsukumo-rm.glb"),
        ("../../etc", "tsukumo-etc.glb"),
        ("付喪", "tsukumo-character.glb"),
    ],
)
def test_download_names_suit_every_system(name: str, file: str) -> None:
    assert download_name(name) == file


async def test_an_address_that_cannot_be_had_says_what_to_do(graph: Any) -> None:
    runner, address = await start(graph.hub, graph, "127.0.0.1", 0)
    try:
        assert address.url == f"http://127.0.0.1:{address.port}/"
        with pytest.raises(OSError, match=rf"port {address.port} on 127.0.0.1 is taken.*0 takes a free one"):
            await start(graph.hub, graph, "127.0.0.1", address.port)
    finally:
        await runner.cleanup()
    with pytest.raises(OSError, match=r"no address 192\.0\.2\.1"):
        await start(graph.hub, graph, "192.0.2.1", 0)
    with pytest.raises(OSError, match=r"cannot listen on no-such-host\.invalid"):
        await start(graph.hub, graph, "no-such-host.invalid", 0)


async def test_beyond_loopback_the_url_carries_a_token_and_an_address_to_type(graph: Any) -> None:
    runner, address = await start(graph.hub, graph, "0.0.0.0", 0)
    try:
        assert re.fullmatch(rf"http://[^/]+:{address.port}/\?token=[\w-]{{16,}}", address.url)
        assert "0.0.0.0" not in address.url
    finally:
        await runner.cleanup()


def test_serving_in_a_thread_starts_stops_and_frees_the_port(graph: Any) -> None:
    serving = Serving(graph.hub, graph, "127.0.0.1", 0, "")
    port = serving.address.port
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        answer = client.makefile("rb").read()
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"ok": True, "pages": 0}
    with pytest.raises(OSError, match="taken"):
        Serving(graph.hub, graph, "127.0.0.1", port, "")
    serving.stop()
    Serving(graph.hub, graph, "127.0.0.1", port, "").stop()
    serving.stop()  # twice does not matter
