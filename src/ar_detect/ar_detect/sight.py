"""Objects and faces in a stream of pictures: two networks that take turns, and a tracker for each. Drawings on paper are
objects too, and are found without a network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import part_inside
from ar_core.doodles import find_doodles
from ar_detect.detector import Detection, Detector, ranked
from ar_detect.tracking import Track, Tracker

SURE_OBJECT = 0.6
"""Score that starts an object: of tables with unseen things 0.4 show one that is none (training/cards/detect.yaml)."""

SURE_FACE = 0.75
"""Score that starts a face: of 100 photographs without people one shows one (training/cards/face-detect.yaml)."""

SAME = 0.5
"""An object that overlaps as much with a face is that face, and not told twice."""

SURE_DRAWING = 0.9

PAUSE = 2
"""Looks: so long nothing is searched for drawings where there was none."""


class Sight:
    """Feed it every picture, in order; it returns what is there now.

    `objects` runs on every `every`-th picture, `faces` (None: no faces) on every `every_face`-th and not on the same ones,
    so that no picture costs both; on the first, both.
    """

    def __init__(self, objects: Detector, faces: Detector | None = None, every: int = 1, every_face: int = 1) -> None:
        self.objects, self.faces = objects, faces
        self.every, self.every_face = every, every_face
        self.forget()

    def forget(self) -> None:
        """Start anew: other pictures follow."""
        self._objects, self._faces = Tracker(sure=SURE_OBJECT), Tracker(sure=SURE_FACE, prefix="face-")
        self._count = self._bare = 0

    def __call__(self, picture: NDArray[np.uint8], passed: int = 1, *, sparing: bool = False) -> list[Track]:
        """`picture (H, W, 3) bgr8`, `passed` frames of 1/30 s after the last → tracks of both kinds.

        sparing: the networks run half as often.
        """
        k, self._count = self._count, self._count + 1
        every, every_face = (2 * n if sparing else n for n in (self.every, self.every_face))
        objects = _step(self._objects, self._things, k % every == 0, picture, passed)
        if self.faces is None:
            return objects
        due = k == 0 or k % every_face == 1 % every_face
        faces = _step(self._faces, self.faces, due, picture, passed)
        return [*faces, *(o for o in objects if all(o.box.iou(f.box) < SAME for f in faces))]

    def _things(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """Objects and drawings; where there was no drawing, the next `PAUSE` looks are for objects alone."""
        found = self.objects(picture)
        if self._bare:
            self._bare -= 1
            return found
        seen = with_drawings(found, picture)
        self._bare = PAUSE if seen is found else 0
        return seen


def with_drawings(found: list[Detection], picture: NDArray[np.uint8]) -> list[Detection]:
    """`found` and the drawings in `picture`, without what is said of their parts and sheets; the most prominent first."""
    doodles = find_doodles(picture)
    if not doodles:
        return found
    other = [
        d for d in found if all(part_inside(d.box, o.box) < 0.7 and part_inside(o.box, d.box) < 0.7 for o in doodles)
    ]
    drawn = [Detection(doodle.box, SURE_DRAWING) for doodle in doodles]
    return ranked([*other, *drawn], picture.shape[1], picture.shape[0])


def _step(
    tracker: Tracker, detect: Callable[[NDArray[np.uint8]], list[Detection]], due: bool, picture: NDArray[np.uint8],
    passed: int,
) -> list[Track]:  # fmt: skip
    return tracker.update(detect(picture), passed) if due else tracker.coast(passed)
