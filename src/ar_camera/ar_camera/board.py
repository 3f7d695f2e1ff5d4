"""The ChArUco board that a camera is calibrated with: drawn, printed, and found in pictures."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array

Image = NDArray[np.uint8]
COLUMNS, ROWS = 7, 5  # squares
DICTIONARY = "DICT_4X4_50"
CELLS = 8  # of a marker's bits, along a square: one of them is its margin on either side
A4_MM = (297.0, 210.0)
DPI = 300


class Board:
    """A board of columns x rows squares, every other with a marker; lengths in squares."""

    def __init__(self, columns: int = COLUMNS, rows: int = ROWS) -> None:
        aruco: Any = getattr(cv2, "aruco", None)
        if aruco is None or not hasattr(aruco, "CharucoDetector"):
            raise ValueError(f"calibration needs OpenCV 4.7 or newer with its aruco module; this is {cv2.__version__}")
        words = aruco.getPredefinedDictionary(getattr(aruco, DICTIONARY))
        self.columns, self.rows = columns, rows
        if min(columns, rows) < 3 or columns * rows // 2 > len(words.bytesList):
            raise ValueError(
                f"a board of {columns}x{rows} squares: 3x3 at least, and {len(words.bytesList)} markers at most"
            )
        self._board = aruco.CharucoBoard((columns, rows), 1.0, 0.75, words)
        self._detector = aruco.CharucoDetector(self._board)

    def draw(self, square_px: int) -> Image:
        """The board (H, W) uint8 with a white margin of half a square."""
        size = ((self.columns + 1) * square_px, (self.rows + 1) * square_px)
        return np.asarray(self._board.generateImage(size, None, square_px // 2, 1), np.uint8)

    def find(self, grey: Image) -> tuple[Array, Array]:
        """Corners of a picture (H, W): on the board (n, 3), in squares, and in the picture (n, 2), pixels; n may be zero."""
        corners, ids, _, _ = self._detector.detectBoard(grey)
        if ids is None or len(ids) == 0:
            return np.zeros((0, 3)), np.zeros((0, 2))
        places = np.asarray(self._board.getChessboardCorners(), np.float64)[np.ravel(ids)]
        return places, np.asarray(corners, np.float64).reshape(-1, 2)


def print_board(board: Board, path: Path) -> None:
    """Write the board: .png and .pdf on an A4 page, landscape, .svg for screens; OSError or ValueError, in words, otherwise."""
    kind = path.suffix.lower()
    if kind == ".svg":
        path.write_text(svg(board))
    elif kind == ".pdf":
        path.write_bytes(_pdf(_page(board)))
    elif kind != ".png" or not cv2.imwrite(str(path), _page(board)):
        raise ValueError(f"{path}: cannot be written; a .png or .pdf in a folder that is there can")


def svg(board: Board) -> str:
    """The board with its margin as SVG; a unit is a cell of a marker. Sharp where such a unit is a whole number of pixels."""
    dark = board.draw(CELLS) < 128
    height, width = dark.shape
    path = []
    for y, row in enumerate(dark):
        edges = np.flatnonzero(np.diff(np.r_[0, row.astype(np.int8), 0]))
        path += [f"M{a} {y}h{b - a}v1h{a - b}z" for a, b in edges.reshape(-1, 2)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{20 * width}" height="{20 * height}"'
        f' viewBox="0 0 {width} {height}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{width}v{height}H0z"/><path d="{"".join(path)}"/></svg>\n'
    )


def _page(board: Board) -> Image:
    page = np.full([round(mm / 25.4 * DPI) for mm in A4_MM[::-1]], 255, np.uint8)
    square = min(page.shape[1] // (board.columns + 1), page.shape[0] // (board.rows + 1))
    drawn = board.draw(square)
    y, x = ((p - d) // 2 for p, d in zip(page.shape, drawn.shape, strict=True))
    page[y : y + drawn.shape[0], x : x + drawn.shape[1]] = drawn
    return page


def _pdf(page: Image) -> bytes:
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
