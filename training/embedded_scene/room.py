"""The room around the things: table with cloth and newspaper, floor, rug, shelf, chair, plant, window, lamp."""

from __future__ import annotations

from itertools import pairwise

import bpy
import numpy as np
from mathutils import Vector

from . import meshes, printed, textures
from .materials import principled, put
from .meshes import Points

TABLE_SIZE = (1.50, 0.92)
TABLE_CENTRE = (0.02, 0.10)
FLOOR_Z = -0.74
WALL_Y = 2.15


def table(rng: np.random.Generator) -> bpy.types.Object:
    """An oak top whose surface is z = 0, on four legs. Returns the top."""
    colour, height, rough = textures.table_top(TABLE_SIZE, 3000, rng)
    top = meshes.box("table", (*TABLE_SIZE, 0.032), 0.003, 4, base=(*TABLE_CENTRE, -0.032))
    meshes.planar_uv(top, (TABLE_CENTRE[0] - TABLE_SIZE[0] / 2, TABLE_CENTRE[1] - TABLE_SIZE[1] / 2), TABLE_SIZE)
    put(top, principled("table.oak", colour, rough, height, 0.0006, Specular_IOR_Level=0.28))
    leg = principled("table.leg", (0.45, 0.30, 0.19), 0.5)
    for i in (-1, 1):
        for j in (-1, 1):
            at = (
                TABLE_CENTRE[0] + i * (TABLE_SIZE[0] / 2 - 0.06),
                TABLE_CENTRE[1] + j * (TABLE_SIZE[1] / 2 - 0.06),
                FLOOR_Z,
            )
            put(meshes.box("leg", (0.06, 0.06, -FLOOR_Z - 0.032), 0.003, base=at), leg)
    return top


def cloth(rng: np.random.Generator) -> bpy.types.Object:
    """The linen runner across the table, under 1 mm thick, edges a little wavy."""
    size = (1.10, 0.28)
    colour, relief = textures.runner(size, 4600, rng)
    phase = rng.uniform(0, 6, 4)

    def height(x: Points, y: Points) -> Points:
        edge = np.clip(np.abs(y) / (size[1] / 2), 0, 1) ** 6
        wave = np.sin(21 * x + phase[0]) + np.sin(34 * x + phase[1]) + np.sin(55 * x + phase[2])
        return np.asarray(0.0007 + edge * 0.0006 * np.clip(wave, 0, None))

    thing = meshes.sheet("runner", size, height, 0.0006, 160)
    put(thing, principled("runner.linen", colour, 0.86, relief, 0.0005, Sheen_Weight=0.15))
    thing.location = (-0.02, 0.025, 0.0)
    thing.rotation_euler = (0, 0, np.radians(4.0))
    return thing


def newspaper(rng: np.random.Generator) -> bpy.types.Object:
    """The morning paper, a few sheets thick, lying partly on the runner, its corners lifting."""
    size = (0.28, 0.38)

    def height(x: Points, y: Points) -> Points:
        lift = np.clip((x / size[0] - y / size[1]) - 0.55, 0, None)
        other = np.clip((-x / size[0] + y / size[1]) - 0.70, 0, None)
        crease = 0.0012 * np.exp(-((y / 0.012) ** 2))
        return np.asarray(0.0030 + 0.06 * lift**2 + 0.10 * other**2 + crease + 0.0004 * np.sin(25 * x + 17 * y))

    top = meshes.sheet("newspaper", size, height, 0.0002, 60)
    paper = put(top, principled("newspaper.paper", printed.newspaper(rng), 0.82, noise_bump=(140, 0.0004)))
    under = meshes.sheet(
        "newspaper.under",
        size,
        lambda x, y: 0.0021 + 0.03 * np.clip((x / size[0] - y / size[1]) - 0.62, 0, None) ** 2,
        0.0014,
        40,
    )
    put(under, principled("newspaper.pages", (0.80, 0.78, 0.73), 0.85))
    under.location, under.rotation_euler = (-0.002, 0.0015, 0), (0, 0, np.radians(0.7))
    root = meshes.join([paper, under], "newspaper")
    root.location = (0.300, -0.035, 0.0)
    root.rotation_euler = (0, 0, np.radians(-17))
    return root


