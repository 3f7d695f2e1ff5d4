"""The views that were drawn in the last half minute, by the stamps of their pictures."""

from __future__ import annotations

from collections import OrderedDict

from .actors import Seen

_REMEMBERED = 900  # half a minute
_NEAR_NS = 200_000_000


class Views:
    """Empty until a picture's pose was known; stamps are nanoseconds and come in order."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, Seen] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._seen)

    def remember(self, stamp: int, seen: Seen) -> None:
        """The view of the newest picture."""
        self._seen[stamp] = seen
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    def forget(self) -> None:
        """The stamps start over."""
        self._seen.clear()

    def exactly(self, stamp: int) -> Seen | None:
        """The view of the picture with this stamp."""
        return self._seen.get(stamp)

    def near(self, stamp: int) -> Seen | None:
        """The view that is nearest in time, at most a fifth of a second away."""
        nearest = min(self._seen, key=lambda s: abs(s - stamp), default=None)
        return self._seen[nearest] if nearest is not None and abs(nearest - stamp) < _NEAR_NS else None

    def of(self, stamp: int) -> Seen:
        """The view of a picture (0: the newest); ValueError where none is known."""
        seen = self.near(stamp) if stamp else next(reversed(self._seen.values()), None)
        if seen is None:
            raise ValueError("no pose is known for that picture; is tracking lost?")
        return seen

    def last_in(self, map_id: int) -> Seen | None:
        """The newest view of a map."""
        return next((seen for seen in reversed(self._seen.values()) if seen.map_id == map_id), None)
