"""Networks that models share: z → image, and image → features.

    MLP            two hidden layers of 8·width units; for images of up to 16 pixels a side
    convolutional  strided layers, each halving the side and doubling the channels up to 4·width, until the side is at
                   most 8: 28 → 14 → 7, 32 → 16 → 8, 64 → 32 → 16 → 8

Real examples pass through `encoder` alone. It has no BatchNorm to offer: batch statistics would ignore the importance
weights and tie every example to its batch. Layout after DCGAN: A. Radford et al., arXiv:1511.06434 (2015).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio.models.config import Architecture

Shape = tuple[int, int, int]

_LARGEST_MLP_SIDE = 16
_COARSEST_SIDE = 8
_CHUNK = 500
_MOST_CHANNELS = 3
"""Of images for which products of matrices are faster, in float32 on a processor."""


class Norm(Enum):
    """Normalisation between layers; LAYER is a single group. An encoder takes all but BATCH."""

    NONE = "none"
    GROUP = "group"
    LAYER = "layer"
    BATCH = "batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a network is built.

    Attributes:
        width: channels of the finest convolution; an MLP has 8·width hidden units.
        norm, activation: between its layers, and after each.
        dense_layer: a convolutional network has one more layer of 8·width units beside the vector. It lets distant
            parts of an image agree: a VAE's Fréchet distance on MNIST falls by a fifth.
    """

    architecture: Architecture
    width: int
    norm: Norm = Norm.NONE
    activation: Callable[[], nn.Module] = nn.ReLU
    dense_layer: bool = False

    @property
    def hidden(self) -> int:
        return 8 * self.width


def has_convolutions(network: nn.Module) -> bool:
    """Whether any of its layers is a convolution."""
    return any(isinstance(module, nn.modules.conv._ConvNd) for module in network.modules())


def is_convolutional(shape: Shape, architecture: Architecture) -> bool:
    """Whether images of `shape` (C, H, W) get the convolutional pair; those too small to be halved never do."""
    if min(shape[1:]) >> _halvings(shape) == 0:
        return False
    if architecture is Architecture.AUTO:
        return max(shape[1:]) > _LARGEST_MLP_SIDE
    return architecture is Architecture.CONVOLUTIONAL


def encoder(shape: Shape, outputs: int, style: Style) -> nn.Module:
    """Network image (B, C, H, W) → (B, outputs), in which no example sees another; raises ValueError for BatchNorm."""
    if style.norm is Norm.BATCH:
        raise ValueError("BatchNorm ignores the importance weights of the examples that pass through it")
    if is_convolutional(shape, style.architecture):
        return _ConvEncoder(shape, outputs, style)
    sizes = (shape[0] * shape[1] * shape[2], style.hidden, style.hidden)
    return nn.Sequential(nn.Flatten(), *_dense(sizes, style), nn.Linear(style.hidden, outputs))


def decoder(latent_size: int, shape: Shape, style: Style) -> nn.Module:
    """Network z (B, latent_size) → (B, C, H, W), unbounded: the model chooses tanh, a likelihood's logits, …"""
    if is_convolutional(shape, style.architecture):
        return _ConvDecoder(latent_size, shape, style)
    last = nn.Linear(style.hidden, shape[0] * shape[1] * shape[2])
    return nn.Sequential(*_dense((latent_size, style.hidden, style.hidden), style), last, nn.Unflatten(1, shape))


def in_chunks(network: nn.Module, latents: Tensor) -> Tensor:
    """`network` applied to `latents` (N, …) a few hundred at a time, so that ten thousand samples fit in memory."""
    return torch.cat([network(chunk) for chunk in latents.split(_CHUNK)])


def _halvings(shape: Shape) -> int:
    """How often the side is halved until it is at most 8; at least once."""
    count = 1
    while max(shape[1:]) > _COARSEST_SIDE << count:
        count += 1
    return count


def _channels(width: int, halvings: int) -> list[int]:
    """Channels from the finest layer to the coarsest: width, 2·width, 4·width, 4·width, …"""
    return [width * min(2**level, 4) for level in range(halvings)]