def crumbs(rng: np.random.Generator) -> bpy.types.Object:
    """Biscuit crumbs scattered between the things; one mesh."""
    vertices: list[tuple[float, ...]] = []
    faces: list[tuple[int, ...]] = []
    for _ in range(90):
        centre = (
            rng.normal((-0.03, -0.115), (0.045, 0.016))
            if rng.random() < 0.6
            else rng.uniform((-0.35, -0.2), (0.2, 0.2))
        )
        size = 0.0004 + 0.0007 * rng.random() ** 2 + (0.0010 if rng.random() < 0.12 else 0)
        shape = rng.normal(0, 1, (10, 3))
        shape /= np.linalg.norm(shape, axis=1, keepdims=True)
        hull = _hull(shape * size * rng.uniform(0.6, 1.2, (10, 1)))
        start = len(vertices)
        vertices += [(v[0] + centre[0], v[1] + centre[1], v[2] + 0.0008 + 0.4 * size) for v in hull[0]]
        faces += [tuple(start + i for i in f) for f in hull[1]]
    thing = meshes.from_arrays("crumbs", np.array(vertices), faces, smooth=False)
    return put(thing, principled("crumbs.biscuit", (0.68, 0.46, 0.24), 0.85, noise_bump=(900, 0.0004)))


def _hull(points: Points) -> tuple[list[Points], list[tuple[int, ...]]]:
    from scipy.spatial import ConvexHull

    hull = ConvexHull(points)
    used = {int(v): k for k, v in enumerate(hull.vertices)}
    triangles: list[tuple[int, ...]] = []
    for simplex, equation in zip(hull.simplices, hull.equations, strict=True):
        a, b, c = simplex
        outward = np.dot(np.cross(points[b] - points[a], points[c] - points[a]), equation[:3]) > 0
        triangles.append((used[a], used[b], used[c]) if outward else (used[a], used[c], used[b]))
    return [points[v] for v in hull.vertices], triangles


def surroundings(rng: np.random.Generator) -> None:
    """Floor, rug, walls, low shelf with books, chair, plant, picture: what is seen out of focus beyond the table."""
    colour, height = textures.wood((2.4, 2.4), 500, rng, 0.09, (0.62, 0.44, 0.29), (0.36, 0.23, 0.14), 0.8)
    floor = meshes.box("floor", (7, 6, 0.1), 0, base=(0, 0.2, FLOOR_Z - 0.1))
    put(floor, principled("floor.parquet", colour, 0.38, height, 0.001, tiles=1 / 2.4, noise_rough=0.08))
    carpet = meshes.box("rug", (2.0, 1.3, 0.012), 0.004, base=(0.3, 1.15, FLOOR_Z))
    meshes.planar_uv(carpet, (-0.7, 0.5), (2.0, 1.3))
    carpet.rotation_euler = (0, 0, 0.05)
    put(carpet, principled("rug.wool", textures.rug(rng), 0.95, Sheen_Weight=0.2))
    paint, relief = textures.plaster(rng)
    wall = principled("wall.paint", paint, 0.85, relief, 0.001, tiles=0.7)
    put(meshes.box("wall.back", (7, 0.1, 2.6), 0, base=(0, WALL_Y + 0.05, FLOOR_Z)), wall)
    put(meshes.box("wall.right", (0.1, 6, 2.6), 0, base=(2.9, 0, FLOOR_Z)), wall)
    left = principled("wall.left", (0.50, 0.57, 0.56), 0.85, relief, 0.001, tiles=0.7)
    put(meshes.box("wall.left", (0.1, 6, 0.95), 0, base=(-2.3, 0, FLOOR_Z)), left)
    white = principled("wood.white", (0.84, 0.83, 0.79), 0.45, noise_rough=0.1)
    put(meshes.box("skirting", (7, 0.02, 0.11), 0.004, base=(0, WALL_Y - 0.01, FLOOR_Z)), white)
    put(meshes.box("sill", (0.22, 3, 0.04), 0.006, base=(-2.2, 0.6, 0.21)), white)
    _shelf(rng)
    _chair()
    _plant(rng)
    frame = principled("frame.black", (0.09, 0.085, 0.08), 0.4)
    put(meshes.box("frame", (0.50, 0.03, 0.68), 0.004, base=(-0.62, WALL_Y - 0.015, 0.42)), frame)
    picture = meshes.box("picture", (0.44, 0.004, 0.62), 0, base=(-0.62, WALL_Y - 0.031, 0.45))
    for loop in picture.data.loops:
        co = picture.data.vertices[loop.vertex_index].co
        picture.data.uv_layers["UVMap"].data[loop.index].uv = ((co[0] + 0.84) / 0.44, (co[2] - 0.45) / 0.62)
    put(picture, principled("picture.print", printed.wall_print(rng), 0.5))


