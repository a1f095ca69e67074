"""Langevin dynamics: x ← x − s·clip(∇E(x)) + σ·ξ,  ξ ~ N(0, 1), kept within −1…1.

It samples exp(−E/T) with T = σ²/(2s), up to an error of the order of s: for E = ½k·x² the variance is exactly
(T/k)/(1 − s·k/2). Source: G. Roberts, R. Tweedie, Bernoulli 2 (1996).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Langevin:
    """A way to move, by steps s and noise σ; |∂E/∂x_i| is followed up to a limit, 0 for none, within ±bound."""

    step_size: float
    noise: float
    slope_limit: float = 0.0
    bound: float = 1.0

    def run(self, energy: Callable[[Tensor], Tensor], start: Tensor, steps: int, rng: torch.Generator) -> Tensor:
        """Images (B, C, H, W) after so many steps from `start`, detached; the energy takes them to E, shape (B,)."""
        images = start.detach()
        for _ in range(steps):
            images = images.requires_grad_()
            with torch.enable_grad():
                (slope,) = torch.autograd.grad(energy(images).sum(), images)
            if self.slope_limit:
                slope = slope.clamp(-self.slope_limit, self.slope_limit)
            noise = torch.randn(images.shape, generator=rng, device=images.device, dtype=images.dtype)
            images = images.detach() - self.step_size * slope + self.noise * noise
            images.clamp_(-self.bound, self.bound)
        return images
