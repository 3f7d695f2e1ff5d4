"""The command line of ``tsukumo eval``."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add the command to the subparsers of ``tsukumo``."""
    what = commands.add_parser("eval", help="how good a stage is on recordings").add_subparsers(
        dest="what", required=True, metavar="WHAT"
    )
    slam = what.add_parser(
        "slam", help="trajectory, anchor and relocalisation errors, on TUM folders, calibrated videos, bags"
    )
    slam.add_argument("sequence", nargs="+", type=Path)
    slam.add_argument("--save", type=Path, metavar="FILE", help="the poses as they were published, TUM format")
    slam.add_argument("--json", action="store_true", help="the figures as JSON; of several sequences by their names")
    slam.add_argument("--plot", type=Path, metavar="DIR", help="leave pictures of the trajectories there")
    slam.add_argument(
        "--camera-height", type=float, default=0.0, metavar="M",
        help="of the first camera over the plane: the scale (default: the truth's z where that is positive, else 0.4)",
    )  # fmt: skip
    slam.add_argument("--live", action="store_true", help="take the mapping thread's results whenever they come")
