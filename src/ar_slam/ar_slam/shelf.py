"""Where a map's pictures lie: memory that is taken once, so that a map that fills up does not make its process grow.

A slot is free again when nobody holds its picture, nor a part of it, any more.
"""

from __future__ import annotations

import weakref

import numpy as np

from ar_slam.flow import Grey

SLOTS = 96  # a full map's pictures, and those that are held a little longer


class Shelf:
    """Slots for pictures of one size; for a picture of another size, all is taken anew."""

    def __init__(self, slots: int = SLOTS) -> None:
        self._slots = slots
        self._memory = bytearray()
        self._shape: tuple[int, ...] = ()
        self._free: list[int] = []

    def keep(self, picture: Grey) -> Grey:
        """A copy (h, w) uint8 in a slot; where none is free, in memory of its own."""
        if picture.shape != self._shape:
            self._shape, self._memory = picture.shape, bytearray(b"\1") * (self._slots * picture.size)
            self._free = list(range(self._slots))
        if not self._free:
            return picture.copy()
        slot, free = self._free.pop(), self._free
        kept = np.frombuffer(self._memory, np.uint8, picture.size, slot * picture.size)
        weakref.finalize(kept, free.append, slot)
        kept[:] = picture.ravel()
        return kept.reshape(picture.shape)


SHELF = Shelf()  # one for all maps of a process: a new map takes the place of an old one
