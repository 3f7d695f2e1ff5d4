"""What a frame costs in detect, segment and render: the clip that ships, through their algorithms, without ROS.

    python -m benchmarks.stages [--stage detect segment render] [--samples 0] [--threads 2] [--profile] [--save FOLDER]

Printed is CPU time per frame (all threads), whole and as a ratio to the core of the same stage in the same run: the bare
network for detect and segment, the bare drawing for render. Beside it what the time is spent for: how well the masks fit.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ar_camera import embedded
from ar_core.boxes import box_of
from ar_core.geometry import Plane
from ar_core.model_card import find_card

AWAKENED = 35
"""The frame in which the object comes alive."""


@dataclass
class Cost:
    """CPU seconds by what they were spent for; the profiler sees what is called "frame"."""

    profiler: cProfile.Profile | None = None
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def of(self, name: str, job: Callable[[], Any]) -> Any:
        start = time.process_time()
        out = self.profiler.runcall(job) if self.profiler is not None and name == "frame" else job()
        self.seconds.setdefault(name, []).append(time.process_time() - start)
        return out

    def ms(self, name: str) -> float:
        """Per call."""
        return 1e3 * float(np.mean(self.seconds[name]))


@dataclass(frozen=True)
class Clip:
    """Everything decoded beforehand: the decoder's threads are not to be measured."""

    scene: embedded.EmbeddedScene
    pictures: list[np.ndarray]
    truth: list[np.ndarray]


def read_clip() -> Clip:
    scene, pictures = embedded.load(), []
    clip = cv2.VideoCapture(str(scene.clip))
    while (read := clip.read())[0]:
        pictures.append(np.asarray(read[1]))
    clip.release()
    return Clip(scene, pictures, [scene.mask(i, scene.prominent) for i in range(len(pictures))])


def detect(clip: Clip, cost: Cost, every: int, **_: Any) -> str:
    from ar_detect.detector import Detector
    from ar_detect.tracking import Tracker

    detector, tracker = Detector(find_card("detect", "ar_detect")), Tracker()
    blank = detector.network.blank()
    for i, picture in enumerate(clip.pictures):
        if i % every == 0:
            cost.of("frame", lambda p=picture: tracker.update(detector(p), 1))  # type: ignore[misc]
        else:
            cost.of("frame", lambda: tracker.coast(1))
        cost.of("network", lambda: detector.network(blank))
    return f"detect   {cost.ms('frame'):6.2f} ms a frame (network on every {every}.), network alone {cost.ms('network'):5.2f} ms"


def segment(clip: Clip, cost: Cost, save: Path | None, **_: Any) -> str:
    from ar_segment.segmenter import Segmenter
    from ar_segment.video import Follower

    segmenter, follower, overlaps = Segmenter(find_card("segment", "ar_segment")), None, []
    blank = segmenter.network.blank()
    for i, picture in enumerate(clip.pictures):
        if i < AWAKENED:
            continue
        truth = clip.truth[i]
        if follower is None:
            follower = Follower(segmenter, picture, segmenter.box(picture, box_of(truth)))
            continue
        mask = cost.of("frame", lambda f=follower, p=picture: f(p)).mask  # type: ignore[misc]
        cost.of("network", lambda: segmenter.network(blank))
        overlaps.append(_iou(mask, truth))
        if save is not None and i % 30 == 0:
            cv2.imwrite(str(save / f"mask_{i:03d}.png"), mask)
    whole, bare = cost.ms("frame"), cost.ms("network")
    return (
        f"segment  {whole:6.2f} ms a frame, {whole / bare:.2f} of the network alone ({bare:.2f} ms); "
        f"IoU {np.mean(overlaps):.4f}, least {min(overlaps):.3f}"
    )


