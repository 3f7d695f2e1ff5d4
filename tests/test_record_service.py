"""Bags on request: a client asks the recorder's node as a robot or the page does."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
from conftest import until
from rclpy.executors import SingleThreadedExecutor
from std_srvs.srv import Trigger

from ar_core import qos
from ar_interfaces.msg import RecordStatus
from ar_interfaces.srv import RecordBag
from ar_tools.bags.reader import Bag

pytestmark = [pytest.mark.graph, pytest.mark.timeout(120)]


class Client:
    """Asks, and keeps every status."""

    def __init__(self, domain: int, folder: Path) -> None:
        self.context, self.folder = rclpy.Context(), folder
        self.context.init(domain_id=domain)
        self.node = rclpy.create_node("asker", context=self.context)
        self.statuses: list[RecordStatus] = []
        self.node.create_subscription(RecordStatus, "record/status", self.statuses.append, qos.latched())
        self.begin = self.node.create_client(RecordBag, "record/start")
        self.end = self.node.create_client(Trigger, "record/stop")
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self.executor.spin)
        self.thread.start()

    @property
    def status(self) -> RecordStatus:
        """The newest."""
        return self.statuses[-1]

    def ask(self, client: Any, request: Any) -> Any:
        """The answer."""
        until(client.service_is_ready, what=client.srv_name)
        future = client.call_async(request)
        until(future.done, what=f"an answer of {client.srv_name}")
        return future.result()

    def start(self, **fields: Any) -> RecordBag.Response:
        """Begin a bag."""
        return self.ask(self.begin, RecordBag.Request(**fields))

    def stop(self) -> Trigger.Response:
        """End it."""
        return self.ask(self.end, Trigger.Request())

    def close(self) -> None:
        """Go."""
        self.executor.shutdown()
        self.thread.join()
        self.node.destroy_node()
        self.context.shutdown()


@pytest.fixture
def serve(own_domain: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """``serve(file_limit=…)``: a recorder's node whose files may have so many bytes, and its client."""
    started: list[Any] = []

    def start(file_limit: int = 0) -> Client:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

        line = [sys.executable, "-c", "from ar_tools.record_service import main; main()", "--ros-args",
                "-r", "__node:=record", "-p", f"recordings:={tmp_path / 'bags'}"]  # fmt: skip
        process = subprocess.Popen(line, env=own_domain, preexec_fn=limit if file_limit else None)
        started.append(process)
        client = Client(int(own_domain["ROS_DOMAIN_ID"]), tmp_path / "bags")
        started.append(client)
        until(lambda: client.statuses, what="the first status")
        assert not client.status.recording
        return client

    yield start
    for one in started:
        if isinstance(one, Client):
            one.close()
        else:
            one.send_signal(signal.SIGINT)
            assert one.wait(60) == 0


@pytest.mark.parametrize("storage", ["", "sqlite3"])
def test_a_bag_is_begun_told_of_and_ended(publisher: None, serve: Callable[..., Client], storage: str) -> None:
    client = serve()
    begun = client.start(topics=["count", "notice"], storage=storage)
    assert begun.success, begun.message
    assert Path(begun.path).parent == client.folder
    until(lambda: client.status.recording and client.status.messages > 200, what="messages in the bag")
    assert client.status.path == begun.path
    assert client.status.size > 0
    assert client.status.seconds > 0
    again = client.start()
    assert not again.success
    assert again.message == f"{begun.path} is being recorded; end that first"
    ended = client.stop()
    assert (ended.success, ended.message) == (True, begun.path)
    until(lambda: not client.status.recording, what="the last status")
    assert client.status.message == ""
    with Bag(Path(begun.path)) as bag:
        assert bag.storage == (storage or "mcap")
        assert bag.counts["/notice"] == 1
        assert sum(bag.counts.values()) == client.status.messages == len(list(bag.messages()))
    ended = client.stop()
    assert (ended.success, ended.message) == (False, "nothing is being recorded")
    second = client.start(topics=["camera/image_raw"], path="named/here", max_size=2_000_000)  # and the node goes on
    assert second.path == str(client.folder / "named" / "here")
    until(lambda: client.status.message == "the limit is reached", what="the limit")
    assert not client.status.recording
    with Bag(Path(second.path)) as bag:
        assert bag.counts["/camera/image_raw"] > 30


def test_what_cannot_be_recorded_is_said_in_words(serve: Callable[..., Client], tmp_path: Path) -> None:
    client = serve()
    (tmp_path / "file").write_text("in the way")
    for fields, words in [
        ({"storage": "tape"}, "storage 'tape' is not known (mcap, sqlite3 are)"),
        ({"path": str(tmp_path / "file" / "bag")}, "cannot be made: Not a directory"),
        ({"path": str(tmp_path)}, "exists already; choose another name"),
        ({"topics": ["no topic's name!"]}, "cannot be recorded"),
    ]:
        refused = client.start(**fields)
        assert not refused.success
        assert words in refused.message
        assert "\n" not in refused.message
    assert not client.status.recording


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_said(serve: Callable[..., Client]) -> None:
    refused = serve().start(path="/bag")
    assert not refused.success
    assert "cannot be made: Permission denied" in refused.message


def test_a_full_disk_is_in_the_status_and_the_bag_is_readable(publisher: None, serve: Callable[..., Client]) -> None:
    client = serve(file_limit=3_000_000)
    begun = client.start(topics=["camera/image_raw", "count"])
    until(lambda: client.status.message, what="the disk to be full")
    assert not client.status.recording
    assert "File too large: the recording ends here; the bag is readable" in client.status.message
    with Bag(Path(begun.path)) as bag:
        assert len(list(bag.messages())) == sum(bag.counts.values()) == client.status.messages > 100
