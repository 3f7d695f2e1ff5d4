"""Trains the face detector: `python -m training.face_detect --out out/face-detect.pt`.

Heads cut from portraits, pasted into pictures without people; losses of `training.detect`. No list says which of the
photographs show people, so this goes in two rounds: the first uses those without skin colours only; the second
(`--trust FIRST`) those that are named after an animal, a dish or a thing that nobody wears, less those in which the
network of the first round is sure of a face.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from training import augment, boxes, faces, synth
from training.detect import loss_of, targets_of
from training.face_nets import FaceDetector, load
from training.loop import Trainer
from training.metrics import match_boxes
from training.nets import n_parameters
from training.store import Pixels, training_pairs, validation_pairs

BATCH = 32
SIZE = (320, 256)
"""Width and height in pixels; the first part of the training sees windows of SMALL."""

SMALL = (192, 160)
HUMAN_CUTOUTS = (17, 37, 38)
"""Of the cut-outs by name: a portrait, a dwarf, a goblin. Neither a face nor not one."""

FREE = "free"
"""How the names of pictures begin that are known to show nobody (`training.clean_faces`)."""

MOST_SKIN = 0.03
MOST_SCORE = 0.75
CLASSES = ("n015", "n016", "n017", "n018", "n019", "n02", "n03", "n04", "n07")
"""How the names of photographs of animals, things and food begin (WordNet numbers of ImageNet)."""

WORN = {
    "n02799071", "n02883205", "n03124170", "n03127747", "n03188531", "n03249569", "n03255030", "n03379051", "n03445777",
    "n03450230", "n03535780", "n03594734", "n03594945", "n03710637", "n03710721", "n03763968", "n03770439", "n03814639",
    "n03838899", "n04023962", "n04039381", "n04136333", "n04141076", "n04209133", "n04254120", "n04254680", "n04259630",
    "n04356056", "n04371430", "n04487394", "n04584207", "n04591157",
}  # fmt: skip
"""Of these the hats, swimsuits, helmets and instruments that come with people."""


def skin_part(bgr: Pixels) -> float:
    """The part of the picture that has colours of skin (Chai & Ngan, 1999): a crude sign of people."""
    ycc = cv2.cvtColor(cv2.resize(bgr, (80, 80), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2YCrCb)
    return float(np.mean(cv2.inRange(ycc, (40, 133, 77), (255, 173, 127)) > 0))


def best_scores(net: nn.Module, pictures: list[Pixels]) -> list[float]:
    """How sure the network is of the most face-like place of each picture, at its own size and at half of it (faces that
    fill the picture)."""
    best = np.zeros(len(pictures))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for width, height in (SIZE, (SIZE[0] // 2, SIZE[1] // 2)):
            views = np.stack([cv2.resize(p, (width, height), interpolation=cv2.INTER_AREA) for p in pictures])
            out = net(augment.normalised(torch.from_numpy(views).permute(0, 3, 1, 2).float()))
            best = np.maximum(best, out[:, 0].amax((1, 2)).float().numpy())
    return [float(score) for score in best]


def thing_or_animal(file: Path) -> bool:
    """Is the photograph named after something that comes without people?"""
    name = file.stem.split("_")[0]
    return name.startswith((FREE, *CLASSES)) and name not in WORN


def without_people(files: list[tuple[Path, Path]], most: int, judge: nn.Module | None) -> list[Pixels]:
    """Up to `most` of the photographs, those that seem to show nobody."""
    out: list[Pixels] = []
    images = [image for image, _ in files if judge is None or thing_or_animal(image)]
    for start in range(0, len(images), 32):
        chunk = []
        for image in images[start : start + 32]:
            bgr = cv2.imread(str(image), cv2.IMREAD_COLOR)
            if bgr is None:
                raise ValueError(f"cannot decode {image}")
            chunk.append(bgr)
        known = [image.stem.startswith(FREE) for image in images[start : start + 32]]
        if judge is None:
            out += [p for p, free in zip(chunk, known, strict=True) if free or skin_part(p) < MOST_SKIN]
        else:
            scores = best_scores(judge, chunk)
            out += [p for p, free, s in zip(chunk, known, scores, strict=True) if free or s < MOST_SCORE]
        if len(out) >= most:
            break
    return out[:most]


def things_of(folder: Path) -> list[Pixels]:
    """The cut-outs that are not human, toys and statues of animals among them: no faces."""
    cutouts = synth.load_cutouts(folder, 200)
    return [c for k, c in enumerate(cutouts) if k not in HUMAN_CUTOUTS]


def held_out_scenes(data: Path, things: list[Pixels], n: int = 200) -> list[boxes.Sample]:
    """Unseen faces in unseen photographs without skin colours and on bare surfaces, a third without a face."""
    rng = np.random.default_rng(42)
    portraits = faces.open_portraits(faces.validation_files(data / "faces"))
    places = faces.Places(without_people(validation_pairs(data / "duts_tr"), 150, None), things[::5])
    return [faces.scene(portraits, places, rng, *SIZE, faceless=0.34) for _ in range(n)]


def quick(net: nn.Module, held_out: list[boxes.Sample], least_score: float = 0.5) -> dict[str, float]:
    """Recall at IoU 0.5, false boxes per 100 pictures."""
    from ar_detect.detector import decoded

    net.eval()
    found = false = total = 0
    with torch.inference_mode():
        for start in range(0, len(held_out), 20):
            chunk = held_out[start : start + 20]
            x = torch.from_numpy(np.stack([s.picture for s in chunk])).permute(0, 3, 1, 2).float()
            for sample, grid in zip(chunk, net(augment.normalised(x)).float().numpy(), strict=True):
                predicted = decoded(grid, FaceDetector.STRIDE, least_score)
                hits = match_boxes(predicted[:, :4], sample.boxes)
                found, false, total = found + hits, false + len(predicted) - hits, total + len(sample.boxes)
    return {"recall": round(found / max(1, total), 4), "false/100": round(100 * false / len(held_out), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("out/face-detect.pt"))
    parser.add_argument("--trust", type=Path, help="the first round's checkpoint: it chooses the photographs")
    parser.add_argument("--small", action="store_true", help="a third of the weights")
    parser.add_argument("--photographs", type=int, default=4000, help="that many without people, at most")
    parser.add_argument("--cpu-minutes", type=float, default=6)
    parser.add_argument("--switch", type=float, default=0.6, help="part of the budget spent on small windows")
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(args.seed)
    net = FaceDetector(args.small)
    judge = load(args.trust) if args.trust else None
    if judge is not None and not args.out.exists():
        net.load_state_dict(judge.state_dict())
    trainer = Trainer(net, args.out, args.cpu_minutes, args.learning_rate)
    rng = np.random.default_rng((args.seed, trainer.iteration, 2))
    portraits = faces.open_portraits(faces.training_files(args.data / "faces"))
    things = things_of(args.data / "cutouts")
    photographs = training_pairs(args.data / "duts_tr")
    np.random.default_rng(1).shuffle(photographs)
    places = faces.Places(without_people(photographs, args.photographs, judge), things)
    held_out = held_out_scenes(args.data, things)
    print(
        f"{n_parameters(net) / 1e6:.3f} M parameters, {len(portraits)} portraits, {len(places.pictures)} places",
        flush=True,
    )

    def batch_loss(model: nn.Module, progress: float) -> Tensor:
        size = SMALL if progress < args.switch else SIZE
        batch = [faces.scene(portraits, places, rng, *size) for _ in range(BATCH)]
        pictures = np.stack([augment.degrade(s.picture, rng) for s in batch])
        x = augment.light(torch.from_numpy(pictures).permute(0, 3, 1, 2).float(), rng)
        return loss_of(model, augment.normalised(x), torch.from_numpy(np.stack([targets_of(s) for s in batch])))

    trainer.run(batch_loss, lambda average: str(quick(average, held_out)))


if __name__ == "__main__":
    main()
