"""Runs the page's server in a thread of its own, beside whatever the process does otherwise."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

from ar_web.hub import Actions, Hub
from ar_web.server import Address, start

START_TIMEOUT_S = 15.0


class Serving:
    """Serves from construction until ``stop``; raises what ``server.start`` raises."""

    def __init__(self, hub: Hub, actions: Actions, host: str, port: int, token: str) -> None:
        self._started: Future[Address] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(hub, actions, host, port, token)), name="page", daemon=True
        )
        self._thread.start()
        self.address = self._started.result(START_TIMEOUT_S)

    def stop(self) -> None:
        """Say goodbye to the pages and free the port; returns when that is done."""
        if self._loop is not None and self._end is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()

    async def _serve(self, hub: Hub, actions: Actions, host: str, port: int, token: str) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        try:
            runner, address = await start(hub, actions, host, port, token)
        except Exception as error:
            self._started.set_exception(error)
            return
        self._started.set_result(address)
        try:
            await self._end.wait()
        finally:
            await runner.cleanup()
