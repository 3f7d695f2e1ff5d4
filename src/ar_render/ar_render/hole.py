"""The object itself gets up: where it stood, the picture shows the table, and its shadow is gone.

Every picture takes from the table what its mask covers, through the homography of the plane, so bright that it meets the
picture at the seam. Where the object's shadow lay the picture gets its light back.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .cards import to_card
from .cast_off import relit
from .inpainting import alike, fill_smoothly
from .plane_view import View
from .shadow import Region
from .table import DIM, LIT, ONCE, TEXELS, TWICE, Table

__all__ = ["ONCE", "TWICE", "Table", "fill"]
Array = NDArray[Any]


def fill(
    picture: Array, mask: Array, view: View | None, table: Table | None, gone: float = 1.0
) -> tuple[Array, Region] | None:
    """What the picture (H, W, 3) uint8 looks like without the thing in its mask (H, W) uint8 (255 covers).

    Returns the changed part (h, w, 3) uint8 and where it lies, (x0, y0, x1, y1); None when the mask is empty. Without a
    table, or where it does not reach, the surroundings are drawn in smoothly. gone (0-1): how much of the thing has left.
    """
    box = cv2.boundingRect(cv2.threshold(mask, 40, 255, cv2.THRESH_BINARY)[1])
    if box[2] < 2 or box[3] < 2:
        return None
    grow = max(3, round(0.05 * max(box[2], box[3])))
    inner = _part(np.array(box[:2]) - 4 * grow - 6, np.array(box[:2]) + box[2:] + 4 * grow + 6, mask.shape)
    if view is None or table is None or not table.seen_from:
        return _filled(picture[_cut(inner)], mask[_cut(inner)], inner, grow, None, None, gone), inner
    shade, whole = table.shaded(view), inner
    if shade is not None:
        shaded = _part(shade.min(0), shade.max(0), mask.shape)
        whole = (*np.minimum(inner, shaded)[:2].tolist(), *np.maximum(inner, shaded)[2:].tolist())
    out = picture[_cut(whole)].copy()
    if shade is not None and table.cast_off is not None:
        there = out[_cut(shaded, whole)]
        there[:] = relit(there, _gain(table, view, shaded, gone), table.cast_off.most)
    within = out[_cut(inner, whole)]
    within[:] = _filled(within, mask[_cut(inner)], inner, grow, view, table, gone)
    return out, whole


def _part(low: Array, high: Array, shape: tuple[int, ...]) -> Region:
    """The part of a picture between two corners (2,), in multiples of 4: these are quickly made smaller."""
    x0, y0 = (min(max(int(v), 0), m - 4) // 4 * 4 for v, m in zip(low, shape[::-1], strict=True))
    x1, y1 = (
        min(max(-(-int(np.ceil(v)) // 4) * 4, o + 4), m) for v, o, m in zip(high, (x0, y0), shape[::-1], strict=True)
    )
    return x0, y0, x1, y1


def _cut(part: Region, of: Region = (0, 0, 0, 0)) -> tuple[slice, slice]:
    """Rows and columns of a part, within another."""
    return slice(part[1] - of[1], part[3] - of[1]), slice(part[0] - of[0], part[2] - of[0])


def _filled(
    cut: Array, mask: Array, part: Region, grow: int, view: View | None, table: Table | None, gone: float
) -> Array:
    """A part (h, w, 3) of the picture with the table where its mask (h, w) is."""
    alpha = _grown(mask, grow)
    h, w = alpha.shape
    small = (max(w // 4, 2), max(h // 4, 2))
    there, look = np.zeros(small[::-1], np.uint8), np.zeros((h, w, 3), np.uint8)
    if table is not None and view is not None:
        H = _texels(table, view, part)
        look = _seen(table.colours, H, (w, h), border=cv2.BORDER_REPLICATE)
        there = _seen(table.usable, H, (w, h), small)
        _put_cards(look, there, alpha, table, view, part)
    look = _seamless(cut, look, there, alpha)
    share = alpha * np.float32(gone / 255)
    return cv2.blendLinear(look, cut, share, 1 - share)


def _put_cards(look: Array, there: Array, alpha: Array, table: Table, view: View, part: Region) -> None:
    """Draw what stands on the table where alpha (h, w) is, onto the look (h, w, 3) of a part of the picture, and mark where it
    is known (h/4, w/4)."""
    x, y, w, h = cv2.boundingRect(alpha)
    first, last = np.array([part[0] + x, part[1] + y]), np.array([part[0] + x + w, part[1] + y + h])
    for card in table.cards:
        uv = card.seen(view) if card.behind(table.middle(view), view) else None
        if uv is None:
            continue
        low, high = np.clip(uv.min(0), first, last), np.clip(uv.max(0), first, last)
        if (high - low < 8).any():
            continue
        here = _part(low, high, (part[3], part[2]))
        size = (here[2] - here[0], here[3] - here[1])
        H = to_card(uv) @ np.array([[1.0, 0, here[0]], [0, 1, here[1]], [0, 0, 1]])
        seen, on = _seen(card.picture, H, size), look[_cut(here, part)]
        cover = cv2.extractChannel(seen, 3)
        share = cover * np.float32(1 / 255)
        on[:] = cv2.blendLinear(cv2.cvtColor(seen, cv2.COLOR_BGRA2BGR), on.copy(), share, 1 - share)
        x, y = (here[0] - part[0]) // 4, (here[1] - part[1]) // 4
        known = there[y : y + size[1] // 4, x : x + size[0] // 4]
        known[:] = cv2.max(known, cv2.resize(cover, known.shape[::-1], interpolation=cv2.INTER_AREA))


def _texels(table: Table, view: View, part: Region) -> Array:
    """(3, 3): from pixels of a part of the picture to homogeneous texels."""
    x0, y0, x1, y1 = part
    return np.asarray(
        table.texel_from_pixel(view, ((x0 + x1) / 2, (y0 + y1) / 2)) @ [[1.0, 0, x0], [0, 1, y0], [0, 0, 1]]
    )


def _gain(table: Table, view: View, part: Region, gone: float) -> Array:
    """(h, w, 3): what a part of the picture must gain for the object's shadow to be gone; looked up at half the size."""
    assert table.cast_off is not None
    s = table.cast_off.gain.shape[0] / TEXELS
    H = np.array([[s, 0, s / 2 - 0.5], [0, s, s / 2 - 0.5], [0, 0, 1]]) @ _texels(table, view, part)
    size = (part[2] - part[0], part[3] - part[1])
    gain = _seen(table.cast_off.gain, H, size, (size[0] // 2, size[1] // 2))
    return cv2.resize(gain if gone == 1 else cv2.convertScaleAbs(gain, alpha=gone), size)


def _seen(
    texels: Array,
    H: Array,
    whole: tuple[int, int],
    size: tuple[int, int] | None = None,
    border: int = cv2.BORDER_CONSTANT,
) -> Array:
    """What a picture of so many pixels (w, h) shows of texels, H (3, 3) from pixels to texels; made smaller to ``size``."""
    size = size or whole
    sx, sy = whole[0] / size[0], whole[1] / size[1]
    G = H @ [[sx, 0, sx / 2 - 0.5], [0, sy, sy / 2 - 0.5], [0, 0, 1]]
    out = cv2.warpPerspective(texels, G, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=border)
    front = _in_front(G, *size)
    return np.asarray(out if front is None else cv2.copyTo(out, front))


def _grown(cover: Array, by: int) -> Array:
    """A mask (h, w) uint8 grown by so many pixels, with a soft edge; at half the size, which no soft edge shows."""
    h, w = cover.shape
    half = cv2.resize(cover, ((w + 1) // 2, (h + 1) // 2), interpolation=cv2.INTER_AREA)
    half = cv2.dilate(half, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (by // 2 * 2 + 1, by // 2 * 2 + 1)))
    return np.asarray(cv2.resize(cv2.GaussianBlur(half, (0, 0), 0.225 * by), (w, h), interpolation=cv2.INTER_LINEAR))


def _in_front(H: Array, w: int, h: int) -> Array | None:
    """255 (h, w) where pixels see the plane in front of the camera; None when all do."""
    corners = H[2] @ np.array([[0, w, 0, w], [0, 0, h, h], [1, 1, 1, 1]])
    if (corners > 1e-9).all():
        return None
    depth = H[2, 0] * np.arange(w)[None, :] + H[2, 1] * np.arange(h)[:, None] + H[2, 2]
    return np.asarray(np.where(depth > 1e-9, 255, 0), np.uint8)


def _seamless(cut: Array, look: Array, there: Array, alpha: Array) -> Array:
    """The table's look (h, w, 3) uint8 so bright that it meets the picture all round; smooth where there is no table.

    What is added is smooth: it is found on a picture of a quarter of the size, which ``there`` (h/4, w/4) uint8 has (255:
    table). alpha (h, w): 0 where the picture stays.
    """
    h, w = alpha.shape
    size = there.shape[::-1]
    free = cv2.resize(cv2.threshold(alpha, 2, 255, cv2.THRESH_BINARY_INV)[1], size, interpolation=cv2.INTER_AREA)
    free = cv2.threshold(free, 150, 255, cv2.THRESH_TOZERO)[1] * np.float32(1 / 255)
    small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    table = cv2.resize(look, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    has = (there > 0.9 * DIM).astype(np.float32)
    lit = (there > 0.9 * LIT).astype(np.float32)
    whole = bool((has[free < 1] > 0).all())
    difference = small - table
    if not whole:  # beyond the table the surroundings are drawn in
        smooth = fill_smoothly(small, free)
        difference = np.where(has[..., None] > 0, difference, small - smooth)
    meets = np.maximum(lit, 0.02) if whole else np.maximum(lit, np.where(has > 0, np.float32(0.02), 1))
    added = fill_smoothly(difference, free * meets * alike(difference, free * has))
    if whole:
        return np.asarray(cv2.add(look, cv2.resize(added, (w, h)), dtype=cv2.CV_8U))
    share = cv2.resize(has, (w, h))
    base = cv2.blendLinear(look, cv2.resize(np.clip(smooth, 0, 255).astype(np.uint8), (w, h)), share, 1 - share)
    return np.asarray(cv2.add(base, cv2.resize(added, (w, h)), dtype=cv2.CV_8U))
