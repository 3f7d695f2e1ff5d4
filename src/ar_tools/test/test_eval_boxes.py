"""``tsukumo eval boxes``: exact figures of detections that are played, and one line about what cannot be read."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from ar_core.boxes import Box
from ar_tools.eval.boxes import eval_boxes, figures, is_clip
from ar_tools.eval.parser import add

CUP = Box(8, 12, 40, 30)


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers(dest="command"))
    return eval_boxes(parser.parse_args(["eval", "boxes", *map(str, words)]))


def masked(box: Box, label: int = 255) -> np.ndarray:
    mask = np.zeros((96, 128), np.uint8)
    x, y, w, h = (int(v) for v in box)
    mask[y : y + h, x : x + w] = label
    return mask


def write(folder: Path, name: str, picture: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(folder / name), picture)


def test_figures_of_played_detections_are_exact() -> None:
    """Four frames of one moving object: found, found under another id, missed with a false box, absent."""
    truths = [CUP, CUP.moved(4, 0), CUP.moved(8, 0), None]
    said = [[("1", truths[0])], [("2", truths[1])], [("2", Box(90, 60, 20, 20))], []]
    answers = iter(said)
    frames = [(np.zeros((96, 128, 3), np.uint8), masked(t) if t else np.zeros((96, 128), np.uint8)) for t in truths]
    found = figures(frames, lambda _: next(answers), clip=True)
    assert found == {"n": 4, "recall": 0.6667, "false_per_frame": 0.25, "id_switches": 1.0}


def test_single_pictures_have_no_ids_to_change() -> None:
    frames = [(np.zeros((96, 128, 3), np.uint8), masked(CUP))]
    assert figures(frames, lambda _: [("1", CUP)], clip=False)["id_switches"] is None


def test_a_mask_of_another_size_counts_in_the_pictures_pixels() -> None:
    half = cv2.resize(masked(CUP, 3), (64, 48), interpolation=cv2.INTER_NEAREST)
    found = figures([(np.zeros((96, 128, 3), np.uint8), half)], lambda _: [("1", CUP)], clip=False)
    assert (found["recall"], found["false_per_frame"]) == (1.0, 0.0)


def test_a_clip_is_recognised_by_its_frames(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    scene = cv2.resize(rng.integers(0, 255, (8, 10, 3), dtype=np.uint8), (160, 128), interpolation=cv2.INTER_LINEAR)
    for k in range(4):
        write(tmp_path / "clip", f"{k:03d}.png", scene[:96, 2 * k : 128 + 2 * k])
        other = rng.integers(0, 255, (8, 10, 3), dtype=np.uint8)
        write(tmp_path / "others", f"{k:03d}.png", cv2.resize(other, (128, 96), interpolation=cv2.INTER_LINEAR))
    assert is_clip(sorted((tmp_path / "clip").iterdir()))
    assert not is_clip(sorted((tmp_path / "others").iterdir()))


def test_the_command_tells_the_figures_under_the_promised_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bare grey pictures: nothing is there and nothing is found."""
    pytest.importorskip("openvino")
    for k in range(2):
        write(tmp_path / "images", f"{k}.png", np.full((96, 128, 3), 60 + 120 * k, np.uint8))
        write(tmp_path / "masks", f"{k}.png", np.zeros((96, 128), np.uint8))
    assert run(tmp_path / "images", tmp_path / "masks", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {"n": 2, "recall": None, "false_per_frame": 0.0, "id_switches": None}


def test_what_cannot_be_evaluated_is_one_line_and_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*words: object) -> str:
        assert run(*words, "--json") == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1
        return lines[0]

    images, masks = tmp_path / "images", tmp_path / "masks"
    assert "there is no such folder" in refused(images, masks)
    write(images, "a.png", np.zeros((96, 128, 3), np.uint8))
    masks.mkdir()
    assert "holds no pictures" in refused(images, masks)
    write(masks, "b.png", masked(CUP))
    assert "has no mask named a" in refused(images, masks)
    write(masks, "a.png", masked(CUP))
    write(images, "b.png", np.zeros((96, 128, 3), np.uint8))
    assert "no model 'nothing' in ar_detect" in refused(images, masks, "--model", "nothing")
    (images / "a.png").write_bytes(b"no picture")
    assert f"{images / 'a.png'}: cannot be read as a picture" in refused(images, masks)
