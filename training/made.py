"""Things and places that are drawn: figures with a surface and a shape, nature as noise, and ways to vary what is real."""

from __future__ import annotations

import cv2
import numpy as np

from training.embedded_scene.noise import fractal
from training.store import Pixels
from training.synth import Rng


def part_of(pictures: list[Pixels], rng: Rng, size: int) -> Pixels:
    """A part of one of `pictures`, turned or mirrored, `(size, size, 3)`."""
    picture = pictures[int(rng.integers(len(pictures)))]
    h, w = picture.shape[:2]
    n = int(rng.uniform(0.25, 1.0) * min(h, w))
    y, x = int(rng.integers(h - n + 1)), int(rng.integers(w - n + 1))
    part = picture[y : y + n, x : x + n]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    if rng.random() < 0.2:
        part = np.rot90(part, int(rng.integers(1, 4)))
    way = cv2.INTER_AREA if n > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(part), (size, size), interpolation=way))


def recoloured(picture: Pixels, rng: Rng, how_often: float) -> Pixels:
    """Other hues, more or less colour, another contrast; alpha stays. `(h, w, 3 or 4) uint8`."""
    if rng.random() > how_often:
        return picture
    hsv = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_BGR2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(np.int32) + int(rng.integers(180))) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.1, 1.3), 0, 255)
    bgr = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR).astype(np.float32)
    bgr = 255 * (bgr / 255) ** rng.uniform(0.6, 1.7)
    out = picture.copy()
    out[..., :3] = np.clip(bgr, 0, 255)
    return out


