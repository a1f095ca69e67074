"""Instance noise: x + σ_t·ε, ε ~ N(0, 1), on everything the critic sees;   σ_t = σ₀·max(0, 1 − t/N).

Real and generated images on thin sheets hardly overlap, so a critic tells them apart perfectly and its slope says
nothing; blurred by the same noise they overlap, and the noise fades as they approach.
Sources: C. K. Sønderby et al., arXiv:1610.04490 (2016); M. Arjovsky, L. Bottou, arXiv:1701.04862 (2017).
"""

from __future__ import annotations

import torch
from torch import Tensor

from studio.models.adversarial.config import NoiseConfig


def noise_std(config: NoiseConfig, step: int) -> float:
    """σ_t at training step `step`, from 0."""
    return config.std * max(0.0, 1 - step / config.steps)


def with_noise(images: Tensor, std: float, rng: torch.Generator) -> Tensor:
    """`images` (B, C, H, W) with independent noise of standard deviation `std`; as they are, undrawn, where it is 0."""
    if not std:
        return images
    return images + std * torch.randn(images.shape, generator=rng, device=images.device, dtype=images.dtype)
