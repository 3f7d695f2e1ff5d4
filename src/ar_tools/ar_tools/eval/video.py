"""``tsukumo eval video``: how well an object is followed whose first mask is given."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from ar_core.boxes import box_of
from ar_core.model_card import find_card
from ar_segment.segmenter import Segmentation, Segmenter
from ar_segment.video import Followed, Follower
from ar_tools.eval.masks_files import Pair, Pixels, clip_pairs, read_pair
from ar_tools.eval.masks_metrics import boundary_f, iou

Seen = Callable[[int, Pixels, Followed], None]

LEAST_FRAMES = 5
"""The first is given; the others make four quarters."""


def eval_video(options: argparse.Namespace) -> int:
    """The command: 0, or 2 and one line where something cannot be evaluated."""
    try:
        cv2.setNumThreads(1)
        segmenter = Segmenter(find_card(str(options.model), "ar_segment"))
        found = {}
        for clip in options.clip:
            found[str(clip)] = evaluate_clip(segmenter, clip)
            if not options.json:
                print(f"{clip}: {text(found[str(clip)])}", flush=True)
    except (ValueError, OSError) as error:
        print(f"tsukumo: {error}", file=sys.stderr)
        return 2
    mean = mean_of(list(found.values()))
    if options.json:
        print(json.dumps({**found, "mean": mean} if len(found) > 1 else mean))
    elif len(found) > 1:
        print(f"mean: {text(mean)}")
    return 0


def evaluate_clip(segmenter: Segmenter, clip: Path, seen: Seen | None = None) -> dict[str, float]:
    """`J, boundaryF, decay, flicker, cpu_ms` over every frame of `clip` (`images/`, `masks/`) but the first, whose mask is
    given. `cpu_ms` is the median processor time of a frame; `seen(frame, picture with mask, answer)` is called for each."""
    frames = clip_pairs(clip)
    if len(frames) < LEAST_FRAMES:
        raise ValueError(f"{clip}: has {len(frames)} frames, at least {LEAST_FRAMES} are needed")
    follower = _start(segmenter, frames[0])
    overlaps, edges, times = [], [], []
    for k, files in enumerate(frames[1:], 1):
        pair = read_pair(*files)
        bgr, inside = np.ascontiguousarray(pair[..., :3]), pair[..., 3] > 127
        start = time.process_time()
        followed = follower(bgr)
        times.append(time.process_time() - start)
        overlaps.append(iou(followed.mask > 127, inside))
        edges.append(boundary_f(followed.mask > 127, inside))
        if seen is not None:
            seen(k, pair, followed)
    return {**over_time(overlaps, edges), "cpu_ms": round(1000 * float(np.median(times)), 2)}


def over_time(overlaps: list[float], edges: list[float]) -> dict[str, float]:
    """`J`: mean IoU; `boundaryF`: its mean; `decay`: J of the first quarter less that of the last; `flicker`: mean |ΔJ|."""
    j = np.array(overlaps)
    quarter = max(1, len(j) // 4)
    figures = {
        "J": j.mean(),
        "boundaryF": np.mean(edges),
        "decay": j[:quarter].mean() - j[-quarter:].mean(),
        "flicker": np.abs(np.diff(j)).mean() if len(j) > 1 else 0.0,
    }
    return {name: round(float(value), 4) for name, value in figures.items()}


def mean_of(rows: list[dict[str, float]]) -> dict[str, float]:
    """The mean of every figure over the clips, each counting the same."""
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}


def text(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in figures.items())


def _start(segmenter: Segmenter, first: Pair) -> Follower:
    pair = read_pair(*first)
    if not (pair[..., 3] > 127).any():
        raise ValueError(f"{first[1]}: is empty: the first mask says what is to be followed")
    given = np.ascontiguousarray(pair[..., 3])
    return Follower(segmenter, np.ascontiguousarray(pair[..., :3]), Segmentation(given, 1.0, box_of(given)))
