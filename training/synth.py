"""Pictures composed of photographs, cut-outs and procedural surfaces: several objects, none, or one in a new place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training import surfaces
from training.store import Pixels, Store

Rng = np.random.Generator


@dataclass(frozen=True)
class Scene:
    """A composed picture: `bgr (S, S, 3) uint8` and one `(S, S) uint8` visible mask per object, nearest object last."""

    bgr: Pixels
    masks: list[Pixels]


def affine(rng: Rng, height: int, width: int, size: int, zoom: float, turn: float, shift: float) -> NDArray[np.float32]:
    """`(2, 3) float32` that maps a `height x width` picture onto `size x size`, jittered, perhaps mirrored."""
    sx, sy = size / width * zoom, size / height * zoom
    squash = float(np.exp(rng.normal(0.0, 0.08)))
    sx, sy = sx * squash, sy / squash
    if rng.random() < 0.5:
        sx = -sx
    c, s = np.cos(turn), np.sin(turn)
    linear = np.array([[c, -s], [s, c]]) @ np.diag([sx, sy])
    target = size / 2 + rng.uniform(-shift, shift, 2) * size
    return np.column_stack([linear, target - linear @ [width / 2, height / 2]]).astype(np.float32)


def warp(picture: Pixels, matrix: NDArray[np.float32], size: int, border: int = cv2.BORDER_REFLECT_101) -> Pixels:
    return cv2.warpAffine(picture, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)


def draw(store: Store, rng: Rng, size: int, zoom: float, turn: float = 0.0, shift: float = 0.0) -> Pixels:
    """One photograph with its mask as `(size, size, 4)`, from the copy whose resolution fits."""
    i = int(rng.integers(len(store)))
    picture = store.half(i) if size * zoom < 180 else store[i]
    return warp(picture, affine(rng, picture.shape[0], picture.shape[1], size, zoom, turn, shift), size)


def procedural(rng: Rng, size: int) -> Pixels:
    """A surface: wood-like streaks, cloth, plaster, tiles or nothing but light, `(size, size, 3) uint8`."""
    base = rng.uniform(10, 245) + rng.normal(0, 22, 3)
    out = np.empty((size, size, 3), np.float32)
    out[:] = base
    for octave in range(int(rng.integers(1, 7))):
        n = 2 + 2**octave
        shape = (n, max(2, n // int(rng.integers(1, 9))))  # streaks: more detail in one direction
        if rng.random() < 0.5:
            shape = shape[::-1]
        grain = rng.normal(0, rng.uniform(2, 30) / (1 + octave), (*shape, 1)).astype(np.float32)
        out += cv2.resize(grain, (size, size), interpolation=cv2.INTER_LINEAR)[..., None] * rng.uniform(0.7, 1.3, 3)
    if rng.random() < 0.3:
        yy, xx = np.mgrid[:size, :size].astype(np.float32)
        period, angle = rng.uniform(size / 24, size / 3), rng.uniform(0, np.pi)
        u = (xx * np.cos(angle) + yy * np.sin(angle)) / period
        v = (yy * np.cos(angle) - xx * np.sin(angle)) / period
        lines = ((u % 1 < 0.06) | (v % 1 < 0.06)) if rng.random() < 0.5 else ((u.astype(int) + v.astype(int)) % 2 == 0)
        out += lines[..., None] * rng.uniform(-60, 60)
    ramp = np.linspace(rng.uniform(0.6, 1.2), rng.uniform(0.6, 1.2), size, dtype=np.float32)
    out *= ramp[:, None, None] if rng.random() < 0.5 else ramp[None, :, None]
    if rng.random() < 0.4:
        out += rng.normal(0, rng.uniform(1, 12), (size, size, 1))
    return np.clip(out, 0, 255).astype(np.uint8)


def table(rng: Rng, size: int) -> Pixels:
    """A surface seen to its far edge, with another surface (wall, room) behind it."""
    picture = procedural(rng, size)
    if rng.random() < 0.6:
        horizon = int(rng.uniform(0.0, 0.5) * size)
        tilt = int(rng.normal(0, 0.04) * size)
        corners = np.array([[0, 0], [size, 0], [size, horizon + tilt], [0, horizon - tilt]], np.int32)
        mask = cv2.fillConvexPoly(np.zeros((size, size), np.uint8), corners, 255)
        behind = cv2.GaussianBlur(procedural(rng, size), (0, 0), rng.uniform(0.3, 3))
        cv2.copyTo(behind, mask, picture)
    return picture


def load_cutouts(folder: Path, longest: int = 320) -> list[Pixels]:
    """The RGBA cut-outs of `folder`, cropped to what is visible, BGRA, longest side at most `longest`."""
    out = []
    for path in sorted(folder.iterdir()):
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
            continue
        x, y, w, h = cv2.boundingRect((picture[..., 3] > 20).astype(np.uint8))
        picture = picture[y : y + h, x : x + w]
        scale = min(1.0, longest / max(h, w))
        out.append(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    return out


def without_object(store: Store, rng: Rng, size: int, tries: int = 12) -> Pixels:
    """A part of a photograph without its object, `(size, size, 3)`; a procedural surface where none is found."""
    for _ in range(tries):
        picture = store[int(rng.integers(len(store)))]
        h, w = picture.shape[:2]
        n = int(rng.uniform(0.35, 0.8) * min(h, w))
        y, x = int(rng.integers(h - n + 1)), int(rng.integers(w - n + 1))
        part = picture[y : y + n, x : x + n]
        if not (part[..., 3] > 20).any():
            return warp(np.ascontiguousarray(part[..., :3]), affine(rng, n, n, size, 1.0, 0.0, 0.0), size)
    return table(rng, size)


def backgrounds(store: Store, rng: Rng, size: int, n: int) -> list[Pixels]:
    """`n` pictures without an object, `(size, size, 3)`: parts of photographs, tables, bare surfaces."""
    out = []
    for _ in range(n):
        roll = rng.random()
        if roll < 0.5:
            out.append(without_object(store, rng, size))
        else:
            picture = table(rng, size) if roll < 0.9 else procedural(rng, size)
            for _ in range(int(rng.integers(0, 4))):
                picture = with_print(picture, store, rng)
            out.append(picture)
    return out


def with_print(picture: Pixels, store: Store, rng: Rng) -> Pixels:
    """A flat printed thing lies there: a cloth, a runner, a newspaper, a tile. It is a pattern and no object."""
    size = picture.shape[0]
    photo = store.half(int(rng.integers(len(store))))[..., :3]
    roll = rng.random()
    if roll < 0.35:
        return surfaces.laid(picture, surfaces.ornament(rng, size), rng, 2.0)
    if roll < 0.6:
        return surfaces.laid(picture, surfaces.page(rng, size, photo), rng)
    pattern = photo if roll < 0.8 else procedural(rng, size)
    if rng.random() < 0.5:  # repeated, as on cloth
        n = int(rng.integers(2, 6))
        small = cv2.resize(pattern, (size // (2 * n), size // (2 * n)), interpolation=cv2.INTER_AREA)
        pattern = np.tile(small, (n, 2 * n, 1))
    return surfaces.laid(picture, pattern, rng)


def whole_objects(store: Store) -> list[Pixels]:
    """`(h, w, 4) uint8` BGRA views of the photographs' objects that are whole and large enough to be pasted."""
    out = []
    for i in range(len(store)):
        picture = store[i]
        mask = (picture[..., 3] > 127).astype(np.uint8)
        x, y, w, h = cv2.boundingRect(mask)
        inside = x > 1 and y > 1 and x + w < mask.shape[1] - 1 and y + h < mask.shape[0] - 1
        if inside and min(w, h) > 40 and mask[y : y + h, x : x + w].mean() > 0.25:
            out.append(picture[y : y + h, x : x + w])
    return out


