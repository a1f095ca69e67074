"""What each number of a grid may be, given those in the rows above and those to its left.

Two stacks of convolutions that are padded on one side. One looks at the rows above, whole, so that there is no blind
spot; the other looks to the left and is told by the first. Nothing normalises over places, which would tell of what
comes later. Source: A. van den Oord et al., arXiv:1606.05328 (2016).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_REACH = 3


class Predictor(nn.Module):
    """Values (B, rows, columns) in −1…1 to logits of the levels of each, (B, levels, rows, columns)."""

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
