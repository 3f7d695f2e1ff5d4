"""One training sample of the segmenter: a picture, what was meant in it, and the prompt that says so."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training import synth
from training.store import Pixels, Store
from training.synth import Rng, Scene, Stock

BOX_VALUE = 96
"""A box prompt is a filled rectangle of this value; a tap is a Gaussian with peak 255; a mask prompt is the mask."""

TAP_SIGMA = 0.05
"""Of the picture's side."""


@dataclass(frozen=True)
class Sample:
    """`picture (S, S, 4) uint8` = BGR + prompt, `target (S, S) uint8`, `meant`: is there anything to find;
    `earlier`: the prompt is an earlier mask."""

    picture: Pixels
    target: Pixels
    meant: bool
    earlier: bool = False


def box_of(mask: Pixels) -> tuple[int, int, int, int]:
    """x, y, width, height of what is visible; all 0 for an empty mask."""
    x, y, w, h = cv2.boundingRect((mask > 127).astype(np.uint8))
    return x, y, w, h


def box_prompt(mask: Pixels, rng: Rng, jitter: float = 0.07) -> Pixels:
    x, y, w, h = box_of(mask)
    dx0, dx1 = rng.normal(0.01, jitter, 2) * w
    dy0, dy1 = rng.normal(0.01, jitter, 2) * h
    prompt = np.zeros_like(mask)
    cv2.rectangle(prompt, (round(x - dx0), round(y - dy0)), (round(x + w + dx1), round(y + h + dy1)), BOX_VALUE, -1)
    return prompt


def tap_prompt(mask: Pixels, rng: Rng) -> Pixels:
    """A finger somewhere on the object, more likely well inside."""
    size = mask.shape[0]
    inside = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3)
    ys, xs = np.nonzero(inside >= inside.max() * rng.uniform(0.15, 0.9))
    k = int(rng.integers(len(xs)))
    return gaussian(size, float(xs[k]), float(ys[k]), TAP_SIGMA * size * float(np.exp(rng.normal(0, 0.15))))


def gaussian(size: int, x: float, y: float, sigma: float) -> Pixels:
    axis = np.arange(size, dtype=np.float32)
    return np.outer(np.exp(-(((axis - y) / sigma) ** 2) / 2), 255 * np.exp(-(((axis - x) / sigma) ** 2) / 2)).astype(
        np.uint8
    )


def mask_prompt(mask: Pixels, rng: Rng) -> Pixels:
    """The mask of a frame before, or of a first guess: moved, scaled, eroded or grown, parts missing, parts of other
    things added, unsure. It says which object is meant, and must not be believed about its outline."""
    size = mask.shape[0]
    x, y, w, h = box_of(mask)
    reach = float(rng.choice([0.03, 0.12])) * max(w, h)
    zoom = float(np.exp(rng.normal(0, 0.07)))
    cx, cy = x + w / 2, y + h / 2
    matrix = np.float32([[zoom, rng.normal(0, 0.04), 0], [rng.normal(0, 0.04), zoom, 0]])
    matrix[:, 2] = np.array([cx, cy]) + rng.normal(0, reach, 2) - matrix[:, :2] @ [cx, cy]
    out = cv2.warpAffine(mask, matrix, (size, size))
    k = int(rng.integers(0, max(2, size // 20)))
    if k:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * k + 1, 2 * k + 1))
        out = cv2.erode(out, kernel) if rng.random() < 0.5 else cv2.dilate(out, kernel)
    largest = float(rng.choice([0.15, 0.3, 0.6]))
    for _ in range(int(rng.integers(0, 5))):
        axes = (max(2.0, rng.uniform(0.05, largest) * w), max(2.0, rng.uniform(0.05, largest) * h))
        at = (rng.uniform(x - 0.1 * w, x + 1.1 * w), rng.uniform(y - 0.1 * h, y + 1.1 * h))
        cv2.ellipse(out, (at, axes, rng.uniform(0, 180)), 255 if rng.random() < 0.45 else 0, -1)
    if rng.random() < 0.2:
        out = cv2.convertScaleAbs(out, alpha=rng.uniform(0.5, 1.0))
    return cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 0.025 * size))


def prompt_for(mask: Pixels, rng: Rng) -> tuple[Pixels, bool]:
    """A prompt that means `mask`, and whether it is an earlier mask."""
    kind = rng.random()
    if kind < 0.33:
        return box_prompt(mask, rng), False
    return (tap_prompt(mask, rng), False) if kind < 0.58 else (mask_prompt(mask, rng), True)


OCCLUDED = 0.15
"""So often something hides a part of a lone object."""


def photograph(store: Store, rng: Rng, size: int, occluded: float = OCCLUDED) -> Sample:
    """A photograph as it is; half of the time with a prompt."""
    turn = rng.normal(0, 0.12) if rng.random() < 0.4 else 0.0
    picture = synth.draw(store, rng, size, float(np.exp(rng.normal(0.1, 0.15))), turn, 0.04)
    target = picture[..., 3].copy()
    meant = int(np.count_nonzero(target > 127)) > size * size * 0.002
    prompt, earlier = prompt_for(target, rng) if meant and rng.random() < 0.5 else (np.zeros_like(target), False)
    if rng.random() < occluded:
        occlude(picture, target, rng)
    return Sample(np.dstack([picture[..., :3], prompt]), target, meant, earlier)


