"""Trains the box detector: `python -m training.detect --encoder out/segment.pt --out out/detect.pt`.

Class-agnostic boxes from photographs' masks, mosaics and composed tables. The encoder starts from the segmenter's.
Objectness: penalty-reduced focal loss around the boxes' centres (CenterNet, Zhou et al., 2019); boxes: GIoU;
quality: the IoU the box will have.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from numpy.typing import NDArray
from torch import Tensor, nn

from training import augment, boxes, synth
from training.loop import Trainer
from training.nets import Detector, n_parameters
from training.store import open_store

BATCH = 32
SIZE = (256, 192)
"""Width and height in pixels."""


def targets_of(sample: boxes.Sample, stride: int = Detector.STRIDE) -> NDArray[np.float32]:
    """`(6, H/stride, W/stride)`: heat, left, top, right, bottom in strides, weight of the background."""
    height, width = sample.picture.shape[:2]
    rows, columns = height // stride, width // stride
    y = (np.arange(rows, dtype=np.float32)[:, None] + 0.5) * stride
    x = (np.arange(columns, dtype=np.float32)[None] + 0.5) * stride
    heat = np.zeros((rows, columns), np.float32)
    sides = np.zeros((4, rows, columns), np.float32)
    for bx, by, bw, bh in sorted(sample.boxes, key=lambda b: -b[2] * b[3]):  # smaller ones over larger ones
        sx, sy = max(0.18 * bw, 0.6 * stride), max(0.18 * bh, 0.6 * stride)
        dx, dy = x - (bx + bw / 2), y - (by + bh / 2)
        here = np.exp(-((dx / sx) ** 2 + (dy / sy) ** 2) / 2)
        nearest = np.unravel_index(np.argmax(here), here.shape)
        here[nearest] = 1.0
        inside = (x > bx) & (x < bx + bw) & (y > by) & (y < by + bh)
        mine = (here > 0.25) & inside & (here >= heat)
        mine[nearest] = True
        lengths = np.stack(np.broadcast_arrays(x - bx, y - by, bx + bw - x, by + bh - y)) / stride
        sides[:, mine] = np.maximum(lengths, 0.1)[:, mine]
        heat = np.maximum(heat, here)
    unsure = cv2.resize(sample.unsure.astype(np.uint8), (columns, rows), interpolation=cv2.INTER_AREA)
    return np.concatenate([heat[None], sides, 1.0 - unsure[None].astype(np.float32)])


def giou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Generalised and plain IoU of boxes given as distances from one point, `(n, 4)` left, top, right, bottom."""
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    inter = (low[:, 0] + low[:, 2]) * (low[:, 1] + low[:, 3])
    hull = (high[:, 0] + high[:, 2]) * (high[:, 1] + high[:, 3])
    area_a = (a[:, 0] + a[:, 2]) * (a[:, 1] + a[:, 3])
    area_b = (b[:, 0] + b[:, 2]) * (b[:, 1] + b[:, 3])
    union = area_a + area_b - inter
    iou = inter / union.clamp(min=1e-6)
    return iou - (hull - union) / hull.clamp(min=1e-6), iou


def loss_of(net: nn.Module, pictures: Tensor, targets: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        out = net(pictures)
    out = out.float()
    heat, sides, sure = targets[:, 0], targets[:, 1:5], targets[:, 5]
    logits = out[:, 0]
    p = torch.sigmoid(logits)
    peak = (heat > 0.7).float()
    n = peak.sum().clamp(min=1)
    found = -F.logsigmoid(logits) * (1 - p) ** 2 * peak * heat
    other = -F.logsigmoid(-logits) * p**2 * (1 - heat) ** 4 * (1 - peak) * sure
    loss = (found.sum() + other.sum()) / n
    where = sides[:, 0] > 0
    if where.any():
        weight = heat[where]
        predicted = out[:, 2:6].permute(0, 2, 3, 1)[where]
        overlap, iou = giou(predicted, sides.permute(0, 2, 3, 1)[where])
        quality = F.binary_cross_entropy_with_logits(out[:, 1][where], iou.detach().clamp(0, 1), reduction="none")
        loss = loss + ((2 * (1 - overlap) + 0.5 * quality) * weight).sum() / weight.sum()
    return loss


def start_from(net: Detector, segmenter: Path) -> None:
    """Copies the encoder of a segmenter's checkpoint, without its prompt plane."""
    state = torch.load(segmenter, weights_only=True)["average"]
    encoder = {k.removeprefix("encoder."): v for k, v in state.items() if k.startswith("encoder.")}
    encoder["stages.0.0.0.weight"] = encoder["stages.0.0.0.weight"][:, :3]
    net.encoder.load_state_dict(encoder)


def quick(net: nn.Module, held_out: list[boxes.Sample]) -> dict[str, float]:
    """Recall at IoU 0.5 and false boxes per picture, at the score where the two are counted by the product."""
    from ar_detect.detector import decoded
    from training.metrics import match_boxes

    net.eval()
    found = false = total = 0
    with torch.inference_mode():
        for start in range(0, len(held_out), 24):
            chunk = held_out[start : start + 24]
            x = torch.from_numpy(np.stack([s.picture for s in chunk])).permute(0, 3, 1, 2).float()
            for sample, grid in zip(chunk, net(augment.normalised(x)).float().numpy(), strict=True):
                predicted = decoded(grid, Detector.STRIDE, least_score=0.35)
                hits = match_boxes(predicted[:, :4], sample.boxes)
                found, false, total = found + hits, false + len(predicted) - hits, total + len(sample.boxes)
    return {"recall": round(found / max(1, total), 4), "false": round(false / len(held_out), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("/tmp/train"))
    parser.add_argument("--encoder", type=Path, help="a segmenter's checkpoint to start from")
    parser.add_argument("--out", type=Path, default=Path("out/detect.pt"))
    parser.add_argument("--small", action="store_true", help="an eighth of the weights, without --encoder")
    parser.add_argument("--cpu-minutes", type=float, default=20)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(args.seed)
    net = Detector(args.small)
    if args.encoder and not args.out.exists():
        start_from(net, args.encoder)
    trainer = Trainer(net, args.out, args.cpu_minutes, args.learning_rate)
    rng = np.random.default_rng((args.seed, trainer.iteration, 1))
    cutouts = synth.load_cutouts(args.data / "cutouts")
    stock = synth.Stock(open_store(args.data / "duts_tr", args.cache / "duts"), boxes.seen_cutouts(cutouts), rng, 320)
    held_out = boxes.held_out_scenes(args.data, cutouts, *SIZE)
    print(f"{n_parameters(net) / 1e6:.2f} M parameters, {len(held_out)} held-out scenes", flush=True)

    def batch_loss(model: nn.Module, progress: float) -> Tensor:
        batch = [boxes.sample(stock, rng, *SIZE) for _ in range(BATCH)]
        pictures = np.stack([augment.degrade(np.ascontiguousarray(s.picture), rng) for s in batch])
        x = augment.light(torch.from_numpy(pictures).permute(0, 3, 1, 2).float(), rng)
        return loss_of(model, augment.normalised(x), torch.from_numpy(np.stack([targets_of(s) for s in batch])))

    trainer.run(batch_loss, lambda average: str(quick(average, held_out)))


if __name__ == "__main__":
    main()
