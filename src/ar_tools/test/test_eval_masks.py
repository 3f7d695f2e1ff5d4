"""``tsukumo eval masks`` and ``video``: exactly known figures, the promised keys, one line about what cannot be read."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("openvino")

from ar_core.boxes import Box, box_of
from ar_core.model_card import find_card
from ar_segment.segmenter import Segmentation, Segmenter
from ar_tools.eval import masks
from ar_tools.eval.masks_files import pairs, read_pair
from ar_tools.eval.masks_metrics import Scores, boundary_f, iou, most_interior
from ar_tools.eval.parser import add, run
from ar_tools.eval.video import evaluate_clip, over_time

SIZE = 160, 240


def tsukumo(*words: object) -> int:
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers(dest="command"))
    return run(parser.parse_args(["eval", *map(str, words)]))


def rectangle(x: int, y: int, width: int, height: int) -> np.ndarray:
    out = np.zeros(SIZE, np.uint8)
    out[y : y + height, x : x + width] = 255
    return out


class Oracle:
    """Answers what it was told to, one answer after the other, and keeps what it was asked."""

    def __init__(self, *answers: np.ndarray) -> None:
        self.answers = list(answers)
        self.asked: list[tuple] = []

    def _next(self, *question: object) -> Segmentation:
        self.asked.append(question)
        k = max(0, len(self.asked) - 1 - masks.WARM_UPS)
        return Segmentation(self.answers[k], 1.0, box_of(self.answers[k]))

    def salient(self, bgr):
        return self._next("none")

    def box(self, bgr, box):
        return self._next("box", *box)

    def tap(self, bgr, x, y):
        return self._next("tap", x, y)


@pytest.fixture
def data(tmp_path):
    """A function that leaves pictures with these true masks in a folder: images/ and masks/."""

    def make(*truths: np.ndarray, name: str = "data") -> Path:
        folder = tmp_path / name
        for k, truth in enumerate(truths):
            for kind in ("images", "masks"):
                (folder / kind).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / "masks" / f"p{k}.png"), truth)
            cv2.imwrite(str(folder / "images" / f"p{k}.jpg"), np.dstack([truth // 2 + 60] * 3))
        return folder

    return make


# ---- figures


def test_figures_of_known_masks() -> None:
    """One perfect answer, and one that is the left half of the truth: IoU ½, error ½ of the truth's part."""
    truth = rectangle(40, 40, 80, 60) > 127
    scores = Scores()
    assert scores.add(rectangle(40, 40, 80, 60), truth) == 1
    assert scores.add(rectangle(40, 40, 40, 60), truth) == 0.5
    found = scores.figures()
    assert (found.n, found.mIoU) == (2, 0.75)
    assert round(2400 / (160 * 240) / 2, 4) == found.MAE
    # precision 1 and 1, recall 1 and ½: of their means F = 1.3 · 1 · 0.75 / (0.3 + 0.75)
    assert found.maxF == round(1.3 * 0.75 / 1.05, 4)
    # 2 pixels of tolerance: of the half, 3 of 4 sides lie on the truth's boundary, up to the corners
    assert 0.75 < found.boundaryF < 0.9


def test_max_f_finds_the_threshold() -> None:
    """A soft answer that is wrong at 128 and right at 60."""
    truth = rectangle(0, 0, 100, 100) > 127
    soft = rectangle(0, 0, 100, 100) // 3
    soft[120:, 200:] = 30
    scores = Scores()
    assert scores.add(soft, truth) == 0
    assert scores.figures().maxF == 1


def test_boundary_f_has_its_tolerance() -> None:
    """0.75 % of the diagonal of 288 pixels are 2: a shift by 2 is no error, one by 8 is one on every side across it."""
    truth = rectangle(60, 40, 100, 80) > 127
    assert boundary_f(rectangle(62, 40, 100, 80) > 127, truth) > 0.98
    assert boundary_f(rectangle(68, 48, 100, 80) > 127, truth) < 0.1
    assert boundary_f(np.zeros(SIZE, bool), truth) == 0
    assert boundary_f(np.zeros(SIZE, bool), np.zeros(SIZE, bool)) == 1
    assert iou(np.zeros(SIZE, bool), np.zeros(SIZE, bool)) == 1


