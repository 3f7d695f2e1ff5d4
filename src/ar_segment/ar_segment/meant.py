"""What a tap, a box, a detection or nothing means in a picture: which object, and which network knows its kind; a drawing
on paper is known without one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box, part_inside, prominence
from ar_segment.drawings import DrawingSegmenter
from ar_segment.faces import FaceSegmenter
from ar_segment.pattern import repeated
from ar_segment.prominent import most_prominent
from ar_segment.segmenter import Segmentation, Segmenter
from ar_segment.worth import why_not

Picture = NDArray[np.uint8]

FACE = "face"
SAME = 0.35
"""A box that overlaps as much with a face's box means the face, with or without its hair."""


@dataclass(frozen=True)
class Candidate:
    """One detection: its id, where, what."""

    id: str
    box: Box
    kind: str


@dataclass(frozen=True)
class Meant:
    """What was found, its kind, and the network that knows it: the same one follows it."""

    found: Segmentation
    kind: str
    by: Segmenter
    refusal: str = ""
    """Why it is not to be awakened, in words; empty when it is."""


@dataclass(frozen=True)
class Prompts:
    """Answers prompts with the `generic` network or, where a face is meant, with that for `faces` (None: there is none).

    `candidates`: the picture's detections, best first.
    """

    generic: Segmenter
    faces: FaceSegmenter | None = None
    drawings: DrawingSegmenter = field(default_factory=DrawingSegmenter)

    def tap(self, picture: Picture, x: float, y: float, candidates: list[Candidate]) -> Meant:
        """What is at the pixel `x, y`: of the smallest detection around it the kind, and if that is a face, the head."""
        around = [
            c for c in candidates if c.box.x <= x <= c.box.x + c.box.width and c.box.y <= y <= c.box.y + c.box.height
        ]
        smallest = min(around, key=lambda c: c.box.area, default=None)
        kind = smallest.kind if smallest else "object"
        if known := self._head(picture, smallest) or self._drawn(self.drawings.tap(picture, x, y)):
            return known
        return self._plain(self.generic.tap(picture, x, y), kind)

    def box(self, picture: Picture, box: Box, candidates: list[Candidate]) -> Meant:
        """What is in `box` (picture pixels)."""
        same = max(candidates, key=lambda c: box.iou(c.box), default=None)
        kind = same.kind if same and _means(box, same.box) else "object"
        if known := self._head(picture, _face(box, candidates)) or self._drawn(self.drawings.box(picture, box)):
            return known
        return self._plain(self.generic.box(picture, box), kind)

    def detection(self, picture: Picture, candidate: Candidate) -> Meant:
        """What was detected."""
        if known := self._head(picture, candidate) or self._drawn(self.drawings.box(picture, candidate.box)):
            return known
        return self._plain(self.generic.box(picture, candidate.box), candidate.kind)

    def prominent(self, picture: Picture, candidates: list[Candidate]) -> Meant:
        """The most prominent object; a pattern's part is none. Where nothing else is clear, the most prominent face."""
        found = most_prominent(self.generic, picture, [c.box for c in candidates])
        drawing = self._drawn(self.drawings.salient(picture))
        if drawing and (found is None or _outdoes(drawing.found.box, found.box, picture)):
            return drawing
        if found is not None and repeated(picture, found.box):
            return Meant(found, "object", self.generic, "only a pattern is seen here, no object that stands out")
        face = _face(found.box, candidates) if found else next((c for c in candidates if c.kind == FACE), None)
        if head := self._head(picture, face):
            return head
        return self._plain(found if found is not None else self.generic.salient(picture), "object")

    def _plain(self, found: Segmentation, kind: str) -> Meant:
        return Meant(found, kind if kind != FACE else "object", self.generic, why_not(found))

    def _drawn(self, found: Segmentation) -> Meant | None:
        """A drawing as it was found; None where there is none."""
        return None if why_not(found) else Meant(found, "object", self.drawings)

    def _head(self, picture: Picture, candidate: Candidate | None) -> Meant | None:
        """The head of a detected face; None where it is no face, or the network for faces sees none."""
        if self.faces is None or candidate is None or candidate.kind != FACE:
            return None
        found = self.faces.box(picture, candidate.box)
        return None if why_not(found) else Meant(found, FACE, self.faces)


def _outdoes(drawing: Box, other: Box, picture: Picture) -> bool:
    """Is the drawing what is meant? It is where the other is a part of it or its sheet, or is less prominent."""
    if part_inside(drawing, other) > 0.8 or part_inside(other, drawing) > 0.8:
        return True
    height, width = picture.shape[:2]
    return prominence(drawing, width, height) > prominence(other, width, height)


def _means(box: Box, detected: Box) -> bool:
    return box.iou(detected) >= SAME


def _face(box: Box, candidates: list[Candidate]) -> Candidate | None:
    """The face that a box means: about the same box, or the box is a good part of the face."""
    faces = [c for c in candidates if c.kind == FACE]
    best = max(faces, key=lambda c: box.iou(c.box), default=None)
    if best is None:
        return None
    part = part_inside(box, best.box) > 0.85 and box.area > 0.25 * best.box.area
    return best if part or _means(box, best.box) else None
