"""Autoregressive model: pixel after pixel, each by a probability for each of its levels given those before it.

    log q(x) = Σ_i log q(x_i|x_1 … x_{i−1}),   L = −log q(x)

The channels of a pixel are columns side by side. A coordinate of a point has cells for levels, and is anywhere in its
cell alike: log q gains log(levels/2) for each. Samples are a function of noise, x_i = F_i⁻¹(Φ(z_i)) with F_i the
distribution function given what is left of i and above.

The loss of one example is all of that example, so all of it carries its weight: at the optimum log q is log p′, and of
two models trained with and without a tilt log q′ − log q = −ΔH − log Z.
Source: A. van den Oord et al., Pixel recurrent neural networks, arXiv:1601.06759 (2016).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio.models.autoregressive.config import AutoregressiveConfig
from studio.models.base import Batch, GenerativeModel, LossTerms, Phase
from studio.models.nets import Shape

_REACH = 3


class Predictor(nn.Module):
    """Values (B, rows, columns) in −1…1 to logits of the levels of each, (B, levels, rows, columns).

    They are told by the values in the rows above and those to the left. Two stacks of convolutions are padded on one
    side: one looks at the rows above, whole, so that there is no blind spot; the other looks to the left and is told by
    the first. Nothing normalises over places, which would tell of what comes later. Source: A. van den Oord et al.,
    arXiv:1606.05328 (2016).
    """

    def __init__(self, rows: int, columns: int, *, levels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.reach = _REACH + blocks
        self.places = nn.Parameter(torch.empty(width, rows, columns).normal_(std=0.1))
        self.first_above = nn.Conv2d(1, width, (_REACH, 2 * _REACH + 1))
        self.first_left = nn.Conv2d(1, width, (1, _REACH))

        def layers(size: tuple[int, int]) -> nn.ModuleList:
            return nn.ModuleList(nn.Conv2d(width, width, size) for _ in range(blocks))

        self.upward, self.leftward, self.told, self.outer = map(layers, ((2, 3), (1, 2), (1, 1), (1, 1)))
        self.last = nn.Conv2d(width, levels, 1)

    def forward(self, values: Tensor) -> Tensor:
        return self.along(values, self.above(values))

    def above(self, values: Tensor, first: int = 0) -> list[Tensor]:
        """What each block is told of the rows above, (B, width, rows, columns); `values` are rows from `first` on."""
        padded = F.pad(values[:, None], (_REACH, _REACH, _REACH, 0))[:, :, :-1]
        features = self.first_above(padded) + self.places[:, first : first + values.shape[1]]
        found = []
        for layer, told in zip(self.upward, self.told, strict=True):
            features = features + layer(F.pad(F.silu(features), (1, 1, 1, 0)))
            found.append(told(features))
        return found

    def along(self, values: Tensor, above: Sequence[Tensor]) -> Tensor:
        """The logits, of any part of the grid from which `reach` columns to the left are there or are none."""
        features = self.first_left(F.pad(values[:, None], (_REACH, 0))[..., :-1])
        for left, outer, told in zip(self.leftward, self.outer, above, strict=True):
            inner = left(F.pad(F.silu(features), (1, 0))) + told
            features = features + outer(F.silu(inner))
        logits: Tensor = self.last(F.silu(features))
        return logits


_CHUNK = 500


class Autoregressive(GenerativeModel):
    """A predictor of each number by those before it."""

    def __init__(self, config: AutoregressiveConfig, shape: Shape) -> None:
        super().__init__(shape)
        self.config = config
        channels, rows, columns = shape
        self.predictor = Predictor(
            rows, channels * columns, levels=config.levels, width=config.width, blocks=config.blocks
        )
        self._points = shape[1:] == (1, 1)

    def phases(self) -> Sequence[Phase]:
        return (Phase(network="predictor"),)

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        return LossTerms(data=-self.likelihood(batch.images))

    def likelihood(self, images: Tensor) -> Tensor:
        """log q of images (B, C, H, W) as their levels, or of points, exact, in nats per image, shape (B,)."""
        levels = self.levels(self.grid(images))
        cells = math.prod(self.image_shape) * math.log(self.config.levels / 2) if self._points else 0.0
        return cells - F.cross_entropy(self.predictor(self.values(levels)), levels, reduction="none").sum((1, 2))

    def grid(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W), or noise of their shape, with channels side by side: (B, H, W·C)."""
        return images.permute(0, 2, 3, 1).flatten(2)

    def images(self, grid: Tensor) -> Tensor:
        """The way back."""
        return grid.unflatten(2, (-1, self.image_shape[0])).permute(0, 3, 1, 2)

    def levels(self, values: Tensor) -> Tensor:
        """The nearest level of each, or its cell, 0…levels − 1, of values in −1…1."""
        count, share = self.config.levels, (values + 1) / 2
        found = (share * count).floor() if self._points else (share * (count - 1)).round()
        return found.long().clamp(0, count - 1)

    def values(self, levels: Tensor, within: Tensor | float = 0.5) -> Tensor:
        """In −1…1, of levels or of places `within` cells, 0…1."""
        count, like = self.config.levels, next(self.parameters())
        if self._points:
            return (levels.to(like.dtype) + within) * (2 / count) - 1
        return levels.to(like.dtype) * (2 / (count - 1)) - 1

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Noise, a number for each pixel."""
        return self.image_shape

    def decode(self, latents: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return torch.cat([self.completed(part, part, 0) for part in latents.split(_CHUNK)])

    def completed(self, images: Tensor, latents: Tensor, rows: int) -> Tensor:
        """Images (B, C, H, W) whose first rows stay, the others drawn by noise; all of one shape."""
        share, predictor = torch.special.ndtr(self.grid(latents)), self.predictor
        shown = self.grid(images).clone()
        shown[:, rows:] = 0
        seen = self.values(self.levels(shown))
        for row, column in product(range(rows, shown.shape[1]), range(shown.shape[2])):
            if column == 0:
                first = max(0, row - predictor.reach)
                above = [each[:, :, -1:] for each in predictor.above(seen[:, first : row + 1], first)]
            part = slice(max(0, column - predictor.reach), column + 1)
            logits = predictor.along(seen[:, row : row + 1, part], [each[..., part] for each in above])[..., 0, -1]
            levels, within = _drawn(logits, share[:, row, column])
            seen[:, row, column] = self.values(levels)
            shown[:, row, column] = self.values(levels, within)
        return self.images(shown)

    def visible_values(self, images: Tensor, rng: torch.Generator) -> Tensor:
        return images

    def fantasies(self, count: int, rng: torch.Generator) -> Tensor:
        """x ~ q, shape (count, C, H, W)."""
        return self.sample(count, rng)

    def free_energy(self, v: Tensor) -> Tensor:
        """−log q, whose log Z is 0 whatever the parameters are."""
        return -self.likelihood(v)

    def shown(self, v: Tensor, rng: torch.Generator) -> Tensor:
        return v


def _drawn(logits: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """The level in which the distribution function (B, levels) reaches `share`, and how far within it, both (B,)."""
    probability = logits.softmax(1)
    ends = probability.cumsum(1)
    levels = (ends < share[:, None]).sum(1, keepdim=True).clamp(max=logits.shape[1] - 1)
    mass = probability.gather(1, levels)
    within = 1 - (ends.gather(1, levels) - share[:, None]) / mass
    return levels[:, 0], within[:, 0].clamp(0, 1)
