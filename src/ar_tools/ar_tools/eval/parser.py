"""The command line of ``tsukumo eval``."""

from __future__ import annotations

import argparse
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

    masks = what.add_parser("masks", help="how well pictures are cut out: mIoU, max F, MAE, boundary F, time")
    masks.add_argument("images", type=Path, help="folder of pictures")
    masks.add_argument("masks", type=Path, help="folder of their true masks, named alike")
    masks.add_argument("--prompt", choices=("none", "box", "tap"), default="none", help="how the object is asked for")
    masks.add_argument(
        "--prompts", type=Path, metavar="FILE",
        help="JSON: picture's name to [x, y] (tap) or [x, y, width, height] (box), in pixels "
        "(default: the true box grown by 5 %%, the mask's most interior point)",
    )  # fmt: skip
    masks.add_argument("--save", type=Path, metavar="DIR", help="leave the soft masks there, PNG")
    video = what.add_parser(
        "video", help="how well an object is followed whose first mask is given: J, boundary F, time"
    )
    video.add_argument("clip", nargs="+", type=Path, help="folder with images/ and masks/")
    for command in (masks, video):
        command.add_argument(
            "--model", default="segment", metavar="CARD", help="a model card (.yaml) or a model of ours (segment)"
        )
        command.add_argument("--json", action="store_true", help="the figures as JSON; of several clips by their names")
    boxes = what.add_parser("boxes", help="how well objects and faces are found: recall, false boxes, changed ids")
    boxes.add_argument("images", type=Path, help="folder of pictures, or of a clip's frames in order")
    boxes.add_argument(
        "masks", type=Path,
        help="folder of their true masks, named alike: a grey value or a colour per object, or black and white",
    )  # fmt: skip
    boxes.add_argument(
        "--kind", choices=("any", "object", "face"), default="any", help="count detections of one kind only"
    )
    boxes.add_argument(
        "--model", default="detect", metavar="CARD", help="a model card (.yaml) or a model of ours (detect)"
    )
    boxes.add_argument("--faces", default="face", metavar="CARD", help="the same for faces; '' for none")
    boxes.add_argument("--json", action="store_true", help="the figures as JSON")


def run(options: argparse.Namespace) -> int:
    """The command that was asked for; the exit code. What it needs is imported here: the networks alone take a moment."""
    if options.what == "masks":
        from ar_tools.eval.masks import eval_masks

        return eval_masks(options)
    if options.what == "video":
        from ar_tools.eval.video import eval_video

        return eval_video(options)
    if options.what == "boxes":
        from ar_tools.eval.boxes import eval_boxes

        return eval_boxes(options)
    from ar_tools.eval.slam import eval_slam

    return eval_slam(options)
