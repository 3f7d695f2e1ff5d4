"""Checkpoint of a face network → OpenVINO IR in INT8 + model card.

`python -m training.face_export detect --checkpoint out/face-detect.pt --about training/cards/face-detect.yaml
--out src/ar_detect/ar_detect/models`; the same with `segment`. Quantisation (NNCF, post-training) is calibrated on
training samples.
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

from training import augment, face_detect, face_segment, faces
from training.face_nets import load
from training.nets import MEAN, SCALE
from training.store import training_pairs

N_CALIBRATION = 300
SIZES = {"detect": face_detect.SIZE, "segment": (face_segment.SIZE, face_segment.SIZE)}
ROLES = {"detect": ("boxes",), "segment": ("mask", "objectness", "regions")}


def calibration_pictures(task: str, data: Path) -> Iterator[np.ndarray[Any, Any]]:
    """Normalised `(1, 3, height, width) float32` inputs like those of the training."""
    rng = np.random.default_rng(7)
    portraits = faces.open_portraits(faces.training_files(data / "faces")[:300])
    photographs = face_detect.without_people(training_pairs(data / "duts_tr"), 200, None)
    places = faces.Places(photographs, face_detect.things_of(data / "cutouts"))
    for _ in range(N_CALIBRATION):
        if task == "detect":
            picture = faces.scene(portraits, places, rng, *SIZES[task]).picture
        else:
            picture = face_segment.sample(portraits, places, rng, face_segment.SIZE).picture
        x = augment.light(torch.from_numpy(augment.degrade(picture, rng))[None].permute(0, 3, 1, 2).float(), rng)
        yield augment.normalised(x).contiguous().numpy()


def export(task: str, checkpoint: Path, data: Path, out: Path, name: str) -> list[Path]:
    """Writes `<name>-f32.xml` and `<name>.xml` (INT8) with their cards; returns the models' paths."""
    import nncf
    import openvino as ov

    net = load(checkpoint)
    width, height = SIZES[task]
    example = torch.zeros(1, 3, height, width)
    model = ov.convert_model(net.eval(), example_input=example, input=[tuple(example.shape)])
    for port, role in zip(model.outputs, ROLES[task], strict=True):
        port.get_tensor().set_names({role})
    out.mkdir(parents=True, exist_ok=True)
    ov.save_model(model, out / f"{name}-f32.xml", compress_to_fp16=False)
    pictures = list(calibration_pictures(task, data))
    quantised = nncf.quantize(
        model, nncf.Dataset(pictures), subset_size=len(pictures), preset=nncf.QuantizationPreset.MIXED
    )
    ov.save_model(quantised, out / f"{name}.xml", compress_to_fp16=True)
    return [out / f"{name}-f32.xml", out / f"{name}.xml"]


def write_card(task: str, model: Path, about: dict[str, Any]) -> Path:
    width, height = SIZES[task]
    card = {
        "name": f"tsukumo-face-{task}-{about.get('weights', 'research')}",
        "model": model.name,
        "decoding": "boxes_ltrb" if task == "detect" else "mask",
        "input": {
            "width": width,
            "height": height,
            "layout": "NCHW",
            "color": "bgr",
            "mean": list(MEAN[:3]),
            "scale": list(SCALE[:3]),
        },
        "output": {role: role for role in ROLES[task]},
        "about": about,
    }
    path = model.with_suffix(".yaml")
    path.write_text(yaml.safe_dump(card, sort_keys=False, width=118, allow_unicode=True), encoding="utf-8")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=tuple(SIZES))
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", default="face", help="of the files")
    parser.add_argument("--about", type=Path, help="YAML with data, licence, recipe, figures, limits for the card")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    about = yaml.safe_load(args.about.read_text(encoding="utf-8")) if args.about else {}
    for path in export(args.task, args.checkpoint, args.data, args.out, args.name):
        print(write_card(args.task, path, about))


if __name__ == "__main__":
    main()
