"""Is the machine short of time? Then whoever can do with less work does."""

from __future__ import annotations

from pathlib import Path

EVERY_S = 0.5
SHARE = 0.4  # of the newest look in what is believed
PRESSED, RELIEVED = 0.1, 0.3  # of the time that is idle: below the one, until above the other


class Pressure:
    """Reads how idle the machine's cores are, all together (proc(5), /proc/stat).

    What runs at a lower priority than usual counts as idle: it gives way. Between `RELIEVED` and `PRESSED` there must be room
    for what is spared, or it would be spared and done in turns.
    """

    def __init__(self, path: Path = Path("/proc/stat")) -> None:
        self.pressed = False
        self._path, self._next = path, 0.0
        self._before: tuple[int, int] | None = None
        self._idle = 1.0

    def look(self, now: float) -> None:
        """Look if it is time to: `now` in seconds of a clock that never goes back."""
        if now < self._next:
            return
        self._next = now + EVERY_S
        try:
            user, nice, system, idle, waiting, *others = map(int, self._path.read_text().split("\n", 1)[0].split()[1:9])
        except (OSError, ValueError):  # another system: it is never pressed
            return
        free, total = idle + waiting + nice, user + nice + system + idle + waiting + sum(others)
        if self._before is not None and total > self._before[1]:
            newest = (free - self._before[0]) / (total - self._before[1])
            self._idle += SHARE * (newest - self._idle)
            self.pressed = self._idle < (RELIEVED if self.pressed else PRESSED)
        self._before = (free, total)
