"""What models with an encoder and a decoder share: the importance-weighted log-likelihood and their pictures.

    log p(x) ≥ ⟨log (1/K)·Σ_k p(x, z_k)/q(z_k|x)⟩,   z_k ~ q(z|x)

K = 1 is the evidence bound; the right side grows with K and reaches log p(x) as K → ∞. Source: Y. Burda et al.,
arXiv:1509.00519 (2015).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from studio.models.base import GenerativeModel, Phase
from studio.models.config import AutoencoderConfig
from studio.models.likelihoods import PixelLikelihood
from studio.models.nets import Shape

_CHUNK = 500


class Autoencoder(nn.Module):
    """The trained part, z → what p(x|z) takes, and p(x|z); a model adds what draws its codes."""

    def __init__(self, network: nn.Module, likelihood: PixelLikelihood) -> None:
        super().__init__()
        self.decoder = network
        self.likelihood = likelihood


class LatentVariableModel(GenerativeModel):
    """A model p(x, z) of examples of shape (C, H, W) with an encoder q(z|x)."""

    def __init__(self, config: AutoencoderConfig, shape: Shape, autoencoder: Autoencoder) -> None:
        super().__init__(shape)
        self.config = config
        self.autoencoder = autoencoder

    def phases(self) -> Sequence[Phase]:
        return (Phase(network="autoencoder"),)

    @abstractmethod
    def log_ratio(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """log p(x, z) − log q(z|x) for one z ~ q(z|x) per image; images (B, C, H, W), result (B,), in nats."""

    @abstractmethod
    def reconstruct(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """The mean image of p(x|z) for z ~ q(z|x), in −1…1; both of shape (B, C, H, W)."""

    @torch.no_grad()
    def importance_weighted_log_likelihood(self, images: Tensor, samples: int, rng: torch.Generator) -> Tensor:
        """log (1/K)·Σ_k p(x, z_k)/q(z_k|x), in nats per image, shape (B,): a lower bound of log p(x) on average, tight
        for large K.

        x is in −1…1, shape (B, C, H, W); memory grows neither with B nor with K, the number of samples.
        """
        totals = []
        for chunk in images.split(_CHUNK):
            total = self.log_ratio(chunk, rng)
            for _ in range(samples - 1):
                total = torch.logaddexp(total, self.log_ratio(chunk, rng))
            totals.append(total - math.log(samples))
        return torch.cat(totals)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.latent_size,)

    def codes(self, latents: Tensor) -> Tensor:
        """What the decoder takes, shape (n, latent_size), for latents (n, *latent_shape): by default the same."""
        return latents

    def decode(self, latents: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.decoded(self.codes(latents), rng)

    def output(self, codes: Tensor) -> Tensor:
        """What p(x|z) takes, of codes (B, latent_size) whose class is not told."""
        said: Tensor = self.autoencoder.decoder(codes)
        return said

    def decoded(self, codes: Tensor, rng: torch.Generator | None) -> Tensor:
        """Images of what the decoder takes."""
        return torch.cat([self._images(part, rng) for part in codes.split(_CHUNK)])

    def _images(self, codes: Tensor, rng: torch.Generator | None) -> Tensor:
        """Images of codes (B, latent_size): the means of p(x|z) or, with `rng` and where so set, draws from it."""
        output = self.autoencoder.decoder(codes)
        likelihood = self.autoencoder.likelihood
        if rng is None or not self.config.draw_pixels:
            return likelihood.mean(output)
        return likelihood.draw(output, rng)
