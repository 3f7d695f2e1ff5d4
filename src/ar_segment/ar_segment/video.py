"""The same object in every frame: optical flow carries its mask, the network redraws it, a gate says it is gone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box, box_of
from ar_segment.looks import Looks
from ar_segment.segmenter import CLOSE, LEAST_HALF, Look, Segmentation, Segmenter, full_size
from ar_segment.windows import around, look, put_back

Picture = NDArray[np.uint8]
Float = NDArray[np.float32]

FLOW_SIDE = 128
"""Optical flow is computed in a window around the object, squashed to this many pixels square."""

FLOW_REACH = 1.7
"""That window is the object's box times this: how far it may move between two frames."""

LEAST_OBJECTNESS = 0.25
LEAST_AGREEMENT = 0.35
"""IoU of the mask carried along and the mask redrawn."""

REACH = 0.06
"""Of the window: how far from the mask carried along the object may reach in one frame."""

TRUST = 3.0
"""In the colours: so much the logit of a pixel is shifted when its colour occurs only inside, or only outside."""

PATIENCE = 4
"""Doubtful frames in a row until the object counts as lost."""

LOOK_AROUND = 5
"""A lost object is looked for on every so many frames."""

LEARN_EVERY = 3
"""The object's colours are counted anew on every so many frames."""

LEAST_LIKENESS = 0.55
"""Of the colours of what was found again and what was lost."""


LEAST_AREA, TOO_SMALL = 30, "it became too small to see"
"""Pixels of the box around it."""


@dataclass(frozen=True)
class Followed:
    """`mask (H, W) uint8`, empty while lost; `lost` says why, in words; empty when the object is there."""

    mask: Picture
    box: Box
    objectness: float
    lost: str = ""


