"""Draws one picture: the camera's, with characters, their shadow and particles in it.

Only the characters and particles are drawn with OpenGL, into a layer of premultiplied colour that is read back where something
is. Shadow and layer are put over a copy of the picture, all other bytes of which stay the camera's. What is between ``begin``
and ``finish`` costs no time where OpenGL draws with a thread or a card of its own.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import inverse

from . import gl
from .compose import put_over
from .context import Context
from .detail import Detail
from .layout import Body, Contents, Figure, Posed, touched
from .light import Light
from .model import Model
from .opengl import GL
from .particles import Particles
from .plane_view import View
from .proxy import build_proxy, intersect
from .shadow import Region, Shadow, cast, darken
from .sprites import atlas

Array = NDArray[Any]
MAX_JOINTS = 256
VERTEX = np.dtype(
    [("p", "<f4", 3), ("n", "i1", 4), ("uv", "<f4", 2), ("c", "u1", 4), ("w", "<u2", 4), ("index", "<u2", 4)]
)


@dataclass(frozen=True)
class Begun:
    """What is being drawn: into a part of the picture (x0, y0, x1, y1), at so many pixels; cells: see ``darken``."""

    view: View
    contents: Contents
    shadow: Shadow | None
    region: Region
    cells: Array
    size: tuple[int, int]
    seconds: float


class Renderer:
    """Everything on the graphics card for pictures of one size."""

    def __init__(self, context: Context, width: int, height: int, *, samples: int = 4) -> None:
        if not 0 <= samples <= 8:
            raise ValueError(f"renderer: {samples} samples; 0 to 8 are possible")
        self.width, self.height, self.samples, self._divisor = width, height, samples, 1
        common = gl.read_shader("frame.glsl")
        blocks = {"Frame": 0, "Joints": 1}

        def program(vertex: str, fragment: str) -> gl.Program:
            return gl.Program(context.header + common, gl.read_shader(vertex), gl.read_shader(fragment), blocks)

        self._character = program("character.vert", "character.frag")
        self._particles = program("particles.vert", "particles.frag")
        w, h = width + 1, height + 1  # the blur looks one texel further
        self._layer = gl.create_target(w, h, depth=True)
        self._over = gl.over(self._layer)
        self._shapes = gl.create_texture(atlas().shape[1], atlas().shape[0], GL.GL_RG8, atlas())
        self._multisampled = gl.create_target(w, h, samples=samples, depth=True) if samples else self._layer
        self._most, self.took = samples, 0.0  # seconds for the last picture in which something was drawn
        self._white = gl.create_texture(1, 1, GL.GL_RGBA8, np.full((1, 1, 4), 255, np.uint8))
        self._frame = gl.create_buffer(GL.GL_UNIFORM_BUFFER, 14 * 16, GL.GL_DYNAMIC_DRAW)
        self._joints = gl.create_buffer(GL.GL_UNIFORM_BUFFER, MAX_JOINTS * 48, GL.GL_DYNAMIC_DRAW)
        corners = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], np.float32)
        self._sprites = int(GL.glGenVertexArrays(1))
        GL.glBindVertexArray(self._sprites)
        gl.create_buffer(GL.GL_ARRAY_BUFFER, corners)
        gl.attributes(np.dtype([("corner", "<f4", 2)]))
        self._sprites_buffer = gl.create_buffer(GL.GL_ARRAY_BUFFER, Particles.LAYOUT.itemsize * 4096, GL.GL_STREAM_DRAW)
        gl.attributes(Particles.LAYOUT, 1, divisor=1)
        self._pixels = np.empty(h * w * 4, np.uint8)
        gl.check("while the renderer was set up")

    def load(self, model: Model) -> Body:
        """Put a model on the graphics card; ValueError when it has more joints than fit."""
        if len(model.joints) > MAX_JOINTS:
            raise ValueError(f"character: {len(model.joints)} joints, at most {MAX_JOINTS} fit")
        vertices = np.concatenate([pack(p) for p in model.primitives])
        offsets = np.cumsum([0] + [len(p.positions) for p in model.primitives])
        indices = np.concatenate([p.triangles + np.uint32(o) for p, o in zip(model.primitives, offsets, strict=False)])
        array = int(GL.glGenVertexArrays(1))
        GL.glBindVertexArray(array)
        buffers = (
            gl.create_buffer(GL.GL_ARRAY_BUFFER, vertices),
            gl.create_buffer(GL.GL_ELEMENT_ARRAY_BUFFER, indices.astype(np.uint32)),
        )
        gl.attributes(VERTEX)
        GL.glBindVertexArray(0)
        textures = tuple(gl.create_texture(i.shape[1], i.shape[0], GL.GL_RGBA8, i, mipmaps=True) for i in model.images)
        parts, start = [], 0
        for primitive in model.primitives:
            m, count = primitive.material, primitive.triangles.size
            texture = textures[m.image] if m.image >= 0 else self._white
            surface = (m.roughness, float(m.unlit), 0.6, float(m.photo))
            parts.append((start * 4, count, texture, m.colour, surface, m.double_sided))
            start += count
        return Body(model, build_proxy(model), array, tuple(parts), buffers, textures)

    def refine(self, detail: Detail) -> None:
        """Draw as finely as this from now on; samples are those that it was made with, or none."""
        self.samples, self._divisor = self._most if detail.samples else 0, 2 if detail.half else 1

    def unload(self, body: Body) -> None:
        """Free a body; it must not be drawn again."""
        GL.glDeleteVertexArrays(1, [body.vertex_array])
        GL.glDeleteBuffers(len(body.buffers), list(body.buffers))
        if body.textures:
            GL.glDeleteTextures(list(body.textures))

    def draw(self, picture: Array, view: View, contents: Contents) -> Array:
        """The picture (H, W, 3) uint8 bgr8 with the contents in it, as a new array."""
        return self.finish(picture, self.begin(view, contents))

    def begin(self, view: View, contents: Contents) -> Begun | None:
        """Let OpenGL draw the figures, which goes on by itself; None when the picture shows nothing of the contents."""
        began = perf_counter()
        figures = [Posed(f) for f in contents.figures]
        shadow = cast([f.surface for f in figures], [f.height for f in figures], view, contents.light)
        found = touched(figures, shadow, view, contents, (self.width, self.height))
        if found is None:
            return None
        region, cells = found
        x0, y0, x1, y1 = region
        size = (-(-(x1 - x0 + 1) // self._divisor), -(-(y1 - y0 + 1) // self._divisor))
        self._upload_frame(view, contents, region, figures)
        self._draw_figures(figures, contents.light, size)
        GL.glFlush()
        return Begun(view, contents, shadow, region, cells, size, perf_counter() - began)

    def finish(self, picture: Array, begun: Begun | None) -> Array:
        """The picture (H, W, 3) uint8 bgr8 with what was begun, before anything else was, in it, as a new array."""
        if picture.shape != (self.height, self.width, 3) or picture.dtype != np.uint8:
            raise ValueError(f"renderer for {self.width}x{self.height} bgr8 was given {picture.shape} {picture.dtype}")
        began, out = perf_counter(), picture.copy()
        if begun is None:
            return out
        (x0, y0, x1, y1), (w, h), light = begun.region, begun.size, begun.contents.light
        if begun.shadow is not None:
            darken(out[y0:y1, x0:x1], begun.shadow, begun.view, begun.region, begun.cells)
        self._complete(begun.contents.particles, w, h)
        layer = self._pixels[: w * h * 4].reshape(h, w, 4)
        gl.read_pixels(layer)
        if self._divisor > 1:
            layer = np.asarray(cv2.resize(layer, (x1 - x0 + 1, y1 - y0 + 1), interpolation=cv2.INTER_LINEAR))
        put_over(out[y0:y1, x0:x1], layer, light.blur, light.grain, light.seed)
        self.took = begun.seconds + perf_counter() - began
        return out

    def _upload_frame(self, view: View, contents: Contents, region: Region, figures: list[Posed]) -> None:
        k, light = view.intrinsics, contents.light
        d = (*k.distortion[:8], *([0.0] * (8 - len(k.distortion[:8]))))
        if k.fisheye:  # k1, k2, k3, k4 go where the others have their k1, k2, k3, k4
            d = (d[0], d[1], 0.0, 0.0, d[2], d[3], 0.0, 0.0)
        corners = k.rays(np.array([[0, 0], [k.width, 0], [0, k.height], [k.width, k.height]], np.float64))
        trusted = float(np.nan_to_num((corners[:, :2] ** 2).sum(1), nan=1e6).max()) * 1.3
        T = inverse(view.T_map_camera)
        near, far = 0.02, 50.0
        if figures:
            points = [f.points for f in figures]
            if contents.particles is not None:
                points.append(contents.particles.records["particle"][:, :3].astype(np.float64))
            depth = np.concatenate(points) @ T[2, :3] + T[2, 3]
            far = max(float(depth.max()) * 2, 0.1)
            near = max(float(depth.min()) * 0.5, far / 2000)
        feet = 0.18 * max((f.height for f in figures), default=1.0)
        x0, y0, x1, y1 = region
        block = np.array(
            [
                (k.fx, k.fy, k.cx, k.cy),
                (x0 - light.blur, y0 - light.blur, float(k.fisheye), 0),
                (d[0], d[1], d[4], trusted),
                (d[5], d[6], d[7], near),
                (d[2], d[3], far, feet),
                *T[:3],
                (*view.T_map_camera[:3, 3], x1 - x0 + 1),
                (*view.plane.normal, view.plane.distance),
                (*light.direction, y1 - y0 + 1),
                (*light.sun, 0),
                (*light.sky, 0),
                (*light.ground, 0),
            ],
            np.float32,
        )
        GL.glBindBufferBase(GL.GL_UNIFORM_BUFFER, 0, self._frame)
        GL.glBindBufferBase(GL.GL_UNIFORM_BUFFER, 1, self._joints)
        gl.update_buffer(GL.GL_UNIFORM_BUFFER, self._frame, block)

    def _draw_figures(self, figures: list[Posed], light: Light, size: tuple[int, int]) -> None:
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, (self._multisampled if self.samples else self._layer).id)
        GL.glViewport(0, 0, *size)
        GL.glEnable(GL.GL_SCISSOR_TEST)
        GL.glScissor(0, 0, *size)
        GL.glClearColor(0, 0, 0, 0)
        GL.glDepthMask(True)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)
        GL.glEnable(GL.GL_DEPTH_TEST)
        GL.glDepthFunc(GL.GL_LEQUAL)
        GL.glDisable(GL.GL_BLEND)
        GL.glFrontFace(GL.GL_CW)  # the picture's first row is drawn at the bottom: everything is mirrored
        for posed in figures:
            self._draw_figure(posed, light)

    def _complete(self, particles: Particles | None, width: int, height: int) -> None:
        """The samples become pixels, and particles come over them."""
        some = particles is not None and len(particles.records) > 0
        if self.samples:
            GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, self._multisampled.id)
            GL.glBindFramebuffer(GL.GL_DRAW_FRAMEBUFFER, self._layer.id)
            box = (0, 0, width, height)
            what = GL.GL_COLOR_BUFFER_BIT | (GL.GL_DEPTH_BUFFER_BIT if some else 0)
            GL.glBlitFramebuffer(*box, *box, what, GL.GL_NEAREST)
            GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._layer.id)
        if particles is not None and some:
            self._draw_particles(particles)
        GL.glDisable(GL.GL_SCISSOR_TEST)
        GL.glDisable(GL.GL_CULL_FACE)
        GL.glDisable(GL.GL_DEPTH_TEST)
        GL.glDisable(GL.GL_BLEND)

    def _draw_figure(self, posed: Posed, light: Light) -> None:
        body = posed.figure.body
        gl.update_buffer(GL.GL_UNIFORM_BUFFER, self._joints, posed.skin[:, :3].astype(np.float32))
        self._character.use(base=0)
        GL.glActiveTexture(GL.GL_TEXTURE0)
        GL.glUniform3f(self._character["gain"], *posed.figure.gain)
        GL.glUniform3f(self._character["reference"], *light.reference)
        GL.glBindVertexArray(body.vertex_array)
        for start, count, texture, colour, surface, double_sided in body.parts:
            (GL.glDisable if double_sided else GL.glEnable)(GL.GL_CULL_FACE)
            GL.glBindTexture(GL.GL_TEXTURE_2D, texture)
            GL.glUniform4f(self._character["factor"], *colour)
            GL.glUniform4f(self._character["surface"], *surface)
            GL.glDrawElements(GL.GL_TRIANGLES, count, GL.GL_UNSIGNED_INT, ctypes.c_void_p(start))

    def _draw_particles(self, particles: Particles) -> None:
        """Over the figures, each with one sample per pixel: how they fade into what is behind them is in the shader."""
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._over)
        GL.glEnable(GL.GL_BLEND)
        GL.glBlendFunc(GL.GL_ONE, GL.GL_ONE_MINUS_SRC_ALPHA)
        GL.glDisable(GL.GL_DEPTH_TEST)
        GL.glDisable(GL.GL_CULL_FACE)
        self._particles.use(shapes=0, behind=1)
        for unit, texture in ((1, self._layer.depth), (0, self._shapes)):
            GL.glActiveTexture(GL.GL_TEXTURE0 + unit)
            GL.glBindTexture(GL.GL_TEXTURE_2D, texture)
        GL.glBindVertexArray(self._sprites)
        gl.update_buffer(GL.GL_ARRAY_BUFFER, self._sprites_buffer, particles.records[-4096:])
        GL.glDrawArraysInstanced(GL.GL_TRIANGLE_STRIP, 0, 4, min(len(particles.records), 4096))

    def pick(self, pixel: tuple[float, float], view: View, figures: Sequence[Figure]) -> int:
        """Index of the figure under the pixel, -1 when there is none; the nearest wins."""
        ray = view.T_map_camera[:3, :3] @ view.intrinsics.rays(np.array([pixel], np.float64))[0]
        origin = view.T_map_camera[:3, 3]
        hits = [intersect(Posed(f).points, f.body.proxy.triangles, origin, ray) for f in figures]
        return int(np.argmin(hits)) if hits and min(hits) < np.inf else -1


def pack(p: Any) -> Array:
    out = np.zeros(len(p.positions), VERTEX)
    out["p"], out["uv"] = p.positions, p.uvs
    out["n"][:, :3] = np.round(np.clip(p.normals, -1, 1) * 127)
    out["c"] = np.round(np.sqrt(np.clip(p.colours, 0, 1)) * 255)  # roots: dark colours keep their steps
    weights = np.round(p.weights * 65535).astype(np.int64)
    weights[np.arange(len(weights)), weights.argmax(1)] += 65535 - weights.sum(1)
    out["w"], out["index"] = weights, p.joints
    return out
