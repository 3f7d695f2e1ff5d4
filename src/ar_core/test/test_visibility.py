"""Words for pictures in which nothing can be seen; pictures made up here."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ar_core.visibility import unseeable


def things(strength: float = 1.0) -> np.ndarray:
    """Coloured disks with hard edges on a table, `strength` of full daylight."""
    picture = np.full((480, 640, 3), (110, 140, 165), np.uint8)
    for k in range(6):
        cv2.circle(picture, (80 + 100 * k, 120 + 60 * (k % 4)), 35, (30 * k, 40 * k, 45 * k), -1, cv2.LINE_AA)
    return cv2.convertScaleAbs(picture, alpha=strength)


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_a_sharp_picture_can_be_seen_in_daylight_and_by_a_lamp(strength: float) -> None:
    assert unseeable(things(strength)) == ""


@pytest.mark.parametrize(
    ("picture", "word"),
    [
        (np.zeros((480, 640, 3), np.uint8), "dark"),
        (things(0.08), "dark"),
        (np.full((480, 640, 3), 255, np.uint8), "overexposed"),
        (np.full((480, 640, 3), 128, np.uint8), "sharp"),
        (cv2.GaussianBlur(things(), (0, 0), 30), "sharp"),
        (np.random.default_rng(0).normal(120, 4, (480, 640, 3)).astype(np.uint8), "sharp"),
    ],
    ids=["black", "night", "white", "bare", "out of focus", "noise"],
)
def test_what_is_wrong_is_said(picture: np.ndarray, word: str) -> None:
    assert word in unseeable(picture)


@pytest.mark.parametrize("size", [(64, 48), (1280, 720), (30, 400)])
def test_any_size_will_do(size: tuple[int, int]) -> None:
    assert "dark" in unseeable(np.zeros((*size[::-1], 3), np.uint8))