def _shelf(rng: np.random.Generator) -> None:
    """A low open shelf along the back wall, two rows of books, a few other things on top."""
    board = principled("shelf.birch", (0.72, 0.58, 0.42), 0.5, noise_rough=0.1)
    y, depth, left, right = WALL_Y - 0.17, 0.30, -1.75, 1.45
    for z in (FLOOR_Z + 0.06, FLOOR_Z + 0.42, FLOOR_Z + 0.80):
        put(meshes.box("shelf.board", (right - left, depth, 0.024), 0.002, base=((left + right) / 2, y, z)), board)
    for x in np.linspace(left, right, 5):
        put(meshes.box("shelf.side", (0.024, depth, 0.80), 0.002, base=(float(x), y, FLOOR_Z + 0.02)), board)
    put(
        meshes.box(
            "shelf.back", (right - left, 0.008, 0.8), 0, base=((left + right) / 2, y + depth / 2, FLOOR_Z + 0.02)
        ),
        board,
    )
    spines = principled("books.spines", printed.book_spines(rng), 0.6)
    pages = 24
    bays = np.linspace(left, right, 5)
    for z in (FLOOR_Z + 0.084, FLOOR_Z + 0.444):
        for start, end in pairwise(bays):
            x, stop = start + 0.02, end - 0.02 - rng.uniform(0.02, 0.30)
            while x < stop:
                w, h, d = rng.uniform(0.016, 0.05), rng.uniform(0.19, 0.31), rng.uniform(0.14, 0.22)
                book = meshes.box("book", (w, d, h), 0.0015, 2, base=(0, 0, 0))
                k = int(rng.integers(pages))
                layer = book.data.uv_layers["UVMap"]
                for loop in book.data.loops:
                    co = book.data.vertices[loop.vertex_index].co
                    layer.data[loop.index].uv = ((k + 0.05 + 0.9 * (co[0] / w + 0.5)) / pages, co[2] / h)
                book.location = (x + w / 2, y - 0.13 + d / 2 + rng.uniform(0, 0.03), z)
                if rng.random() < 0.12:
                    book.rotation_euler = (0, 0.10, 0)
                    x += 0.02
                put(book, spines)
                x += w + 0.001
    vase = meshes.lathe(
        "vase", np.array([(0.05, 0), (0.085, 0.05), (0.09, 0.11), (0.06, 0.19), (0.035, 0.24), (0.045, 0.27)]), 48
    )
    vase.location = (0.75, y, FLOOR_Z + 0.824)
    put(vase, principled("vase.blue", (0.22, 0.34, 0.48), 0.2))
    for k in range(5):
        stack = meshes.box(
            "stack", (0.24 - 0.012 * k, 0.17, 0.03), 0.002, base=(0.15 + 0.01 * (k % 2), y, FLOOR_Z + 0.824 + 0.03 * k)
        )
        put(
            stack,
            principled(
                f"stack{k}",
                ((0.55, 0.22, 0.16), (0.80, 0.76, 0.66), (0.20, 0.30, 0.40), (0.74, 0.55, 0.26), (0.25, 0.26, 0.25))[k],
                0.6,
            ),
        )


