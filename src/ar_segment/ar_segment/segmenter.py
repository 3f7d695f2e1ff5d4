"""One picture and a prompt in, one soft mask out: coarse look, then a closer one at what was found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box, box_of
from ar_core.model_card import ModelError, read_card
from ar_core.networks import Network
from ar_segment import prompts
from ar_segment.refine import refined
from ar_segment.windows import around, look, put_back, whole

Picture = NDArray[np.uint8]
Float = NDArray[np.float32]

CLOSE = 1.25
"""The closer look's window is the object's box, this much larger: what the network was trained to see."""

TAP_WINDOWS = (1.0, 0.6, 0.35)
"""Where a tap is looked at first: windows around it with this part of the picture's shorter side; 1 is the whole picture."""


CLEAR = 1.0
"""A look with less doubt is believed: nearer ones take a part for the whole more often than they separate neighbours."""

LEAST_PART = 0.1
"""Separate parts smaller than this part of the main one are crumbs."""

LEAST_HALF = 0.45
"""What comes apart from the object is another thing, unless it is nearly as large: then something is before its middle."""


@dataclass(frozen=True)
class Segmentation:
    """`mask (H, W) uint8`: soft, 255 inside; `objectness` 0-1: is there an object at all; `box` around it; `doubt`: how
    much of the mask is a guess (see Look)."""

    mask: Picture
    objectness: float
    box: Box
    doubt: float = 0.0

    @property
    def area(self) -> int:
        return int(np.count_nonzero(self.mask > 127))


@dataclass(frozen=True)
class Look:
    """What the network said about one window: `probability (h, w) float32` at its own scale; `view (H, W, 3) bgr8`: the
    picture there as the network saw it."""

    window: Box
    probability: Float
    objectness: float
    view: Picture

    @property
    def doubt(self) -> float:
        """How much of the mask is undecided: 0.1 for a clear object, 1 and more for a guess; infinite without a mask.

        A mask that runs over the window's edge adds to it. It tells right from wrong better than the objectness.
        """
        p = self.probability
        inside = p > 0.5
        n = int(np.count_nonzero(inside))
        if n < 0.01 * p.size:
            return float("inf")
        undecided = np.count_nonzero((p > 0.1) & (p < 0.9)) / n
        over = np.count_nonzero(inside[[0, -1]]) + np.count_nonzero(inside[:, [0, -1]])
        return float(undecided + over / p.shape[0])

    def at(self, x: float, y: float) -> float:
        """The probability at a picture pixel; 0 outside of the window."""
        h, w = self.probability.shape
        column = int((x - self.window.x) * w / self.window.width)
        row = int((y - self.window.y) * h / self.window.height)
        return float(self.probability[row, column]) if 0 <= row < h and 0 <= column < w else 0.0

    def box(self, keep: tuple[float, float] | None = None) -> Box:
        """Around the main part of the mask, in picture pixels; the part nearest to `keep` (picture pixels) if given."""
        h, w = self.probability.shape
        sx, sy = self.window.width / w, self.window.height / h
        near = None if keep is None else ((keep[0] - self.window.x) / sx, (keep[1] - self.window.y) / sy)
        x, y, bw, bh = box_of(main_part(self.probability > 0.5, near).astype(np.uint8) * 255)
        return Box(self.window.x + x * sx, self.window.y + y * sy, bw * sx, bh * sy)


