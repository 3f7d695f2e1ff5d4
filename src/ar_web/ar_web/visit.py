"""One page's websocket: pictures, state and detections out; wishes in; answers back.

Pictures go out as binary messages: the frame's stamp as 8 bytes (big-endian int64, nanoseconds), then the JPEG. At
most ``IN_FLIGHT`` are under way without the page's "seen": a slow page gets fewer pictures, but always the newest.
Everything else is JSON text (``state.py``, ``messages.py``).
"""

from __future__ import annotations

import asyncio
import logging
import struct
from contextlib import ExitStack

from aiohttp import WSMsgType, web

from ar_web import messages
from ar_web.hub import Actions, Hub, tap
from ar_web.newest import Newest
from ar_web.state import Answer, Picture, to_json

IN_FLIGHT = 2
MAX_WISHES = 4
MAX_MESSAGE = 1 << 16
STATE_PAUSE_S = 0.05
TIMEOUT_S = 8.0  # the last resort: actions have timeouts of their own

log = logging.getLogger(__name__)


def pack(picture: Picture) -> bytes:
    """The binary message for one picture."""
    return struct.pack(">q", picture.stamp) + picture.jpeg


class Visit:
    """Serves one connected page until it leaves."""

    def __init__(self, hub: Hub, actions: Actions, socket: web.WebSocketResponse) -> None:
        self._hub = hub
        self._actions = actions
        self._socket = socket
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._sent = 0
        self._visible = asyncio.Event()
        self._watching = ExitStack()
        self._wishes: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Returns when the page has gone."""
        self._watch(True)
        await asyncio.to_thread(self._hub.album.tell)  # the folder may have changed while nobody looked
        pumps = [
            asyncio.create_task(self._send_pictures()),
            asyncio.create_task(self._send_texts(self._hub.state)),
            asyncio.create_task(self._send_texts(self._hub.objects)),
            asyncio.create_task(self._send_texts(self._hub.calibration)),
            asyncio.create_task(self._send_texts(self._hub.album.news)),
        ]
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    await self._hear(message.data)
                elif message.type is WSMsgType.BINARY:
                    await self._say("error", {"message": "message: text is needed, binary messages are not read"})
        finally:
            self._watching.close()
            tasks = [*pumps, *self._wishes]
            for task in tasks:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionError):
                    log.error("page: %r", outcome)

    async def _send_pictures(self) -> None:
        version = 0
        while True:
            await self._visible.wait()
            await self._room.acquire()
            version, picture = await self._hub.pictures.newer_than(version)
            self._sent += 1
            await self._socket.send_bytes(pack(picture))

    async def _send_texts(self, texts: Newest[str]) -> None:
        version = 0
        while True:
            version, text = await texts.newer_than(version)
            await self._socket.send_str(text)
            await asyncio.sleep(STATE_PAUSE_S)

    async def _hear(self, text: str) -> None:
        try:
            wish = messages.parse(text)
        except ValueError as error:
            await self._say("error", {"message": str(error), "number": messages.number_of(text)})
            return
        if isinstance(wish, messages.Seen):
            if self._sent > 0:
                self._sent -= 1
                self._room.release()
        elif isinstance(wish, messages.Watch):
            self._watch(wish.on)
        elif len(self._wishes) >= MAX_WISHES:
            await self._answer(wish.number, Answer(False, "One moment: still busy with the wishes before."))
        else:
            task = asyncio.create_task(self._fulfil(wish))
            self._wishes.add(task)
            task.add_done_callback(self._wishes.discard)

    def _watch(self, on: bool) -> None:
        if on and not self._visible.is_set():
            self._watching.enter_context(self._hub.watching())
            self._visible.set()
        elif not on:
            self._watching.close()
            self._visible.clear()

    async def _fulfil(self, wish: messages.Wish) -> None:
        try:
            answer = await asyncio.wait_for(self._ask(wish), TIMEOUT_S)
        except TimeoutError:
            answer = Answer(False, "No answer in time; is the stage still running?", reached=False)
        except Exception as error:
            log.exception("page: a wish failed")
            answer = Answer(False, f"That went wrong: {error}")
        await self._answer(wish.number, answer)

    async def _ask(self, wish: messages.Wish) -> Answer:
        album = self._hub.album
        match wish:
            case messages.Tap():
                return await tap(self._actions, wish.stamp, wish.x, wish.y)
            case messages.Awaken():
                return await self._actions.awaken(wish.stamp, wish.detection)
            case messages.Act():
                return await self._actions.act(wish.id, wish.clip)
            case messages.Ask(_, action, id, stamp, x, y):
                return await self._actions.ask(action, id, stamp, x, y)
            case messages.Remove():
                return await self._actions.remove(wish.id)
            case messages.Reset():
                return await self._actions.reset()
            case messages.Bag():
                return await self._actions.bag(wish.on)
            case messages.Calibrate(_, action, model, square_mm):
                return await self._actions.calibrate(action, model, square_mm)
            case messages.Snapshot():
                return album.snapshot(self._hub.pictures.value)
            case messages.Film():
                return await asyncio.to_thread(album.film, wish.on)
            case messages.Discard():
                return await asyncio.to_thread(album.discard, wish.name)

    async def _answer(self, number: int, answer: Answer) -> None:
        await self._say("answer", {"number": number, "ok": answer.ok, "message": answer.message, "id": answer.id})

    async def _say(self, kind: str, body: dict[str, object]) -> None:
        await self._socket.send_str(to_json(kind, body))
