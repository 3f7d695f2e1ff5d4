"""``tsukumo awaken``: the character of one photograph, without a graph."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_character.character import build_character
from ar_character.theme import load
from ar_core.boxes import Box
from ar_core.model_card import find_card
from ar_detect.detector import Detection, Detector, ranked
from ar_detect.sight import Sight
from ar_render.gltf import read_glb
from ar_segment.cutout import cut_out
from ar_segment.faces import FaceSegmenter
from ar_segment.meant import Candidate, Meant, Prompts
from ar_segment.segmenter import Segmenter
from ar_tools import solid
from ar_tools.adopt import adopt
from ar_tools.adopt_limits import MOST_BYTES

LONGEST_SIDE = 1600


def awaken(options: argparse.Namespace) -> int:
    """Photograph in, ``.glb``, ``.stl`` or ``.obj`` out; ValueError, in words, where there is nothing to awaken."""
    output = Path(options.output)
    if output.suffix.lower() not in (".glb", *solid.SUFFIXES):
        raise ValueError(f"{output}: a character is written as .glb (animated), .stl or .obj (to print)")
    if Path(options.photo).suffix.lower() == ".glb":
        return _adopt(Path(options.photo), output, options)
    photo, scale = read_photo(Path(options.photo))
    tap = numbers(options.tap, 2, "--tap X,Y")
    box = numbers(options.box, 4, "--box X,Y,W,H")
    theme = load(options.theme)
    meant = find(photo, [v * scale for v in tap], [v * scale for v in box])
    if meant.refusal:
        raise ValueError(f"{options.photo}: {meant.refusal}")
    rgba = cut_out(photo, meant.found.mask).rgba
    character = build_character(rgba, options.height, theme=theme)
    if output.suffix.lower() in solid.SUFFIXES:
        printed = solid.solid(read_glb(character.glb))
        solid.write(output, printed)
        width, depth, height = printed.size
        more = f"; {printed.left_out} parts left out, which cannot be closed" if printed.left_out else ""
        print(f"tsukumo: {output}: {width:.1f} x {depth:.1f} x {height:.1f} mm, {printed.told}{more}")
        return 0
    output.write_bytes(character.glb)
    print(
        f"tsukumo: {output}: {character.triangles} triangles, {character.height * 100:.1f} cm, {', '.join(character.clips)}"
    )
    return 0


def _adopt(path: Path, output: Path, options: argparse.Namespace) -> int:
    if not path.exists():
        raise ValueError(f"{path}: there is no such file")
    if path.stat().st_size > 2 * MOST_BYTES:
        raise ValueError(f"{path}: {path.stat().st_size >> 20} MB are too much for a character")
    adopted = adopt(path.read_bytes(), options.height, options.up, options.turn, str(path))
    told = ""
    if output.suffix.lower() in solid.SUFFIXES:
        solid.write(output, printed := solid.solid(read_glb(adopted.glb)))
        told = printed.told
    else:
        output.write_bytes(adopted.glb)
    words = [
        ", ".join(our if our == own else f"{our} ({own})" for our, own in adopted.renamed.items()) or "no clip of ours"
    ]
    others = ", ".join(name for name in adopted.clips if name not in adopted.renamed)
    words += [f"also {others}"] if others else []
    words += [told] if told else []
    print(f"tsukumo: {output}: {adopted.height * 100:.1f} cm, {'; '.join(words)}")
    for note in adopted.notes:
        print(f"tsukumo: {note}")
    return 0


def read_photo(path: Path) -> tuple[NDArray[np.uint8], float]:
    """The photograph (H, W, 3) bgr8, made smaller if it is large, and by how much."""
    if not path.exists():
        raise ValueError(f"{path}: there is no such file")
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path}: not a picture that can be decoded")
    scale = min(1.0, LONGEST_SIDE / max(image.shape[:2]))
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(image, np.uint8), scale


def numbers(text: str | None, count: int, usage: str) -> list[float]:
    """``"1,2"`` as numbers; none if not given."""
    if not text:
        return []
    try:
        values = [float(word) for word in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count or not np.isfinite(values).all():
        raise ValueError(f"'{text}' is not {usage}")
    return values


def find(photo: NDArray[np.uint8], tap: list[float], box: list[float]) -> Meant:
    """What is meant, or the most prominent object, or else face."""
    height, width = photo.shape[:2]
    objects, faces = (Detector(find_card(name, "ar_detect")) for name in ("detect", "face"))
    tracks = {Detection(t.box.clipped(width, height), t.score, t.kind): t.id for t in Sight(objects, faces)(photo)}
    candidates = [Candidate(tracks[d], d.box, d.kind) for d in ranked(list(tracks), width, height)]
    prompts = Prompts(Segmenter(find_card("segment", "ar_segment")), FaceSegmenter(find_card("face", "ar_segment")))
    if tap:
        if not (0 <= tap[0] < width and 0 <= tap[1] < height):
            raise ValueError(f"the tap is outside of the {width}x{height} picture")
        return prompts.tap(photo, tap[0], tap[1], candidates)
    if box:
        inside = Box(*box).clipped(width, height)
        if min(inside.width, inside.height) < 4:
            raise ValueError(f"the box holds nothing of the {width}x{height} picture")
        return prompts.box(photo, inside, candidates)
    return prompts.prominent(photo, candidates)
