"""Model cards: a YAML file that says how a network file is fed and read, so that any user's model plugs in.

    name: my-segmenter
    model: my.onnx                  # ONNX, OpenVINO IR (.xml) or TensorFlow Lite, beside the card
    decoding: mask                  # what its outputs mean: mask, boxes_ltrb
    input: {width: 320, height: 320, layout: NCHW, color: rgb, mean: [124, 116, 104], scale: [58, 57, 57]}
    output: {mask: 0}               # role: name or position in the network; roles depend on the decoding
    about: {data: ..., licence: ..., recipe: ..., figures: ..., limits: ...}

Input = (value 0-255 - mean) / scale per channel, in the order of `color`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

DECODINGS = {"mask": ("mask",), "boxes_ltrb": ("boxes",)}
"""Decoding → the output roles it needs. `mask` may also name `objectness`."""


class ModelError(ValueError):
    """A card or a model that cannot be used: one line that says what, where and what to do."""


@dataclass(frozen=True)
class ModelCard:
    """How to feed and read one network; `prompt` says that the input has a fourth plane for box, tap or mask."""

    path: Path
    name: str
    decoding: str
    width: int
    height: int
    outputs: Mapping[str, str | int]
    layout: str = "NCHW"
    color: str = "bgr"
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    scale: tuple[float, ...] = (1.0, 1.0, 1.0)
    prompt: bool = False
    about: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def channels(self) -> int:
        return 4 if self.prompt else 3


def read_card(path: Path) -> ModelCard:
    """Reads and checks a card; raises ModelError."""

    def fail(what: str) -> ModelError:
        return ModelError(f"model card {path}: {what}")

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(f"model card {path} cannot be read: {error.strerror}") from None
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise fail(f"is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(raw, dict):
        raise fail("should be a mapping with model, decoding, input, output")
    for key, kind in (("model", str), ("decoding", str), ("input", dict), ("output", dict)):
        if not isinstance(raw.get(key), kind):
            raise fail(f"'{key}' is missing or not a {'mapping' if kind is dict else 'text'}")
    decoding, entry, outputs = raw["decoding"], raw["input"], raw["output"]
    if decoding not in DECODINGS:
        raise fail(f"decoding '{decoding}' is unknown, use one of {', '.join(DECODINGS)}")
    for role in DECODINGS[decoding]:
        if role not in outputs:
            raise fail(f"decoding '{decoding}' needs an output '{role}'")
    unknown = entry.keys() - {"width", "height", "layout", "color", "mean", "scale", "prompt"}
    if unknown:
        raise fail(f"input has an unknown key '{sorted(unknown)[0]}'")
    for side in ("width", "height"):
        if not isinstance(entry.get(side), int) or not 16 <= entry[side] <= 4096:
            raise fail(f"input {side} should be a whole number from 16 to 4096")
    layout, color = str(entry.get("layout", "NCHW")), str(entry.get("color", "bgr"))
    if layout not in ("NCHW", "NHWC") or color not in ("bgr", "rgb"):
        raise fail(f"input layout '{layout}' / color '{color}' should be NCHW or NHWC / bgr or rgb")
    prompt = entry.get("prompt", False) is True
    channels = 4 if prompt else 3
    try:
        mean = tuple(float(v) for v in entry.get("mean", [0.0] * channels))
        scale = tuple(float(v) for v in entry.get("scale", [1.0] * channels))
    except (TypeError, ValueError):
        raise fail("input mean and scale should be lists of numbers") from None
    if len(mean) != channels or len(scale) != channels or not all(v > 0 for v in scale):
        raise fail(f"input mean and scale need {channels} numbers each, and no scale of 0")
    return ModelCard(
        path=path.parent / raw["model"],
        name=str(raw.get("name", path.stem)),
        decoding=decoding,
        width=entry["width"],
        height=entry["height"],
        outputs=MappingProxyType(dict(outputs)),
        layout=layout,
        color=color,
        mean=mean,
        scale=scale,
        prompt=prompt,
        about=MappingProxyType(dict(raw.get("about") or {})),
    )


WEIGHTS = ("research", "clean")
"""Sets of our own weights: trained on research data as well, or on nothing but data that may be used for everything."""


def find_card(model: str, package: str, weights: str = "research") -> Path:
    """Where a card is: `model` names one of `package`'s own (`segment` → `models/segment.yaml`) or is a path.

    `weights`, one of WEIGHTS, chooses among our own: clean ones are in `models/segment-clean.yaml`. A path is what it is.
    """
    from importlib.resources import files

    if model.endswith((".yaml", ".yml")):
        return Path(model).expanduser()
    folder = Path(str(files(package))) / "models"
    own = sorted(p.stem for p in folder.glob("*.yaml"))
    suffix = "" if weights == "research" or model.endswith("-clean") else f"-{weights}"
    if model + suffix in own:
        return folder / f"{model}{suffix}.yaml"
    if model in own:
        raise ModelError(
            f"there are no {weights} weights of '{model}' in {package}: use weights {WEIGHTS[0]}, or the path of a model "
            "card (.yaml)"
        )
    raise ModelError(
        f"no model '{model}' in {package}: use one of {', '.join(own)}, or the path of a model card (.yaml)"
    )