class Stock:
    """What samples are made of: the photographs, whole objects, cut-outs, and a changing stock of composed scenes.

    Composing a scene costs more than a training step on it: each is used `REUSE` times, with another object meant.
    """

    N_SCENES, REUSE = 48, 6

    def __init__(
        self, store: Store, cutouts: list[Pixels], rng: Rng, scene_size: int, n_backgrounds: int = 1500
    ) -> None:
        self.store, self.cutouts, self.size = store, cutouts, scene_size
        self.objects = whole_objects(store)
        self.backgrounds = backgrounds(store, rng, scene_size, n_backgrounds)
        self._scenes: list[tuple[Scene, int]] = []

    def background(self, rng: Rng, size: int) -> Pixels:
        picture = self.backgrounds[int(rng.integers(len(self.backgrounds)))]
        n = int(rng.uniform(0.5, 1.0) * self.size)
        y, x = int(rng.integers(self.size - n + 1)), int(rng.integers(self.size - n + 1))
        part = picture[y : y + n, x : x + n]
        if rng.random() < 0.5:
            part = part[:, ::-1]
        return cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA if n > size else cv2.INTER_LINEAR)

    def cutout(self, rng: Rng) -> Pixels:
        pool = self.cutouts if self.cutouts and rng.random() < 0.4 else self.objects
        return pool[int(rng.integers(len(pool)))]

    def scene(self, rng: Rng) -> Scene:
        """A table with one to seven things, things that touch, or a photograph with some added, at `scene_size`."""
        if len(self._scenes) < self.N_SCENES:
            roll = rng.random()
            if roll < 0.3:
                fresh = crowd(self, rng, self.size)
            elif roll < 0.65:
                fresh = tabletop(self, rng, self.size, int(rng.integers(1, 8)))
            else:
                fresh = adjoining(self, rng, self.size, int(rng.integers(2, 4)))
            self._scenes.append((fresh, self.REUSE - 1))
            return fresh
        k = int(rng.integers(self.N_SCENES))
        scene, left = self._scenes[k]
        if left > 1:
            self._scenes[k] = (scene, left - 1)
        else:
            self._scenes[k] = self._scenes[-1]
            self._scenes.pop()
        return scene


