"""Images as a judge is trained on them: moved a little and, for some judges, blurred, noisy or partly covered.

What a model generates is not as sharp as the data. A judge that never saw a blurred example calls one by what is left
of its outline; others, trained otherwise, call it something else, and that they do is what a committee is for.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_SHIFT = 1 / 16
"""Part of the side by which a batch is moved at random, in whole pixels, so that places are not learnt by heart."""

_MOST_BLURS = 3
_MOST_NOISE = 60.0
"""Standard deviation in grey levels."""

_LEAST_COVERED, _MOST_COVERED = 1 / 8, 1 / 3
"""Side of what is covered, over that of the image."""


def moved(images: Tensor, rng: torch.Generator) -> Tensor:
    """A batch moved a little each way, its edge continued; float, 0…255, shape (B, C, H, W)."""
    height, width = images.shape[2:]
    most = int(_SHIFT * min(height, width))
    if not most:
        return images.float()
    down, right = torch.randint(0, 2 * most + 1, (2,), generator=rng).tolist()
    wide = F.pad(images.float(), (most,) * 4, mode="replicate")
    return wide[:, :, down : down + height, right : right + width]


def damaged(images: Tensor, rng: torch.Generator) -> Tensor:
    """A batch as it is every other time, else blurred, noisy or partly covered; float, 0…255, shape (B, C, H, W)."""
    kind, strength = int(torch.randint(0, 6, (), generator=rng)), float(torch.rand((), generator=rng))
    if kind == 0:
        return blurred(images, 1 + int(strength * min(_MOST_BLURS, min(images.shape[2:]) // 8)))
    if kind == 1:
        noise = torch.randn(images.shape, generator=rng)
        return (images + strength * _MOST_NOISE * noise).clamp_(0, 255)
    return _covered(images, strength, rng) if kind == 2 else images


def blurred(images: Tensor, times: int) -> Tensor:
    """Float images (B, C, H, W), averaged `times` with weights (1, 2, 1)/4 each way: σ = √(times/2) pixels."""
    for _ in range(times):
        wide = F.pad(images, (1,) * 4, mode="replicate")
        wide = (wide[:, :, :-2] + 2 * wide[:, :, 1:-1] + wide[:, :, 2:]) / 4
        images = (wide[..., :-2] + 2 * wide[..., 1:-1] + wide[..., 2:]) / 4
    return images


def _covered(images: Tensor, strength: float, rng: torch.Generator) -> Tensor:
    """With a rectangle of each image's mean."""
    part = _LEAST_COVERED + strength * (_MOST_COVERED - _LEAST_COVERED)
    ends = []
    for side in images.shape[2:]:
        room = max(1, int(part * side))
        begin = int(torch.randint(0, side - room + 1, (), generator=rng))
        ends.append(slice(begin, begin + room))
    images = images.clone()
    images[:, :, ends[0], ends[1]] = images.mean((2, 3), keepdim=True)
    return images
