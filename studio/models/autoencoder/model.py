"""Autoencoder: codes that rebuild images, and a Gaussian of the codes, from which images are made.

    L = ½·‖x − d(z)‖² − log N(z; m, Σ),   z = e(x), held fixed in the second term,   samples d(z), z ~ N(m, Σ)

The loss of one example is all of that example, so all of it carries its weight: m and Σ are the weighted mean and
covariance of the codes, and a linear encoder and decoder span the leading eigenvectors of the weighted covariance of
the data (PCA), of which samples then have the mean and the leading part.
Sources: P. Baldi, K. Hornik, Neural Networks 2, 53 (1989); a density fitted to codes: P. Ghosh et al., arXiv:1903.12436
(2019).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from studio.models.autoencoder.config import PlainAutoencoderConfig
from studio.models.base import Batch, GenerativeModel, LossTerms, Phase
from studio.models.gaussians import standard_log_density
from studio.models.nets import Shape, Style, decoder, encoder, in_chunks


class CodeGaussian(nn.Module):
    """N(z; m, Σ) with z = m + L⁻¹·u, u ~ N(0, 1), L lower triangular: log N is concave in m and L."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(size))
        self.log_diagonal = nn.Parameter(torch.zeros(size))
        self.below = nn.Parameter(torch.zeros(size, size))

    def factor(self) -> Tensor:
        """L, shape (size, size)."""
        return self.below.tril(-1) + self.log_diagonal.exp().diag()

    def log_density(self, codes: Tensor) -> Tensor:
        """log N(z; m, Σ) of codes (B, size), in nats, shape (B,)."""
        return standard_log_density((codes - self.mean) @ self.factor().T) + self.log_diagonal.sum()

    def codes(self, latents: Tensor) -> Tensor:
        """z of u, both (B, size)."""
        return self.mean + torch.linalg.solve_triangular(self.factor(), latents.T, upper=False).T


class Coder(nn.Module):
    """The trained part."""

    def __init__(self, config: PlainAutoencoderConfig, shape: Shape) -> None:
        super().__init__()
        size, pixels = config.latent_size, math.prod(shape)
        if config.linear:
            self.encoder: nn.Module = nn.Sequential(nn.Flatten(), nn.Linear(pixels, size))
            self.decoder: nn.Module = nn.Sequential(nn.Linear(size, pixels), nn.Unflatten(1, shape))
        else:
            style = Style(architecture=config.architecture, width=config.width, activation=nn.SiLU, dense_layer=True)
            self.encoder, self.decoder = encoder(shape, size, style), decoder(size, shape, style)
        self.gaussian = CodeGaussian(size)


class PlainAutoencoder(GenerativeModel):
    """Encoder and decoder, and the Gaussian of what lies between them."""

    def __init__(self, config: PlainAutoencoderConfig, shape: Shape) -> None:
        super().__init__(shape)
        self.config = config
        self.autoencoder = Coder(config, shape)

    def phases(self) -> Sequence[Phase]:
        return (Phase(network="autoencoder"),)

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        codes = self.autoencoder.encoder(batch.images)
        error = (self.autoencoder.decoder(codes) - batch.images).square().flatten(1)
        surprise = -self.autoencoder.gaussian.log_density(codes.detach())
        return LossTerms(
            data=0.5 * error.sum(1) + surprise,
            example_metrics={"rebuilding_error": error.mean(1).sqrt().detach(), "code_surprise": surprise.detach()},
        )

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """u, of which the Gaussian makes a code."""
        return (self.config.latent_size,)

    def decode(self, latents: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return in_chunks(self.autoencoder.decoder, self.autoencoder.gaussian.codes(latents)).clamp(-1, 1)

    def reconstruct(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """d(e(x)), in −1…1, both of shape (B, C, H, W)."""
        rebuilt: Tensor = self.autoencoder.decoder(self.autoencoder.encoder(images))
        return rebuilt.clamp(-1, 1)
