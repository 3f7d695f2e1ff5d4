"""What a theme is made of: props, motions and particle emitters, as a section of its file tells them.

Lengths are in body sizes (what limbs are measured by, about the height of the thing), so that a theme suits any body. Axes are
the character's: x to its left, y up, z to where it looks. docs/themes.md tells what the keys mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from ar_character.theme_file import Section
from ar_character.theme_mesh import PropMesh, read_mesh

PLACES = ("hand_L", "hand_R", "shoulder_L", "shoulder_R", "mouth", "chest", "back", "crown", "ground")
HOLDS = ("fixed", "upright", "hang", "aim")
SPRITES = ("dust", "glow", "spark", "flame", "note", "star", "confetti", "hoop", "heart", "crescent")
CHANNELS = (
    "hips_x", "hips_y", "hips_z", "lean", "turn", "roll", "bend_x", "bend_y", "bend_z", "head_x", "head_y", "head_z",
    "squash", "raise_L", "raise_R", "swing_L", "swing_R", "elbow_L", "elbow_R", "wrist_L", "wrist_R", "gaze_x", "gaze_y",
    "blink", "brows", "mouth",
)  # fmt: skip
BASES = ("rest", "idle", "walk", "hop", "dance", "wave", "sit", "sleep", "poked", "eat", "look", "awaken")

Vector = tuple[float, ...]
T = TypeVar("T")


@dataclass(frozen=True)
class Prop:
    """A thing that a character wears or holds; see docs/themes.md for the fields, which are the file's keys.

    points: places on it by name, in the mesh's own units; turn in degrees; spin in turns per second about its own y.
    """

    name: str
    mesh: PropMesh
    place: str
    size: float
    at: Vector
    turn: Vector
    hold: str
    aim: str
    ring: bool
    spin: float
    flap: Vector
    soft: int
    points: dict[str, Vector]


@dataclass(frozen=True)
class Gesture:
    """What a hand does in a clip: it is at a place, shifted by `at`, and moves by `stroke` as often as `beats` per clip;
    strike: it comes down on the place instead of swinging through it."""

    to: str
    at: Vector
    stroke: Vector
    beats: int
    phase: float
    strike: bool
    share: float


@dataclass(frozen=True)
class Motion:
    """A clip of a theme: laid over `base`, or the change to the clip of the same name; keys: channel -> rows (s, value)."""

    name: str
    base: str
    own: bool
    duration: float
    loop: bool
    pastime: bool
    keys: dict[str, tuple[Vector, ...]]
    hands: dict[str, Gesture]


@dataclass(frozen=True)
class Emitter:
    """Where particles come from and what becomes of them; see docs/themes.md for the fields, which are the file's keys."""

    name: str
    at: str
    shift: Vector
    sprite: str
    rate: float
    life: Vector
    size: Vector
    grow: float
    colours: tuple[Vector, ...]
    fade: tuple[Vector, ...]
    opacity: float
    glow: float
    go: Vector
    spread: float
    gravity: float
    drag: float
    swirl: float
    tumble: float
    follow: float
    clips: tuple[str, ...]
    window: Vector
    area: Vector


Dressing = tuple[dict[str, Prop], dict[str, Motion], dict[str, Emitter]]


def read_dressing(s: Section, worn: dict[str, Prop]) -> Dressing:
    """Props, motions and emitters of a section; `worn`: props that are there already."""
    props = dict(worn)
    for name, section in s.sections("props").items():
        props[name] = _prop(name, section, props)
    own = {k: p for k, p in props.items() if k not in worn or p is not worn[k]}
    motions = _each(s.sections("motions"), lambda name, section: _motion(name, section, props))
    return own, motions, _each(s.sections("particles"), lambda name, section: _emitter(name, section, props))


def _each(sections: dict[str, Section], make: Callable[[str, Section], T]) -> dict[str, T]:
    out = {}
    for name, section in sections.items():
        out[name] = make(name, section)
        section.done()
    return out


def _place(s: Section, key: str, props: dict[str, Prop], default: str | None = None) -> str:
    """A place on the body, a prop, or a point of a prop (`guitar.neck`)."""
    value = s.text(key, default)
    prop, _, point = value.partition(".")
    if prop in props and (not point or point in props[prop].points):
        return value
    if value not in PLACES:
        there = [*PLACES, *(f"{p.name}.{q}" for p in props.values() for q in p.points), *props]
        raise s.fail(key, f"there is no '{value}'; there are {', '.join(there)}")
    return value


