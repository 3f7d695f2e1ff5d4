"""The two small networks for faces, of the same parts as the large ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.nets import Encoder, Up, conv

DEPTHS = (0, 1, 1, 1, 1)


class FaceDetector(nn.Module):
    """Picture → boxes of faces; outputs like those of `training.nets.Detector`."""

    STRIDE = 8

    def __init__(self) -> None:
        super().__init__()
        c = (12, 24, 32, 48, 64)
        self.encoder = Encoder(3, c, DEPTHS)
        self.up16 = Up(c[4], c[3], 40)
        self.up8 = Up(40, c[2], 40)
        self.scores = nn.Sequential(conv(40, 24), nn.Conv2d(24, 2, 1))
        self.sides = nn.Sequential(conv(40, 24), nn.Conv2d(24, 4, 1))
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

    def __init__(self) -> None:
        super().__init__()
        c = (16, 24, 32, 48, 64)
        self.encoder = Encoder(3, c, DEPTHS)
        self.objectness = nn.Linear(c[4], 1)
        self.up16 = Up(c[4], c[3], 48)
        self.up8 = Up(48, c[2], 32)
        self.up4 = Up(32, c[1], 24)
        self.up2 = Up(24, c[0], 16)
        self.masks = nn.Conv2d(16, 4, 3, 1, 1)
        self.sides = nn.ModuleList([nn.Conv2d(32, 4, 1), nn.Conv2d(24, 4, 1)])

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
