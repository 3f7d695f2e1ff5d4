"""The command lines of ``tsukumo profile`` and ``tsukumo compress``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

NNCF = "nncf==3.4.0"


def add(commands: Any) -> None:
    """Add both commands to the subparsers of ``tsukumo``."""
    profile = commands.add_parser("profile", help="what each part of a network costs on this machine")
    profile.add_argument("model", nargs="?", default="segment", help="segment, detect, or a model card (.yaml)")
    profile.add_argument("--threads", type=int, default=1, help="inference threads (default: 1)")
    profile.add_argument("--json", action="store_true", help="the figures as JSON")
    compress = commands.add_parser("compress", help="a smaller network that fits this machine's time or energy")
    compress.add_argument("--model", default="segment", metavar="CARD", help="segment, detect, or a model card (.yaml)")
    budget = compress.add_mutually_exclusive_group(required=True)
    budget.add_argument("--budget-ms", type=float, metavar="MS", help="processor time of an inference")
    budget.add_argument(
        "--budget-mj", type=float, metavar="MJ", help="energy of an inference, where it is counted (RAPL)"
    )
    compress.add_argument(
        "--pictures", type=Path, required=True, metavar="DIR",
        help="what the camera will see: half of them to correct weights with, half to judge by",
    )  # fmt: skip
    compress.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for network and card")
    compress.add_argument(
        "--least", type=float, default=0.0, metavar="0-1",
        help="agreement with the whole network that is asked for at least (default: 0)",
    )  # fmt: skip
    compress.add_argument("--threads", type=int, default=1, help="inference threads (default: 1)")
    compress.add_argument("--int8", action="store_true", help=f"quantise a network in float first (needs {NNCF})")
    compress.add_argument("--json", action="store_true", help="the figures as JSON")


def run(options: argparse.Namespace) -> int:
    """The command that was asked for; what it needs is imported here."""
    from ar_tools.compress import command

    return command.profile(options) if options.command == "profile" else command.compress(options)
