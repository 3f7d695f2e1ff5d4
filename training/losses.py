"""What the segmenters are trained to do less of: the losses, and those parts of them that can be left out or added."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from torch import Tensor, nn

HARDEST = 0.25
"""Of the pixels, where only hard ones count."""

TEMPERATURE = 0.1


@dataclass(frozen=True)
class Parts:
    """What the loss is made of beside the mask: `heads` for boundary and objectness; only the `hardest` pixels (OHEM);
    `contrast` between what is inside and what is taken for it."""

    heads: bool = True
    hardest: bool = False
    contrast: bool = False


OURS = Parts()
"""What the weights that ship were trained with."""


def edge_weight(target: Tensor) -> Tensor:
    """`1 + 4 |local mean - target|` (Wei et al., F³Net, AAAI 2020): pixels near the edge count up to five times."""
    r = target.shape[-1] // 8
    mean = F.avg_pool2d(target, (2 * r + 1, 1), 1, (r, 0))
    mean = F.avg_pool2d(mean, (1, 2 * r + 1), 1, (0, r))
    return 1 + 4 * (mean - target).abs()


def mask_loss(logits: Tensor, target: Tensor, weight: Tensor, hardest: bool = False) -> Tensor:
    """Weighted binary cross entropy + weighted soft IoU; `(N, 1, h, w)`. `hardest`: the entropy of the worst pixels only."""
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight
    if hardest:  # Shrivastava et al., CVPR 2016
        entropy = entropy.flatten().topk(int(HARDEST * entropy.numel())).values
    p = torch.sigmoid(logits)
    inter = (p * target * weight).sum((1, 2, 3))
    union = ((p + target - p * target) * weight).sum((1, 2, 3))
    iou = 1 - (inter + 1) / (union + 1)
    return entropy.mean() + iou.mean()


def boundary_of(target: Tensor) -> Tensor:
    """`(N, 1, h, w)` in [0, 1]: 1 where the mask changes within a pixel."""
    return F.max_pool2d(target, 3, 1, 1) + F.max_pool2d(-target, 3, 1, 1)


def contrast(features: Tensor, logits: Tensor, target: Tensor) -> Tensor:
    """Every pixel is to be more like the mean of its own side than like that of the other (InfoNCE with two prototypes).

    Outside only what the net takes for the object counts, its hard background. `features (N, C, h, w)`, the others
    `(N, 1, h, w)`; pictures without an object, or without a mistake, have no part in it.
    """
    f = F.normalize(features, dim=1)
    inside = (target > 0.5).float()
    outside = (1 - inside) * (torch.sigmoid(logits.detach()) > 0.2).float()
    there = (inside.sum((1, 2, 3)) > 0) & (outside.sum((1, 2, 3)) > 0)
    if not there.any():
        return features.sum() * 0
    f, inside, outside = f[there], inside[there], outside[there]
    near, far = (F.normalize((f * where).sum((2, 3)), dim=1)[..., None, None] for where in (inside, outside))
    closer = (f * (near - far)).sum(1, keepdim=True) / TEMPERATURE
    entropy = F.binary_cross_entropy_with_logits(closer, inside, reduction="none")
    return ((entropy * inside).sum() / inside.sum() + (entropy * outside).sum() / outside.sum()) / 2


def loss_of(net: nn.Module, pictures: Tensor, targets: Tensor, meant: Tensor, parts: Parts = OURS) -> Tensor:
    """`pictures (N, 4, S, S)` normalised, `targets (N, 1, S, S)` in [0, 1], `meant (N,)`: is there anything to find."""
    with torch.autocast("cpu", torch.bfloat16):
        mask, boundary, objectness, sides, features = net(pictures)
    half = F.avg_pool2d(targets, 2)
    weight = edge_weight(half)
    loss = mask_loss(mask.float(), half, weight, parts.hardest)
    for side, step in zip(sides, (8, 4, 2), strict=True):
        coarse = F.avg_pool2d(half, step)
        loss = loss + 0.3 * mask_loss(side.float(), coarse, F.avg_pool2d(weight, step), parts.hardest)
    if parts.contrast:
        loss = loss + 0.1 * contrast(features.float(), sides[-1].float(), F.avg_pool2d(half, 2))
    if not parts.heads:
        return loss
    edges = boundary_of(half)
    loss = loss + 0.5 * F.binary_cross_entropy_with_logits(boundary.float(), edges, weight=1 + 3 * edges)
    return loss + 0.2 * F.binary_cross_entropy_with_logits(objectness.float()[:, 0], meant)
