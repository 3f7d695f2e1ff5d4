"""The two networks: a prompted segmenter and a box detector over one kind of encoder.

Dense 3x3 convolutions throughout: per INT8 millisecond and per minute of training they beat inverted residuals on
CPUs. Both nets take `(N, C, H, W)` float input normalised by `MEAN`/`SCALE`, blue-green-red; H, W multiples of 32.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from torch import Tensor, nn

MEAN = (118.0, 118.0, 118.0, 0.0)
SCALE = (60.0, 60.0, 60.0, 128.0)
"""Input = (value 0-255 - MEAN) / SCALE for blue, green, red and the prompt plane (absent: 0)."""

WIDTHS = (16, 32, 64, 96, 128)
SMALL_WIDTHS, SMALL_DEPTHS = (12, 20, 32, 40, 48), (0, 1, 1, 1, 1)
"""Of the small detector: an eighth of the weights."""


def conv(n_in: int, n_out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)
    )


class Block(nn.Module):
    """Two 3x3 convolutions with a shortcut (He et al., CVPR 2016)."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.first = conv(n, n)
        self.second = nn.Sequential(nn.Conv2d(n, n, 3, 1, 1, bias=False), nn.BatchNorm2d(n))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


class Encoder(nn.Module):
    """Five feature maps at strides 2, 4, 8, 16, 32 with `widths` channels; the last one knows the whole picture."""

    def __init__(self, n_in: int, widths: tuple[int, ...] = WIDTHS, depths: tuple[int, ...] = (0, 1, 2, 2, 2)) -> None:
        super().__init__()
        stages, n = [], n_in
        for width, depth in zip(widths, depths, strict=True):
            stages.append(nn.Sequential(conv(n, width, 3, 2), *(Block(width) for _ in range(depth))))
            n = width
        self.stages = nn.ModuleList(stages)
        self.context = nn.Sequential(nn.Conv2d(n, n, 1), nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        maps[-1] = maps[-1] + self.context(maps[-1].mean((2, 3), keepdim=True))
        return maps


class Up(nn.Module):
    """Doubles a coarse map, adds the encoder's map of that scale, mixes."""

    def __init__(self, n_coarse: int, n_skip: int, n_out: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(n_coarse, n_out, 1)
        self.lateral = nn.Conv2d(n_skip, n_out, 1)
        self.mix = conv(n_out, n_out)

    def forward(self, coarse: Tensor, skip: Tensor) -> Tensor:
        up = F.interpolate(self.reduce(coarse), scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.mix(F.relu(up + self.lateral(skip)))


class Segmenter(nn.Module):
    """Picture and prompt plane → mask logits at half the input's size, and how much of an object there is.

    Training: `(mask, boundary, objectness, sides, features)`: logits, `sides` are coarse masks at strides 16, 8, 4 (deep
    supervision), and what is known at stride 4. Evaluation: `mask (N, 1, H/2, W/2)` and `objectness (N, 1)` as probabilities.
    """

    def __init__(self) -> None:
        super().__init__()
        c = WIDTHS
        self.encoder = Encoder(4)
        self.objectness = nn.Linear(c[4], 1)
        self.up16 = Up(c[4], c[3], 64)
        self.up8 = Up(64, c[2], 48)
        self.up4 = Up(48, c[1], 32)
        self.up2 = Up(32, c[0], 16)
        self.mask = nn.Conv2d(16, 1, 3, 1, 1)
        self.boundary = nn.Conv2d(16, 1, 3, 1, 1)
        self.sides = nn.ModuleList([nn.Conv2d(n, 1, 1) for n in (64, 48, 32)])

    def forward(self, x: Tensor) -> tuple[Tensor, ...] | tuple[Tensor, Tensor, Tensor, list[Tensor], Tensor]:
        f2, f4, f8, f16, f32 = self.encoder(x)
        objectness = self.objectness(f32.mean((2, 3)))
        y16 = self.up16(f32, f16)
        y8 = self.up8(y16, f8)
        y4 = self.up4(y8, f4)
        y2 = self.up2(y4, f2)
        mask = self.mask(y2)
        if not self.training:
            return torch.sigmoid(mask), torch.sigmoid(objectness)
        sides = [side(y) for side, y in zip(self.sides, (y16, y8, y4), strict=True)]
        return mask, self.boundary(y2), objectness, sides, y4


class Detector(nn.Module):
    """Picture → class-agnostic boxes, one prediction per cell of an 8-pixel grid (FCOS, Tian et al., ICCV 2019).

    Output `(N, 6, H/8, W/8)`: objectness and box quality (IoU), then the distances left, top, right, bottom from the
    cell centre to the box sides. Training: logits and units of 8 pixels; evaluation: probabilities and pixels.
    `small`: with SMALL_WIDTHS.
    """

    STRIDE = 8

    def __init__(self, small: bool = False) -> None:
        super().__init__()
        c, n = (SMALL_WIDTHS, 32) if small else (WIDTHS, 64)
        self.encoder = Encoder(3, c, SMALL_DEPTHS) if small else Encoder(3)
        self.up16 = Up(c[4], c[3], n)
        self.up8 = Up(n, c[2], n)
        self.shared = conv(n, n)
        self.scores = nn.Sequential(conv(n, n // 2), nn.Conv2d(n // 2, 2, 3, 1, 1))
        self.sides = nn.Sequential(conv(n, n // 2), nn.Conv2d(n // 2, 4, 3, 1, 1))
        with torch.no_grad():
            self.scores[-1].bias.fill_(-3.0)  # type: ignore[operator, union-attr]
            self.sides[-1].bias.fill_(1.5)  # type: ignore[operator, union-attr]

    def forward(self, x: Tensor) -> Tensor:
        _, _, f8, f16, f32 = self.encoder(x)
        y = self.shared(self.up8(self.up16(f32, f16), f8))
        scores, sides = self.scores(y), torch.exp(self.sides(y).clamp(-4.0, 4.0))
        if self.training:
            return torch.cat([scores, sides], 1)
        return torch.cat([torch.sigmoid(scores), sides * self.STRIDE], 1)


def n_parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())