def test_the_most_interior_point() -> None:
    """Of two squares the larger one's middle; the picture's border counts as an edge."""
    two = np.maximum(rectangle(10, 10, 21, 21), rectangle(100, 40, 61, 61))
    assert most_interior(two > 127) == (130, 70)
    x, y = most_interior(np.ones((81, 81), bool))
    assert (x, y) == (40, 40)


def test_figures_over_time() -> None:
    """J falls from 0.9 to 0.5 in one step half way."""
    found = over_time([0.9] * 4 + [0.5] * 4, [1.0] * 8)
    assert found == {"J": 0.7, "boundaryF": 1.0, "decay": 0.4, "flicker": round(0.4 / 7, 4)}


# ---- prompts


def test_how_the_object_is_asked_for(data) -> None:
    """The true box grown by 5 %, the most interior point, or what a file says, every answer compared with its own truth."""
    truths = rectangle(40, 40, 80, 60), rectangle(10, 90, 41, 41)
    files = pairs(data(*truths) / "images", data(*truths) / "masks")
    boxes, taps, told, free = (Oracle(*truths) for _ in range(4))
    for found in (
        masks.evaluate(boxes, files, "box"),
        masks.evaluate(taps, files, "tap"),
        masks.evaluate(told, files, "tap", {"p1": (12.0, 95.0)}),
        masks.evaluate(free, files, "none"),
    ):
        assert list(found) == ["n", "mIoU", "maxF", "MAE", "boundaryF", "cpu_ms"]
        assert (found["n"], found["mIoU"], found["maxF"], found["MAE"]) == (2, 1, 1, 0)
    assert np.allclose(boxes.asked[0][1:], Box(38, 38.5, 84, 63))
    assert taps.asked[-1] == ("tap", 30, 110)
    assert told.asked[-1] == ("tap", 12, 95)
    assert free.asked == [("none",)] * (masks.WARM_UPS + 2)


def test_what_cannot_be_asked_for_is_left_out(data) -> None:
    """A picture without an object has no box; without a prompt it counts, and an empty answer is right."""
    empty, full = np.zeros(SIZE, np.uint8), rectangle(10, 90, 41, 41)
    folder = data(full, empty)
    files = pairs(folder / "images", folder / "masks")
    assert masks.evaluate(Oracle(full), files, "box")["n"] == 1
    found = masks.evaluate(Oracle(full, empty), files, "none")
    assert (found["n"], found["mIoU"]) == (2, 1)


# ---- the commands, with the shipped network


@pytest.fixture
def scene_folder(data):
    """Five frames of a shaded red disk on a rough surface; it moves 4 pixels each time."""
    truths = [cv2.circle(np.zeros(SIZE, np.uint8), (110 + 4 * k, 90), 40, 255, -1) for k in range(5)]
    folder = data(*truths, name="clip")
    surface = np.random.default_rng(1).normal((96, 128, 160), 8, (*SIZE, 3))
    shade = np.linspace(1.2, 0.7, SIZE[0])[:, None, None]
    for k, truth in enumerate(truths):
        picture = np.where(truth[..., None] > 127, (40, 60, 200) * shade, surface)
        cv2.imwrite(
            str(folder / "images" / f"p{k}.jpg"), cv2.GaussianBlur(picture.clip(0, 255).astype(np.uint8), (3, 3), 0)
        )
    return folder


