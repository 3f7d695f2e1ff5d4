"""Boxes get ids that stay: ByteTrack-style association over a constant-velocity Kalman filter.

Zhang et al., ByteTrack, ECCV 2022: sure detections first; doubtful ones may keep a track alive, not start one.
The network may run on some frames only; `predict` alone carries the boxes over the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ar_core.boxes import Box, iou_matrix
from ar_detect.detector import Detection

Array = NDArray[np.float64]

POSITION_NOISE = 0.05
"""Of the box's size: how well a detection's centre and sides are known."""

VELOCITY_NOISE = 0.01
"""Of the box's size per frame: how much the velocity changes from frame to frame."""


@dataclass
class Track:
    """One object: `mean (8,)` centre x, y, width, height and their change per frame; `covariance (8, 8)`."""

    id: str
    kind: str
    mean: Array
    covariance: Array
    score: float
    hits: int = 1
    missed: int = 0
    """Detector runs since it was last found."""

    @property
    def box(self) -> Box:
        cx, cy, w, h = self.mean[:4]
        return Box(float(cx - w / 2), float(cy - h / 2), float(w), float(h))

    def predict(self, frames: int = 1) -> None:
        F = np.eye(8)
        F[:4, 4:] = np.eye(4) * frames
        size = self.mean[2:4].mean()
        noise = np.diag([(0.5 * VELOCITY_NOISE * size) ** 2] * 4 + [(VELOCITY_NOISE * size) ** 2] * 4) * frames
        self.mean = F @ self.mean
        self.covariance = F @ self.covariance @ F.T + noise
        self.mean[2:4] = np.maximum(self.mean[2:4], 4.0)
        self.mean[6:8] *= 0.9**frames  # sizes do not keep growing

    def correct(self, detection: Detection) -> None:
        size = self.mean[2:4].mean()
        R = np.eye(4) * (POSITION_NOISE * size * (2.0 - min(1.0, detection.score))) ** 2
        S = self.covariance[:4, :4] + R
        gain = np.linalg.solve(S, self.covariance[:, :4].T).T
        self.mean = self.mean + gain @ (_measured(detection.box) - self.mean[:4])
        self.covariance = self.covariance - gain @ S @ gain.T
        self.mean[2:4] = np.maximum(self.mean[2:4], 4.0)
        self.score = 0.7 * self.score + 0.3 * detection.score
        self.hits, self.missed = self.hits + 1, 0


def _measured(box: Box) -> Array:
    return np.array([*box.centre, box.width, box.height])


@dataclass
class Tracker:
    """Feed it every frame: `update` where the detector ran, `coast` where it did not. Both return what is there now.

    `sure`: score that starts a track; `confirm`: detections until it is shown; `patience`: runs it may be missed;
    `prefix` of the ids.
    """

    sure: float = 0.55
    least_iou: float = 0.2
    confirm: int = 2
    patience: int = 8
    prefix: str = ""
    tracks: list[Track] = field(default_factory=list)
    _count: int = 0
    _runs: int = 0

    def coast(self, frames: int = 1) -> list[Track]:
        """Advances the tracks over frames without detections."""
        for track in self.tracks:
            track.predict(frames)
        return self.shown()

    def update(self, detections: list[Detection], frames: int = 1) -> list[Track]:
        """Advances the tracks to this frame and matches them with its detections."""
        for track in self.tracks:
            track.predict(frames)
        self._runs += 1
        sure = [d for d in detections if d.score >= self.sure]
        doubtful = [d for d in detections if d.score < self.sure]
        free, new = self._match(self.tracks, sure, self.least_iou)
        lost, _ = self._match(free, doubtful, max(0.4, self.least_iou))
        for track in lost:
            track.missed += 1
            track.score *= 0.9
            track.mean[4:] *= 0.7  # where nobody looks, nothing runs away
        self.tracks = [t for t in self.tracks if t.missed <= (self.patience if t.hits >= self.confirm else 0)]
        for detection in new:
            self._start(detection)
        return self.shown()

    def shown(self) -> list[Track]:
        """Confirmed tracks found of late; after the first run of the detector all, so that the start is not empty."""
        return [t for t in self.tracks if t.missed <= 2 and (t.hits >= self.confirm or self._runs <= 1)]

    def _match(
        self, tracks: list[Track], detections: list[Detection], least: float
    ) -> tuple[list[Track], list[Detection]]:
        """Corrects the tracks that have a detection; returns the tracks and the detections that are left over."""
        if not tracks or not detections:
            return tracks, detections
        overlap = iou_matrix(np.array([t.box for t in tracks]), np.array([d.box for d in detections]))
        same = np.array([[t.kind == d.kind for d in detections] for t in tracks])
        rows, columns = linear_sum_assignment(np.where(same, overlap, 0.0), maximize=True)
        matched = [(r, c) for r, c in zip(rows, columns, strict=True) if same[r, c] and overlap[r, c] >= least]
        for r, c in matched:
            tracks[r].correct(detections[c])
        taken_rows, taken_columns = {r for r, _ in matched}, {c for _, c in matched}
        return (
            [t for k, t in enumerate(tracks) if k not in taken_rows],
            [d for k, d in enumerate(detections) if k not in taken_columns],
        )

    def _start(self, detection: Detection) -> None:
        self._count += 1
        size = np.mean([detection.box.width, detection.box.height])
        covariance = np.diag([(POSITION_NOISE * size) ** 2] * 4 + [(0.1 * size) ** 2] * 4)
        mean = np.append(_measured(detection.box), np.zeros(4))
        self.tracks.append(Track(f"{self.prefix}{self._count}", detection.kind, mean, covariance, detection.score))