def bent(cutout: Pixels, rng: Rng) -> Pixels:
    """A cut-out bent a little, stretched, sometimes a part of it."""
    h, w = cutout.shape[:2]
    stretch = np.exp(rng.normal(0, 0.2, 2))
    size = (max(24, round(w * stretch[0])), max(24, round(h * stretch[1])))
    cutout = np.asarray(cv2.resize(cutout, size, interpolation=cv2.INTER_AREA))
    h, w = cutout.shape[:2]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    reach = rng.uniform(0, 0.05) * max(h, w)
    for axis in (x, y):
        field = cv2.resize(rng.normal(0, 1, (4, 4)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
        axis += reach * field
    out = cv2.remap(cutout, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    if rng.random() < 0.15:
        n, m = int(h * rng.uniform(0.5, 0.9)), int(w * rng.uniform(0.5, 0.9))
        part = out[:n, :m] if rng.random() < 0.5 else out[-n:, -m:]
        if np.count_nonzero(part[..., 3] > 127) > 0.2 * part[..., 3].size:
            out = part
    return np.ascontiguousarray(out)


def outdoors(rng: Rng, size: int) -> Pixels:
    """Ground, perhaps things far away, perhaps a sky: coloured noise like nature's, coarser near than far."""
    palette = [
        (40, 90, 60),
        (60, 110, 110),
        (90, 120, 140),
        (150, 140, 120),
        (200, 170, 130),
        (60, 60, 60),
        (110, 90, 60),
    ]

    def ground(height: int, coarse: float, contrast: float) -> Pixels:
        base = np.array(palette[int(rng.integers(len(palette)))]) + rng.normal(0, 25, 3)
        other = base + rng.normal(0, 40, 3)
        cell = (max(2.0, coarse * size), max(2.0, coarse * size * rng.uniform(0.5, 3)))
        grain = fractal((height, size), cell, rng, 6, float(rng.uniform(0.45, 0.8)))
        second = fractal((height, size), (cell[0] * 2, cell[1] * 2), rng, 3)
        out = base + contrast * grain[..., None] * rng.uniform(0.7, 1.3, 3) + (other - base) * 0.5 * second[..., None]
        return np.clip(out, 0, 255).astype(np.uint8)

    out = ground(size, float(rng.uniform(0.03, 0.4)), float(rng.uniform(5, 45)))
    if rng.random() < 0.7:
        horizon = int(rng.uniform(0.1, 0.7) * size)
        if rng.random() < 0.5:  # a sky
            top, low = (
                np.array([rng.uniform(120, 255), rng.uniform(110, 230), rng.uniform(60, 220)]) for _ in range(2)
            )
            ramp = np.linspace(0, 1, size)[:, None, None]
            far = np.clip(top + (low - top) * ramp + 12 * fractal((size, size), (40, 90), rng, 5)[..., None], 0, 255)
            far = far.astype(np.uint8)
        else:
            far = ground(size, float(rng.uniform(0.05, 0.3)), float(rng.uniform(5, 40)))
        line = horizon + (0.04 * size * fractal((8, size), (8, size / 6), rng, 4)[0] * rng.uniform(0, 2)).astype(int)
        above = np.arange(size)[:, None] < line[None]
        out = np.where(above[..., None], far, out)
    return np.ascontiguousarray(out)


def joined(one: Pixels, other: Pixels, rng: Rng) -> Pixels:
    """Two places with a straight or wavy border between them."""
    size = one.shape[0]
    y, x = np.mgrid[:size, :size].astype(np.float32) / size - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    side = np.cos(angle) * x + np.sin(angle) * y + rng.uniform(-0.3, 0.3)
    if rng.random() < 0.5:
        side += rng.uniform(0, 0.1) * fractal((size, size), (size / 5, size / 5), rng, 3)
    return np.where((side > 0)[..., None], one, other)


def figure(skin: Pixels, rng: Rng) -> Pixels:
    """A thing of a random shape with `skin (n, n, 3)` on it, lit as if it were round, BGRA."""
    n = skin.shape[0]
    shape = (blob, limbs, turned, box)[int(rng.choice(4, p=[0.25, 0.4, 0.2, 0.15]))](rng, n)
    alpha = cv2.GaussianBlur(shape, (0, 0), 0.7)
    inside = cv2.distanceTransform((shape > 127).astype(np.uint8), cv2.DIST_L2, 5)
    depth = cv2.GaussianBlur(np.sqrt(np.minimum(inside, 0.25 * n)), (0, 0), 2.0)
    gx, gy = cv2.Sobel(depth, cv2.CV_32F, 1, 0, ksize=5) / 40, cv2.Sobel(depth, cv2.CV_32F, 0, 1, ksize=5) / 40
    angle = rng.uniform(-np.pi, 0)  # mostly from above
    light = 1 + rng.uniform(0.1, 0.9) * (gx * np.cos(angle) + gy * np.sin(angle))
    bgr = skin.astype(np.float32)
    if rng.random() < 0.6:  # parts of other colours
        where = fractal((n, n), (n / 3, n / 3), rng, 2) > rng.uniform(-0.3, 1.2)
        bgr = np.where(where[..., None], bgr * rng.uniform(0.3, 0.8) + rng.uniform(0, 120, 3), bgr)
    if rng.random() < 0.5:  # calmer, so that the thing is one
        bgr += (bgr.mean((0, 1)) - bgr) * rng.uniform(0.2, 0.8)
    bgr = np.clip(bgr * np.clip(light, 0.25, 1.9)[..., None], 0, 255)
    x, y, w, h = cv2.boundingRect((alpha > 20).astype(np.uint8))
    return np.ascontiguousarray(np.dstack([bgr, alpha]).astype(np.uint8)[y : y + h, x : x + w])


def blob(rng: Rng, n: int) -> Pixels:
    """A closed curve of a few waves."""
    t = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    r = np.ones_like(t)
    for k in range(2, 8):
        r += rng.normal(0, 0.35 / k) * np.cos(k * t + rng.uniform(0, 6.3))
    r = np.clip(r, 0.25, 2)
    stretch = np.exp(rng.normal(0, 0.35))
    points = np.column_stack([r * np.cos(t) * stretch, r * np.sin(t) / stretch])
    points *= 0.46 * n / np.abs(points).max()
    return cv2.fillPoly(np.zeros((n, n), np.uint8), [(points + n / 2).astype(np.int32)], 255, cv2.LINE_AA)


def limbs(rng: Rng, n: int) -> Pixels:
    """A body with a head, legs, perhaps a tail or wings: an animal or a person from afar."""
    out = np.zeros((n, n), np.uint8)
    upright = rng.random() < 0.4
    long, wide = rng.uniform(0.2, 0.3) * n, rng.uniform(0.08, 0.18) * n
    lean = rng.normal(0, 0.2) + (np.pi / 2 if upright else 0)
    middle = np.array([n / 2, n * 0.48])
    along = np.array([np.cos(lean), np.sin(lean)])

    def ellipse(at: np.ndarray, a: float, b: float, turn: float) -> None:
        cv2.ellipse(out, ((float(at[0]), float(at[1])), (2 * a, 2 * b), float(np.degrees(turn))), 255, -1, cv2.LINE_AA)

    def limb(start: np.ndarray, turn: float, reach: float, thick: float) -> None:
        at = start
        for _ in range(2):
            end = at + 0.5 * reach * np.array([np.cos(turn), np.sin(turn)])
            cv2.line(out, tuple(map(round, at)), tuple(map(round, end)), 255, max(2, round(thick)), cv2.LINE_AA)
            at, turn, thick = end, turn + rng.normal(0, 0.5), 0.75 * thick

    ellipse(middle, long, wide, lean)
    head = middle - along * long * rng.uniform(0.9, 1.3) * (1 if upright else rng.choice([-1, 1]))
    if not upright:
        head = head - [0, rng.uniform(0, 0.15) * n]
    cv2.line(out, tuple(map(round, middle)), tuple(map(round, head)), 255, max(3, round(0.9 * wide)), cv2.LINE_AA)
    ellipse(head, rng.uniform(0.06, 0.12) * n, rng.uniform(0.05, 0.1) * n, rng.uniform(0, np.pi))
    thick = rng.uniform(0.03, 0.09) * n
    for where in rng.uniform(-0.8, 0.8, int(rng.integers(2, 6))):
        limb(middle + along * where * long, np.pi / 2 + rng.normal(0, 0.35), rng.uniform(0.2, 0.4) * n, thick)
    if rng.random() < 0.6:
        limb(middle + along * long, rng.uniform(-np.pi, np.pi), rng.uniform(0.15, 0.4) * n, 0.7 * thick)
    return out


def turned(rng: Rng, n: int) -> Pixels:
    """A vessel, a lamp, a bottle: a profile and its mirror image, perhaps with a handle."""
    rows = np.arange(int(0.08 * n), int(0.92 * n))
    knots = rng.uniform(0.06, 0.4, int(rng.integers(2, 7))) * n
    half = np.interp(np.linspace(0, len(knots) - 1, len(rows)), np.arange(len(knots)), knots)
    half = np.convolve(np.pad(half, 6, "edge"), np.ones(13) / 13, "valid")
    left, right = np.column_stack([n / 2 - half, rows]), np.column_stack([n / 2 + half, rows])[::-1]
    out = cv2.fillPoly(np.zeros((n, n), np.uint8), [np.vstack([left, right]).astype(np.int32)], 255, cv2.LINE_AA)
    if rng.random() < 0.35:
        k = len(rows) // 2
        at = (int(n / 2 + half[k]), int(rows[k]))
        axes = (int(rng.uniform(0.08, 0.14) * n), int(rng.uniform(0.1, 0.2) * n))
        cv2.ellipse(out, at, axes, 0, 0, 360, 255, max(3, round(0.05 * n)), cv2.LINE_AA)
    return out


def box(rng: Rng, n: int) -> Pixels:
    """A box in perspective, or a vehicle: a box on a box, with wheels."""
    out = np.zeros((n, n), np.uint8)
    corners = np.array([[0.15, 0.3], [0.85, 0.3], [0.85, 0.7], [0.15, 0.7]]) + rng.normal(0, 0.06, (4, 2))
    cv2.fillPoly(out, [(corners * n).astype(np.int32)], 255, cv2.LINE_AA)
    if rng.random() < 0.6:
        x0, x1 = sorted(rng.uniform(0.2, 0.8, 2))
        roof = np.array([[x0, 0.4], [x0 + 0.05, 0.12], [max(x1 - 0.05, x0 + 0.1), 0.12], [max(x1, x0 + 0.15), 0.4]])
        cv2.fillPoly(out, [(roof * n).astype(np.int32)], 255, cv2.LINE_AA)
    if rng.random() < 0.5:
        for x in (0.3, 0.7):
            cv2.circle(
                out, (int((x + rng.normal(0, 0.03)) * n), int(0.7 * n)), int(rng.uniform(0.06, 0.12) * n), 255, -1
            )
    return out
