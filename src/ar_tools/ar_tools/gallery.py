"""``tsukumo gallery``: many pictures to life, each looked at from all sides and in its poses, checked by machine."""

from __future__ import annotations

import argparse
import hashlib
import html
import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_character.character import build_character
from ar_character.theme import Theme, load
from ar_render.context import create_context
from ar_render.gltf import read_glb

from .gallery_checks import check, holes
from .gallery_studio import POSES, TURNS, Studio

Array = NDArray[Any]

SUFFIXES = (".png", ".webp", ".jpg", ".jpeg", ".bmp")
SIDE = 200
"""Pixels of a picture on the sheet, each way."""
ROWS = 8
"""Characters on one sheet."""


@dataclass
class Entry:
    """One character: its name, what is wrong with it by machine, CPU milliseconds from cut-out to model."""

    name: str
    wrong: list[str] = field(default_factory=list)
    triangles: int = 0
    holes: int = 0
    build_ms: float = 0.0
    sha256: str = ""


def gallery(options: argparse.Namespace) -> int:
    """Folder of pictures in; sheets, an index and report.json out. 0 when nothing is wrong, 1 when something is."""
    pictures, out = find_pictures(Path(options.images)), Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    entries, rows = [], []
    load(options.theme)
    context = create_context()
    try:
        studio = Studio(context, SIDE)
        for number, path in enumerate(pictures):
            entry, row = _one(path, out, studio, options.height, load(options.theme, number))
            entries.append(entry)
            rows.append(row)
            print(f"{entry.name}: {'; '.join(entry.wrong) or 'well'}", flush=True)
    finally:
        context.close()
    _all_different(entries)
    wide = max(row.shape[1] for row in rows)  # what could not be made has no theme's pictures
    rows = [np.pad(row, ((0, 0), (0, wide - row.shape[1]), (0, 0)), constant_values=120) for row in rows]
    sheets = []
    for i in range(0, len(rows), ROWS):
        sheets.append(f"sheet_{i // ROWS + 1:02d}.png")
        cv2.imwrite(str(out / sheets[-1]), np.concatenate(rows[i : i + ROWS]))
    (out / "index.html").write_text(_page(entries, sheets))
    ill = sum(bool(e.wrong) for e in entries)
    report = {"characters": len(entries), "wrong": ill, "entries": [asdict(e) for e in entries]}
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    print(f"tsukumo: {len(entries) - ill} of {len(entries)} characters are well; look at {out / 'index.html'}")
    return int(ill > 0)


def find_pictures(folder: Path) -> list[Path]:
    """The pictures in a folder, by name, without those that are the mask of another (NAME_mask beside NAME_texture)."""
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder; give one with cut-outs (RGBA) or photographs")
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.stem.endswith("_mask"))
    if not found:
        raise ValueError(f"{folder}: no pictures ({', '.join(SUFFIXES)}) are in it")
    return found


def read_cutout(path: Path) -> Array:
    """The picture's object (H, W, 4) uint8 RGBA: by its own alpha, by a mask beside it, else segmented; ValueError why not."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint8 or image.ndim != 3:
        raise ValueError("not a colour picture that can be decoded")
    mask_file = path.with_name(path.stem.removesuffix("_texture") + "_mask" + path.suffix)
    if image.shape[2] == 4 and int(image[..., 3].min()) < 128:
        return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)
    if mask_file.exists():
        mask = cv2.imread(str(mask_file), cv2.IMREAD_GRAYSCALE)
        if mask is None or mask.shape != image.shape[:2]:
            raise ValueError(f"{mask_file.name} does not fit it")
        return np.dstack([image[..., 2::-1], mask])
    from ar_segment.cutout import cut_out

    from .awaken import find, read_photo

    photo, _ = read_photo(path)
    meant = find(photo, [], [])
    if meant.refusal:
        raise ValueError(meant.refusal)
    return np.asarray(cut_out(photo, meant.found.mask).rgba)


def _one(path: Path, out: Path, studio: Studio, height: float, theme: Theme | None) -> tuple[Entry, Array]:
    """Bring one picture to life, look at it, and write its .glb; what cannot be made is an entry too."""
    entry = Entry(path.stem)
    try:
        rgba = read_cutout(path)
        start = time.process_time()
        character = build_character(rgba, height, theme=theme)
        entry.build_ms = round(1e3 * (time.process_time() - start), 1)
        model = read_glb(character.glb, entry.name)
    except ValueError as error:
        entry.wrong.append(str(error))
        return entry, _row(entry, np.zeros((1, 1, 4), np.uint8), [])
    (out / f"{entry.name}.glb").write_bytes(character.glb)
    entry.triangles, entry.sha256 = character.triangles, hashlib.sha256(character.glb).hexdigest()
    entry.holes, entry.wrong = holes(model), check(model)
    row = _row(entry, rgba, [*studio.turntable(model), *studio.poses(model), *studio.effects(model)])
    cv2.imwrite(str(out / f"{entry.name}.png"), row)
    return entry, row


def _row(entry: Entry, rgba: Array, pictures: list[Array]) -> Array:
    """(SIDE, n SIDE, 3): the cut-out, then all pictures; the name in a corner, red where something is wrong."""
    tiles = [_on_grey(rgba), *pictures]
    tiles += [np.full((SIDE, SIDE, 3), 120, np.uint8)] * (1 + TURNS + len(POSES) - len(tiles))
    row = np.concatenate(tiles, axis=1)
    colour = (30, 30, 200) if entry.wrong else (40, 40, 40)
    text = "; ".join([entry.name, *entry.wrong])
    cv2.putText(row, text, (4, SIDE - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)
    return np.asarray(row)


def _on_grey(rgba: Array) -> Array:
    scale = SIDE / max(rgba.shape[:2])
    size = (max(1, round(rgba.shape[1] * scale)), max(1, round(rgba.shape[0] * scale)))
    small = cv2.resize(rgba, size, interpolation=cv2.INTER_AREA)
    share = small[..., 3:] / 255
    out = np.full((SIDE, SIDE, 3), 235, np.uint8)
    y, x = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    out[y : y + size[1], x : x + size[0]] = small[..., 2::-1] * share + 235 * (1 - share)
    return out


def _all_different(entries: list[Entry]) -> None:
    seen: dict[str, str] = {}
    for entry in entries:
        if entry.sha256 and seen.setdefault(entry.sha256, entry.name) != entry.name:
            entry.wrong.append(f"the same file as {seen[entry.sha256]}")


def _page(entries: list[Entry], sheets: list[str]) -> str:
    """All characters on one page, those with complaints first."""
    rows = []
    for e in sorted(entries, key=lambda e: not e.wrong):
        name, wrong = html.escape(e.name), html.escape("; ".join(e.wrong))
        picture = f'<br><img loading=lazy src="{name}.png" alt="{name}">' if e.sha256 else ""
        link = f'<a href="{name}.glb">{name}</a>' if e.sha256 else name
        rows.append(f"<p>{link}, {e.triangles} triangles, {e.build_ms:.0f} ms <b>{wrong}</b>{picture}</p>")
    links = " ".join(f'<a href="{s}">{s}</a>' for s in sheets)
    style = "body{font:14px sans-serif;background:#eee}b{color:#b00}img{max-width:100%}"
    return f"<!doctype html><meta charset=utf-8><title>Gallery</title><style>{style}</style>\n{links}\n" + "\n".join(
        rows
    )