def test_masks_of_the_shipped_network(scene_folder, tmp_path, capsys) -> None:
    saved = tmp_path / "saved"
    words = ("masks", scene_folder / "images", scene_folder / "masks", "--prompt", "box")
    assert tsukumo(*words, "--json", "--save", saved) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["n", "mIoU", "maxF", "MAE", "boundaryF", "cpu_ms"]
    assert found["n"] == 5
    assert found["mIoU"] > 0.9
    assert found["cpu_ms"] > 0
    overlaps = []
    for k in range(5):
        truth = read_pair(scene_folder / "images" / f"p{k}.jpg", scene_folder / "masks" / f"p{k}.png")[..., 3]
        overlaps.append(iou(cv2.imread(str(saved / f"p{k}.png"), 0) > 127, truth > 127))
    assert np.isclose(np.mean(overlaps), found["mIoU"], atol=1e-4)
    prompts = tmp_path / "prompts.json"
    prompts.write_text('{"p0.jpg": [5, 5, 20, 20]}')
    assert tsukumo(*words, "--prompts", prompts) == 0
    assert "mIoU" in capsys.readouterr().out


def test_video_of_the_shipped_network(scene_folder, capsys) -> None:
    assert tsukumo("video", scene_folder, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["J", "boundaryF", "decay", "flicker", "cpu_ms"]
    assert found["J"] > 0.9
    assert tsukumo("video", scene_folder, scene_folder / ".." / "clip", "--json") == 0
    several = json.loads(capsys.readouterr().out)
    assert len(several) == 3
    assert several["mean"]["J"] == several[str(scene_folder)]["J"]


def test_a_clip_is_followed_from_its_first_mask(scene_folder) -> None:
    """Of another object than the salient one: the first mask decides, no other is looked at."""
    first = scene_folder / "masks" / "p0.png"
    cv2.imwrite(str(first), rectangle(0, 0, 30, 30))
    assert evaluate_clip(Segmenter(find_card("segment", "ar_segment")), scene_folder)["J"] < 0.3


# ---- bad input: 2 and one line


BOTH = ("masks", "{d}/images", "{d}/masks")
TOLD = (*BOTH, "--prompt", "tap", "--prompts", "{d}/f")


@pytest.mark.parametrize(
    ("file", "content", "words", "says"),
    [
        ("f", b"", ("masks", "{d}/nowhere", "{d}/masks"), "nowhere: there is no such folder"),
        ("masks/p1.png", None, BOTH, "has no mask named p1 (1 missing)"),
        ("images/p0.jpg", None, BOTH, "has no picture named p0 (1 missing)"),
        ("images/p1.jpg", b"x", BOTH, "p1.jpg: cannot be read as a picture"),
        ("masks/p1.png", b"", BOTH, "p1.png: cannot be read as a picture"),
        ("c.yaml", b"a: [", (*BOTH, "--model", "{d}/c.yaml"), "c.yaml: is not YAML"),
        ("f", b"", (*BOTH, "--model", "other"), "no model 'other' in ar_segment"),
        ("f", b"x", TOLD, "f: is not JSON"),
        ("f", b"[]", TOLD, "should be an object"),
        ("f", b'{"p0": [1]}', TOLD, "p0 should be [x, y]"),
        ("f", b'{"q": [1, 2]}', TOLD, "there is no picture q"),
        ("f", b"{}", (*BOTH, "--prompts", "{d}/f"), "goes with --prompt box or tap"),
        ("f", b"", ("video", "{d}/nowhere"), "nowhere/images: there is no such folder"),
        ("f", b"", ("video", "{d}"), "has 2 frames, at least 5"),
    ],
)
def test_one_line_about_what_is_wrong(data, capsys, file, content, words, says) -> None:
    """`file` is given this content, or taken away."""
    folder = data(rectangle(40, 40, 80, 60), rectangle(10, 90, 41, 41))
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content)
    assert tsukumo(*(word.format(d=folder) for word in words)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("tsukumo: ")
    assert says in said.err


def test_an_empty_first_mask(data, capsys) -> None:
    assert tsukumo("video", data(*[np.zeros(SIZE, np.uint8)] * 5)) == 2
    assert "p0.png: is empty: the first mask says what is to be followed" in capsys.readouterr().err
