"""What each part of the segmenter's recipe is worth: `python -m training.ablation --data DATA --out out/ablation`.

Runs of the same number of steps, from the same random weights on the same samples as far as they go, with one part left
out or added each; measured as the product asks its segmenter, on every second validation picture. A run that is stopped
goes on where it was; what has been measured is not measured again. Leaves a table, and with `--table FILE` puts it between
the two marks in that file.
"""

from __future__ import annotations

import argparse
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from ar_core.model_card import ModelCard, find_card
from ar_segment.segmenter import Segmentation, Segmenter, finished
from ar_segment.windows import whole
from ar_tools.eval.masks import evaluate
from training import augment, samples, synth
from training.loop import Trainer
from training.losses import OURS, Parts, loss_of
from training.nets import Segmenter as Net
from training.report import put, table
from training.segment import BATCH, batch_of
from training.store import Pixels, Store, open_store, packed, validation_pairs
from training.synth import Rng, Stock

PSEUDO = 0.15
"""Of the samples, where there are pseudo-labels."""

LEAST_SURE, MOST_DOUBT = 0.5, 0.35
"""What a teacher's answer must be, to be believed."""


@dataclass(frozen=True)
class Recipe:
    """`loss`: see training.losses; `prompts`: box, tap, earlier mask; `crops`: the closer look's windows; `augmented`: light,
    blur, noise, things put before; `pseudo`: frames nobody labelled, with a teacher's masks."""

    loss: Parts = OURS
    prompts: bool = True
    crops: bool = True
    augmented: bool = True
    pseudo: bool = False
    seed: int = 0


RECIPES = {
    "the recipe": Recipe(),
    "the recipe, another seed": Recipe(seed=1),
    "without boundary and objectness heads": Recipe(Parts(heads=False)),
    "with OHEM": Recipe(Parts(hardest=True)),
    "with a contrastive loss": Recipe(Parts(contrast=True)),
    "without augmentation": Recipe(augmented=False),
    "without crops (no cascade learnt)": Recipe(crops=False),
    "without prompts": Recipe(prompts=False),
    "with pseudo-labels": Recipe(pseudo=True),
}


def draw(stock: Stock, unlabelled: Store | None, rng: Rng, size: int, recipe: Recipe) -> samples.Sample:
    """One sample of a recipe; without prompts none that only a prompt makes clear."""
    occluded = samples.OCCLUDED if recipe.augmented else 0.0
    if unlabelled is not None and rng.random() < PSEUDO:
        return samples.photograph(unlabelled, rng, size, occluded)
    if recipe.prompts and recipe.crops and recipe.augmented:
        return samples.sample(stock, rng, size)
    roll = rng.random()
    if roll >= 0.67 and (recipe.prompts or roll >= 0.93):
        sample = samples.several(stock, rng, size) if roll < 0.93 else samples.nothing(stock, rng, size)
    elif roll < 0.44 or not recipe.crops:
        sample = samples.photograph(stock.store, rng, size, occluded)
    else:
        sample = samples.crop(stock, rng, size, occluded)
    if not recipe.prompts:
        sample.picture[..., 3] = 0
        sample = samples.Sample(sample.picture, sample.target, sample.meant)
    return sample


def pseudo_labelled(data: Path, most: int = 400) -> Store:
    """Frames of the clips nobody labelled, with what the shipped segmenter is sure of in them."""
    teacher, found = Segmenter(find_card("segment", "ar_segment")), []
    for frame in frames(data, most):
        answer = teacher.salient(frame)
        if answer.objectness > LEAST_SURE and answer.doubt < MOST_DOUBT:
            found.append(np.dstack([frame, answer.mask]))
    if not found:
        raise ValueError(f"{data}: the teacher is sure of nothing in clips/ and slam/")
    return packed(found)


