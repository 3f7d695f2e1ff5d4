"""Two networks that take turns; played ones, so that what they say, and when, is exact."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ar_core" / "test"))

import drawings

from ar_core.boxes import Box, box_of
from ar_detect.detector import Detection
from ar_detect.sight import Sight, with_drawings

PICTURE = np.zeros((480, 640, 3), np.uint8)
CUP, HEAD = Detection(Box(60, 300, 90, 80), 0.9), Detection(Box(300, 100, 100, 130), 0.9, "face")
PERSON = Detection(Box(305, 95, 100, 140), 0.9)
"""What the other network may call the head."""


class Played:
    """Says the same of every picture, and counts."""

    def __init__(self, *says: Detection) -> None:
        self.says, self.asked = list(says), 0

    def __call__(self, picture: np.ndarray) -> list[Detection]:
        assert picture is PICTURE
        self.asked += 1
        return self.says


def test_the_networks_take_turns_and_both_see_the_first_picture() -> None:
    objects, faces = Played(CUP), Played(HEAD)
    sight = Sight(objects, faces, every=3, every_face=6)  # type: ignore[arg-type]
    turns = []
    for _ in range(14):
        before = objects.asked, faces.asked
        tracks = sight(PICTURE)
        turns.append((objects.asked - before[0], faces.asked - before[1]))
        assert sorted(t.kind for t in tracks) == ["face", "object"]
    assert [k for k, (o, _) in enumerate(turns) if o] == [0, 3, 6, 9, 12]
    assert [k for k, (_, f) in enumerate(turns) if f] == [0, 1, 7, 13]


def test_sparing_they_run_half_as_often_and_what_was_found_stays() -> None:
    objects, faces = Played(CUP), Played(HEAD)
    sight = Sight(objects, faces, every=3, every_face=6)  # type: ignore[arg-type]
    seen = {(t.kind, t.id) for _ in range(25) for t in sight(PICTURE, sparing=True)}
    assert (objects.asked, faces.asked) == (5, 3)
    assert seen == {("object", "1"), ("face", "face-1")}


def test_ids_of_faces_and_objects_stay_and_differ() -> None:
    sight = Sight(Played(CUP), Played(HEAD), every=3, every_face=6)  # type: ignore[arg-type]
    seen = {(t.kind, t.id) for _ in range(30) for t in sight(PICTURE)}
    assert seen == {("object", "1"), ("face", "face-1")}


def test_a_face_is_not_told_again_as_an_object() -> None:
    sight = Sight(Played(CUP, PERSON), Played(HEAD))  # type: ignore[arg-type]
    assert PERSON.box.iou(HEAD.box) > 0.5
    assert {t.kind: t.box.iou(b) > 0.99 for t, b in zip(sight(PICTURE), (HEAD.box, CUP.box), strict=True)} == {
        "face": True,
        "object": True,
    }


def test_without_a_network_for_faces_there_are_objects_only() -> None:
    assert [t.kind for t in Sight(Played(CUP, PERSON))(PICTURE)] == ["object", "object"]  # type: ignore[arg-type]


def test_after_a_new_start_the_first_picture_is_looked_at_by_both() -> None:
    objects, faces = Played(), Played()
    sight = Sight(objects, faces, every=3, every_face=6)  # type: ignore[arg-type]
    sight(PICTURE)
    sight.forget()
    sight(PICTURE)
    assert (objects.asked, faces.asked) == (2, 2)


def test_a_drawing_is_an_object_instead_of_its_parts_and_its_sheet() -> None:
    """What else was found stays; the drawing's box is within 4 pixels of the truth's."""
    d = drawings.drawing("cat", seed=40)
    truth = box_of(d.mask)
    sheet, part, else_ = Box(50, 40, 550, 420), truth.grown(0.5), Box(2, 2, 40, 40)
    found = with_drawings([Detection(b, 0.8) for b in (sheet, part, else_)], d.picture)
    assert len(found) == 2
    drawn = next(f for f in found if f.box != else_)
    assert np.abs(np.array(drawn.box) - np.array(truth)).max() <= 4
    assert drawn.kind == "object"


def test_without_a_drawing_detections_are_as_they_were() -> None:
    found = [CUP, PERSON]
    assert with_drawings(found, PICTURE) is found
