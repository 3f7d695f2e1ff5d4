"""What to do with the board now, in words, from what has been seen of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ar_camera.calibrator import COVERED, ENOUGH_VIEWS, FAR, NEAR, PARTS, TILTED, Calibrator, Sight
from ar_core.geometry import Array, Intrinsics

UNSEEN_S = 20.0  # after which it is said what may be wrong
GLANCE_S = 1.5  # for which a board may be out of sight without a word
PRAISE_S = 0.8
ACROSS, DOWN = ("left", "left", "middle", "right", "right"), ("upper", "upper", "lower", "lower")


@dataclass(frozen=True)
class Advice:
    """What to do now, and why; target: where in the picture to bring the board (x0, y0, x1, y1: 0..1); missing, in words."""

    headline: str
    hint: str
    missing: tuple[str, ...] = ()
    progress: float = 0.0
    target: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Goal:
    """A way to hold the board: met by a look whose number `part` is beyond the limit in the direction of `sign`."""

    headline: str
    missing: str
    part: int
    sign: int
    limit: float

    def met(self, looks: Array) -> np.ndarray:
        """For each of the looks (n, 5), whether it shows that: (n,) bool."""
        return np.asarray(self.sign * looks[:, self.part] > self.limit)


GOALS = (
    Goal("Tilt it: its left side towards the camera", "tilted: left side near", 3, 1, TILTED),
    Goal("Tilt it: its right side towards the camera", "tilted: right side near", 3, -1, TILTED),
    Goal("Tilt it: its upper side towards the camera", "tilted: upper side near", 4, 1, TILTED),
    Goal("Tilt it: its lower side towards the camera", "tilted: lower side near", 4, -1, TILTED),
    Goal("Closer to the camera", "close to the camera", 2, 1, NEAR),
    Goal("Farther from the camera", "farther from the camera", 2, -1, -FAR),
)


@dataclass
class Guide:
    """Leads somebody through a calibration. square_mm: side of the board's squares; 0: not known."""

    calibrator: Calibrator
    square_mm: float = 0.0
    _seen_at: float | None = None
    _praised_at: float = -np.inf
    _began: float | None = None
    _rest: list[Goal] = field(default_factory=lambda: list(GOALS))

    @property
    def done(self) -> bool:
        """Whether nothing is missing any more."""
        return not self._missing()

    def wants(self, look: Array) -> bool:
        """Whether the board is held in a way that is missing; look (5,): of a ``Sight``."""
        return any(goal.met(look[None])[0] for goal in self._rest)

    def advise(self, sight: Sight, now: float) -> Advice:
        """What to do after the newest picture; now: seconds of any clock that does not go back."""
        self._began = now if self._began is None else self._began
        if sight.outline is not None:
            self._seen_at = now
        if sight.kept:
            self._praised_at = now
            looks = self.calibrator.looks()
            self._rest = [goal for goal in self._rest if not goal.met(looks).any()]
        headline, hint, target = self._words(sight, now)
        return Advice(headline, hint, tuple(self._missing()), self._progress(), target)

    def _words(self, sight: Sight, now: float) -> tuple[str, str, tuple[float, float, float, float] | None]:
        unseen = now - (self._began if self._seen_at is None else self._seen_at)  # type: ignore[operator]
        if sight.look is None and unseen >= UNSEEN_S:
            hint = "All of it, flat, evenly lit, without reflections? Is it the board of this page?"
            return f"No board seen for {unseen:.0f} s", hint, None
        if sight.look is None and (self._seen_at is None or unseen >= GLANCE_S):
            if sight.corners:
                return "I see a part of it only", "Show more of the board.", None
            return "Show me the board", "All of it, flat and evenly lit.", None
        headline, target = self._next(sight)
        if now - self._praised_at < PRAISE_S:
            return headline, f"View {len(self.calibrator.views)} is kept.", target
        if sight.look is None:
            return headline, "Keep it in sight.", target
        if not sight.sharp:
            return headline, "Too blurred: hold it still, give it more light, or clean the lens.", target
        if not sight.steady:
            return headline, f"Then hold it still.{self._distance(sight)}", target
        return headline, f"A little more of that.{self._distance(sight)}", target

    def _next(self, sight: Sight) -> tuple[str, tuple[float, float, float, float] | None]:
        """The next thing to do: as the board is held now if that is one of those missing."""
        if not self.calibrator.views:
            return "Hold the board still", None
        if sight.look is not None and self.wants(sight.look):
            return "Like that: hold it still", None
        if self._rest:
            return self._rest[0].headline, None
        covered = self.calibrator.covered()
        if covered.mean() < COVERED:
            look = sight.look if sight.look is not None else self.calibrator.views[-1].look
            y, x = np.argwhere(~covered)[_nearest(np.argwhere(~covered), look)]
            where = f"{DOWN[y]} {ACROSS[x]}"
            return f"Bring it to the {where}", (x / PARTS[0], y / PARTS[1], (x + 1) / PARTS[0], (y + 1) / PARTS[1])
        return "Move it on: other places, other tilts", None

    def _missing(self) -> list[str]:
        out = [goal.missing for goal in self._rest]
        covered = int(self.calibrator.covered().sum())
        wanted = int(np.ceil(COVERED * PARTS[0] * PARTS[1]))
        if covered < wanted:
            out.append(f"{wanted - covered} more parts of the picture")
        if len(self.calibrator.views) < ENOUGH_VIEWS:
            out.append(f"{ENOUGH_VIEWS - len(self.calibrator.views)} more views")
        return out

    def _progress(self) -> float:
        views = min(1.0, len(self.calibrator.views) / ENOUGH_VIEWS)
        parts = min(1.0, float(self.calibrator.covered().mean()) / COVERED)
        return (views + parts + 1 - len(self._rest) / len(GOALS)) / 3

    def _distance(self, sight: Sight) -> str:
        """How far away it is, by a guessed focal length; nothing where the size of its squares is not known."""
        if self.square_mm <= 0 or sight.look is None:
            return ""
        (w, h), board = self.calibrator.size, self.calibrator.board
        f = Intrinsics.from_field_of_view(w, h).fx
        mm = f * self.square_mm * np.sqrt(board.columns * board.rows) / (float(sight.look[2]) * np.sqrt(w * h))
        return f" It is about {mm / 10:.0f} cm away."


def _nearest(cells: np.ndarray, look: Array) -> int:
    """Which of the cells (n, 2), row and column, is nearest to the board."""
    middles = (cells[:, ::-1] + 0.5) / PARTS
    return int(np.argmin(((middles - look[:2]) ** 2).sum(1)))
