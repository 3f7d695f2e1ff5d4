"""Checkpoint → OpenVINO IR in INT8 + model card.

`python -m training.export segment --checkpoint out/segment.pt --out src/ar_segment/ar_segment/models`

Quantisation (NNCF, post-training) is calibrated on training samples; figures are measured on the validation pictures.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import yaml
from torch import nn

from training import augment, boxes, samples, synth
from training.nets import MEAN, SCALE, WIDTHS, Detector, Segmenter
from training.store import open_store

N_CALIBRATION = 300


def calibration_pictures(task: str, data: Path, cache: Path, width: int, height: int) -> Iterator[np.ndarray[Any, Any]]:
    """Normalised `(1, C, height, width) float32` inputs like those of the training."""
    rng = np.random.default_rng(7)
    store = open_store(data / "duts_tr", cache / "duts")
    stock = synth.Stock(store, synth.load_cutouts(data / "cutouts"), rng, 240)
    for _ in range(N_CALIBRATION):
        if task == "segment":
            picture = samples.sample(stock, rng, max(width, height)).picture
            picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        else:
            picture = boxes.sample(stock, rng, width, height).picture
        x = augment.light(torch.from_numpy(picture)[None].permute(0, 3, 1, 2).float(), rng)
        yield augment.normalised(x).contiguous().numpy()


def load(task: str, checkpoint: Path) -> nn.Module:
    weights = torch.load(checkpoint, weights_only=True)["average"]
    small = len(weights["encoder.stages.0.0.0.weight"]) < WIDTHS[0]
    net: nn.Module = Segmenter() if task == "segment" else Detector(small)
    net.load_state_dict(weights)
    return net.eval()


def export(
    task: str, checkpoint: Path, data: Path, cache: Path, out: Path, width: int, height: int, name: str
) -> dict[str, Path]:
    """Writes `<name>-f32.xml` and `<name>.xml` (INT8); returns both paths."""
    import nncf
    import openvino as ov

    net = load(task, checkpoint)
    example = torch.zeros(1, 4 if task == "segment" else 3, height, width)
    model = ov.convert_model(net, example_input=example, input=[tuple(example.shape)])
    roles = ("mask", "objectness") if task == "segment" else ("boxes",)
    for port, role in zip(model.outputs, roles, strict=True):
        port.get_tensor().set_names({role})
    out.mkdir(parents=True, exist_ok=True)
    files = {"f32": out / f"{name}-f32.xml", "int8": out / f"{name}.xml"}
    ov.save_model(model, files["f32"], compress_to_fp16=False)
    pictures = list(calibration_pictures(task, data, cache, width, height))
    quantised = nncf.quantize(
        model, nncf.Dataset(pictures), subset_size=len(pictures), preset=nncf.QuantizationPreset.MIXED
    )
    ov.save_model(quantised, files["int8"], compress_to_fp16=True)
    return files


def keep(checkpoint: Path, target: Path) -> None:
    """The averaged weights alone, as float16: what a later training goes on from (`--start`)."""
    weights = torch.load(checkpoint, weights_only=True)["average"]
    target.parent.mkdir(parents=True, exist_ok=True)
    half = {name: value.half() if value.dtype.is_floating_point else value for name, value in weights.items()}
    if not all(torch.isfinite(value).all() for value in half.values()):
        raise ValueError(f"{checkpoint}: holds weights that are too large for float16")
    torch.save({"average": half}, target)


def write_card(task: str, model: Path, width: int, height: int, about: dict[str, Any]) -> Path:
    channels = 4 if task == "segment" else 3
    card = {
        "name": f"tsukumo-{task}-{about.get('weights', 'research')}",
        "model": model.name,
        "decoding": "mask" if task == "segment" else "boxes_ltrb",
        "input": {
            "width": width,
            "height": height,
            "layout": "NCHW",
            "color": "bgr",
            "mean": list(MEAN[:channels]),
            "scale": list(SCALE[:channels]),
            "prompt": task == "segment",
        },
        "output": {"mask": "mask", "objectness": "objectness"} if task == "segment" else {"boxes": "boxes"},
        "about": about,
    }
    path = model.with_suffix(".yaml")
    path.write_text(yaml.safe_dump(card, sort_keys=False, width=118, allow_unicode=True), encoding="utf-8")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=("segment", "detect"))
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("/tmp/train"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, nargs=2, metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--name", help="of the files (default: the task)")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="leave the weights there too, float16")
    parser.add_argument(
        "--about", type=Path, help="YAML with data, licence, recipe, figures, limits for the model card"
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    width, height = args.size or ((192, 192) if args.task == "segment" else (256, 192))
    about = yaml.safe_load(args.about.read_text(encoding="utf-8")) if args.about else {}
    files = export(args.task, args.checkpoint, args.data, args.cache, args.out, width, height, args.name or args.task)
    if args.keep:
        keep(args.checkpoint, args.keep)
    for path in files.values():
        print(write_card(args.task, path, width, height, about))


if __name__ == "__main__":
    main()
