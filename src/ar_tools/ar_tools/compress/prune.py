"""Channels taken out of a network's weights, without training: in OpenVINO and numpy, also of INT8 weights.

Pruned are pairs of convolutions of which the second reads nothing but the first (a residual block's inside): nothing else
changes its shape. Kept are the channels that carry most into the second one on the pictures given and are not told by the
others; what it then lacks is made good by least squares on its own weights and bias (He, Zhang & Sun, Channel Pruning,
ICCV 2017), one pair after the other, each on what the pruned ones before it say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ar_tools.compress.latency import compiled, weights_of

Float = NDArray[np.float32]

STEP = 8
"""Channels are kept in multiples of it: vector units compute as many at once."""

PATCHES = 6000
"""Places at which the second convolution's answer is to be kept, over all pictures."""

RIDGE = 1e-3
"""Of the mean square of what goes in: keeps least squares from trusting what hardly varies."""


@dataclass(frozen=True)
class Pair:
    """Names of two convolutions, and of the constants that hold biases; the order in which they are computed."""

    first: str
    first_bias: str
    second: str
    second_bias: str


def pairs(model: Any) -> list[Pair]:
    """The pairs that can be pruned: convolution, bias, ReLU, perhaps a quantisation, convolution, bias; no other readers."""
    found = []
    for op in model.get_ordered_ops():
        if op.get_type_name() != "Convolution" or weights_of(op) is None:
            continue
        add = _only_reader(op, "Add")
        node = add and _only_reader(add, "Relu")
        node = node and (_only_reader(node, "FakeQuantize") or node)
        second = node and _only_reader(node, "Convolution")
        last = second and _only_reader(second, "Add")
        if last is None or weights_of(second) is None or any(_bias(a) is None for a in (add, last)):
            continue
        if op.output(0).get_partial_shape().to_shape()[1] > STEP:
            names = (op, _bias(add), second, _bias(last))
            found.append(Pair(*(str(n.get_friendly_name()) for n in names)))
    return found


def pruned(model: Any, part: float, pictures: list[Float]) -> Any:
    """A copy of `model` with `part` (0 to 1) of every pair's inner channels; `pictures` `(1, C, H, W)` as it takes them."""
    small = model.clone()
    for pair in pairs(model):
        _prune(model, small, pair, part, pictures)
        small.validate_nodes_and_infer_types()
    return small


def _prune(model: Any, small: Any, pair: Pair, part: float, pictures: list[Float]) -> None:
    ops = {op.get_friendly_name(): op for op in small.get_ordered_ops()}
    first, second = ops[pair.first], ops[pair.second]
    weights, inputs = _dense(first), _inputs(small, pair.second, pictures)
    wanted = _outputs(model, pair.second, pictures)
    n = weights.shape[0]
    keep_n = min(n, max(STEP, round(part * n / STEP) * STEP))
    if keep_n == n:
        return
    dense = _dense(second)
    flat = np.concatenate([x.reshape(x.shape[1], -1) for x in inputs], 1)
    keep = _kept(flat, np.sqrt((dense**2).sum((0, 2, 3))), keep_n)
    solved, bias = _solved([x[:, keep] for x in inputs], wanted, second, dense[:, keep])
    _set_weights(first, weights[keep])
    _replace(ops[pair.first_bias], ops[pair.first_bias].get_data()[:, keep])
    _set_weights(second, solved)
    old = ops[pair.second_bias].get_data()
    _replace(ops[pair.second_bias], (old + bias.reshape(old.shape)).astype(old.dtype))


def _kept(values: Float, weight: Float, n: int) -> NDArray[np.intp]:
    """Which `n` channels of `values (channels, places)`: one after the other that of which most, times its `weight`, is not
    told by those already kept (Cholesky's decomposition, pivoted)."""
    centred = (values - values.mean(1, keepdims=True)).astype(np.float64) * weight[:, None]
    covariance = centred @ centred.T / values.shape[1]
    left = np.diag(covariance).copy()
    told = np.zeros((len(left), n))
    keep: list[int] = []
    for k in range(n):
        left[keep] = -1
        j = int(np.argmax(left))
        keep.append(j)
        if left[j] > 1e-12:
            told[:, k] = (covariance[:, j] - told @ told[j]) / np.sqrt(left[j])
            left = left - told[:, k] ** 2
    return np.sort(np.array(keep))


