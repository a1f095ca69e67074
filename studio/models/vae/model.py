"""Variational autoencoder.

    −ELBO(x) = −log p(x|z) + β·KL(q(z|x) ‖ N(0, 1)),   z = μ(x) + σ(x)·ε,   ε ~ N(0, 1)
    KL       = ½·Σ_i (μ_i² + σ_i² − 1 − log σ_i²)

All of it is of one real example, so all of it carries that example's weight. The Gaussian's width is one learned number
for all pixels. Sources: D. P. Kingma, M. Welling, arXiv:1312.6114 (2013); β: I. Higgins et al., ICLR (2017); learned
width: O. Rybkin et al., arXiv:2006.13202 (2020).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio.models.base import Batch, GenerativeModel, LossTerms, Phase
from studio.models.nets import Shape, Style, decoder, encoder, in_chunks
from studio.models.vae.config import Likelihood, VaeConfig

_LOG_LEAST_WIDTH = math.log(1 / 127.5)
"""A Gaussian narrower than one of the 256 grey levels (in −1…1) would only fit their rounding."""


class Autoencoder(nn.Module):
    """The trained part: encoder, decoder and, for the Gaussian, log σ of a pixel."""

    def __init__(self, config: VaeConfig, shape: Shape) -> None:
        super().__init__()
        style = Style(architecture=config.architecture, width=config.width, activation=nn.SiLU, dense_layer=True)
        self.encoder = encoder(shape, 2 * config.latent_size, style)
        self.decoder = decoder(config.latent_size, shape, style)
        if config.likelihood is Likelihood.GAUSSIAN:
            self.log_width = nn.Parameter(torch.zeros(()))


class Vae(GenerativeModel):
    """Encoder and decoder, trained together."""

    def __init__(self, config: VaeConfig, shape: Shape) -> None:
        super().__init__()
        self._config = config
        self._shape = shape
        self.autoencoder = Autoencoder(config, shape)

    @property
    def image_shape(self) -> Shape:
        return self._shape

    def phases(self) -> Sequence[Phase]:
        return (Phase(network="autoencoder"),)

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        mean, log_variance = self.encode(batch.images)
        noise = torch.randn(mean.shape, generator=rng, device=mean.device, dtype=mean.dtype)
        latents = mean + (0.5 * log_variance).exp() * noise
        reconstruction = self._negative_log_likelihood(self.autoencoder.decoder(latents), batch.images)
        kl = kl_to_standard_normal(mean, log_variance)
        loss = reconstruction + self._config.beta * kl
        terms = {"negative_elbo": loss, "reconstruction": reconstruction, "kl": kl}
        return LossTerms(data=loss, example_metrics={name: value.detach() for name, value in terms.items()})

    def sample(self, count: int, rng: torch.Generator) -> Tensor:
        like = next(self.parameters())
        latents = torch.randn(count, self._config.latent_size, generator=rng, device=like.device, dtype=like.dtype)
        output = in_chunks(self.autoencoder.decoder, latents)
        if self._config.likelihood is Likelihood.BERNOULLI:
            return 2 * output.sigmoid() - 1
        return output.clamp(-1, 1)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """μ and log σ² of q(z|x) for images (B, C, H, W), each of shape (B, latent_size)."""
        mean, log_variance = self.autoencoder.encoder(images).chunk(2, dim=1)
        return mean, log_variance

    def _negative_log_likelihood(self, output: Tensor, images: Tensor) -> Tensor:
        """−log p(x|z) of images (B, C, H, W) under the decoder's `output` of that shape, in nats, shape (B,)."""
        if self._config.likelihood is Likelihood.BERNOULLI:
            return bernoulli_negative_log_likelihood(output, images)
        return gaussian_negative_log_likelihood(output, self.autoencoder.log_width, images)


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)) = ½·Σ_i (μ_i² + σ_i² − 1 − log σ_i²); arguments (B, n), result (B,), in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


def bernoulli_negative_log_likelihood(logits: Tensor, images: Tensor) -> Tensor:
    """−Σ_i [p_i·log s(l_i) + (1 − p_i)·log(1 − s(l_i))] with p = (x + 1)/2, the brightness as a probability.

    Args:
        logits: l, shape (B, C, H, W).
        images: x in −1…1, shape (B, C, H, W).

    Returns:
        nats per image, shape (B,).
    """
    return F.binary_cross_entropy_with_logits(logits, (images + 1) / 2, reduction="none").flatten(1).sum(1)


def gaussian_negative_log_likelihood(mean: Tensor, log_width: Tensor, images: Tensor) -> Tensor:
    """Σ_i [½·((x_i − m_i)/σ)² + log σ + ½·log 2π], σ at least one of 256 grey levels.

    Args:
        mean: m, shape (B, C, H, W).
        log_width: log σ, scalar.
        images: x in −1…1, shape (B, C, H, W).

    Returns:
        nats per image, shape (B,).
    """
    log_width = log_width.clamp(min=_LOG_LEAST_WIDTH)
    error = (images - mean) * (-log_width).exp()
    return (0.5 * error.square() + log_width + 0.5 * math.log(2 * math.pi)).flatten(1).sum(1)
