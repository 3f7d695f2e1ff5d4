"""The newest value, across threads."""

from __future__ import annotations

import asyncio
import threading

from ar_web.newest import Newest


async def test_a_late_reader_gets_the_newest_only() -> None:
    newest: Newest[int] = Newest()
    assert newest.value is None
    for i in range(5):
        newest.set(i)
    assert await newest.newer_than(0) == (5, 4)
    assert await newest.newer_than(4) == (5, 4)


async def test_waiting_readers_wake_from_another_thread() -> None:
    newest: Newest[str] = Newest()
    readers = [asyncio.create_task(newest.newer_than(0)) for _ in range(3)]
    await asyncio.sleep(0)
    thread = threading.Thread(target=newest.set, args=("now",))
    thread.start()
    assert await asyncio.gather(*readers) == [(1, "now")] * 3
    thread.join()


async def test_cancelled_readers_leave_nothing_behind() -> None:
    newest: Newest[int] = Newest()
    for _ in range(10):
        reader = asyncio.create_task(newest.newer_than(0))
        await asyncio.sleep(0)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    assert newest._waiting == []


def test_a_loop_that_has_gone_does_not_matter() -> None:
    newest: Newest[int] = Newest()
    loop = asyncio.new_event_loop()
    reader = loop.create_task(newest.newer_than(0))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    newest.set(1)
    assert newest.value == 1
    reader._log_destroy_pending = False  # type: ignore[attr-defined]


def test_none_is_lost_between_threads() -> None:
    newest: Newest[int] = Newest()
    seen: list[int] = []

    async def read() -> None:
        version = 0
        while version < 2000:
            version, value = await newest.newer_than(version)
            seen.append(value)

    writer = threading.Thread(target=lambda: [newest.set(i) for i in range(1, 2001)])
    writer.start()
    asyncio.run(asyncio.wait_for(read(), 20))
    writer.join()
    assert seen[-1] == 2000
    assert seen == sorted(set(seen))