def _solved(inputs: list[Float], wanted: list[Float], op: Any, start: Float) -> tuple[Float, Float]:
    """Weights `(out, in, k, k)` and what to add to the bias `(out,)`, so that `wanted` comes of `inputs` again; near `start`
    where the pictures do not say."""
    k = start.shape[2]
    stride, pad = int(op.get_strides()[0]), int(op.get_pads_begin()[0])
    each = max(1, PATCHES // len(inputs))
    rng = np.random.default_rng(0)
    rows, targets = [], []
    for x, y in zip(inputs, wanted, strict=True):
        padded = np.pad(x[0], ((0, 0), (pad, pad), (pad, pad)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (k, k), (1, 2))[:, ::stride, ::stride]
        h, w = y.shape[2:]
        at = rng.choice(h * w, min(each, h * w), replace=False)
        patch = windows.transpose(1, 2, 0, 3, 4)[at // w, at % w].reshape(len(at), -1)
        rows.append(patch.astype(np.float64))
        targets.append(y[0].reshape(y.shape[1], -1).T[at].astype(np.float64))
    a, b = np.concatenate(rows), np.concatenate(targets)
    mean_a, mean_b = a.mean(0), b.mean(0)
    a, b = a - mean_a, b - mean_b
    flat = start.reshape(start.shape[0], -1).T.astype(np.float64)
    gram = a.T @ a
    gram[np.diag_indices_from(gram)] += RIDGE * max(1e-9, float(np.trace(gram)) / len(gram))
    flat = flat + np.linalg.solve(gram, a.T @ (b - a @ flat))
    weights = flat.T.reshape(start.shape).astype(np.float32)
    return weights, (mean_b - mean_a @ flat).astype(np.float32)


def _only_reader(op: Any, kind: str) -> Any:
    """The operation that reads `op`, where it is the only one and of this kind; None otherwise."""
    readers = [port.get_node() for port in op.output(0).get_target_inputs()]
    return readers[0] if len(readers) == 1 and readers[0].get_type_name() == kind else None


def _bias(add: Any) -> Any:
    node = add.input(1).get_source_output().get_node()
    return node if node.get_type_name() == "Constant" else None


def _outputs(model: Any, name: str, pictures: list[Float]) -> list[Float]:
    return _tapped(model, name, pictures, lambda op: op.output(0))


def _inputs(model: Any, name: str, pictures: list[Float]) -> list[Float]:
    return _tapped(model, name, pictures, lambda op: op.input(0).get_source_output())


def _tapped(model: Any, name: str, pictures: list[Float], port: Any) -> list[Float]:
    """What flows at a convolution while the network looks at the pictures."""
    import openvino as ov

    copy = model.clone()
    op = next(o for o in copy.get_ordered_ops() if o.get_friendly_name() == name)
    network = compiled(ov.Model([port(op)], copy.get_parameters()), 1)
    return [np.array(network([picture])[0], np.float32) for picture in pictures]


def _dense(op: Any) -> Float:
    """A convolution's weights as they count, `(out, in, k, k)`: an INT8 constant times its scale."""
    constant = weights_of(op)
    return np.asarray(constant.get_data(), np.float32) * _scale(op)


def _scale(op: Any) -> Float:
    node = op.input(1).get_source_output().get_node()
    if node.get_type_name() != "Multiply":
        return np.ones((1, 1, 1, 1), np.float32)
    return np.asarray(_constant_behind(node.input(1)).get_data(), np.float32)


def _constant_behind(port: Any) -> Any:
    node = port.get_source_output().get_node()
    while node.get_type_name() == "Convert":
        node = node.input(0).get_source_output().get_node()
    return node


def _set_weights(op: Any, weights: Float) -> None:
    """Puts other weights into a convolution, in the type that they are kept in; INT8 with a scale for every output."""
    constant = weights_of(op)
    kind = constant.get_data().dtype
    if kind != np.int8:
        _replace(constant, weights.astype(kind))
        return
    scale_node = _constant_behind(op.input(1).get_source_output().get_node().input(1))
    scale = np.maximum(np.abs(weights).max((1, 2, 3), keepdims=True) / 127, 1e-12).astype(np.float32)
    kept = scale.astype(scale_node.get_data().dtype)
    kept = np.where(kept > 0, kept, np.finfo(kept.dtype).tiny)
    _replace(constant, np.clip(np.rint(weights / kept.astype(np.float32)), -127, 127).astype(np.int8))
    _replace(scale_node, kept)


def _replace(constant: Any, values: NDArray[Any]) -> None:
    import openvino as ov

    fresh = ov.opset13.constant(np.ascontiguousarray(values))
    fresh.set_friendly_name(constant.get_friendly_name())
    for port in constant.output(0).get_target_inputs():
        port.replace_source_output(fresh.output(0))