class Segmenter:
    """The network of a model card, asked for the most salient object, or what a box, a tap or an earlier mask means.

    A card without a prompt plane works too: box, tap and mask then only choose the window.
    """

    def __init__(self, card: Path, threads: int = 1, cache: Path | None = None) -> None:
        self.network = Network(read_card(card), threads, cache)
        if self.network.card.decoding != "mask":
            raise ModelError(f"model card {card}: decoding '{self.network.card.decoding}' is not a segmenter's (mask)")

    def salient(self, picture: Picture) -> Segmentation:
        """The most salient object: a look at everything, a closer one at what was found, without believing its outline."""
        first = self.see(picture, whole(picture))
        found = first.box()
        if found.area == 0:
            return finished(picture, first)
        return finished(picture, self.see(picture, around(found, CLOSE)))

    def box(self, picture: Picture, box: Box) -> Segmentation:
        """What is in `box` (picture pixels)."""
        return finished(picture, self.see(picture, around(box, CLOSE), box=box))

    def tap(self, picture: Picture, x: float, y: float) -> Segmentation:
        """What is at the pixel `x, y`: looked at from ever nearer until the answer is clear; if it never is, the clearest."""
        looks = []
        for part in TAP_WINDOWS:
            side = part * min(picture.shape[:2])
            window = whole(picture) if part == 1 else around(Box(x - side / 2, y - side / 2, side, side), 1.0)
            first = self.see(picture, window, tap=(x, y))
            found = first.box((x, y))
            if found.area > 0 and first.at(x, y) > 0.5:
                looks.append(self.see(picture, around(found, CLOSE), tap=(x, y)))
                if looks[-1].doubt < CLEAR:
                    break
        looks = [one for one in looks if one.at(x, y) > 0.5] or looks or [first]
        return finished(picture, min(looks, key=lambda one: one.doubt), keep=(x, y))

    def see(
        self,
        picture: Picture,
        window: Box,
        box: Box | None = None,
        tap: tuple[float, float] | None = None,
        mask: Picture | None = None,
    ) -> Look:
        """One pass over `window`; `box` and `tap` in picture pixels, `mask (h, w) uint8` an earlier mask of the window."""
        card = self.network.card
        view = seen = look(picture, window, card.width, card.height)
        if card.prompt:
            plane = np.zeros(view.shape[:2], np.uint8)
            sx, sy = card.width / window.width, card.height / window.height
            if box is not None:
                inside = Box((box.x - window.x) * sx, (box.y - window.y) * sy, box.width * sx, box.height * sy)
                plane = prompts.box_plane(card.height, card.width, inside)
            elif tap is not None:
                plane = prompts.tap_plane(card.height, card.width, (tap[0] - window.x) * sx, (tap[1] - window.y) * sy)
            elif mask is not None:
                plane = np.asarray(cv2.resize(mask, (card.width, card.height), interpolation=cv2.INTER_LINEAR))
            seen = np.dstack([view, plane])
        out = self.network(seen)
        probability = out["mask"].squeeze()  # (1, h, w), or (h, w, 1) of a network with the channels last
        objectness = float(out["objectness"].ravel()[0]) if "objectness" in out else float(probability.max())
        return Look(window, probability, objectness, view)


def finished(
    picture: Picture, last: Look, keep: tuple[float, float] | None = None, least: float = LEAST_PART
) -> Segmentation:
    """A look's answer over the whole picture; of several parts the one nearest to `keep` is the main one, and those
    smaller than `least` of it are dropped."""
    mask = full_size(picture, last, keep, least)
    return Segmentation(mask, last.objectness, box_of(mask), last.doubt)


def full_size(
    picture: Picture, last: Look, keep: tuple[float, float] | None = None, least: float = LEAST_PART
) -> Picture:
    """A look's mask, without crumbs, its edges drawn to the picture's, as `(H, W) uint8` of the whole picture."""
    h, w = last.probability.shape
    near = None
    if keep is not None:
        near = ((keep[0] - last.window.x) * w / last.window.width, (keep[1] - last.window.y) * h / last.window.height)
    probability = without_crumbs(last.probability, near, least)
    view = look(picture, last.window, round(last.window.width), round(last.window.height))
    return put_back(refined(probability, view, last.view), last.window, *picture.shape[:2])


def main_part(inside: NDArray[np.bool_], near: tuple[float, float] | None = None) -> NDArray[np.bool_]:
    """The largest connected part of a `(h, w)` mask, or the one nearest to the pixel `near`."""
    n, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    if n <= 2:
        return inside
    if near is None:
        return np.asarray(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))
    ys, xs = np.nonzero(labels)
    k = int(np.argmin((xs - near[0]) ** 2 + (ys - near[1]) ** 2))
    return np.asarray(labels == labels[ys[k], xs[k]])


def without_crumbs(probability: Float, near: tuple[float, float] | None = None, least: float = LEAST_PART) -> Float:
    """Drops separate parts smaller than `least` of the main one: specks that are no part of the object."""
    inside = probability > 0.5
    n, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    if n <= 2:
        return probability
    main = main_part(inside, near)
    areas = stats[:, cv2.CC_STAT_AREA]
    small = areas < least * np.count_nonzero(main)
    small[0] = False
    crumbs = small[labels] & ~main
    if not crumbs.any():
        return probability
    halo = cv2.dilate(crumbs.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool) & ~main
    return np.where(halo, np.float32(0), probability)
