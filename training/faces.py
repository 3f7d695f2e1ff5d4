"""Heads with their parts, cut from portraits with parsing labels, and what they are put before: samples for both
face networks.

A portrait set is `images/<name>.webp` + `masks/<name>.png` with the labels of CelebAMask-HQ. The last 100 by file name
are validation: never trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training import boxes, synth
from training.store import Pixels, pairs
from training.synth import Rng

N_VALIDATION = 100
FACE = (1, 2, 3, 4, 5, 6, 7, 10, 11, 12)
"""Labels of the face proper: skin, nose, glasses, eyes, brows, mouth, lips."""

HEAD = (*FACE, 8, 9, 13, 14, 15)
"""What a character's head needs: face, ears, hair, hat, earrings."""

EYES, MOUTH, HAIR = (4, 5), (10, 11, 12), (13,)
SIDES = (240, 120, 60)
"""Portraits are kept at these sizes, so that a small head is drawn from a picture of about its size."""

LEAST_FACE, MOST_FACE = 14.0, 130.0
"""Height of a pasted face in pixels of the detector's input (320 x 256 for a 640 x 480 picture)."""


def chosen(labels: Pixels, wanted: tuple[int, ...]) -> Pixels:
    """`(h, w) uint8`: 255 where a label is one of `wanted`."""
    table = np.zeros(256, np.uint8)
    table[list(wanted)] = 255
    return np.asarray(cv2.LUT(labels, table))


def box_between(face: tuple[int, int, int, int], head: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
    """The box that is called the face (x, y, width, height): half-way from the face proper to the whole head with its
    hair at the sides and above, the chin below. It overlaps with either by more than half, whatever the hair is."""
    fx, fy, fw, fh = face
    hx, hy, hw, _ = head
    left, top, right = (fx + hx) / 2, (fy + hy) / 2, (fx + fw + hx + hw) / 2
    return left, top, right - left, fy + fh - top


def boxes_of(labels: Pixels) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]]:
    """Around the face proper, and around the whole head."""
    return cv2.boundingRect(chosen(labels, FACE)), cv2.boundingRect(chosen(labels, HEAD))  # type: ignore[return-value]


@dataclass(frozen=True)
class Portraits:
    """`levels[k] (n, side, side, 4) uint8` blue, green, red, label; `faces (n, 4)` the face proper in level 0."""

    levels: tuple[Pixels, ...]
    faces: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.faces)


def open_portraits(files: list[tuple[Path, Path]]) -> Portraits:
    """Decodes the portraits; those without a visible face are left out. Raises ValueError on an unreadable file."""
    levels: tuple[list[Pixels], ...] = tuple([] for _ in SIDES)
    faces = []
    for image, mask in files:
        bgr, labels = cv2.imread(str(image), cv2.IMREAD_COLOR), cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE)
        if bgr is None or labels is None:
            raise ValueError(f"cannot decode {image if bgr is None else mask}")
        for level, side in zip(levels, SIDES, strict=True):
            small = cv2.resize(bgr, (side, side), interpolation=cv2.INTER_AREA)
            level.append(np.dstack([small, cv2.resize(labels, (side, side), interpolation=cv2.INTER_NEAREST)]))
        faces.append(cv2.boundingRect(chosen(levels[0][-1][..., 3], FACE)))
    return Portraits(tuple(np.stack(level) for level in levels), np.array(faces, np.float32))


def training_files(folder: Path) -> list[tuple[Path, Path]]:
    return pairs(folder)[:-N_VALIDATION]


def validation_files(folder: Path) -> list[tuple[Path, Path]]:
    return pairs(folder)[-N_VALIDATION:]


@dataclass(frozen=True)
class Pasted:
    """A head warped to its place: `bgra (h, w, 4)`, `labels (h, w)`, `x, y` of its left top corner in the picture."""

    bgra: Pixels
    labels: Pixels
    x: int
    y: int

    def box(self) -> tuple[float, float, float, float]:
        face, head = boxes_of(self.labels)
        x, y, w, h = box_between(face, head)
        return x + self.x, y + self.y, w, h


