"""A page without a browser: takes the picture stream as a page does (``ar_web.visit`` tells the protocol), throws it away.

python -m ar_tools.bench.page URL    # until a line, or the end, comes on stdin; JSON on stdout
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
import sys
import time

import aiohttp

CONNECT_S = 60.0


async def watch(url: str) -> dict[str, list[float]]:
    """Stamps (ns) of the pictures that came and when (CLOCK_MONOTONIC s), until stdin speaks."""
    stamps: list[float] = []
    received: list[float] = []
    stop = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)

    async def stream() -> None:
        async with aiohttp.ClientSession() as session:
            socket = await _connected(session, f"{url.rstrip('/')}/live")
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    received.append(time.monotonic())
                    stamps.append(struct.unpack_from(">q", message.data)[0])
                    await socket.send_str('{"type": "seen"}')

    reader = asyncio.create_task(stream())
    await asyncio.wait({reader, stop}, return_when=asyncio.FIRST_COMPLETED)
    reader.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await reader
    return {"stamps": stamps, "received": received}


async def _connected(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    until = time.monotonic() + CONNECT_S
    while True:
        try:
            return await session.ws_connect(url, max_msg_size=0)
        except aiohttp.ClientError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(watch(sys.argv[1]))))
