"""``tsukumo bench graph`` from end to end: every figure is there and is one that can be."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ar_tools import contract
from ar_tools.bench.probe import PROFILES

pytestmark = pytest.mark.graph

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_graph_is_measured_while_a_page_looks_on(tsukumo: Run, tmp_path: Path) -> None:
    file, base = tmp_path / "report.json", tmp_path / "base.json"
    words = ["--seconds", "12", "--port", str(free_port()), "--json", str(file), "--write-baseline", str(base)]
    done = tsukumo("bench", "graph", *words, "--profile", str(tmp_path / "flames"), timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(file.read_text())
    assert report["seconds"] >= 12
    assert 0 < report["pictures"] <= report["frames"]
    assert report["pictures_with_character"] > 0
    assert 0 < report["glass_to_glass_ms"]["p50"] <= report["glass_to_glass_ms"]["p99"]
    assert set(report["stages"]) >= set(contract.STAGES) - {"character"}  # which works only when something awakens
    for name in ("detect", "segment", "slam", "render"):
        stage = report["stages"][name]
        assert 0 < stage["work_ms"] <= stage["cpu_ms"], name
    assert set(report["hops"]) == set(PROFILES)
    for topic, hop in report["hops"].items():
        assert 0 < hop["p50_ms"] <= hop["p99_ms"], topic
        assert 0 < hop["delivered"] <= 1, topic
        assert hop["memcpy_ratio"] > 0, topic
    assert report["hops"]["camera/image_raw"]["bytes"] == pytest.approx(640 * 480 * 3, rel=0.001)
    assert set(report["processes"]) >= {*contract.STAGES, "director", "web"}
    assert 0 < report["proportional_mb"] <= report["rss_mb"]
    assert report["page"]["pictures_per_second"] > 0
    assert report["page"]["camera_to_page_ms"]["p50"] > 0
    assert report["restarts"] == []
    assert set(json.loads(base.read_text())["figures"]) >= {"cpu_per_picture", "rss_mb", "hops/render/image"}
    for name in report["processes"]:
        assert (tmp_path / "flames" / f"{name}.svg").read_text().startswith("<svg"), name
    for words_said in ("camera to picture", "render/image", "x memcpy", "to a page"):
        assert words_said in done.stdout


def test_what_cannot_be_measured_is_one_line(tsukumo: Run, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for words, told in (
            (("--seconds", "1"), "too short"),
            (("--port", port), f"port {port} is in use"),
            (("--baseline", str(tmp_path / "none.json")), "--write-baseline makes one"),
        ):
            done = tsukumo("bench", "graph", *words)
            assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
            assert told in done.stderr
    done = tsukumo("bench", "graph", "--source", str(tmp_path / "none.mp4"), "--no-page", timeout=300)
    assert done.returncode == 2
    assert "there is no such file" in done.stderr.splitlines()[-1]
