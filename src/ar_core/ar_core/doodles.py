"""Drawings on paper: a dark outline on a bright sheet. The thing is all that it encloses, not the sheet, not the strokes.

To a network both sides of an outline look alike, so this is done by hand: the sheet is what is bright, pale and smooth
once thin dark lines are taken away; strokes are darker than it; what cannot be reached from the sheet's rim without
crossing a stroke is the drawing. A drawing that is coloured in shows little paper; it is known by what wax and ink do to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.boxes import Box, box_of

Picture = NDArray[np.uint8]
Float = NDArray[np.float32]
Mask = NDArray[np.bool_]

SIDE = 256
"""Pictures are looked at with this longest side."""

LEAST_SHEET = 0.12
"""Of the picture: a smaller bright place is no sheet that is being shown."""

PALE = 0.3
"""(max - min) / max of the sheet's colour: paper under warm light has a little."""

STEEP = 0.5
"""Of the logarithm of the paper's brightness: where it changes faster, the sheet ends."""

FAINT, FAINTEST, GRAINS, EDGE = 0.13, 0.05, 8, 0.2
"""Darker than the sheet, as a part of its brightness: strokes are connected places darker than GRAINS times the paper's own
unevenness (its median; between FAINTEST and FAINT), somewhere twice as dark, and end at the part EDGE of their darkness."""

MOST_OVER = 0.06
"""Of a stroke's pixels: so many may lie on the sheet's border, where a drawing goes over it; a shadow has more of them."""

GAPS = (0.006, 0.014, 0.026)
"""Of SIDE: half the width of gaps in the outline that are closed; the smallest that encloses 0.6 of what the widest does."""

LEAST_AREA = 0.006
"""Of the picture: smaller figures are letters and marks."""

LEAST_INSIDE = 0.3
"""Of a figure: so much is enclosed paper, else it is writing, hatching, a thing that lies there, or coloured in."""

THICK = 0.022
"""Of SIDE: nine tenths of the strokes are no further than this from paper: lines, not dark things."""

ALIKE = 0.1
"""The paper inside and close outside differs by no more in brightness, and by a third of it or a little more in colour; most
pixels of either differ by no more from what is usual there."""

WAXY, COLOURED, GRAINY = 0.1, 0.25, 0.05
"""Warm crayons leave the brightest channel as the paper has it, to WAXY, take COLOURED from another, and let the paper's
grain through: from pixel to pixel the colour changes by GRAINY. Things are smoother, and their shading dims all channels."""

BLACK, LEAST_BLACK, MOST_BLACK = 0.75, 0.03, 0.3
"""In the brightest channel against the paper: outlines, eyes; and which part of a figure is of them."""

MOST_MARKS = 30
"""With more separate strokes the sheet is printed or written on."""


@dataclass(frozen=True)
class Doodle:
    """`mask (H, W) uint8`: 255 inside; `box` around it, in pixels; `sheet`: around the paper it is drawn on."""

    mask: Picture
    box: Box
    sheet: Box


def find_doodles(picture: Picture) -> list[Doodle]:
    """The drawings in `picture (H, W, 3) bgr8`, the largest first; empty where no sheet of paper with a drawing is seen."""
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = np.asarray(
        cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8
    )
    if not _may_hold_a_sheet(small):
        return []
    sheet = _sheet(small)
    if sheet is None:
        return []
    ground = _without_lines(small, SIDE // 10 | 1)
    strokes = _strokes(small, ground, sheet)
    out = []
    for figure in _figures(strokes, sheet, small, ground):
        soft = cv2.GaussianBlur(figure.astype(np.float32), (0, 0), 0.8)
        mask = (np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)) > 0.5).astype(np.uint8)
        around = _scaled(box_of(sheet.astype(np.uint8) * 255), width / size[0], height / size[1])
        out.append(Doodle(mask * np.uint8(255), box_of(mask * np.uint8(255)), around))
    return out


def _scaled(box: Box, sx: float, sy: float) -> Box:
    return Box(box.x * sx, box.y * sy, box.width * sx, box.height * sy)


def _may_hold_a_sheet(small: Picture) -> bool:
    """A glance: is enough of it bright and pale?"""
    high, low = _extremes(cv2.resize(small, (40, 30), interpolation=cv2.INTER_AREA).astype(np.float32))
    bright = (high > 70) & (high > 0.45 * high.max()) & (high - low < PALE * high)
    return bool(bright.mean() > 0.7 * LEAST_SHEET)