def render(clip: Clip, cost: Cost, samples: int, threads: int, save: Path | None, **_: Any) -> str:
    os.environ["LP_NUM_THREADS"] = str(threads)
    from ar_character.character import build_character
    from ar_render.actors import Entrance, Seen
    from ar_render.context import create_context
    from ar_render.gltf import read_glb
    from ar_render.plane_view import View
    from ar_render.scene import Renderer
    from ar_render.theatre import Theatre
    from ar_segment.cutout import cut_out

    scene, context = clip.scene, create_context("gl")
    renderer = Renderer(context, scene.intrinsics.width, scene.intrinsics.height, samples=samples)
    theatre, thing = Theatre(renderer, synchronous=True), scene.objects[scene.prominent]
    begin, finish = renderer.begin, renderer.finish
    renderer.begin = lambda *a: cost.of("drawing", lambda: begin(*a))  # type: ignore[method-assign]
    renderer.finish = lambda *a: cost.of("drawing", lambda: finish(*a))  # type: ignore[method-assign]
    cleared, holes = theatre.clearing.clear, {}
    areas, without = [], [np.zeros(0)]

    def clear(*a: Any) -> np.ndarray:
        without[0] = cleared(*a)
        return without[0]

    theatre.clearing.clear = clear  # type: ignore[method-assign]
    for i, picture in enumerate(clip.pictures):
        stamp = int(scene.stamps[i] * 1e9)
        seen = Seen(View(scene.intrinsics, scene.T_map_camera[i], Plane.ground()), 1)
        mask = clip.truth[i] if i >= AWAKENED else None
        if i == AWAKENED:
            glb = build_character(cut_out(picture, np.asarray(mask)).rgba, thing.height).glb
            T = np.eye(4)
            T[:3, :3] = [[0, 1, 0], [-1, 0, 0], [0, 0, 1]]
            T[:3, 3] = thing.base
            theatre.enter(Entrance("it", stamp, thing.height, np.zeros((0, 2)), T, 1), read_glb(glb, "it"))
        kind = "frame" if mask is not None else "empty"
        out = cost.of(kind, lambda a=(picture, stamp, seen, mask): theatre.draw(*a))  # type: ignore[misc]
        areas.append(float(np.mean((out != picture).any(2))) if mask is not None else 0.0)
        if i in scene.plates and i > AWAKENED + 30:
            holes[i] = _psnr(without[0], scene.clean_plate(i), clip.truth[i] > 0)
        if save is not None and i % 30 == 0:
            cv2.imwrite(str(save / f"render_{i:03d}.png"), out)
            cv2.imwrite(str(save / f"hole_{i:03d}.png"), without[0] if mask is not None else out)
    theatre.clearing.close()
    context.close()
    whole, bare = cost.ms("frame"), 1e3 * sum(cost.seconds["drawing"]) / len(cost.seconds["frame"])
    usual = 1e3 * float(np.median(cost.seconds["frame"]))
    return (
        f"render   {whole:6.2f} ms a frame (median {usual:.2f}; it includes what is learned of the table), "
        f"{whole / bare:.2f} of the drawing alone ({bare:.2f} ms; {samples} samples, {threads} threads); "
        f"{100 * np.mean(areas[AWAKENED:]):.1f} % of the picture changed; "
        f"the hole against the clean plates: {np.mean(list(holes.values())):.2f} dB ("
        + ", ".join(f"{i}: {db:.1f}" for i, db in holes.items())
        + ")"
    )


def _psnr(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.square(a[where].astype(float) - b[where]).mean()))


def _iou(mask: np.ndarray, truth: np.ndarray) -> float:
    a, b = mask > 127, truth > 127
    return float(np.count_nonzero(a & b) / max(1, np.count_nonzero(a | b)))


STAGES: dict[str, Callable[..., str]] = {"detect": detect, "segment": segment, "render": render}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stage", nargs="+", choices=tuple(STAGES), default=tuple(STAGES))
    parser.add_argument("--every", type=int, default=3, help="detect: the network runs on every n-th frame")
    parser.add_argument("--samples", type=int, default=0, help="render: multisampling")
    parser.add_argument("--threads", type=int, default=2, help="render: threads of llvmpipe")
    parser.add_argument("--profile", action="store_true", help="print where Python's time goes")
    parser.add_argument("--save", type=Path, help="folder for some of the pictures and masks")
    options = vars(parser.parse_args(arguments))
    names, profile = options.pop("stage"), options.pop("profile")
    if options["save"] is not None:
        options["save"].mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    clip = read_clip()
    for name in names:
        cost = Cost(cProfile.Profile() if profile else None)
        print(STAGES[name](clip, cost, **options))
        if cost.profiler is not None:
            pstats.Stats(cost.profiler).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    main(sys.argv[1:])
