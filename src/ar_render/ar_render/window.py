"""Pictures in a window of this machine's own display, through GLFW; what is clicked comes back as pixels of the picture.

GLFW is asked for an OpenGL ES 3.0 context made by EGL, as the rest of this package uses it. All calls belong to one thread, but
for ``wake``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from . import gl
from .opengl import GL, NoContextError

Array = NDArray[Any]
NO_DISPLAY = "neither DISPLAY nor WAYLAND_DISPLAY is set: there is no display to open a window on"


class NoWindowError(RuntimeError):
    """No window can be had here; the message says why, and what to do."""


def display() -> bool:
    """Whether this process has been told of a display."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@dataclass(frozen=True)
class Place:
    """Where a picture is shown in a window: as large as fits, in the middle, with its own proportions; pixels."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def of(cls, picture: tuple[int, int], window: tuple[int, int]) -> Place:
        """picture, window: width and height; a window may be minimised to nothing."""
        scale = min(window[0] / picture[0], window[1] / picture[1])
        width, height = round(picture[0] * scale), round(picture[1] * scale)
        return cls((window[0] - width) // 2, (window[1] - height) // 2, width, height)

    def pixel(self, x: float, y: float, picture: tuple[int, int]) -> tuple[float, float] | None:
        """The picture's pixel (centres are whole numbers) under a point of the window; None beside the picture."""
        if not (self.x <= x < self.x + self.width and self.y <= y < self.y + self.height):
            return None
        u, v = (x - self.x) / self.width * picture[0] - 0.5, (y - self.y) / self.height * picture[1] - 0.5
        return min(max(u, 0.0), picture[0] - 1.0), min(max(v, 0.0), picture[1] - 1.0)


class Screen:
    """Puts pictures onto a framebuffer of the current context."""

    def __init__(self) -> None:
        self._target, self._size = gl.create_target(1, 1), (1, 1)

    def draw(self, picture: Array, onto: int, size: tuple[int, int]) -> None:
        """picture (H, W, 3) bgr8 onto a framebuffer of this width and height, upright, with black around it."""
        height, width = picture.shape[:2]
        if (width, height) != self._size:
            GL.glDeleteFramebuffers(1, [self._target.id])
            GL.glDeleteTextures([self._target.texture])
            self._target, self._size = gl.create_target(width, height), (width, height)
        gl.update_texture(self._target.texture, GL.GL_RGBA, np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGBA)))
        GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, self._target.id)
        GL.glBindFramebuffer(GL.GL_DRAW_FRAMEBUFFER, onto)
        GL.glClearColor(0, 0, 0, 1)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT)
        at = Place.of((width, height), size)
        top = size[1] - at.y  # OpenGL counts rows from below
        corners = (at.x, top, at.x + at.width, top - at.height)
        GL.glBlitFramebuffer(0, 0, width, height, *corners, GL.GL_COLOR_BUFFER_BIT, GL.GL_LINEAR)


class Window:
    """One window; NoWindowError where there is no display, no GLFW or no OpenGL."""

    def __init__(self, title: str, width: int, height: int) -> None:
        if not display():
            raise NoWindowError(NO_DISPLAY)
        try:
            import glfw
        except ImportError as error:
            raise NoWindowError(f"the Python package glfw is missing ({error}): pip install glfw") from None
        self._glfw: Any = glfw
        self._problem = ""
        glfw.set_error_callback(self._on_error)
        if not glfw.init():
            raise NoWindowError(f"the display cannot be used: {self._problem}")
        try:
            for hint, value in (
                (glfw.CLIENT_API, glfw.OPENGL_ES_API),
                (glfw.CONTEXT_CREATION_API, glfw.EGL_CONTEXT_API),
                (glfw.CONTEXT_VERSION_MAJOR, 3),
                (glfw.CONTEXT_VERSION_MINOR, 0),
            ):
                glfw.window_hint(hint, value)
            self._window = glfw.create_window(width, height, title, None, None)
            if not self._window:
                raise NoWindowError(f"no window with OpenGL ES 3.0 can be opened: {self._problem}")
            glfw.make_context_current(self._window)
            self._screen = Screen()
        except (NoContextError, NoWindowError) as error:
            glfw.terminate()
            raise NoWindowError(str(error)) from None
        self._clicks: list[tuple[float, float]] = []
        self._picture: Array = np.zeros((height, width, 3), np.uint8)
        self._stale = True
        glfw.set_mouse_button_callback(self._window, self._on_button)
        glfw.set_key_callback(self._window, self._on_key)
        glfw.set_window_refresh_callback(self._window, lambda _: self._redraw())
        glfw.set_framebuffer_size_callback(self._window, lambda *_: self._redraw())

    @property
    def closed(self) -> bool:
        """Whether it was closed, or Escape pressed."""
        return bool(self._glfw.window_should_close(self._window))

    def show(self, picture: Array) -> None:
        """Show a picture (H, W, 3) bgr8 from now on."""
        self._picture = picture
        self._redraw()

    def clicks(self, wait_s: float) -> list[tuple[float, float]]:
        """Wait until something happens, or for so long; the picture's pixels that were clicked meanwhile."""
        self._glfw.wait_events_timeout(wait_s)
        clicked, self._clicks = self._clicks, []
        return clicked

    def wake(self) -> None:
        """End the waiting; from any thread."""
        self._glfw.post_empty_event()

    def close(self) -> None:
        """Take it away."""
        self._glfw.terminate()

    def _redraw(self) -> None:
        self._screen.draw(self._picture, 0, self._glfw.get_framebuffer_size(self._window))
        self._glfw.swap_buffers(self._window)

    def _on_error(self, code: int, words: bytes | str) -> None:
        self._problem = words.decode(errors="replace") if isinstance(words, bytes) else str(words)

    def _on_button(self, window: Any, button: int, action: int, _mods: int) -> None:
        if button != self._glfw.MOUSE_BUTTON_LEFT or action != self._glfw.PRESS:
            return
        picture = (self._picture.shape[1], self._picture.shape[0])
        place = Place.of(picture, self._glfw.get_window_size(window))
        x, y = self._glfw.get_cursor_pos(window)
        pixel = place.pixel(x, y, picture)
        if pixel is not None:
            self._clicks.append(pixel)

    def _on_key(self, window: Any, key: int, _scancode: int, action: int, _mods: int) -> None:
        if key == self._glfw.KEY_ESCAPE and action == self._glfw.PRESS:
            self._glfw.set_window_should_close(window, True)
