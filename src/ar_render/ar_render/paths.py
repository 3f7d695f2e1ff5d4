"""The shortest way on foot from one place and heading to another with a smallest turning circle (Dubins 1957)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import atan2, cos, hypot, isnan, pi, sin, sqrt

Place = tuple[float, float, float]  # x, y in metres, heading in radians from +x to +y


@dataclass(frozen=True)
class Path:
    """Arcs and a straight line one after the other: pieces are (curvature in 1/m, length in m)."""

    start: Place
    pieces: tuple[tuple[float, float], ...]

    @property
    def length(self) -> float:
        return sum(length for _, length in self.pieces)

    def at(self, distance: float) -> Place:
        """Where one is after this many metres; the ends are held."""
        place, left = self.start, max(distance, 0.0)
        for curvature, length in self.pieces:
            place = _along(place, curvature, min(left, length))
            left -= length
            if left <= 0:
                break
        return place


def shortest(start: Place, goal: Place, radius: float) -> Path:
    """The shortest of the four ways that turn, go straight and turn again."""
    dx, dy = goal[0] - start[0], goal[1] - start[1]
    d, theta = hypot(dx, dy) / radius, atan2(dy, dx)
    a, b = _turn(start[2] - theta), _turn(goal[2] - theta)
    ways = []
    for first, last in ((1, 1), (-1, -1), (1, -1), (-1, 1)):
        solved = _way(d, a, b, first, last)
        if solved is not None:
            t, p, q = solved
            ways.append((t + p + q, ((first / radius, t * radius), (0.0, p * radius), (last / radius, q * radius))))
    return Path(start, min(ways)[1])


def ways(start: Place, goal: Place, radius: float) -> Iterator[Path]:
    """Ways to a goal, straight ones first, then some that swing out to either side; a heading of NaN is of no matter."""
    headings = [goal[2]] if not isnan(goal[2]) else [2 * pi * i / 16 for i in range(16)]
    yield from sorted((shortest(start, (*goal[:2], h), radius) for h in headings), key=lambda path: path.length)
    dx, dy = goal[0] - start[0], goal[1] - start[1]
    ahead = atan2(dy, dx)
    for out in (3, -3, 5, -5, 8, -8):
        aside = out * radius
        for share in (0.5, 0.25, 0.75):
            via = (start[0] + share * dx - aside * sin(ahead), start[1] + share * dy + aside * cos(ahead), ahead)
            there = shortest(start, via, radius)
            on = min((shortest(via, (*goal[:2], h), radius) for h in headings), key=lambda path: path.length)
            yield Path(start, there.pieces + on.pieces)


def _way(d: float, a: float, b: float, first: int, last: int) -> tuple[float, float, float] | None:
    """Lengths, in radii, of the turn, the line and the turn; turning +1 is to the left."""
    # From the centre of the first circle to that of the last.
    x, y = d - last * sin(b) + first * sin(a), last * cos(b) - first * cos(a)
    heading, square = atan2(y, x), x * x + y * y
    if first != last:  # the line crosses between the circles
        square -= 4
        if square < 0:
            return None
        heading += first * atan2(2, sqrt(square))
    return _turn(first * (heading - a)), sqrt(square), _turn(last * (b - heading))


def _along(place: Place, curvature: float, length: float) -> Place:
    x, y, heading = place
    if abs(curvature) < 1e-12:
        return x + length * cos(heading), y + length * sin(heading), heading
    new = heading + curvature * length
    return x + (sin(new) - sin(heading)) / curvature, y - (cos(new) - cos(heading)) / curvature, new


def _turn(angle: float) -> float:
    """An angle brought to [0, 2π), where nearly a whole turn is none."""
    out = angle % (2 * pi)
    return 0.0 if out > 2 * pi - 1e-9 else out