def crop(stock: Stock, rng: Rng, size: int, occluded: float = OCCLUDED) -> Sample:
    """What the fine pass sees: the object fills most of the picture, nearly always with a prompt."""
    if rng.random() < 0.3:
        scene = stock.scene(rng)
        chosen = int(rng.integers(len(scene.masks)))
        picture = np.dstack([scene.bgr, scene.masks[chosen]])
    else:
        picture = stock.store[int(rng.integers(len(stock.store)))]
    x, y, w, h = box_of(picture[..., 3])
    if w * h < 0.002 * picture.shape[0] * picture.shape[1]:
        return photograph(stock.store, rng, size, occluded)
    grow = rng.uniform(1.05, 1.7)
    side_x, side_y = grow * w, grow * h
    if rng.random() < 0.5:  # square crops as well as tight ones
        side_x = side_y = max(side_x, side_y)
    cx, cy = x + w / 2 + rng.normal(0, 0.05) * side_x, y + h / 2 + rng.normal(0, 0.05) * side_y
    if max(side_x, side_y) > 1.8 * size:
        factor = 0.5
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        side_x, side_y, cx, cy = side_x * factor, side_y * factor, cx * factor, cy * factor
    sx, sy = size / side_x * (1 if rng.random() < 0.5 else -1), size / side_y
    matrix = np.float32([[sx, 0, size / 2 - sx * cx], [0, sy, size / 2 - sy * cy]])
    picture = synth.warp(picture, matrix, size, cv2.BORDER_REPLICATE)
    target = picture[..., 3].copy()
    if np.count_nonzero(target > 127) < size * size * 0.01:
        return photograph(stock.store, rng, size, occluded)
    prompt, earlier = prompt_for(target, rng) if rng.random() < 0.85 else (np.zeros_like(target), False)
    if rng.random() < occluded:
        occlude(picture, target, rng)
    return Sample(np.dstack([picture[..., :3], prompt]), target, True, earlier)


def several(stock: Stock, rng: Rng, size: int) -> Sample:
    """Several objects, of which the prompt means one; or, unprompted, the one that stands out where one does."""
    side_by_side = rng.random() < 0.35
    scene = synth.mosaic(stock.store, rng, size) if side_by_side else resized(stock.scene(rng), size)
    seen = [m for m in scene.masks if np.count_nonzero(m > 127) > size * size * 0.004]
    if not seen:
        return nothing(stock, rng, size)
    first = None if side_by_side or rng.random() < 0.5 else prominent(seen)
    target = seen[int(rng.integers(len(seen)))] if first is None else first
    prompt, earlier = prompt_for(target, rng) if first is None else (np.zeros_like(target), False)
    return Sample(np.dstack([scene.bgr, prompt]), target, True, earlier)


def prominent(masks: list[Pixels]) -> Pixels | None:
    """The object that is clearly larger and nearer to the middle than every other; None where it is a matter of taste."""
    size = masks[0].shape[0]
    weights = []
    for mask in masks:
        x, y, w, h = box_of(mask)
        off = np.hypot(x + w / 2 - size / 2, y + h / 2 - size / 2) / size
        weights.append(np.count_nonzero(mask > 127) * np.exp(-((off / 0.35) ** 2)))
    order = np.argsort(weights)[::-1]
    clear = len(masks) == 1 or weights[order[0]] > 2 * weights[order[1]]
    return masks[order[0]] if clear else None


def resized(scene: Scene, size: int) -> Scene:
    def small(picture: Pixels) -> Pixels:
        return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)

    return Scene(small(scene.bgr), [small(mask) for mask in scene.masks])


def nothing(stock: Stock, rng: Rng, size: int) -> Sample:
    """Nothing to awaken: surfaces, black, noise, parts of photographs; sometimes a stale prompt."""
    roll = rng.random()
    if roll < 0.9:
        bgr = stock.background(rng, size)
    else:
        bgr = np.clip(rng.normal(rng.uniform(0, 80), rng.uniform(0, 20), (size, size, 3)), 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        bgr = cv2.GaussianBlur(bgr, (0, 0), rng.uniform(1, size / 20))
    prompt, earlier = np.zeros((size, size), np.uint8), False
    if rng.random() < 0.35:
        w, h = rng.uniform(0.2, 0.7, 2) * size
        x, y = rng.uniform(0, size - w), rng.uniform(0, size - h)
        ghost = cv2.ellipse(prompt.copy(), ((x + w / 2, y + h / 2), (w, h), 0), 255, -1)
        prompt, earlier = prompt_for(ghost, rng)
    return Sample(np.dstack([bgr, prompt]), np.zeros((size, size), np.uint8), False, earlier)


def occlude(picture: Pixels, target: Pixels, rng: Rng) -> None:
    """A flat or textured patch hides part of the picture, and of the object (in place)."""
    size = picture.shape[0]
    w, h = (int(v) for v in rng.uniform(0.08, 0.3, 2) * size)
    x, y = int(rng.integers(size - w)), int(rng.integers(size - h))
    patch = synth.procedural(rng, max(w, h))[:h, :w]
    picture[y : y + h, x : x + w, :3] = patch
    target[y : y + h, x : x + w] = 0


def sample(stock: Stock, rng: Rng, size: int) -> Sample:
    roll = rng.random()
    if roll < 0.44:
        return photograph(stock.store, rng, size)
    if roll < 0.67:
        return crop(stock, rng, size)
    return several(stock, rng, size) if roll < 0.93 else nothing(stock, rng, size)
