"""What a graph was seen doing: plain data, collected by the demo, judged by ``run_report`` and ``truth``."""

from __future__ import annotations

from dataclasses import dataclass, field

from ar_core.geometry import Array


@dataclass(frozen=True)
class StageRecord:
    """One StageReport: times in CLOCK_MONOTONIC seconds, stamp in nanoseconds."""

    stamp: int
    outcome: int
    reason: str
    items: int
    received: float
    started: float
    finished: float
    process_cpu_s: float
    cpu_ms: float = 0.0  # of the work on this frame alone


@dataclass(frozen=True)
class PoseRecord:
    """A pose as it was published live: T_map_camera (4, 4), valid in the map with this number."""

    T_map_camera: Array
    map_id: int
    state: int


@dataclass(frozen=True)
class CharacterRecord:
    """A character as it was published: stamp of its frame, where its object touches the table, in pixels (u, v)."""

    id: str
    stamp: int
    glb: bytes
    footprint: tuple[float, float] | None


@dataclass
class Observations:
    """Everything of one run, by stamp in nanoseconds."""

    stages: dict[str, list[StageRecord]] = field(default_factory=dict)
    poses: dict[int, PoseRecord] = field(default_factory=dict)
    states: dict[int, tuple[int, str, int]] = field(default_factory=dict)
    pictures: list[int] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)
    characters: list[CharacterRecord] = field(default_factory=list)
    rss_mb: float = 0.0

    @property
    def first_stamp(self) -> int | None:
        """Stamp of the camera's first picture."""
        camera = self.stages.get("camera")
        return min(record.stamp for record in camera) if camera else None

    def seconds(self, stamp: int) -> float:
        """Media time of a stamp: seconds since the camera's first picture."""
        return (stamp - (self.first_stamp or stamp)) * 1e-9
