"""How far a run on the embedded scene was off from the scene's exact truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array, Intrinsics, Plane, hit_plane, interpolate
from ar_slam.evaluation import absolute_errors
from ar_tools.observations import Observations, PoseRecord

TRACKED = (2, 3, 5)  # TrackingStatus: TRACKING, WEAK, RELOCALISED


class Truth(Protocol):
    """What is known of a scene (``ar_camera.embedded.EmbeddedScene`` is one)."""

    @property
    def intrinsics(self) -> Intrinsics:
        """The camera."""

    @property
    def stamps(self) -> Array:
        """(n,) seconds since the first frame."""

    @property
    def T_map_camera(self) -> Array:
        """(n, 4, 4), the table at z = 0."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the objects."""

    def mask(self, frame: int, name: str) -> NDArray[np.uint8]:
        """(H, W) uint8, 255 on the object."""


@dataclass(frozen=True)
class Timeline:
    """Stamps -> frame numbers of a scene that was shown once."""

    seen: Observations
    truth: Truth

    def frame(self, stamp: int) -> int | None:
        """The scene's frame at a stamp; None outside of it."""
        seconds = self.seen.seconds(stamp)
        i = int(np.argmin(np.abs(self.truth.stamps - seconds)))
        return i if abs(self.truth.stamps[i] - seconds) < 0.01 else None


def compare(seen: Observations, truth: Truth, masks: Mapping[int, NDArray[np.uint8]]) -> dict[str, Any]:
    """The keys that report.json has where truth is known; ``masks`` are the published ones by stamp (H, W) uint8."""
    line = Timeline(seen, truth)
    anchor = anchor_errors(line)
    return {
        "anchor_error_px": {
            "p50": round(float(np.percentile(anchor, 50)), 2) if len(anchor) else None,
            "p95": round(float(np.percentile(anchor, 95)), 2) if len(anchor) else None,
        },
        "mask_iou": mask_iou(line, masks),
        "pose_error_mm": pose_error_mm(line),
    }


def anchor_errors(line: Timeline) -> Array:
    """Pixels between where the live poses and where the true poses show the point on which the character was put.

    Both hit their own table through the same pixel of the awakening frame; no alignment of any kind. When the map is
    replaced the live point goes over as the renderer's does: seen with the last pose of the old map, hit with the first
    of the new one.
    """
    seen, truth = line.seen, line.truth
    character = next((c for c in seen.characters if c.footprint is not None), None)
    start = line.frame(character.stamp) if character else None
    last = _pose_at(seen, character.stamp) if character else None
    if character is None or start is None or character.footprint is None or last is None:
        return np.empty(0)
    camera, ground = truth.intrinsics, Plane.ground()
    pixel = np.array([character.footprint])
    true_point = hit_plane(pixel, camera, truth.T_map_camera[start], ground)
    point = hit_plane(pixel, camera, last.T_map_camera, ground)
    errors = []
    for stamp in sorted(stamp for stamp in seen.poses if stamp > character.stamp):
        frame, record = line.frame(stamp), seen.poses[stamp]
        if frame is None or frame < start:
            continue
        if record.map_id != last.map_id:
            point = hit_plane(camera.project(point, last.T_map_camera), camera, record.T_map_camera, ground)
        last = record
        live = camera.project(point, record.T_map_camera)
        errors.append(np.linalg.norm(live - camera.project(true_point, truth.T_map_camera[frame])))
    return np.array(errors)


def _pose_at(seen: Observations, stamp: int) -> PoseRecord | None:
    """The pose at a stamp, between its neighbours where tracking left that frame out."""
    before = max((s for s in seen.poses if s <= stamp), default=None)
    after = min((s for s in seen.poses if s >= stamp), default=None)
    if before is None or after is None or seen.poses[before].map_id != seen.poses[after].map_id:
        return None
    first, second = seen.poses[before], seen.poses[after]
    share = (stamp - before) / (after - before) if after > before else 0.0
    return replace(first, T_map_camera=interpolate(first.T_map_camera, second.T_map_camera, share))


def mask_iou(line: Timeline, masks: Mapping[int, NDArray[np.uint8]]) -> float | None:
    """Mean IoU, at threshold 0.5, with the truth of the object that the first mask shows best."""
    frames = {stamp: frame for stamp in sorted(masks) if (frame := line.frame(stamp)) is not None}
    if not frames:
        return None
    first = next(iter(frames))
    name = max(line.truth.names, key=lambda n: iou(masks[first], line.truth.mask(frames[first], n)))
    return round(
        float(np.mean([iou(masks[stamp], line.truth.mask(frame, name)) for stamp, frame in frames.items()])), 4
    )


def iou(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Intersection over union of two masks (H, W) uint8 at 128; 1 for two empty ones."""
    if a.shape != b.shape:
        return 0.0
    x, y = a >= 128, b >= 128
    union = np.count_nonzero(x | y)
    return float(np.count_nonzero(x & y) / union) if union else 1.0


def pose_error_mm(line: Timeline) -> float | None:
    """RMS distance of the camera's positions, millimetres, after similarity alignment (Umeyama 1991); last map only."""
    records: list[tuple[PoseRecord, int]] = []
    for stamp, record in sorted(line.seen.poses.items()):
        frame = line.frame(stamp)
        if frame is not None and record.state in TRACKED:
            records.append((record, frame))
    if not records:
        return None
    last_map = records[-1][0].map_id
    kept = [(r, f) for r, f in records if r.map_id == last_map]
    if len(kept) < 10:
        return None
    live, true = [r.T_map_camera for r, _ in kept], [line.truth.T_map_camera[f] for _, f in kept]
    return round(float(np.sqrt(np.mean(absolute_errors(live, true, with_scale=True) ** 2))) * 1e3, 3)
