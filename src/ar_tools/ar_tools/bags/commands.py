"""The commands about bags: ``record``, ``bag info``, ``bag repair``, ``compare``."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
COMMANDS = ("record", "bag", "compare")


def add_parsers(commands: Any) -> None:
    """Describe the commands to argparse (``commands``: what ``add_subparsers`` gave)."""
    record = commands.add_parser("record", help="record topics of the graph into a bag (mcap) until Ctrl-C")
    record.add_argument("topics", nargs="*", help="what to record (default: everything of the topic contract)")
    record.add_argument("-o", "--output", required=True, type=Path, help="folder of the new bag")
    record.add_argument("--storage", default="mcap", choices=("mcap", "sqlite3"))
    record.add_argument("--compressed", action="store_true", help="the compressed pictures instead of the raw ones")
    record.add_argument("--max-size", type=size, default=0, metavar="BYTES", help="end at this size (500M, 2G)")
    record.add_argument("--max-duration", type=float, default=0.0, metavar="S", help="end after so many seconds")
    record.add_argument("--split-size", type=size, default=0, metavar="BYTES", help="a new file at this size")
    record.add_argument(
        "--split-duration", type=float, default=0.0, metavar="S", help="a new file after so many seconds"
    )
    record.add_argument("--verbose", action="store_true", help="say when messages are safe from the end of the process")

    bag = commands.add_parser("bag", help="look into a bag, or repair one that was torn off")
    actions = bag.add_subparsers(dest="action", required=True, metavar="ACTION")
    info = actions.add_parser("info", help="topics, counts, times and QoS of a bag")
    info.add_argument("bag", type=Path)
    repair = actions.add_parser("repair", help="make a readable bag of what is there")
    repair.add_argument("bag", type=Path)
    repair.add_argument("-o", "--output", type=Path, help="leave the old bag alone, put the new one here")

    compare = commands.add_parser(
        "compare", help="what differs between two bags: 0 nothing, 1 something, 2 cannot tell"
    )
    compare.add_argument("bag", type=Path, nargs=2)
    compare.add_argument("--require", default="", metavar="TOPIC,…", help="these must be there for every input frame; "
                         "only they decide")  # fmt: skip
    compare.add_argument("--html", type=Path, metavar="DIR", help="a report with plots and pictures side by side")


def size(text: str) -> int:
    """Bytes from ``500M`` or ``2GB``."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text.lower())
    if match is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no size (500M, 2G)")
    return int(float(match[1]) * UNITS[match[2]])


def run(options: argparse.Namespace) -> int:
    """Run one of the commands; the exit code. A ValueError is one line for the user."""
    if options.command == "record":
        from ar_tools.record import record
        from ar_tools.recording import Limits

        limits = Limits(options.max_size, options.max_duration, options.split_size, options.split_duration)
        return record(
            options.topics,
            options.output,
            storage=options.storage,
            compressed=options.compressed,
            limits=limits,
            verbose=options.verbose,
        )
    if options.command == "compare":
        from ar_tools.bags.compare_table import main

        return main(options.bag[0], options.bag[1], options.require, options.html)
    if options.action == "info":
        from ar_tools.bags.info import info

        print(info(options.bag))
        return 0
    from ar_tools.bags.repair import repair

    print("\n".join(repair(options.bag, options.output).lines()), file=sys.stderr)
    return 0