def frames(data: Path, most: int) -> list[Pixels]:
    """Evenly from `clips/*.mp4` and `slam/*/video.mp4`, longest side 320."""
    clips, out = [*sorted((data / "clips").glob("*.mp4")), *sorted((data / "slam").glob("*/video.mp4"))], []
    for clip in clips:
        capture = cv2.VideoCapture(str(clip))
        step = max(1, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) * len(clips) // most)
        k = 0
        while capture.grab():
            if k % step == 0:
                out.append(capture.retrieve()[1])
            k += 1
    return [_small(frame) for frame in out]


def _small(frame: Pixels) -> Pixels:
    scale = 320 / max(frame.shape[:2])
    return np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def trained(recipe: Recipe, path: Path, args: argparse.Namespace) -> nn.Module:
    """The averaged network of one run."""
    torch.manual_seed(recipe.seed)
    trainer = Trainer(Net(), path, 0, args.learning_rate, steps=args.steps)
    rng = np.random.default_rng((recipe.seed, trainer.iteration))
    store = open_store(args.data / "duts_tr", args.cache / "duts")
    stock = Stock(store, synth.load_cutouts(args.data / "cutouts"), np.random.default_rng(recipe.seed), 240, 600)
    unlabelled = pseudo_labelled(args.data) if recipe.pseudo else None

    def batch_loss(model: nn.Module, _progress: float) -> Tensor:
        drawn = [draw(stock, unlabelled, rng, args.size, recipe) for _ in range(BATCH)]
        batch = batch_of(drawn, trainer.average, rng, recipe.augmented)
        return loss_of(model, *batch, recipe.loss)

    return trainer.run(batch_loss, lambda _: path.stem)


class Asked(Segmenter):
    """A network in training, asked as the product asks."""

    def __init__(self, net: nn.Module, size: int) -> None:
        self.network = _Network(net, size)  # type: ignore[assignment]


class OneLook(Asked):
    """The same without a closer look."""

    def salient(self, picture: Pixels) -> Segmentation:
        return finished(picture, self.see(picture, whole(picture)))


class _Network:
    def __init__(self, net: nn.Module, size: int) -> None:
        self.net = net.eval()
        self.card = ModelCard(Path("-"), "in training", "mask", size, size, {}, prompt=True)

    def __call__(self, seen: Pixels) -> dict[str, np.ndarray]:
        with torch.inference_mode():
            mask, objectness = self.net(augment.normalised(torch.from_numpy(seen)[None].permute(0, 3, 1, 2).float()))
        return {"mask": mask[0].numpy(), "objectness": objectness[0].numpy()}


def measured(net: nn.Module, data: Path, size: int, n: int) -> dict[str, float]:
    """By the column's name."""
    files = validation_pairs(data / "duts_tr")
    files = files[:: max(1, len(files) // n)]
    plain = evaluate(Asked(net, size), files, "none")
    return {
        "mIoU": plain["mIoU"],
        "max F": plain["maxF"],
        "boundary F": plain["boundaryF"],
        "one look": evaluate(OneLook(net, size), files, "none")["mIoU"],
        "box": evaluate(Asked(net, size), files, "box")["mIoU"],
        "tap": evaluate(Asked(net, size), files, "tap")["mIoU"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("/tmp/train"))
    parser.add_argument("--out", type=Path, default=Path("out/ablation"))
    parser.add_argument("--table", type=Path, metavar="FILE", help="put the table into this file, too")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--size", type=int, default=96, help="of the pictures, in pixels")
    parser.add_argument("--pictures", type=int, default=250, help="of the validation set")
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    rows: dict[str, dict[str, float]] = {}
    for name, recipe in RECIPES.items():
        stem = args.out / f"{zlib.crc32(repr((recipe, args.steps, args.size)).encode()):08x}"
        figures = stem.with_suffix(".json")
        if not figures.exists():
            net = trained(recipe, stem.with_suffix(".pt"), args)
            figures.write_text(json.dumps(measured(net, args.data, args.size, args.pictures)), encoding="utf-8")
        rows[name] = json.loads(figures.read_text(encoding="utf-8"))
        (args.out / "table.md").write_text(table(rows), encoding="utf-8")
        print(f"{name}: {rows[name]}", flush=True)
        if args.table:
            put(table(rows), args.table)


if __name__ == "__main__":
    main()
