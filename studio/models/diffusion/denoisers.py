"""Denoisers: (noisy image, time) → what the model predicts, of the image's shape; and the clean image from that.

    MLP     two residual blocks of 8·width units; for images of up to 16 pixels a side
    U-Net   on 2×2 pixel blocks as channels: 28 → 14 → 7, 32 → 16 → 8, 64 → 32 → 16 → 8 with width, 2·width, 4·width
            channels, residual blocks at each level and attention at the coarsest

Time, and a label if there is one, enter each block as a scale and a shift of its normalised features. Real examples
pass here, so there is no BatchNorm, only group norm. After J. Ho et al., arXiv:2006.11239; A. Nichol, P. Dhariwal,
arXiv:2102.09672 (2021).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import assert_never

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio.models.conditional import LabelEmbedding
from studio.models.config import Architecture
from studio.models.diffusion.config import Prediction
from studio.models.nets import Shape, is_convolutional

_COARSEST_SIDE = 8
_FREQUENCIES = 32


def denoiser(shape: Shape, *, architecture: Architecture, width: int, classes: int = 0) -> nn.Module:
    """Network (images (B, C, H, W), times (B,) in 0…1) → (B, C, H, W), in which no example sees another.

    One of some classes takes labels (B,) after the times, too.
    """
    if is_convolutional(shape, architecture):
        return UNet(shape, width, classes)
    return MlpDenoiser(shape, 8 * width, classes)


class _Denoiser(nn.Module):
    """What tells its blocks the time and, if there are classes, the label."""

    embedding: TimeEmbedding
    label_embedding: LabelEmbedding | None

    def told(self, time: Tensor, labels: Tensor | None) -> Tensor:
        """Of times (B,) and labels (B,), shape (B, features)."""
        embedding: Tensor = self.embedding(time)
        if labels is None or self.label_embedding is None:
            return embedding
        return embedding + self.label_embedding(labels)


class TimeEmbedding(nn.Sequential):
    """Time (B,) in 0…1 → (B, features): sines and cosines of geometric frequencies, then two layers."""

    def __init__(self, features: int) -> None:
        super().__init__(nn.Linear(2 * _FREQUENCIES, features), nn.SiLU(), nn.Linear(features, features), nn.SiLU())
        frequencies = torch.logspace(0, 3, _FREQUENCIES) * 0.5 * math.pi
        self.register_buffer("frequencies", frequencies, persistent=False)

    def forward(self, time: Tensor) -> Tensor:
        angles = time[:, None] * self.get_buffer("frequencies")
        return super().forward(torch.cat((angles.sin(), angles.cos()), 1))


class MlpDenoiser(_Denoiser):
    """Flat image through residual blocks of `hidden` units."""

    def __init__(self, shape: Shape, hidden: int, classes: int = 0) -> None:
        super().__init__()
        pixels = math.prod(shape)
        self.embedding = TimeEmbedding(hidden)
        self.first = nn.Linear(pixels, hidden)
        self.blocks = nn.ModuleList(_MlpBlock(hidden) for _ in range(2))
        self.last = nn.Sequential(nn.GroupNorm(1, hidden), nn.SiLU(), nn.Linear(hidden, pixels))
        self.label_embedding = LabelEmbedding(classes, hidden) if classes else None

    def forward(self, images: Tensor, time: Tensor, labels: Tensor | None = None) -> Tensor:
        features, embedding = self.first(images.flatten(1)), self.told(time, labels)
        for block in self.blocks:
            features = block(features, embedding)
        said: Tensor = self.last(features)
        return said.reshape(images.shape)


class _MlpBlock(nn.Module):
    """h + W₂·silu(norm(W₁·silu(h))·(1 + scale(t)) + shift(t))."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.norm = nn.GroupNorm(1, hidden)
        self.modulation = nn.Linear(hidden, 2 * hidden)

    def forward(self, features: Tensor, embedding: Tensor) -> Tensor:
        scale, shift = self.modulation(embedding).chunk(2, 1)
        inner = self.norm(self.inner(F.silu(features))) * (1 + scale) + shift
        return features + self.outer(F.silu(inner))


