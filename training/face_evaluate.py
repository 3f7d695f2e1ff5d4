"""Figures of the two face networks as the product uses them, INT8, one thread.

`python -m training.face_evaluate detect src/ar_detect/ar_detect/models/face.yaml`: unseen heads of 40 to 200 pixels in
unseen photographs of 640x480 without people, and the same photographs without faces.
`python -m training.face_evaluate segment src/ar_segment/ar_segment/models/face.yaml`: the 100 unseen portraits.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np

from ar_core.boxes import Box
from training import faces
from training.evaluate import overlay
from training.metrics import boundary_f, iou, match_boxes
from training.store import Pixels, validation_pairs

WITH_PEOPLE = """
13 22 31 35 38 72 109 125 155 167 168 169 170 171 172 173 174 175 176 177 178 181 182 183 185 186 188 191 192 198
199 205 206 207 208 210 212 213 214 220 222 224 226 229 230 232 233 236 240 246 249 250 257 259 262 263 267 270 272
274 275 278 280 282 283 284 286 287 291 292 293 294 297 298 300 302 303 304 308 309 310 315 318 321 325 327 328 331
332 334 335 336 337 338 344 345 347 349 351 353 356 358 361 368 371 372 373 376 381 384 386 387 391 392 395 396 397
400 403 405 406 411 413 420 423 427 428 429 434 435 436 437 439 440 449 452 453 457 458 461 462 468 472 475 476 477
478 479 480 481 483 486 487 488 490 492 493 494 495 496 497 498 499
"""
"""Of the last 500 pictures of DUTS-TR those that show people, or may: looked at one by one."""

WIDTH, HEIGHT = 640, 480
N_SCENES = 300


def face_free(data: Path) -> list[Pixels]:
    """Photographs without people, 640x480."""
    people = set(map(int, WITH_PEOPLE.split()))
    files = [image for k, (image, _) in enumerate(validation_pairs(data / "duts_tr")) if k not in people]
    return [cv2.resize(cv2.imread(str(f)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) for f in files]


def scenes(data: Path, places: list[Pixels]) -> list[tuple[Pixels, list[faces.Pasted]]]:
    """One to three heads in each, whole in the picture and apart, always the same ones."""
    rng = np.random.default_rng(5)
    portraits = faces.open_portraits(faces.validation_files(data / "faces"))
    out = []
    for k in range(N_SCENES):
        picture, pasted = places[k % len(places)].copy(), []
        for column in rng.permutation(3)[: int(rng.integers(1, 4))]:
            size = float(np.exp(rng.uniform(np.log(40), np.log(200))))
            at = (WIDTH * (column + 0.5) / 3 + rng.normal(0, 10), rng.uniform(0.7 * size, HEIGHT - 0.6 * size))
            one = faces.head(portraits, (7 * k + int(column)) % len(portraits), rng, size, at)
            faces.blend(picture, one.bgra, one.x, one.y)
            pasted.append(one)
        out.append((picture, pasted))
    return out


def detection(card: Path, data: Path, save: Path | None) -> dict[str, float]:
    from ar_detect.detector import Detector
    from ar_detect.sight import SURE_FACE

    detector = Detector(card, kind="face")
    places = face_free(data)
    times: list[float] = []

    def found(picture: Pixels) -> list[Box]:
        start = time.process_time()
        said = detector(picture)
        times.append(time.process_time() - start)
        return [d.box for d in said if d.score >= SURE_FACE]

    true = false = 0
    hits = dict.fromkeys(("box", "face", "head", "small"), 0)
    n_small = 0
    for k, (picture, pasted) in enumerate(scenes(data, places)):
        said = np.array(found(picture), np.float64).reshape(-1, 4)
        truth = [np.array([p.box() for p in pasted])]
        for part in (0, 1):
            at = [(*boxes[:2], *boxes[2:]) for boxes in (faces.boxes_of(p.labels)[part] for p in pasted)]
            truth.append(np.array([(x + p.x, y + p.y, w, h) for (x, y, w, h), p in zip(at, pasted, strict=True)]))
        true += len(pasted)
        for name, boxes in zip(("box", "face", "head"), truth, strict=True):
            hits[name] += match_boxes(said, boxes.astype(np.float64))
        small = truth[0][truth[1][:, 3] < 60]
        n_small += len(small)
        hits["small"] += match_boxes(said, small.astype(np.float64))
        false += len(said) - match_boxes(said, truth[0].astype(np.float64))
        if save is not None:
            _save(save / f"scene_{k:03d}.jpg", picture, said, truth[0])
    bare = [found(picture) for picture in places]
    if save is not None:
        for k, boxes in enumerate(bare):
            if boxes:
                _save(save / f"false_{k:03d}.jpg", places[k], np.array(boxes), np.zeros((0, 4)))
    return {
        "faces": true,
        "recall": hits["box"] / true,
        "recall at the face proper": hits["face"] / true,
        "recall at the whole head": hits["head"] / true,
        "recall under 60 px": hits["small"] / max(1, n_small),
        "false per 100 scenes": 100 * false / N_SCENES,
        "face-free pictures": len(bare),
        "false per 100 of them": 100 * sum(map(len, bare)) / len(bare),
        "cpu_ms": 1000 * float(np.median(times)),
    }


def _save(file: Path, picture: Pixels, said: np.ndarray, truth: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    out = picture.copy()
    for boxes, colour in ((truth, (0, 255, 0)), (said, (0, 0, 255))):
        for x, y, w, h in boxes.astype(int):
            cv2.rectangle(out, (x, y), (x + w, y + h), colour, 2)
    cv2.imwrite(str(file), out)


def segmentation(card: Path, data: Path, save: Path | None) -> dict[str, float]:
    from ar_segment.faces import WINDOW, FaceSegmenter
    from ar_segment.windows import around

    net = FaceSegmenter(card)
    rows, times = [], []
    for k, (image, mask) in enumerate(faces.validation_files(data / "faces")):
        bgr, labels = cv2.imread(str(image)), cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE)
        box = Box(*faces.box_between(*faces.boxes_of(labels)))
        start = time.process_time()
        found = net.box(bgr, box)
        if k >= 20:
            times.append(time.process_time() - start)
        window = around(box, WINDOW)
        look = net.see(bgr, window)
        head = faces.chosen(labels, faces.HEAD) > 0
        plain = faces.chosen(labels, (*faces.FACE, 8, 9, *faces.HAIR)) > 0
        row = [
            iou(found.mask > 127, head),
            iou(found.mask > 127, plain),
            boundary_f(found.mask > 127, head),
            found.doubt,
        ]
        matrix = np.array([[window.width / 80, 0, window.x], [0, window.height / 80, window.y]])
        regions = net.network(look.view)["regions"]
        parts = []
        for region, wanted in zip(regions, (faces.HAIR, faces.EYES, faces.MOUTH), strict=True):
            full = cv2.warpAffine(region, matrix, labels.shape[::-1]) > 0.5
            parts.append(full)
            truth = faces.chosen(labels, wanted) > 0
            row.append(iou(full, truth) if truth.any() else np.nan)
        row.append(iou((found.mask > 127) & ~parts[0], plain & (labels != 13)))
        rows.append(row)
        if save is not None:
            save.mkdir(parents=True, exist_ok=True)
            out = overlay(bgr, found.mask, faces.chosen(labels, faces.HEAD))
            for part, colour in zip(parts, ((255, 0, 0), (255, 255, 0), (255, 0, 255)), strict=True):
                lines, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
                cv2.drawContours(out, lines, -1, colour, 1)
            cv2.imwrite(str(save / f"{row[0]:.3f}_{image.stem}.jpg"), out)
    names = ("head", "face + hair without hats", "boundaryF", "doubt", "hair", "eyes", "mouth", "face")
    return {
        "n": len(rows),
        **{name: float(v) for name, v in zip(names, np.nanmean(np.array(rows), 0), strict=True)},
        "worst head": float(min(row[0] for row in rows)),
        "cpu_ms": 1000 * float(np.median(times)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=("detect", "segment"))
    parser.add_argument("card", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--save", type=Path, help="folder for pictures of the results")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    figures = (detection if args.task == "detect" else segmentation)(args.card, args.data, args.save)
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}, indent=1))


if __name__ == "__main__":
    main()
