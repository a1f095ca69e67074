"""The variational view: −log p(x_0) ≤ prior matching + denoising + reconstruction.

    prior matching   KL(q(x_T|x_0) ‖ N(0, 1)) = ½·Σ_i (ᾱ_T·x_0² + (1 − ᾱ_T) − 1 − log(1 − ᾱ_T))
    denoising        Σ_{t≥2} KL(q(x_{t−1}|x_t, x_0) ‖ p(x_{t−1}|x_t)) = Σ_{t≥2} ½·(SNR_{t−1} − SNR_t)·‖x_0 − x̂_0(x_t)‖²
    reconstruction   −log p(x_0|x_1),   p(x_0|x_1) = N(x̂_0(x_1), 1 − ᾱ_1) within each of the 256 grey levels

with SNR_t = ᾱ_t/(1 − ᾱ_t) and the model's step p(x_{t−1}|x_t) = q(x_{t−1}|x_t, x̂_0). The sum over t is estimated from
one t per example, its term over the probability with which it was drawn; probabilities follow (SNR_{t−1} − SNR_t)·
(1 − ᾱ_t), so that no rare t decides. Sources: J. Ho et al., arXiv:2006.11239 (2020); D. P. Kingma et al.,
arXiv:2107.00630 (2021); C. Luo, arXiv:2208.11970 (2022).
"""

from __future__ import annotations

import torch
from torch import Tensor

from studio.models.likelihoods import HALF_LEVEL


def prior_matching(clean: Tensor, sigma: Tensor) -> Tensor:
    """KL(q(x_T|x_0) ‖ N(0, 1)) in nats per image, shape (B,), of x_0 (B, C, H, W); σ = √(1 − ᾱ_T) is a scalar."""
    variance = sigma.square()
    return (0.5 * ((1 - variance) * clean.square() + variance - 1 - variance.log())).flatten(1).sum(1)


def denoising_term(clean: Tensor, guess: Tensor, weight: Tensor) -> Tensor:
    """KL(q(x_{t−1}|x_t, x_0) ‖ q(x_{t−1}|x_t, x̂_0)) in nats per image, shape (B,), of x_0 and x̂_0, shape (B, C, H,
    W).

    `weight` is ½·(SNR_{t−1} − SNR_t) of each example's t ≥ 2, shape (B,).
    """
    return weight * (clean - guess).square().flatten(1).sum(1)


def reconstruction_term(clean: Tensor, guess: Tensor, sigma: Tensor) -> Tensor:
    """−Σ_i log[Φ((x_i − x̂_i + h)/σ) − Φ((x_i − x̂_i − h)/σ)], the outermost grey levels open towards their side.

    In nats per image, shape (B,), of x_0 and x̂_0 from x_1, shape (B, C, H, W); σ = √(1 − ᾱ_1) is a scalar.
    """
    above, below = (clean - guess + HALF_LEVEL) / sigma, (clean - guess - HALF_LEVEL) / sigma
    above = above.masked_fill(clean > 1 - HALF_LEVEL, torch.inf)
    below = below.masked_fill(clean < HALF_LEVEL - 1, -torch.inf)
    # Φ(a) − Φ(b) = Φ(−b) − Φ(−a): on the lower side neither is close to 1, and nothing cancels.
    mirrored = above + below > 0
    upper = torch.special.log_ndtr(torch.where(mirrored, -below, above))
    lower = torch.special.log_ndtr(torch.where(mirrored, -above, below))
    return -(upper + torch.log(-torch.expm1(lower - upper))).flatten(1).sum(1)