HOW_CUT = ((HEAD, 0.45), ((*HEAD, 16, 17), 0.15), (tuple(range(1, 19)), 0.2), (tuple(range(19)), 0.2))
"""Labels that are pasted, and how often: the head alone, with its neck, the person, the whole portrait as a picture."""


def head(portraits: Portraits, k: int, rng: Rng, face_height: float, centre: tuple[float, float]) -> Pasted:
    """Portrait `k` cut out, turned, lit, so that its face proper is `face_height` pixels high around `centre`."""
    fx, fy, fw, fh = portraits.faces[k]
    zoom = face_height / fh
    level = int(np.clip(np.floor(np.log2(1 / zoom)), 0, len(SIDES) - 1)) if zoom < 1 else 0
    shrink = SIDES[0] / SIDES[level]
    picture = portraits.levels[level][k]
    wanted = HOW_CUT[int(rng.choice(len(HOW_CUT), p=[share for _, share in HOW_CUT]))][0]
    bgra = np.dstack([picture[..., :3], chosen(picture[..., 3], wanted)])
    turn = np.clip(rng.normal(0, 0.22), -0.7, 0.7)
    squash = float(np.exp(rng.normal(0, 0.08)))
    sx, sy = zoom * shrink * squash * (1 if rng.random() < 0.5 else -1), zoom * shrink / squash
    c, s = np.cos(turn), np.sin(turn)
    linear = np.array([[c, -s], [s, c]]) @ np.diag([sx, sy])
    side = SIDES[level]
    corners = (
        np.array([[0, 0], [side, 0], [0, side], [side, side]]) - np.array([fx + fw / 2, fy + fh / 2]) / shrink
    ) @ linear.T
    x0, y0 = np.floor(corners.min(0) + centre).astype(int)
    x1, y1 = np.ceil(corners.max(0) + centre).astype(int)
    offset = np.array(centre) - (x0, y0) - linear @ (np.array([fx + fw / 2, fy + fh / 2]) / shrink)
    matrix = np.column_stack([linear, offset])
    size = (max(2, int(x1 - x0)), max(2, int(y1 - y0)))
    warped = cv2.warpAffine(bgra, matrix, size, flags=cv2.INTER_LINEAR)
    labels = cv2.warpAffine(picture[..., 3], matrix, size, flags=cv2.INTER_NEAREST)
    tint = (rng.uniform(0.55, 1.25) * rng.uniform(0.9, 1.1, 3)).astype(np.float32)
    ramp = np.linspace(rng.uniform(0.6, 1.1), rng.uniform(0.9, 1.2), size[0], dtype=np.float32)[None, :, None]
    light = tint * ramp if rng.random() < 0.4 else tint
    warped[..., :3] = np.clip(warped[..., :3] * light, 0, 255)
    if rng.random() < 0.3:
        warped = cv2.GaussianBlur(warped, (0, 0), rng.uniform(0.4, 0.4 + 0.02 * face_height))
    elif rng.random() < 0.6:
        warped[..., 3] = cv2.GaussianBlur(warped[..., 3], (3, 3), 0)
    return Pasted(warped, labels, int(x0), int(y0))


def blend(bgr: Pixels, layer: Pixels, x: int, y: int) -> None:
    """`layer (h, w, 4)` over `bgr` in place, its left top corner at `x, y`; what lies outside is cut off."""
    height, width = bgr.shape[:2]
    left, top = max(0, -x), max(0, -y)
    right, bottom = min(layer.shape[1], width - x), min(layer.shape[0], height - y)
    if right <= left or bottom <= top:
        return
    part = layer[top:bottom, left:right]
    at = bgr[y + top : y + bottom, x + left : x + right]
    a = part[..., 3:] * np.float32(1 / 255)
    at[:] = at * (1 - a) + part[..., :3] * a


def shrunk(cutout: Pixels, longest: float, rng: Rng) -> Pixels:
    """A thing, turned a little and lit, its longer side `longest` pixels."""
    scale = longest / max(cutout.shape[:2])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(cutout, None, fx=scale, fy=scale, interpolation=way)
    if rng.random() < 0.5:
        small = small[:, ::-1]
    out = np.ascontiguousarray(small)
    out[..., :3] = np.clip(out[..., :3] * rng.uniform(0.6, 1.2), 0, 255)
    return out


