"""Trains the face segmenter: `python -m training.face_segment --out out/face-segment.pt`.

A window around a face → the head in its middle (face, ears, hair, hat) and that head's hair, eyes and mouth. Half of
the portraits lose their background, some get a second head beside them or something before them, some windows hold no
face. Losses of `training.losses`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from torch import Tensor, nn

from training import augment, faces
from training.face_detect import things_of, without_people
from training.face_nets import FaceSegmenter, load
from training.faces import EYES, HAIR, HEAD, MOUTH, Places, Portraits, chosen
from training.loop import Trainer
from training.losses import edge_weight, mask_loss
from training.metrics import iou
from training.nets import n_parameters
from training.store import Pixels, training_pairs
from training.synth import Rng

BATCH = 32
SIZE = 160
"""Pixels, both sides; the first part of the training sees SMALL."""

SMALL = 128
REGIONS = (HEAD, HAIR, EYES, MOUTH)
WINDOW = 1.5
"""The window is the detected box, this much larger (`ar_segment.faces`); the head's own box by 1.25 while it is followed."""


@dataclass(frozen=True)
class Sample:
    """`picture (S, S, 3)`, `targets (4, S, S)` 0 or 255; `face`: is there one."""

    picture: Pixels
    targets: Pixels
    face: bool


def window_of(labels: Pixels, rng: Rng) -> tuple[float, float, float, float]:
    """Centre and sides of the window in pixels of the labels, as the product would choose it, more or less."""
    face, head = faces.boxes_of(labels)
    roll = rng.random()
    x, y, w, h = faces.box_between(face, head) if roll < 0.6 else head if roll < 0.9 else (0, 0, *labels.shape[::-1])
    factor = WINDOW if roll < 0.6 else 1.25 if roll < 0.9 else 1.0
    zoom = factor * np.exp(rng.normal(0, 0.12))
    cx, cy = x + w / 2 + rng.normal(0, 0.06) * w, y + h / 2 + rng.normal(0, 0.06) * h
    longer = max(w, h)
    return cx, cy, zoom * max(w, 0.5 * longer), zoom * max(h, 0.5 * longer)


