"""``tsukumo eval boxes``: how good the detection is on pictures with true masks, or on the frames of a clip."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box
from ar_core.model_card import find_card
from ar_detect.detector import Detector
from ar_detect.evaluation import Tally, alike, labelled_boxes
from ar_detect.sight import Sight
from ar_tools.eval.masks_files import pairs

Pixels = NDArray[np.uint8]
Look = Callable[[Pixels], list[tuple[str, Box]]]

EVERY, EVERY_FACE = 3, 6
"""In a clip the networks run as often as in the graph; every single picture is looked at by both."""


def eval_boxes(options: argparse.Namespace) -> int:
    """The command: 0, or 2 and one line where something cannot be evaluated."""
    try:
        cv2.setNumThreads(1)
        files = pairs(options.images, options.masks)
        clip = is_clip([image for image, _ in files])
        sight = Sight(
            Detector(find_card(options.model, "ar_detect")),
            Detector(find_card(options.faces, "ar_detect"), kind="face") if options.faces else None,
            *((EVERY, EVERY_FACE) if clip else (1, 1)),
        )
        found = figures(
            ((read(i), read(m, cv2.IMREAD_UNCHANGED)) for i, m in files), looking(sight, clip, options.kind), clip
        )
    except (ValueError, OSError) as error:
        print(f"tsukumo: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(found))
    else:
        print(f"{'a clip' if clip else 'single pictures'}, recall at an IoU of 0.5:")
        print("\n".join(f"  {name}: {'-' if value is None else value}" for name, value in found.items()))
    return 0


def looking(sight: Sight, clip: bool, kind: str) -> Look:
    """What is shown in the next picture, ids and boxes; `kind`: object, face or any."""

    def look(picture: Pixels) -> list[tuple[str, Box]]:
        if not clip:
            sight.forget()
        height, width = picture.shape[:2]
        return [(t.id, t.box.clipped(width, height)) for t in sight(picture) if kind in (t.kind, "any")]

    return look


def figures(frames: Iterable[tuple[Pixels, Pixels]], look: Look, clip: bool) -> dict[str, Any]:
    """Over pictures `(H, W, 3)` with their masks (see `labelled_boxes`); ids count only in a clip."""
    tally = Tally()
    for picture, mask in frames:
        if mask.shape[:2] != picture.shape[:2]:
            mask = np.asarray(cv2.resize(mask, picture.shape[1::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
        tally.add(labelled_boxes(mask), look(picture))
    return {
        "n": tally.frames,
        "recall": _rounded(tally.recall),
        "false_per_frame": _rounded(tally.false_per_frame),
        "id_switches": _rounded(tally.id_switches) if clip else None,
    }


def is_clip(images: list[Path], tries: int = 12) -> bool:
    """Do the pictures follow each other? Judged by the first ones, each of which must look like the one before."""
    shown = [read(image) for image in images[:tries]]
    return len(shown) > 1 and all(alike(a, b) for a, b in pairwise(shown))


def read(file: Path, flag: int = cv2.IMREAD_COLOR) -> Pixels:
    """The picture in `file`; ValueError where there is none."""
    data = np.fromfile(file, np.uint8)
    picture = cv2.imdecode(data, flag) if len(data) else None
    if picture is None:
        raise ValueError(f"{file}: cannot be read as a picture")
    return np.asarray(picture)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
