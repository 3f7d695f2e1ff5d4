"""Which network answers which prompt: both are played here, so that every answer is exact."""

from __future__ import annotations

import numpy as np
import pytest

from ar_core.boxes import Box, box_of
from ar_segment.meant import Candidate, Prompts
from ar_segment.segmenter import Segmentation

PICTURE = np.zeros((480, 640, 3), np.uint8)
FACE = Candidate("face-1", Box(300, 100, 100, 120), "face")
CUP = Candidate("1", Box(80, 300, 90, 80), "object")
GLASSES = Candidate("2", Box(320, 130, 60, 20), "object")


class Played:
    """Fills the box it is asked for, less sure than a threshold or not."""

    def __init__(self, objectness: float = 1.0) -> None:
        self.objectness = objectness

    def _filled(self, box: Box) -> Segmentation:
        mask = np.zeros(PICTURE.shape[:2], np.uint8)
        x, y, w, h = (int(v) for v in box)
        mask[y : y + h, x : x + w] = 255
        return Segmentation(mask, self.objectness, box_of(mask), 0.1)

    def box(self, picture: np.ndarray, box: Box) -> Segmentation:
        return self._filled(box)

    def tap(self, picture: np.ndarray, x: float, y: float) -> Segmentation:
        return self._filled(Box(x - 20, y - 20, 40, 40))


def prompts(face_seen: float = 1.0) -> Prompts:
    return Prompts(Played(), Played(face_seen))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("x", "y", "kind"),
    [(350, 200, "face"), (350, 140, "object"), (120, 340, "object"), (500, 400, "object")],
    ids=["face", "glasses before it", "cup", "nothing detected"],
)
def test_a_tap_means_the_smallest_thing_detected_there(x: float, y: float, kind: str) -> None:
    asked = prompts()
    meant = asked.tap(PICTURE, x, y, [FACE, CUP, GLASSES])
    assert meant.kind == kind
    assert meant.by is (asked.faces if kind == "face" else asked.generic)
    assert meant.found.box == (FACE.box if kind == "face" else Box(x - 20, y - 20, 40, 40))


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        (FACE.box.moved(5, 5), "face"),
        (Box(285, 80, 130, 170), "face"),  # with the hair
        (Box(310, 120, 70, 60), "face"),  # eyes and nose
        (Box(320, 130, 30, 15), "object"),  # one eye
        (Box(220, 60, 260, 400), "object"),  # the person
        (CUP.box, "object"),
    ],
)
def test_a_box_means_a_face_when_it_is_about_the_faces_box(box: Box, kind: str) -> None:
    meant = prompts().box(PICTURE, box, [CUP, FACE])
    assert (meant.kind, meant.found.box) == (kind, FACE.box if kind == "face" else box)


def test_a_detection_is_cut_out_by_the_network_of_its_kind() -> None:
    asked = prompts()
    assert asked.detection(PICTURE, FACE).by is asked.faces
    assert asked.detection(PICTURE, CUP).by is asked.generic


def test_a_face_that_the_faces_network_does_not_see_is_an_object_like_any() -> None:
    asked = prompts(face_seen=0.1)
    meant = asked.detection(PICTURE, FACE)
    assert (meant.kind, meant.by, meant.refusal) == ("object", asked.generic, "")


def test_without_a_network_for_faces_all_are_objects() -> None:
    meant = Prompts(Played()).tap(PICTURE, 350, 200, [FACE])  # type: ignore[arg-type]
    assert (meant.kind, meant.refusal) == ("object", "")


def test_what_is_too_small_is_refused_in_words() -> None:
    assert "too small" in prompts().box(PICTURE, Box(10, 10, 8, 8), []).refusal
