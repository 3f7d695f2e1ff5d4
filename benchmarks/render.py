"""What a picture costs: our renderer against moderngl with the same shaders, the same mesh and the same anti-aliasing.

    pip install moderngl
    python -m benchmarks.render [--frames 60] [--triangles 8000] [--particles 1000]

Both draw a skinned figure with its shadow and particles over a 640x480 picture and hand the result back as bytes; frames of
the two alternate, so that a busy machine treats them alike. Printed are medians of wall and CPU time (all threads).
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
from ar_render.context import create_context
from ar_render.layout import Contents, Figure, Posed, plan_shadow
from ar_render.light import Light
from ar_render.model import Material, Model, Primitive
from ar_render.particles import Particles
from ar_render.plane_view import View, plane_axes, plane_from_ray
from ar_render.scene import MAX_JOINTS, VERTEX, Renderer, pack

WIDTH, HEIGHT, SAMPLES = 640, 480, 4


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
    out["kind"] = (255, 160, 0, 0)
    return Particles(out)


class Peer:
    """The same picture with moderngl: same shaders, whole frames, its own buffers."""

    def __init__(self, model: Model, header: str) -> None:
        import moderngl

        self.gl = moderngl
        c = self.c = moderngl.create_standalone_context(backend="egl", require=330)
        common = header + gl.read_shader("frame.glsl")

        def program(vertex: str, fragment: str, *defines: str) -> Any:
            head = header + "".join(f"#define {d}\n" for d in defines) + common[len(header) :]
            out = c.program(
                vertex_shader=head + gl.read_shader(vertex), fragment_shader=head + gl.read_shader(fragment)
            )
            for name, binding in (("Frame", 0), ("Joints", 1)):
                if name in out:
                    out[name].binding = binding
            return out

        self.character, self.particles = (
            program("character.vert", "character.frag"),
            program("particles.vert", "particles.frag"),
        )
        self.shadow, self.blur = program("shadow.vert", "shadow.frag"), program("full.vert", "blur.frag")
        self.composite = program("composite.vert", "composite.frag", "SHADOW")
        self.frame, self.joints = c.buffer(reserve=15 * 16), c.buffer(reserve=MAX_JOINTS * 48)
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
        self.points, self.slopes = c.buffer(reserve=1 << 20), c.buffer(reserve=512)
        self.proxy_faces = c.buffer(reserve=1 << 20)
        self.thrown = c.vertex_array(
            self.shadow, [(self.points, "3f", "point"), (self.slopes, "2f/i", "slope")], self.proxy_faces
        )
        self.full = c.vertex_array(self.blur, [])
        self.cells = c.buffer(reserve=6 * 16)
        self.screen = c.vertex_array(self.composite, [(self.cells, "4f", "cell")])
        size = (96, 96)
        self.map = c.framebuffer(c.texture(size, 2), c.depth_renderbuffer(size))
        self.map.color_attachments[0].repeat_x = self.map.color_attachments[0].repeat_y = False
        self.half, self.taken = c.framebuffer(c.texture(size, 2)), c.framebuffer(c.texture(size, 4))
        whole = (WIDTH, HEIGHT)
        self.multisampled = c.framebuffer(
            c.renderbuffer(whole, samples=SAMPLES), c.depth_renderbuffer(whole, samples=SAMPLES)
        )
        for target in (self.half, self.taken):
            target.color_attachments[0].repeat_x = target.color_attachments[0].repeat_y = False
        self.layer, self.out = c.framebuffer(c.texture(whole, 4)), c.framebuffer(c.texture(whole, 4))
        self.camera = c.texture(whole, 3)
        self.pixels = bytearray(WIDTH * HEIGHT * 4)

    def draw(self, picture: np.ndarray, view: View, contents: Contents) -> np.ndarray:
        c, moderngl, light = self.c, self.gl, contents.light
        posed = [Posed(f) for f in contents.figures]
        shadow = plan_shadow(posed, view, light)
        assert shadow is not None
        k, T = view.intrinsics, inverse(view.T_map_camera)
        depth = posed[0].points @ T[2, :3] + T[2, 3]
        far = max(float(depth.max()) * 2, 0.1)
        near = max(float(depth.min()) * 0.5, far / 2000)
        rows = [
            (k.fx, k.fy, k.cx, k.cy), (0, 0, WIDTH, HEIGHT), (0, 0, 0, 10), (0, 0, 0, near), (0, 0, far, 0.18 * posed[0].height),
            *T[:3], (*view.T_map_camera[:3, 3], WIDTH), (*view.plane.normal, view.plane.distance), (*light.direction, HEIGHT),
            (*light.sun, 0), (*light.sky, 0), (*light.ground, 0), (light.grain, min(light.blur, 0.5), light.seed, 1),
        ]  # fmt: skip
        self.frame.write(np.array(rows, np.float32))
        self.frame.bind_to_uniform_block(0)
        self.joints.bind_to_uniform_block(1)
        self.map.use()
        c.enable_only(moderngl.DEPTH_TEST | moderngl.BLEND)
        c.depth_func, c.blend_func, c.blend_equation = "<", (moderngl.ONE, moderngl.ONE), moderngl.FUNC_ADD
        self.map.clear()
        self.points.write(shadow.points)
        self.slopes.write(shadow.slopes)
        self.proxy_faces.write(shadow.triangles)
        self.shadow["area"].value, count = shadow.area, shadow.triangles.size
        self.map.color_mask = (True, False, False, False)
        self.map.use()
        self.shadow["lamps"].value = (len(shadow.slopes), 0.0)
        self.thrown.render(vertices=count, instances=len(shadow.slopes))
        c.disable(moderngl.DEPTH_TEST)
        c.blend_equation = moderngl.MAX
        self.map.color_mask = (False, True, False, False)
        self.map.use()
        self.shadow["lamps"].value = (1.0, shadow.closeness)
        self.thrown.render(vertices=count, instances=1)
        self.map.color_mask = (True, True, True, True)
        c.blend_equation = moderngl.FUNC_ADD
        c.enable_only(moderngl.NOTHING)
        wide = shadow.closeness * 0.5 / np.array(shadow.area[2:]) / 2
        self.blur["lamp_share"].value, self.blur["sky_share"].value = tuple(light.lamp_share), tuple(light.sky_share)
        for target, source, axis in ((self.half, self.map, (1.0, 0.0)), (self.taken, self.half, (0.0, 1.0))):
            target.use()
            source.color_attachments[0].use(0)
            self.blur["last"].value = axis[1]
            self.blur["step_"].value = (axis[0] * 1.5 / 96, axis[1] * 1.5 / 96, axis[0] * wide[0], axis[1] * wide[1])
            self.full.render(moderngl.TRIANGLES, vertices=3)
        self.multisampled.use()
        self.multisampled.clear()
        c.enable_only(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        c.depth_func, c.front_face = "<=", "cw"
        self.joints.write(posed[0].skin[:, :3].astype(np.float32))
        self.character["gain"].value, self.character["reference"].value = (1, 1, 1), tuple(light.reference)
        self.character["factor"].value, self.character["surface"].value = (1, 1, 1, 1), (0.6, 0, 0.6, 0)
        self.base.use(0)
        self.body.render()
        if contents.particles is not None:
            c.enable_only(moderngl.DEPTH_TEST | moderngl.BLEND)
            c.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
            self.multisampled.depth_mask = False
            self.multisampled.use()
            self.sprites.write(contents.particles.records)
            self.cloud.render(moderngl.TRIANGLE_STRIP, vertices=4, instances=len(contents.particles.records))
            self.multisampled.depth_mask = True
        c.copy_framebuffer(self.layer, self.multisampled)
        c.enable_only(moderngl.NOTHING)
        self.out.use()
        self.camera.write(picture)
        for unit, texture in enumerate((self.camera, self.layer.color_attachments[0], self.taken.color_attachments[0])):
            texture.use(unit)
        for unit, name in enumerate(("camera", "layer", "taken")):
            self.composite[name].value = unit
        self.composite["texel"].value = (1 / WIDTH, 1 / HEIGHT)
        self.composite["area"].value = shadow.area
        H = plane_from_ray(view, plane_axes(view.plane)).astype(np.float32)
        self.composite["plane_from_ray"].write(np.ascontiguousarray(H.T))
        corners = k.rays(
            np.array([[-0.5, -0.5], [WIDTH - 0.5, -0.5], [-0.5, HEIGHT - 0.5], [WIDTH - 0.5, HEIGHT - 0.5]])
        )
        places = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
        self.cells.write(np.column_stack([places, corners[:, :2]]).astype(np.float32))
        self.screen.render(moderngl.TRIANGLE_STRIP, vertices=4)
        self.out.read_into(self.pixels, components=4)
        return np.frombuffer(self.pixels, np.uint8).reshape(HEIGHT, WIDTH, 4)[..., :3]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--triangles", type=int, default=8000)
    parser.add_argument("--particles", type=int, default=1000)
    a = parser.parse_args(arguments)
    context = create_context("gl")
    ours, model = Renderer(context, WIDTH, HEIGHT, samples=SAMPLES), figure_of(a.triangles)
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
        peer = Peer(model, context.header)
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
        f"{context.renderer}; {model.triangles} triangles, {a.particles} particles, {SAMPLES} samples, {WIDTH}x{HEIGHT}"
    )
    for name in contestants:
        print(f"{name:9s} wall {np.median(wall[name]) * 1e3:6.2f} ms   CPU {np.median(cpu[name]) * 1e3:6.2f} ms")
    if len(last) == 2:
        ratios = [np.median(t["ours"]) / np.median(t["moderngl"]) for t in (wall, cpu)]
        apart = np.abs(last["ours"].astype(int) - last["moderngl"]).mean()
        print(f"ratio     wall {ratios[0]:6.2f}      CPU {ratios[1]:6.2f}      pictures differ by {apart:.3f} levels")


if __name__ == "__main__":
    main(sys.argv[1:])
