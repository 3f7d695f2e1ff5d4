"""Pictures of another place in the middle of a sequence, or for good: what must never be taken for the first one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ar_core.geometry import Array
from sequences.texture import Image

if TYPE_CHECKING:
    from sequences.catalogue import Sequence


@dataclass(frozen=True)
class Spliced:
    """`own`, with `seconds` of `other` from `at` seconds on; then it goes on where it was left. Iterate as a Sequence.

    The poses of the other place are None: in the map of the first they mean nothing.
    """

    own: Sequence
    other: Sequence
    at: float
    seconds: float = 2.0

    @property
    def foreign(self) -> slice:
        """Which pictures are of the other place."""
        begin = round(self.at * self.own.rate)
        return slice(begin, begin + min(round(self.seconds * self.own.rate), len(self.other)))

    def __len__(self) -> int:
        return len(self.own) + self.foreign.stop - self.foreign.start

    def __iter__(self) -> Iterator[tuple[float, Image, Array | None]]:
        own, other, part = iter(self.own), iter(self.other), self.foreign
        for k in range(len(self)):
            inside = part.start <= k < part.stop
            _, picture, T = next(other if inside else own)
            yield k / self.own.rate, picture, None if inside else T
