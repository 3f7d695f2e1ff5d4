"""Profile and compress on a small network of our own, whose every figure is known."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

ov = pytest.importorskip("openvino")

from openvino import opset13 as ops

from ar_core.model_card import read_card
from ar_core.networks import Network
from ar_tools.__main__ import main
from ar_tools.compress import energy, latency, prune
from ar_tools.compress.accuracy import agreement
from ar_tools.compress.command import card_of

# ruff: noqa: E402  (what stands above may skip the module)

SIDE = 96
INNER, OUTER = 32, 12


def make(folder: Path, int8: bool = False) -> Path:
    """Convolution 3 > 32, ReLU, convolution 32 > 12, ReLU, mask: of the 32 every second one repeats the one before it, so
    that 16 of them say all. The card's path."""
    rng = np.random.default_rng(3)
    x = ops.parameter([1, 3, SIDE, SIDE], np.float32)
    half = rng.normal(0, 0.3, (INNER // 2, 3, 3, 3)).astype(np.float32)
    y = layer(x, np.repeat(half, 2, 0), np.repeat(rng.normal(0, 0.1, INNER // 2).astype(np.float32), 2), int8)
    y = layer(
        ops.relu(y), rng.normal(0, 0.1, (OUTER, INNER, 3, 3)).astype(np.float32), np.zeros(OUTER, np.float32), int8
    )
    y = layer(ops.relu(y), rng.normal(0, 0.5, (1, OUTER, 1, 1)).astype(np.float32), np.zeros(1, np.float32), int8)
    model = ov.Model([ops.sigmoid(y)], [x])
    ov.save_model(model, str(folder / "small.xml"), compress_to_fp16=False)
    card = {
        "name": "small", "model": "small.xml", "decoding": "mask", "output": {"mask": 0}, "about": {"licence": "ours"},
        "input": {"width": SIDE, "height": SIDE, "mean": [128, 128, 128], "scale": [60, 60, 60]},
    }  # fmt: skip
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(card))
    return path


def layer(x: object, weights: np.ndarray, bias: np.ndarray, int8: bool) -> object:
    """A convolution that keeps the size, and its bias."""
    constant = ops.constant(weights)
    if int8:
        scale = np.abs(weights).max((1, 2, 3), keepdims=True) / 127
        whole = ops.constant(np.rint(weights / scale).astype(np.int8))
        constant = ops.multiply(ops.convert(whole, "f32"), ops.constant(scale))
    k = weights.shape[2] // 2
    y = ops.convolution(x, constant, [1, 1], [k, k], [k, k], [1, 1])
    return ops.add(y, ops.constant(bias.reshape(1, -1, 1, 1)))


def inputs(n: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    rough = [rng.normal(0, 1, (12, 12, 3)).astype(np.float32) for _ in range(n)]
    return [cv2.resize(r, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).transpose(2, 0, 1)[None] for r in rough]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for k, x in enumerate(inputs(10)):
        cv2.imwrite(str(folder / f"{k}.png"), np.clip(128 + 60 * x[0].transpose(1, 2, 0), 0, 255).astype(np.uint8))
    return folder


def said(model: object, picture: np.ndarray) -> np.ndarray:
    return np.array(latency.compiled(model, 1)([picture])[0])


@pytest.mark.parametrize(("int8", "tolerance"), [(False, 0.08), (True, 0.1)])
def test_channels_that_say_nothing_new_are_taken_out_without_loss(tmp_path: Path, int8: bool, tolerance: float) -> None:
    """Half of the inner channels repeat the others: the half network says the same of pictures it was not fitted on."""
    model = latency.load(read_card(make(tmp_path, int8)))
    assert len(prune.pairs(model)) == 2  # into the mask's convolution too
    small = prune.pruned(model, 0.5, inputs(8))
    widths = [b.channels_out for b in latency.measured(small, times=1).blocks]
    assert widths == [INNER // 2, 8, 1]
    only_first = prune.pruned(model, 0.7, inputs(8))  # 24 and 8 of 32 and 12
    assert [b.channels_out for b in latency.measured(only_first, times=1).blocks] == [24, 8, 1]
    picture = inputs(1, seed=9)[0]
    assert np.abs(said(model, picture) - said(small, picture)).mean() < 0.05
    pair = prune.pairs(model)[:1]
    exact = model.clone()
    prune._prune(model, exact, pair[0], 0.5, inputs(8))
    exact.validate_nodes_and_infer_types()
    assert np.abs(said(model, picture) - said(exact, picture)).max() < tolerance


def test_the_same_pictures_give_the_same_network(tmp_path: Path) -> None:
    model = latency.load(read_card(make(tmp_path)))
    for name in ("one", "two"):
        ov.save_model(prune.pruned(model, 0.5, inputs(8)), str(tmp_path / f"{name}.xml"), compress_to_fp16=False)
    assert (tmp_path / "one.bin").read_bytes() == (tmp_path / "two.bin").read_bytes()


def test_what_two_read_is_not_pruned() -> None:
    """As around a residual block: the sum needs all channels."""
    x = ops.parameter([1, 16, 32, 32], np.float32)
    weights = np.random.default_rng(0).normal(0, 0.1, (16, 16, 3, 3)).astype(np.float32)
    first = ops.relu(layer(x, weights, np.zeros(16, np.float32), False))
    second = layer(first, weights, np.zeros(16, np.float32), False)
    assert prune.pairs(ov.Model([ops.add(first, second)], [x])) == []


def test_the_law_is_found_again_from_times_that_follow_it() -> None:
    """ms = 0.01 + 0.005 per million multiplications + 0.02 per megabyte; narrow convolutions are left out."""
    rng = np.random.default_rng(1)
    blocks = []
    for n_in, n_out in rng.integers(8, 128, (30, 2)):
        macs, moved = int(n_in * n_out * 9 * 400), int((n_in + n_out) * 400 + n_in * n_out * 9)
        ms = 0.01 + 0.005 * macs / 1e6 + 0.02 * moved / 1e6
        blocks.append(latency.Block("", int(n_in), int(n_out), 3, 20, 20, macs, moved, ms))
    blocks.append(latency.Block("", 3, 16, 3, 80, 80, 10, 10, 7.0))
    law = latency.fitted_model(blocks)
    assert (law.a, law.b * 1e6, law.c * 1e6) == pytest.approx((0.01, 0.005, 0.02), rel=1e-3)
    assert law.r2 > 0.999
    assert law.n == 30


def run(capsys: pytest.CaptureFixture[str], *words: object) -> dict:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["tsukumo", *map(str, words)])
        with pytest.raises(SystemExit) as done:
            main()
    assert done.value.code == 0
    return json.loads(capsys.readouterr().out)


def refusal(*words: object) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["tsukumo", *map(str, words)])
        with pytest.raises(SystemExit) as done:
            main()
    assert "\n" not in str(done.value.code)
    return str(done.value.code)


def test_profile_counts_what_the_network_multiplies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "profile", make(tmp_path), "--json")
    assert [b["macs"] for b in found["blocks"]] == [
        SIDE * SIDE * 9 * 3 * INNER, SIDE * SIDE * 9 * INNER * OUTER, SIDE * SIDE * OUTER,
    ]  # fmt: skip
    assert all(b["ms"] >= 0 for b in found["blocks"])
    assert found["total_ms"] >= max(b["ms"] for b in found["blocks"])


def test_with_time_enough_nothing_is_lost_and_the_card_works(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = make(tmp_path)
    found = run(capsys, "compress", "--model", card, "--budget-ms", 1e6, "--pictures", pictures, "--out", tmp_path / "out",
                "--least", 0.99, "--json")  # fmt: skip
    assert (found["chosen"]["width"], found["chosen"]["part"]) == (SIDE, 1.0)
    assert found["chosen"]["agreement"] == 1.0
    made = Network(Path(found["card"]))
    picture = np.random.default_rng(2).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    np.testing.assert_allclose(made(picture)["mask"], Network(card)(picture)["mask"], atol=1e-5)
    assert made.card.about["licence"] == "ours"
    assert "agreement with small on 5 other pictures" in made.card.about["figures"]


def test_every_smaller_size_is_a_network_that_runs(tmp_path: Path) -> None:
    card = read_card(make(tmp_path))
    model = latency.load(card)
    for side in (64, 32):
        assert latency.compiled(latency.at_size(model, card, side, side), 1).outputs[0].get_shape()[2:] == [side, side]


def test_a_budget_that_cannot_be_met_names_the_fastest(tmp_path: Path, pictures: Path) -> None:
    said = refusal(
        "compress", "--model", make(tmp_path), "--budget-ms", 1e-9, "--pictures", pictures, "--out", tmp_path
    )
    assert "no variant of small takes 1e-09 ms or less on this machine: the fastest of 8 takes" in said
    assert "% of the inner channels" in said


@pytest.mark.parametrize("n", [None, 3])
def test_too_few_pictures_are_said(tmp_path: Path, n: int | None) -> None:
    folder = tmp_path / "few"
    if n is not None:
        folder.mkdir()
        for k in range(n):
            cv2.imwrite(str(folder / f"{k}.png"), np.zeros((40, 40, 3), np.uint8))
    said = refusal("compress", "--model", make(tmp_path), "--budget-ms", 5, "--pictures", folder, "--out", tmp_path)
    assert ("at least 8 are needed" if n else "there is no such folder") in said


def test_energy_is_asked_for_only_where_it_is_counted(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="use --budget-ms"):
        energy.mean_mj(None, counter=tmp_path / "energy_uj")
    (tmp_path / "energy_uj").write_text("12000\n")
    assert energy.readable(tmp_path / "energy_uj")
    assert energy.mean_mj(latency.load(read_card(make(tmp_path))), times=5, counter=tmp_path / "energy_uj") == 0


def test_int8_of_int8_is_refused_and_own_models_are_known(tmp_path: Path, pictures: Path) -> None:
    assert card_of("detect").name == "detect.yaml"
    said = refusal("compress", "--int8", "--budget-ms", 5, "--pictures", pictures, "--out", tmp_path)
    assert "is INT8 already" in said


def test_int8_without_its_library_says_what_to_install(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    said = refusal(
        "compress", "--model", make(tmp_path), "--int8", "--budget-ms", 5, "--pictures", pictures, "--out", tmp_path
    )
    assert "--int8 needs NNCF" in said
    assert "pip install nncf==" in said


def test_int8_from_float_to_a_card_that_works(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it still says is counted against the float network, and it is INT8: smaller, and not to be quantised again."""
    pytest.importorskip("nncf", reason="NNCF is not installed")
    card = make(tmp_path)
    found = run(capsys, "compress", "--model", card, "--int8", "--budget-ms", 1e6, "--pictures", pictures, "--out",
                tmp_path / "out", "--least", 0.9, "--json")  # fmt: skip
    assert 0.9 < found["chosen"]["agreement"] < 1.0
    made = read_card(Path(found["card"]))
    assert made.path.with_suffix(".bin").stat().st_size < 0.6 * (tmp_path / "small.bin").stat().st_size
    picture = np.random.default_rng(2).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    assert np.abs(Network(made)(picture)["mask"] - Network(card)(picture)["mask"]).mean() < 0.05
    again = (
        "compress",
        "--model",
        found["card"],
        "--int8",
        "--budget-ms",
        5,
        "--pictures",
        pictures,
        "--out",
        tmp_path,
    )
    assert "is INT8 already" in refusal(*again)


def test_agreement_of_masks_and_of_boxes() -> None:
    half = np.zeros((4, 4), bool)
    half[:2] = True
    assert agreement([half, ~half], [half, np.ones((4, 4), bool)]) == pytest.approx(0.75)
    one, far = np.array([[0.1, 0.1, 0.4, 0.4]]), np.array([[0.6, 0.6, 0.3, 0.3]])
    assert agreement([np.vstack([one, far])], [one]) == pytest.approx(2 / 3)
    assert agreement([one[:0]], [one[:0]]) == 1
