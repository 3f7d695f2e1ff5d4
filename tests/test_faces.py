"""The shipped networks for faces on a portrait in the public domain: found, followed by one id, cut out with its hair."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ar_camera import embedded
from ar_core.boxes import Box
from ar_core.model_card import find_card
from ar_detect.detector import Detector
from ar_detect.sight import SURE_FACE, Sight
from ar_detect.tracking import Tracker
from ar_segment.faces import FaceSegmenter
from ar_segment.meant import Candidate, Prompts
from ar_segment.segmenter import Segmenter
from ar_segment.video import Follower

Picture = np.ndarray
HEAD = np.array(
    [(308, 140), (330, 95), (385, 60), (420, 42), (470, 32), (530, 48), (570, 75), (600, 130), (602, 190), (575, 240),
     (548, 270), (535, 275), (515, 320), (490, 350), (445, 362), (400, 350), (372, 320), (360, 262), (345, 250),
     (318, 215), (308, 180)]
) * (400 / 1024)  # fmt: skip
"""The head's outline with its hair, drawn by hand; pixels of the portrait."""

FACE = Box(130, 36, 94, 106)
"""From ear to ear, from the middle of the hair to the chin."""


@pytest.fixture(scope="module")
def portrait() -> Picture:
    picture = cv2.imread(str(Path(__file__).parent / "portrait" / "astronaut.jpg"))
    assert picture is not None
    return picture


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(find_card("face", "ar_detect"), kind="face")


@pytest.fixture(scope="module")
def segmenter() -> FaceSegmenter:
    return FaceSegmenter(find_card("face", "ar_segment"))


def on_a_table(portrait: Picture, zoom: float, x: float, y: float) -> tuple[Picture, np.ndarray]:
    """The portrait on a plain 640x480 surface, `zoom` times its size, its corner at `x, y`; the matrix that put it there."""
    matrix = np.array([[zoom, 0, x], [0, zoom, y]])
    table = np.full((480, 640, 3), (150, 160, 165), np.uint8)
    small = cv2.GaussianBlur(portrait, (0, 0), max(0.01, 0.35 / zoom))  # no aliasing
    cv2.warpAffine(small, matrix, (640, 480), dst=table, borderMode=cv2.BORDER_TRANSPARENT)
    return table, matrix


def moved(box: Box, matrix: np.ndarray) -> Box:
    zoom, x, y = matrix[0, 0], matrix[0, 2], matrix[1, 2]
    return Box(box.x * zoom + x, box.y * zoom + y, box.width * zoom, box.height * zoom)


def sure(detector: Detector, picture: Picture) -> list[Box]:
    return [d.box for d in detector(picture) if d.score >= SURE_FACE]


@pytest.mark.parametrize("height", [60, 80, 130, 190])
def test_the_face_is_found_at_any_size(detector: Detector, portrait: Picture, height: int) -> None:
    """One box, IoU with the box drawn by hand at least 0.55."""
    picture, matrix = on_a_table(portrait, height / FACE.height, 120.0, 40.0)
    found = sure(detector, picture)
    assert len(found) == 1
    assert found[0].iou(moved(FACE, matrix)) >= 0.55


def test_no_face_is_found_among_the_things_on_a_table(detector: Detector) -> None:
    """Every sixth frame of the embedded clip, as in the graph."""
    capture = cv2.VideoCapture(str(embedded.load().clip))
    n, tracker = 0, Tracker(sure=SURE_FACE)
    while capture.grab():
        if n % 6 == 0:
            ok, picture = capture.retrieve()
            assert ok
            assert tracker.update(detector(picture), 6) == [], f"frame {n}"
        n += 1
    assert n > 300


def test_a_face_that_moves_keeps_its_id(detector: Detector, portrait: Picture) -> None:
    """Two seconds across the picture, larger and smaller; seen in every frame, IoU at least 0.5."""
    sight = Sight(Detector(find_card("detect", "ar_detect")), detector, every=3, every_face=6)
    ids = set()
    for k in range(60):
        zoom = 0.8 + 0.15 * np.sin(k / 15)
        picture, matrix = on_a_table(portrait, zoom, -20.0 + 4 * k, 60.0 - k)
        faces = [t for t in sight(picture) if t.kind == "face"]
        truth = moved(FACE, matrix)
        best = max(faces, key=lambda t: t.box.iou(truth))
        assert best.box.iou(truth) >= 0.5, f"frame {k}"
        ids.add(best.id)
    assert len(ids) == 1


