"""Pictures in a window: where they are shown, what is drawn, what is said where there is no display."""

from __future__ import annotations

import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest

from ar_render import gl
from ar_render.context import Context
from ar_render.opengl import GL
from ar_render.window import NoWindowError, Place, Screen, Window

PICTURE = (640, 480)


@pytest.mark.parametrize("window", [(640, 480), (1280, 960), (1000, 480), (640, 900), (333, 97)])
def test_a_pixel_is_found_where_it_is_shown(window: tuple[int, int]) -> None:
    place = Place.of(PICTURE, window)
    assert place.width == window[0] or place.height == window[1], "as large as fits"
    assert abs(place.width * 480 - place.height * 640) <= 640, "its own proportions, to half a pixel"
    assert abs((window[0] - place.width) - 2 * place.x) <= 1
    assert abs((window[1] - place.height) - 2 * place.y) <= 1
    for u, v in ((0.0, 0.0), (320.0, 100.0), (639.0, 479.0)):
        x = place.x + (u + 0.5) / 640 * place.width
        y = place.y + (v + 0.5) / 480 * place.height
        assert place.pixel(x, y, PICTURE) == pytest.approx((u, v), abs=1e-9)
    assert place.pixel(place.x, place.y, PICTURE) == (0.0, 0.0), "an edge belongs to the pixel beside it"
    for x, y in ((place.x - 1.0, place.y + 1.0), (place.x + place.width + 0.5, place.y + 1.0), (place.x + 1, -1.0)):
        assert place.pixel(x, y, PICTURE) is None


def test_a_window_that_shows_nothing_is_no_error() -> None:
    assert Place.of(PICTURE, (0, 0)).pixel(0.0, 0.0, PICTURE) is None


@pytest.mark.parametrize("api", ["gl", "gles"])
def test_the_picture_is_upright_and_black_around(contexts: dict[str, Context], api: str) -> None:
    contexts[api].make_current()
    screen, window = Screen(), gl.create_target(200, 120)
    rng = np.random.default_rng(0)
    for height, width in ((120, 160), (60, 80), (120, 100)):  # as large as it is, doubled, and of another size
        picture = rng.integers(0, 255, (height, width, 3), np.uint8)
        screen.draw(picture, window.id, (200, 120))
        shown = np.zeros((120, 200, 4), np.uint8)
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, window.id)
        gl.read_pixels(shown)
        seen = cv2.cvtColor(shown[::-1], cv2.COLOR_RGBA2BGR)  # a window's first row is at its top
        place = Place.of((width, height), (200, 120))
        inside = seen[place.y : place.y + place.height, place.x : place.x + place.width]
        if place.height == height:
            assert np.array_equal(inside, picture)
        else:
            expected = cv2.resize(picture, (place.width, place.height), interpolation=cv2.INTER_LINEAR)
            assert np.abs(inside.astype(int) - expected).max() <= 2
        assert not seen[:, : place.x].any()
        assert not seen[:, place.x + place.width :].any()
    gl.check("after drawing")


def test_without_a_display_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(NoWindowError, match="neither DISPLAY nor WAYLAND_DISPLAY is set"):
        Window("none", 64, 48)


def test_without_glfw_or_with_a_display_of_nobody_s_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":4711")
    monkeypatch.setitem(sys.modules, "glfw", None)
    with pytest.raises(NoWindowError, match="pip install glfw"):
        Window("none", 64, 48)
    monkeypatch.undo()
    program = (
        "import os; os.environ['DISPLAY'] = ':4711'; os.environ.pop('WAYLAND_DISPLAY', None)\n"
        "from ar_render.window import NoWindowError, Window\n"
        "try: Window('none', 64, 48)\n"
        "except NoWindowError as error: print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert said.returncode == 0, said.stderr
    assert "the display cannot be used" in said.stdout or "pip install glfw" in said.stdout


IN_XVFB = """
import numpy as np
from ar_render import gl
from ar_render.opengl import GL
from ar_render.window import Window
window = Window("Tsukumo", 320, 240)
glfw = window._glfw
picture = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
window.show(picture)
glfw.swap_buffers(window._window)  # what has been shown is behind again, or drawn anew
window._screen.draw(picture, 0, glfw.get_framebuffer_size(window._window))
shown = np.zeros((240, 320, 4), np.uint8)
GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, 0)
gl.read_pixels(shown)
assert np.array_equal(shown[::-1, :, 2::-1], picture)
glfw.get_cursor_pos = lambda _: (100.5, 20.5)
window._on_button(window._window, glfw.MOUSE_BUTTON_LEFT, glfw.PRESS, 0)
assert window.clicks(0.01) == [(100.0, 20.0)], "the pixel under the cursor"
assert not window.closed
window._on_key(window._window, glfw.KEY_ESCAPE, 0, glfw.PRESS, 0)
assert window.closed
window.close()
print("well")
"""


@pytest.mark.skipif(not (shutil.which("Xvfb") and shutil.which("xvfb-run")), reason="Xvfb is not installed")
def test_a_window_on_a_display() -> None:
    pytest.importorskip("glfw")
    line = ["xvfb-run", "-a", sys.executable, "-c", IN_XVFB]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "well", done.stderr
