"""Normal distributions with independent components, given by mean and log-variance.

log N(z; μ, σ²)        = −½·Σ_i ((z_i − μ_i)²/σ_i² + log σ_i² + log 2π)
KL(N(μ, σ²) ‖ N(0, 1)) = ½·Σ_i (μ_i² + σ_i² − 1 − log σ_i²)
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Normal(NamedTuple):
    """N(μ, σ²) for each of B examples, by μ and log σ², shapes (B, n)."""

    mean: Tensor
    log_variance: Tensor

    def draw(self, rng: torch.Generator) -> Tensor:
        """z = μ + σ·ε with ε ~ N(0, 1), shape (B, n); differentiable in μ and σ."""
        return self.at(torch.randn(self.mean.shape, generator=rng, device=self.mean.device, dtype=self.mean.dtype))

    def at(self, noise: Tensor) -> Tensor:
        """z = μ + σ·ε of ε = `noise`, both of shape (B, n)."""
        return self.mean + (0.5 * self.log_variance).exp() * noise

    def repeated(self, count: int) -> Normal:
        """Each so many times, one after the other, (B·count, n)."""
        return Normal(*(each.repeat_interleave(count, 0) for each in self))

    def log_density(self, values: Tensor) -> Tensor:
        """log N(z; μ, σ²) of `values` (B, n), in nats, shape (B,)."""
        scaled = (values - self.mean) * (-0.5 * self.log_variance).exp()
        return -0.5 * (scaled.square() + self.log_variance + math.log(2 * math.pi)).sum(1)


def standard_log_density(values: Tensor) -> Tensor:
    """log N(z; 0, 1) of `values` (B, n), in nats, shape (B,)."""
    return -0.5 * (values.square() + math.log(2 * math.pi)).sum(1)


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)) of each component, in nats; arguments and result (B, n)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
