"""The command line of ``tsukumo bench``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ar_tools.graph import project_root


def add(commands: Any) -> None:
    """Add the command to the subparsers of ``tsukumo``."""
    bench = commands.add_parser("bench", help="measure the graph: pictures, latency, CPU, transport, memory")
    what = bench.add_subparsers(dest="what", required=True, metavar="WHAT")
    graph = what.add_parser(
        "graph", help="the whole graph, with a character awake and one page open as a raw stream client",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )  # fmt: skip
    known = project_root() / "benchmarks" / "baseline.json"
    graph.add_argument("--source", default="embedded", help="as for demo; a recording is looped")
    graph.add_argument("--camera-info", default="", help="calibration (camera_info YAML)")
    graph.add_argument("--seconds", type=float, default=60.0, help="how long, once a character is awake")
    graph.add_argument("--json", nargs="?", const="-", metavar="FILE", help="all figures; without FILE on stdout")
    graph.add_argument(
        "--profile", type=Path, metavar="DIR", help="leave a flame graph of every node there (costs some)"
    )
    graph.add_argument("--page", action=argparse.BooleanOptionalAction, default=True, help="a page that looks on")
    graph.add_argument("--port", type=int, default=8080, help="port of the page")
    graph.add_argument(
        "--baseline", type=Path, nargs="?", const=known, metavar="FILE", help="compare with figures kept (benchmarks/)"
    )
    graph.add_argument(
        "--write-baseline", type=Path, nargs="?", const=known, metavar="FILE", help="keep the figures to compare with"
    )
    graph.add_argument("--single", action="store_true", help="all stages in one process (composition:=single)")
    graph.add_argument("--verbose", action="store_true", help="show everything that the nodes say")
