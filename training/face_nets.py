"""The two small networks for faces, of the same parts as the large ones."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from training.nets import Encoder, Up, conv

DEPTHS = (0, 1, 1, 1, 1)
DETECT_WIDTHS, SMALL_DETECT_WIDTHS = (12, 24, 32, 48, 64), (8, 16, 20, 28, 32)
SEGMENT_WIDTHS, SMALL_SEGMENT_WIDTHS = (16, 24, 32, 48, 64), (12, 16, 20, 28, 36)
"""Of the encoders; the small networks have a third of the weights."""


class FaceDetector(nn.Module):
    """Picture → boxes of faces; outputs like those of `training.nets.Detector`."""

    STRIDE = 8

    def __init__(self, small: bool = False) -> None:
        super().__init__()
        c, n, m = (SMALL_DETECT_WIDTHS, 24, 16) if small else (DETECT_WIDTHS, 40, 24)
        self.encoder = Encoder(3, c, DEPTHS)
        self.up16 = Up(c[4], c[3], n)
        self.up8 = Up(n, c[2], n)
        self.scores = nn.Sequential(conv(n, m), nn.Conv2d(m, 2, 1))
        self.sides = nn.Sequential(conv(n, m), nn.Conv2d(m, 4, 1))
        with torch.no_grad():
            self.scores[-1].bias.fill_(-3.0)  # type: ignore[operator, union-attr]
            self.sides[-1].bias.fill_(1.0)  # type: ignore[operator, union-attr]

    def forward(self, x: Tensor) -> Tensor:
        _, _, f8, f16, f32 = self.encoder(x)
        y = self.up8(self.up16(f32, f16), f8)
        scores, sides = self.scores(y), torch.exp(self.sides(y).clamp(-4.0, 4.0))
        if self.training:
            return torch.cat([scores, sides], 1)
        return torch.cat([torch.sigmoid(scores), sides * self.STRIDE], 1)


class FaceSegmenter(nn.Module):
    """A window around a face → the head in its middle and that head's hair, eyes and mouth, at half the window's size.

    Training: logits `(N, 4, H/2, W/2)` and objectness `(N, 1)`, then coarse logits at strides 8 and 4 (deep supervision).
    Evaluation: probabilities `mask (N, 1, H/2, W/2)`, `objectness (N, 1)`, `regions (N, 3, H/2, W/2)`.
    """

    def __init__(self, small: bool = False) -> None:
        super().__init__()
        c, n = (SMALL_SEGMENT_WIDTHS, (28, 20, 16, 12)) if small else (SEGMENT_WIDTHS, (48, 32, 24, 16))
        self.encoder = Encoder(3, c, DEPTHS)
        self.objectness = nn.Linear(c[4], 1)
        self.up16 = Up(c[4], c[3], n[0])
        self.up8 = Up(n[0], c[2], n[1])
        self.up4 = Up(n[1], c[1], n[2])
        self.up2 = Up(n[2], c[0], n[3])
        self.masks = nn.Conv2d(n[3], 4, 3, 1, 1)
        self.sides = nn.ModuleList([nn.Conv2d(n[1], 4, 1), nn.Conv2d(n[2], 4, 1)])

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        f2, f4, f8, f16, f32 = self.encoder(x)
        objectness = self.objectness(f32.mean((2, 3)))
        y8 = self.up8(self.up16(f32, f16), f8)
        y4 = self.up4(y8, f4)
        masks = self.masks(self.up2(y4, f2))
        if self.training:
            return masks, objectness, self.sides[0](y8), self.sides[1](y4)
        masks = torch.sigmoid(masks)
        return masks[:, :1], torch.sigmoid(objectness), masks[:, 1:]


def load(path: Path) -> FaceDetector | FaceSegmenter:
    """The averaged network of a checkpoint, of whichever kind and size."""
    weights = torch.load(path, weights_only=True)["average"]
    detects, width = "scores.1.weight" in weights, len(weights["encoder.stages.0.0.0.weight"])
    small = width == (SMALL_DETECT_WIDTHS if detects else SMALL_SEGMENT_WIDTHS)[0]
    net = FaceDetector(small) if detects else FaceSegmenter(small)
    net.load_state_dict(weights)
    return net.eval()
