"""The page's web server: an aiohttp application over a ``Hub`` and ``Actions``; knows nothing of ROS."""

from __future__ import annotations

import asyncio
import errno
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from aiohttp import web

from ar_web.hub import Actions, Hub
from ar_web.security import HEADERS, Gate, choose_token, own_address
from ar_web.visit import MAX_MESSAGE, Visit

MAX_VISITS = 12
SNAPSHOT_TIMEOUT_S = 3.0
HEARTBEAT_S = 10.0

_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_STRANGER = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Tsukumo</title><link rel="stylesheet" href="/style.css"><link rel="icon" href="/lantern.svg">
<body class="plain"><main><img src="/lantern.svg" width="96" height="96" alt="">
<h1>Who is there?</h1><p>Open the whole link that was printed where Tsukumo was started: it ends in
<code>?token=…</code></p></main></body></html>"""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def page_files() -> dict[str, bytes]:
    """Name → content of the page's own files, as they are shipped in the package."""
    folder = resources.files("ar_web") / "page"
    return {f.name: f.read_bytes() for f in folder.iterdir() if Path(f.name).suffix in _TYPES}


def make_app(hub: Hub, actions: Actions, gate: Gate) -> web.Application:
    """The whole application; every answer passes ``gate`` and carries the security headers."""
    files = page_files()
    visits: set[web.WebSocketResponse] = set()

    async def page_file(request: web.Request) -> web.Response:
        name = request.match_info.get("name") or "index.html"
        if name not in files:
            raise web.HTTPNotFound(text=f"there is no {name[:80]} here")
        return web.Response(body=files[name], content_type=_TYPES[Path(name).suffix], charset="utf-8")

    async def live(request: web.Request) -> web.WebSocketResponse:
        if len(visits) >= MAX_VISITS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_VISITS} pages are open already: close one of them.")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MAX_MESSAGE, compress=False)
        visits.add(socket)
        try:
            await socket.prepare(request)
            await Visit(hub, actions, socket).serve()
        finally:
            visits.discard(socket)
        return socket

    async def snapshot(request: web.Request) -> web.Response:
        with hub.watching():
            try:
                _, picture = await asyncio.wait_for(hub.pictures.newer_than(hub.pictures.version), SNAPSHOT_TIMEOUT_S)
            except TimeoutError:
                raise web.HTTPServiceUnavailable(text="no picture: the camera or the renderer is silent") from None
        return web.Response(body=picture.jpeg, content_type="image/jpeg", headers={"X-Stamp": str(picture.stamp)})

    async def state(request: web.Request) -> web.Response:
        return web.Response(text=hub.state.value or "{}", content_type="application/json")

    async def model(request: web.Request) -> web.Response:
        id = request.match_info["id"]
        if id not in hub.models:
            raise web.HTTPNotFound(text="nobody of that name is awake")
        disposition = f'attachment; filename="{download_name(hub.models[id].name)}"'
        return web.Response(
            body=hub.models[id].glb, content_type="model/gltf-binary", headers={"Content-Disposition": disposition}
        )

    async def portrait(request: web.Request) -> web.Response:
        id = request.match_info["id"]
        if id not in hub.portraits:
            raise web.HTTPNotFound(text="no portrait of that name")
        return web.Response(body=hub.portraits[id], content_type="image/png")

    async def kept(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}  # only names of the album's get that far
        snapshot = hub.album.snapshot_named(name)
        if snapshot is not None:
            return web.Response(body=snapshot, content_type="image/jpeg", headers=headers)
        film = hub.album.film_named(name)
        if film is None:
            raise web.HTTPNotFound(text="there is no recording or snapshot of that name (any more)")
        return web.FileResponse(film, headers={**headers, "Content-Type": "video/mp4"})

    async def thumbnail(request: web.Request) -> web.Response:
        small = await asyncio.to_thread(hub.album.thumbnail, request.match_info["name"])
        if small is None:
            raise web.HTTPNotFound(text="no thumbnail of that name")
        return web.Response(body=small, content_type="image/jpeg")

    async def healthz(request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "pages": len(visits)})

    async def goodbye(app: web.Application) -> None:
        await asyncio.gather(*(socket.close(code=1001, message=b"Tsukumo is shutting down") for socket in set(visits)))

    app = web.Application(middlewares=[_guard(gate, open_paths={f"/{name}" for name in files} | {"/healthz"})])
    app.on_shutdown.append(goodbye)
    app.add_routes(
        [
            web.get("/", page_file),
            web.get("/live", live),
            web.get("/snapshot.jpg", snapshot),
            web.get("/state.json", state),
            web.get("/healthz", healthz),
            web.get("/character/{id:.+}.glb", model),
            web.get("/portrait/{id:.+}.png", portrait),
            web.get("/kept/{name}", kept),
            web.get("/kept/{name}/thumbnail", thumbnail),
            web.get("/{name}", page_file),
        ]
    )
    return app


