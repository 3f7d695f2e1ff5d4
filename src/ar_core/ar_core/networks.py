"""Runs a network that a model card describes, through OpenVINO on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.model_card import ModelCard, ModelError, read_card

Picture = NDArray[np.uint8]
Float = NDArray[np.float32]


class Network:
    """`network(picture) -> {role: array}`; made once, then called for every picture from one thread.

    `threads` inference threads; `cache` a folder for compiled models (a later start then takes milliseconds).
    Precision is pinned to float32 (or the INT8 the file holds): the same answer on every machine. Raises ModelError
    where the card or the model cannot be used, at construction and never later.
    """

    def __init__(self, card: ModelCard | Path, threads: int = 1, cache: Path | None = None) -> None:
        import openvino as ov  # here: the stages that run no network need no OpenVINO

        self.card = read_card(card) if isinstance(card, Path) else card
        core = ov.Core()
        options = cpu_options(threads)
        if cache is not None:
            options["CACHE_DIR"] = str(cache)
        model = _with_preprocessing(_read(core, self.card), self.card)
        try:
            compiled = core.compile_model(model, "CPU", options)
        except RuntimeError as error:
            raise self._unfitting(_first_line(error)) from None
        self._request = compiled.create_infer_request()
        self._ports = {role: self._port(compiled, where) for role, where in self.card.outputs.items()}
        self.shapes = {role: array.shape for role, array in self(self.blank()).items()}
        self._check()

    def blank(self) -> Picture:
        """A black input, `(height, width, 3 or 4) uint8`."""
        return np.zeros((self.card.height, self.card.width, self.card.channels), np.uint8)

    def __call__(self, picture: Picture) -> dict[str, Float]:
        """`picture (height, width, 3 or 4) uint8`, blue-green-red(-prompt) → outputs by role, batch axis dropped."""
        if picture.shape != (self.card.height, self.card.width, self.card.channels):
            raise ValueError(f"{self.card.name} takes {self.blank().shape} pictures, got {picture.shape}")
        if self.card.color == "rgb":
            picture = picture[..., [2, 1, 0, 3][: self.card.channels]]
        self._request.infer({0: np.ascontiguousarray(picture)[None]}, share_inputs=True)
        return {role: self._request.get_tensor(port).data[0].copy() for role, port in self._ports.items()}

    def _port(self, compiled: object, where: str | int) -> object:
        try:
            return compiled.output(where)  # type: ignore[attr-defined]
        except (RuntimeError, TypeError):
            ports = compiled.outputs  # type: ignore[attr-defined]
            names = [port.get_any_name() if port.get_names() else str(i) for i, port in enumerate(ports)]
            raise self._unfitting(f"has no output '{where}'; it has {', '.join(names)}") from None

    def _check(self) -> None:
        for role, shape in self.shapes.items():
            if role == "mask" and sorted(shape)[:-2] not in ([], [1]):
                raise self._unfitting(f"output '{role}' has shape {shape}, a mask is (1, height, width)")
            if role == "boxes" and (len(shape) != 3 or shape[0] not in (5, 6)):
                raise self._unfitting(f"output '{role}' has shape {shape}, boxes_ltrb is (5 or 6, rows, columns)")

    def _unfitting(self, why: str) -> ModelError:
        return ModelError(f"model {self.card.path} does not fit its card: {why}")


def cpu_options(threads: int) -> dict[str, Any]:
    """How OpenVINO compiles a network for one answer at a time, the same on every machine."""
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": max(1, threads),
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "f32",
        "ENABLE_CPU_PINNING": False,
    }


def read_network(card: ModelCard) -> object:
    """A card's network as OpenVINO reads it (`openvino.Model`); ModelError where it is missing or broken."""
    import openvino as ov

    return _read(ov.Core(), card)


def _read(core: object, card: ModelCard) -> object:
    if not card.path.is_file():
        raise ModelError(f"model {card.path} is missing: put it beside its card or correct 'model' there")
    try:
        return core.read_model(str(card.path))  # type: ignore[attr-defined]
    except RuntimeError as error:
        raise ModelError(f"model {card.path} is broken or of an unknown kind: {_first_line(error)}") from None


def _with_preprocessing(model: object, card: ModelCard) -> object:
    """Takes uint8 pictures, height x width x channels, and subtracts and divides inside the network."""
    import openvino as ov
    from openvino.preprocess import ColorFormat, PrePostProcessor

    n_inputs = len(model.inputs)  # type: ignore[attr-defined]
    if n_inputs != 1:
        raise ModelError(f"model {card.path} has {n_inputs} inputs; a card describes a network with one")
    sides = {"N": 1, "C": card.channels, "H": card.height, "W": card.width}
    wanted = ov.PartialShape([sides[axis] for axis in card.layout])
    found = model.inputs[0].get_partial_shape()  # type: ignore[attr-defined]
    if not found.compatible(wanted):
        raise ModelError(f"model {card.path} takes {found} pictures, its card says {card.layout} {wanted}")
    try:
        if found.is_dynamic:
            model.reshape(wanted)  # type: ignore[attr-defined]
        steps = PrePostProcessor(model)
        entry = steps.input()
        entry.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        if card.channels == 3:
            entry.tensor().set_color_format(ColorFormat.BGR if card.color == "bgr" else ColorFormat.RGB)
        entry.model().set_layout(ov.Layout(card.layout))
        entry.preprocess().convert_element_type(ov.Type.f32).mean(list(card.mean)).scale(list(card.scale))
        for i in range(len(model.outputs)):  # type: ignore[attr-defined]
            steps.output(i).tensor().set_element_type(ov.Type.f32)
        return steps.build()
    except RuntimeError as error:
        raise ModelError(f"model {card.path} does not fit its card: {_first_line(error)}") from None


def _first_line(error: BaseException) -> str:
    """OpenVINO's messages are pages long: the last line that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:200]


def fitted(picture: Picture, card: ModelCard) -> Picture:
    """`picture (H, W, C) uint8` squashed to the network's size."""
    h, w = picture.shape[:2]
    if (h, w) == (card.height, card.width):
        return picture
    smaller = h * w > card.height * card.width
    return np.asarray(
        cv2.resize(picture, (card.width, card.height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    )
