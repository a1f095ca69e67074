"""A critic's slope ‖∇D(x)‖ and the penalty on it.

    penalty     ⟨(‖∇D(x̂)‖ − 1)²⟩,   x̂ = u·x + (1 − u)·G(z),   u ~ U(0, 1)
    one-sided   ⟨max(0, ‖∇D(x̂)‖ − 1)²⟩

Source: I. Gulrajani et al., arXiv:1704.00028 (2017).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from studio.models.adversarial.config import PenaltySides

_EPSILON = 1e-12
"""Inside the root of ‖∇D‖² + ε, whose slope would otherwise be infinite at ∇D = 0."""


def interpolates(real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
    """x̂ = u·x + (1 − u)·x′ with one u ~ U(0, 1) per pair; all of shape (B, C, H, W)."""
    share = torch.rand(len(real), 1, 1, 1, generator=rng, device=real.device, dtype=real.dtype)
    return torch.lerp(fake, real, share)


def gradient_norm(critic: nn.Module, images: Tensor) -> Tensor:
    """√(‖∇D(x)‖² + ε) at each of `images` (B, C, H, W), shape (B,); can be differentiated again."""
    images = images.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    return (slope.flatten(1).square().sum(1) + _EPSILON).sqrt()


def gradient_penalty(norm: Tensor, sides: PenaltySides) -> Tensor:
    """⟨(‖∇D‖ − 1)²⟩ of `norm`, shape (B,); one-sided ⟨max(0, ‖∇D‖ − 1)²⟩."""
    excess = norm - 1
    if sides is PenaltySides.ONE:
        excess = excess.clamp(min=0)
    return excess.square().mean()
