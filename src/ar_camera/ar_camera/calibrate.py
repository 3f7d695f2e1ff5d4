"""``tsukumo calibrate``: a board is printed, then shown to the camera; the camera's calibration is written."""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ar_camera.board import COLUMNS, ROWS, Board, print_board
from ar_camera.calibrator import Calibrator
from ar_camera.guidance import Guide
from ar_camera.sources import open_source
from ar_core.camera_info import write_camera_info
from ar_core.lens import MODELS, PLUMB_BOB

SAY_EVERY = 2.0  # seconds


def add(commands: Any) -> None:
    """Add the command to the subparsers of ``tsukumo``."""
    command = commands.add_parser("calibrate", help="find a camera's focal length and distortion with a printed board")
    command.add_argument("--print", dest="print_to", metavar="FILE", help="write the board (.png, .pdf, .svg) and exit")
    command.add_argument(
        "--source", default="", help="V4L2 device, video, folder of images or bag that shows the board"
    )
    command.add_argument(
        "--topic", default="", help="of a bag: the pictures to take (default: the topic with the most)"
    )
    command.add_argument("--board", default=f"{COLUMNS}x{ROWS}", metavar="CxR", help="squares (default: %(default)s)")
    command.add_argument(
        "--model", default=PLUMB_BOB, choices=MODELS, help="of the lens; equidistant: a fisheye (default: %(default)s)"
    )
    command.add_argument("-o", "--output", default="camera.yaml", help="default: %(default)s")


def calibrate(options: argparse.Namespace) -> int:
    """The command: 0; ValueError, in words, where there is no calibration."""
    columns_rows = re.fullmatch(r"(\d+)x(\d+)", options.board)
    if columns_rows is None:
        raise ValueError(f"--board {options.board}: columns x rows is needed, such as {COLUMNS}x{ROWS}")
    board = Board(int(columns_rows[1]), int(columns_rows[2]))
    if options.print_to:
        print_board(board, Path(options.print_to))
        print(f"{options.print_to}: print it on A4, or show it on a screen, and keep it flat; then --source CAMERA")
        return 0
    if not options.source:
        raise ValueError("calibrate: --source CAMERA, or --print FILE for a board to show it")
    calibrator = collect(options.source, options.topic, board, options.model)
    done = calibrator.solve()
    write_camera_info(Path(options.output), done.intrinsics)
    i = done.intrinsics
    for words in calibrator.missing():
        print(f"could be better: {words}")
    within = f" (±{done.focal_px:.1f})" if np.isfinite(done.focal_px) else ""
    print(
        f"rms {done.rms_px:.2f} px over {len(done.view_rms_px)} views, {done.meaning}"
        f"; focal length {i.fx:.1f}, {i.fy:.1f}{within} px"
    )
    print(f"{options.output}: use it with --camera-info")
    return 0


def collect(source: str, topic: str, board: Board, model: str = PLUMB_BOB) -> Calibrator:
    """Views from all pictures of a recorded source; from a live one until nothing is missing, or Ctrl-C."""
    opened = open_source(source, topic=topic)
    guide: Guide | None = None
    said = time.monotonic()
    try:
        for picture in opened.pictures():
            height, width = picture.image.shape[:2]
            guide = guide or Guide(Calibrator(board, (width, height), model))
            calibrator = guide.calibrator
            if (width, height) != calibrator.size:
                raise ValueError(
                    f"source {source}: pictures of {width}x{height} among those of {calibrator.size[0]}x{calibrator.size[1]}"
                )
            now, sight = (
                time.monotonic(),
                calibrator.see(np.asarray(cv2.cvtColor(picture.image, cv2.COLOR_BGR2GRAY), np.uint8)),
            )
            advice = guide.advise(sight, now)
            if opened.live and guide.done:
                break
            if opened.live and now - said > SAY_EVERY:
                said = now
                print(f"{len(calibrator.views)} views. {advice.headline}. {advice.hint}", file=sys.stderr)
    except KeyboardInterrupt:
        print(file=sys.stderr)
    if guide is None:
        raise ValueError(f"source {source}: no picture has come")
    return guide.calibrator