def paste(
    scene: Scene, cutout: Pixels, rng: Rng, extent: float, centre: tuple[float, float], shadow: bool, light: bool = True
) -> Scene:
    """`cutout` onto `scene`, `extent` of the picture large, with a soft shadow on what it stands on."""
    size = scene.bgr.shape[0]
    h, w = cutout.shape[:2]
    zoom = extent * size / max(h, w)
    if zoom < 0.6:
        cutout = cv2.resize(cutout, None, fx=zoom * 1.3, fy=zoom * 1.3, interpolation=cv2.INTER_AREA)
        h, w = cutout.shape[:2]
        zoom = extent * size / max(h, w)
    angle = rng.normal(0, 0.25)
    sx, sy = zoom * (1 if rng.random() < 0.5 else -1), zoom * np.exp(rng.normal(0, 0.1))
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([sx, sy])
    offset = np.array(centre) * size - linear @ [w / 2, h / 2]
    layer = warp(cutout, np.column_stack([linear, offset]).astype(np.float32), size, cv2.BORDER_CONSTANT)
    alpha = layer[..., 3]
    if rng.random() < 0.5:
        alpha = cv2.GaussianBlur(alpha, (3, 3), 0)
    bgr = scene.bgr.copy()
    if shadow:
        bgr = shaded(bgr, alpha, rng)
    x, y, w, h = cv2.boundingRect(alpha)
    if w and h:
        at = np.s_[y : y + h, x : x + w]
        tint = rng.uniform(0.6, 1.25) * rng.uniform(0.9, 1.1, 3) if light else np.ones(3)
        fg = layer[at][..., :3]
        if light and rng.random() < BLENDS_IN:
            fg = like_ground(fg, alpha[at], bgr[at], float(rng.uniform(0.4, 0.9)))
        fg = np.minimum(fg * tint.astype(np.float32), 255)
        a = alpha[at][..., None] * np.float32(1 / 255)
        bgr[at] = bgr[at] * (1 - a) + fg * a
    hidden = [cv2.subtract(mask, alpha) for mask in scene.masks]
    return Scene(bgr, [*hidden, alpha])


