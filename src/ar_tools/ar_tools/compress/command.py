"""The two commands: ``tsukumo profile`` tells what a network costs here, ``tsukumo compress`` makes one that fits a budget."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ar_core.model_card import ModelCard, ModelError, find_card, read_card
from ar_tools.compress import accuracy, energy, latency, prune
from ar_tools.compress.parser import NNCF

SIZES = (1.0, 0.8, 0.6, 0.4)
PARTS = (1.0, 0.75, 0.5, 0.25)
"""Of the input's sides, and of the inner channels."""

GRID = 32
LEAST_SIDE = 64


@dataclass(frozen=True)
class Variant:
    """A network that could be used: input size, part of the inner channels; what it costs, how much it still says."""

    width: int
    height: int
    part: float
    cost: float
    agreement: float | None = None

    def __str__(self) -> str:
        return f"{self.width}x{self.height}, {self.part:.0%} of the inner channels"


def card_of(model: str) -> Path:
    """Of our own models, or a path; ModelError where there is none."""
    return find_card(model, "ar_detect" if model.startswith("detect") else "ar_segment")


def profile(options: argparse.Namespace) -> int:
    """``tsukumo profile``."""
    card = read_card(card_of(options.model))
    model = latency.load(card)
    sizes = dict.fromkeys(_sizes(card))
    runs = [latency.measured(latency.at_size(model, card, *size), options.threads) for size in sizes]
    if not runs[0].blocks:
        raise ModelError(f"model {card.path} has no convolutions to measure")
    law = latency.fitted_model([block for run in runs for block in run.blocks])
    whole = runs[0]
    if options.json:
        figures = {
            "model": card.name, "width": whole.width, "height": whole.height, "threads": options.threads,
            "total_ms": round(whole.total_ms, 4), "law": asdict(law),
            "blocks": [{**asdict(b), "predicted_ms": round(law(b), 4)} for b in whole.blocks],
        }  # fmt: skip
        print(json.dumps(figures))
        return 0
    print(f"{card.name}, {whole.width}x{whole.height}, threads: {options.threads}; milliseconds, the fastest of many:")
    print(f"{'convolution':32} {'channels':>10} {'at':>9} {'MMACs':>7} {'kB':>6} {'ms':>7} {'law':>7}")
    for b in whole.blocks:
        channels, at = f"{b.channels_in}>{b.channels_out}", f"{b.columns}x{b.rows}"
        print(
            f"{b.name[-32:]:32} {channels:>10} {at:>9} {b.macs / 1e6:7.2f} {b.bytes / 1e3:6.0f} {b.ms:7.3f} {law(b):7.3f}"
        )
    print(f"an inference: {whole.total_ms:.3f} ms, of which convolutions {sum(b.ms for b in whole.blocks):.3f}")
    print(
        f"law: ms = {law.a:.4f} + {law.b * 1e6:.5f} per MMAC + {law.c * 1e6:.5f} per MB moved; R2 {law.r2:.2f} over {law.n} "
        f"convolutions at {len(sizes)} sizes"
    )
    return 0


def _sizes(card: ModelCard) -> list[tuple[int, int]]:
    """Input sizes from the card's own downwards, in steps that the networks take."""

    def side(n: int, factor: float) -> int:
        return n if factor == 1 else max(min(LEAST_SIDE, n), round(n * factor / GRID) * GRID)

    return list(dict.fromkeys((side(card.width, f), side(card.height, f)) for f in SIZES))


def compress(options: argparse.Namespace) -> int:
    """``tsukumo compress``."""
    card = read_card(card_of(options.model))
    unit, budget = ("ms", options.budget_ms) if options.budget_mj is None else ("mJ", options.budget_mj)
    pictures = accuracy.read_pictures(options.pictures)
    if unit == "mJ" and not energy.readable():
        energy.mean_mj(None)  # says why not
    inputs = [accuracy.network_input(p, card, card.width, card.height) for p in pictures]
    whole = model = latency.load(card)
    if options.int8:
        model = quantised(whole, inputs[::2], card)
    cost: Callable[[Any, int], float] = latency.median_ms if unit == "ms" else energy.mean_mj
    networks = {part: prune.pruned(model, part, inputs[::2]) for part in PARTS}
    variants = [
        Variant(w, h, part, cost(latency.at_size(networks[part], card, w, h), options.threads))
        for w, h in _sizes(card)
        for part in PARTS
    ]  # fmt: skip
    fitting = [v for v in variants if v.cost <= budget]
    if not fitting:
        fastest = min(variants, key=lambda v: v.cost)
        raise ValueError(
            f"no variant of {card.name} takes {budget:g} {unit} or less on this machine: the fastest of {len(variants)} "
            f"takes {fastest.cost:.3g} {unit} ({fastest})"
        )
    judged = judge(fitting, networks, whole, card, pictures[1::2])
    best = max(judged, key=lambda v: (v.agreement or 0.0, -v.cost))
    if (best.agreement or 0.0) < options.least:
        raise ValueError(
            f"within {budget:g} {unit} no variant of {card.name} says {options.least:g} of what the whole network does: the "
            f"best says {best.agreement:.3f} ({best}, {best.cost:.3g} {unit}); allow more time or less agreement"
        )
    written = write(latency.at_size(networks[best.part], card, best.width, best.height), card, best, unit, options.out,
                    len(pictures))  # fmt: skip
    report(judged, best, unit, written, options.json)
    return 0