def _normalisation(norm: Norm, features: int, *, flat: bool) -> list[nn.Module]:
    """The layer for `features` channels; group norm takes groups of about eight maps, or all units of a flat layer."""
    if norm is Norm.BATCH:
        return [_BatchNorm1d(features) if flat else _BatchNorm2d(features)]
    if norm is Norm.LAYER:
        return [nn.GroupNorm(1, features)]
    if norm is Norm.GROUP:
        groups = 1 if flat else next(g for g in range(max(1, features // 8), 0, -1) if features % g == 0)
        return [nn.GroupNorm(groups, features)]
    return []


def _dense(sizes: tuple[int, ...], style: Style) -> list[nn.Module]:
    """Linear layers of those sizes, each with norm and activation."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), *_normalisation(style.norm, fan_out, flat=True), style.activation()]
    return layers


class _LoneBatchNorm(nn.modules.batchnorm._BatchNorm):
    """BatchNorm that takes a lone value per channel, which a strong tilt can plan, with its running statistics."""

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, n, …) → (B, n, …)."""
        if features.numel() > features.shape[1]:
            return super().forward(features)
        return F.batch_norm(features, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


class _BatchNorm1d(_LoneBatchNorm, nn.BatchNorm1d):
    """For features (B, n)."""


class _BatchNorm2d(_LoneBatchNorm, nn.BatchNorm2d):
    """For maps (B, n, H, W)."""


class _ConvEncoder(nn.Sequential):
    """Strided 4×4 convolutions, then one or two linear layers."""

    def __init__(self, shape: Shape, outputs: int, style: Style) -> None:
        halvings = _halvings(shape)
        channels = _channels(style.width, halvings)
        layers: list[nn.Module] = []
        for level, (fan_in, fan_out) in enumerate(pairwise((shape[0], *channels))):
            # Nothing normalises the first layer's output: it would take the image's brightness away.
            norms = _normalisation(style.norm, fan_out, flat=False) if level else []
            layer = nn.Conv2d if level else FromImage
            layers += [layer(fan_in, fan_out, 4, stride=2, padding=1), *norms, style.activation()]
        features = channels[-1] * (shape[1] >> halvings) * (shape[2] >> halvings)
        sizes = (features, style.hidden) if style.dense_layer else (features,)
        super().__init__(*layers, nn.Flatten(), *_dense(sizes, style), nn.Linear(sizes[-1], outputs))


class _ConvDecoder(nn.Module):
    """One or two linear layers to the coarsest map, then 4×4 transposed convolutions; what overhangs is cropped."""

    def __init__(self, latent_size: int, shape: Shape, style: Style) -> None:
        super().__init__()
        self.shape = shape
        halvings = _halvings(shape)
        up = list(reversed(_channels(style.width, halvings)))
        coarse = (up[0], -(-shape[1] >> halvings), -(-shape[2] >> halvings))
        sizes = (latent_size, style.hidden) if style.dense_layer else (latent_size,)
        layers: list[nn.Module] = [
            *_dense(sizes, style),
            nn.Linear(sizes[-1], coarse[0] * coarse[1] * coarse[2]),
            nn.Unflatten(1, coarse),
            *_normalisation(style.norm, coarse[0], flat=False),
            style.activation(),
        ]
        for fan_in, fan_out in pairwise(up):
            layers += [nn.ConvTranspose2d(fan_in, fan_out, 4, stride=2, padding=1)]
            layers += [*_normalisation(style.norm, fan_out, flat=False), style.activation()]
        self.layers = nn.Sequential(*layers, ToImage(up[-1], shape[0], 4, stride=2, padding=1))

    def forward(self, latents: Tensor) -> Tensor:
        """z (B, latent_size) → (B, C, H, W)."""
        images: Tensor = self.layers(latents)
        return images[..., : self.shape[1], : self.shape[2]]


class FromImage(nn.Conv2d):
    """Images (B, c_in, H, W) → maps (B, c_out, H′, W′), by a square kernel; quick to differentiate by its images.

    oneDNN has no good kernel for a convolution that leaves few channels. For 68 images of 28×28 and 32 maps, a
    transposed convolution and the gradient of a convolution by its images take 7 to 8 ms each of a core at 2.5 GHz,
    where either's opposite takes 1. The same sums, in another order, take 1 to 2:

        convolution    y = W·unfold(x) + b      W of shape (c_out, c_in·k·k)
        transposed     y = fold(Wᵀ·x) + b       W of shape (c_in, c_out·k·k)

    Source: K. Chellapilla, S. Puri, P. Simard, High performance convolutional neural networks for document processing,
    IWFHR (2006).
    """

    def __init__(self, channels: int, maps: int, kernel: int, *, stride: int, padding: int) -> None:
        super().__init__(channels, maps, kernel, stride, padding)
        self._geometry = kernel, stride, padding

    def forward(self, images: Tensor) -> Tensor:
        if not images.requires_grad or not _by_products(images, self.in_channels):
            return super().forward(images)
        kernel, stride, padding = self._geometry
        size = tuple((side + 2 * padding - kernel) // stride + 1 for side in images.shape[2:])
        parts = F.unfold(images, kernel, padding=padding, stride=stride)
        assert self.bias is not None
        maps = torch.baddbmm(self.bias[:, None], _for_each(images, self.weight.flatten(1)), parts)
        return maps.unflatten(2, size)


class ToImage(nn.ConvTranspose2d):
    """Maps (B, c_in, H, W) → images (B, c_out, H′, W′), by a square kernel; leaves out `padding` pixels around them."""

    def __init__(self, maps: int, channels: int, kernel: int, *, stride: int, padding: int) -> None:
        super().__init__(maps, channels, kernel, stride, padding)
        self._geometry = kernel, stride, padding

    def forward(self, maps: Tensor, output_size: list[int] | None = None) -> Tensor:
        if output_size is not None or not _by_products(maps, self.out_channels):
            return super().forward(maps, output_size)
        kernel, stride, padding = self._geometry
        size = tuple((side - 1) * stride - 2 * padding + kernel for side in maps.shape[2:])
        parts = torch.bmm(_for_each(maps, self.weight.flatten(1).t()), maps.flatten(2))
        assert self.bias is not None
        return F.fold(parts, size, kernel, padding=padding, stride=stride) + self.bias[:, None, None]


def _by_products(values: Tensor, channels: int) -> bool:
    """Whether that is faster, and no program is being made of it that others shall read."""
    return (
        channels <= _MOST_CHANNELS
        and values.device.type == "cpu"
        and values.dtype is torch.float32
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )


def _for_each(values: Tensor, matrix: Tensor) -> Tensor:
    """The matrix once for each example, without a copy: a product with a batch of one is slower."""
    return matrix.expand(len(values), *matrix.shape)