BLENDS_IN = 0.2
"""So many things have colours of what they stand on: a white mug on a white cloth is told by its shape and shading."""


def like_ground(bgr: Pixels, alpha: Pixels, ground: Pixels, how_much: float) -> Pixels:
    """`bgr (h, w, 3)` with less colour of its own, its mean where `alpha` is moved towards that of `ground`."""
    pale = bgr.astype(np.float32)
    pale += (pale.mean(2, keepdims=True) - pale) * how_much
    own, there = (np.array(cv2.mean(p, alpha)[:3], np.float32) for p in (pale, ground))
    return np.clip(pale + (there - own) * how_much, 0, 255).astype(np.uint8)


def shaded(bgr: Pixels, alpha: Pixels, rng: Rng) -> Pixels:
    """`bgr (S, S, 3)` dimmed by the shadow of what `alpha (S, S)` covers: close around it, or long and cast to a side."""
    size = bgr.shape[0]
    n = size // 4
    small = cv2.resize(alpha, (n, n), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.6:
        reach = rng.uniform(0.01, 0.06) * n
        matrix = np.float32([[1, 0, rng.normal(0, 1.5 * reach)], [0, 1, abs(rng.normal(0, reach))]])
        soft, depth = reach / 5, rng.uniform(0.15, 0.6)
    else:  # standing on its lowest row, laid down flat
        _, y, _, h = cv2.boundingRect((small > 127).astype(np.uint8))
        foot = y + h
        flat, lean = rng.uniform(-0.4, 0.6), rng.normal(0, 0.8)
        matrix = np.float32([[1, -lean, lean * foot], [0, flat, (1 - flat) * foot]])
        soft, depth = rng.uniform(0.005, 0.04) * n, rng.uniform(0.25, 0.75)
    cast = cv2.GaussianBlur(cv2.warpAffine(small, matrix, (n, n)), (0, 0), max(0.6, soft))
    dimmed = 255 - cv2.convertScaleAbs(cv2.resize(cast, (size, size)), alpha=depth)
    return np.asarray(cv2.multiply(bgr, cv2.merge([dimmed, dimmed, dimmed]), scale=1 / 255), np.uint8)


def adjoining(stock: Stock, rng: Rng, size: int, n_objects: int) -> Scene:
    """`n_objects` things that touch: each is slid towards one that lies there until the outlines meet or overlap a
    little. Sometimes both are the same thing, so that colour does not tell them apart."""
    scene = Scene(stock.background(rng, size), [])
    extent = rng.uniform(0.22, 0.5)
    first = cutout = stock.cutout(rng)
    centre = (float(rng.uniform(0.35, 0.65)), float(rng.uniform(0.4, 0.65)))
    scene = paste(scene, cutout, rng, extent, centre, rng.random() < 0.8)
    for _ in range(n_objects - 1):
        cutout = first if rng.random() < 0.2 else stock.cutout(rng)
        larger = float(extent * np.exp(rng.normal(0, 0.3)))
        angle = rng.choice([0, np.pi]) + rng.normal(0, 0.5)
        neighbour = scene.masks[int(rng.integers(len(scene.masks)))]
        at = beside(neighbour, cutout[..., 3], larger * size, angle, float(rng.uniform(0, 0.06)))
        scene = paste(scene, cutout, rng, larger, (at[0] / size, at[1] / size), rng.random() < 0.8)
    return scene


def beside(mask: Pixels, alpha: Pixels, longest: float, angle: float, overlap: float) -> tuple[float, float]:
    """Where, in pixels, the centre of `alpha`, made `longest` pixels long, comes to lie when it is slid along `angle`
    from the middle of `mask` outwards until at most the part `overlap` of it is hidden."""
    n = 64
    zoom = n / mask.shape[0]
    there = cv2.resize(mask, (n, n), interpolation=cv2.INTER_AREA) > 127
    h, w = (max(1, round(side * longest * zoom / max(alpha.shape))) for side in alpha.shape)
    rows, columns = np.nonzero(cv2.resize(alpha, (w, h), interpolation=cv2.INTER_AREA) > 127)
    x, y, bw, bh = cv2.boundingRect(there.astype(np.uint8))
    cx, cy = x + bw / 2, y + bh / 2
    for away in range(n):
        left, top = cx + away * np.cos(angle) - w / 2, cy + away * np.sin(angle) - h / 2
        r, c = (rows + top).astype(int), (columns + left).astype(int)
        seen = (r >= 0) & (r < n) & (c >= 0) & (c < n)
        if np.count_nonzero(there[r[seen], c[seen]]) <= overlap * len(rows):
            break
    return (cx + away * np.cos(angle)) / zoom, (cy + away * np.sin(angle)) / zoom


def tabletop(stock: Stock, rng: Rng, size: int, n_objects: int) -> Scene:
    """`n_objects` things beside and partly before each other; far ones first, smaller and higher up."""
    scene = Scene(stock.background(rng, size), [])
    base = rng.uniform(0.18, 0.5) if n_objects > 1 else rng.uniform(0.25, 0.8)
    rows = np.sort(rng.uniform(0.25, 0.85, n_objects))
    columns = (rng.permutation(n_objects) + rng.uniform(0.1, 0.9, n_objects)) / n_objects
    for row, column in zip(rows, columns, strict=True):
        extent = float(np.clip(base * (0.6 + 0.7 * row) * np.exp(rng.normal(0, 0.25)), 0.08, 0.9))
        scene = paste(scene, stock.cutout(rng), rng, extent, (float(column), float(row)), rng.random() < 0.8)
    return scene


def crowd(stock: Stock, rng: Rng, size: int) -> Scene:
    """A photograph of one whole thing, with one to four others put before it: real light and clutter, each for itself."""
    for _ in range(10):
        picture = draw(stock.store, rng, size, float(rng.uniform(1.0, 1.3)))
        mask = picture[..., 3]
        n, _, stats, _ = cv2.connectedComponentsWithStats((mask > 127).astype(np.uint8))
        areas = stats[1:, cv2.CC_STAT_AREA]
        if n > 1 and 0.02 * size * size < areas.max() < 0.35 * size * size and areas.max() > 0.95 * areas.sum():
            break
    scene = Scene(np.ascontiguousarray(picture[..., :3]), [np.ascontiguousarray(mask)])
    for _ in range(int(rng.integers(1, 5))):
        at = (float(rng.uniform(0.05, 0.95)), float(rng.uniform(0.2, 0.95)))
        scene = paste(scene, stock.cutout(rng), rng, float(rng.uniform(0.12, 0.4)), at, rng.random() < 0.7)
    return scene


def mosaic(store: Store, rng: Rng, size: int) -> Scene:
    """Two to four photographs side by side."""
    bgr = np.zeros((size, size, 3), np.uint8)
    masks: list[Pixels] = []
    cut = size * np.clip(rng.normal(0.5, 0.08, 2), 0.3, 0.7)
    cx, cy = int(cut[0]), int(cut[1])
    kind = rng.integers(3)
    if kind == 0:
        cells = [(0, 0, cx, size), (cx, 0, size, size)]
    elif kind == 1:
        cells = [(0, 0, size, cy), (0, cy, size, size)]
    else:
        cells = [(0, 0, cx, cy), (cx, 0, size, cy), (0, cy, cx, size), (cx, cy, size, size)]
    for x0, y0, x1, y1 in cells:
        i = int(rng.integers(len(store)))
        picture = store.half(i) if max(x1 - x0, y1 - y0) < 140 else store[i]
        if rng.random() < 0.5:
            picture = picture[:, ::-1]
        tile = cv2.resize(picture, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
        bgr[y0:y1, x0:x1] = tile[..., :3]
        mask = np.zeros((size, size), np.uint8)
        mask[y0:y1, x0:x1] = tile[..., 3]
        masks.append(mask)
    return Scene(bgr, masks)
