"""``tsukumo calibrate``: a board is printed, then shown to the camera; the camera's calibration is written."""

from __future__ import annotations

import argparse
import re
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_camera.calibration import write_camera_info
from ar_camera.calibrator import COLUMNS, ROWS, Board, Calibrator
from ar_camera.sources import open_source

A4_MM = (297.0, 210.0)
DPI = 300
SAY_EVERY = 2.0  # seconds


def add(commands: Any) -> None:
    """Add the command to the subparsers of ``tsukumo``."""
    command = commands.add_parser("calibrate", help="find a camera's focal length and distortion with a printed board")
    command.add_argument("--print", dest="print_to", metavar="FILE", help="write the board (.png, .pdf) and exit")
    command.add_argument(
        "--source", default="", help="V4L2 device, video, folder of images or bag that shows the board"
    )
    command.add_argument(
        "--topic", default="", help="of a bag: the pictures to take (default: the topic with the most)"
    )
    command.add_argument("--board", default=f"{COLUMNS}x{ROWS}", metavar="CxR", help="squares (default: %(default)s)")
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
    calibrator = collect(options.source, options.topic, board)
    done = calibrator.solve()
    write_camera_info(Path(options.output), done.intrinsics)
    i = done.intrinsics
    for words in calibrator.missing():
        print(f"could be better: {words}")
    print(
        f"rms {done.rms_px:.2f} px over {len(done.view_rms_px)} views"
        f"; focal length {i.fx:.1f}, {i.fy:.1f} (±{done.focal_px:.1f}) px"
    )
    print(f"{options.output}: use it with --camera-info")
    return 0


def collect(source: str, topic: str, board: Board) -> Calibrator:
    """Views from all pictures of a recorded source; from a live one until nothing is missing, or Ctrl-C."""
    opened = open_source(source, topic=topic)
    calibrator: Calibrator | None = None
    said = time.monotonic()
    try:
        for picture in opened.pictures():
            height, width = picture.image.shape[:2]
            calibrator = calibrator or Calibrator(board, (width, height))
            if (width, height) != calibrator.size:
                raise ValueError(
                    f"source {source}: pictures of {width}x{height} among those of {calibrator.size[0]}x{calibrator.size[1]}"
                )
            calibrator.add(np.asarray(cv2.cvtColor(picture.image, cv2.COLOR_BGR2GRAY), np.uint8))
            if opened.live and not calibrator.missing():
                break
            if opened.live and time.monotonic() - said > SAY_EVERY:
                said = time.monotonic()
                print(f"{len(calibrator.views)} views; {calibrator.missing()[0]}", file=sys.stderr)
    except KeyboardInterrupt:
        print(file=sys.stderr)
    if calibrator is None:
        raise ValueError(f"source {source}: no picture has come")
    return calibrator


def print_board(board: Board, path: Path) -> None:
    """Write the board on an A4 page, landscape; OSError or ValueError, in words, where that is not possible."""
    page = np.full([round(mm / 25.4 * DPI) for mm in A4_MM[::-1]], 255, np.uint8)
    square = min(page.shape[1] // (board.columns + 1), page.shape[0] // (board.rows + 1))
    drawn = board.draw(square)
    y, x = ((p - d) // 2 for p, d in zip(page.shape, drawn.shape, strict=True))
    page[y : y + drawn.shape[0], x : x + drawn.shape[1]] = drawn
    if path.suffix.lower() == ".pdf":
        path.write_bytes(_pdf(page))
    elif path.suffix.lower() != ".png" or not cv2.imwrite(str(path), page):
        raise ValueError(f"{path}: cannot be written; a .png or .pdf in a folder that is there can")


def _pdf(page: NDArray[np.uint8]) -> bytes:
    """One page with one grey picture that fills it (PDF 1.4)."""
    w, h = (mm / 25.4 * 72 for mm in A4_MM)
    pixels, show = zlib.compress(page.tobytes()), f"q {w:.2f} 0 0 {h:.2f} 0 0 cm /Board Do Q".encode()
    picture = f"/Type /XObject /Subtype /Image /Width {page.shape[1]} /Height {page.shape[0]} /ColorSpace /DeviceGray"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {w:.2f} {h:.2f}] /Contents 4 0 R"
        " /Resources << /XObject << /Board 5 0 R >> >> >>".encode(),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(show), show),
        f"<< {picture} /BitsPerComponent 8 /Filter /FlateDecode /Length {len(pixels)} >>\nstream\n".encode()
        + pixels
        + b"\nendstream",
    ]
    out, starts = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        starts.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer
