"""The judge's network: three convolutions with pooling, 64 features, one logit per class.

Images beyond 32 pixels a side are averaged down first: the judge tells classes apart, it does not count hairs.
Images of other data than it was trained on are brought to its form: to its size, whatever their proportions, by
averaging down or bilinear interpolation up; to grey by their luminance (Rec. 601), to colour by three channels alike.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FEATURES = 64
"""Units of the layer before the logits, in which distances are measured."""

_CHANNELS = 16
_LARGEST_SIDE = 32
_LUMA = (0.299, 0.587, 0.114)


class JudgeNetwork(nn.Module):
    """Image (B, C, H, W), uint8 → features (B, 64) → logits (B, K).

    Args:
        image_shape: (C, H, W).
        classes: K.
        rng: of the first weights; torch's global stream is not touched, for a run may be drawing from it.
    """

    def __init__(self, image_shape: tuple[int, int, int], classes: int, rng: torch.Generator) -> None:
        super().__init__()
        channels, *sides = image_shape
        self.side = (min(sides[0], _LARGEST_SIDE), min(sides[1], _LARGEST_SIDE))
        coarse = [-(-side // 8) for side in self.side]
        with torch.device("meta"):  # laid out without weights, which are drawn below
            self.first = nn.Conv2d(channels, _CHANNELS, 3, padding=1)
            self.second = nn.Conv2d(_CHANNELS, 2 * _CHANNELS, 3, padding=1)
            self.third = nn.Conv2d(2 * _CHANNELS, 4 * _CHANNELS, 3, padding=1)
            self.hidden = nn.Linear(4 * _CHANNELS * coarse[0] * coarse[1], FEATURES)
            self.last = nn.Linear(FEATURES, classes)
        self.to_empty(device="cpu")
        for layer in (self.first, self.second, self.third, self.hidden, self.last):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=rng)
            nn.init.zeros_(layer.get_parameter("bias"))

    def features(self, images: Tensor) -> Tensor:
        """uint8 images (B, C, H, W) → (B, 64)."""
        x = _in_channels(images.float().mul_(1 / 127.5).sub_(1), self.first.in_channels)
        if x.shape[2] < self.side[0] or x.shape[3] < self.side[1]:
            x = F.interpolate(x, self.side, mode="bilinear", antialias=True)
        elif tuple(x.shape[2:]) != self.side:
            x = F.adaptive_avg_pool2d(x, self.side)
        x = x.contiguous(memory_format=torch.channels_last)  # in which a processor pools twice as fast
        for layer in (self.first, self.second, self.third):
            x = F.relu(F.max_pool2d(layer(x), 2, ceil_mode=True))
        return F.relu(self.hidden(x.flatten(1)))

    def forward(self, images: Tensor) -> Tensor:
        """uint8 images (B, C, H, W) → logits (B, K)."""
        logits: Tensor = self.last(self.features(images))
        return logits


def _in_channels(images: Tensor, channels: int) -> Tensor:
    """Images (B, C, H, W) in grey or colour, C → `channels`, 1 or 3."""
    if images.shape[1] == channels:
        return images
    if channels == 3:
        return images.expand(-1, 3, -1, -1)
    return (images * images.new_tensor(_LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
