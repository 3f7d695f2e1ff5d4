"""PyOpenGL, set up before its first import: it fixes there and then how it finds its functions.

Everything in this package takes ``GL`` from here. EGL when its library is there, else OSMesa; PYOPENGL_PLATFORM decides
otherwise. Errors are not asked for after every call (a fifth of a frame's time); ``gl.check`` does that where it matters.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

MISSING = "on Debian and Ubuntu: apt install libegl1 libopengl0 libgl1-mesa-dri"
OSMESA_NAMES = ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so")


class NoContextError(RuntimeError):
    """No OpenGL context can be had here; the message says what to install."""


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


class _NoGL:
    """Stands for OpenGL where there is none, so that what needs none can be imported."""

    def __getattr__(self, name: str) -> Any:
        raise NoContextError(f"there is no OpenGL library; {MISSING}")


def _load() -> tuple[Any, Any, Any]:
    no_egl = not _loads("libEGL.so.1") and any(_loads(name) for name in OSMESA_NAMES)
    os.environ.setdefault("PYOPENGL_PLATFORM", "osmesa" if no_egl else "egl")
    try:
        import OpenGL

        OpenGL.ERROR_CHECKING = False
        OpenGL.ERROR_LOGGING = False
        import OpenGL.GL
        from OpenGL.raw.GL.VERSION import GL_1_0, GL_1_1
    except (ImportError, OSError, AttributeError, TypeError):
        return _NoGL(), _NoGL(), _NoGL()
    return OpenGL.GL, GL_1_0, GL_1_1


# For pixels the functions without PyOpenGL's wrapping: it sets modes that GLES does not have.
GL, GL10, GL11 = _load()
PLATFORM = os.environ["PYOPENGL_PLATFORM"]
