"""A rigged figure as an artist's program exports one: other names, units and axes than ours, and clips of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parents[2] / "ar_render" / "test"))
from glb import BOX, BOX_TRIANGLES, UINT8, UINT16, Glb

STRIDE = 60.0  # of the walk, in the file's units, which are centimetres
HEIGHT = 180.0
SECONDS, STAND, KEYS = 1.2, 0.6, 25
CLIPS = ("Armature|Idle_01", "Armature|WalkCycle", "Armature|Jump", "Armature|Run", "Spin")


def figure(clips: tuple[str, ...] = CLIPS, *, up: str = "y", travels: bool = False) -> Glb:
    """Torso, head and two legs, each bound to a joint; centimetres under an armature that is not scaled."""
    glb = Glb()
    at = {
        "Hips": (0, 90, 0),
        "Head": (0, 150, 0),
        "LegL": (12, 90, 0),
        "FootL": (12, 5, 0),
        "LegR": (-12, 90, 0),
        "FootR": (-12, 5, 0),
    }
    parents = {"Hips": "", "Head": "Hips", "LegL": "Hips", "FootL": "LegL", "LegR": "Hips", "FootR": "LegR"}
    blocks = {
        "Hips": (50, 60, 25),
        "Head": (30, 30, 30),
        "LegL": (14, 0, 14),
        "FootL": (14, 10, 36),
        "LegR": (14, 0, 14),
        "FootR": (14, 10, 36),
    }
    names = list(at)
    points = np.concatenate(
        [BOX * size + np.array(at[n]) - ((0, 5, -8) if "Foot" in n else (0, 0, 0)) for n, size in blocks.items()]
    )
    triangles = np.concatenate([BOX_TRIANGLES + 8 * i for i in range(len(names))])
    joints = np.zeros((len(points), 4), int)
    joints[:, 0] = np.repeat(np.arange(len(names)), 8)
    turn = np.eye(3) if up == "y" else np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    primitive = {
        "attributes": {
            "POSITION": glb.add(points @ turn.T), "JOINTS_0": glb.add(joints, UINT8),
            "WEIGHTS_0": glb.add(np.tile([1.0, 0, 0, 0], (len(points), 1))),
        },
        "indices": glb.add(triangles.ravel(), UINT16), "material": 0,
    }  # fmt: skip
    picture = np.full((8, 8, 3), (220, 120, 60), np.uint8)
    glb.document["materials"].append({"pbrMetallicRoughness": {"baseColorTexture": {"index": glb.picture(picture)}}})
    glb.document["meshes"].append({"primitives": [primitive]})
    nodes: list[dict[str, Any]] = [{"name": "Armature", "children": [1]}]
    for name in names:
        children = [1 + names.index(n) for n, parent in parents.items() if parent == name]
        offset = np.array(at[name]) - np.array(at.get(parents[name], (0, 0, 0)))
        nodes.append(
            {"name": name, "translation": (turn @ offset).tolist(), **({"children": children} if children else {})}
        )
    nodes.append({"name": "Figure", "mesh": 0, "skin": 0})
    glb.document["nodes"] = nodes
    inverse = np.tile(np.eye(4), (len(names), 1, 1))
    inverse[:, 3, :3] = -np.array([turn @ at[n] for n in names])
    glb.document["skins"].append(
        {"joints": list(range(1, 1 + len(names))), "inverseBindMatrices": glb.add(inverse.reshape(-1, 16))}
    )
    for name in clips:
        glb.document["animations"].append(_clip(glb, name, names, turn, travels))
    glb.document["scenes"] = [{"nodes": [0, len(nodes) - 1]}]
    return glb


def _clip(glb: Glb, name: str, names: list[str], turn: np.ndarray, travels: bool) -> dict[str, Any]:
    phase = np.linspace(0, 1, KEYS)
    times = glb.add(phase * SECONDS)
    samplers, channels = [], []

    def move(joint: str, offsets: np.ndarray) -> None:
        samplers.append({"input": times, "output": glb.add(offsets @ turn.T)})
        channels.append(
            {"sampler": len(samplers) - 1, "target": {"node": 1 + names.index(joint), "path": "translation"}}
        )

    if "Walk" in name or "Run" in name:
        for foot, shift in (("FootL", 0.0), ("FootR", 0.5)):
            p = (phase - shift) % 1.0
            s = np.clip((p - STAND) / (1 - STAND), 0, 1)
            z = np.where(p < STAND, STRIDE * (STAND / 2 - p), STRIDE * STAND * (s - 0.5))
            move(foot, np.stack([0 * z, -85 + 12 * np.sin(np.pi * s), z], 1))
    lift = 40 * np.sin(np.pi * phase) if "Jump" in name else 2 * np.sin(2 * np.pi * phase)
    ahead = STRIDE * phase if travels and "Walk" in name else 0 * phase
    move("Hips", np.stack([0 * phase, 90 + np.maximum(lift, 0), ahead], 1))
    return {"name": name, "samplers": samplers, "channels": channels}
