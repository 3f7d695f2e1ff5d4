"""Measures what ships: `python -m training.evaluate CARD --data ../shared/data [--prompt none|box|tap] [-n 500]`.

With `--clips`, the pictures are the clips of `video_masks/`: the first mask is given, the others are to be found.

Held-out pictures are the last 500 of DUTS-TR by file name. `box` is the true box grown by 5 %, `tap` the mask's most
interior point; CPU time is of all threads from the decoded picture to the full-size mask.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from training import augment
from training.metrics import Scores, boundary_f, iou
from training.samples import BOX_VALUE
from training.store import Pixels, pairs, read_pair, validation_pairs


def quick(net: nn.Module, files: list[tuple[Path, Path]], size: int) -> dict[str, float]:
    """mIoU without a prompt and with the true box, one pass over the whole picture."""
    plain, boxed = Scores(), Scores()
    net.eval()
    with torch.inference_mode():
        for start in range(0, len(files), 24):
            pictures = [read_pair(*pair) for pair in files[start : start + 24]]
            small = np.stack([cv2.resize(p, (size, size), interpolation=cv2.INTER_AREA) for p in pictures])
            for scores, with_box in ((plain, False), (boxed, True)):
                x = small.copy()
                for k in range(len(x)):
                    x[k, ..., 3] = 0
                    if with_box:
                        bx, by, bw, bh = cv2.boundingRect((small[k, ..., 3] > 127).astype(np.uint8))
                        x[k, by : by + bh, bx : bx + bw, 3] = BOX_VALUE
                masks, _ = net(augment.normalised(torch.from_numpy(x).permute(0, 3, 1, 2).float()))
                for picture, mask in zip(pictures, masks[:, 0].float().numpy(), strict=True):
                    full = cv2.resize(mask, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_LINEAR)
                    scores.add((full * 255).round().astype(np.uint8), picture[..., 3] > 127)
    a, b = plain.figures(), boxed.figures()
    return {"mIoU": a.mIoU, "maxF": a.maxF, "boundaryF": a.boundaryF, "box mIoU": b.mIoU}


def most_interior(mask: Pixels) -> tuple[float, float]:
    """x, y of the pixel farthest from the mask's edge."""
    padded = cv2.copyMakeBorder((mask > 127).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    _, _, _, (x, y) = cv2.minMaxLoc(cv2.distanceTransform(padded, cv2.DIST_L2, 5))
    return float(x - 1), float(y - 1)


def segmenter(card: Path, files: list[tuple[Path, Path]], prompt: str, save: Path | None = None) -> dict[str, float]:
    """Figures of the whole segmenter (every pass, full-size masks) on `files`."""
    from ar_core.boxes import box_of
    from ar_segment.segmenter import Segmenter

    net = Segmenter(card)
    scores, times = Scores(), []
    for k, pair in enumerate(files):
        picture = read_pair(*pair)
        bgr, truth = np.ascontiguousarray(picture[..., :3]), picture[..., 3]
        if not (truth > 127).any():
            continue
        start = time.process_time()
        if prompt == "box":
            found = net.box(bgr, box_of(truth).grown(1.05))
        elif prompt == "tap":
            found = net.tap(bgr, *most_interior(truth))
        else:
            found = net.salient(bgr)
        if k >= 20:
            times.append(time.process_time() - start)
        overlap = scores.add(found.mask, truth > 127)
        if save is not None:
            save.mkdir(parents=True, exist_ok=True)
            outline = overlay(bgr, found.mask, truth)
            cv2.imwrite(str(save / f"{overlap:.3f}_{pair[0].stem}.jpg"), outline)
    return {**asdict(scores.figures()), "cpu_ms": round(1000 * float(np.median(times)), 2) if times else 0.0}


def clip(card: Path, folder: Path, save: Path | None = None) -> dict[str, float]:
    """Follows the object of `folder` (images/, masks/) from its first mask: J, boundary F, decay, flicker, CPU."""
    from ar_core.boxes import box_of
    from ar_segment.segmenter import Segmentation, Segmenter
    from ar_segment.video import Follower

    net, follower = Segmenter(card), None
    overlaps, edges, times, lost = [], [], [], 0
    for k, pair in enumerate(pairs(folder)):
        picture = read_pair(*pair)
        bgr, truth = np.ascontiguousarray(picture[..., :3]), picture[..., 3]
        if follower is None:
            first = Segmentation(truth, 1.0, box_of(truth))
            follower = Follower(net, bgr, first)
            continue
        start = time.process_time()
        found = follower(bgr)
        times.append(time.process_time() - start)
        lost += bool(found.lost)
        overlaps.append(iou(found.mask > 127, truth > 127))
        edges.append(boundary_f(found.mask > 127, truth > 127))
        if save is not None:
            save.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(save / f"{folder.name}_{k:03d}.jpg"), overlay(bgr, found.mask, truth))
    j = np.array(overlaps)
    quarter = max(1, len(j) // 4)
    return {
        "J": round(float(j.mean()), 4),
        "boundaryF": round(float(np.mean(edges)), 4),
        "decay": round(float(j[:quarter].mean() - j[-quarter:].mean()), 4),
        "flicker": round(float(np.abs(np.diff(j)).mean()), 4),
        "lost": lost / len(j),
        "cpu_ms": round(1000 * float(np.median(times)), 2),
    }


def overlay(bgr: Pixels, mask: Pixels, truth: Pixels) -> Pixels:
    """The picture with the mask in green and the truth's outline in red."""
    out = bgr.copy()
    out[..., 1] = np.maximum(out[..., 1], mask)
    contours, _ = cv2.findContours((truth > 127).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(out, contours, -1, (0, 0, 255), 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("card", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--prompt", choices=("none", "box", "tap"), default="none")
    parser.add_argument("-n", type=int, default=500)
    parser.add_argument("--save", type=Path, help="folder for overlays, the worst first by name")
    parser.add_argument("--clips", action="store_true", help="follow the objects of the clips in video_masks/")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.clips:
        rows = {f.name: clip(args.card, f, args.save) for f in sorted((args.data / "video_masks").iterdir())[: args.n]}
        for name, row in rows.items():
            print(f"{name:20s} {json.dumps(row)}")
        print(json.dumps({key: round(float(np.mean([r[key] for r in rows.values()])), 4) for key in row}))
        return
    files = validation_pairs(args.data / "duts_tr")
    files = files[:: max(1, len(files) // args.n)][: args.n]
    print(json.dumps(segmenter(args.card, files, args.prompt, args.save)))


if __name__ == "__main__":
    main()
