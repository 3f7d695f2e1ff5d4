"""The most prominent object of a picture: many rough guesses, the best looked at closely, the clearest and largest wins."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box, box_of, part_inside, prominence
from ar_segment.segmenter import CLOSE, LEAST_HALF, Look, Segmentation, Segmenter, finished
from ar_segment.windows import around

Picture = NDArray[np.uint8]

MOST_DOUBT = 0.8
"""A look with more is a guess: the table, a group, a pattern."""

DOUBTFUL = 0.45
CLEARER = 0.2
"""A look with more doubt than DOUBTFUL around one with so much less is not believed."""

GRID = (10, 7)
"""Columns and rows of the guesses over the picture: objects that no detection has found."""

SIDES = (0.32, 0.46, 0.22)
"""Of those square guesses: of the picture's shorter side. The next is tried only where nothing was found with the last."""

CLOSELY = 12
"""So many of the guesses are looked at again."""


def most_prominent(segmenter: Segmenter, picture: Picture, boxes: list[Box]) -> Segmentation | None:
    """The object to awaken when nobody says which; None if nothing clear is there.

    `picture (H, W, 3) bgr8`; `boxes`: detections, best first. Ranked by clearness and by prominence (large, central,
    whole); of equals the one further left. About 85 passes of the network, up to 250 where little is to be seen: for a
    moment, not for every frame.
    """
    for side in SIDES:
        things = _things(segmenter, picture, [*boxes[:16], *_grid(picture, side)])
        if things:
            return _agreed(segmenter, picture, things[0])
    return None


def _agreed(segmenter: Segmenter, picture: Picture, look: Look) -> Segmentation:
    """An outline less what is not seen as the object when its middle is pointed at: a piece of a neighbour that it touches."""
    found = finished(picture, look, least=LEAST_HALF)
    depth = cv2.distanceTransform((found.mask > 127).astype(np.uint8), cv2.DIST_L2, 3)
    y, x = (float(v) for v in np.unravel_index(int(depth.argmax()), depth.shape))
    pointed = finished(picture, segmenter.see(picture, around(found.box, CLOSE), tap=(x, y)), (x, y), LEAST_HALF)
    mask = np.minimum(found.mask, pointed.mask)
    agreed = replace(found, mask=mask, box=box_of(mask))
    return agreed if agreed.area > 0.5 * found.area else found


def _things(segmenter: Segmenter, picture: Picture, boxes: list[Box]) -> list[Look]:
    """What is seen where the guesses are, best first."""
    height, width = picture.shape[:2]

    def worth(look: Look) -> float:
        box = look.box().clipped(width, height)
        return prominence(box, width, height) * look.objectness * max(0.0, 1 - look.doubt / 2)

    def best_first(looks: list[Look]) -> list[Look]:
        return sorted(looks, key=lambda look: (-round(worth(look), 3), look.box().x))

    guesses = [segmenter.see(picture, around(box, CLOSE), box=box) for box in boxes]
    rough = _apart(best_first([look for look in guesses if look.doubt < MOST_DOUBT]), 0.7)[:CLOSELY]
    clear = [look for look in (_clearest(segmenter, picture, look) for look in rough) if look.doubt < MOST_DOUBT]
    things = _apart(sorted(clear, key=lambda look: look.doubt), 0.5)
    single = [look for look in things if not _is_leaky(look, things)]
    wholes = [look for look in single if not any(_is_part(look.box(), other.box()) for other in single)]
    return best_first(wholes)


def _grid(picture: Picture, part: float) -> list[Box]:
    height, width = picture.shape[:2]
    columns, rows = GRID
    places = [((c + 0.5) / columns * width, (r + 0.5) / rows * height) for r in range(rows) for c in range(columns)]
    side = part * min(width, height)
    return [Box(x - side / 2, y - side / 2, side, side) for x, y in places]


def _clearest(segmenter: Segmenter, picture: Picture, look: Look, times: int = 2) -> Look:
    """Looks again at what was found, and again at that; the clearest of these looks."""
    looks = [look]
    for _ in range(times):
        box = looks[-1].box().grown(1.06)
        if box.area == 0:
            break
        looks.append(segmenter.see(picture, around(box, CLOSE), box=box))
    return min(looks, key=lambda one: one.doubt)


def _apart(looks: list[Look], most_iou: float) -> list[Look]:
    """The first of those that show the same thing."""
    kept: list[Look] = []
    for look in looks:
        if all(look.box().iou(other.box()) < most_iou for other in kept):
            kept.append(look)
    return kept


def _is_leaky(look: Look, others: list[Look]) -> bool:
    """Is this a doubtful outline around a thing that is clear by itself: two things, or a thing and what lies beside it?"""
    return look.doubt > DOUBTFUL and any(
        other.doubt < look.doubt - CLEARER and _is_part(other.box(), look.box(), 0.6) for other in others
    )


def _is_part(box: Box, other: Box, least: float = 0.85) -> bool:
    """Is this the coffee in the mug?"""
    return part_inside(box, other) > least and 1.3 * box.area < other.area < 8 * box.area
