"""A set for the face networks that is free of research data: `python -m training.clean_faces --assets ASSETS --data DATA
--out out/clean-faces` draws people of MakeHuman's parts (CC0; `training.humans`) before places without people, and those
places, in the layout that `training.face_detect` and `training.face_segment` take.

In a second round `--portraits DIR --judge out/face-1.pt` adds photographs of heads that may be used for everything. Their
labels are what the segmenter of the first round, trained on the drawn ones alone, says, with the outline of their colours
(GrabCut); those where both disagree are left out.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training import augment, clean, faces, synth
from training.face_detect import FREE, HUMAN_CUTOUTS
from training.face_nets import load
from training.face_segment import SIZE
from training.metrics import iou
from training.store import N_VALIDATION, Pixels
from training.synth import Rng

Mask = NDArray[np.bool_]

WITH_PEOPLE = ("astronaut.png", "camera.png")
"""Of the photographs of `training.clean`."""

DESK_WITH_A_MAN = (*range(36, 46), *range(56, 68), *range(77, 89))
"""Of its pictures of a desk."""

SKIN, EYE, LIPS, HAIR = 1, 4, 12, 13
LEAST_AGREEMENT = 0.85
"""IoU of what the network says and of what follows the colours."""


def materials(data: Path) -> clean.Materials:
    """Photographs and cut-outs without people."""
    every = clean.photographs(data)
    shots = [p for name, p in zip(clean.PHOTOGRAPHS, every, strict=False) if name not in WITH_PEOPLE]
    desk = [p for k, p in enumerate(every[len(clean.PHOTOGRAPHS) :]) if k not in DESK_WITH_A_MAN]
    cutouts = synth.load_cutouts(data / "cutouts")
    return clean.Materials(shots + desk, [c for k, c in enumerate(cutouts) if k not in HUMAN_CUTOUTS])


def place(known: clean.Materials, rng: Rng) -> Pixels:
    """Somewhere without people, with things or without."""
    if rng.random() < 0.4:
        return np.ascontiguousarray(clean.picture(known, rng)[..., :3])
    return clean.place(known, rng)


def before(person: Pixels, place: Pixels) -> Pixels:
    """`person (h, w, 4)` before a place."""
    h, w = person.shape[:2]
    out: Pixels = np.array(cv2.resize(place, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
    faces.blend(out, person, 0, 0)
    return out


def said(net: nn.Module, bgr: Pixels) -> Pixels:
    """Head, hair, eyes, mouth as the network says of a square picture, `(h, w, 4)` 0 to 255."""
    view = cv2.resize(bgr, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    with torch.inference_mode():
        head, _, regions = net(augment.normalised(torch.from_numpy(view)[None].permute(0, 3, 1, 2).float()))
    planes = torch.cat([head, regions], 1)[0].permute(1, 2, 0).numpy()
    out = cv2.resize((255 * planes).astype(np.uint8), bgr.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(out)


def outlined(bgr: Pixels, sure: Mask, never: Mask) -> Mask:
    """GrabCut: `True` where the colours are those of what is `sure`, and not where it is `never`."""
    mask: Pixels = np.full(bgr.shape[:2], cv2.GC_PR_BGD, np.uint8)
    mask[sure] = cv2.GC_FGD
    mask[never] = cv2.GC_BGD
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(bgr, mask, (0, 0, 1, 1), *models, 4, cv2.GC_INIT_WITH_MASK)
    return (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)


def largest(mask: Mask, n: int = 1) -> Mask:
    """The `n` largest pieces of a mask."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    order = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:n]
    return np.isin(parts, order) if count > 1 else mask


