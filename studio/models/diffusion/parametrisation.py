"""What a denoiser may say of x_t = α·x_0 + σ·ε with α = √ᾱ_t, σ = √(1 − ᾱ_t), and how one turns into the other.

    ε   x_0 = (x_t − σ·ε)/α
    x   x_0 itself
    v   v = α·ε − σ·x_0,   x_0 = α·x_t − σ·v

Source of v: T. Salimans, J. Ho, arXiv:2202.00512 (2022).
"""

from __future__ import annotations

from typing import assert_never

from torch import Tensor

from studio.models.diffusion.config import Prediction


def target(kind: Prediction, clean: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
    """What the denoiser should say, of x_0 and ε, all (B, C, H, W), √ᾱ_t and √(1 − ᾱ_t), (B, 1, 1, 1) or scalars."""
    match kind:
        case Prediction.NOISE:
            return noise
        case Prediction.CLEAN:
            return clean
        case Prediction.VELOCITY:
            return alpha * noise - sigma * clean
        case _:
            assert_never(kind)


def clean_image(kind: Prediction, said: Tensor, noisy: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
    """x_0 from what the denoiser said of x_t = `noisy`; shapes as in `target`. α = 0 has no answer for ε."""
    match kind:
        case Prediction.NOISE:
            return (noisy - sigma * said) / alpha
        case Prediction.CLEAN:
            return said
        case Prediction.VELOCITY:
            return alpha * noisy - sigma * said
        case _:
            assert_never(kind)
