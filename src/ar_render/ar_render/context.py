"""One way to an OpenGL context without a display: EGL surfaceless, then an EGL device, then OSMesa.

EGL is called through ctypes, a dozen functions: PyOpenGL 3.1.10 cannot import its EGL with error checking off. Nothing here
needs a window system. A context belongs to the thread that made it current.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from .opengl import GL, MISSING, OSMESA_NAMES, PLATFORM, NoContextError

__all__ = ["BACKENDS", "Api", "Context", "NoContextError", "create_context"]

Api = Literal["gl", "gles"]
BACKENDS = ("surfaceless", "device", "osmesa")

_PLATFORM_SURFACELESS_MESA, _PLATFORM_DEVICE_EXT = 0x31DD, 0x313F
_OPENGL_API, _OPENGL_ES_API, _OPENGL_BIT, _OPENGL_ES3_BIT = 0x30A2, 0x30A0, 0x0008, 0x0040
_SURFACE_TYPE, _PBUFFER_BIT, _RENDERABLE_TYPE, _NONE = 0x3033, 0x0001, 0x3040, 0x3038
_MAJOR_VERSION, _MINOR_VERSION, _PROFILE_MASK, _CORE_PROFILE_BIT = 0x3098, 0x30FB, 0x30FD, 0x0001


@dataclass(frozen=True)
class Context:
    """A current OpenGL 3.3 core (``gl``) or OpenGL ES 3.0 (``gles``) context.

    ``header`` is what every shader source starts with.
    """

    api: Api
    backend: str
    renderer: str
    make_current: Callable[[], None]
    close: Callable[[], None]

    @property
    def header(self) -> str:
        if self.api == "gl":
            return "#version 330 core\n"
        return "#version 300 es\nprecision highp float;\nprecision highp int;\nprecision highp sampler2D;\n"


def create_context(api: Api = "gl", backends: tuple[str, ...] = BACKENDS) -> Context:
    """Make a context and make it current in this thread; raises NoContextError naming the missing package.

    Desktop GL falls back to GLES where only that exists (small boards).
    """
    unknown = set(backends) - set(BACKENDS)
    if unknown:
        raise ValueError(f"unknown GL backend {sorted(unknown)}; there are {', '.join(BACKENDS)}")
    complaints = []
    for backend in backends:
        for wanted in dict.fromkeys((api, "gles")):
            try:
                if backend == "osmesa":
                    return _osmesa(wanted)
                return _egl(wanted, backend)
            except (OSError, NoContextError) as error:
                complaints.append(f"{backend}/{wanted}: {error}")
    raise NoContextError(f"no OpenGL context ({'; '.join(complaints)}). {MISSING}")


def _egl(api: Api, backend: str) -> Context:
    egl = ctypes.CDLL("libEGL.so.1")
    for name in ("eglGetProcAddress", "eglCreateContext", "eglQueryString"):
        getattr(egl, name).restype = ctypes.c_void_p
    display = _surfaceless_display(egl) if backend == "surfaceless" else _device_display(egl)
    if not egl.eglInitialize(display, None, None):
        raise NoContextError(f"eglInitialize failed (EGL error {egl.eglGetError():#06x}): no Mesa driver")
    if not egl.eglBindAPI(_OPENGL_API if api == "gl" else _OPENGL_ES_API):
        raise NoContextError(f"EGL has no {api} interface")
    bit = _OPENGL_BIT if api == "gl" else _OPENGL_ES3_BIT
    config, count = ctypes.c_void_p(), ctypes.c_int()
    wanted = _ints(_SURFACE_TYPE, _PBUFFER_BIT, _RENDERABLE_TYPE, bit, _NONE)
    if not egl.eglChooseConfig(display, wanted, ctypes.byref(config), 1, ctypes.byref(count)) or count.value == 0:
        raise NoContextError(f"EGL offers no configuration for {api}")
    core = (_PROFILE_MASK, _CORE_PROFILE_BIT) if api == "gl" else ()
    version = _ints(_MAJOR_VERSION, 3, _MINOR_VERSION, 3 if api == "gl" else 0, *core, _NONE)
    handle = ctypes.c_void_p(egl.eglCreateContext(display, config, None, version))
    if not handle:
        raise NoContextError(f"eglCreateContext failed for {api} (EGL error {egl.eglGetError():#06x})")

    def make_current() -> None:
        egl.eglBindAPI(_OPENGL_API if api == "gl" else _OPENGL_ES_API)
        if not egl.eglMakeCurrent(display, None, None, handle):
            raise NoContextError(f"eglMakeCurrent failed (EGL error {egl.eglGetError():#06x})")

    def close() -> None:
        egl.eglMakeCurrent(display, None, None, None)
        egl.eglDestroyContext(display, handle)

    make_current()
    return Context(api, backend, _renderer("egl"), make_current, close)


def _surfaceless_display(egl: Any) -> ctypes.c_void_p:
    address = egl.eglGetProcAddress(b"eglGetPlatformDisplayEXT")
    if not address:
        raise NoContextError("EGL lacks eglGetPlatformDisplayEXT")
    get = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p)(address)
    display = get(_PLATFORM_SURFACELESS_MESA, None, None)
    if not display:
        raise NoContextError("no surfaceless EGL display")
    return ctypes.c_void_p(display)


def _device_display(egl: Any) -> ctypes.c_void_p:
    query = egl.eglGetProcAddress(b"eglQueryDevicesEXT")
    get = egl.eglGetProcAddress(b"eglGetPlatformDisplayEXT")
    if not query or not get:
        raise NoContextError("EGL cannot list devices")
    devices, count = (ctypes.c_void_p * 8)(), ctypes.c_int()
    ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(query)(
        8, devices, ctypes.byref(count)
    )
    prototype = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p)
    for i in range(count.value):
        display = prototype(get)(_PLATFORM_DEVICE_EXT, devices[i], None)
        if display and egl.eglInitialize(ctypes.c_void_p(display), None, None):
            return ctypes.c_void_p(display)
    raise NoContextError(f"none of {count.value} EGL devices initialises")


def _osmesa(api: Api) -> Context:
    if api != "gl":
        raise NoContextError("OSMesa has no GLES")
    for name in OSMESA_NAMES:
        try:
            mesa = ctypes.CDLL(name)
            break
        except OSError:
            continue
    else:
        raise NoContextError("libOSMesa is not installed (apt install libosmesa6)")
    mesa.OSMesaCreateContextAttribs.restype = ctypes.c_void_p
    rgba, unsigned_byte = 0x1908, 0x1401
    attributes = _ints(0x22, rgba, 0x30, 24, 0x33, 0x34, 0x36, 3, 0x37, 3, 0)  # format, depth bits, core profile, 3.3
    handle = ctypes.c_void_p(mesa.OSMesaCreateContextAttribs(attributes, None))
    if not handle:
        raise NoContextError("OSMesa gives no 3.3 core context")
    buffer = (ctypes.c_ubyte * (16 * 16 * 4))()

    def make_current() -> None:
        if not mesa.OSMesaMakeCurrent(handle, buffer, unsigned_byte, 16, 16):
            raise NoContextError("OSMesaMakeCurrent failed")

    make_current()
    return Context(api, "osmesa", _renderer("osmesa"), make_current, lambda: mesa.OSMesaDestroyContext(handle))


def _renderer(platform: str) -> str:
    """Who draws, as the current context says."""
    if platform != PLATFORM:
        raise NoContextError(f"PyOpenGL is set up for {PLATFORM}; set PYOPENGL_PLATFORM={platform}")
    name = GL.glGetString(GL.GL_RENDERER)
    if not name:
        raise NoContextError("the context answers no glGetString")
    return str(name.decode())


def _ints(*values: int) -> ctypes.Array[ctypes.c_int]:
    return (ctypes.c_int * len(values))(*values)
