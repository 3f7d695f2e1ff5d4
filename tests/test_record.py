"""The recorder against a publisher: what it takes, how it ends, and what a killed one leaves behind."""

from __future__ import annotations

import ast
import itertools
import os
import random
import re
import resource
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT

from ar_tools import contract
from ar_tools.bags import metadata as metadata_file
from ar_tools.bags.definitions import definition
from ar_tools.bags.model import BagError, Qos
from ar_tools.bags.reader import Bag
from ar_tools.bags.repair import repair

KILLS = int(os.environ.get("TSUKUMO_KILLS", "20"))
AT_ONCE = 4


class Recording:
    """A recorder in a process of its own."""

    def __init__(self, environment: dict[str, str], bag: Path, *words: str, file_limit: int = 0) -> None:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

        line = [sys.executable, "-m", "ar_tools", "record", "-o", str(bag), "--verbose", *words]
        self.bag, self.words = bag, bag.with_name(f"{bag.name}.log")
        with self.words.open("w") as log:
            self.process = subprocess.Popen(
                line, cwd=ROOT, env=environment, stderr=log, preexec_fn=limit if file_limit else None
            )

    @property
    def said(self) -> str:
        """Everything it has said so far."""
        return self.words.read_text()

    def flushed(self) -> int:
        """How many messages it has said to be safe."""
        return max(map(int, re.findall(r"flushed (\d+) messages", self.said)), default=0)

    def wait_for(self, messages: int) -> None:
        """Until so many are safe."""
        while self.flushed() < messages:
            assert self.process.poll() is None, self.said
            time.sleep(0.01)

    def end(self, sign: int = signal.SIGINT) -> int:
        """Signal it and wait; its exit code."""
        self.process.send_signal(sign)
        return self.process.wait()


def counts_of(bag: Bag) -> list[int]:
    return [struct.unpack_from("<Q", m.data, 4)[0] for m in bag.messages({"/count"})]


@pytest.mark.graph
@pytest.mark.timeout(120)
@pytest.mark.parametrize(("storage", "sign"), [("mcap", signal.SIGINT), ("sqlite3", signal.SIGTERM)])
def test_everything_that_was_published_is_in_the_bag(
    publisher: None, own_domain: dict[str, str], tmp_path: Path, storage: str, sign: int
) -> None:
    topics = ("notice", "count", "camera/image_raw", "detections_text", "never/published")
    recording = Recording(own_domain, tmp_path / "bag", *topics, "--storage", storage)
    recording.wait_for(300)
    assert recording.end(sign) == 0
    assert "nobody published /never/published" in recording.said
    with Bag(recording.bag) as bag:
        counts = counts_of(bag)
        assert counts == list(range(counts[0], counts[0] + len(counts)))
        assert bag.counts["/notice"] == 1
        assert bag.topics["/notice"].qos == (Qos(durability="transient_local"),)
        assert bag.topics["/detections_text"].qos == (Qos(reliability="best_effort"),)
        assert bag.counts["/detections_text"] > 0
        assert bag.topics["/camera/image_raw"].type_hash == definition("sensor_msgs/msg/Image").type_hash
        assert all(m.publish_time <= m.log_time for m in bag.messages())
        assert sum(bag.counts.values()) == metadata_file.read(recording.bag).messages == len(list(bag.messages()))


@pytest.mark.graph
@pytest.mark.timeout(120)
def test_limits_end_and_split_a_recording(publisher: None, own_domain: dict[str, str], tmp_path: Path) -> None:
    recording = Recording(own_domain, tmp_path / "bag", "camera/image_raw", "--max-size", "6M", "--split-size", "2500k")
    assert recording.process.wait() == 0
    with Bag(recording.bag) as bag:
        sizes = [file.stat().st_size for file in bag.files]
        assert len(sizes) == 3
        assert 6_000_000 <= sum(sizes) < 7_500_000
        assert all(2_500_000 <= size < 3_500_000 for size in sizes[:2])
        assert len(list(bag.messages())) == bag.counts["/camera/image_raw"]


@pytest.mark.graph
@pytest.mark.timeout(120)
def test_a_full_disk_is_one_line_and_a_readable_bag(
    publisher: None, own_domain: dict[str, str], tmp_path: Path
) -> None:
    recording = Recording(own_domain, tmp_path / "bag", "camera/image_raw", "count", file_limit=3_000_000)
    assert recording.process.wait() == 1
    told = [line for line in recording.said.splitlines() if "flushed" not in line]
    assert sum("the recording ends here; the bag is readable" in line for line in told) == 1
    assert not any("Traceback" in line for line in told)
    with Bag(recording.bag) as bag:
        counts = counts_of(bag)
        assert counts == list(range(counts[0], counts[0] + len(counts)))
        assert len(list(bag.messages())) == sum(bag.counts.values()) > 100


@pytest.mark.graph
@pytest.mark.timeout(600)
@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_killed_recorders_lose_nothing_that_was_flushed(
    publisher: None, own_domain: dict[str, str], tmp_path: Path, storage: str
) -> None:
    """SIGKILL at random moments: after repair all is there that was said to be safe, and no message in between is missing."""
    rng = random.Random(4)
    numbers = iter(range(KILLS // 2))
    while batch := list(itertools.islice(numbers, AT_ONCE)):
        words = ("count", "camera/image_raw", "--storage", storage)
        recordings = [Recording(own_domain, tmp_path / f"bag{n}", *words) for n in batch]
        for recording in recordings:
            recording.wait_for(1)
        for recording in recordings:
            time.sleep(rng.uniform(0.0, 0.6))  # the random moment, within a flush or between two
            safe = recording.flushed()
            assert recording.end(signal.SIGKILL) == -signal.SIGKILL
            if storage == "mcap":  # a database is whole at the moment of a commit
                with pytest.raises(BagError, match="bag repair"):
                    Bag(recording.bag)
            result = repair(recording.bag)
            assert result.messages >= max(safe, recording.flushed())
            with Bag(recording.bag) as bag:
                counts = counts_of(bag)
                assert counts == list(range(counts[0], counts[0] + len(counts)))
                assert len(list(bag.messages())) == result.messages == metadata_file.read(recording.bag).messages


def test_the_contract_names_what_the_nodes_advertise(root: Path) -> None:
    advertised = {}
    for file in root.glob("src/ar_*/ar_*/node.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "advertise":
                kind, topic = call.args[:2]
                assert isinstance(kind, ast.Name)
                assert isinstance(topic, ast.Constant)
                latched = len(call.args) > 2 and "latched" in ast.unparse(call.args[2])
                advertised[topic.value] = (kind.id, latched)
    assert len(advertised) > 10
    for topic, (kind, latched) in advertised.items():
        assert {**contract.TOPICS, **contract.VIEWS}[topic].endswith(f"/{kind}"), topic
        assert (topic in contract.LATCHED) == latched, topic
    everything = set(contract.TOPICS)
    assert set(contract.topics()) | set(contract.topics(compressed=True)) == everything
    assert everything - set(contract.topics()) == set(contract.PICTURES.values())
