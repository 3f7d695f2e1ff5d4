"""The board that the page shows is the one that the camera looks for."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_the_pages_board_is_the_calibrations(root: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    if not hasattr(cv2, "aruco"):
        pytest.skip("this OpenCV comes without its aruco module")
    from ar_camera.board import Board, svg

    shipped = root / "src" / "ar_web" / "ar_web" / "page" / "board.svg"
    assert shipped.read_text() == svg(Board())  # made with: ./tsukumo calibrate --print board.svg
