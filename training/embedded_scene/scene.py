"""Puts room, things and camera together for a seed; the one place that knows the picture's geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from . import room
from .objects import CATALOGUE

WIDTH, HEIGHT, FPS = 640, 480, 30
FOCAL_PX = 580.0
SHUTTER = 0.3
APERTURE_M = 0.0052
PROMINENT = "mug"
#: What each value of the truth pass means. Everything else is 0.
LABELS = {"mug": 1, "duck": 2, "apple": 3, "carton": 4, "screwdriver": 5, "table": 6, "runner": 7, "newspaper": 8}


@dataclass(frozen=True)
class Placement:
    """Where a thing stands: base centre ``(x, y, z)`` in map, metres; turn about z in degrees."""

    name: str
    x: float
    y: float
    z: float
    turn: float


LAYOUT = (
    Placement("mug", 0.0, 0.0, 0.0, -28.0),
    Placement("duck", -0.135, -0.030, 0.0, -38.0),
    Placement("apple", 0.125, 0.105, 0.0, 20.0),
    Placement("carton", -0.075, 0.150, 0.0, 17.0),
    Placement("screwdriver", 0.075, -0.125, 0.0, 22.0),
)


def arrangement(seed: int) -> tuple[Placement, ...]:
    """Seed 0: the shipped layout. Other seeds: the mug near the middle, the rest scattered without touching."""
    if seed == 0:
        return LAYOUT
    rng = np.random.default_rng(seed)
    placed: list[Placement] = []
    for name in LABELS:
        if name not in CATALOGUE:
            continue
        spread = 0.02 if name == PROMINENT else 0.13
        for attempt in range(500):
            x, y = rng.normal(0.0, spread * (1 + attempt / 200), 2)
            room_left = [np.hypot(x - p.x, y - p.y) - CATALOGUE[p.name].radius - CATALOGUE[name].radius for p in placed]
            if min(room_left, default=1.0) > 0.008 and abs(x) < 0.4 and -0.25 < y < 0.4:
                break
        placed.append(Placement(name, float(x), float(y), 0.0, float(rng.uniform(0, 360))))
    return tuple(placed)


def build(seed: int = 0) -> dict[str, bpy.types.Object]:
    """Fill an empty Blender file with the scene; returns the roots of all labelled things by name."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    rngs = iter(np.random.default_rng(s) for s in np.random.SeedSequence(20 + seed).spawn(20))
    labelled = {
        "table": room.table(next(rngs)),
        "runner": room.cloth(next(rngs)),
        "newspaper": room.newspaper(next(rngs)),
    }
    places = arrangement(seed)
    for spot in places:
        labelled[spot.name] = CATALOGUE[spot.name].make(next(rngs))
    place(labelled, places)
    room.crumbs(next(rngs))
    room.surroundings(next(rngs))
    room.lights()
    for name, root in labelled.items():
        for part in (root, *root.children_recursive):
            part.pass_index = LABELS[name]
    _camera()
    return labelled


def place(labelled: dict[str, bpy.types.Object], places: tuple[Placement, ...]) -> None:
    """Move the things to where they belong."""
    for spot in places:
        labelled[spot.name].location = (spot.x, spot.y, spot.z)
        labelled[spot.name].rotation_euler = (0, 0, np.radians(spot.turn))


def describe(labelled: dict[str, bpy.types.Object]) -> dict[str, Any]:
    """What the truth says about the things: label, base, height and bounds in map, metres, rounded to 0.01 mm."""
    bpy.context.view_layer.update()
    objects = {}
    for name, index in LABELS.items():
        root = labelled[name]
        parts = [part for part in (root, *root.children_recursive) if part.type == "MESH"]
        points = np.concatenate([_vertices(part) for part in parts])
        low, high = points.min(0), points.max(0)
        entry: dict[str, Any] = {
            "label": index,
            "bounds": [[round(float(v), 5) for v in corner] for corner in (low, high)],
        }
        if name in CATALOGUE:
            entry["base"] = [round(float(v), 5) for v in root.location]
            entry["height"] = round(float(high[2] - low[2]), 5)
        objects[name] = entry
    return {"prominent": PROMINENT, "removed_in_plates": PROMINENT, "things": objects}


def _vertices(thing: bpy.types.Object) -> NDArray[np.float64]:
    local = np.empty(3 * len(thing.data.vertices), np.float32)
    thing.data.vertices.foreach_get("co", local)
    world = np.array(thing.matrix_world)
    return np.asarray(local.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3], np.float64)


def _camera() -> None:
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.sensor_width = "HORIZONTAL", 36.0
    data.lens = FOCAL_PX * data.sensor_width / WIDTH
    data.clip_start, data.clip_end = 0.02, 20.0
    data.dof.use_dof = True
    data.dof.aperture_fstop = data.lens / 1000 / APERTURE_M
    camera = bpy.data.objects.new("camera", data)
    camera.rotation_mode = "QUATERNION"
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera


def animate(poses: NDArray[np.float64]) -> None:
    """Key the camera at every frame, straight in between (the blur needs the neighbours)."""
    last = None
    for frame, pose in enumerate(poses):
        camera = bpy.context.scene.camera
        camera.matrix_world = Matrix((pose @ np.diag([1.0, -1.0, -1.0, 1.0])).tolist())
        if last is not None and last.dot(camera.rotation_quaternion) < 0:
            camera.rotation_quaternion.negate()
        last = camera.rotation_quaternion.copy()
        target = np.linalg.inv(pose) @ (0.0, 0.0, 0.05, 1.0)
        camera.data.dof.focus_distance = float(target[2]) - 0.02
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_quaternion", frame=frame)
        camera.data.dof.keyframe_insert("focus_distance", frame=frame)
    actions = [camera.animation_data.action, camera.data.animation_data.action]
    for action in actions:
        for curve in action.fcurves:
            for key in curve.keyframe_points:
                key.interpolation = "LINEAR"
