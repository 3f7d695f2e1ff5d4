"""Trains the prompted segmenter: `python -m training.segment --data DATA --out out/segment.pt`.

Progressive size (128, then 192 pixels), bf16, edge-weighted cross entropy + soft IoU, deep supervision, a boundary head
and an objectness head. Resumable: the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training import augment, evaluate, samples, synth
from training.loop import Trainer
from training.losses import loss_of
from training.nets import Segmenter, n_parameters
from training.store import open_store, validation_pairs

BATCH = 32


def with_own_masks(
    average: nn.Module, pictures: Tensor, earlier: NDArray[np.bool_], rng: np.random.Generator
) -> Tensor:
    """Replaces most prompts that are an earlier mask by what the network itself says, a little displaced.

    Else it learns that such prompts are nearly true and repeats its own mistakes in the next pass (Sofiiuk et al.,
    Reviving iterative training with mask guidance, 2021). `pictures (N, 4, S, S)` of 0-255.
    """
    which = np.flatnonzero(earlier & (rng.random(len(earlier)) < 0.65))
    if len(which) == 0:
        return pictures
    asked = pictures[which].clone()
    boxed = rng.random(len(which)) < 0.5
    for k in np.flatnonzero(boxed):
        plane = asked[k, 3].numpy().astype(np.uint8)
        asked[k, 3] = torch.from_numpy(samples.box_prompt(plane, rng)).float()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        masks, _ = average(augment.normalised(asked))
    size = pictures.shape[-1]
    for k, mask in zip(which, masks[:, 0].float().numpy(), strict=True):
        matrix = np.column_stack([np.eye(2), rng.normal(0, 0.015 * size, 2)]).astype(np.float32)
        matrix[:, :2] *= 2  # the mask is half the picture's size
        moved = cv2.warpAffine(mask, matrix, (size, size))
        pictures[k, 3] = torch.from_numpy(moved) * 255
    return pictures


def batch_of(
    drawn: list[samples.Sample], average: nn.Module, rng: np.random.Generator, augmented: bool = True
) -> tuple[Tensor, Tensor, Tensor]:
    """Samples as what `losses.loss_of` takes: pictures, targets, what was meant. `augmented`: as cameras see them."""
    pictures = np.stack([s.picture for s in drawn])
    for picture in pictures if augmented else ():
        picture[..., :3] = augment.degrade(np.ascontiguousarray(picture[..., :3]), rng)
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    x = with_own_masks(average, augment.light(x, rng) if augmented else x, np.array([s.earlier for s in drawn]), rng)
    targets = torch.from_numpy(np.stack([s.target for s in drawn]))[:, None].float() / 255
    return augment.normalised(x), targets, torch.tensor([float(s.meant) for s in drawn])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("/tmp/train"))
    parser.add_argument("--out", type=Path, default=Path("out/segment.pt"))
    parser.add_argument(
        "--start", type=Path, help="checkpoint whose weights are gone on from, with a schedule of one's own"
    )
    parser.add_argument("--cpu-minutes", type=float, default=80)
    parser.add_argument("--sizes", type=int, nargs=2, default=(128, 192))
    parser.add_argument("--switch", type=float, default=0.6, help="part of the budget spent at the first size")
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(args.seed)
    net = Segmenter()
    trainer = Trainer(net, args.out, args.cpu_minutes, args.learning_rate, start=args.start)
    rng = np.random.default_rng((args.seed, trainer.iteration))
    store = open_store(args.data / "duts_tr", args.cache / "duts")
    stock = synth.Stock(store, synth.load_cutouts(args.data / "cutouts"), rng, 240)
    held_out = validation_pairs(args.data / "duts_tr")[::3]
    print(
        f"{n_parameters(net) / 1e6:.2f} M parameters, {len(store)} photographs, {len(stock.objects)} whole objects",
        flush=True,
    )

    def batch_loss(model: nn.Module, progress: float) -> Tensor:
        size = args.sizes[progress >= args.switch]
        drawn = [samples.sample(stock, rng, size) for _ in range(BATCH)]
        return loss_of(model, *batch_of(drawn, trainer.average, rng))

    def report(average: nn.Module) -> str:
        size = args.sizes[trainer.progress >= args.switch]
        return str(evaluate.quick(average, held_out, size))

    trainer.run(batch_loss, report)


if __name__ == "__main__":
    main()
