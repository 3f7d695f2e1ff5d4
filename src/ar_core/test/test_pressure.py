"""When the machine counts as short of time."""

from __future__ import annotations

from pathlib import Path

from ar_core.pressure import EVERY_S, Pressure


class Machine:
    """Its /proc/stat, 100 ticks a second and core, of two cores."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "stat"
        self.ticks = [0] * 10
        self.now = 0.0
        self.pressure = Pressure(self.file)

    def runs(self, seconds: float, *, user: float = 0.0, nice: float = 0.0, steal: float = 0.0) -> bool:
        """So long, so many of 2 cores busy with each; whether it is pressed then."""
        for _ in range(round(seconds / EVERY_S)):
            self.now += EVERY_S
            for place, cores in ((0, user), (1, nice), (3, 2 - user - nice - steal), (7, steal)):
                self.ticks[place] += round(cores * EVERY_S * 100)
            self.file.write_text(f"cpu  {' '.join(map(str, self.ticks))}\ncpu0 1 2 3\n")
            self.pressure.look(self.now)
        return self.pressure.pressed


def test_pressed_when_nothing_is_idle_until_a_third_is(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert not machine.runs(5, user=1.5)
    assert machine.runs(5, user=1.95)
    assert machine.runs(5, user=1.6)  # what it spares does not end it
    assert not machine.runs(5, user=1.2)


def test_what_is_stolen_counts_and_what_gives_way_does_not(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert not machine.runs(5, user=1.0, nice=1.0)
    assert machine.runs(5, user=1.0, steal=1.0)


def test_a_short_burst_is_none(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.runs(5, user=1.0)
    assert not machine.runs(EVERY_S, user=2.0)


def test_where_there_is_no_such_file_it_is_never_pressed(tmp_path: Path) -> None:
    pressure = Pressure(tmp_path / "none")
    pressure.look(1.0)
    (tmp_path / "none").write_text("something else")
    pressure.look(2.0)
    assert not pressure.pressed
