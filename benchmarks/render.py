"""What a picture costs: our renderer against moderngl with the same shaders, the same mesh and the same anti-aliasing.

    pip install moderngl
    LP_NUM_THREADS=2 python -m benchmarks.render [--frames 60] [--triangles 8000] [--particles 1000] [--samples 4]

Both draw a skinned figure with its shadow and particles over a 640x480 picture and hand the result back as bytes; frames of
the two alternate, so that a busy machine treats them alike. Shadow and compositing, which need no OpenGL, are the same code
in both. Printed are medians of wall and CPU time (all threads).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ar_core.geometry import Intrinsics, Plane, inverse, pose, upright_camera
from ar_render import gl
from ar_render.animation import Clip, Pose, Track, topological
from ar_render.compose import put_over
from ar_render.context import create_context
from ar_render.layout import Contents, Figure, Posed
from ar_render.light import Light
from ar_render.model import Material, Model, Primitive
from ar_render.particles import Particles
from ar_render.plane_view import View
from ar_render.scene import MAX_JOINTS, VERTEX, Renderer, pack
from ar_render.shadow import cast, darken
from ar_render.sprites import SHAPES, atlas

WIDTH, HEIGHT = 640, 480


def figure_of(triangles: int, joints: int = 24) -> Model:
    """A bumpy column of that many triangles on a chain of joints, 18 cm high."""
    rings = int(np.sqrt(triangles / 2))
    around = triangles // 2 // rings
    v, a = np.meshgrid(np.linspace(0, 1, rings + 1), np.linspace(0, 2 * np.pi, around + 1), indexing="ij")
    radius = 0.05 * np.sqrt(np.clip(1 - (2 * v - 1) ** 6, 0.01, 1)) * (1 + 0.15 * np.sin(9 * v + 3 * a))
    points = np.stack([radius * np.sin(a), 0.18 * v, radius * np.cos(a)], -1).reshape(-1, 3)
    i, k = (g.ravel() for g in np.meshgrid(np.arange(rings), np.arange(around), indexing="ij"))
    p = i * (around + 1) + k
    faces = np.concatenate([np.stack([p, p + 1, p + around + 2], 1), np.stack([p, p + around + 2, p + around + 1], 1)])
    share = v.ravel() * (joints - 1)
    first = np.clip(np.floor(share), 0, joints - 2).astype(int)
    index = np.stack([first, first + 1, np.maximum(first - 1, 0), np.minimum(first + 2, joints - 1)], 1)
    weights = np.stack([0.8 * (1 - share + first), 0.8 * (share - first), 0.1 + 0 * share, 0.1 + 0 * share], 1)
    rng = np.random.default_rng(0)
    picture = rng.integers(60, 255, (256, 256, 4), np.uint8)
    primitive = Primitive(
        points.astype(np.float32), np.stack([np.sin(a), 0 * a, np.cos(a)], -1).reshape(-1, 3).astype(np.float32),
        np.stack([a / 6.3, v], -1).reshape(-1, 2).astype(np.float32), np.ones((len(points), 4), np.float32),
        index.astype(np.uint16), (weights / weights.sum(1, keepdims=True)).astype(np.float32), faces.astype(np.uint32),
        Material(image=0, roughness=0.6),
    )  # fmt: skip
    step = 0.18 / (joints - 1)
    rest = Pose(
        np.array([[0, step * min(j, 1), 0] for j in range(joints)]),
        np.tile([0.0, 0, 0, 1], (joints, 1)),
        np.ones((joints, 3)),
    )
    parents = np.arange(joints) - 1
    inverse_bind = np.tile(np.eye(4), (joints, 1, 1))
    inverse_bind[:, 1, 3] = -step * np.arange(joints)
    half = np.sin(np.linspace(0, 2 * np.pi, 9)) * 0.04
    turns = np.zeros((9, joints, 4))
    turns[..., 2], turns[..., 3] = np.sin(half)[:, None], np.cos(half)[:, None]
    sway = Clip("sway", 2.0, (Track("rotation", np.arange(joints), np.linspace(0, 2, 9), turns),))
    names = tuple(f"joint{j}" for j in range(joints))
    model = (names, parents, topological(parents), rest, np.arange(joints), inverse_bind, (primitive,), (picture,))
    return Model(*model, {"sway": sway})


def cloud(count: int, centre: np.ndarray) -> Particles:
    """Sparks around the figure."""
    rng = np.random.default_rng(1)
    out = np.zeros(count, Particles.LAYOUT)
    radius, angle = 0.11 * np.sqrt(rng.random(count)), rng.uniform(0, 2 * np.pi, count)
    out["particle"][:, :3] = centre + np.stack(
        [radius * np.cos(angle), radius * np.sin(angle), rng.uniform(0, 0.22, count)], 1
    )
    out["particle"][:, 3] = rng.uniform(0.001, 0.004, count)
    out["tint"] = (255, 210, 120, 200)
    out["kind"] = (255, 0, SHAPES.index("spark"), 0)
    return Particles(out)


class Peer:
    """The same picture with moderngl: same shaders, whole frames, its own buffers."""

    def __init__(self, model: Model, header: str, samples: int) -> None:
        import moderngl

        self.gl = moderngl
        c = self.c = moderngl.create_standalone_context(backend="egl", require=330)
        common = header + gl.read_shader("frame.glsl")

        def program(vertex: str, fragment: str) -> Any:
            out = c.program(
                vertex_shader=common + gl.read_shader(vertex), fragment_shader=common + gl.read_shader(fragment)
            )
            for name, binding in (("Frame", 0), ("Joints", 1)):
                if name in out:
                    out[name].binding = binding
            return out

        self.character, self.particles = (
            program("character.vert", "character.frag"),
            program("particles.vert", "particles.frag"),
        )
        self.frame, self.joints = c.buffer(reserve=14 * 16), c.buffer(reserve=MAX_JOINTS * 48)
        vertices = np.concatenate([pack(p) for p in model.primitives])
        assert vertices.dtype == VERTEX
        floats = [vertices["p"], vertices["n"] / 127.0, vertices["uv"], vertices["c"] / 255.0, vertices["w"] / 65535.0]
        buffers = [c.buffer(np.ascontiguousarray(f, np.float32)) for f in floats]
        index = c.buffer(np.ascontiguousarray(vertices["index"], np.uint32))
        kinds = zip(
            buffers, ("3f", "4f", "2f", "4f", "4f"), ("position", "normal", "uv", "colour", "weights"), strict=True
        )
        content = [*[(b, k, n) for b, k, n in kinds if n in self.character], (index, "4u", "joints")]
        faces = c.buffer(model.primitives[0].triangles.astype(np.uint32))
        self.body = c.vertex_array(self.character, content, faces)
        image = model.images[0]
        self.base = c.texture(image.shape[1::-1], 4, image.tobytes())
        self.base.build_mipmaps()
        self.base.filter = (moderngl.LINEAR_MIPMAP_NEAREST, moderngl.LINEAR)
        corners = c.buffer(np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], np.float32))
        self.sprites = c.buffer(reserve=4096 * Particles.LAYOUT.itemsize)
        self.cloud = c.vertex_array(
            self.particles, [(corners, "2f", "corner"), (self.sprites, "4f 4f1 4f1/i", "particle", "tint", "kind")]
        )
        whole = (WIDTH + 1, HEIGHT + 1)
        self.depth, colour = c.depth_texture(whole), c.texture(whole, 4)
        self.depth.compare_func, self.depth.filter = "", (moderngl.NEAREST, moderngl.NEAREST)
        self.layer, self.over = c.framebuffer(colour, self.depth), c.framebuffer(colour)
        self.shapes = c.texture(atlas().shape[:2], 2, atlas().tobytes())
        self.multisampled = self.layer
        if samples:
            colour, depth = c.renderbuffer(whole, samples=samples), c.depth_renderbuffer(whole, samples=samples)
            self.multisampled = c.framebuffer(colour, depth)
        self.pixels = bytearray((WIDTH + 1) * (HEIGHT + 1) * 4)

    def draw(self, picture: np.ndarray, view: View, contents: Contents) -> np.ndarray:
        c, moderngl, light = self.c, self.gl, contents.light
        posed = [Posed(f) for f in contents.figures]
        shadow = cast([posed[0].surface], [posed[0].height], view, light)
        assert shadow is not None
        k, T = view.intrinsics, inverse(view.T_map_camera)
        depth = posed[0].points @ T[2, :3] + T[2, 3]
        far = max(float(depth.max()) * 2, 0.1)
        near = max(float(depth.min()) * 0.5, far / 2000)
        rows = [
            (k.fx, k.fy, k.cx, k.cy), (-light.blur, -light.blur, 0, 0), (0, 0, 0, 10), (0, 0, 0, near),
            (0, 0, far, 0.18 * posed[0].height), *T[:3], (*view.T_map_camera[:3, 3], WIDTH + 1),
            (*view.plane.normal, view.plane.distance), (*light.direction, HEIGHT + 1),
            (*light.sun, 0), (*light.sky, 0), (*light.ground, 0),
        ]  # fmt: skip
        self.frame.write(np.array(rows, np.float32))
        self.frame.bind_to_uniform_block(0)
        self.joints.bind_to_uniform_block(1)
        self.multisampled.use()
        self.multisampled.clear()
        c.enable_only(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        c.depth_func, c.front_face = "<=", "cw"
        self.joints.write(posed[0].skin[:, :3].astype(np.float32))
        self.character["gain"].value, self.character["reference"].value = (1, 1, 1), tuple(light.reference)
        self.character["factor"].value, self.character["surface"].value = (1, 1, 1, 1), (0.6, 0, 0.6, 0)
        self.base.use(0)
        self.body.render()
        if self.multisampled is not self.layer:
            c.copy_framebuffer(self.layer, self.multisampled)
        if contents.particles is not None:
            c.enable_only(moderngl.BLEND)
            c.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
            self.over.use()
            self.particles["shapes"].value, self.particles["behind"].value = 0, 1
            self.shapes.use(0)
            self.depth.use(1)
            self.sprites.write(contents.particles.records)
            self.cloud.render(moderngl.TRIANGLE_STRIP, vertices=4, instances=len(contents.particles.records))
        out = picture.copy()
        darken(out, shadow, view, (0, 0, WIDTH, HEIGHT), np.ones((1, 1), bool))
        self.over.read_into(self.pixels, components=4)
        layer = np.frombuffer(self.pixels, np.uint8).reshape(HEIGHT + 1, WIDTH + 1, 4)
        put_over(out, layer, light.blur, light.grain, light.seed)
        return out


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--triangles", type=int, default=8000)
    parser.add_argument("--particles", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=4, help="multisampling")
    a = parser.parse_args(arguments)
    context = create_context("gl")
    ours, model = Renderer(context, WIDTH, HEIGHT, samples=a.samples), figure_of(a.triangles)
    body = ours.load(model)
    picture = np.random.default_rng(0).integers(60, 200, (HEIGHT, WIDTH, 3), np.uint8)
    view = View(Intrinsics.from_field_of_view(WIDTH, HEIGHT), upright_camera(0.32, 30.0), Plane.ground())
    T = pose(np.diag([-1.0, -1, 1]), np.array([0.45, 0.0, 0.0]))
    particles = cloud(a.particles, T[:3, 3])

    def contents(i: int) -> Contents:
        nodes = model.global_matrices(model.clips["sway"].sample(model.rest, i / 30, loop=True))
        return Contents([Figure(body, T, nodes)], particles, Light(grain=0.01))

    contestants: dict[str, Callable[[int], np.ndarray]] = {"ours": lambda i: ours.draw(picture, view, contents(i))}
    try:
        peer = Peer(model, context.header, a.samples)
        contestants["moderngl"] = lambda i: peer.draw(picture, view, contents(i))
        context.make_current()
    except ImportError:
        print("moderngl is not installed (pip install moderngl): ours alone")
    wall: dict[str, list[float]] = {name: [] for name in contestants}
    cpu: dict[str, list[float]] = {name: [] for name in contestants}
    last: dict[str, np.ndarray] = {}
    for i in range(-5, a.frames):
        for name, draw in contestants.items():
            (context.make_current if name == "ours" else peer.c.__enter__)()
            t, p = time.perf_counter(), time.process_time()
            last[name] = draw(i)
            if i >= 0:
                wall[name].append(time.perf_counter() - t)
                cpu[name].append(time.process_time() - p)
    print(
        f"{context.renderer}; {model.triangles} triangles, {a.particles} particles, {a.samples} samples, {WIDTH}x{HEIGHT}"
    )
    for name in contestants:
        print(f"{name:9s} wall {np.median(wall[name]) * 1e3:6.2f} ms   CPU {np.median(cpu[name]) * 1e3:6.2f} ms")
    if len(last) == 2:
        ratios = [np.median(t["ours"]) / np.median(t["moderngl"]) for t in (wall, cpu)]
        apart = np.abs(last["ours"].astype(int) - last["moderngl"]).mean()
        print(f"ratio     wall {ratios[0]:6.2f}      CPU {ratios[1]:6.2f}      pictures differ by {apart:.3f} levels")


if __name__ == "__main__":
    main(sys.argv[1:])
