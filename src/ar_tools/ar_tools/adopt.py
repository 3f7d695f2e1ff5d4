"""An artist's rigged .glb becomes a character: of the wanted height, on its feet, looking ahead, its clips by our names.

Meshes, skins, clips and pictures stay as they are, to the byte: all hang on one new node that turns, scales and moves them.
What cannot be shown is refused in one line that says what to do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from ar_character.mesh import Array
from ar_core.geometry import quaternion_from_rotation
from ar_core.glb import chunks, container
from ar_render.gltf import read_glb
from ar_render.model import Model
from ar_render.proxy import skin_vertices
from ar_tools.adopt_limits import check

ROOT = "tsukumo_root"
# What artists call the clips that we ask for; the first of a line that fits best is taken.
SYNONYMS = {
    "idle": ("idle", "stand", "breath", "survey", "wait", "rest"),
    "walk": ("walk", "move", "step"),
    "awaken": ("awaken", "awake", "wake", "spawn", "appear", "get_?up", "stand_?up"),
    "hop": ("hop", "jump"),
    "dance": ("dance", "celebrat", "cheer", "victory"),
    "wave": ("wave", "greet", "hello", "salut"),
    "poked": ("poke", "hit", "hurt", "react", "surpris", "damage"),
    "eat": ("eat", "feed", "bite"),
    "sit": ("sit",),
    "sleep": ("sleep", "lie", "nap"),
    "look": ("look",),
}
_UPRIGHT = {"y": np.eye(3), "z": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])}
_TRAVELS = 0.25  # heights that a walk may carry its body along before it counts as not made on the spot
_LOOPS = ("idle", "walk", "dance")


@dataclass(frozen=True)
class Adopted:
    """glb: the character; height: metres; renamed: our name of a clip → the artist's; clips: all names; notes: what a user
    may want to know, in words."""

    glb: bytes
    height: float
    renamed: dict[str, str]
    clips: tuple[str, ...]
    notes: tuple[str, ...]


def adopt(data: bytes, height: float, up: str = "y", turn: float = 0.0, what: str = "character") -> Adopted:
    """The character in a .glb's bytes, ``height`` metres tall at rest. up: which axis is up, y (as glTF has it) or z; turn:
    degrees about it, to the left, if it does not look along +z. ValueError says in one line what is wrong with the file.
    """
    if not (np.isfinite(height) and 0.001 <= height <= 100):
        raise ValueError(f"a character {height!r} m tall cannot be shown: 0.001 to 100")
    try:
        document, blob = chunks(data)
        check(document, blob)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error
    model = read_glb(data, what)
    names = _clip_names(document)
    angle = np.radians(turn)
    c, s = np.cos(angle), np.sin(angle)
    R = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ _UPRIGHT[up]
    ours = _mapped(names)
    idle = _pose(model, names[ours["idle"]], 0.0) if "idle" in ours else model.global_matrices(model.rest)
    points = _posed(model, idle) @ R.T
    low, high = points.min(0), points.max(0)
    if not (high[1] - low[1] > 1e-9):
        raise ValueError(f"{what}: it has no height; is another axis up (--up z)?")
    scale = height / float(high[1] - low[1])
    middle = 0.5 * (low + high)
    T = np.eye(4)
    T[:3, :3] = scale * R
    T[:3, 3] = -scale * np.array([middle[0], low[1], middle[2]])
    notes = [] if "idle" in ours else ["no clip is called like 'idle': it stands as it was modelled"]
    strides: dict[str, float] = {}
    if "walk" in ours:
        stride, travel = _stride(model, names[ours["walk"]], T, height)
        if travel > _TRAVELS * height:
            notes.append(
                f"its walk '{names[ours['walk']]}' carries the body {travel:.2f} m along: it stays where it is"
                " unless you export that on the spot"
            )
            del ours["walk"]
        else:
            strides["walk"] = stride
    else:
        notes.append("no clip is called like 'walk': it stays where it is")
    renamed = {our: names[i] for our, i in ours.items()}
    final = _final_names(names, ours)
    out = _rooted(document, T, R, scale, final)
    durations = [model.clips[name].duration for name in names]
    extras = _extras(model, T, height, dict(zip(final, durations, strict=True)), strides)
    free = [i for i, node in enumerate(document["nodes"]) if "skin" in node and i not in _below(document)]
    out["scenes"], out["scene"] = [{"nodes": [len(out["nodes"]) - 1, *free], "extras": extras}], 0
    glb = container(out, blob)
    read_glb(glb, what)
    return Adopted(glb, height, renamed, tuple(final), tuple(notes))


def _clip_names(document: dict[str, Any]) -> list[str]:
    """The clips' names as the reader has them."""
    return [str(a.get("name", f"clip{i}")) for i, a in enumerate(document["animations"])]


