"""Random people of MakeHuman's parts, which are free for every use (CC0): a head with hair, brows and eyes as meshes.

`ASSETS` holds `mpfb/`, the `data` folder of MPFB2, and `base/`, that of MakeHuman's assets with their textures. Lengths are
MakeHuman's, decimetres; x to the person's left, y up, z where the face looks.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.store import Pixels
from training.synth import Rng

Points = NDArray[np.float64]
Indices = NDArray[np.int64]

SKIN, TEXTURED, EYEBALL, PLAIN = range(4)
"""How a piece is painted: skin, a texture with alpha and a tint, an eye, one colour."""

HAIRS = ("afro01", "bob01", "bob02", "braid01", "long01", "ponytail01", "short01", "short02", "short03", "short04")
DETAILS = ("cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose")
EYE = (0.308, 7.284, 1.245)
"""Where the left eye is in the base mesh; the right one opposite."""

LOWEST = 4.3
"""Of the base mesh nothing below is drawn."""


@dataclass(frozen=True)
class Surface:
    """`at (m,)` the vertex of each corner, `uv (m, 2)`, `triangles (t, 3)` of corners."""

    at: Indices
    uv: Points
    triangles: Indices


@dataclass(frozen=True)
class Piece:
    """Something to draw: `points`, `rest (m, 3)` now and in the base mesh, `at`, `uv`, `triangles` as in a Surface; its texture
    `(h, w, 4)`, `tint` (blue, green, red; 1 leaves it), label of CelebAMask-HQ."""

    points: Points
    rest: Points
    at: Indices
    uv: Points
    triangles: Indices
    paint: int
    texture: Pixels
    tint: tuple[float, float, float]
    label: int


@cache
def read_obj(path: Path) -> tuple[Points, dict[str, Surface]]:
    """The vertices and, by name, the groups of a Wavefront file."""
    vertices: list[list[float]] = []
    uv: list[list[float]] = []
    faces: dict[str, list[list[tuple[int, int]]]] = {}
    group = faces.setdefault("", [])
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, *words = line.split() or [""]
        if kind == "v":
            vertices.append([float(w) for w in words[:3]])
        elif kind == "vt":
            uv.append([float(w) for w in words[:2]])
        elif kind == "g":
            group = faces.setdefault(words[0], [])
        elif kind == "f":
            corners = [w.split("/") for w in words]
            group.append([(int(c[0]) - 1, int(c[1]) - 1) for c in corners])
    return np.array(vertices), {name: _surface(f, np.array(uv)) for name, f in faces.items() if f}


def _surface(faces: list[list[tuple[int, int]]], uv: Points) -> Surface:
    fans = [(f[0], f[k], f[k + 1]) for f in faces for k in range(1, len(f) - 1)]
    corners, triangles = np.unique(np.array(fans).reshape(-1, 2), axis=0, return_inverse=True)
    return Surface(corners[:, 0], uv[corners[:, 1]], triangles.reshape(-1, 3))


@cache
def read_target(path: Path) -> tuple[Indices, Points]:
    """The vertices that a target moves, and by how much."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return np.array([int(r[0]) for r in rows], np.int64), np.array([[float(v) for v in r[1:4]] for r in rows]).reshape(
        -1, 3
    )


@cache
def read_fit(path: Path) -> tuple[Indices, Points, Points, NDArray[Any]]:
    """A `.mhclo`: per vertex three vertices of the base mesh, their weights, an offset; `(3, 3)` how the offsets scale:
    two vertices and the distance they had, for x, y, z."""
    rows, scales, started = [], np.zeros((3, 3)), False
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in ("x_scale", "y_scale", "z_scale"):
            scales["xyz".index(words[0][0])] = [float(w) for w in words[1:4]]
        elif words[0] == "verts":
            started = True
        elif started and words[0].lstrip("-").isdigit():
            values = [float(w) for w in words]
            rows.append(values if len(values) == 9 else [values[0], 0, 0, 1, 0, 0, 0, 0, 0])
        elif rows:
            break
    table = np.array(rows)
    return table[:, :3].astype(np.int64), table[:, 3:6], table[:, 6:], scales


def fitted(path: Path, body: Points) -> Points:
    """The vertices of a piece of clothing or hair on this body."""
    refs, weights, offsets, scales = read_fit(path)
    a, b = scales[:, 0].astype(int), scales[:, 1].astype(int)
    axes = np.arange(3)
    scale = np.abs(body[a, axes] - body[b, axes]) / scales[:, 2]
    return np.asarray((body[refs] * weights[..., None]).sum(1) + offsets * scale)


def read_texture(path: Path) -> Pixels:
    """BGRA, its first row at v = 0. Raises ValueError where there is none."""
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError(f"cannot decode {path}: a pointer of git lfs instead of a picture?")
    bgra = picture if picture.shape[2] == 4 else np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    return np.ascontiguousarray(bgra[::-1])


def _shares(rng: Rng, names: tuple[str, ...], pure: float) -> dict[str, float]:
    """Parts that sum to 1; with probability `pure` one of them alone."""
    if rng.random() < pure:
        return {names[int(rng.integers(len(names)))]: 1.0}
    return dict(zip(names, (float(v) for v in rng.dirichlet(np.ones(len(names)))), strict=True))