def judge(
    variants: list[Variant], networks: dict[float, Any], model: Any, card: ModelCard, pictures: list[accuracy.Pixels]
) -> list[Variant]:
    """The variants with their agreement with `model` on `pictures`, which no weight was corrected with."""
    whole = latency.compiled(model, 1)
    wanted = [
        accuracy.answer(whole, card, accuracy.network_input(p, card, card.width, card.height)) for p in pictures
    ]  # fmt: skip
    out = []
    for v in variants:
        network = latency.compiled(latency.at_size(networks[v.part], card, v.width, v.height), 1)
        found = [
            accuracy.answer(network, card, accuracy.network_input(p, card, v.width, v.height)) for p in pictures
        ]  # fmt: skip
        out.append(replace(v, agreement=accuracy.agreement(wanted, found)))
    return out


def quantised(model: Any, inputs: list[accuracy.Float], card: ModelCard) -> Any:
    """INT8 after training, by NNCF; ValueError where that is not installed."""
    if any(op.get_type_name() == "FakeQuantize" for op in model.get_ordered_ops()):
        raise ValueError(f"model {card.path} is INT8 already: leave out --int8")
    try:
        import nncf
    except ImportError:
        raise ValueError(f"--int8 needs NNCF, which is not installed: .venv/bin/pip install {NNCF}") from None
    with contextlib.redirect_stdout(sys.stderr):  # it draws its progress
        return nncf.quantize(model, nncf.Dataset(inputs), subset_size=len(inputs), preset=nncf.QuantizationPreset.MIXED)


def write(model: Any, card: ModelCard, variant: Variant, unit: str, folder: Path, n_pictures: int) -> Path:
    """Network (IR) and card in `folder`; the card's path."""
    import openvino as ov

    folder.mkdir(parents=True, exist_ok=True)
    name = f"{card.name}-{variant.width}x{variant.height}-{round(100 * variant.part)}"
    file = folder / f"{name}.xml"
    ov.save_model(model, str(file), compress_to_fp16=False)
    about = dict(card.about)
    about["recipe"] = (
        f"{about.get('recipe', '')} Made smaller on a deployment's machine by `tsukumo compress`: {variant}, weights corrected "
        f"by least squares on {(n_pictures + 1) // 2} pictures given there."
    ).strip()
    about["figures"] = (
        f"{variant.cost:.3g} {unit} an inference on that machine; agreement with {card.name} on {n_pictures // 2} other "
        f"pictures of it {variant.agreement:.3f}. Of {card.name}: {about.get('figures', 'nothing is said')}"
    )
    text = {
        "name": name,
        "model": file.name,
        "decoding": card.decoding,
        "input": {
            "width": variant.width,
            "height": variant.height,
            "layout": card.layout,
            "color": card.color,
            "mean": list(card.mean),
            "scale": list(card.scale),
            "prompt": card.prompt,
        },
        "output": dict(card.outputs),
        "about": about,
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(text, sort_keys=False, width=118, allow_unicode=True), encoding="utf-8")
    read_card(path)
    return path


def report(variants: list[Variant], best: Variant, unit: str, card: Path, as_json: bool) -> None:
    """What was tried, what was taken."""
    if as_json:
        print(
            json.dumps(
                {"card": str(card), "chosen": asdict(best), "unit": unit, "fitting": [asdict(v) for v in variants]}
            )
        )
        return
    for v in sorted(variants, key=lambda v: v.cost):
        print(f"{'*' if v == best else ' '} {v.cost:8.3f} {unit}  agreement {v.agreement:.3f}  {v}")
    print(f"{card}\nto use it: model:={card} on the node's command line, or `model` in launch/config/tsukumo.yaml")