def _chair() -> None:
    """A wooden chair pushed in at the far side."""
    wood = principled("chair.wood", (0.20, 0.13, 0.09), 0.4, noise_rough=0.1)
    cx, cy = 0.42, 0.86
    put(meshes.box("chair.seat", (0.42, 0.42, 0.03), 0.008, base=(cx, cy, FLOOR_Z + 0.43)), wood)
    for i in (-1, 1):
        put(meshes.box("chair.post", (0.035, 0.035, 0.92), 0.006, base=(cx + 0.19 * i, cy + 0.2, FLOOR_Z)), wood)
        put(meshes.box("chair.leg", (0.035, 0.035, 0.43), 0.006, base=(cx + 0.19 * i, cy - 0.19, FLOOR_Z)), wood)
    for z in (0.58, 0.70, 0.82):
        put(meshes.box("chair.slat", (0.38, 0.018, 0.06), 0.006, base=(cx, cy + 0.2, FLOOR_Z + z)), wood)


def _plant(rng: np.random.Generator) -> None:
    """A rubber plant in a basket on the floor by the window."""
    base = np.array([-1.25, 1.35, FLOOR_Z])
    pot = meshes.lathe(
        "pot", np.array([(0.11, 0), (0.15, 0.15), (0.16, 0.28), (0.15, 0.285), (0.14, 0.24), (0.0, 0.24)]), 40
    )
    pot.location = base.tolist()
    put(pot, principled("pot.basket", (0.62, 0.47, 0.30), 0.9, noise_bump=(60, 0.006)))
    leaf = principled("plant.leaf", (0.12, 0.27, 0.11), 0.28, noise_rough=0.08)
    s = np.linspace(0, 1, 10)
    down = np.array([0, 0, 0.012])
    for _ in range(34):
        angle, rise = rng.uniform(0, 2 * np.pi), rng.uniform(0.30, 0.95)
        length, width = rng.uniform(0.16, 0.28), rng.uniform(0.04, 0.07)
        out = np.array([np.cos(angle), np.sin(angle), 0])
        side = np.array([-np.sin(angle), np.cos(angle), 0])
        spine = base + out * 0.03 + np.outer(s * length, out) + np.outer(rise + 0.10 * s - 0.16 * s**2, [0, 0, 1])
        half = width * np.sin(np.pi * np.clip(s, 0.02, 0.98)) ** 0.8
        points = np.stack([spine - half[:, None] * side, spine - down, spine + half[:, None] * side], 1).reshape(-1, 3)
        faces = [(3 * i + j, 3 * i + j + 1, 3 * i + j + 4, 3 * i + j + 3) for i in range(9) for j in range(2)]
        put(meshes.from_arrays("leaf", points, faces), leaf)


def lights() -> None:
    """Daylight through a four-paned window on the left, a warm lamp behind on the right, dim light all round."""
    _area("window", (0.80, 0.95), (0.90, 0.95, 1.0), 190.0, (-2.15, 0.55, 0.95), (0.0, 0.25, 0.0))
    bar = principled("window.bar", (0.80, 0.80, 0.78), 0.5)
    for y in (0.13, 0.55, 0.97):
        put(meshes.box("window.bar", (0.03, 0.045, 1.5), 0.004, base=(-2.08, y, 0.2)), bar)
    put(meshes.box("window.bar", (0.03, 0.9, 0.045), 0.004, base=(-2.08, 0.55, 0.98)), bar)
    _area("lamp", (0.28, 0.28), (1.0, 0.72, 0.45), 14.0, (1.35, 1.15, 0.95), (0.1, 0.0, 0.0))
    world = bpy.data.worlds.new("room light")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (1.0, 0.97, 0.93, 1)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.13
    bpy.context.scene.world = world


def _area(
    name: str,
    size: tuple[float, float],
    colour: tuple[float, ...],
    watts: float,
    at: tuple[float, float, float],
    towards: tuple[float, float, float],
) -> None:
    data = bpy.data.lights.new(name, "AREA")
    data.shape, data.size, data.size_y = "RECTANGLE", size[0], size[1]
    data.color, data.energy = colour[:3], watts
    data.cycles.use_multiple_importance_sampling = name == "window"
    lamp = bpy.data.objects.new(name, data)
    lamp.location = at
    lamp.rotation_euler = (Vector(towards) - Vector(at)).to_track_quat("-Z", "Y").to_euler()
    bpy.context.scene.collection.objects.link(lamp)
