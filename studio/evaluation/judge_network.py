"""The networks of a committee of judges: convolutions with pooling or dense layers, 64 features, one logit per class.

They differ in what they look at, how widely, and on what they were trained, so that they go wrong in different ways
where images are unlike the data; see `studio.evaluation.committee`.

Images beyond 32 pixels a side are averaged down first: a judge tells classes apart, it does not count hairs. Images of
other data than it was trained on are brought to its form: to its size, whatever their proportions, by averaging down or
bilinear interpolation up; to grey by their luminance (Rec. 601), to colour by three channels alike.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio.evaluation.texture import TEXTURES, textures

FEATURES = 64
"""Units of the layer before the logits, in which distances are measured."""

SEEN = FEATURES + TEXTURES
"""What of an image enters distances: features of the first network and textures."""

_LARGEST_SIDE = 32
_LEAST_HALVED = 16
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What a judge's network is made of.

    Attributes:
        kernels: side of each convolution, which a pooling by 2 follows; none for a dense network.
        channels: of the convolutions, or units of the dense layers.
        halved: looks at half as many pixels a side, where there are 16 or more.
        part: of the examples that training looks at, over those of a judge alone.
        damaged: trained on blurred, noisy and partly covered images, too.
    """

    kernels: tuple[int, ...]
    channels: tuple[int, ...]
    halved: bool
    part: float
    damaged: bool


BUILDS = (
    Build(kernels=(3, 3, 3), channels=(16, 32, 64), halved=False, part=0.5, damaged=False),
    Build(kernels=(3, 3, 3), channels=(16, 32, 64), halved=True, part=0.6, damaged=True),
    Build(kernels=(5, 5), channels=(16, 32), halved=True, part=0.5, damaged=True),
    Build(kernels=(), channels=(256,), halved=True, part=0.8, damaged=True),
)
"""Of the committee. The first, which sees all of a sharp image, gives features and log-odds."""


class JudgeNetwork(nn.Module):
    """Image (B, C, H, W), uint8 → features (B, 64) → logits (B, K).

    First weights come from `rng`; torch's global stream is not touched, for a run may be drawing from it.
    """

    def __init__(self, image_shape: tuple[int, int, int], classes: int, rng: torch.Generator, build: Build) -> None:
        super().__init__()
        self.image_channels, *sides = image_shape
        height, width = (min(side, _LARGEST_SIDE) for side in sides)
        halving = 2 if build.halved and min(height, width) >= _LEAST_HALVED else 1
        self.side = (height // halving, width // halving)
        self.convolves = bool(build.kernels)
        with torch.device("meta"):  # laid out without weights, which are drawn below
            self.layers = nn.ModuleList(self._layers(build))
            self.last = nn.Linear(FEATURES, classes)
        for layer in (*self.layers, self.last):  # not by to_empty, for which torch imports sympy, a second's work
            weight, bias = (torch.empty(layer.get_parameter(name).shape) for name in ("weight", "bias"))
            nn.init.kaiming_uniform_(weight, nonlinearity="relu", generator=rng)
            layer.register_parameter("weight", nn.Parameter(weight))
            layer.register_parameter("bias", nn.Parameter(nn.init.zeros_(bias)))

    def _layers(self, build: Build) -> list[nn.Module]:
        height, width = self.side
        if not build.kernels:
            units = (self.image_channels * height * width, *build.channels, FEATURES)
            return [nn.Linear(*ends) for ends in pairwise(units)]
        layers: list[nn.Module] = []
        ends = pairwise((self.image_channels, *build.channels))
        for (incoming, outgoing), kernel in zip(ends, build.kernels, strict=True):
            layers.append(nn.Conv2d(incoming, outgoing, kernel, padding=kernel // 2))
            height, width = -(-height // 2), -(-width // 2)
        return [*layers, nn.Linear(build.channels[-1] * height * width, FEATURES)]

    def features(self, images: Tensor) -> Tensor:
        """uint8 images (B, C, H, W) → (B, 64)."""
        x = _in_channels(images.float().mul_(1 / 127.5).sub_(1), self.image_channels)
        if x.shape[2] < self.side[0] or x.shape[3] < self.side[1]:
            x = F.interpolate(x, self.side, mode="bilinear", antialias=True)
        elif tuple(x.shape[2:]) != self.side:
            x = F.adaptive_avg_pool2d(x, self.side)
        *first, hidden = self.layers
        if self.convolves:
            x = x.contiguous(memory_format=torch.channels_last)  # in which a processor pools twice as fast
            for layer in first:
                x = F.relu(F.max_pool2d(layer(x), 2, ceil_mode=True))
            return F.relu(hidden(x.flatten(1)))
        x = x.flatten(1)
        for layer in first:
            x = F.relu(layer(x))
        return F.relu(hidden(x))

    def forward(self, images: Tensor) -> Tensor:
        """uint8 images (B, C, H, W) → logits (B, K)."""
        logits: Tensor = self.last(self.features(images))
        return logits


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a committee of M sees in B images: features of the first network, and whitened textures, shape (B, 75).

    Probabilities of each class are by the committee, by the mean logarithm of its members', and by each of them, shape
    (B, 1 + M, K).
    """

    features: Tensor
    probabilities: Tensor


class CommitteeNetwork(nn.Module):
    """The networks of a committee of K classes, and how textures are scaled; first weights come from `rng`."""

    whitening: Tensor

    def __init__(self, image_shape: tuple[int, int, int], classes: int, rng: torch.Generator) -> None:
        super().__init__()
        self.members = nn.ModuleList(JudgeNetwork(image_shape, classes, rng, build) for build in BUILDS)
        self.register_buffer("whitening", torch.eye(TEXTURES))

    @property
    def first(self) -> JudgeNetwork:
        """The one whose features are those of the committee."""
        first = self.members[0]
        assert isinstance(first, JudgeNetwork)
        return first

    def without(self, place: int) -> CommitteeNetwork:
        """The same committee without one of its members, which is not the first."""
        other = copy.copy(self)
        other._modules = {**self._modules}  # a module is set in this one alone
        other.members = nn.ModuleList(member for index, member in enumerate(self.members) if index != place)
        return other

    def look(self, images: Tensor) -> Sight:
        """uint8 images (B, C, H, W)."""
        features = self.first.features(images)
        logits = torch.stack([self.first.last(features), *(member(images) for member in self.members[1:])], dim=1)
        logits = logits.log_softmax(2)
        return Sight(
            features=torch.cat([features, textures(images) @ self.whitening.T], dim=1),
            probabilities=torch.cat([logits.mean(1, keepdim=True), logits], dim=1).softmax(2),
        )


def _in_channels(images: Tensor, channels: int) -> Tensor:
    """Images (B, C, H, W) in grey or colour, C → `channels`, 1 or 3."""
    if images.shape[1] == channels:
        return images
    if channels == 3:
        return images.expand(-1, 3, -1, -1)
    return (images * images.new_tensor(_LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
