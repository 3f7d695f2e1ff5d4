"""The few OpenGL objects the renderer is made of. A context must be current; none of this is thread-safe."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .opengl import GL, GL10, GL11

Array = NDArray[Any]


def read_shader(name: str) -> str:
    """Source of a shader that ships with the package."""
    return resources.files("ar_render").joinpath("shaders", name).read_text()


class Program:
    """A linked pair of shaders: ``common`` source goes before both. Locations are looked up once."""

    def __init__(self, header: str, vertex: str, fragment: str, blocks: dict[str, int]) -> None:
        self.id = GL.glCreateProgram()
        for kind, source in ((GL.GL_VERTEX_SHADER, vertex), (GL.GL_FRAGMENT_SHADER, fragment)):
            shader = GL.glCreateShader(kind)
            GL.glShaderSource(shader, header + source)
            GL.glCompileShader(shader)
            if not GL.glGetShaderiv(shader, GL.GL_COMPILE_STATUS):
                raise RuntimeError(f"shader does not compile: {_text(GL.glGetShaderInfoLog(shader))}")
            GL.glAttachShader(self.id, shader)
            GL.glDeleteShader(shader)
        GL.glLinkProgram(self.id)
        if not GL.glGetProgramiv(self.id, GL.GL_LINK_STATUS):
            raise RuntimeError(f"shaders do not link: {_text(GL.glGetProgramInfoLog(self.id))}")
        for name, binding in blocks.items():
            index = GL.glGetUniformBlockIndex(self.id, name)
            if index != GL.GL_INVALID_INDEX:
                GL.glUniformBlockBinding(self.id, index, binding)
        self._locations: dict[str, int] = {}

    def use(self, **samplers: int) -> None:
        """Make it the current program; keyword arguments set samplers to texture units."""
        GL.glUseProgram(self.id)
        for name, unit in samplers.items():
            GL.glUniform1i(self[name], unit)

    def __getitem__(self, name: str) -> int:
        if name not in self._locations:
            self._locations[name] = GL.glGetUniformLocation(self.id, name)
        return self._locations[name]


@dataclass(frozen=True)
class Target:
    """A framebuffer with its colour texture (0 when multisampled), and its depth as a texture where that was wanted."""

    id: int
    texture: int
    depth: int = 0


def create_target(width: int, height: int, *, samples: int = 0, depth: bool = False, form: int = GL.GL_RGBA8) -> Target:
    """A framebuffer of this size; with samples > 0 it can only be blitted from."""
    framebuffer, colour = GL.glGenFramebuffers(1), 0
    GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, framebuffer)
    if samples:
        _renderbuffer(GL.GL_COLOR_ATTACHMENT0, form, width, height, samples)
    else:
        colour = create_texture(width, height, form)
        GL.glFramebufferTexture2D(GL.GL_FRAMEBUFFER, GL.GL_COLOR_ATTACHMENT0, GL.GL_TEXTURE_2D, colour, 0)
    behind = 0
    if depth and samples:
        _renderbuffer(GL.GL_DEPTH_ATTACHMENT, GL.GL_DEPTH_COMPONENT24, width, height, samples)
    elif depth:
        behind = _depth_texture(width, height)
        GL.glFramebufferTexture2D(GL.GL_FRAMEBUFFER, GL.GL_DEPTH_ATTACHMENT, GL.GL_TEXTURE_2D, behind, 0)
    _complete(f"{width}x{height} framebuffer with {samples} samples")
    return Target(int(framebuffer), int(colour), behind)


def over(target: Target) -> int:
    """A framebuffer with the colour of a target and without its depth, which may be read while this is drawn into."""
    framebuffer = int(GL.glGenFramebuffers(1))
    GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, framebuffer)
    GL.glFramebufferTexture2D(GL.GL_FRAMEBUFFER, GL.GL_COLOR_ATTACHMENT0, GL.GL_TEXTURE_2D, target.texture, 0)
    _complete("framebuffer without depth")
    return framebuffer


def _complete(what: str) -> None:
    status = GL.glCheckFramebufferStatus(GL.GL_FRAMEBUFFER)
    if status != GL.GL_FRAMEBUFFER_COMPLETE:
        raise RuntimeError(f"a {what} is incomplete ({status:#06x})")


def _depth_texture(width: int, height: int) -> int:
    """A texture of depths, read texel by texel."""
    texture = int(GL.glGenTextures(1))
    GL.glBindTexture(GL.GL_TEXTURE_2D, texture)
    depth, kind = GL.GL_DEPTH_COMPONENT, GL.GL_UNSIGNED_INT
    GL10.glTexImage2D(GL.GL_TEXTURE_2D, 0, GL.GL_DEPTH_COMPONENT24, width, height, 0, depth, kind, ctypes.c_void_p(0))
    for key in (GL.GL_TEXTURE_MIN_FILTER, GL.GL_TEXTURE_MAG_FILTER):
        GL.glTexParameteri(GL.GL_TEXTURE_2D, key, GL.GL_NEAREST)
    return texture


def _renderbuffer(attachment: int, form: int, width: int, height: int, samples: int) -> None:
    buffer = GL.glGenRenderbuffers(1)
    GL.glBindRenderbuffer(GL.GL_RENDERBUFFER, buffer)
    if samples:
        GL.glRenderbufferStorageMultisample(GL.GL_RENDERBUFFER, samples, form, width, height)
    else:
        GL.glRenderbufferStorage(GL.GL_RENDERBUFFER, form, width, height)
    GL.glFramebufferRenderbuffer(GL.GL_FRAMEBUFFER, attachment, GL.GL_RENDERBUFFER, buffer)


def create_texture(width: int, height: int, form: int, data: Array | None = None, *, mipmaps: bool = False) -> int:
    """A texture of immutable size; data (height, width, 1 to 4) uint8, first row at texture coordinate 0."""
    texture = int(GL.glGenTextures(1))
    GL.glBindTexture(GL.GL_TEXTURE_2D, texture)
    external = {GL.GL_R8: GL.GL_RED, GL.GL_RG8: GL.GL_RG, GL.GL_RGB8: GL.GL_RGB, GL.GL_SRGB8: GL.GL_RGB}
    GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
    pixels = None if data is None else np.ascontiguousarray(data)
    address = ctypes.c_void_p(0 if pixels is None else pixels.ctypes.data)
    GL10.glTexImage2D(
        GL.GL_TEXTURE_2D, 0, form, width, height, 0, external.get(form, GL.GL_RGBA), GL.GL_UNSIGNED_BYTE, address
    )
    wrap = GL.GL_REPEAT if mipmaps else GL.GL_CLAMP_TO_EDGE
    small = GL.GL_LINEAR_MIPMAP_NEAREST if mipmaps else GL.GL_LINEAR
    for key, value in (
        (GL.GL_TEXTURE_MIN_FILTER, small),
        (GL.GL_TEXTURE_MAG_FILTER, GL.GL_LINEAR),
        (GL.GL_TEXTURE_WRAP_S, wrap),
        (GL.GL_TEXTURE_WRAP_T, wrap),
    ):
        GL.glTexParameteri(GL.GL_TEXTURE_2D, key, value)
    if mipmaps:
        GL.glGenerateMipmap(GL.GL_TEXTURE_2D)
    return texture


def update_texture(texture: int, form: int, pixels: Array) -> None:
    """Write pixels (h, w) or (h, w, c) uint8 to the texture's corner; rows may be strided, as a cut of a picture is."""
    h, w = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    GL.glBindTexture(GL.GL_TEXTURE_2D, texture)
    GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
    GL.glPixelStorei(GL.GL_UNPACK_ROW_LENGTH, pixels.strides[0] // channels)
    address = ctypes.c_void_p(pixels.ctypes.data)
    GL11.glTexSubImage2D(GL.GL_TEXTURE_2D, 0, 0, 0, w, h, form, GL.GL_UNSIGNED_BYTE, address)
    GL.glPixelStorei(GL.GL_UNPACK_ROW_LENGTH, 0)


def read_pixels(into: Array) -> None:
    """Fill (h, w, 4) uint8 from the corner of the framebuffer that is bound."""
    h, w = into.shape[:2]
    GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
    GL10.glReadPixels(0, 0, w, h, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE, ctypes.c_void_p(into.ctypes.data))


def create_buffer(kind: int, data: Array | int, usage: int = GL.GL_STATIC_DRAW) -> int:
    """A buffer with this content, or of this many bytes."""
    buffer = int(GL.glGenBuffers(1))
    GL.glBindBuffer(kind, buffer)
    if isinstance(data, int):
        GL.glBufferData(kind, data, None, usage)
    else:
        GL.glBufferData(kind, data.nbytes, np.ascontiguousarray(data), usage)
    return buffer


def update_buffer(kind: int, buffer: int, data: Array) -> None:
    """Write data to the buffer's start."""
    GL.glBindBuffer(kind, buffer)
    GL.glBufferSubData(kind, 0, data.nbytes, data)


def attributes(layout: np.dtype[Any], first: int = 0, *, divisor: int = 0) -> None:
    """Describe the bound buffer's records to the bound vertex array: field i is attribute first + i.

    Float fields are passed as they are; int8/uint8/uint16 normalised, but those whose name starts with ``index``.
    """
    kinds = {"f4": GL.GL_FLOAT, "i1": GL.GL_BYTE, "u1": GL.GL_UNSIGNED_BYTE, "u2": GL.GL_UNSIGNED_SHORT}
    for i, name in enumerate(layout.names or ()):
        field, offset = layout.fields[name][:2]  # type: ignore[index]
        base, width = field.base, int(np.prod(field.shape)) if field.shape else 1
        kind, at = kinds[base.str[1:]], ctypes.c_void_p(offset)
        GL.glEnableVertexAttribArray(first + i)
        if name.startswith("index"):
            GL.glVertexAttribIPointer(first + i, width, kind, layout.itemsize, at)
        else:
            GL.glVertexAttribPointer(first + i, width, kind, base.kind in "iu", layout.itemsize, at)
        if divisor:
            GL.glVertexAttribDivisor(first + i, divisor)


def check(where: str) -> None:
    """RuntimeError when OpenGL has an error pending."""
    codes: list[str] = []
    while (code := GL.glGetError()) != GL.GL_NO_ERROR and len(codes) < 8:
        codes.append(f"{code:#06x}")
    if codes:
        raise RuntimeError(f"OpenGL error {', '.join(codes)} {where}")


def _text(log: bytes | str) -> str:
    return log.decode(errors="replace") if isinstance(log, bytes) else str(log)