def sample(portraits: Portraits, places: Places, rng: Rng, size: int) -> Sample:
    if rng.random() < 0.07:
        bgr = places.view(rng, size, size)
        faces.with_things(bgr, places, rng)
        return Sample(bgr, np.zeros((4, size, size), np.uint8), False)
    picture = portraits.levels[0][int(rng.integers(len(portraits)))]
    cx, cy, w, h = window_of(picture[..., 3], rng)
    turn = np.clip(rng.normal(0, 0.2), -0.6, 0.6)
    mirror = 1 if rng.random() < 0.5 else -1
    c, s = np.cos(turn), np.sin(turn)
    linear = np.diag([size / w, size / h]) @ np.array([[c, -s], [s, c]]) @ np.diag([mirror, 1])
    matrix = np.column_stack([linear, size / 2 - linear @ [cx, cy]])
    bgr = cv2.warpAffine(picture[..., :3], matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
    elsewhere = rng.random() < 0.5
    border = cv2.BORDER_CONSTANT if elsewhere else cv2.BORDER_REPLICATE  # continued hair is hair
    labels = cv2.warpAffine(picture[..., 3], matrix, (size, size), flags=cv2.INTER_NEAREST, borderMode=border)
    if elsewhere:  # before another background, sometimes with other heads behind
        wanted = HEAD if rng.random() < 0.25 else tuple(range(1, 19))
        alpha = chosen(labels, wanted)
        # Labels end a little outside: without it a rim of the old background would give the head away.
        alpha = cv2.GaussianBlur(cv2.erode(alpha, np.ones((3, 3), np.uint8)), (3, 3), 0)
        behind = places.view(rng, size, size)
        faces.with_things(behind, places, rng, 2)
        for _ in range(int(rng.random() < 0.3) + int(rng.random() < 0.1)):
            at = (float(rng.choice([-0.05, 1.05]) + rng.normal(0, 0.1)) * size, float(rng.uniform(0.1, 0.9)) * size)
            other = faces.head(portraits, int(rng.integers(len(portraits))), rng, rng.uniform(0.25, 0.55) * size, at)
            faces.blend(behind, other.bgra, other.x, other.y)
        person = np.dstack([np.clip(bgr * rng.uniform(0.6, 1.2), 0, 255).astype(np.uint8), alpha])
        faces.blend(behind, person, 0, 0)
        bgr = behind
    targets = np.stack([chosen(labels, region) for region in REGIONS])
    if rng.random() < 0.15 and places.things:  # something before it: a toy, a hand-sized thing
        thing = places.things[int(rng.integers(len(places.things)))]
        layer = faces.shrunk(thing, rng.uniform(0.2, 0.5) * size, rng)
        x, y = (int(v) for v in rng.uniform(-0.1, 0.8, 2) * size)
        faces.blend(bgr, layer, x, y)
        covered = np.zeros((size, size, 3), np.uint8)
        white = np.dstack([np.full((*layer.shape[:2], 3), 255, np.uint8), layer[..., 3]])
        faces.blend(covered, white, x, y)
        targets[:, covered[..., 0] > 127] = 0
    return Sample(np.ascontiguousarray(bgr), targets, True)


def loss_of(net: nn.Module, pictures: Tensor, targets: Tensor, face: Tensor) -> Tensor:
    """`pictures (N, 3, S, S)` normalised, `targets (N, 4, S, S)` in [0, 1], `face (N,)`."""
    with torch.autocast("cpu", torch.bfloat16):
        masks, objectness, *sides = net(pictures)
    half = F.avg_pool2d(targets, 2)

    def of_scale(logits: Tensor, target: Tensor) -> Tensor:
        logits = logits.float()
        out = logits.new_zeros(())
        for k, share in enumerate((1.0, 0.7, 0.3, 0.3)):
            one = target[:, k : k + 1]
            out = out + share * mask_loss(logits[:, k : k + 1], one, edge_weight(one))
        return out

    loss = of_scale(masks, half)
    for side, step in zip(sides, (4, 2), strict=True):
        loss = loss + 0.3 * of_scale(side, F.avg_pool2d(half, step))
    return loss + 0.2 * F.binary_cross_entropy_with_logits(objectness.float()[:, 0], face)


def quick(net: nn.Module, held_out: Portraits, size: int) -> dict[str, float]:
    """Mean IoU of each region on windows around unseen portraits' boxes, at half of `size`."""
    net.eval()
    rows = []
    with torch.inference_mode():
        for picture in held_out.levels[0]:
            x, y, w, h = faces.box_between(*faces.boxes_of(picture[..., 3]))
            zx, zy = size / (WINDOW * w), size / (WINDOW * h)
            matrix = np.array([[zx, 0, size / 2 - zx * (x + w / 2)], [0, zy, size / 2 - zy * (y + h / 2)]])
            view = cv2.warpAffine(picture[..., :3], matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
            labels = cv2.warpAffine(picture[..., 3], matrix, (size, size), flags=cv2.INTER_NEAREST)
            mask, _, regions = net(augment.normalised(torch.from_numpy(view)[None].permute(0, 3, 1, 2).float()))
            found = torch.cat([mask, regions], 1)[0].float().numpy() > 0.5
            inside = cv2.warpAffine(np.ones(picture.shape[:2], np.uint8), matrix, (size, size))[::2, ::2] > 0
            rows.append([iou(f & inside, chosen(labels, r)[::2, ::2] > 0) for f, r in zip(found, REGIONS, strict=True)])
    return {
        name: round(float(v), 4) for name, v in zip(("head", "hair", "eyes", "mouth"), np.mean(rows, 0), strict=True)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("out/face-segment.pt"))
    parser.add_argument(
        "--trust", type=Path, help="a face detector's checkpoint: it says which photographs show nobody"
    )
    parser.add_argument("--small", action="store_true", help="a third of the weights")
    parser.add_argument("--photographs", type=int, default=1500, help="that many without people, at most")
    parser.add_argument("--cpu-minutes", type=float, default=18)
    parser.add_argument("--switch", type=float, default=0.55, help="part of the budget spent on small windows")
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(args.seed)
    net = FaceSegmenter(args.small)
    trainer = Trainer(net, args.out, args.cpu_minutes, args.learning_rate)
    rng = np.random.default_rng((args.seed, trainer.iteration, 3))
    portraits = faces.open_portraits(faces.training_files(args.data / "faces"))
    held_out = faces.open_portraits(faces.validation_files(args.data / "faces"))
    photographs = training_pairs(args.data / "duts_tr")
    np.random.default_rng(1).shuffle(photographs)
    judge = load(args.trust) if args.trust else None
    places = Places(without_people(photographs, args.photographs, judge), things_of(args.data / "cutouts"))
    print(
        f"{n_parameters(net) / 1e6:.3f} M parameters, {len(portraits)} portraits, {len(places.pictures)} places",
        flush=True,
    )

    def batch_loss(model: nn.Module, progress: float) -> Tensor:
        size = SMALL if progress < args.switch else SIZE
        batch = [sample(portraits, places, rng, size) for _ in range(BATCH)]
        x = torch.from_numpy(np.stack([augment.degrade(s.picture, rng) for s in batch])).permute(0, 3, 1, 2).float()
        targets = torch.from_numpy(np.stack([s.targets for s in batch])).float() / 255
        face = torch.tensor([float(s.face) for s in batch])
        return loss_of(model, augment.normalised(augment.light(x, rng)), targets, face)

    trainer.run(batch_loss, lambda average: str(quick(average, held_out, SIZE)))


if __name__ == "__main__":
    main()
