"""The one picture a character wears: the object's front, a plausible back, and the colours of limbs and face.

Nobody has seen the back. It continues what the rim shows: the rim's colours, diffused inward (push-pull, Gortler et al.
1996), without label or drawing. The front fades to the same soft colours at the rim, so that it looks like material
and not like a cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_character.mesh import Array
from ar_character.outline import RESOLUTION, FloatImage, Outline
from ar_character.palette import Colour, Palette, choose

FRONT_SIDE = 512  # longest side of the front, px, if the cut-out has that much
SWATCH_W, SWATCH_H, IRIS = 20, 72, 80
QUALITY = 92  # JPEG
GRAIN = 34.0  # levels: what stands out more on the front is drawn on it, or an edge


@dataclass(frozen=True)
class Atlas:
    """image (H, W, 3) uint8 RGB and where things are in it.

    front, back: (2, 3) take raster px to uv; swatches: name -> (u, v of the light end, v of the dark end).
    """

    image: NDArray[np.uint8]
    front: Array
    back: Array
    swatches: dict[str, tuple[float, float, float]]
    iris: tuple[float, float, float, float]  # u, v of the centre, radius in u, in v
    mouth: tuple[float, float, float, float]
    palette: Palette

    def front_uv(self, raster: Array) -> Array:
        """uv (n, 2) of raster points (n, 2) on the front."""
        return np.asarray(raster @ self.front[:, :2].T + self.front[:, 2])

    def back_uv(self, raster: Array) -> Array:
        """uv (n, 2) of raster points (n, 2) on the back."""
        return np.asarray(raster @ self.back[:, :2].T + self.back[:, 2])

    def swatch_uv(self, name: str, shade: Array) -> Array:
        """uv (n, 2) in a swatch: shade (n,) 0 is its plain colour, 1 its darkest."""
        u, light, dark = self.swatches[name]
        return np.column_stack([np.full(len(shade), u), light + (dark - light) * np.clip(shade, 0, 1)])

    def jpeg(self) -> bytes:
        """The image as JPEG; the same image gives the same bytes."""
        ok, data = cv2.imencode(".jpg", self.image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if not ok:
            raise RuntimeError("texture: OpenCV could not encode the atlas as JPEG")
        return bytes(data.tobytes())


def paint(
    rgba: NDArray[np.uint8], outline: Outline, eyes: Array, eye_radius: float, palette: Palette | None = None
) -> Atlas:
    """The atlas of a cut-out rgba (H, W, 4), its outline and where the eyes go (raster px).

    The palette is chosen from the object's colours if none is given; lids are coloured like what is around the eyes.
    """
    height, width = outline.field.shape
    scale = float(np.clip(outline.to_cutout[0, 0], 0.75, FRONT_SIDE / RESOLUTION))
    rgb, inside = _resample(rgba, outline, scale)
    field = cv2.resize(outline.field, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_LINEAR)
    palette = palette or choose(rgb.astype(np.uint8), inside & (field > 1))
    whole = fill(rgb, inside.astype(np.float32))
    lid = _around(whole, scale * eyes, scale * eye_radius)
    half = cv2.resize(whole, (whole.shape[1] // 2, whole.shape[0] // 2), interpolation=cv2.INTER_AREA)
    soft = cv2.resize(cv2.GaussianBlur(half, (0, 0), 1.75 * scale), whole.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    at_rim = np.clip(1 - (field - 0.3) / 4.0, 0, 1)[..., None] ** 1.5
    front = whole + (soft - whole) * at_rim
    back = _continue_from_rim(half, field, float(outline.field.max()))
    back = _with_grain(back, half, cv2.resize(field, half.shape[1::-1], interpolation=cv2.INTER_AREA))
    return _assemble(front, back, scale, (width, height), palette, lid)


def grey_on_raster(rgba: NDArray[np.uint8], outline: Outline) -> FloatImage:
    """(h, w) 0..255: the cut-out's brightness on the outline's raster, middle grey around it."""
    rgb, inside = _resample(rgba, outline, 1.0)
    return np.where(inside, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), 128).astype(np.float32)


def fill(colour: FloatImage, weight: FloatImage, sideways: int = 0) -> FloatImage:
    """Colour (H, W, 3) where weight (H, W) is 1, continued smoothly to where it is 0 (push-pull).

    The first `sideways` steps look left and right only: layers and stripes at one height go on at that height.
    """
    if min(weight.shape) <= 2 or float(weight.min()) >= 1:
        total = float(weight.sum())
        mean = (colour * weight[..., None]).sum((0, 1)) / total if total > 0 else np.full(3, 128.0)
        return np.where(weight[..., None] > 0, colour, mean).astype(np.float32)
    h, w = weight.shape
    size = ((w + 1) // 2, h if sideways > 0 else (h + 1) // 2)
    less = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(colour * weight[..., None], size, interpolation=cv2.INTER_AREA)
    coarse = coarse / np.maximum(less, 1e-6)[..., None]
    up = cv2.resize(fill(coarse, np.minimum(less * 2, 1), sideways - 1), (w, h), interpolation=cv2.INTER_LINEAR)
    return np.asarray(up + (colour - up) * weight[..., None], np.float32)


def _resample(rgba: NDArray[np.uint8], outline: Outline, scale: float) -> tuple[FloatImage, NDArray[np.bool_]]:
    """The cut-out on the raster, `scale` texels per raster px: colours (h, w, 3) 0..255 and where they are sure."""
    height, width = outline.field.shape
    size = (round(width * scale), round(height * scale))
    texel_to_raster = np.array([[1 / scale, 0, 0.5 / scale - 0.5], [0, 1 / scale, 0.5 / scale - 0.5], [0, 0, 1]])
    shrink = max(1, int(outline.to_cutout[0, 0] / scale))
    source: NDArray[Any] = rgba
    to_source = outline.to_cutout @ texel_to_raster
    if shrink > 1:  # several pixels of the cut-out per texel: average them
        source = cv2.resize(rgba, (rgba.shape[1] // shrink, rgba.shape[0] // shrink), interpolation=cv2.INTER_AREA)
        f = np.array([source.shape[1] / rgba.shape[1], source.shape[0] / rgba.shape[0]])
        to_source = to_source * f[:, None]
        to_source[:, 2] += 0.5 * f - 0.5
    image = cv2.warpAffine(source, to_source, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    sure = cv2.erode((image[..., 3] > 240).astype(np.uint8), np.ones((3, 3), np.uint8))
    if int(sure.sum()) < 0.3 * int((image[..., 3] > 127).sum()):  # a soft or tiny cut-out has no sure core
        sure = (image[..., 3] > 127).astype(np.uint8)
    return image[..., :3].astype(np.float32), sure > 0


def _around(whole: FloatImage, eyes: Array, radius: float) -> Colour:
    """The colour of the object around the eyes, for the lids."""
    spot = np.zeros(whole.shape[:2], np.uint8)
    for size, shade in ((1.7, 255), (1.05, 0)):  # eyes of the thing's own are no colour for lids
        for u, v in eyes:
            cv2.circle(spot, (round(float(u)), round(float(v))), max(2, round(size * radius)), shade, -1)
    r, g, b, _ = cv2.mean(whole, mask=spot)
    r, g, b = (min(1.0, 1.3 * c / 255) for c in (r, g, b))  # lids are in the shade of the brow, unlike the photograph
    return r, g, b


def _continue_from_rim(front: FloatImage, field: FloatImage, depth: float) -> FloatImage:
    """(h/4, w/4, 3): the rim's colours, continued over the whole back."""
    size = (field.shape[1] // 4, field.shape[0] // 4)
    small = cv2.resize(front, size, interpolation=cv2.INTER_AREA)
    room = cv2.resize(field, size, interpolation=cv2.INTER_AREA)
    band = ((room > -1.5) & (room < max(3.0, 0.16 * depth))).astype(np.float32)
    longest = max(size)
    back = cv2.GaussianBlur(fill(small, band, sideways=4), (0, 0), 0.02 * longest, sigmaY=0.028 * longest)
    # What light there is comes from above: a back that is only flat colour looks unfinished.
    shade = 1 - 0.10 * np.clip(room / max(depth, 1), 0, 1)[..., None] * np.linspace(0.2, 1, size[1])[:, None, None]
    return np.asarray(back * shade, np.float32)


def _with_grain(back: FloatImage, front: FloatImage, field: FloatImage) -> FloatImage:
    """(h, w, 3) as front (h, w, 3): the back with the front's material, without what is drawn on it.

    The fine structure of small pieces of the front, each from about the same height but calmer than most, laid over each
    other so that its strength stays the same (after Heitz and Neyret 2018, with tiles for triangles).
    """
    h, w = field.shape
    back = cv2.resize(back, (w, h), interpolation=cv2.INTER_CUBIC)
    side = max(8, round(0.09 * max(h, w)))
    inside = (field > 1).astype(np.float32)
    share = np.maximum(cv2.GaussianBlur(inside, (0, 0), 0.22 * side), 1e-3)[..., None]
    coarse = cv2.GaussianBlur(front * inside[..., None], (0, 0), 0.22 * side) / share
    fine = np.clip((front - coarse) * inside[..., None], -GRAIN, GRAIN)
    busy = np.asarray(cv2.boxFilter(np.asarray(np.abs(fine).mean(2)), -1, (side, side)))
    room = np.minimum(cv2.boxFilter(inside, -1, (side, side)), 1)
    centres = np.mgrid[side // 2 : h - side // 2 : 3, side // 2 : w - side // 2 : 3].reshape(2, -1).T
    centres = centres[room[centres[:, 0], centres[:, 1]] > 0.98]
    if not len(centres):
        return back
    hat = np.hanning(side + 2)[1:-1].astype(np.float32)
    hat = hat[:, None] * hat
    total, strength = np.zeros((h, w, 3), np.float32), np.full((h, w), 1e-3, np.float32)
    rng = np.random.default_rng(0)
    for y in range(0, h - side + 1, side // 2):
        level = centres[np.abs(centres[:, 0] - y - side // 2) < 0.08 * h]
        if not len(level):
            continue
        calm = level[np.argsort(busy[level[:, 0], level[:, 1]], kind="stable")[: max(1, len(level) // 6)]]
        for x in range(0, w - side + 1, side // 2):
            if not inside[y : y + side, x : x + side].any():
                continue
            v, u = calm[rng.integers(len(calm))] - side // 2
            total[y : y + side, x : x + side] += hat[..., None] * fine[v : v + side, u : u + side]
            strength[y : y + side, x : x + side] += np.square(hat)
    fade = np.clip((field - 0.5) / 5, 0, 1)[..., None]
    return np.asarray(back + 0.8 * fade * total / np.sqrt(strength)[..., None], np.float32)


def _assemble(
    front: FloatImage, back: FloatImage, scale: float, raster: tuple[int, int], palette: Palette, lid: Colour
) -> Atlas:
    fh, fw = front.shape[:2]
    bh, bw = back.shape[:2]
    colours: dict[str, tuple[Colour, float]] = {  # and how dark the dark end is
        "limb": (palette.limb, 0.55),
        "glove": (palette.glove, 0.62),
        "shoe": (palette.shoe, 0.5),
        "sole": (palette.sole, 0.6),
        "lid": (lid, 0.22),
        "brow": (palette.brow, 0.7),
        "eye": ((0.985, 0.98, 0.97), 0.72),
        "shine": ((1.0, 1.0, 1.0), 1.0),
    }
    column = max(bw, len(colours) * SWATCH_W, 2 * IRIS)
    image = np.zeros((max(fh, bh + SWATCH_H + IRIS), fw + column, 3), np.float32)
    image[:fh, :fw] = front
    image[:bh, fw : fw + bw] = back
    h, w = image.shape[:2]
    swatches = {}
    for i, (name, (colour, dark)) in enumerate(colours.items()):
        x = fw + i * SWATCH_W
        ramp = np.linspace(0, 1, SWATCH_H)[:, None, None]
        image[bh : bh + SWATCH_H, x : x + SWATCH_W] = 255 * np.array(colour) * (1 + (dark - 1) * ramp)
        swatches[name] = ((x + SWATCH_W / 2) / w, (bh + 8) / h, (bh + SWATCH_H - 8) / h)
    y = bh + SWATCH_H
    image[y : y + IRIS, fw : fw + IRIS] = paint_iris(palette.iris, IRIS)
    image[y : y + IRIS, fw + IRIS : fw + 2 * IRIS] = paint_mouth(IRIS)
    iris = ((fw + IRIS / 2) / w, (y + IRIS / 2) / h, (IRIS / 2 - 3) / w, (IRIS / 2 - 3) / h)
    mouth = (iris[0] + IRIS / w, *iris[1:])
    front_uv = np.array([[scale / w, 0, 0.5 * scale / w], [0, scale / h, 0.5 * scale / h]])
    sx, sy = bw / raster[0], bh / raster[1]
    back_uv = np.array([[sx / w, 0, (fw + 0.5 * sx) / w], [0, sy / h, 0.5 * sy / h]])
    return Atlas(np.clip(image + 0.5, 0, 255).astype(np.uint8), front_uv, back_uv, swatches, iris, mouth, palette)


def paint_iris(colour: Colour, size: int) -> FloatImage:
    """(size, size, 3) 0..255: pupil, an iris with fine rays that is lighter below, a dark ring around it."""
    y, x = (np.mgrid[0:size, 0:size] - (size - 1) / 2) / (size / 2 - 3)
    r, a = np.hypot(x, y), np.arctan2(y, x)
    rays = 0.07 * np.sin(a * 23) + 0.05 * np.sin(a * 41 + 1) * r
    light = (0.75 + 0.55 * np.clip(y + 0.15, -0.6, 1) + rays)[..., None]
    iris = np.array(colour) * light + 0.10 * np.clip(y, 0, 1)[..., None]
    ring = np.clip((r - 0.84) / 0.1, 0, 1)[..., None]
    pupil = np.clip((0.60 - r) / 0.05, 0, 1)[..., None]
    iris = iris * (1 - 0.8 * ring)
    iris = iris * (1 - pupil) + np.array([0.03, 0.025, 0.03]) * pupil
    return np.asarray(255 * np.clip(iris, 0, 1), np.float32)


def paint_mouth(size: int) -> FloatImage:
    """(size, size, 3) 0..255: a dark mouth with a tongue, to be bent into a smile."""
    y, x = (np.mgrid[0:size, 0:size] - (size - 1) / 2) / (size / 2 - 3)
    edge = np.clip((np.maximum(np.abs(y), x**2) - 0.62) / 0.16, 0, 1)[..., None]
    tongue = np.clip((1 - np.hypot(x / 0.62, (y - 0.75) / 0.85)) / 0.2, 0, 1)[..., None]
    colour = np.array([0.36, 0.07, 0.09]) * (1 + 0.35 * y[..., None])
    colour = colour + (np.array([0.88, 0.38, 0.38]) - colour) * tongue
    colour = colour + (np.array([0.13, 0.06, 0.07]) - colour) * edge
    return np.asarray(255 * np.clip(colour, 0, 1), np.float32)