def _prop(name: str, s: Section, props: dict[str, Prop]) -> Prop:
    mesh = Path(s.text("mesh"))
    if mesh.is_absolute() or ".." in mesh.parts:
        raise s.fail("mesh", f"'{mesh}' lies outside of the theme's folder")
    try:
        shape = read_mesh(s.file.parent / mesh)
    except ValueError as error:
        raise s.fail("mesh", str(error)) from error
    place = _place(s, "place", props)
    hold = s.choice("hold", HOLDS, "fixed")
    points = s.section("points")
    made = Prop(
        name=name,
        mesh=shape,
        place=place,
        size=s.number("size", None, 0.01, 5.0),
        at=s.numbers("at", 3, (0, 0, 0), -3, 3),
        turn=s.numbers("turn", 3, (0, 0, 0), -360, 360),
        hold=hold,
        aim=_place(s, "aim", props) if hold == "aim" else "",
        ring=s.flag("ring", False),
        spin=s.number("spin", 0, -10, 10),
        flap=s.numbers("flap", 2, (0, 0), -90, 90) if s.has("flap") else (0.0, 0.0),
        soft=int(s.number("soft", 0, 0, 8)),
        points={key: points.numbers(key, 3, None, -1e4, 1e4) for key in points.content},
    )
    s.done()
    return made


def _motion(name: str, s: Section, props: dict[str, Prop]) -> Motion:
    own = name not in BASES
    base = s.choice("base", BASES, "rest") if own else name
    keys = s.section("keys")
    for channel in keys.content:
        if channel not in CHANNELS:
            raise keys.fail(channel, f"no movement of the body; there are {', '.join(CHANNELS)}")
    rows = {channel: keys.points(channel, 2, -30, 30) for channel in keys.content}
    for channel, moments in rows.items():
        if not moments or any(b[0] <= a[0] for a, b in pairwise(moments)) or moments[0][0] < 0:
            raise keys.fail(channel, "the rows [seconds, value] must be there and go on in time")
    hands = {}
    for side, section in s.sections("hands").items():
        if side not in ("L", "R"):
            raise s.fail(f"hands.{side}", "hands are L and R")
        hands[side] = Gesture(
            _place(section, "to", props),
            section.numbers("at", 3, (0, 0, 0), -2, 2),
            section.numbers("stroke", 3, (0, 0, 0), -2, 2),
            int(section.number("beats", 1, 0, 64)),
            section.number("phase", 0, -1, 1),
            section.flag("strike", False),
            section.number("share", 1, 0, 1),
        )
        section.done()
    last = max((moments[-1][0] for moments in rows.values()), default=0.0)
    duration = s.number("duration", max(last, 0.1), 0.1, 30) if own and base == "rest" else 0.0
    return Motion(name, base, own, duration, s.flag("loop", False), s.flag("pastime", own), rows, hands)


def _emitter(name: str, s: Section, props: dict[str, Prop]) -> Emitter:
    return Emitter(
        name=name,
        at=_place(s, "from", props),
        shift=s.numbers("at", 3, (0, 0, 0), -3, 3),
        sprite=s.choice("sprite", SPRITES),
        rate=s.number("rate", None, 0.1, 400),
        life=s.numbers("life", 2, (1.0, 1.5), 0.05, 10),
        size=s.numbers("size", 2, None, 0.001, 2),
        grow=s.number("grow", 1, 0, 10),
        colours=s.colours("colours"),
        fade=s.colours("fade") if s.has("fade") else (),
        opacity=s.number("opacity", 1, 0.01, 1),
        glow=s.number("glow", 0, 0, 1),
        go=s.numbers("go", 3, (0, 0, 0), -20, 20),
        spread=s.number("spread", 0, 0, 180),
        gravity=s.number("gravity", 0, -20, 20),
        drag=s.number("drag", 0, 0, 20),
        swirl=s.number("swirl", 0, -10, 10),
        tumble=s.number("tumble", 0, -10, 10),
        follow=s.number("follow", 0, 0, 1),
        clips=s.names("clips"),
        window=s.numbers("window", 2, (0, 1e3), 0, 1e3),
        area=s.numbers("area", 3, (0, 0, 0), 0, 3),
    )