def _mapped(names: list[str]) -> dict[str, int]:
    """Our names of the clips that are there, and which they are: one that is called just so, else the shortest that fits."""
    out: dict[str, int] = {}
    words = [re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.split("|")[-1]).lower() for name in names]
    for our, patterns in SYNONYMS.items():
        for pattern in patterns:
            fits = [
                i for i, word in enumerate(words) if re.search(rf"(^|[^a-z]){pattern}", word) and i not in out.values()
            ]
            if fits:
                out[our] = min(fits, key=lambda i: (words[i] != our, len(words[i]), i))
                break
    return out


def _final_names(names: list[str], ours: dict[str, int]) -> list[str]:
    """Every clip's new name: ours, or its own where that is free."""
    out: list[str] = []
    by_index = {i: our for our, i in ours.items()}
    for i, name in enumerate(names):
        new = by_index.get(i, name)
        while i not in by_index and (new in out or new in SYNONYMS):
            new += "_"
        out.append(new)
    return out


def _rooted(document: dict[str, Any], T: Array, R: Array, scale: float, clips: list[str]) -> dict[str, Any]:
    """The document with all that has no parent on one new node; but for skinned meshes, which go where their joints go."""
    nodes, below = list(document["nodes"]), _below(document)
    root = {
        "name": ROOT,
        "children": [i for i, node in enumerate(nodes) if i not in below and "skin" not in node],
        "translation": T[:3, 3].tolist(),
        "rotation": quaternion_from_rotation(R).tolist(),
        "scale": [scale] * 3,
    }
    animations = [{**a, "name": name} for a, name in zip(document["animations"], clips, strict=True)]
    return {**document, "nodes": [*nodes, root], "animations": animations}


def _below(document: dict[str, Any]) -> set[int]:
    """The nodes that have a parent."""
    return {child for node in document["nodes"] for child in node.get("children", [])}


def _extras(
    model: Model, T: Array, height: float, clips: dict[str, float], strides: dict[str, float]
) -> dict[str, Any]:
    """What our renderer wants to know; joints that look ahead at rest are named, so that they follow whoever watches."""
    told = {
        name: {"loop": name in _LOOPS, "duration_s": round(seconds, 6), "stride_m": round(strides.get(name, 0.0), 6)}
        for name, seconds in clips.items()
    }
    ahead = model.global_matrices(model.rest)[:, :3, 2] @ T[:3, :3].T
    ahead = ahead / np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-12)
    looking = [name for name, z in zip(model.names, ahead, strict=True) if z[2] > 0.85]
    heads = sorted((n for n in looking if re.search(r"head\w*$", n, re.I)), key=len)
    eyes = [n for n in looking if re.search(r"eye(?!lid|brow)", n, re.I)]
    live = {"head": heads[0] if heads else "", "gaze": eyes[:2]}
    return {
        "height_m": round(height, 6),
        "object_height_m": round(height, 6),
        "clips": told,
        "live": live,
        "adopted": True,
    }


def _pose(model: Model, clip: str, time: float) -> Array:
    return model.global_matrices(model.clips[clip].sample(model.rest, time))


def _posed(model: Model, nodes: Array) -> Array:
    """(n, 3): all vertices for the nodes' matrices."""
    skin = model.skin(nodes)
    return np.concatenate([skin_vertices(p.positions, p.joints, p.weights, skin) for p in model.primitives])


def _stride(model: Model, clip: str, T: Array, height: float) -> tuple[float, float]:
    """Metres per cycle of a walk on the spot, by the joints that go back while they are low; and how far its body travels."""
    seconds, n = model.clips[clip].duration, 48
    at = np.array([_pose(model, clip, seconds * i / n)[:, :3, 3] for i in range(n + 1)]) @ T[:3, :3].T + T[:3, 3]
    joints = np.unique(model.joints)
    at = at[:, joints]
    travel = float(np.linalg.norm((at[-1] - at[0]).mean(0)[[0, 2]]))
    y, z = at[:-1, :, 1], at[:-1, :, 2]
    feet = (y.min(0) < 0.2 * height) & (np.ptp(z, axis=0) > 0.02 * height)
    if not feet.any() or seconds <= 0:
        return 0.5 * height, travel
    back = -(np.roll(z, -1, axis=0) - np.roll(z, 1, axis=0)) / 2 * n  # metres per cycle
    low = y < y.min(0) + 0.25 * np.maximum(np.ptp(y, axis=0), 1e-9)
    speeds = [float(np.median(back[low[:, j], j])) for j in np.flatnonzero(feet)]
    stride = max(speeds)
    return (stride if stride > 0.05 * height else 0.5 * height), travel
