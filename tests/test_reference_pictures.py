"""Pictures of a few characters against those that somebody has looked at, kept in ``references``.

The tolerance leaves room for another Mesa, other vector units and a graphics card; what a person would notice is beyond it:
the second half of this file spoils the pictures in such ways and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from perception import Difference, ciede2000, difference
from reference_scenes import SCENES, WARM, model_of, reference, taken

from ar_render import gl, scene
from ar_render.context import Context, NoContextError, create_context
from ar_render.model import Model

STRUCTURE, COLOUR = 0.93, 2.0
"""The least likeness and the largest difference in colour, over the worst square, that passes for the same picture."""


def same(d: Difference) -> bool:
    return d.structure >= STRUCTURE and d.colour <= COLOUR


@pytest.fixture(scope="module")
def contexts() -> Iterator[dict[str, Context]]:
    made: dict[str, Context] = {}
    try:
        for api in ("gl", "gles"):
            made[api] = create_context(api)  # type: ignore[arg-type]
    except NoContextError as error:
        pytest.skip(f"no OpenGL: {error}")
    yield made
    for context in made.values():
        context.close()


@pytest.mark.parametrize("api", ["gl", "gles"])
@pytest.mark.parametrize("name", SCENES)
def test_it_looks_as_it_did(contexts: dict[str, Context], name: str, api: str) -> None:
    assert contexts[api].api == api
    found = difference(taken(contexts[api], name), reference(name))
    assert same(found), found


@pytest.mark.parametrize("name", SCENES)
def test_desktop_gl_and_gles_draw_the_same(contexts: dict[str, Context], name: str) -> None:
    one, other = (taken(contexts[api], name) for api in ("gl", "gles"))
    assert np.abs(one.astype(int) - other).max() <= 3
    found = difference(one, other)
    assert found.structure >= 0.995, found
    assert found.colour <= 0.3, found


def without(model: Model, *joints: str) -> Model:
    """A model that lacks what follows these joints."""
    gone = [list(model.joints).index(model.node(name)) for name in joints]
    out = []
    for p in model.primitives:
        owner = p.joints[np.arange(len(p.joints)), p.weights.argmax(1)]
        keep = ~np.isin(owner[p.triangles], gone).all(1)
        assert keep.any()
        out.append(replace(p, triangles=p.triangles[keep]))
    return replace(model, primitives=tuple(out))


LOST: dict[str, tuple[str, ...]] = {
    "an arm": ("arm_R_1", "arm_R_2", "hand_R"),
    "a hand": ("hand_L",),
    "a leg": ("leg_L_1", "leg_L_2", "foot_L"),
    "an eye": ("eye_L", "pupil_L"),
    "a pupil": ("pupil_R",),
    "a lid": ("lid_L",),
    "the mouth": ("mouth",),
}


@pytest.mark.parametrize("what", LOST)
@pytest.mark.parametrize("name", SCENES)
def test_what_is_lost_is_noticed(contexts: dict[str, Context], name: str, what: str) -> None:
    found = difference(taken(contexts["gl"], name, without(model_of(name), *LOST[what])), reference(name))
    assert not same(found), found


def reshaded(monkeypatch: pytest.MonkeyPatch, file: str, old: str, new: str) -> None:
    """Let one shader be another."""
    read = gl.read_shader

    def changed(name: str) -> str:
        text = read(name)
        assert name != file or old in text, f"{file} has changed: mend this test"
        return text.replace(old, new) if name == file else text

    monkeypatch.setattr(gl, "read_shader", changed)


def no_shadow(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scene, "cast", lambda *_: None)


def shadow_not_decoded(patch: pytest.MonkeyPatch) -> None:
    """The shadow's share of the light, taken from encoded colours as if they were light."""
    patch.setattr("ar_render.shadow._ENCODED", np.arange(256, dtype=np.uint8))


def curve_applied_twice(patch: pytest.MonkeyPatch) -> None:
    reshaded(patch, "character.frag", "texture(base, v_uv).rgb", "pow(texture(base, v_uv).rgb, vec3(1.0 / 2.4))")


def light_not_encoded(patch: pytest.MonkeyPatch) -> None:
    """Light multiplied onto encoded colours as it is."""
    reshaded(patch, "character.frag", "* v_light - 0.055", "* pow(v_light, vec3(2.4)) - 0.055")


def red_for_blue(patch: pytest.MonkeyPatch) -> None:
    reshaded(patch, "character.frag", ".bgr, 1.0)", ".rgb, 1.0)")


def no_shading(patch: pytest.MonkeyPatch) -> None:
    reshaded(patch, "character.frag", "* v_light - 0.055", "- 0.055")


SPOILED: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    f.__name__: f
    for f in (no_shadow, shadow_not_decoded, curve_applied_twice, light_not_encoded, red_for_blue, no_shading)
}


@pytest.mark.parametrize("how", SPOILED)
@pytest.mark.parametrize("name", SCENES)
def test_wrong_light_is_noticed(
    contexts: dict[str, Context], monkeypatch: pytest.MonkeyPatch, name: str, how: str
) -> None:
    SPOILED[how](monkeypatch)
    found = difference(taken(contexts["gl"], name), reference(name))
    assert not same(found), found


@pytest.mark.parametrize("name", SCENES)
def test_a_lamp_elsewhere_or_a_step_aside_is_noticed(contexts: dict[str, Context], name: str) -> None:
    lamp = replace(WARM, direction=np.array([-0.35, -0.45, 0.82]))
    assert not same(difference(taken(contexts["gl"], name, light=lamp), reference(name)))
    aside = np.roll(reference(name), 2, axis=1)
    assert not same(difference(aside, reference(name)))


def test_the_measures_are_those_of_the_papers() -> None:
    """Pairs 1, 4, 7, 13, 16, 17 and 34 of the table of Sharma, Wu and Dalal."""
    pairs = [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, -0.0010, 2.4900), (50.0, 0.0009, -2.4900), 4.8045),
        ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ]
    one, two = (np.array([p[k] for p in pairs], np.float64) for k in (0, 1))
    assert ciede2000(one, two) == pytest.approx([p[2] for p in pairs], abs=1e-4)
    picture = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    alike = difference(picture, picture)
    assert alike.structure == pytest.approx(1, abs=1e-6)
    assert alike.colour == 0
    negative = difference(picture, 255 - picture)
    assert negative.structure < 0
    with pytest.raises(ValueError, match="cannot be compared"):
        difference(picture, picture[:-1])
