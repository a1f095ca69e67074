"""What a model offers of how it is fitted, so that its answer to a small change of the data can be computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor


class Said(NamedTuple):
    """`outputs` of a model's networks, with as many rows for each of B examples or a scalar for all, and how wrong they
    are.

    That is the loss of each example, shape (B,); convex in each of the outputs while the others are held.
    """

    outputs: tuple[Tensor, ...]
    loss: Callable[[tuple[Tensor, ...]], Tensor]


@runtime_checkable
class Fitted(Protocol):
    """Minimises the mean of one loss, and samples by a function of its parameters and of random numbers."""

    def say(self, images: Tensor, rng: torch.Generator) -> Said:
        """Of images in −1…1, shape (B, C, H, W); `rng` decides all chance."""


@runtime_checkable
class Energetic(Protocol):
    """Maximises the likelihood of p(v) ∝ e^{−F(v)}, and samples by chains."""

    def visible_values(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """v of images in −1…1, shapes (B, C, H, W) and (B, D)."""

    def fantasies(self, count: int, rng: torch.Generator) -> Tensor:
        """v ~ p, shape (count, …)."""

    def free_energy(self, v: Tensor) -> Tensor:
        """F, shape (B,)."""

    def shown(self, v: Tensor, rng: torch.Generator) -> Tensor:
        """The images that are its samples where v is drawn, shape (B, C, H, W)."""
