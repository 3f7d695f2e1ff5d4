"""What cameras do to pictures: blur, noise, compression, exposure, white balance, contrast."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from training.nets import MEAN, SCALE
from training.store import Pixels
from training.synth import Rng


def degrade(bgr: Pixels, rng: Rng) -> Pixels:
    """Now and then: defocus, motion blur, coarse pixels, JPEG blocks. `(H, W, 3) uint8` in and out."""
    roll = rng.random()
    if roll < 0.06:
        return cv2.GaussianBlur(bgr, (0, 0), rng.uniform(0.4, 1.6))
    if roll < 0.12:
        length = int(rng.integers(3, 10))
        kernel = np.zeros((length, length), np.float32)
        angle, middle = rng.uniform(0, np.pi), (length - 1) / 2
        dx, dy = np.cos(angle) * middle, np.sin(angle) * middle
        ends = [(round(middle + s * dx), round(middle + s * dy)) for s in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1.0)
        return cv2.filter2D(bgr, -1, kernel / kernel.sum())
    if roll < 0.17:
        h, w = bgr.shape[:2]
        f = rng.uniform(0.4, 0.8)
        return cv2.resize(cv2.resize(bgr, None, fx=f, fy=f, interpolation=cv2.INTER_AREA), (w, h))
    if roll < 0.25:
        ok, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 80))])
        return cv2.imdecode(data, cv2.IMREAD_COLOR) if ok else bgr
    return bgr


def light(pictures: Tensor, rng: Rng) -> Tensor:
    """`(N, C, H, W)` of 0-255, first three channels colour: exposure, contrast, white balance, grey, noise."""
    n = len(pictures)

    def per_picture(values: object) -> Tensor:
        return torch.as_tensor(np.asarray(values, np.float32)).reshape(n, -1, 1, 1)

    colour = pictures[:, :3]
    mean = colour.mean((2, 3), keepdim=True)
    contrast = per_picture(np.exp(rng.normal(0, 0.15, n)))
    gain = per_picture(np.exp(rng.normal(0, 0.2, (n, 1)) + rng.normal(0, 0.06, (n, 3))))
    offset = per_picture(rng.normal(0, 10, n))
    grey = per_picture(np.where(rng.random(n) < 0.15, rng.uniform(0.3, 1, n), 0))
    colour = (mean + (colour - mean) * contrast) * gain + offset
    colour = colour + (colour.mean(1, keepdim=True) - colour) * grey
    noisy = np.flatnonzero(rng.random(n) < 0.25)
    if len(noisy):
        sigma = torch.as_tensor(rng.uniform(1, 12, (len(noisy), 1, 1, 1)).astype(np.float32))
        colour[noisy] = colour[noisy] + torch.randn(len(noisy), *colour.shape[1:]) * sigma
    return torch.cat([colour.clamp(0, 255), pictures[:, 3:]], 1)


def normalised(pictures: Tensor) -> Tensor:
    """0-255 → what the nets take, channels last in memory."""
    c = pictures.shape[1]
    out = (pictures - torch.tensor(MEAN[:c]).reshape(1, c, 1, 1)) / torch.tensor(SCALE[:c]).reshape(1, c, 1, 1)
    return out.contiguous(memory_format=torch.channels_last)
