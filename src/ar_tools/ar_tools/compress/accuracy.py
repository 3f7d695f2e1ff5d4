"""How much of what the whole network says a smaller one still says, on given pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import iou_matrix
from ar_core.model_card import ModelCard
from ar_core.networks import fitted
from ar_detect.detector import decoded

Pixels = NDArray[np.uint8]
Float = NDArray[np.float32]

LEAST_PICTURES = 8
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
COMPARED = 160
"""Masks are compared at this size, whatever the network's."""

SURE = 0.35
"""Of a box."""


def read_pictures(folder: Path, most: int = 120) -> list[Pixels]:
    """The pictures in `folder`, by name, evenly thinned to `most`; ValueError where there are too few."""
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder")
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in ENDINGS)
    if len(files) < LEAST_PICTURES:
        raise ValueError(
            f"{folder}: holds {len(files)} pictures, at least {LEAST_PICTURES} are needed: put pictures there of what the "
            "camera will see"
        )
    chosen = [files[k] for k in np.linspace(0, len(files) - 1, min(most, len(files))).round().astype(int)]
    out = []
    for file in chosen:
        picture = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError(f"{file}: cannot be read as a picture")
        out.append(np.asarray(picture, np.uint8))
    return out


def network_input(picture: Pixels, card: ModelCard, width: int, height: int) -> Float:
    """`(1, C, height, width)`, or with the channels last, normalised as `card` says; the prompt is empty."""
    small = fitted(picture, card) if (width, height) == (card.width, card.height) else None
    if small is None:
        small = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    if card.color == "rgb":
        small = small[..., ::-1]
    planes = [small] + ([np.zeros((height, width, 1), np.uint8)] if card.prompt else [])
    x = (np.concatenate(planes, 2) - np.array(card.mean, np.float32)) / np.array(card.scale, np.float32)
    return np.ascontiguousarray(x[None] if card.layout == "NHWC" else x.transpose(2, 0, 1)[None])


def answer(network: Any, card: ModelCard, picture: Float) -> NDArray[Any]:
    """What counts of a network's answer: a mask `(COMPARED, COMPARED) bool`, or boxes `(n, 4)` as parts of the picture."""
    role = "mask" if card.decoding == "mask" else "boxes"
    out = np.asarray(network([picture])[card.outputs[role]])[0].squeeze()
    if role == "mask":
        return np.asarray(cv2.resize(out.astype(np.float32), (COMPARED, COMPARED)) > 0.5)
    height, width = picture.shape[1:3] if card.layout == "NHWC" else picture.shape[2:]
    boxes = decoded(out, width / out.shape[2], SURE)[:, :4]
    return np.asarray(boxes / np.array([width, height, width, height], np.float64))


def agreement(wanted: list[NDArray[Any]], found: list[NDArray[Any]]) -> float:
    """Mean IoU of masks; of boxes the part that both have (F1 at an IoU of 0.5). 1: nothing is lost."""
    return float(np.mean([_alike(a, b) for a, b in zip(wanted, found, strict=True)]))


def _alike(a: NDArray[Any], b: NDArray[Any]) -> float:
    if a.dtype == bool:
        union = np.count_nonzero(a | b)
        return np.count_nonzero(a & b) / union if union else 1.0
    if not len(a) or not len(b):
        return float(len(a) == len(b))
    overlap = iou_matrix(a, b)
    hits = 0
    for row in overlap:
        k = int(np.argmax(row))
        if row[k] >= 0.5:
            hits += 1
            overlap[:, k] = -1
    return 2 * hits / (len(a) + len(b))
