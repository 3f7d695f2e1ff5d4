"""``tsukumo eval masks``: how well single pictures are cut out, in the figures the field compares."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ar_core.boxes import Box, box_of
from ar_core.model_card import find_card
from ar_segment.segmenter import Segmentation, Segmenter
from ar_tools.eval.masks_files import Pair, Pixels, pairs, read_pair
from ar_tools.eval.masks_metrics import Scores, most_interior

Numbers = tuple[float, ...]
Seen = Callable[[Pair, Pixels, Segmentation, float], None]

WARM_UPS = 20
BOX_GROWN = 1.05
"""A finger or a detector is not exact: the true box, this much larger."""

N_NUMBERS = {"box": 4, "tap": 2}


def eval_masks(options: argparse.Namespace) -> int:
    """The command: 0, or 2 and one line where something cannot be evaluated."""
    try:
        cv2.setNumThreads(1)
        prompts = read_prompts(options.prompts, options.prompt) if options.prompts else {}
        files = pairs(options.images, options.masks)
        unknown = prompts.keys() - {image.stem for image, _ in files}
        if unknown:
            raise ValueError(f"{options.prompts}: there is no picture {min(unknown)} in {options.images}")
        segmenter = Segmenter(find_card(str(options.model), "ar_segment"))
        found = evaluate(segmenter, files, options.prompt, prompts, _saver(options.save) if options.save else None)
    except (ValueError, OSError) as error:
        print(f"tsukumo: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name:>10}  {value:g}" for name, value in found.items()))
    return 0


def evaluate(
    segmenter: Segmenter, files: list[Pair], prompt: str, prompts: Mapping[str, Numbers] | None = None,
    seen: Seen | None = None,
) -> dict[str, float]:  # fmt: skip
    """`n, mIoU, maxF, MAE, boundaryF, cpu_ms` of a segmenter asked by `prompt`: "none", "box" or "tap".

    `prompts`: a box (x, y, width, height) or tap (x, y) by picture's name; where it says nothing, the true box grown by
    5 % or the true mask's most interior point. A picture that has neither prompt nor anything to find is left out.
    `cpu_ms`: processor time of all threads from the decoded picture to the full-size mask, every pass of the network;
    median, after WARM_UPS. `seen(files, picture with mask, answer, IoU)` is called for every picture.
    """
    scores, times = Scores(), []
    for k, (image, mask) in enumerate(files):
        pair = read_pair(image, mask)
        bgr, inside = np.ascontiguousarray(pair[..., :3]), pair[..., 3] > 127
        given = (prompts or {}).get(image.stem)
        if prompt != "none" and given is None and not inside.any():
            continue
        ask = question(segmenter, bgr, prompt, given or (true_prompt(inside, prompt) if prompt != "none" else ()))
        for _ in range(WARM_UPS if k == 0 else 0):
            ask()
        start = time.process_time()
        answer = ask()
        times.append(time.process_time() - start)
        overlap = scores.add(answer.mask, inside)
        if seen is not None:
            seen((image, mask), pair, answer, overlap)
    return {**asdict(scores.figures()), "cpu_ms": round(1000 * float(np.median(times)), 2)}


def true_prompt(inside: np.ndarray[Any, np.dtype[np.bool_]], prompt: str) -> Numbers:
    """The box or the tap that a truth `(H, W) bool` is asked for with."""
    if prompt == "tap":
        return most_interior(inside)
    return tuple(box_of(inside.astype(np.uint8) * 255).grown(BOX_GROWN))


def question(segmenter: Segmenter, bgr: Pixels, prompt: str, numbers: Numbers) -> Callable[[], Segmentation]:
    """What is timed: one picture, one prompt."""
    if prompt == "box":
        x, y, width, height = numbers
        return lambda: segmenter.box(bgr, Box(x, y, width, height))
    if prompt == "tap":
        x, y = numbers
        return lambda: segmenter.tap(bgr, x, y)
    return lambda: segmenter.salient(bgr)


def read_prompts(file: Path, prompt: str) -> dict[str, Numbers]:
    """A JSON object: picture's name (without its ending) → [x, y] for a tap, [x, y, width, height] for a box, in pixels."""
    if prompt == "none":
        raise ValueError("--prompts goes with --prompt box or tap")
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file}: is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise ValueError(f"{file}: should be an object: picture's name to numbers")
    n = N_NUMBERS[prompt]
    for name, numbers in given.items():
        good = isinstance(numbers, list) and len(numbers) == n and all(isinstance(v, int | float) for v in numbers)
        if not good or not np.isfinite(numbers).all() or (n == 4 and min(numbers[2:]) <= 0):
            what = "[x, y] of the tap" if n == 2 else "[x, y, width, height] of the box"
            raise ValueError(f"{file}: {name} should be {what} in pixels")
    return {Path(name).stem: tuple(float(v) for v in numbers) for name, numbers in given.items()}


def _saver(folder: Path) -> Seen:
    """Leaves every soft mask in `folder`, as PNG of the picture's name."""
    folder.mkdir(parents=True, exist_ok=True)

    def save(pair: Pair, _picture: Pixels, answer: Segmentation, _overlap: float) -> None:
        file = folder / f"{pair[0].stem}.png"
        if not cv2.imwrite(str(file), answer.mask):
            raise ValueError(f"{file}: cannot be written")

    return save