def head_mask(matrix: np.ndarray) -> Picture:
    outline = HEAD @ matrix[:, :2].T + matrix[:, 2]
    return cv2.fillPoly(np.zeros((480, 640), np.uint8), [outline.round().astype(np.int32)], 255)


def iou(a: Picture, b: Picture) -> float:
    return float(np.count_nonzero((a > 127) & (b > 127)) / np.count_nonzero((a > 127) | (b > 127)))


@pytest.mark.parametrize("zoom", [0.5, 1.0, 1.4])
def test_the_head_is_cut_out_with_its_hair(segmenter: FaceSegmenter, portrait: Picture, zoom: float) -> None:
    """IoU with the outline drawn by hand at least 0.85, the box a little off."""
    picture, matrix = on_a_table(portrait, zoom, 60.0, 20.0)
    box = moved(FACE, matrix)
    found = segmenter.box(picture, box.moved(0.05 * box.width, -0.04 * box.height))
    assert iou(found.mask, head_mask(matrix)) >= 0.85
    assert found.doubt < 0.6


def test_eyes_and_mouth_are_where_they_are(segmenter: FaceSegmenter, portrait: Picture) -> None:
    """Centres of hair, eyes and mouth, each within a twelfth of the window of what is drawn by hand."""
    from ar_segment.faces import WINDOW
    from ar_segment.windows import around

    window = around(FACE, WINDOW)
    look = segmenter.see(portrait, window)
    hair, eyes, mouth = segmenter.network(look.view)["regions"]
    assert (eyes > 0.5).any()
    assert (mouth > 0.5).any()
    for region, (x, y) in ((eyes, (447, 205)), (mouth, (447, 290))):
        rows, columns = np.nonzero(region > 0.5)
        h, w = region.shape
        at = window.x + columns.mean() * window.width / w, window.y + rows.mean() * window.height / h
        assert np.hypot(at[0] - x * 400 / 1024, at[1] - y * 400 / 1024) < window.width / 12
    row, column = (np.array([90, 450]) * 400 / 1024 - (window.y, window.x)) * np.array(hair.shape) / window[3:1:-1]
    assert hair[int(row), int(column)] > 0.5


def test_a_tap_on_a_detected_face_means_the_head(
    detector: Detector, segmenter: FaceSegmenter, portrait: Picture
) -> None:
    """… and the same network follows it: IoU at least 0.8 over a second of motion."""
    prompts = Prompts(Segmenter(find_card("segment", "ar_segment")), segmenter)
    picture, matrix = on_a_table(portrait, 1.0, 60.0, 20.0)
    (box,) = sure(detector, picture)
    meant = prompts.tap(picture, *box.centre, [Candidate("face-1", box, "face")])
    assert (meant.kind, meant.refusal) == ("face", "")
    assert iou(meant.found.mask, head_mask(matrix)) >= 0.85
    follower = Follower(meant.by, picture, meant.found)
    for k in range(1, 31):
        picture, matrix = on_a_table(portrait, 1.0, 60.0 + 3 * k, 20.0 + k)
        followed = follower(picture)
        assert not followed.lost
        assert iou(followed.mask, head_mask(matrix)) >= 0.8, f"frame {k}"


def test_where_no_face_is_the_head_network_says_so(segmenter: FaceSegmenter) -> None:
    scene = embedded.load()
    ok, picture = cv2.VideoCapture(str(scene.clip)).read()
    assert ok
    prompts = Prompts(Segmenter(find_card("segment", "ar_segment")), segmenter)
    box = Box(float(picture.shape[1]) * 0.3, float(picture.shape[0]) * 0.3, 140.0, 160.0)
    assert prompts.detection(picture, Candidate("face-1", box, "face")).kind == "object"
