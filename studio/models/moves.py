"""What a model offers of the way in which it samples, so that samples can be led on the way: a chain from noise to an
image, or chains that stay with the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class Denoises(Protocol):
    """Begins with noise x_T and draws each x_s from the one before; the last guess of the clean image is the sample."""

    def denoising_times(self) -> Sequence[int]:
        """t from T down to 0, at least two."""

    def signal_share(self, time: int) -> float:
        """How much of the variance at t is the image's, ᾱ_t in 0…1."""

    def guess_at(self, noisy: Tensor, time: int) -> Tensor:
        """x̂_0 of x_t, both of shape (n, C, H, W)."""

    def less_noisy(self, noisy: Tensor, guess: Tensor, time: int, earlier: int, rng: torch.Generator) -> Tensor:
        """x_s ~ p(x_s|x_t) for s = `earlier` > 0 and t = `time`, with x̂_0 = `guess`; all of shape (n, C, H, W)."""


@runtime_checkable
class Chained(Protocol):
    """Has chains, and moves that leave the model's distribution as it is."""

    def chain_states(self, count: int, rng: torch.Generator) -> Tensor:
        """Where its chains are, each as often as the others, shape (count, …)."""

    def chain_moves(self, states: Tensor, rng: torch.Generator) -> Tensor:
        """A move of each, shape (n, …), which is as likely as the way back where the model's law is in balance."""

    def chain_images(self, states: Tensor) -> Tensor:
        """The image that each shows, in −1…1, shape (n, C, H, W)."""