def shape(assets: Path, rng: Rng) -> Points:
    """The vertices of a random person's body with a random expression."""
    folder = assets / "mpfb" / "targets"
    body = read_obj(assets / "mpfb" / "3dobjs" / "base.obj")[0].copy()

    def add(path: Path, weight: float) -> None:
        at, moves = read_target(path)
        body[at] += weight * moves

    origins = _shares(rng, ("african", "asian", "caucasian"), 0.6)
    genders = _shares(rng, ("female", "male"), 0.8)
    ages = _shares(rng, ("young", "old"), 0.3) if rng.random() < 0.85 else {"child": 1.0}
    bulk = float(rng.choice([0, 1, 2], p=[0.55, 0.25, 0.2]))
    weight = ("averageweight", "maxweight", "minweight")[int(bulk)]
    for gender, g in genders.items():
        for age, a in ages.items():
            for origin, o in origins.items():
                add(folder / "macrodetails" / f"{origin}-{gender}-{age}.target.gz", g * a * o)
            add(folder / "macrodetails" / f"universal-{gender}-{age}-averagemuscle-{weight}.target.gz", g * a)
    details = [path for name in DETAILS for path in sorted((folder / name).glob("*.gz"))]
    for k in rng.permutation(len(details))[:14]:
        add(details[k], float(rng.uniform(0, 0.6)))
    units = sorted((folder / "expression" / "units" / "caucasian").glob("*.gz"))
    smile = rng.uniform(0.3, 1.0) if rng.random() < 0.6 else 0.0
    for path in units:
        name = path.name
        if name.startswith("mouth-corner-puller"):
            add(path, smile)
        elif name.startswith("mouth-open"):
            add(path, rng.uniform(0, 0.8) if rng.random() < 0.4 else 0)
        elif name.startswith("mouth-parling"):
            add(path, smile * rng.uniform(0, 0.6))
        elif rng.random() < 0.15:
            add(path, float(rng.uniform(0, 0.5)))
    return body


def _of_texture(
    assets: Path, body: Points, folder: str, name: str, texture: str, tint: NDArray[np.float64], label: int
) -> Piece:
    path = assets / "base" / folder / f"{name}.obj"
    surface = next(iter(read_obj(path)[1].values()))
    points = fitted(path.with_suffix(".mhclo"), body)[surface.at]
    picture = read_texture(path.parent / texture)
    return Piece(
        points,
        points,
        surface.at,
        surface.uv,
        surface.triangles,
        TEXTURED,
        picture,
        (float(tint[0]), float(tint[1]), float(tint[2])),
        label,
    )


def hair_colour(rng: Rng) -> tuple[float, float, float]:
    """Blue, green, red of 0 to 1: black, browns, blond, red, grey."""
    known = ((0.06, 0.06, 0.07), (0.10, 0.14, 0.20), (0.16, 0.25, 0.38), (0.35, 0.55, 0.72), (0.12, 0.22, 0.5),
             (0.6, 0.62, 0.64), (0.35, 0.36, 0.38))  # fmt: skip
    base = np.array(known[int(rng.choice(len(known), p=[0.24, 0.22, 0.18, 0.14, 0.05, 0.09, 0.08]))])
    b, g, r = (float(v) for v in np.clip(base * np.exp(rng.normal(0, 0.15, 3)), 0.02, 0.95))
    return b, g, r


def person(assets: Path, rng: Rng) -> list[Piece]:
    """Skin first, then teeth, eyes, brows, hair and a hat where there is one."""
    body = shape(assets, rng)
    rest, groups = read_obj(assets / "mpfb" / "3dobjs" / "base.obj")
    skins = sorted(p for p in (assets / "base" / "skins" / "textures").glob("*_diffuse*.png"))
    skin = read_texture(skins[int(rng.integers(len(skins)))])
    lit = rng.uniform(0.75, 1.2) * rng.uniform(0.93, 1.07, 3)
    pieces = []

    def piece(group: str, paint: int, texture: Pixels, tint: Any, label: int) -> None:
        s = groups[group]
        seen = s.triangles[rest[s.at[s.triangles[:, 0]], 1] > LOWEST]
        pieces.append(Piece(body[s.at], rest[s.at], s.at, s.uv, seen, paint, texture, tuple(tint), label))

    white = np.full((4, 4, 4), 255, np.uint8)
    iris = ((0.1, 0.16, 0.25), (0.08, 0.11, 0.16), (0.55, 0.4, 0.3), (0.3, 0.4, 0.35), (0.4, 0.4, 0.38))
    tone = np.array(iris[int(rng.choice(5, p=[0.35, 0.35, 0.12, 0.1, 0.08]))]) * rng.uniform(0.7, 1.4)
    piece("body", SKIN, skin, lit, 1)
    for teeth in ("helper-upper-teeth", "helper-lower-teeth"):
        piece(teeth, PLAIN, white, rng.uniform(0.75, 0.95) * np.array([0.9, 0.97, 1.0]), 10)
    for eye in ("helper-l-eye", "helper-r-eye"):
        piece(eye, EYEBALL, white, tone, 4)
    colour = hair_colour(rng)
    brow = f"eyebrow{int(rng.integers(1, 13)):03d}"
    pieces.append(_of_texture(assets, body, f"eyebrows/{brow}", brow, f"{brow}.png", np.array(colour) * 0.8, 1))
    roll = rng.random()
    if roll < 0.06:
        name = "fedora" if rng.random() < 0.5 else "fedora_cocked"
        tint = rng.uniform(0.2, 1, 3)
        pieces.append(_of_texture(assets, body, "clothes/fedora01", name, "materials/fedora_texture.png", tint, 14))
    elif roll < 0.86:
        name = HAIRS[int(rng.integers(len(HAIRS)))]
        texture = "afro_diffuse.png" if name == "afro01" else f"{name}_diffuse.png"
        pieces.append(_of_texture(assets, body, f"hair/{name}", name, texture, np.array(colour), 13))
    return pieces