class UNet(_Denoiser):
    """Down to the coarsest level and up again, with the fine features handed across."""

    def __init__(self, shape: Shape, width: int, classes: int = 0) -> None:
        super().__init__()
        levels = 1
        while max(shape[1:]) > _COARSEST_SIDE << levels:
            levels += 1
        channels = [width * min(2**level, 4) for level in range(levels)]
        self._multiple = 1 << levels
        time = 4 * width
        self.embedding = TimeEmbedding(time)
        self.first = nn.Conv2d(4 * shape[0], width, 3, padding=1)
        self.down = nn.ModuleList(_ResidualBlock(c, c, time) for c in channels[:-1])
        pairs = list(pairwise(channels))
        self.shrink = nn.ModuleList(nn.Conv2d(fine, coarse, 3, stride=2, padding=1) for fine, coarse in pairs)
        deep = channels[-1]
        self.middle = nn.ModuleList((_ResidualBlock(deep, deep, time), _ResidualBlock(deep, deep, time)))
        self.attention = _Attention(deep)
        self.grow = nn.ModuleList(nn.Conv2d(coarse, fine, 3, padding=1) for fine, coarse in reversed(pairs))
        self.up = nn.ModuleList(_ResidualBlock(2 * c, c, time) for c in reversed(channels[:-1]))
        self.last = nn.Sequential(_group_norm(width), nn.SiLU(), nn.Conv2d(width, 4 * shape[0], 3, padding=1))
        self.label_embedding = LabelEmbedding(classes, time) if classes else None

    def forward(self, images: Tensor, time: Tensor, labels: Tensor | None = None) -> Tensor:
        height, width = images.shape[2:]
        padding = (0, -width % self._multiple, 0, -height % self._multiple)
        embedding = self.told(time, labels)
        features = self.first(F.pixel_unshuffle(F.pad(images, padding), 2))
        kept = []
        for block, shrink in zip(self.down, self.shrink, strict=True):
            features = block(features, embedding)
            kept.append(features)
            features = shrink(features)
        features = self.attention(self.middle[0](features, embedding))
        features = self.middle[1](features, embedding)
        for grow, block in zip(self.grow, self.up, strict=True):
            features = grow(F.interpolate(features, scale_factor=2.0))
            features = block(torch.cat((features, kept.pop()), 1), embedding)
        return F.pixel_shuffle(self.last(features), 2)[..., :height, :width]


class _ResidualBlock(nn.Module):
    """Two normalised 3×3 convolutions, the second modulated by time, beside a short cut."""

    def __init__(self, fan_in: int, fan_out: int, time: int) -> None:
        super().__init__()
        self.first = nn.Sequential(_group_norm(fan_in), nn.SiLU(), nn.Conv2d(fan_in, fan_out, 3, padding=1))
        self.norm = _group_norm(fan_out)
        self.second = nn.Conv2d(fan_out, fan_out, 3, padding=1)
        self.modulation = nn.Linear(time, 2 * fan_out)
        self.short_cut = nn.Conv2d(fan_in, fan_out, 1) if fan_in != fan_out else nn.Identity()

    def forward(self, features: Tensor, embedding: Tensor) -> Tensor:
        scale, shift = self.modulation(embedding)[..., None, None].chunk(2, 1)
        inner = self.norm(self.first(features)) * (1 + scale) + shift
        result: Tensor = self.short_cut(features) + self.second(F.silu(inner))
        return result


class _Attention(nn.Module):
    """Self-attention over the places of a map, added to it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = max(1, channels // 32) if channels % 32 == 0 else 1
        self.norm = _group_norm(channels)
        self.inner, self.outer = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        batch, channels, height, width = features.shape
        heads = self.inner(self.norm(features)).reshape(batch, 3, self.heads, channels // self.heads, height * width)
        query, key, value = heads.transpose(3, 4).unbind(1)
        mixed = F.scaled_dot_product_attention(query, key, value)
        result: Tensor = features + self.outer(mixed.transpose(2, 3).reshape(features.shape))
        return result


def _group_norm(channels: int) -> nn.GroupNorm:
    """Group norm with groups of about eight maps."""
    return nn.GroupNorm(next(g for g in range(max(1, channels // 8), 0, -1) if channels % g == 0), channels)


# What a denoiser may say of x_t = α·x_0 + σ·ε with α = √ᾱ_t, σ = √(1 − ᾱ_t), and how one turns into the other:
#
#     ε   x_0 = (x_t − σ·ε)/α
#     x   x_0 itself
#     v   v = α·ε − σ·x_0,   x_0 = α·x_t − σ·v        T. Salimans, J. Ho, arXiv:2202.00512 (2022)


def target(kind: Prediction, clean: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
    """What the denoiser should say, of x_0 and ε, all (B, C, H, W), √ᾱ_t and √(1 − ᾱ_t), (B, 1, 1, 1) or scalars."""
    match kind:
        case Prediction.NOISE:
            return noise
        case Prediction.CLEAN:
            return clean
        case Prediction.VELOCITY:
            return alpha * noise - sigma * clean
        case _:
            assert_never(kind)


def clean_image(kind: Prediction, said: Tensor, noisy: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
    """x_0 from what the denoiser said of x_t = `noisy`; shapes as in `target`. α = 0 has no answer for ε."""
    match kind:
        case Prediction.NOISE:
            return (noisy - sigma * said) / alpha
        case Prediction.CLEAN:
            return said
        case Prediction.VELOCITY:
            return alpha * noisy - sigma * said
        case _:
            assert_never(kind)
