"""Draws a person of `training.humans`: a portrait on a transparent ground, and its labels. Software OpenGL is enough."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_render.context import create_context
from ar_render.gl import Program, attributes, create_buffer, create_target, create_texture, read_pixels
from ar_render.opengl import GL
from training.humans import EYE, TEXTURED, Piece
from training.store import Pixels
from training.synth import Rng

Matrix = NDArray[np.float64]

SIDE = 480
"""Pixels of what is drawn; half of it is returned."""

SHADOW_SIDE = 512
RECORD = np.dtype([("point", "<f4", 3), ("normal", "<f4", 3), ("rest", "<f4", 3), ("uv", "<f4", 2)])

VERTEX = """
layout(location = 0) in vec3 point; layout(location = 1) in vec3 normal;
layout(location = 2) in vec3 rest; layout(location = 3) in vec2 uv;
uniform mat4 camera; uniform mat4 lamp;
out vec3 at; out vec3 n; out vec3 r; out vec2 t; out vec3 lit;
void main() {
    at = point; n = normal; r = rest; t = uv;
    vec4 l = lamp * vec4(point, 1.0); lit = 0.5 * l.xyz + 0.5;
    gl_Position = camera * vec4(point, 1.0);
}
"""

FRAGMENT = """
in vec3 at; in vec3 n; in vec3 r; in vec2 t; in vec3 lit;
uniform sampler2D picture; uniform sampler2D regions; uniform sampler2D depths;
uniform int paint; uniform int label; uniform int mode;  // 0 colours, 1 labels, 2 depths alone
uniform vec3 tint; uniform vec3 eye_place; uniform vec2 gaze; uniform vec3 hair; uniform vec3 cloth; uniform vec4 style;
uniform vec3 viewer; uniform vec3 sun; uniform vec3 sun_colour; uniform vec3 fill; uniform vec3 fill_colour;
uniform vec3 sky; uniform vec3 earth; uniform float shine; uniform vec3 collar;
layout(location = 0) out vec4 colour;
float hash(vec3 p) { return fract(sin(dot(p, vec3(12.99, 78.23, 37.72))) * 43758.5); }
float noise(vec3 p) {
    vec3 i = floor(p), f = smoothstep(0.0, 1.0, fract(p)); float s = 0.0;
    for (int k = 0; k < 8; k++) {
        vec3 o = vec3(k & 1, (k >> 1) & 1, k >> 2); vec3 w = mix(1.0 - f, f, o);
        s += w.x * w.y * w.z * hash(i + o);
    }
    return s;
}
float unshaded() {
    float sum = 0.0;
    for (int k = 0; k < 9; k++) {
        vec2 o = vec2(k % 3 - 1, k / 3 - 1) * 0.004;
        sum += lit.z - 0.008 < texture(depths, lit.xy + o).r ? 1.0 : 0.0;
    }
    return sum / 9.0;
}
void main() {
    vec4 base = texture(picture, t); int said = label; float gloss = shine;
    if (paint == 1 && base.a < 0.45) discard;
    if (mode == 2) { colour = vec4(1.0); return; }
    vec3 albedo = base.rgb;
    if (paint == 0) {
        albedo *= tint;
        int region = int(texture(regions, t).r * 255.0 + 0.5);
        float line = 0.6 * (r.y - 8.1) - 0.9 * (r.z - 1.35) + 0.1 * (noise(4.0 * r) - 0.5);
        float scalp = smoothstep(-0.03, 0.05, line) * (region == 8 ? 0.0 : 1.0) * smoothstep(6.4, 6.7, r.y);
        float grain = 0.6 + 0.8 * noise(60.0 * r);
        if (style.x > 0.5) albedo = mix(albedo, tint * vec3(0.86, 0.68, 0.58) * (0.9 + 0.2 * noise(9.0 * r)), scalp);
        else albedo = mix(albedo, hair * grain, 0.85 * scalp);
        if (scalp > 0.5 && style.x < 0.5) said = 13;
        float under = smoothstep(6.75, 6.6, r.y) * smoothstep(0.45, 0.75, r.z) * (region == 12 ? 0.0 : 1.0);
        under = max(under, smoothstep(6.98, 6.9, r.y) * smoothstep(6.6, 6.7, r.y) * smoothstep(1.35, 1.45, r.z)
            * (region == 12 ? 0.0 : 1.0) * smoothstep(0.45, 0.35, abs(r.x)));
        albedo = mix(albedo, hair * grain, style.y * under * step(-0.1, 0.4 * (r.y - 6.12) + 0.39 * (r.z - 1.42) + 0.25));
        if (region == 12) { albedo = mix(albedo, vec3(0.72, 0.25, 0.27) * tint, style.z); gloss *= 1.5; said = 12; }
        if (region == 10) said = 10;
        if (region == 8) said = 8;
        float below = r.z > 0.3 ? r.y - 6.12 + 0.436 * (r.z - 1.4) : r.y - 6.6;
        if (below < 0.0 && region != 10) said = 17;
        if (r.y < collar.x + collar.y * abs(r.x) + collar.z * step(0.0, r.z) * max(0.0, 0.8 - abs(r.x))) {
            albedo = cloth * (0.85 + 0.3 * noise(25.0 * r) + style.w * step(0.5, fract(6.0 * r.x))); said = 18; gloss *= 0.2;
        }
    } else if (paint == 1) {
        float bright = dot(albedo, vec3(0.3333)); albedo = tint * (label == 14 ? bright * 1.6 : 0.35 + 1.3 * bright);
        if (label == 13) gloss *= 1.2;
    } else if (paint == 2) {
        vec3 d = normalize(r - eye_place * vec3(sign(r.x), 1.0, 1.0));
        float c = acos(dot(d, normalize(vec3(gaze, 1.0))));
        albedo = vec3(0.80, 0.84, 0.88) * (0.75 + 0.25 * smoothstep(1.3, 0.4, c));
        if (c < 0.50) albedo = tint * (0.7 + 0.6 * noise(30.0 * d)) * (c > 0.44 ? 0.5 : 1.0);
        if (c < 0.21) albedo = vec3(0.02);
        gloss = 3.0;
    } else albedo = tint;
    if (mode == 1) { colour = vec4(vec3(float(said) / 255.0), 1.0); return; }
    albedo = pow(clamp(albedo, 0.0, 1.0), vec3(2.2));
    vec3 view = normalize(viewer - at); vec3 m = normalize(n);
    if (dot(m, view) < 0.0) m = -m;
    float shadow = unshaded();
    vec3 soft = paint == 0 ? vec3(0.25, 0.10, 0.05) : vec3(0.15);
    vec3 direct = clamp((dot(m, sun) + soft) / (1.0 + soft), 0.0, 1.0) * mix(0.12, 1.0, shadow);
    vec3 light = sun_colour * direct + fill_colour * clamp((dot(m, fill) + soft) / (1.0 + soft), 0.0, 1.0)
        + mix(earth, sky, 0.5 + 0.5 * m.y);
    vec3 halfway = normalize(sun + view);
    float spark = pow(max(dot(m, halfway), 0.0), paint == 2 ? 120.0 : 22.0) * gloss * shadow;
    vec3 out_light = albedo * light + 0.06 * spark * sun_colour * (paint == 1 ? sqrt(albedo) : vec3(1.0));
    colour = vec4(pow(clamp(out_light, 0.0, 1.0), vec3(1.0 / 2.2)), 1.0);
}
"""


@dataclass(frozen=True)
class Portrait:
    """`bgra (240, 240, 4)` and `labels (240, 240)` of CelebAMask-HQ, 0 outside."""

    bgra: Pixels
    labels: Pixels


def _perspective(focal: float, near: float, far: float) -> Matrix:
    depth, w = (near + far) / (near - far), 2 * near * far / (near - far)
    return np.array([[focal, 0, 0, 0], [0, focal, 0, 0], [0, 0, depth, w], [0, 0, -1, 0]])


def _looking(eye: Matrix, at: Matrix, up: Matrix) -> Matrix:
    z = (eye - at) / np.linalg.norm(eye - at)
    x = np.cross(up, z)
    x /= np.linalg.norm(x)
    rotation = np.stack([x, np.cross(z, x), z])
    return np.vstack([np.column_stack([rotation, -rotation @ eye]), [0, 0, 0, 1]])


def _normals(piece: Piece) -> Matrix:
    a, b, c = (piece.points[piece.triangles[:, k]] for k in range(3))
    out = np.zeros_like(piece.points)
    for k in range(3):
        np.add.at(out, piece.triangles[:, k], np.cross(b - a, c - a))
    total = np.zeros((piece.at.max() + 1, 3))  # corners of one vertex share its normal, whatever their texture
    np.add.at(total, piece.at, out)
    out = total[piece.at]
    return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9))


class Painter:
    """Draws people, one after the other, in one OpenGL context."""

    def __init__(self, assets: Path) -> None:
        header = create_context("gl").header
        self.program = Program(header, VERTEX, FRAGMENT, {})
        self.target = create_target(SIDE, SIDE, depth=True)
        self.shadows = create_target(SHADOW_SIDE, SHADOW_SIDE, depth=True)
        self.regions = create_texture(1024, 1024, GL.GL_RGBA8, _regions(assets / "mpfb" / "textures"))
        for key in (GL.GL_TEXTURE_MIN_FILTER, GL.GL_TEXTURE_MAG_FILTER):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, key, GL.GL_NEAREST)
        GL.glEnable(GL.GL_DEPTH_TEST)

    def __call__(self, pieces: list[Piece], rng: Rng) -> Portrait:
        """A portrait from somewhere in front of the person, in some light."""
        skin = pieces[0]
        head = skin.points[skin.rest[:, 1] > 6.15]
        low, high = head.min(0), head.max(0)
        middle, height = (low + high) / 2, float(high[1] - low[1])
        yaw, pitch = np.clip(rng.normal(0, 0.45), -1.3, 1.3), np.clip(rng.normal(0.05, 0.2), -0.6, 0.7)
        way = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
        distance = height * float(np.exp(rng.uniform(np.log(2.2), np.log(9))))
        up = np.array([rng.normal(0, 0.12), 1.0, 0.0])
        aim = middle + height * rng.normal(0, 0.06, 3) + [0, -0.05 * height, 0]
        viewer = aim + distance * way
        focal = 2 * distance / (height * rng.uniform(1.1, 1.8))
        camera = _perspective(focal, 0.2 * distance, 4 * distance + 20) @ _looking(viewer, aim, up)
        side = rng.normal(0, 0.9)
        sun = np.array([np.sin(yaw + side), rng.uniform(-0.1, 1.2), np.cos(yaw + side)])
        sun /= np.linalg.norm(sun)
        reach = 1.3 * height
        ortho = np.diag([1 / reach, 1 / reach, -1 / (3 * reach), 1.0])
        ortho[2, 3] = -2.0
        lamp = ortho @ _looking(middle + 6 * reach * sun, middle, np.array([0.05, 1.0, 0.1]))
        buffers = [self._upload(piece) for piece in pieces]
        self.program.use(picture=0, regions=1, depths=2)
        self._light(rng, viewer, sun, yaw)
        self._matrix("lamp", lamp)
        self._draw(pieces, buffers, self.shadows.id, SHADOW_SIDE, lamp, 2)
        colours = self._draw(pieces, buffers, self.target.id, SIDE, camera, 0)
        labels = self._draw(pieces, buffers, self.target.id, SIDE, camera, 1)
        for array, buffer, texture in buffers:
            GL.glDeleteVertexArrays(1, [array])
            GL.glDeleteBuffers(1, [buffer])
            GL.glDeleteTextures(1, [texture])
        colours[..., :3] *= colours[..., 3:] > 0
        half = (SIDE // 2, SIDE // 2)
        bgra: Pixels = np.array(cv2.resize(colours[..., [2, 1, 0, 3]], half, interpolation=cv2.INTER_AREA), np.uint8)
        cover = np.maximum(
            bgra[..., 3:].astype(np.float32) / 255, 1e-3
        )  # the colour of what is there, not of the ground
        bgra[..., :3] = np.clip(bgra[..., :3] / cover, 0, 255)
        said = np.ascontiguousarray(labels[::2, ::2, 0] * (labels[::2, ::2, 3] > 0))
        level = (
            float(bgra[said == 1, :3].mean()) if (said == 1).any() else 128.0
        )  # as a camera does: exposed for the face
        gain = np.clip(rng.uniform(70, 180) / max(level, 1.0), 0.5, 3.0)
        bgra[..., :3] = np.clip(bgra[..., :3] * gain, 0, 255)
        return Portrait(bgra, said)

    def _upload(self, piece: Piece) -> tuple[int, int, int]:
        record = np.zeros(len(piece.points), RECORD)
        record["point"], record["rest"], record["uv"] = piece.points, piece.rest, piece.uv
        record["normal"] = _normals(piece)
        array = int(GL.glGenVertexArrays(1))
        GL.glBindVertexArray(array)
        buffer = create_buffer(GL.GL_ARRAY_BUFFER, record[piece.triangles.ravel()])
        attributes(RECORD)
        h, w = piece.texture.shape[:2]
        return array, buffer, create_texture(w, h, GL.GL_RGBA8, piece.texture[..., [2, 1, 0, 3]], mipmaps=True)

    def _set(self, name: str, *values: float) -> None:
        getattr(GL, f"glUniform{len(values)}f")(self.program[name], *(float(v) for v in values))

    def _matrix(self, name: str, matrix: Matrix) -> None:
        GL.glUniformMatrix4fv(self.program[name], 1, True, matrix.astype(np.float32))

    def _light(self, rng: Rng, viewer: Matrix, sun: Matrix, yaw: float) -> None:
        warm = np.array([1.0, rng.uniform(0.88, 1.0), rng.uniform(0.7, 1.1)])
        self._set("viewer", *viewer)
        self._set("eye_place", *EYE)
        self._set("sun", *sun)
        self._set("sun_colour", *(rng.uniform(0.2, 1.1) * warm))
        other = np.array([np.sin(yaw + rng.normal(0, 1.2)), 0.3, np.cos(yaw)])
        self._set("fill", *(other / np.linalg.norm(other)))
        self._set("fill_colour", *(rng.uniform(0.0, 0.6) * rng.uniform(0.8, 1.0, 3)))
        ambient = rng.uniform(0.1, 0.5)
        self._set("sky", *(ambient * rng.uniform(0.8, 1.1, 3)))
        self._set("earth", *(ambient * rng.uniform(0.3, 0.8) * rng.uniform(0.7, 1.0, 3)))
        self._set("shine", rng.uniform(0.1, 1.6))
        self._set("gaze", *rng.normal(0, 0.15, 2))
        self._set("cloth", *rng.uniform(0.02, 0.95, 3))
        self._set("collar", rng.uniform(4.6, 5.7), rng.uniform(0.0, 0.35), -rng.uniform(0, 1.0))
        beard = rng.uniform(0.2, 0.9) if rng.random() < 0.15 else 0.0
        self._set("style", float(rng.random() < 0.3), beard, rng.uniform(0, 0.6), rng.choice([0.0, 0.3], p=[0.8, 0.2]))

    def _draw(
        self,
        pieces: list[Piece],
        buffers: list[tuple[int, int, int]],
        target: int,
        side: int,
        camera: Matrix,
        mode: int,
    ) -> Pixels:
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, target)
        GL.glViewport(0, 0, side, side)
        GL.glClearColor(0, 0, 0, 0)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)
        self._matrix("camera", camera)
        GL.glUniform1i(self.program["mode"], mode)
        hair = next(p.tint for p in pieces if p.paint == TEXTURED)  # that of the brows
        self._set("hair", *hair[::-1])
        for piece, (array, _, texture) in zip(pieces, buffers, strict=True):
            for unit, one in enumerate((texture, self.regions, self.shadows.depth if mode != 2 else 0)):
                GL.glActiveTexture(GL.GL_TEXTURE0 + unit)
                GL.glBindTexture(GL.GL_TEXTURE_2D, one)
            GL.glUniform1i(self.program["paint"], piece.paint)
            GL.glUniform1i(self.program["label"], piece.label)
            self._set("tint", *piece.tint[::-1])
            GL.glBindVertexArray(array)
            GL.glDrawArrays(GL.GL_TRIANGLES, 0, 3 * len(piece.triangles))
        out = np.empty((side, side, 4), np.uint8)
        if mode != 2:
            read_pixels(out)
        return np.ascontiguousarray(out[::-1])


def _regions(folder: Path) -> Pixels:
    """What of the skin is lips, ears, the mouth's inside, as labels, `(1024, 1024, 4)`; 0 elsewhere."""
    out = np.zeros((1024, 1024, 4), np.uint8)
    for name, label in (("ears", 8), ("lips", 12), ("inside-mouth", 10)):
        mask = cv2.imread(str(folder / f"mpfb_{name}.jpg"), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise ValueError(f"cannot decode {folder}/mpfb_{name}.jpg")
        out[cv2.resize(mask, (1024, 1024))[::-1] > 127] = label
    return out
