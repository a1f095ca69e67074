"""Variational autoencoder.

    −ELBO(x) = −log p(x|z) + β·KL(q(z|x) ‖ N(0, 1)),   z = μ(x) + σ(x)·ε,   ε ~ N(0, 1)
    KL       = ½·Σ_i (μ_i² + σ_i² − 1 − log σ_i²)

All of it is of one real example, so all of it carries that example's weight.
Sources: D. P. Kingma, M. Welling, arXiv:1312.6114 (2013); β: I. Higgins et al., ICLR (2017).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from studio.models.base import Batch, LossTerms, Phase
from studio.models.gaussians import Normal, kl_to_standard_normal, standard_log_density
from studio.models.latent_variable import Autoencoder, LatentVariableModel
from studio.models.likelihoods import pixel_likelihood
from studio.models.nets import Shape, Style, decoder, encoder
from studio.models.tangent import Said
from studio.models.vae.config import VaeConfig


class Codec(Autoencoder):
    """The trained part: encoder, decoder and, unless Bernoulli, the width of a pixel."""

    def __init__(self, config: VaeConfig, shape: Shape) -> None:
        style = Style(architecture=config.architecture, width=config.width, activation=nn.SiLU, dense_layer=True)
        code = encoder(shape, 2 * config.latent_size, style)  # first, so that weights are drawn in that order
        super().__init__(decoder(config.latent_size, shape, style), pixel_likelihood(config.likelihood))
        self.encoder = code


class Vae(LatentVariableModel):
    """Encoder and decoder, trained together."""

    autoencoder: Codec

    def __init__(self, config: VaeConfig, shape: Shape) -> None:
        super().__init__(config, shape, Codec(config, shape))

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        code = self.encode(batch.images)
        output = self.autoencoder.decoder(code.draw(rng))
        reconstruction = self.autoencoder.likelihood.negative_log(output, batch.images)
        kl = kl_to_standard_normal(*code).sum(1)
        return LossTerms(
            data=reconstruction + self.config.beta * kl,
            example_metrics={"reconstruction": reconstruction.detach(), "kl": kl.detach()},
        )

    def say(self, images: Tensor, rng: torch.Generator) -> Said:
        """The code's distribution, what the decoder makes of a draw, and the width of a pixel if it is learned."""
        code, likelihood = self.encode(images), self.autoencoder.likelihood

        def loss(outputs: tuple[Tensor, ...]) -> Tensor:
            mean, log_variance, output, *width = outputs
            kl = kl_to_standard_normal(mean, log_variance).sum(1)
            return likelihood.negative_log(output, images, *width) + self.config.beta * kl

        return Said((*code, self.autoencoder.decoder(code.draw(rng)), *likelihood.parameters()), loss)

    def encode(self, images: Tensor) -> Normal:
        """q(z|x) for images (B, C, H, W); mean and log-variance have shape (B, latent_size)."""
        mean, log_variance = self.autoencoder.encoder(images).chunk(2, dim=1)
        return Normal(mean, log_variance)

    def log_ratio(self, images: Tensor, rng: torch.Generator) -> Tensor:
        code = self.encode(images)
        latents = code.draw(rng)
        negative = self.autoencoder.likelihood.negative_log(self.autoencoder.decoder(latents), images)
        return standard_log_density(latents) - code.log_density(latents) - negative

    def reconstruct(self, images: Tensor, rng: torch.Generator) -> Tensor:
        return self.autoencoder.likelihood.mean(self.autoencoder.decoder(self.encode(images).draw(rng)))
