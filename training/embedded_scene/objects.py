"""The things on the table. Each function makes one thing at the origin, standing on z = 0, and returns its root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from . import meshes, printed, textures
from .materials import principled, put, srgb
from .meshes import Points


@dataclass(frozen=True)
class Thing:
    """A kind of object: how to make it, its height and its footprint radius in metres."""

    make: Callable[[np.random.Generator], bpy.types.Object]
    height: float
    radius: float


def _arc(points: list[tuple[float, float]], count: int) -> Points:
    """A smooth profile through ``points`` (Catmull-Rom), ``count`` samples a span."""
    p = np.array([points[0], *points, points[-1]], float)
    t = np.linspace(0, 1, count, endpoint=False)[:, None]
    spans = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        spans.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate([*spans, p[-1:]])


GLAZES = [(0.10, 0.33, 0.36), (0.16, 0.24, 0.42), (0.48, 0.20, 0.13), (0.20, 0.34, 0.20), (0.45, 0.33, 0.14)]


def mug(rng: np.random.Generator) -> bpy.types.Object:
    """A thrown stoneware mug, half dipped in glaze, with coffee in it; 10.2 cm high."""
    outer = _arc(
        [
            (0.0395, 0.102),
            (0.0418, 0.1005),
            (0.0424, 0.094),
            (0.0428, 0.07),
            (0.0438, 0.04),
            (0.0430, 0.015),
            (0.0400, 0.005),
            (0.0378, 0.0012),
            (0.0365, 0.0),
        ],
        12,
    )
    foot = np.array([(0.033, 0.0), (0.031, 0.002), (0.0, 0.003)])
    body = meshes.lathe(
        "mug.body", np.concatenate([outer, foot]), 160, lambda a, i: 1 + 0.004 * np.cos(2 * a + 0.6 + 0.01 * i)
    )
    tint = GLAZES[int(len(GLAZES) * rng.random())]
    colour, height, rough = textures.mug_glaze(rng, tint)
    glaze = principled("mug.glaze", colour, rough, height, 0.0011, Coat_Weight=0.35, Coat_Roughness=0.06)
    put(body, glaze)
    inner = meshes.lathe(
        "mug.inside",
        _arc([(0.0395, 0.102), (0.0385, 0.1005), (0.0383, 0.09), (0.0385, 0.05), (0.036, 0.012), (0.0, 0.008)], 10),
        96,
        lambda a, _: 1 + 0.004 * np.cos(2 * a + 0.6),
    )
    put(inner, principled("mug.inside", (0.85, 0.79, 0.68), 0.18, noise_bump=(90, 0.0003), Coat_Weight=0.3))
    disc = np.array([(0.0001, 0.0778), (0.030, 0.0778), (0.0372, 0.0779), (0.0384, 0.0790)])
    drink = meshes.lathe("mug.coffee", disc[::-1], 96)
    meshes.planar_uv(drink, (-0.0384, -0.0384), (0.0768, 0.0768))
    put(drink, principled("mug.coffee", textures.coffee(rng), 0.04, IOR=1.34))
    t = np.linspace(0, 1, 40)
    theta = np.pi * (0.5 - t)
    path = np.stack(
        [
            0.0405 + 0.030 * np.cos(theta) ** 0.8 * (1 + 0.10 * np.sin(theta)),
            0 * t,
            0.055 + 0.0305 * np.sin(theta) - 0.004 * t,
        ],
        -1,
    )
    path[0, 0] = path[-1, 0] = 0.0375
    flare = 1 + 0.5 * np.exp(-t / 0.05) + 0.6 * np.exp(-(1 - t) / 0.05)
    ear = meshes.sweep("mug.handle", path, np.stack([0.0082 * flare, 0.0046 * flare], -1), 32)
    split = 0.055

    def ear_paint(p: Points) -> Points:
        edge = split + 0.0012 * np.sin(p[:, 1] * 700) + 0.0015 * np.sin(p[:, 0] * 400)
        dip = 1 / (1 + np.exp((p[:, 2] - edge) / 0.0006))
        cream, glazed = (
            np.array(srgb((0.84, 0.78, 0.67))[:3]),
            np.array(srgb((1.06 * tint[0], 1.06 * tint[1], 1.06 * tint[2]))[:3]),
        )
        return cream + dip[:, None] * (glazed - cream)

    meshes.paint(ear, ear_paint)
    put(
        ear,
        principled(
            "mug.ear", "paint", 0.20, noise_bump=(150, 0.0005), noise_rough=0.06, Coat_Weight=0.35, Coat_Roughness=0.06
        ),
    )
    return meshes.join([body, inner, drink, ear], "mug")


def _ellipsoid(
    p: Points, centre: tuple[float, float, float], radii: tuple[float, float, float], pitch: float = 0.0
) -> Points:
    q = p - np.array(centre)
    c, s = np.cos(pitch), np.sin(pitch)
    q = np.stack([c * q[..., 0] + s * q[..., 2], q[..., 1], -s * q[..., 0] + c * q[..., 2]], -1)
    r = np.array(radii)
    k0, k1 = np.linalg.norm(q / r, axis=-1), np.linalg.norm(q / r**2, axis=-1)
    return np.asarray(k0 * (k0 - 1) / np.maximum(k1, 1e-9))


def _blend(a: Points, b: Points, k: float) -> Points:
    h = np.clip(0.5 + 0.5 * (b - a) / k, 0, 1)
    return np.asarray(b + (a - b) * h - k * h * (1 - h))


def duck(rng: np.random.Generator) -> bpy.types.Object:
    """A rubber duck, bill towards +x; 7.6 cm high. One soft vinyl body with painted bill and eyes."""

    def body(p: Points) -> Points:
        side = np.stack([p[..., 0], np.abs(p[..., 1]), p[..., 2]], -1)
        d = _ellipsoid(p, (-0.004, 0, 0.024), (0.042, 0.032, 0.026), 0.06)
        d = _blend(d, _ellipsoid(p, (-0.038, 0, 0.040), (0.019, 0.014, 0.0085), -0.75), 0.016)
        d = _blend(d, _ellipsoid(p, (0.016, 0, 0.056), (0.0215, 0.0205, 0.0200)), 0.010)
        d = _blend(d, _ellipsoid(side, (-0.010, 0.0285, 0.029), (0.024, 0.0075, 0.0125), -0.25), 0.004)
        return np.maximum(d, 0.0 - p[..., 2] + 0.0003)

    def bill(p: Points) -> Points:
        upper = _ellipsoid(p, (0.040, 0, 0.0535), (0.0135, 0.0125, 0.0030), -0.28)
        lower = _ellipsoid(p, (0.037, 0, 0.0490), (0.0105, 0.0105, 0.0028), 0.10)
        return _blend(_blend(upper, lower, 0.002), _ellipsoid(p, (0.033, 0, 0.0525), (0.008, 0.0085, 0.0055)), 0.004)

    hull = meshes.from_distance("duck.body", body, (-0.066, -0.042, -0.002), (0.046, 0.042, 0.082), 0.0009)
    put(
        hull,
        principled(
            "duck.vinyl",
            (0.97, 0.74, 0.10),
            0.33,
            noise_bump=(420, 0.00012),
            noise_rough=0.10,
            Subsurface_Weight=0.25,
            Subsurface_Radius=(1.0, 0.55, 0.15),
            Subsurface_Scale=0.004,
        ),
    )
    beak = meshes.from_distance("duck.bill", bill, (0.020, -0.018, 0.040), (0.058, 0.018, 0.064), 0.0006)
    put(beak, principled("duck.orange", (0.90, 0.36, 0.07), 0.32, noise_bump=(420, 0.00012), noise_rough=0.08))
    parts = [hull, beak]
    for sign in (-1, 1):
        for k, (radius, colour, push) in enumerate(
            (((0.0052), (0.95, 0.94, 0.90), 0.0), ((0.0034), (0.03, 0.03, 0.035), 0.0010))
        ):
            eye = meshes.lathe(
                f"duck.eye{sign}{k}",
                np.stack(
                    [
                        radius * np.sin(np.linspace(0.001, np.pi / 2, 14)),
                        0.0013 * np.cos(np.linspace(0, np.pi / 2, 14)),
                    ],
                    -1,
                ),
                40,
            )
            direction = np.array([0.74, 0.62 * sign, 0.27])
            direction /= np.linalg.norm(direction)
            at = (
                np.array([0.016, 0, 0.056])
                + direction * np.array([0.0212, 0.0202, 0.0197])
                + direction * (push - 0.0002)
            )
            eye.rotation_mode = "QUATERNION"
            eye.rotation_quaternion = Vector((direction / np.array([0.0215, 0.0205, 0.02])).tolist()).to_track_quat(
                "Z", "Y"
            )
            eye.location = at.tolist()
            parts.append(put(eye, principled(f"duck.eye{k}", colour, 0.15)))
    return meshes.join(parts, "duck")


def apple(rng: np.random.Generator) -> bpy.types.Object:
    """An apple with a stem; 7.2 cm high without it."""
    t = np.linspace(0.001, np.pi - 0.001, 90)
    radius = 0.0375 * np.sin(t) ** 0.86 * (1 + 0.10 * np.cos(t))
    z = 0.033 * np.cos(t) + 0.0355
    z -= 0.017 * np.exp(-((radius / 0.0105) ** 2)) * (t < np.pi / 2)
    z += 0.009 * np.exp(-((radius / 0.010) ** 2)) * (t > np.pi / 2)
    low = np.clip((t - 1.2) / 1.9, 0, 1)

    def lobes(angle: Points, index: Points) -> Points:
        five = 0.030 * low[index.astype(int)] ** 2 * np.cos(5 * angle)
        return np.asarray(1 + five + 0.02 * np.cos(angle + 0.7) + 0.012 * np.cos(2 * angle + 2))

    body = meshes.lathe("apple.body", np.stack([radius, z - z.min()], -1), 128, lobes)
    colour, rough = textures.apple_skin(rng)
    put(body, principled("apple.skin", colour, rough, noise_bump=(55, 0.0012), Coat_Weight=0.25, Coat_Roughness=0.18))
    s = np.linspace(0, 1, 14)
    stem = meshes.sweep(
        "apple.stem",
        np.stack([0.006 * s**2, 0.002 * s, 0.050 + 0.027 * s], -1),
        np.stack([0.0013 + 0.0010 * s**4, 0.0012 + 0.0009 * s**4], -1),
        14,
    )
    put(stem, principled("apple.stem", (0.27, 0.17, 0.09), 0.75, noise_bump=(900, 0.0006)))
    return meshes.join([body, stem], "apple")


CARTON = (0.072, 0.048, 0.101)


def carton(rng: np.random.Generator) -> bpy.types.Object:
    """A tea carton, front towards -y; 7.2 x 4.8 x 10.1 cm, with a tuck flap and a soft dent."""
    sx, sy, sz = CARTON
    thing = meshes.box("carton.body", CARTON, 0.0011, 3)
    mesh = thing.data
    layer = mesh.uv_layers["UVMap"]
    for polygon in mesh.polygons:
        nx, ny, nz = polygon.normal
        for loop in polygon.loop_indices:
            x, y, z = mesh.vertices[mesh.loops[loop].vertex_index].co
            u, v = x / sx + 0.5, z / sz
            w = y / sy + 0.5
            if abs(nz) > 0.8:
                layer.data[loop].uv = (0.8 + 0.2 * u, 1 - (500 / 1050) * (1 - w)) if nz > 0 else (0.9, 0.1)
            elif abs(ny) >= abs(nx):
                layer.data[loop].uv = (0.2 * u, v) if ny < 0 else (0.4 + 0.2 * (1 - u), v)
            else:
                layer.data[loop].uv = (0.2 + 0.2 * w, v) if nx > 0 else (0.6 + 0.2 * (1 - w), v)
    put(
        thing,
        principled(
            "carton.print",
            printed.tea_carton(rng),
            0.36,
            noise_bump=(38, 0.0014),
            noise_rough=0.10,
            Specular_IOR_Level=0.4,
        ),
    )
    flap = meshes.box("carton.flap", (sx - 0.0016, 0.0004, 0.0005), 0.0, base=(0, -sy / 2 + 0.0018, sz))
    put(flap, principled("carton.gap", (0.20, 0.10, 0.07), 0.8))
    return meshes.join([thing, flap], "carton")


def screwdriver(rng: np.random.Generator) -> bpy.types.Object:
    """A well-used slotted screwdriver lying along x, tip towards +x; 19 cm long, 2.8 cm high."""
    outline = _arc(
        [
            (0.0, 0.0),
            (0.0085, 0.001),
            (0.0125, 0.006),
            (0.0138, 0.020),
            (0.0140, 0.050),
            (0.0132, 0.064),
            (0.0092, 0.074),
            (0.0088, 0.080),
            (0.0108, 0.086),
            (0.0105, 0.090),
            (0.006, 0.0915),
            (0.0, 0.0915),
        ],
        10,
    )
    inside = np.clip((outline[:, 1] - 0.006) / 0.012, 0, 1) * np.clip((0.072 - outline[:, 1]) / 0.012, 0, 1)
    handle = meshes.lathe(
        "screwdriver.handle",
        outline,
        144,
        lambda a, i: 1 - inside[i.astype(int)] * 0.085 * np.clip(np.cos(6 * a), -0.2, 1) ** 2,
    )

    def bands(p: Points) -> Points:
        red, black = np.array(srgb((0.72, 0.09, 0.06))[:3]), np.array(srgb((0.055, 0.055, 0.06))[:3])
        yellow = np.array(srgb((0.90, 0.66, 0.12))[:3])
        z = p[:, 2:]
        colour = np.where((z < 0.0075) | (z > 0.0715), black, red)
        return np.where((z > 0.0705) & (z <= 0.0728), yellow, colour)

    meshes.paint(handle, bands)
    put(
        handle,
        principled("screwdriver.plastic", "paint", 0.26, noise_bump=(160, 0.0006), noise_rough=0.14, Coat_Weight=0.2),
    )
    shaft_profile = np.array([(0.0, 0.088), (0.0031, 0.088), (0.0031, 0.17), (0.0033, 0.174), (0.0033, 0.176)])
    shaft = meshes.lathe("screwdriver.shaft", shaft_profile, 32)
    steel = principled(
        "screwdriver.steel", (0.62, 0.62, 0.63), 0.24, Metallic=1.0, noise_bump=(300, 0.0003), noise_rough=0.12
    )
    put(shaft, steel)
    s = np.linspace(0, 1, 12)
    tip = meshes.sweep(
        "screwdriver.tip",
        np.stack([0 * s, 0 * s, 0.1755 + 0.0150 * s], -1),
        np.stack([0.0033 - 0.0027 * s**0.7, 0.0033 + 0.0010 * np.sin(np.pi * s**0.8)], -1),
        24,
    )
    put(
        tip,
        principled(
            "screwdriver.tip", (0.22, 0.21, 0.21), 0.40, Metallic=1.0, noise_bump=(400, 0.0004), noise_rough=0.15
        ),
    )
    frame = meshes.join([handle, shaft, tip], "screwdriver.lying")
    # It rests on the blade's edge and on the handle's shoulder: the steepest line from the blade over the handle.
    end, blade = 0.1905, 0.0033
    slope = float(np.max((0.985 * outline[:, 0] - blade) / (end - outline[:, 1])))
    pitch = np.arctan(slope)
    frame.rotation_euler = (0, np.pi / 2 + pitch, 0)
    frame.location = (-0.095, 0, blade + slope * end)
    return meshes.join([frame], "screwdriver")


CATALOGUE: dict[str, Thing] = {
    "mug": Thing(mug, 0.102, 0.062),
    "duck": Thing(duck, 0.0760, 0.055),
    "apple": Thing(apple, 0.078, 0.041),
    "carton": Thing(carton, 0.101, 0.045),
    "screwdriver": Thing(screwdriver, 0.028, 0.10),
}
