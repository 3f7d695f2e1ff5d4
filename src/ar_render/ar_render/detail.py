"""How finely characters are drawn, so that a picture does not take longer than it may."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

_SEEN = 15  # pictures that are measured before anything is changed
_CALM = 90  # pictures well below the budget before more is tried
_LONGEST = 3600  # pictures after which more is tried again, however often it was too much


@dataclass(frozen=True)
class Detail:
    """samples of multisampling; half: the characters are drawn at half the picture's resolution."""

    samples: int
    half: bool = False

    def __str__(self) -> str:
        return f"{self.samples} samples, {'half' if self.half else 'full'} resolution"


def choices(samples: int) -> tuple[Detail, ...]:
    """From the finest, with so many samples, to the coarsest."""
    return (*([Detail(samples)] if samples else []), Detail(0), Detail(0, half=True))


class Budget:
    """Picks one of the choices by what pictures took: down when most of the last took too long, up again after a while well
    below; whenever up was too much, the while is doubled. Without a budget the first choice stays."""

    def __init__(self, seconds: float, details: tuple[Detail, ...]) -> None:
        self._budget, self._details = seconds, details
        self._level, self._tried = 0, 0
        self._patience = _CALM
        self._took: deque[float] = deque(maxlen=_SEEN)
        self._at_level = 0

    @property
    def detail(self) -> Detail:
        return self._details[self._level]

    def took(self, seconds: float) -> bool:
        """A picture took so long; whether the choice is another one now."""
        if self._budget <= 0:
            return False
        self._took.append(seconds)
        self._at_level += 1
        if len(self._took) < _SEEN:
            return False
        typical = float(np.median(self._took))
        if typical > self._budget and self._level + 1 < len(self._details):
            if self._level == self._tried:  # it has just come up to here
                self._patience = min(2 * self._patience, _LONGEST)
            return self._go(self._level + 1)
        if typical < 0.5 * self._budget and self._level > 0 and self._at_level >= self._patience:
            self._tried = self._level - 1
            return self._go(self._level - 1)
        return False

    def _go(self, level: int) -> bool:
        self._level, self._at_level = level, 0
        self._took.clear()
        return True
