"""Measures what ships: `python -m training.evaluate CARD --data DATA [--prompt none|box|tap] [-n 500]`.

With `--clips`, the pictures are the clips of `video_masks/`: the first mask is given, the others are to be found.

Held-out pictures are the last 500 of DUTS-TR by file name. The figures are those of `tsukumo eval masks` and `video`;
what is added here is the pictures on which to see what is wrong.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from ar_segment.segmenter import Segmentation, Segmenter
from ar_segment.video import Followed
from ar_tools.eval.masks import evaluate
from ar_tools.eval.masks_files import Pair, read_pair
from ar_tools.eval.masks_metrics import Scores
from ar_tools.eval.video import evaluate_clip, mean_of
from training import augment
from training.samples import BOX_VALUE
from training.store import Pixels, validation_pairs


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


def overlay(bgr: Pixels, mask: Pixels, truth: Pixels) -> Pixels:
    """The picture with the mask in green and the truth's outline in red."""
    out = bgr.copy()
    out[..., 1] = np.maximum(out[..., 1], mask)
    contours, _ = cv2.findContours((truth > 127).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(out, contours, -1, (0, 0, 255), 1))


def pictures(segmenter: Segmenter, files: list[Pair], prompt: str, save: Path | None) -> dict[str, float]:
    """The figures on `files`; in `save` every mask over its picture, the worst first by name."""

    def draw(pair: Pair, picture: Pixels, answer: Segmentation, overlap: float) -> None:
        assert save is not None
        name = save / f"{overlap:.3f}_{pair[0].stem}.jpg"
        cv2.imwrite(str(name), overlay(picture[..., :3], answer.mask, picture[..., 3]))

    return evaluate(segmenter, files, prompt, seen=draw if save else None)


def clip(segmenter: Segmenter, folder: Path, save: Path | None) -> dict[str, float]:
    """The figures on one clip, and the part of its frames in which the object counted as lost."""
    lost = []

    def draw(frame: int, picture: Pixels, answer: Followed) -> None:
        lost.append(bool(answer.lost))
        if save is not None:
            cv2.imwrite(
                str(save / f"{folder.name}_{frame:03d}.jpg"), overlay(picture[..., :3], answer.mask, picture[..., 3])
            )

    figures = evaluate_clip(segmenter, folder, draw)
    return {**figures, "lost": round(float(np.mean(lost)), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("card", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prompt", choices=("none", "box", "tap"), default="none")
    parser.add_argument("-n", type=int, default=500)
    parser.add_argument("--save", type=Path, help="folder for overlays, the worst first by name")
    parser.add_argument("--clips", action="store_true", help="follow the objects of the clips in video_masks/")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter = Segmenter(args.card)
    if args.save is not None:
        args.save.mkdir(parents=True, exist_ok=True)
    if args.clips:
        rows = {f.name: clip(segmenter, f, args.save) for f in sorted((args.data / "video_masks").iterdir())[: args.n]}
        for name, row in rows.items():
            print(f"{name:20s} {json.dumps(row)}")
        print(json.dumps(mean_of(list(rows.values()))))
        return
    files = validation_pairs(args.data / "duts_tr")
    files = files[:: max(1, len(files) // args.n)][: args.n]
    print(json.dumps(pictures(segmenter, files, args.prompt, args.save)))


if __name__ == "__main__":
    main()