def labelled(net: nn.Module, portrait: Pixels) -> tuple[Pixels, Pixels] | None:
    """A square cut of a photograph with one head, `(240, 240, 3)`, and its labels; None where they are in doubt."""
    side = max(portrait.shape[:2])
    pad = [(side - n) // 2 for n in portrait.shape[:2]]
    below, right = side - portrait.shape[0], side - portrait.shape[1] - pad[1]
    edge = cv2.BORDER_REPLICATE
    square: Pixels = np.asarray(cv2.copyMakeBorder(portrait, 0, below, pad[1], right, edge), np.uint8)
    x, y, w, h = cv2.boundingRect((said(net, square)[..., 0] > 127).astype(np.uint8))
    if min(w, h) < 0.2 * side:
        return None
    n = int(1.3 * max(w, h))
    left, top = x + w // 2 - n // 2, y + h // 2 - n // 2
    matrix = np.array([[240 / n, 0, -left * 240 / n], [0, 240 / n, -top * 240 / n]])
    bgr: Pixels = np.asarray(cv2.warpAffine(square, matrix, (240, 240), borderMode=edge), np.uint8)
    planes = said(net, bgr)
    mirrored = said(net, np.ascontiguousarray(bgr[:, ::-1]))[:, ::-1]
    planes = ((planes.astype(np.uint16) + mirrored) // 2).astype(np.uint8)
    head, hair = planes[..., 0] > 127, planes[..., 1]
    if not (planes[..., 0] > 230).any():
        return None
    reach = cv2.dilate(head.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    outline = outlined(bgr, planes[..., 0] > 230, ~reach | ((planes[..., 0] < 25) & (np.arange(240)[:, None] > 150)))
    if iou(outline, head) < LEAST_AGREEMENT:
        return None
    outline = largest(outline)
    labels = np.zeros((240, 240), np.uint8)
    labels[outline] = np.where(hair[outline] > 127, HAIR, SKIN)
    labels[outline & largest(planes[..., 2] > 127, 2)] = EYE
    labels[outline & largest(planes[..., 3] > 127)] = LIPS
    return bgr, labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, required=True, help="MakeHuman's: see training.humans")
    parser.add_argument("--data", type=Path, required=True, help="where `cutouts/` and `slam/` are")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=620, help="people that are drawn")
    parser.add_argument("--places", type=int, default=2500)
    parser.add_argument("--portraits", type=Path, help="photographs (.jpg) of one head each")
    parser.add_argument("--judge", type=Path, help="a face segmenter's checkpoint: it labels the portraits")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    folders = [args.out / kind / part for kind in ("faces", "duts_tr") for part in ("images", "masks")]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)

    def write(kind: str, name: str, bgr: Pixels, mask: Pixels) -> None:
        cv2.imwrite(str(args.out / kind / "images" / f"{name}.jpg"), bgr, [cv2.IMWRITE_JPEG_QUALITY, 93])
        cv2.imwrite(str(args.out / kind / "masks" / f"{name}.png"), mask)

    if args.portraits:
        net = load(args.judge)
        files = sorted(args.portraits.glob("*.jpg"))
        found = 0
        for path in files:
            picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if picture is None:
                raise ValueError(f"cannot decode {path}")
            both = labelled(net, np.asarray(picture, np.uint8))
            if both is not None:
                write("faces", f"b{found:05d}", *both)
                found += 1
        print(f"{found} of {len(files)} portraits labelled")
        return
    from training.humans import person
    from training.portrait import Painter

    known, rng, painter = materials(args.data), np.random.default_rng(23), Painter(args.assets)
    for k in range(args.places + N_VALIDATION):
        bgr = place(known, rng)
        write("duts_tr", f"{FREE}{k:05d}", bgr, np.zeros(bgr.shape[:2], np.uint8))
    places = sorted((args.out / "duts_tr" / "images").iterdir())
    for k in range(args.count):
        drawn = painter(person(args.assets, rng), rng)
        write(
            "faces",
            f"a{k:05d}",
            before(drawn.bgra, np.asarray(cv2.imread(str(places[int(rng.integers(len(places)))])), np.uint8)),
            drawn.labels,
        )
    shutil.copytree(args.data / "cutouts", args.out / "cutouts", dirs_exist_ok=True)


if __name__ == "__main__":
    main()
