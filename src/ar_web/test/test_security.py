"""Who may talk to the page."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from ar_web.security import HEADERS, Gate, choose_token

TOKEN = "a-token-of-16-chars"


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "127.0.0.2"])
def test_loopback_answers_to_this_machine(host: str) -> None:
    assert Gate().refuse_host(host) is None


@pytest.mark.parametrize(
    "host",
    [None, "", "evil.example", "evil.example:8080", "192.168.1.5:8080", "127.0.0.1.evil.example",
     "localhost.evil.example", "127.0.0.1:x", "evil@127.0.0.1", "127.0.0.1/evil", "[::1", "0.0.0.0"],
)  # fmt: skip
def test_loopback_refuses_other_names(host: str | None) -> None:
    assert Gate().refuse_host(host) is not None


def test_beyond_loopback_addresses_and_own_names_only() -> None:
    gate = Gate("0.0.0.0", TOKEN)
    for host in (
        "192.168.1.5:8080",
        "[fe80::1]:8080",
        "localhost",
        f"{socket.gethostname()}:1",
        f"{socket.gethostname()}.local",
    ):
        assert gate.refuse_host(host) is None, host
    assert gate.refuse_host("evil.example") is not None
    assert Gate("kiosk.museum", TOKEN).refuse_host("kiosk.museum:8080") is None


@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:8080"])
def test_own_origin_passes(origin: str | None) -> None:
    assert Gate().refuse_origin(origin, "127.0.0.1:8080") is None


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://127.0.0.1:8081",
        "http://127.0.0.1",
        "file://127.0.0.1:8080",
        "http://[::1",
    ],
)
def test_foreign_origins_are_refused(origin: str) -> None:
    assert Gate().refuse_origin(origin, "127.0.0.1:8080") is not None


def test_token_rules() -> None:
    assert choose_token("127.0.0.1", "") == ""
    assert choose_token("localhost", "") == ""
    one, two = choose_token("0.0.0.0", ""), choose_token("0.0.0.0", "")
    assert len(one) >= 16
    assert one != two
    assert choose_token("0.0.0.0", TOKEN) == TOKEN
    for bad in ("short", "spaces in it", "ümlaut-ümlaut", "a&b=cdefgh"):
        with pytest.raises(ValueError, match="token"):
            choose_token("0.0.0.0", bad)
    gate = Gate("0.0.0.0", TOKEN)
    assert gate.knows(TOKEN)
    assert not any(gate.knows(shown) for shown in (None, "", TOKEN[:-1], TOKEN + "x", "\udcff"))


async def test_rebinding_and_cross_site_are_refused_everywhere(visit: Any) -> None:
    paths = ("/", "/app.js", "/live", "/snapshot.jpg", "/state.json", "/healthz", "/character/mug.glb", "/nothing")
    async with visit() as session:
        for path in paths:
            for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
                async with session.get(path, headers=headers) as answer:
                    assert answer.status == 403, (path, headers)


async def test_a_foreign_page_cannot_open_the_websocket(visit: Any, graph: Any) -> None:
    import aiohttp

    async with visit() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect("/live", origin="http://evil.example")
        assert refused.value.status == 403
        assert graph.hub.watchers == 0


async def test_every_answer_carries_the_headers(visit: Any) -> None:
    async with visit() as session:
        for path, status in (("/", 200), ("/style.css", 200), ("/nothing", 404), ("/healthz", 200)):
            async with session.get(path) as answer:
                assert answer.status == status
                assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        async with session.get("/", headers={"Host": "evil.example"}) as answer:
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_token_once_then_cookie(visit: Any, graph: Any) -> None:
    graph.wake("mug")
    private = ("/state.json", "/character/mug.glb", "/portrait/mug.png", "/live", "/snapshot.jpg")
    async with visit(host="0.0.0.0", token=TOKEN) as session:
        for path in ("/", "/index.html", *private, "/?token=wrong", "/state.json?token="):
            async with session.get(path) as answer:
                assert answer.status == 401, path
                assert TOKEN not in await answer.text()
        for path in ("/style.css", "/lantern.svg", "/healthz"):  # public, so that even the refusal looks friendly
            async with session.get(path) as answer:
                assert answer.status == 200
        async with session.get(f"/?token={TOKEN}", allow_redirects=False) as answer:
            assert answer.status == 303
            assert answer.headers["Location"] == "/"
            cookie = answer.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
        for path in ("/", "/state.json", "/character/mug.glb"):
            async with session.get(path) as answer:
                assert answer.status == 200, path
        async with session.ws_connect("/live") as socket:
            assert (await socket.receive_json())["type"] == "state"