@dataclass(frozen=True)
class Shift:
    """`flow (FLOW_SIDE, FLOW_SIDE, 2) float32`: where what is in the window `after` was in the earlier frame's `before`."""

    flow: Float
    before: Box
    after: Box

    def shown(self, mask: Picture) -> Picture:
        """The earlier frame's mask in its window, `(FLOW_SIDE, FLOW_SIDE) uint8`."""
        out = look(mask, self.before, FLOW_SIDE, FLOW_SIDE)
        out[:, [0, -1]] = 0
        out[[0, -1]] = 0
        return out

    def carried(self, mask: Picture) -> Picture:
        """That mask moved by the flow, in the window of this frame."""
        return np.asarray(cv2.remap(self.shown(mask), *self._sources(), cv2.INTER_LINEAR))

    def whole(self, mask: Picture) -> Picture:
        """The same at the picture's resolution, `(H, W) uint8`."""
        size = (round(self.after.width), round(self.after.height))
        x, y = (cv2.resize(source, size) for source in self._sources())
        sx, sy = self.before.width / FLOW_SIDE, self.before.height / FLOW_SIDE
        x, y = (x + 0.5) * sx + (self.before.x - 0.5), (y + 0.5) * sy + (self.before.y - 0.5)
        moved = cv2.remap(mask, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
        return put_back(np.asarray(moved), self.after, *mask.shape)

    def _sources(self) -> tuple[Float, Float]:
        columns, rows = np.meshgrid(np.arange(FLOW_SIDE, dtype=np.float32), np.arange(FLOW_SIDE, dtype=np.float32))
        return columns + self.flow[..., 0], rows + self.flow[..., 1]


class Follower:
    """Follows one object; call it with every frame after the one in which it was segmented, in order.

    `Follower(segmenter, picture, first)` starts there; `Follower.searching` knows only what the object looked like.
    """

    def __init__(self, segmenter: Segmenter, picture: Picture, first: Segmentation) -> None:
        self.segmenter = segmenter
        self.looks = Looks.of(picture, first)
        self._grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
        self._mask, self._box, self._objectness = first.mask, first.box, first.objectness
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._doubts = 0
        self._frames = 0
        self._frames_lost = 0
        self._why = ""
        self._speed = (0.0, 0.0)
        self._spared = False

    @classmethod
    def searching(cls, segmenter: Segmenter, picture: Picture, looks: Looks) -> Follower:
        """Starts as if the object had been lost just now."""
        empty = np.zeros(picture.shape[:2], np.uint8)
        follower = cls(segmenter, picture, Segmentation(empty, 0.0, looks.box))
        follower.looks = looks
        follower._lose("not found again yet")
        return follower

    def __call__(self, picture: Picture, candidates: list[Box] | None = None, *, sparing: bool = False) -> Followed:
        """`picture (H, W, 3) bgr8`; `candidates`: boxes of this frame's detections, where a lost object may be.

        sparing: every other mask is only carried along, where nothing is in doubt: a third of the work.
        """
        grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
        lost = self._frames_lost > 0
        self._spared = sparing and not (self._spared or lost or self._doubts)
        result = self._find_again(picture, candidates or []) if lost else self._follow(picture, grey)
        self._grey = grey
        return result

    def _follow(self, picture: Picture, grey: Picture) -> Followed:
        shift = self._flowed(grey)
        carried, window = shift.carried(self._mask), shift.after
        expected = box_of(carried)
        if expected.area == 0:
            return self._lose("it left the picture")
        if self._spared:
            mask = shift.whole(self._mask)
            if box_of(mask).area < LEAST_AREA:
                return self._lose(TOO_SMALL)
            self._mask, self._box = mask, box_of(mask)
            return Followed(self._mask, self._box, self._objectness)
        sx, sy = window.width / FLOW_SIDE, window.height / FLOW_SIDE
        expected = Box(
            window.x + expected.x * sx, window.y + expected.y * sy, expected.width * sx, expected.height * sy
        )
        close = around(expected, CLOSE)
        prompt = _moved_to(carried, window, close)
        seen = self.segmenter.see(picture, close, mask=prompt)
        doubt = self._doubt(seen, prompt)
        if doubt:
            self._doubts += 1
            if self._doubts > PATIENCE:
                return self._lose(doubt)
            carried_only = np.asarray(cv2.resize(prompt, seen.probability.shape[::-1]), np.float32)
            seen = replace(seen, probability=carried_only / np.float32(255))
        else:
            self._doubts = 0
            h, w = seen.probability.shape
            small = np.asarray(cv2.resize(seen.view, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
            believed = weighed(seen.probability, self.looks.evidence(small))
            seen = replace(seen, probability=kept_near(believed, prompt))
        mask = full_size(picture, seen, least=LEAST_HALF)
        box = box_of(mask)
        if box.area < LEAST_AREA:
            return self._lose(TOO_SMALL)
        self._frames += 1
        if not doubt and self._frames % LEARN_EVERY == 0:
            self.looks = self.looks.followed(Looks.of(picture, Segmentation(mask, seen.objectness, box)))
        self._mask, self._box, self._objectness = mask, box, seen.objectness
        return Followed(mask, box, seen.objectness)

    def _flowed(self, grey: Picture) -> Shift:
        """How the last mask moved since."""
        before = around(self._box, FLOW_REACH, square=0.8)
        after = Box(before.x + round(self._speed[0]), before.y + round(self._speed[1]), before.width, before.height)
        old = look(self._grey, before, FLOW_SIDE, FLOW_SIDE)
        new = look(grey, after, FLOW_SIDE, FLOW_SIDE)
        flow = np.asarray(self._flow.calc(new, old, np.zeros((FLOW_SIDE, FLOW_SIDE, 2), np.float32)), np.float32)
        shift = Shift(flow, before, after)
        inside = shift.shown(self._mask) > 127
        if inside.any():
            u, v = np.median(flow[inside], axis=0) / FLOW_SIDE
            dx, dy = self._speed[0] - float(u) * before.width, self._speed[1] - float(v) * before.height
            self._speed = (0.8 * dx, 0.8 * dy)
        return shift

    def _doubt(self, seen: Look, prompt: Picture) -> str:
        """Why this look is not believed; empty when it is."""
        if seen.objectness < LEAST_OBJECTNESS:
            return "no object is seen where it was"
        h, w = seen.probability.shape
        expected = cv2.resize(prompt, (w, h), interpolation=cv2.INTER_LINEAR) > 127
        found = seen.probability > 0.5
        union = np.count_nonzero(expected | found)
        if union == 0 or np.count_nonzero(expected & found) < LEAST_AGREEMENT * union:
            return "what is seen there no longer matches it"
        return ""

    def _lose(self, why: str) -> Followed:
        self._frames_lost = 1
        self._why, self._doubts, self._speed = why, 0, (0.0, 0.0)
        return Followed(np.zeros_like(self._mask), self._box, 0.0, why)

    def _find_again(self, picture: Picture, candidates: list[Box]) -> Followed:
        """Now and then: is one of the detections, or what is where it was, of the lost object's colours?"""
        self._frames_lost += 1
        best: tuple[float, Segmentation] | None = None
        if self._frames_lost % LOOK_AROUND == 0:
            places = [(self.segmenter.box, box) for box in [*candidates[:4], self._box]]
            for ask, box in places:
                found = ask(picture, box.clipped(picture.shape[1], picture.shape[0]))
                best = _better(best, found, self._likeness(picture, found))
            found = self.segmenter.salient(picture)
            best = _better(best, found, self._likeness(picture, found))
        if best is None or best[0] < LEAST_LIKENESS:
            return Followed(np.zeros_like(self._mask), self._box, 0.0, self._why)
        self._frames_lost, self._speed = 0, (0.0, 0.0)
        self._mask, self._box, self._objectness = best[1].mask, best[1].box, best[1].objectness
        return Followed(self._mask, self._box, self._objectness)

    def _likeness(self, picture: Picture, found: Segmentation) -> float:
        if found.objectness < 0.5 or found.area < 30:
            return 0.0
        return self.looks.likeness(Looks.of(picture, found))


def _better(
    best: tuple[float, Segmentation] | None, found: Segmentation, likeness: float
) -> tuple[float, Segmentation] | None:
    return (likeness, found) if best is None or likeness > best[0] else best


def weighed(probability: Float, evidence: Float) -> Float:
    """The network's `probability (h, w)` shifted by what the colours say, `evidence (h, w)` in [-1, 1]."""
    p = np.clip(probability, 1e-3, 1 - 1e-3)
    smooth = cv2.blur(evidence, (5, 5))
    return np.asarray(1 / (1 + (1 - p) / p * np.exp(-TRUST * smooth)), np.float32)


def kept_near(probability: Float, expected: Picture) -> Float:
    """Without what is far from where the object is expected: other things that look like it, and sudden leaks.

    `probability (h, w)` in [0, 1]; `expected (any size) uint8`, the mask carried along.
    """
    h, w = probability.shape
    carried = (cv2.resize(expected, (w, h), interpolation=cv2.INTER_LINEAR) > 127).astype(np.uint8)
    r = max(1, round(REACH * max(h, w)))
    near = cv2.dilate(carried, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1)))
    n, labels = cv2.connectedComponents(((probability > 0.5) & (near > 0)).astype(np.uint8))
    overlap = np.bincount(labels[carried > 0], minlength=n)
    apart = (overlap < 0.25 * np.bincount(labels.ravel(), minlength=n))[labels] & (labels > 0)
    gate = cv2.blur(near.astype(np.float32), (3, 3))
    return np.asarray(np.where(apart, 0, probability * gate), np.float32)


def _moved_to(mask: Picture, window: Box, to: Box) -> Picture:
    """A mask over `window` resampled over the window `to`, at its own size."""
    h, w = mask.shape
    zx, zy = window.width / to.width, window.height / to.height
    matrix = np.array(
        [[zx, 0, (window.x - to.x) * w / to.width], [0, zy, (window.y - to.y) * h / to.height]], np.float32
    )
    return np.asarray(cv2.warpAffine(mask, matrix, (w, h)))