def download_name(name: str) -> str:
    """A file name that every system takes, for the character of that name."""
    return f"tsukumo-{re.sub(r'[^a-z0-9_-]+', '-', name.lower())[:60].strip('-') or 'character'}.glb"


def _guard(gate: Gate, open_paths: set[str]) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Middleware: Host, then Origin, then token. ``open_paths`` (the page's own, public files) need no token."""

    def admit(request: web.Request) -> web.StreamResponse | None:
        host = request.headers.get("Host")
        refusal = gate.refuse_host(host) or gate.refuse_origin(request.headers.get("Origin"), host)
        if refusal:
            return web.Response(status=403, text=f"Refused: {refusal}.\n")
        cookie = f"tsukumo_{(host or '').rpartition(':')[2]}"  # cookies do not keep ports apart
        if gate.knows(request.cookies.get(cookie)) or request.path in open_paths - {"/index.html"}:
            return None
        if not gate.knows(request.query.get("token")):
            return web.Response(status=401, text=_STRANGER, content_type="text/html")
        if request.path != "/":
            return None
        welcome = web.Response(status=303, headers={"Location": "/"})  # the token leaves the address bar
        welcome.set_cookie(cookie, gate.token, httponly=True, samesite="Lax", path="/", max_age=30 * 24 * 3600)
        return welcome

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        return admit(request) or await handler(request)

    return guard


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


@dataclass(frozen=True)
class Address:
    """Where the page is served; ``url`` is what to open, with the token where one is needed."""

    host: str
    port: int
    token: str

    @property
    def url(self) -> str:
        """For people: an address that can be reached, never 0.0.0.0."""
        host = own_address() if self.host in ("", "0.0.0.0", "::") else self.host
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}/" + (f"?token={self.token}" if self.token else "")


async def start(hub: Hub, actions: Actions, host: str, port: int, token: str = "") -> tuple[web.AppRunner, Address]:
    """Start to serve; ``port`` 0 takes a free one. Stop with ``await runner.cleanup()``.

    Raises ValueError for an unusable token, OSError in words if the address cannot be had.
    """
    gate = Gate(host, choose_token(host, token))
    app = make_app(hub, actions, gate)
    app.on_response_prepare.append(_add_headers)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host or "0.0.0.0", port).start()
    except (OSError, OverflowError) as error:
        await runner.cleanup()
        raise OSError(_why_not(error, host, port)) from error
    return runner, Address(host, int(runner.addresses[0][1]), gate.token)


def _why_not(error: OSError | OverflowError, host: str, port: int) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return (
            f"page: port {port} on {host} is taken, perhaps by another Tsukumo: stop that program, "
            f"or choose another port (0 takes a free one)"
        )
    if number == errno.EACCES:
        return f"page: port {port} needs root: choose one above 1023 (0 takes a free one)"
    if number == errno.EADDRNOTAVAIL:
        return f"page: this machine has no address {host}: use 127.0.0.1, or 0.0.0.0 for all of its addresses"
    return f"page: cannot listen on {host}:{port}: {error}"
