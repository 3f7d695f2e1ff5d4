"""Where a character's particles come from and what becomes of them: the file's extras `emitters` (docs/themes.md), and feet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .feet import Foot
from .model import Model
from .sprites import SHAPES

Array = NDArray[Any]


@dataclass(frozen=True)
class Emitter:
    """One source of particles, metres and radians.

    joint: node; at, area (3,): in its frame; go (3,) m/s; follow: how much of the joint's later moves particles share, 0..1;
    colours (n, 3) and fade (m, 3) 0..1; window: seconds of a clip.
    """

    joint: int
    at: Array
    area: Array
    shape: int
    rate: float
    life: tuple[float, float]
    size: tuple[float, float]
    grow: float
    colours: Array
    fade: Array
    opacity: float
    glow: float
    go: Array
    spread: float
    gravity: float
    drag: float
    swirl: float
    tumble: float
    follow: float
    clips: tuple[str, ...]
    window: tuple[float, float]


def read_emitters(model: Model) -> tuple[Emitter, ...]:
    """The emitters of a model's extras; what cannot be understood there is left out: it is decoration."""
    listed = model.extras.get("emitters")
    out = []
    for told in listed if isinstance(listed, list) else []:
        try:
            out.append(_emitter(told, model))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            continue
    return tuple(out[:32])


def footsteps(model: Model, height: float, feet: Sequence[Foot]) -> tuple[Emitter, ...]:
    """Dust under each foot of a character: when it is put down, and after a hop."""
    puff: dict[str, Any] = {
        "sprite": "dust", "rate": 60, "life": [0.5, 0.9], "size": [0.06 * height, 0.11 * height], "grow": 2.2,
        "colours": [[0.88, 0.85, 0.80]], "opacity": 0.55, "go": [0, 0.35 * height, 0], "spread": 1.4, "drag": 4.0,
        "area": [0.14 * height, 0, 0.20 * height], "clips": ["hop"], "window": [0.68, 0.78],
    }  # fmt: skip
    rest = model.global_matrices(model.rest)
    out = []
    for foot in feet:
        sole = [0.0, -float(rest[foot.foot, 1, 3]), 0.03 * height]
        out.append(_emitter({**puff, "joint": model.names[foot.foot], "at": sole}, model))
    return tuple(out)


def _emitter(told: Mapping[str, Any], model: Model) -> Emitter:
    joint = model.node(str(told["joint"]))
    if joint < 0:
        raise ValueError("no such joint")
    low, high = _numbers(told.get("window", (0, 1e9)), 2)
    life, size = _numbers(told["life"], 2), _numbers(told["size"], 2)
    names = told.get("clips", ())
    return Emitter(
        joint,
        _numbers(told.get("at", (0, 0, 0)), 3),
        _numbers(told.get("area", (0, 0, 0)), 3),
        SHAPES.index(str(told["sprite"])),
        _number(told, "rate", 1.0, 0.1, 1000.0),
        (float(np.clip(life[0], 0.05, 20)), float(np.clip(life[1], 0.05, 20))),
        (abs(float(size[0])), abs(float(size[1]))),
        _number(told, "grow", 1.0, 0.0, 20.0),
        _colours(told.get("colours", [])) if told.get("colours") else np.ones((1, 3)),
        _colours(told.get("fade", [])),
        _number(told, "opacity", 1.0, 0.0, 1.0),
        _number(told, "glow", 0.0, 0.0, 1.0),
        _numbers(told.get("go", (0, 0, 0)), 3),
        _number(told, "spread", 0.0, 0.0, math.pi),
        _number(told, "gravity", 0.0, -100.0, 100.0),
        _number(told, "drag", 0.0, 0.0, 100.0),
        _number(told, "swirl", 0.0, -100.0, 100.0),
        _number(told, "tumble", 0.0, -100.0, 100.0),
        _number(told, "follow", 0.0, 0.0, 1.0),
        tuple(str(name) for name in names),
        (float(low), float(high)),
    )


def _number(told: Mapping[str, Any], key: str, default: float, low: float, high: float) -> float:
    value = float(told.get(key, default))
    if not low <= value <= high:
        raise ValueError(f"{key} {value}")
    return value


def _numbers(values: Any, count: int) -> Array:
    out = np.array([float(v) for v in values])
    if out.shape != (count,) or not np.isfinite(out).all() or np.abs(out).max() > 1e9:
        raise ValueError(f"{count} numbers")
    return out


def _colours(values: Any) -> Array:
    out = np.array([[float(c) for c in colour[:3]] for colour in values]).reshape(-1, 3)
    if not np.isfinite(out).all():
        raise ValueError("colours")
    return np.clip(out, 0, 1)
