"""How long each convolution of a network takes on this machine, and a model of it.

Yang, Zhu & Liu (ECC, CVPR 2019; ICLR 2019) measure blocks on the target and fit what they cost as a function that is
bilinear in the numbers of channels. Here: `t = a + b MACs + c bytes`, since multiplications are bilinear in the channels
that go in and out, and what is read and written is linear in either.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from ar_core.model_card import ModelCard
from ar_core.networks import cpu_options, read_network

Array = NDArray[np.float64]

WARM_UPS = 5
FEW = 8


@dataclass(frozen=True)
class Block:
    """One convolution, with what is fused to it: `ms` measured, the least of many times."""

    name: str
    channels_in: int
    channels_out: int
    kernel: int
    rows: int
    columns: int
    macs: int
    bytes: int
    ms: float


@dataclass(frozen=True)
class Profile:
    """`blocks` in the network's order; `total_ms`: an inference, all included."""

    width: int
    height: int
    blocks: tuple[Block, ...]
    total_ms: float


@dataclass(frozen=True)
class Latency:
    """`ms = a + b MACs + c bytes` of a block; `r2`: the part of the variance that it explains; `n` blocks."""

    a: float
    b: float
    c: float
    r2: float
    n: int

    def __call__(self, block: Block) -> float:
        return self.a + self.b * block.macs + self.c * block.bytes


def at_size(model: Any, card: ModelCard, width: int, height: int) -> Any:
    """A copy of the network for pictures of another size."""
    shape = {"N": 1, "C": card.channels, "H": height, "W": width}
    other = model.clone()
    other.reshape([shape[axis] for axis in card.layout])
    return other


def compiled(model: Any, threads: int, counters: bool = False) -> Any:
    """For the CPU, as `ar_core.networks` runs it."""
    import openvino as ov

    return ov.Core().compile_model(model, "CPU", {**cpu_options(threads), "PERF_COUNT": counters})


def median_ms(model: Any, threads: int = 1, times: int = 40) -> float:
    """Of an inference on a random picture: processor time of all threads, which other processes disturb least."""
    network = compiled(model, threads)
    run = runner(network)
    taken = []
    for k in range(WARM_UPS + times):
        start = time.process_time()
        run()
        if k >= WARM_UPS:
            taken.append(time.process_time() - start)
    return 1000 * float(np.median(taken))


def measured(model: Any, threads: int = 1, times: int = 40) -> Profile:
    """Every convolution of `model` (OpenVINO), as it runs within the network: what disturbs only makes it slower."""
    network = compiled(model, threads, counters=True)
    run = runner(network)
    passes = [_node_times(run(), network) for _ in range(WARM_UPS + times)][WARM_UPS:]
    total = min(everything for _, everything in passes)
    blocks = []
    for op in model.get_ordered_ops():
        if op.get_type_name() not in ("Convolution", "GroupConvolution"):
            continue
        name = op.get_friendly_name()
        blocks.append(_block(op, min(p.get(name, 0.0) for p, _ in passes)))
    shape = model.inputs[0].get_partial_shape().to_shape()
    rows, columns = (shape[1], shape[2]) if shape[-1] in (3, 4) else (shape[2], shape[3])
    return Profile(int(columns), int(rows), tuple(blocks), total)


def runner(network: Any) -> Callable[[], Any]:
    """Runs the network on a random picture when called; returns its request."""
    request = network.create_infer_request()
    shape = network.inputs[0].get_shape()
    picture = np.random.default_rng(0).standard_normal(tuple(shape)).astype(np.float32)

    def run() -> Any:
        request.infer({0: picture}, share_inputs=True)
        return request

    return run


def _node_times(request: Any, network: Any) -> tuple[dict[str, float], float]:
    """Milliseconds of what each operation of the original network was fused into, by name; and of everything."""
    spent = {entry.node_name: entry.real_time.total_seconds() * 1000 for entry in request.profiling_info}
    by_name = dict(spent)
    for op in network.get_runtime_model().get_ordered_ops():
        for name in _original_names(op):
            by_name[name] = spent.get(op.get_friendly_name(), 0.0)
    return by_name, sum(spent.values())


def _original_names(op: Any) -> list[str]:
    info = op.get_rt_info()
    if "originalLayersNames" not in info:
        return []
    value = info["originalLayersNames"]
    return str(getattr(value, "value", value)).split(",")


def _block(op: Any, ms: float) -> Block:
    into, weights, out = (tuple(p.get_partial_shape().to_shape()) for p in (op.input(0), op.input(1), op.output(0)))
    constant = weights_of(op)
    size = 4 if constant is None else int(constant.output(0).get_element_type().get_size())
    elements = int(np.prod(into)) + int(np.prod(out)) + int(np.prod(weights))
    kernel = int(weights[-1])
    macs = int(np.prod(out) * np.prod(weights) // weights[0])
    return Block(label(op), int(into[1]), int(out[1]), kernel, int(out[2]), int(out[3]), macs, elements * size, ms)


def label(op: Any) -> str:
    """What a convolution is called in the network that was exported: its own name, or of what adds its bias."""
    after = [port.get_node() for port in op.output(0).get_target_inputs()]
    named = after[0] if len(after) == 1 and after[0].get_type_name() == "Add" else op
    name = str(named.get_friendly_name()).removeprefix("__module.").split("/")[0]
    return name or str(op.get_friendly_name())


def weights_of(op: Any) -> Any:
    """The constant behind an operation's weights, through conversion and scale; None where there is none."""
    node = op.input(1).get_source_output().get_node()
    while node.get_type_name() in ("Convert", "Multiply", "Subtract", "FakeQuantize", "Reshape"):
        node = node.input(0).get_source_output().get_node()
    return node if node.get_type_name() == "Constant" else None


def fitted_model(blocks: list[Block]) -> Latency:
    """Least squares with coefficients of at least 0; short times weigh more than their share.

    Of convolutions with FEW channels and more on both sides, where there are any: narrower ones do not fill the processor's
    vectors, and follow no such law.
    """
    blocks = [b for b in blocks if min(b.channels_in, b.channels_out) >= FEW] or blocks
    times = np.array([b.ms for b in blocks])
    design = np.array([[1.0, b.macs / 1e6, b.bytes / 1e6] for b in blocks])
    weight = 1 / np.sqrt(np.maximum(times, 1e-3))
    coefficients, _ = nnls(design * weight[:, None], times * weight)
    left = times - design @ coefficients
    spread = float(((times - times.mean()) ** 2).sum())
    r2 = 1 - float((left**2).sum()) / spread if spread > 0 else 1.0
    a, b, c = (float(v) for v in coefficients)
    return Latency(a, b / 1e6, c / 1e6, r2, len(blocks))


def load(card: ModelCard) -> Any:
    """The network of a card, for its own size."""
    return at_size(read_network(card), card, card.width, card.height)