@dataclass(frozen=True)
class Places:
    """What faces are put before and beside: `pictures` (any size, BGR) without people; `things` BGRA, not human."""

    pictures: list[Pixels]
    things: list[Pixels]

    def view(self, rng: Rng, width: int, height: int) -> Pixels:
        """A part of a picture, or a bare table, `(height, width, 3)`."""
        roll = rng.random()
        if roll < 0.15 or not self.pictures:
            picture = synth.table(rng, max(width, height)) if roll < 0.1 else synth.procedural(rng, max(width, height))
        else:
            picture = self.pictures[int(rng.integers(len(self.pictures)))]
        h, w = picture.shape[:2]
        part = rng.uniform(0.35, 1.0)
        n, m = max(8, int(part * h)), max(8, int(part * w))
        y, x = int(rng.integers(h - n + 1)), int(rng.integers(w - m + 1))
        view = cv2.resize(picture[y : y + n, x : x + m], (width, height), interpolation=cv2.INTER_LINEAR)
        return np.ascontiguousarray(view[:, ::-1]) if rng.random() < 0.5 else view


def with_things(bgr: Pixels, places: Places, rng: Rng, most: int = 3) -> None:
    """Puts some things into the picture, in place."""
    height, width = bgr.shape[:2]
    for _ in range(int(rng.integers(0, most + 1)) if places.things else 0):
        thing = places.things[int(rng.integers(len(places.things)))]
        layer = shrunk(thing, float(np.exp(rng.uniform(np.log(0.1), np.log(0.6)))) * height, rng)
        blend(bgr, layer, int(rng.uniform(-20, width - 20)), int(rng.uniform(-20, height - 20)))


def scene(
    portraits: Portraits, places: Places, rng: Rng, width: int, height: int, faceless: float = 0.3
) -> boxes.Sample:
    """A place with no, one or some faces in it, none of them hidden by another."""
    bgr = places.view(rng, width, height)
    if rng.random() < 0.5:
        with_things(bgr, places, rng)
    count = 0 if rng.random() < faceless else int(rng.choice([1, 2, 3, 4, 6], p=[0.45, 0.25, 0.15, 0.1, 0.05]))
    found: list[tuple[float, float, float, float]] = []
    unsure = np.zeros((height, width), bool)
    for _ in range(count):
        size = float(np.exp(rng.uniform(np.log(LEAST_FACE), np.log(min(MOST_FACE, 0.62 * height)))))
        centre = (
            float(rng.uniform(0.3 * size, width - 0.3 * size)),
            float(rng.uniform(0.4 * size, height - 0.4 * size)),
        )
        if any(abs(x + w / 2 - centre[0]) < 0.9 * (w + size) and abs(y + h / 2 - centre[1]) < 0.9 * (h + size)
               for x, y, w, h in found):  # fmt: skip
            continue
        pasted = head(portraits, int(rng.integers(len(portraits))), rng, size, centre)
        blend(bgr, pasted.bgra, pasted.x, pasted.y)
        x, y, w, h = pasted.box()
        x0, y0, x1, y1 = max(0.0, x), max(0.0, y), min(float(width), x + w), min(float(height), y + h)
        if (x1 - x0) * (y1 - y0) < 0.55 * w * h:  # mostly outside: neither asked for nor punished
            unsure[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1] = True
            continue
        found.append((x0, y0, x1 - x0, y1 - y0))
        if rng.random() < 0.12 and places.things:
            layer = shrunk(places.things[int(rng.integers(len(places.things)))], float(rng.uniform(0.3, 0.7)) * w, rng)
            blend(bgr, layer, int(x + rng.uniform(-0.3, 0.9) * w), int(y + rng.uniform(0.55, 0.9) * h))
    return boxes.Sample(bgr, np.array(found, np.float32).reshape(-1, 4), unsure)
