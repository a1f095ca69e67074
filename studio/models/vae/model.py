"""Variational autoencoder.

    −ELBO(x) = −log p(x|z) + β·KL(q(z|x) ‖ N(0, 1)),   z = μ(x) + σ(x)·ε,   ε ~ N(0, 1)
    KL       = ½·Σ_i (μ_i² + σ_i² − 1 − log σ_i²)

All of it is of one real example, so all of it carries that example's weight.
Sources: D. P. Kingma, M. Welling, arXiv:1312.6114 (2013); β: I. Higgins et al., ICLR (2017).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from studio.models.base import Batch, LossTerms, Phase, Probe
from studio.models.diagnostic import Diagnostic, Pictures
from studio.models.gaussians import Normal, kl_to_standard_normal, standard_log_density
from studio.models.latent_variable import Autoencoder, LatentVariableModel
from studio.models.likelihoods import pixel_likelihood
from studio.models.nets import Shape, Style, decoder, encoder
from studio.models.pixels import to_pixels
from studio.models.vae.config import VaeConfig

_CHUNK = 500
_SWEPT = 8
_SWEEP = 9


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
            data=reconstruction + self._config.beta * kl,
            example_metrics={"reconstruction": reconstruction.detach(), "kl": kl.detach()},
        )

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

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        return (*super().diagnostics(probe, rng), self._latent_sweep(probe))

    def _latent_sweep(self, probe: Probe) -> Pictures:
        """One image's code with one number at a time moved from −3 to 3, for the numbers that say most."""
        code = self.encode(probe.seen)
        information = kl_to_standard_normal(*code).mean(0)
        chosen = information.argsort(descending=True)[:_SWEPT].tolist()
        places = torch.linspace(-3, 3, _SWEEP, device=code.mean.device, dtype=code.mean.dtype)
        codes = code.mean[:1].repeat(len(chosen) * _SWEEP, 1)
        for row, number in enumerate(chosen):
            codes[row * _SWEEP : (row + 1) * _SWEEP, number] = places
        return Pictures(
            name="latent_sweep",
            title="Latent sweep",
            tip="What single numbers of a code mean: a row moves one of them, those that say most first. "
            "Mean of p(x|z), z_i from −3 to 3, the others as in one training image's code.",
            images=to_pixels(self.autoencoder.likelihood.mean(self.autoencoder.decoder(codes))),
            columns=_SWEEP,
            rows=tuple(f"z_{number + 1}: {information[number]:.2f} nats on average" for number in chosen),
        )