def _without_lines(small: Picture, thick: int) -> Float:
    """`(h, w, 3) float32`: the picture without dark things thinner than `thick` pixels."""
    calm = cv2.medianBlur(small, 3)
    closed = cv2.morphologyEx(calm, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (thick, thick)))
    return np.asarray(cv2.GaussianBlur(closed, (0, 0), thick / 16), np.float32)


def _sheet(small: Picture) -> Mask | None:
    """Where the paper is: the largest bright, pale, smooth and convex place; None where there is none."""
    coarse = np.asarray(cv2.resize(small, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    half = _without_lines(coarse, SIDE // 20 | 1)
    high, low = _extremes(half)
    grey = cv2.log(high + 8)
    slope = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3))
    good = (high > max(60.0, 0.4 * float(high.max()))) & (high - low < PALE * high) & (slope < STEEP)
    opened = cv2.morphologyEx(good.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    n, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    if n < 2 or stats[1:, cv2.CC_STAT_AREA].max() < LEAST_SHEET * opened.size:
        return None
    bright = np.bincount(labels.ravel(), weights=high.ravel(), minlength=n)
    bright[0] = 0
    k = int(np.argmax(bright))
    there = (labels == k).astype(np.uint8)
    hull = cv2.convexHull(cv2.findNonZero(there))
    whole = cv2.fillConvexPoly(np.zeros(there.shape, np.uint8), hull, 1)
    area = int(stats[k, cv2.CC_STAT_AREA])
    if area < LEAST_SHEET * opened.size or area < 0.72 * np.count_nonzero(whole):
        return None
    return np.asarray(cv2.resize(whole, small.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0)


def _extremes(picture: Float) -> tuple[Float, Float]:
    """The largest and the smallest of the three channels, `(h, w)` each."""
    blue, green, red = cv2.split(picture)
    high, low = cv2.max(cv2.max(blue, green), red), cv2.min(cv2.min(blue, green), red)
    return np.asarray(high, np.float32), np.asarray(low, np.float32)


def _strokes(small: Picture, ground: Float, sheet: Mask) -> Mask:
    """Darker than the paper, as far as its grain lets one see, and not what is around the sheet."""
    ratio = _ratio(np.asarray(cv2.GaussianBlur(small, (0, 0), 0.7), np.uint8), ground)
    dark = 1 - ratio / max(float(np.median(ratio[sheet])), 0.5)
    faint = min(FAINT, max(FAINTEST, GRAINS * float(np.median(np.abs(dark[sheet])))))
    stroke = (dark > faint) & (dark > EDGE * cv2.dilate(dark, np.ones((7, 7), np.uint8))) & sheet
    n, labels = cv2.connectedComponents(stroke.astype(np.uint8), connectivity=8)
    sure = np.bincount(labels[stroke & (dark > 2 * faint)], minlength=n) >= 3
    rim = _rim(sheet)
    over = np.bincount(labels[rim], minlength=n) > MOST_OVER * np.bincount(labels.ravel(), minlength=n)
    sure[over] = False
    sure[0] = False
    return np.asarray(sure[labels] & ~rim, np.bool_)


def _ratio(small: Picture, ground: Float) -> Float:
    """`(h, w)`: brightness against the paper, of the channel in which it is least: ink of any colour."""
    return _extremes(np.asarray(cv2.divide(small.astype(np.float32), np.maximum(ground, np.float32(1))), np.float32))[1]


def _rim(sheet: Mask) -> Mask:
    """The sheet's border where the sheet ends within the picture."""
    padded = cv2.copyMakeBorder(sheet.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    inner = cv2.erode(padded, np.ones((7, 7), np.uint8), borderValue=1)[1:-1, 1:-1]
    return np.asarray(sheet & (inner == 0))


def _figures(strokes: Mask, sheet: Mask, small: Picture, ground: Float) -> list[Mask]:
    """What the strokes enclose, with the strokes; things drawn near each other are one."""
    if cv2.connectedComponents(strokes.astype(np.uint8), connectivity=8)[0] - 1 > MOST_MARKS:
        return []
    fillings = [_filled(strokes, gap) for gap in GAPS]
    areas = [np.count_nonzero(filled & ~strokes) for filled in fillings]
    filled = next(f for f, area in zip(fillings, areas, strict=True) if area >= 0.6 * areas[-1])
    near = cv2.dilate(filled.astype(np.uint8), np.ones((7, 7), np.uint8))
    n, labels = cv2.connectedComponents(near, connectivity=8)
    least = LEAST_AREA * strokes.size
    figures = []
    for k in range(1, n):
        figure = filled & (labels == k)
        area = np.count_nonzero(figure)
        if area < least or area > 0.8 * np.count_nonzero(sheet):
            continue
        outlined = np.count_nonzero(figure & ~strokes) > LEAST_INSIDE * area
        if (outlined and _is_drawn(figure, strokes, sheet, small, ground)) or _is_coloured_in(
            figure, strokes, sheet, small
        ):
            figures.append(figure)
    return sorted(figures, key=lambda figure: -np.count_nonzero(figure))


def _is_drawn(figure: Mask, strokes: Mask, sheet: Mask, small: Picture, ground: Float) -> bool:
    """Lines on one and the same paper, with paper around them? Else it is a thing that lies there, or another sheet."""
    line = figure & strokes
    if not _hangs_together(line, figure):
        return False
    away = cv2.distanceTransform(strokes.astype(np.uint8), cv2.DIST_L2, 3)[line]
    if np.percentile(away, 90) > THICK * SIDE:
        return False
    thick = cv2.dilate(strokes.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    reach = cv2.dilate(figure.astype(np.uint8), np.ones((31, 31), np.uint8)) > 0
    inside, around = figure & ~thick, reach & ~figure & ~thick & sheet
    if min(np.count_nonzero(inside), np.count_nonzero(around)) < 30:
        return False
    light = [np.median(small[where].astype(np.float32), 0) for where in (inside, around)]
    ratio = light[0] / np.maximum(light[1], 1)
    if abs(ratio.mean() - 1) > ALIKE or np.ptp(ratio) > ALIKE / 2.8:
        return False
    paper = _ratio(small, ground)
    return all(np.mean(np.abs(paper[where] / np.median(paper[where]) - 1) < ALIKE) > 0.9 for where in (inside, around))


def _hangs_together(line: Mask, figure: Mask) -> bool:
    """Is one stroke as large as half of the figure? A line of letters is many."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(line.astype(np.uint8), connectivity=8)
    _, _, width, height = cv2.boundingRect(figure.astype(np.uint8))
    boxes = stats[1:, cv2.CC_STAT_WIDTH] * stats[1:, cv2.CC_STAT_HEIGHT]
    return bool(boxes.max(initial=0) > 0.5 * width * height)


def _is_coloured_in(figure: Mask, strokes: Mask, sheet: Mask, small: Picture) -> bool:
    """Wax on paper, with some black lines? Else it is a thing that lies there."""
    inner = cv2.erode(figure.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    around = (cv2.dilate(figure.astype(np.uint8), np.ones((31, 31), np.uint8)) > 0) & ~figure & ~strokes & sheet
    if min(np.count_nonzero(inner), np.count_nonzero(around)) < 100:
        return False
    paper = np.median(small[around].astype(np.float32), 0)
    high, low = _extremes(np.asarray(small / np.maximum(paper, 1), np.float32))
    black = inner & (high < BLACK)
    rest = inner & (cv2.dilate(black.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    part = np.count_nonzero(black) / np.count_nonzero(inner)
    if not LEAST_BLACK < part < MOST_BLACK or np.count_nonzero(rest) < 100:
        return False
    if np.mean(np.abs(high[rest] - 1) < WAXY) < 0.9 or np.mean((high - low)[rest] > COLOURED) < 0.3:
        return False
    return bool(np.median(np.abs(cv2.Laplacian(low, cv2.CV_32F))[rest]) > GRAINY)


def _filled(strokes: Mask, gap: float) -> Mask:
    """What cannot be reached from outside when gaps in the strokes are closed."""
    r = max(1, round(gap * SIDE))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1))
    pad = 2 * r + 2
    padded = cv2.copyMakeBorder(strokes.astype(np.uint8), pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel)
    free = np.asarray(1 - closed, np.uint8)
    _, labels = cv2.connectedComponents(free, connectivity=4)
    return np.asarray((labels != labels[0, 0])[pad:-pad, pad:-pad])
