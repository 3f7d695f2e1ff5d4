"""Tracks keep their ids through motion, gaps and false alarms; all boxes here are made up, so the truth is exact."""

from __future__ import annotations

import numpy as np
import pytest

from ar_core.boxes import Box
from ar_detect.detector import Detection
from ar_detect.tracking import Tracker


def moving(k: int, x: float, y: float, vx: float, vy: float, size: float = 60.0) -> Box:
    return Box(x + vx * k, y + vy * k, size, size)


def jittered(box: Box, rng: np.random.Generator, score: float = 0.8) -> Detection:
    dx, dy, dw, dh = rng.normal(0, 0.02 * box.width, 4)
    return Detection(Box(box.x + dx, box.y + dy, box.width + dw, box.height + dh), score)


def test_ids_stay_and_boxes_follow_between_runs_of_the_network() -> None:
    """Two objects that cross the picture; the network sees every third frame. One id each, boxes within IoU 0.75."""
    rng = np.random.default_rng(0)
    tracker = Tracker()
    ids: list[set[str]] = [set(), set()]
    overlaps = []
    for k in range(90):
        truth = [moving(k, 50, 60, 3, 1), moving(k, 450, 300, -2, -1)]
        tracks = tracker.update([jittered(b, rng) for b in truth]) if k % 3 == 0 else tracker.coast()
        if k < 9:
            continue
        assert len(tracks) == 2
        for box, seen in zip(truth, ids, strict=True):
            best = max(tracks, key=lambda t: t.box.iou(box))
            seen.add(best.id)
            overlaps.append(best.box.iou(box))
    assert [len(seen) for seen in ids] == [1, 1]
    assert ids[0] != ids[1]
    assert min(overlaps) > 0.75


def test_an_object_that_is_missed_for_a_while_keeps_its_id() -> None:
    rng = np.random.default_rng(1)
    tracker = Tracker()
    box = Box(200, 150, 80, 60)
    for _ in range(5):
        before = tracker.update([jittered(box, rng)])
    for _ in range(tracker.patience):
        tracker.update([])
    assert tracker.shown() == []
    after = tracker.update([jittered(box, rng)])
    assert [t.id for t in after] == [t.id for t in before]


def test_a_doubtful_detection_keeps_a_track_alive_but_starts_none() -> None:
    tracker = Tracker()
    tracker.update([Detection(Box(100, 100, 50, 50), 0.9)])
    tracks = tracker.update([Detection(Box(101, 100, 50, 50), 0.32), Detection(Box(400, 100, 50, 50), 0.32)])
    assert [round(t.box.x) for t in tracks] in ([100], [101])
    assert tracks[0].missed == 0


def test_a_single_false_alarm_is_never_shown() -> None:
    rng = np.random.default_rng(2)
    tracker = Tracker()
    for k in range(30):
        detections = [jittered(Box(300, 200, 70, 70), rng)]
        if k == 10:
            detections.append(Detection(Box(20, 20, 40, 40), 0.9))
        shown = tracker.update(detections)
        assert len(shown) == 1, f"frame {k}"


def test_a_face_does_not_become_an_object() -> None:
    tracker = Tracker()
    tracker.update([Detection(Box(100, 100, 50, 50), 0.9, "face")])
    tracker.update([Detection(Box(100, 100, 50, 50), 0.9, "object")])
    assert {t.kind for t in tracker.tracks} <= {"face", "object"}
    assert len({t.id for t in tracker.tracks}) == len(tracker.tracks)
    assert all(t.hits == 1 for t in tracker.tracks)


@pytest.mark.parametrize("frames", [1, 3])
def test_coasting_moves_by_the_velocity_learnt(frames: int) -> None:
    tracker = Tracker()
    for k in range(40):
        tracker.update([Detection(moving(k, 40, 100, 4, 0), 0.9)])
    x = tracker.tracks[0].box.x
    tracker.coast(frames)
    assert tracker.tracks[0].box.x - x == pytest.approx(4 * frames, rel=0.1)
