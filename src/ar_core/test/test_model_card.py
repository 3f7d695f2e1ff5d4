"""Model cards: a broken or unfitting one gives one clear line, at construction; a fitting one runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from ar_core.model_card import ModelError, find_card, read_card
from ar_core.networks import Network, fitted

openvino = pytest.importorskip("openvino")

GOOD = {
    "model": "net.xml",
    "decoding": "mask",
    "input": {"width": 64, "height": 48, "mean": [10, 20, 30], "scale": [2, 4, 5]},
    "output": {"mask": "mask"},
}


def write(folder: Path, **changes: object) -> Path:
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump({**GOOD, **changes}))
    return path


def make_net(folder: Path, layout: str = "NCHW", name: str = "net.xml") -> None:
    """A network whose mask is the sum of its normalised channels: the exact answer is known."""
    from openvino import opset13 as ops

    shape = [1, 3, 48, 64] if layout == "NCHW" else [1, 48, 64, 3]
    x = ops.parameter(shape, np.float32)
    y = ops.reduce_sum(x, np.array([1 if layout == "NCHW" else 3]), keep_dims=False)
    y.output(0).set_names({"mask"})
    openvino.save_model(openvino.Model([y], [x]), str(folder / name))


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("color", ["bgr", "rgb"])
def test_the_input_is_normalised_in_the_cards_order(tmp_path: Path, layout: str, color: str) -> None:
    make_net(tmp_path, layout)
    network = Network(write(tmp_path, input={**GOOD["input"], "layout": layout, "color": color}))
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:] = (12, 24, 40)
    b, g, r = (12, 24, 40) if color == "bgr" else (40, 24, 12)
    expected = (b - 10) / 2 + (g - 20) / 4 + (r - 30) / 5
    np.testing.assert_allclose(network(picture)["mask"], expected, atol=1e-5)


def test_pictures_of_another_size_are_refused_and_can_be_fitted(tmp_path: Path) -> None:
    make_net(tmp_path)
    network = Network(write(tmp_path))
    picture = np.full((480, 640, 3), 50, np.uint8)
    with pytest.raises(ValueError, match=r"takes .* pictures"):
        network(picture)
    assert network(fitted(picture, network.card))["mask"].shape == (48, 64)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decoding": "magic"}, "decoding 'magic' is unknown"),
        ({"output": {}}, "needs an output 'mask'"),
        ({"input": {"width": 64}}, "height should be a whole number"),
        ({"input": {**GOOD["input"], "scale": [0, 1, 1]}}, "no scale of 0"),
        ({"input": {**GOOD["input"], "mean": [1, 2]}}, "3 numbers each"),
        ({"input": {**GOOD["input"], "colour": "bgr"}}, "unknown key 'colour'"),
        ({"input": {**GOOD["input"], "layout": "CHWN"}}, "NCHW or NHWC"),
        ({"model": None}, "'model' is missing"),
    ],
)
def test_a_wrong_card_says_what_is_wrong(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        read_card(write(tmp_path, **changes))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"output": {"mask": "nonsense"}}, "has no output 'nonsense'; it has mask"),
        ({"input": {**GOOD["input"], "width": 96}}, "its card says"),
        ({"input": {**GOOD["input"], "prompt": True, "mean": [0] * 4, "scale": [1] * 4}}, "its card says"),
        ({"model": "other.xml"}, "is missing"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_at_once(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    make_net(tmp_path)
    with pytest.raises(ModelError, match=message) as caught:
        Network(write(tmp_path, **changes))
    assert "\n" not in str(caught.value)


def test_a_corrupt_model_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"this is no network" * 100)
    with pytest.raises(ModelError, match="broken or of an unknown kind") as caught:
        Network(write(tmp_path, model="net.onnx"))
    assert "\n" not in str(caught.value)


def test_a_name_finds_a_shipped_card_and_a_wrong_one_lists_them() -> None:
    with pytest.raises(ModelError, match="no model 'nonsense' in ar_core"):
        find_card("nonsense", "ar_core")
    assert find_card("~/my.yaml", "ar_core") == Path("~/my.yaml").expanduser()
